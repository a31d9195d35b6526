//! What is said when no user comes into being: what the server said, and which setting to change.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use capcheck::reference::{Account as Existing, Options, Registration};
use capcheck::target::config::{AccountConfig, Target, Users};
use capcheck::target::preflight;
use capcheck::target::provision::{Cast, ProvisionError, Provisioner};
use capcheck::wire::{Client, Request, Secret};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request as Received, ResponseTemplate};

use crate::provision::{client, serve, target};

const ONE: Cast = Cast { ordinary: 1, entitled: 0, look_alikes: 0, elsewhere: 0 };

async fn refusal(target: &Target) -> (String, Client) {
    let client = client(target);
    let error = Provisioner::new(target, "n").lease(&client, ONE).await.unwrap_err();
    match error {
        ProvisionError::Broken { reason, exchange } => {
            assert!(exchange.is_some() || reason.starts_with("needs"), "{reason}: no exchange shows it");
            assert_eq!(reason.lines().count(), 1, "{reason}");
            (reason, client)
        }
        ProvisionError::NotApplicable(reason) => panic!("not applicable: {reason}"),
    }
}

fn register() -> Users {
    Users::Register { token: None }
}

fn account(password: &str) -> Users {
    Users::Accounts(vec![AccountConfig { user: "alice".to_owned(), password: Secret::new(password) }])
}

