//! Rooms and presence between homeservers over real sockets, as their clients see them.

use std::time::Duration;

use serde_json::{Value, json};

use super::pdu::{Pdu, RoomVersion};
use super::test_kit;
use crate::reference::arithmetic::Arithmetic;
use crate::reference::{Account, Options, Running, start};
use crate::spec::binding::encode;
use crate::wire::Secret;

const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
const V3: &str = "/_matrix/client/v3";
const FIELD: &str = "org.matrix.capability_sets";
const PATIENCE: Duration = Duration::from_secs(30);

struct Home(Running);

struct User<'a> {
    home: &'a Home,
    localpart: &'static str,
    id: String,
}

impl Home {
    async fn start(users: &[&'static str]) -> Self {
        // The first test to come here installs it for all.
        drop(rustls::crypto::ring::default_provider().install_default());
        let account =
            |name: &&'static str| Account { token: Some(Secret::new(*name)), ..Account::new(*name, "pw") };
        let options = Options {
            federation: Some(test_kit::options(PATIENCE)),
            accounts: users.iter().map(account).collect(),
            ..Options::default()
        };
        Self(start(([127, 0, 0, 1], 0).into(), options).await.unwrap())
    }

    fn user(&self, localpart: &'static str) -> User<'_> {
        User { home: self, localpart, id: format!("@{localpart}:{}", self.0.server_name()) }
    }
}

fn set(name: &str) -> (String, String) {
    let set = Arithmetic::default().of([name]);
    (set.hash.clone(), String::from_utf8(set.body.to_vec()).unwrap())
}

/// The hash that some presence content tells.
fn told(content: &Value) -> Option<&str> {
    content[FIELD]["sha256"].as_str()
}

impl User<'_> {
    async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        let url = format!("{}{path}", self.home.0.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url).bearer_auth(self.localpart);
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", &format!("{V3}{path}"), Some(&body.to_string())).await
    }

