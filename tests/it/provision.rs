//! Users come into being in every way, on the built-in homeserver, and are taken back.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::time::Duration;

use capcheck::engine;
use capcheck::reference::{self, Account as Existing, Options, Registration, Running};
use capcheck::spec::binding::{Operation, encode};
use capcheck::spec::capability::CapabilitySet;
use capcheck::target::config::{AccountConfig, Cleanup, Entitled, Gating, Target, Users};
use capcheck::target::provision::{Account, Cast, Lease, Login, ProvisionError, Provisioner};
use capcheck::wire::{Client, Request, Secret};
use serde_json::{Value, json};

const PAIR: Cast = Cast { ordinary: 2, entitled: 0, look_alikes: 0, elsewhere: 0 };
const ONE: Cast = Cast { ordinary: 1, entitled: 0, look_alikes: 0, elsewhere: 0 };

pub(crate) async fn serve(registration: Registration) -> Running {
    serve_with(Options { registration, ..Options::default() }).await
}

async fn serve_with(options: Options) -> Running {
    reference::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap()
}

/// A server with Alice, Bob and Granted-Carol, each with one ready token.
async fn serve_people() -> Running {
    let person = |name: &str| Existing {
        token: Some(Secret::new(format!("token-of-{name}"))),
        ..Existing::new(name, format!("{name}s-password"))
    };
    let accounts = ["alice", "bob", "granted-carol"].map(person).to_vec();
    serve_with(Options { accounts, registration: Registration::Closed, ..Options::default() }).await
}

pub(crate) fn target(url: &str, users: Users) -> Target {
    let mut target = Target { users, ..Target::from_url(url).unwrap() };
    target.limits.settle = Duration::from_millis(300);
    target.limits.request_timeout = Duration::from_secs(2);
    target.limits.rate_limit_cap = Duration::ZERO;
    target
}

fn gated(mut target: Target, entitled: Entitled) -> Target {
    target.gating = Some(Gating { capability: "m.cap.content_repo.v1".to_owned(), entitled });
    target
}

fn granted() -> Entitled {
    Entitled::Prefix("granted-".to_owned())
}

pub(crate) fn client(target: &Target) -> Client {
    engine::client(target).unwrap()
}

fn people() -> Users {
    let account = |user: &str| AccountConfig {
        user: user.to_owned(),
        password: Secret::new(format!(
            "{}s-password",
            user.trim_start_matches('@').split(':').next().unwrap()
        )),
    };
    Users::Accounts(["alice", "bob", "granted-carol"].map(account).to_vec())
}

fn tokens() -> Users {
    Users::Tokens(["alice", "bob", "granted-carol"].map(|n| Secret::new(format!("token-of-{n}"))).to_vec())
}