/// The built-in homeserver and a target file that does not fit it.
#[tokio::test]
async fn a_server_that_says_no() {
    let secret = |text: &str| Secret::new(text);
    for (registration, users, expected) in [
        (
            Registration::Closed,
            register(),
            "cannot register cap-n-1: 403 M_FORBIDDEN \"Registration is closed\": registration is closed: \
             open it at the server, or write how = \"shared-secret\", \"accounts\" or \"tokens\" in [users]",
        ),
        (
            Registration::Token(secret("right")),
            register(),
            "registration asks for m.login.registration_token + m.login.dummy, which cannot be done here: \
             set registration_token or registration_token_env in [users]",
        ),
        (
            Registration::Token(secret("right")),
            Users::Register { token: Some(secret("wrong")) },
            "the server does not take registration_token in [users]",
        ),
        (
            Registration::SharedSecret(secret("right")),
            Users::SharedSecret { secret: secret("wrong") },
            "the server does not take shared_secret in [users]",
        ),
        (
            Registration::Dummy,
            Users::SharedSecret { secret: secret("right") },
            "cannot begin shared-secret registration: ",
        ),
        (Registration::Dummy, account("wrong"), "cannot log in alice: 403 M_FORBIDDEN "),
        (
            Registration::Dummy,
            Users::Tokens(vec![secret("dead")]),
            "token no. 1 of [users] is of no use: 401 M_UNKNOWN_TOKEN ",
        ),
    ] {
        let server = serve(registration).await;
        let (reason, _) = refusal(&target(&server.url(), users)).await;
        assert!(reason.starts_with(expected), "{reason}\n  expected: {expected}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let server = serve(Registration::Dummy).await;
    let target = target(&server.url(), register());
    let first = client(&target);
    Provisioner::new(&target, "n").lease(&first, ONE).await.unwrap();
    let (reason, _) = refusal(&target).await;
    assert!(reason.contains("M_USER_IN_USE"), "{reason}");
    assert!(reason.ends_with(": take another --run-id"), "{reason}");
    server.stop().await;
}

#[tokio::test]
async fn gating_without_means_is_not_applicable() {
    let target = target("http://127.0.0.1:9", register());
    let client = client(&target);
    let cast = Cast { ordinary: 0, entitled: 1, look_alikes: 0, elsewhere: 0 };
    let error = Provisioner::new(&target, "n").lease(&client, cast).await.unwrap_err();
    assert!(matches!(error, ProvisionError::NotApplicable(_)), "{error}");
    assert!(client.transcript().is_empty(), "nothing is asked of the server for it");
}

#[tokio::test]
async fn too_few_accounts_are_counted_before_anything_is_sent() {
    let target = target("http://127.0.0.1:9", account("p"));
    let client = client(&target);
    let cast = Cast { ordinary: 3, entitled: 0, look_alikes: 0, elsewhere: 0 };
    let error = Provisioner::new(&target, "n").lease(&client, cast).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "needs 3 ordinary accounts, the target file gives 1: add 2 to accounts in [users]"
    );
    assert!(client.transcript().is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let (reason, _) = refusal(&target("http://127.0.0.1:9", register())).await;
    assert!(reason.starts_with("cannot register cap-n-1: cannot connect: "), "{reason}");
}

/// A server whose every POST to /register gets this answer.
async fn registers(status: u16, answer: Value) -> MockServer {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(status).set_body_json(answer);
    Mock::given(method("POST"))
        .and(path("/_matrix/client/v3/register"))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn servers_that_answer_oddly() {
    let flows = |stages: Value| json!({ "session": "s", "flows": stages });
    for (status, answer, expected) in [
        (
            401,
            flows(
                json!([{ "stages": ["m.login.recaptcha"] }, { "stages": ["m.login.email.identity", "m.login.dummy"] }]),
            ),
            "registration asks for m.login.recaptcha or m.login.email.identity + m.login.dummy, which cannot be \
             done here: write how = \"shared-secret\", \"accounts\" or \"tokens\" in [users]",
        ),
        (
            401,
            flows(json!([{ "stages": ["m.login.dummy"] }])),
            "the server asks for m.login.dummy again and again: write how",
        ),
        (401, flows(json!([])), "registration asks for nothing, which cannot be done here: write how"),
        (401, flows(json!("all")), "registration asks for nothing, which cannot be done here: write how"),
        (
            401,
            flows(json!([{ "stages": ["\u{1b}[2J\nx"] }])),
            "registration asks for \\u{1b}[2J\\nx, which cannot be done here: write how",
        ),
        (401, json!({}), "cannot register cap-n-1: 401 without a Matrix error"),
        (200, json!({}), "cannot register cap-n-1: 200 with an answer that lacks what it must hold"),
        (200, json!([]), "cannot register cap-n-1: 200 with an answer that lacks what it must hold"),
        (200, json!({ "user_id": "nobody" }), "cannot register cap-n-1: 200 with an answer that lacks"),
        (
            200,
            json!({ "user_id": "@eve:x", "access_token": "t", "device_id": "D" }),
            "cannot register cap-n-1: the server made @eve:x instead",
        ),
        (500, json!({ "errcode": "M_UNKNOWN" }), "cannot register cap-n-1: 500 M_UNKNOWN"),
        (
            429,
            json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "slow down", "retry_after_ms": 60000 }),
            "cannot register cap-n-1: 429 M_LIMIT_EXCEEDED \"slow down\": rate limited beyond the 0 s that \
             are waited for a request: POST /_matrix/client/v3/register was answered 429 and asks for 60 s more; \
             raise the server's limit (Synapse: rc_registration), or rate_limit_cap_s in [limits]",
        ),
        (
            400,
            json!({ "errcode": "M_WEAK_PASSWORD", "error": "x".repeat(5000) }),
            "cannot register cap-n-1: 400 M_WEAK_PASSWORD \"xxxxx",
        ),
    ] {
        let server = registers(status, answer).await;
        let (reason, _) = refusal(&target(&server.uri(), register())).await;
        assert!(reason.starts_with(expected), "{reason}\n  expected: {expected}");
        assert!(reason.len() < 500, "{reason}");
    }
}

/// Another way to users is no remedy for a server that breaks down or wants patience.
#[tokio::test]
async fn a_target_file_is_advised_only_where_it_would_help() {
    for (status, answer, helps) in [
        (401, json!({ "flows": [{ "stages": ["m.login.recaptcha"] }] }), true),
        (403, json!({ "errcode": "M_FORBIDDEN" }), true),
        (404, json!({ "errcode": "M_UNRECOGNIZED" }), true),
        (400, json!({ "errcode": "M_USER_IN_USE" }), false),
        (429, json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 60000 }), false),
        (500, json!({ "errcode": "M_UNKNOWN" }), false),
        (502, json!("Bad Gateway"), false),
    ] {
        let server = registers(status, answer).await;
        let versions = ResponseTemplate::new(200).set_body_json(json!({ "versions": ["v1.12"] }));
        Mock::given(path("/_matrix/client/versions")).respond_with(versions).mount(&server).await;
        let target = target(&server.uri(), register());
        let provisioner = Provisioner::new(&target, "n");
        let error = preflight::probe(&client(&target), &target, &provisioner, "n", false).await.unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("no user on http://127.0.0.1:"), "{told}");
        assert_eq!(
            told.ends_with(". Set [users] in a target file (`capcheck init` writes one)"),
            helps,
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_server_that_repeats_secrets_does_not_get_them_told() {
    let server = MockServer::start().await;
    let echo = |request: &Received| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        ResponseTemplate::new(400).set_body_json(json!({ "errcode": "M_UNKNOWN", "error": body }))
    };
    Mock::given(method("POST")).respond_with(echo).mount(&server).await;
    for users in [register(), account("swordfish")] {
        let (reason, client) = refusal(&target(&server.uri(), users)).await;
        let sent: Value =
            serde_json::from_slice(&server.received_requests().await.unwrap().last().unwrap().body).unwrap();
        let password = sent["password"].as_str().unwrap();
        let shown = format!("{reason} {:?}", client.transcript().exchanges());
        assert!(!shown.contains(password), "{shown}");
        assert!(reason.contains("<redacted>"), "{reason}");
    }
}