    async fn room(&self, body: Value) -> String {
        let (status, answer) = self.post("/createRoom", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["room_id"].as_str().unwrap().to_owned()
    }

    async fn join(&self, room: &str, via: &Home) -> u16 {
        let path = format!("/join/{}?via={}", encode(room), encode(via.0.server_name()));
        self.post(&path, json!({})).await.0
    }

    async fn act(&self, room: &str, action: &str, body: Value) -> u16 {
        self.post(&format!("/rooms/{}/{action}", encode(room)), body).await.0
    }

    async fn put(&self, name: &str) -> String {
        let (hash, body) = set(name);
        let path = format!("{C}/sets/{}", encode(&hash));
        assert_eq!(self.ask("PUT", &path, Some(&body)).await.0, 200);
        let declared = json!({ "sha256": hash }).to_string();
        assert_eq!(self.ask("PUT", &format!("{C}/session"), Some(&declared)).await.0, 200);
        hash
    }

    async fn status(&self, other: &User<'_>) -> (u16, Value) {
        self.ask("GET", &format!("{V3}/presence/{}/status", encode(&other.id)), None).await
    }

    async fn members(&self, room: &str) -> Vec<String> {
        let (_, answer) = self.ask("GET", &format!("{V3}/rooms/{}/joined_members", encode(room)), None).await;
        answer["joined"].as_object().map(|joined| joined.keys().cloned().collect()).unwrap_or_default()
    }

    /// Syncs until an answer shows something, from the beginning or from a token; with the next token.
    async fn until(&self, since: Option<&str>, shows: impl Fn(&Value) -> bool) -> String {
        let look = async {
            let mut since = since.map(str::to_owned);
            loop {
                let from = since.as_ref().map(|since| format!("&since={since}")).unwrap_or_default();
                let path = format!("{V3}/sync?set_presence=offline&timeout=30000{from}");
                let (status, seen) = self.ask("GET", &path, None).await;
                assert_eq!(status, 200);
                since = Some(seen["next_batch"].as_str().unwrap().to_owned());
                if shows(&seen) {
                    return since.unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap()
    }

    /// Syncs until presence tells this hash of somebody, or none.
    async fn hears(&self, since: Option<&str>, of: &User<'_>, hash: Option<&str>) -> String {
        let is_it = |event: &Value| event["sender"] == *of.id && told(&event["content"]) == hash;
        let shows =
            |seen: &Value| seen["presence"]["events"].as_array().is_some_and(|all| all.iter().any(is_it));
        let token = self.until(since, shows).await;
        let (status, content) = self.status(of).await;
        assert_eq!((status, told(&content)), (200, hash));
        token
    }
}

#[tokio::test]
async fn presence_crosses_both_ways_from_joining_to_leaving() {
    let (alpha, beta) = (Home::start(&["alice"]).await, Home::start(&["bob", "ben", "stranger"]).await);
    let (alice, bob, ben) = (alpha.user("alice"), beta.user("bob"), beta.user("ben"));
    let stranger = beta.user("stranger");
    for version in ["10", "11"] {
        let first = alice.put(&format!("m.first{version}")).await;
        let room = alice.room(json!({ "preset": "public_chat", "room_version": version })).await;
        assert_eq!(bob.join(&room, &alpha).await, 200);
        assert_eq!(alice.members(&room).await.len(), 2);
        assert_eq!(bob.members(&room).await, alice.members(&room).await);
        // The value in force, a change, and the other way round.
        let heard = bob.hears(None, &alice, Some(&first)).await;
        let second = alice.put(&format!("m.second{version}")).await;
        let heard = bob.hears(Some(&heard), &alice, Some(&second)).await;
        let bobs = bob.put(&format!("m.bob{version}")).await;
        alice.hears(None, &bob, Some(&bobs)).await;
        // Who joins later is told at once, by their own homeserver; nobody else is.
        assert_eq!(stranger.status(&alice).await.0, 403);
        let before = ben.until(None, |_| true).await;
        assert_eq!(ben.join(&room, &alpha).await, 200);
        ben.hears(Some(&before), &alice, Some(&second)).await;
        alice.until(None, |seen| seen["rooms"]["join"][&room]["summary"]["m.joined_member_count"] == 3).await;
        let unknown = json!({ "sha256": set("m.nobodys").0 }).to_string();
        assert_eq!(alice.ask("PUT", &format!("{C}/session"), Some(&unknown)).await.0, 404);
        // Leaving ends it, for whoever leaves and for whoever stays.
        assert_eq!(bob.act(&room, "leave", json!({})).await, 200);
        assert_eq!(bob.status(&alice).await.0, 403);
        alice.until(None, |seen| seen["rooms"]["join"][&room]["summary"]["m.joined_member_count"] == 2).await;
        assert_eq!(alice.status(&bob).await.0, 403);
        let third = alice.put(&format!("m.third{version}")).await;
        ben.hears(None, &alice, Some(&third)).await;
        let path = format!("{V3}/sync?set_presence=offline&since={heard}");
        let (_, seen) = bob.ask("GET", &path, None).await;
        assert!(seen["rooms"]["leave"][&room].is_object() && !seen.to_string().contains(&third));
        assert_eq!(ben.act(&room, "leave", json!({})).await, 200);
    }
    let room = alice.room(json!({ "preset": "public_chat" })).await;
    assert_eq!(bob.join(&room, &alpha).await, 200);
    let heard = bob.hears(None, &alice, Some(&set("m.third11").0)).await;
    assert_eq!(alice.post("/logout", json!({})).await.0, 200);
    bob.hears(Some(&heard), &alice, None).await;
    alpha.0.stop().await;
    beta.0.stop().await;
}

#[tokio::test]
async fn the_resident_homeserver_tells_each_guest_of_the_others() {
    let homes = [Home::start(&["alice"]).await, Home::start(&["bob"]).await, Home::start(&["carol"]).await];
    let [alpha, beta, gamma] = &homes;
    let (alice, bob, carol) = (alpha.user("alice"), beta.user("bob"), gamma.user("carol"));
    let room = alice.room(json!({ "preset": "public_chat" })).await;
    assert_eq!(bob.join(&room, alpha).await, 200);
    let carols = carol.put("m.carol").await;
    assert_eq!(carol.join(&room, alpha).await, 200);
    assert_eq!(carol.members(&room).await.len(), 3);
    let heard = bob.hears(None, &carol, Some(&carols)).await;
    let bobs = bob.put("m.bob").await;
    carol.hears(None, &bob, Some(&bobs)).await;
    // The creator shows one of them out: all three know.
    assert_eq!(alice.act(&room, "kick", json!({ "user_id": carol.id })).await, 200);
    let is_gone = |seen: &Value| seen["rooms"]["join"][&room]["summary"]["m.joined_member_count"] == 2;
    bob.until(Some(&heard), is_gone).await;
    carol.until(Some("s0"), |seen| seen["rooms"]["leave"][&room].is_object()).await;
    assert_eq!(bob.status(&carol).await.0, 403);
    // And shuts the door.
    assert_eq!(alice.act(&room, "ban", json!({ "user_id": carol.id })).await, 200);
    assert_eq!(carol.join(&room, alpha).await, 403);
    assert_eq!(alice.act(&room, "unban", json!({ "user_id": carol.id })).await, 200);
    assert_eq!(carol.join(&room, alpha).await, 200);
    for home in homes {
        home.0.stop().await;
    }
}

#[tokio::test]
async fn whoever_joins_at_the_same_time_misses_nobody() {
    const LOCALS: [&str; 4] = ["ann", "art", "abe", "ada"];
    const GUESTS: [&str; 4] = ["bob", "ben", "bea", "bud"];
    let (alpha, beta) =
        (Home::start(&["alice", "ann", "art", "abe", "ada"]).await, Home::start(&GUESTS).await);
    let alice = alpha.user("alice");
    for _ in 0..2 {
        let room = alice.room(json!({ "preset": "public_chat" })).await;
        let users =
            LOCALS.iter().map(|name| alpha.user(name)).chain(GUESTS.iter().map(|name| beta.user(name)));
        let joining = users.map(|user| {
            let (room, alpha) = (&room, &alpha);
            async move { assert_eq!(user.join(room, alpha).await, 200) }
        });
        futures_util::future::join_all(joining).await;
        for viewer in [&alice, &beta.user("bob")] {
            viewer
                .until(None, |seen| seen["rooms"]["join"][&room]["summary"]["m.joined_member_count"] == 9)
                .await;
        }
    }
    alpha.0.stop().await;
    beta.0.stop().await;
}

#[tokio::test]
async fn a_private_room_takes_whom_it_invites_and_nobody_else() {
    let (alpha, beta) = (Home::start(&["alice"]).await, Home::start(&["bob", "ben", "eve"]).await);
    let (alice, bob, ben, eve) = (alpha.user("alice"), beta.user("bob"), beta.user("ben"), beta.user("eve"));
    let room = alice.room(json!({ "preset": "private_chat", "name": "A room", "invite": [bob.id] })).await;
    assert_eq!(alice.act(&room, "invite", json!({ "user_id": ben.id })).await, 200);
    assert_eq!(eve.join(&room, &alpha).await, 403);
    let is_invited = |seen: &Value| {
        let shown = seen["rooms"]["invite"][&room]["invite_state"].to_string();
        shown.contains("A room") && shown.contains(&alice.id)
    };
    bob.until(None, is_invited).await;
    let shown = ben.until(None, is_invited).await;
    assert_eq!(bob.status(&alice).await.0, 403, "only the joined share a room");
    // The invitation knows the way.
    assert_eq!(bob.post(&format!("/join/{}", encode(&room)), json!({})).await.0, 200);
    assert_eq!(bob.members(&room).await.len(), 2);
    // The other one says no, and cannot come after all.
    assert_eq!(ben.act(&room, "leave", json!({})).await, 200);
    ben.until(Some(&shown), |seen| seen["rooms"]["leave"][&room].is_object()).await;
    assert_eq!(ben.join(&room, &alpha).await, 403);
    let nobody = format!("@nobody:{}", beta.0.server_name());
    assert_eq!(alice.act(&room, "invite", json!({ "user_id": nobody })).await, 404);
    alpha.0.stop().await;
    beta.0.stop().await;
}

#[tokio::test]
async fn what_cannot_be_joined_ends_in_a_matrix_error() {
    let (alpha, beta) = (Home::start(&["alice"]).await, Home::start(&["bob"]).await);
    let (alice, bob) = (alpha.user("alice"), beta.user("bob"));
    let (status, answer) = alice.post("/createRoom", json!({ "room_version": "1" })).await;
    assert_eq!((status, &answer["errcode"]), (400, &json!("M_UNSUPPORTED_ROOM_VERSION")));
    assert_eq!(bob.join("!no-such-room:x", &alpha).await, 404);
    let down = format!("!room:{}", "127.0.0.1:1");
    assert_eq!(bob.post(&format!("/join/{}", encode(&down)), json!({})).await.0, 502);
    assert_eq!(bob.post("/join/%23alias%3Ax", json!({})).await.0, 404);
    alpha.0.stop().await;
    beta.0.stop().await;
}

#[tokio::test]
async fn what_other_homeservers_ask_wrongly_is_refused() {
    let (alpha, beta) = (Home::start(&["alice"]).await, Home::start(&["bob"]).await);
    let alice = alpha.user("alice");
    let room = alice.room(json!({ "preset": "public_chat" })).await;
    let (name, home) = (alpha.0.server_name().to_owned(), beta.0.server_name());
    let ask = async |method: &str, path: &str, body: Option<&Value>| {
        let path = format!("/_matrix/federation{path}");
        let answer = beta.0.federation().ask(&name, method, &path, body).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, body["errcode"].as_str().unwrap_or_default().to_owned(), body)
    };
    let (room_id, bob) = (encode(&room), encode(&format!("@bob:{home}")));
    let is =
        |answer: &(u16, String, Value), status, errcode: &str| (answer.0, &*answer.1) == (status, errcode);
    // What is asked for.
    let old = ask("GET", &format!("/v1/make_join/{room_id}/{bob}"), None).await;
    assert!(is(&old, 400, "M_INCOMPATIBLE_ROOM_VERSION") && old.2["room_version"] == "10");
    let foreign = ask("GET", &format!("/v1/make_join/{room_id}/%40eve%3Ae?ver=10"), None).await;
    assert!(is(&foreign, 403, "M_FORBIDDEN"));
    let nowhere = ask("GET", &format!("/v1/make_join/%21x%3A{}/{bob}?ver=10", encode(&name)), None).await;
    assert!(is(&nowhere, 404, "M_NOT_FOUND"));
    let absent = ask("GET", &format!("/v1/make_leave/{room_id}/{bob}"), None).await;
    assert!(is(&absent, 403, "M_FORBIDDEN"));
    // What is sent: nothing that is not signed, and under no other name.
    let offered = ask("GET", &format!("/v1/make_join/{room_id}/{bob}?ver=1&ver=10"), None).await.2;
    let unsigned = Pdu::read(RoomVersion::V10, offered["event"].clone()).unwrap();
    let path = |event: &str| format!("/v2/send_join/{room_id}/{}", encode(event));
    assert!(is(&ask("PUT", &path(unsigned.id()), Some(&unsigned.json())).await, 403, "M_FORBIDDEN"));
    assert!(is(&ask("PUT", &path("$other"), Some(&unsigned.json())).await, 400, "M_INVALID_PARAM"));
    assert!(is(&ask("PUT", &path("$other"), Some(&json!({}))).await, 400, "M_BAD_JSON"));
    assert_eq!(alice.members(&room).await.len(), 1);
    let invite = json!({ "room_version": "1", "event": {}, "invite_room_state": [] });
    let invited = ask("PUT", &format!("/v2/invite/{room_id}/%24x"), Some(&invite)).await;
    assert!(is(&invited, 400, "M_INCOMPATIBLE_ROOM_VERSION"));
    // What comes in transactions.
    let many = json!({ "pdus": vec![json!({}); 51] });
    assert!(is(&ask("PUT", "/v1/send/many", Some(&many)).await, 400, "M_INVALID_PARAM"));
    let odd = json!({ "pdus": {}, "edus": [] });
    assert!(is(&ask("PUT", "/v1/send/odd", Some(&odd)).await, 400, "M_BAD_JSON"));
    let edus =
        json!([1, {}, { "edu_type": "m.presence", "content": { "push": 1 } }, { "edu_type": "m.odd" }]);
    let body = json!({ "pdus": [1, {}, unsigned.json()], "edus": edus });
    let (status, _, answer) = ask("PUT", "/v1/send/mixed", Some(&body)).await;
    assert_eq!((status, answer["pdus"].as_object().unwrap().len()), (200, 1));
    assert!(answer["pdus"][&**unsigned.id()]["error"].is_string());
    assert_eq!(ask("PUT", "/v1/send/mixed", Some(&body)).await.2, json!({ "pdus": {} }), "once is enough");
    alpha.0.stop().await;
    beta.0.stop().await;
}
