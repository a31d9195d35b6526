//! How a peer's user joins and leaves a room; Ruma verifies what the peer signed.

use std::collections::BTreeMap;

use capcheck::wire::peer::RoomFault;
use capcheck::wire::{Client, ClientConfig, TlsTrust};
use ruma_common::serde::Base64;
use ruma_common::{CanonicalJsonObject, RoomVersionId};
use ruma_signatures::{Verified, reference_hash, verify_event};
use serde_json::{Value, json};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::site::{PATIENCE, Site, TARGET};

const ROOM: &str = "!room:target.example";

fn template(version: &str, room_id: &str, user_id: &str, membership: &str) -> Value {
    json!({
        "room_version": version,
        "event": {
            "type": "m.room.member", "room_id": room_id, "sender": user_id, "state_key": user_id,
            "content": { "membership": membership, "displayname": "Bob" },
            "depth": 5, "prev_events": ["$prev"], "auth_events": ["$create", "$power"],
            "origin": "target.example", "origin_server_ts": 1,
            "unsigned": { "age": 4 }, "signatures": {}, "hashes": { "sha256": "wrong" },
        },
    })
}

/// A homeserver that gives this template and takes whatever comes back.
async fn homeserver(make: ResponseTemplate, send: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let make_path = "^/_matrix/federation/v1/make_(join|leave)/";
    Mock::given(method("GET")).and(path_regex(make_path)).respond_with(make).mount(&server).await;
    let send_path = "^/_matrix/federation/v2/send_(join|leave)/";
    Mock::given(method("PUT")).and(path_regex(send_path)).respond_with(send).mount(&server).await;
    let client = Client::new(ClientConfig {
        base: server.uri().parse().unwrap(),
        tls: TlsTrust::System,
        in_flight: 8,
        timeout: PATIENCE,
        max_body: 1 << 20,
        max_obeyed: std::time::Duration::ZERO,
    });
    (server, client.unwrap())
}

fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

async fn requests(server: &MockServer) -> [Request; 2] {
    server.received_requests().await.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn joins_and_leaves_with_events_that_verify() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let user = format!("@bob:{}", peer.name());
    let user = user.as_str();
    for (version, room) in
        [("10", ROOM), ("11", ROOM), ("12", "!aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_aBcDe")]
    {
        for membership in ["join", "leave"] {
            let make = ok(&template(version, room, user, membership));
            let (server, client) = homeserver(make, ok(&json!({}))).await;
            match membership {
                "join" => peer.join(&client, TARGET, room, user).await.unwrap(),
                _ => peer.leave(&client, TARGET, room, user).await.unwrap(),
            }
            let [make, send] = requests(&server).await;
            let asks_for =
                |version: &str| make.url.query_pairs().any(|pair| pair == ("ver".into(), version.into()));
            assert_eq!(asks_for("10") && asks_for("11"), membership == "join");
            let event: CanonicalJsonObject = serde_json::from_slice(&send.body).unwrap();
            let rules = RoomVersionId::try_from(version).unwrap().rules().unwrap();
            let public = Base64::parse(peer.key().public()).unwrap();
            let keys = BTreeMap::from([(
                peer.name().to_owned(),
                BTreeMap::from([(peer.key().id().to_owned(), public)]),
            )]);
            let verified = verify_event(&keys, &event, &rules).unwrap();
            assert_eq!(verified, Verified::All, "version {version}");
            let id = format!("%24{}", reference_hash(&event, &rules).unwrap());
            assert!(send.url.path().ends_with(&id), "{} {id}", send.url);
            let plain: Value = serde_json::from_slice(&send.body).unwrap();
            assert_eq!(plain["content"]["membership"], membership);
            assert_eq!(plain["content"]["displayname"], "Bob");
            assert_eq!((&plain["origin"], &plain["depth"]), (&json!(peer.name()), &json!(5)));
            assert!(plain["unsigned"].is_null() && plain["event_id"].is_null());
            for request in [make, send] {
                let header = request.headers.get("authorization").unwrap().to_str().unwrap();
                assert!(header.starts_with(&format!("X-Matrix origin=\"{}\"", peer.name())), "{header}");
            }
        }
    }
}

#[tokio::test]
async fn says_what_kept_it_out_of_a_room() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let user = format!("@bob:{}", peer.name());
    let good = template("10", ROOM, &user, "join");
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        ok(&changed)
    };
    let forbidden =
        || ResponseTemplate::new(403).set_body_json(json!({ "errcode": "M_FORBIDDEN", "error": "no" }));
    let incompatible = ResponseTemplate::new(400).set_body_json(
        json!({ "errcode": "M_INCOMPATIBLE_ROOM_VERSION", "error": "no", "room_version": "5" }),
    );
    for (make, send, why) in [
        (incompatible, ok(&json!({})), "The harness joins rooms of the versions 6 to 12 (room_version"),
        (forbidden(), ok(&json!({})), "make_join was answered 403 M_FORBIDDEN"),
        (ok(&good), forbidden(), "send_join was answered 403 M_FORBIDDEN"),
        (
            ok(&good),
            ResponseTemplate::new(200).set_body_string("<html>"),
            "send_join was answered 200 <html>",
        ),
        (with("/room_version", json!("99")), ok(&json!({})), "the room version \"99\" is not one of ours"),
        (with("/room_version", json!(null)), ok(&json!({})), "the room version \"1\" is not one of ours"),
        (with("/event", json!(7)), ok(&json!({})), "its event is no object"),
        (with("/event/depth", json!(1.5)), ok(&json!({})), "its event is no object of Canonical JSON"),
        (with("/event/content", json!([])), ok(&json!({})), "its content is no object"),
        (with("/event/sender", json!("@eve:x")), ok(&json!({})), "its sender is \"@eve:x\""),
        (with("/event/room_id", json!("!x:y")), ok(&json!({})), "its room_id is \"!x:y\""),
    ] {
        let (_server, client) = homeserver(make, send).await;
        let RoomFault { reason, exchange } = peer.join(&client, TARGET, ROOM, &user).await.unwrap_err();
        assert!(reason.contains(why), "{reason}, not {why}");
        assert!(exchange.is_some());
    }
}

#[tokio::test]
async fn completes_a_template_that_leaves_everything_to_it() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let user = format!("@bob:{}", peer.name());
    let mut bare = template("12", "!hash", &user, "join");
    for name in ["type", "room_id", "sender", "state_key", "content"] {
        bare["event"].as_object_mut().unwrap().remove(name);
    }
    let (server, client) = homeserver(ok(&bare), ok(&json!({}))).await;
    peer.join(&client, TARGET, "!hash", &user).await.unwrap();
    let [_, send] = requests(&server).await;
    let event: Value = serde_json::from_slice(&send.body).unwrap();
    assert_eq!((&event["room_id"], &event["state_key"]), (&json!("!hash"), &json!(user)));
    assert_eq!(event["content"], json!({ "membership": "join" }));
}