/// Two stages, each to be answered in the server's session with the same body.
#[tokio::test]
async fn the_dance_goes_stage_by_stage() {
    let server = MockServer::start().await;
    let dance = |request: &Received| {
        let body: Value = request.body_json().unwrap();
        let challenge = |session: &str, completed: Value| {
            ResponseTemplate::new(401).set_body_json(json!({
                "session": session,
                "completed": completed,
                "flows": [{ "stages": ["m.login.registration_token", "m.login.terms"] }],
                "params": {},
            }))
        };
        match (body["auth"]["type"].as_str(), body["auth"]["session"].as_str()) {
            (None, _) => challenge("first", json!([])),
            (Some("m.login.registration_token"), Some("first")) if body["auth"]["token"] == "swordfish" => {
                challenge("second", json!(["m.login.registration_token"]))
            }
            (Some("m.login.terms"), Some("second")) => ResponseTemplate::new(200).set_body_json(json!({
                "user_id": format!("@{}:example.org", body["username"].as_str().unwrap()),
                "access_token": "t",
                "device_id": body["device_id"],
            })),
            _ => ResponseTemplate::new(400),
        }
    };
    Mock::given(path("/_matrix/client/v3/register")).respond_with(dance).mount(&server).await;
    let target = target(&server.uri(), Users::Register { token: Some(Secret::new("swordfish")) });
    let lease = Provisioner::new(&target, "n").lease(&client(&target), ONE).await.unwrap();
    assert_eq!(lease.ordinary[0].user_id, "@cap-n-1:example.org");
    let requests = server.received_requests().await.unwrap();
    let bodies: Vec<Value> = requests
        .iter()
        .map(|request| {
            let mut body: Value = request.body_json().unwrap();
            body.as_object_mut().unwrap().remove("auth");
            body
        })
        .collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the body stays what it was: {bodies:?}");
}

/// A registration that makes no session, as where inhibit_login is the rule.
#[tokio::test]
async fn a_registration_without_a_session_is_followed_by_a_login() {
    let server = registers(200, json!({ "user_id": "@cap-n-1:example.org" })).await;
    let session = json!({ "user_id": "@cap-n-1:example.org", "access_token": "t", "device_id": "D" });
    Mock::given(path("/_matrix/client/v3/login"))
        .respond_with(ResponseTemplate::new(200).set_body_json(session))
        .mount(&server)
        .await;
    let target = target(&server.uri(), register());
    let lease = Provisioner::new(&target, "n").lease(&client(&target), ONE).await.unwrap();
    assert_eq!(lease.ordinary[0].first.device_id, "D");
}

/// A homeserver for one account; `rooms` it is in for ever, and the status it shows for ever.
async fn stubborn(rooms: Value, status: Value) -> MockServer {
    let server = MockServer::start().await;
    let session = json!({ "user_id": "@alice:x", "access_token": "t", "device_id": "D" });
    for (paths, answer) in [
        ("/login$", session.clone()),
        ("/whoami$", session),
        ("/joined_rooms$", json!({ "joined_rooms": rooms })),
        ("/presence/.*/status$", status),
        ("/(leave|forget|all|session)$", json!({})),
        ("/sets/", json!({})),
    ] {
        let response = ResponseTemplate::new(200).set_body_json(answer);
        Mock::given(path_regex(paths)).respond_with(response).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn an_account_that_cannot_be_cleaned_is_not_lent() {
    let stale =
        json!({ "org.matrix.capability_sets": { "sha256": "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo" } });
    let empty =
        json!({ "org.matrix.capability_sets": { "sha256": "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o" } });
    let tokens = || Users::Tokens(vec![Secret::new("t")]);
    for users in [account("p"), tokens()] {
        let server = stubborn(json!([]), stale.clone()).await;
        let (reason, _) = refusal(&target(&server.uri(), users.clone())).await;
        assert_eq!(reason, "@alice:x still carries a capability hash of former sessions");

        let server = stubborn(json!(["!r:x"]), json!({})).await;
        let (reason, _) = refusal(&target(&server.uri(), users.clone())).await;
        assert_eq!(reason, "@alice:x cannot leave all rooms: the server still names 1");

        for status in [empty.clone(), json!({})] {
            let server = stubborn(json!([]), status).await;
            let target = target(&server.uri(), users.clone());
            Provisioner::new(&target, "n").lease(&client(&target), ONE).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_device_of_the_servers_choice_is_no_device_of_ours() {
    let server = stubborn(json!([]), json!({})).await;
    let target = target(&server.uri(), account("p"));
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let lease = provisioner.lease(&client, ONE).await.unwrap();
    assert!(provisioner.log_in(&client, &lease.ordinary[0], None).await.is_ok());
    let error = provisioner.log_in(&client, &lease.ordinary[0], Some("WANTED")).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot log in @alice:x on device WANTED: the server gave D");
}

#[tokio::test]
async fn a_release_that_fails_is_silent_and_frees_the_account() {
    let options = Options { accounts: vec![Existing::new("alice", "p")], ..Options::default() };
    let server = capcheck::reference::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let target = target(&server.url(), account("p"));
    let client = client(&target);
    let provisioner = Provisioner::new(&target, "n");
    let lease = provisioner.lease(&client, ONE).await.unwrap();
    server.stop().await;
    provisioner.release(&client, lease).await;
    let error = provisioner.lease(&client, ONE).await.unwrap_err();
    assert!(error.to_string().contains("cannot connect"), "the account was free, the server gone: {error}");
    let after = client.send(Request::new("GET", "/")).await;
    assert!(after.result.is_err());
}