async fn call(client: &Client, method: &str, path: &str, session: &Login, body: Value) -> (u16, Value) {
    let exchange = client.send(Request::new(method, path).token(&session.token).json(&body)).await;
    let response = exchange.result.as_ref().unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

async fn is_alive(client: &Client, session: &Login) -> bool {
    let (status, answer) =
        call(client, "GET", "/_matrix/client/v3/account/whoami", session, Value::Null).await;
    if status == 200 {
        assert_eq!(answer["user_id"], session.user_id);
        assert_eq!(answer["device_id"], session.device_id);
    }
    status == 200
}

async fn hash_of(client: &Client, target: &Target, session: &Login) -> Option<String> {
    let path = target.binding.presence.status.path(&[("user_id", &session.user_id)]);
    let (_, status) = call(client, "GET", &path, session, Value::Null).await;
    Some(status.get(&target.binding.presence.field)?.get("sha256")?.as_str()?.to_owned())
}

async fn rooms_of(client: &Client, session: &Login) -> usize {
    let (_, answer) = call(client, "GET", "/_matrix/client/v3/joined_rooms", session, Value::Null).await;
    answer["joined_rooms"].as_array().unwrap().len()
}

/// A room, and a declared set.
async fn leave_traces(client: &Client, target: &Target, session: &Login) {
    let set = CapabilitySet::of(["m.cap.traces.v1"]);
    let upload = target.binding.route(Operation::Upload).path(&[("hash", set.hash().as_str())]);
    assert_eq!(call(client, "PUT", &upload, session, json!({ "m.cap.traces.v1": {} })).await.0, 200);
    let declare = target.binding.route(Operation::Declare).path(&[]);
    assert_eq!(call(client, "PUT", &declare, session, json!({ "sha256": set.hash().as_str() })).await.0, 200);
    assert_eq!(call(client, "POST", "/_matrix/client/v3/createRoom", session, json!({})).await.0, 200);
    assert_eq!(hash_of(client, target, session).await.as_deref(), Some(set.hash().as_str()));
    assert_eq!(rooms_of(client, session).await, 1);
}

async fn assert_clean(client: &Client, target: &Target, session: &Login) {
    assert!(is_alive(client, session).await);
    assert_eq!(rooms_of(client, session).await, 0);
    let hash = hash_of(client, target, session).await;
    assert!(hash.is_none_or(|hash| hash == CapabilitySet::default().hash().as_str()));
}

fn everybody(lease: &Lease) -> impl Iterator<Item = &Account> {
    lease.ordinary.iter().chain(&lease.entitled)
}

#[tokio::test]
async fn new_users_by_every_way_of_signing_up() {
    let secret = || Secret::new("swordfish");
    for (registration, users) in [
        (Registration::Dummy, Users::Register { token: None }),
        (Registration::Terms, Users::Register { token: None }),
        (Registration::Token(secret()), Users::Register { token: Some(secret()) }),
        (Registration::SharedSecret(secret()), Users::SharedSecret { secret: secret() }),
    ] {
        let way = format!("{registration:?}");
        let server = serve(registration).await;
        let target = gated(target(&server.url(), users), granted());
        let client = client(&target);
        let provisioner = Provisioner::new(&target, "N0NCE");
        assert!(provisioner.can_log_in());

        let lease = provisioner
            .lease(&client, Cast { ordinary: 2, entitled: 1, look_alikes: 0, elsewhere: 0 })
            .await
            .expect(&way);
        assert_eq!((lease.ordinary.len(), lease.entitled.len()), (2, 1), "{way}");
        assert!(lease.ordinary.iter().all(|user| user.user_id.starts_with("@cap-n0nce-")), "{way}");
        assert!(lease.entitled.iter().all(|user| user.user_id.starts_with("@granted-n0nce-")), "{way}");

        let alice = &lease.ordinary[0];
        let tablet = provisioner.log_in(&client, alice, None).await.expect(&way);
        let desktop = provisioner.log_in(&client, alice, Some("DESKTOP")).await.expect(&way);
        assert_eq!(desktop.device_id, "DESKTOP");
        assert_ne!(tablet.device_id, alice.first.device_id);
        for session in everybody(&lease).map(|user| &user.first).chain([&tablet, &desktop]) {
            assert!(is_alive(&client, session).await, "{way}");
        }

        let sessions: Vec<Login> =
            everybody(&lease).map(|user| user.first.clone()).chain([tablet, desktop]).collect();
        let shown = format!("{:?} {:?} {:?}", client.transcript().exchanges(), lease, provisioner);
        for user in everybody(&lease) {
            for secret in [user.password.as_ref().unwrap(), &user.first.token, &secret()] {
                assert!(!shown.contains(secret.reveal()), "{way}: a secret is shown");
            }
        }
        provisioner.release(&client, lease).await;
        for session in &sessions {
            assert!(!is_alive(&client, session).await, "{way}: logged out at the end");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn what_becomes_of_users_is_as_the_target_file_says() {
    for (cleanup, lives, can_return) in
        [(Cleanup::Logout, false, true), (Cleanup::Deactivate, false, false), (Cleanup::None, true, true)]
    {
        let server = serve(Registration::Dummy).await;
        let mut target = target(&server.url(), Users::Register { token: None });
        target.cleanup = cleanup;
        let client = client(&target);
        let provisioner = Provisioner::new(&target, "n");
        let lease = provisioner.lease(&client, ONE).await.unwrap();
        let user = &lease.ordinary[0];
        leave_traces(&client, &target, &user.first).await;
        let copy = Account {
            user_id: user.user_id.clone(),
            first: user.first.clone(),
            password: user.password.clone(),
        };
        provisioner.release(&client, lease).await;
        assert_eq!(is_alive(&client, &copy.first).await, lives, "{cleanup:?}");
        let returned = provisioner.log_in(&client, &copy, None).await;
        assert_eq!(returned.is_ok(), can_return, "{cleanup:?}");
        if let Ok(session) = returned {
            let rooms = if cleanup == Cleanup::None { 1 } else { 0 };
            assert_eq!(rooms_of(&client, &session).await, rooms, "{cleanup:?}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn release_cleans_up_after_a_scenario_that_logged_out() {
    let server = serve(Registration::Dummy).await;
    let target = target(&server.url(), Users::Register { token: None });
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let lease = provisioner.lease(&client, ONE).await.unwrap();
    let second = provisioner.log_in(&client, &lease.ordinary[0], None).await.unwrap();
    leave_traces(&client, &target, &second).await;
    let first = &lease.ordinary[0].first;
    assert_eq!(call(&client, "POST", "/_matrix/client/v3/logout", first, json!({})).await.0, 200);
    provisioner.release(&client, lease).await;
    assert!(!is_alive(&client, &second).await);
    server.stop().await;
}

#[tokio::test]
async fn accounts_are_leased_clean() {
    let server = serve_people().await;
    let target = gated(target(&server.url(), people()), granted());
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let dirty = provisioner
        .lease(&client, Cast { ordinary: 2, entitled: 1, look_alikes: 0, elsewhere: 0 })
        .await
        .unwrap();
    let mut sessions: Vec<Login> = everybody(&dirty).map(|user| user.first.clone()).collect();
    for session in &sessions {
        leave_traces(&client, &target, session).await;
    }
    sessions.push(provisioner.log_in(&client, &dirty.ordinary[0], Some("KEPT")).await.unwrap());
    drop(dirty); // a scenario that was cut off: nobody cleaned up

    let clean = provisioner
        .lease(&client, Cast { ordinary: 2, entitled: 1, look_alikes: 0, elsewhere: 0 })
        .await
        .unwrap();
    assert_eq!(clean.entitled[0].user_id, format!("@granted-carol:{}", server.server_name()));
    for user in everybody(&clean) {
        assert_clean(&client, &target, &user.first).await;
    }
    for session in &sessions {
        assert!(!is_alive(&client, session).await, "logged out everywhere before the lease");
    }
    provisioner.release(&client, clean).await;
    server.stop().await;
}

#[tokio::test]
async fn an_account_is_with_one_scenario_at_a_time() {
    let server = serve_people().await;
    let target = target(&server.url(), people());
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let first = provisioner.lease(&client, PAIR).await.unwrap();
    let taken: Vec<String> = everybody(&first).map(|user| user.user_id.clone()).collect();
    let second = provisioner.lease(&client, ONE).await.unwrap();
    assert!(!taken.contains(&second.ordinary[0].user_id));

    let third = provisioner.lease(&client, PAIR);
    let release = async {
        provisioner.release(&client, second).await;
        // Two are needed and one is free: the third scenario still waits.
        let sessions = first.ordinary.iter().map(|user| &user.first);
        for session in sessions {
            assert!(is_alive(&client, session).await, "nobody enters an account that is lent");
        }
        provisioner.release(&client, first).await;
    };
    let (third, ()) = tokio::join!(third, release);
    assert_eq!(third.unwrap().ordinary.len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn many_scenarios_share_few_accounts_and_none_starves() {
    let server = serve_people().await;
    let target = target(&server.url(), people());
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let scenarios = (0..12).map(|n| {
        let (client, provisioner) = (&client, &provisioner);
        async move {
            let lease =
                provisioner.lease(client, Cast { ordinary: 1 + n % 3, ..Cast::default() }).await.unwrap();
            for user in &lease.ordinary {
                assert!(is_alive(client, &user.first).await);
            }
            provisioner.release(client, lease).await;
        }
    });
    futures_util::future::join_all(scenarios).await;
    server.stop().await;
}

#[tokio::test]
async fn entitled_accounts_by_name() {
    let server = serve_people().await;
    let bob = format!("@bob:{}", server.server_name());
    let target = gated(target(&server.url(), people()), Entitled::Named(vec![bob.clone()]));
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let lease = provisioner
        .lease(&client, Cast { ordinary: 2, entitled: 1, look_alikes: 0, elsewhere: 0 })
        .await
        .unwrap();
    assert_eq!(lease.entitled[0].user_id, bob);
    assert!(lease.ordinary.iter().all(|user| user.user_id != bob));
    server.stop().await;
}

#[tokio::test]
async fn tokens_are_sessions_of_their_users() {
    let server = serve_people().await;
    // Alice's second token is a second session of hers.
    let by_password = target(&server.url(), people());
    let client = client(&by_password);
    let alice = provisioned(&by_password, &client, "alice").await;
    let Users::Tokens(mut list) = tokens() else { unreachable!("tokens are tokens") };
    list.push(alice.token.clone());
    let target = gated(target(&server.url(), Users::Tokens(list)), granted());

    let provisioner = Provisioner::new(&target, "n");
    assert!(!provisioner.can_log_in());
    leave_traces(&client, &target, &alice).await;
    let lease = provisioner
        .lease(&client, Cast { ordinary: 2, entitled: 1, look_alikes: 0, elsewhere: 0 })
        .await
        .unwrap();
    assert_eq!(lease.entitled[0].user_id, format!("@granted-carol:{}", server.server_name()));
    for user in everybody(&lease) {
        assert_clean(&client, &target, &user.first).await;
        assert!(user.password.is_none());
    }

    let (hers, others): (Vec<&Account>, Vec<&Account>) =
        lease.ordinary.iter().partition(|user| user.user_id == alice.user_id);
    let spare = provisioner.log_in(&client, hers[0], None).await.unwrap();
    assert_eq!(spare.device_id, alice.device_id);
    assert!(is_alive(&client, &spare).await);
    for user in [hers[0], others[0]] {
        let error = provisioner.log_in(&client, user, None).await.unwrap_err();
        assert!(matches!(error, ProvisionError::NotApplicable(_)));
        assert_eq!(error.to_string(), "needs a login: the target file gives ready tokens only");
    }

    leave_traces(&client, &target, &spare).await;
    let sessions: Vec<Login> = everybody(&lease).map(|user| user.first.clone()).chain([spare]).collect();
    provisioner.release(&client, lease).await;
    for session in &sessions {
        assert_clean(&client, &target, session).await;
    }

    let again = provisioner
        .lease(&client, Cast { ordinary: 2, entitled: 0, look_alikes: 0, elsewhere: 0 })
        .await
        .unwrap();
    let hers = again.ordinary.iter().find(|user| user.user_id == alice.user_id).unwrap();
    assert!(provisioner.log_in(&client, hers, Some(&alice.device_id)).await.is_ok(), "spare once more");
    server.stop().await;
}

/// A session of an account that exists, which nobody cleans up.
async fn provisioned(target: &Target, client: &Client, localpart: &str) -> Login {
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": localpart },
        "password": format!("{localpart}s-password"),
    });
    let exchange = client.send(Request::new("POST", "/_matrix/client/v3/login").json(&body)).await;
    let answer: Value = serde_json::from_slice(&exchange.result.as_ref().unwrap().body).unwrap();
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    assert!(target.url.as_str().starts_with("http://127.0.0.1"));
    Login { user_id: text("user_id"), device_id: text("device_id"), token: Secret::new(text("access_token")) }
}

#[tokio::test]
async fn rooms_whose_id_needs_escaping_are_left_too() {
    let server = serve_people().await;
    let target = target(&server.url(), tokens());
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let lease = provisioner.lease(&client, ONE).await.unwrap();
    let session = lease.ordinary[0].first.clone();
    for _ in 0..3 {
        let (_, room) = call(&client, "POST", "/_matrix/client/v3/createRoom", &session, json!({})).await;
        assert_ne!(encode(room["room_id"].as_str().unwrap()), room["room_id"].as_str().unwrap());
    }
    provisioner.release(&client, lease).await;
    assert_eq!(rooms_of(&client, &session).await, 0);
    server.stop().await;
}

#[test]
fn how_many_accounts_a_plan_needs() {
    let casts = [(1, 0), (3, 1), (2, 0), (0, 2)].map(|(ordinary, entitled)| Cast {
        ordinary,
        entitled,
        ..Cast::default()
    });
    let needed = |parallel| {
        let Cast { ordinary, entitled, .. } = Provisioner::needed(&casts, parallel);
        (ordinary, entitled)
    };
    assert_eq!(needed(1), (3, 2));
    assert_eq!(needed(0), (3, 2));
    assert_eq!(needed(2), (5, 3));
    assert_eq!(needed(64), (6, 3));
    assert_eq!(Provisioner::needed(&[], 8), Cast::default());
}
