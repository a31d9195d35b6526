//! Between homeservers over real sockets: TLS, signatures, keys and who is asked for them.

use std::time::Duration;

use ruma_common::serde::Base64;
use ruma_common::serde::base64::Standard;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::test_kit::{self, KEYS, Peer, Say, fresh_key};
use super::{Federation, RemoteError, identity};
use crate::reference::faults::FaultSet;
use crate::reference::variants::VariantSet;
use crate::reference::{Options, Running, start};

const F: &str = "/_matrix/federation/unstable/org.matrix.capability_sets";
const PATIENCE: Duration = Duration::from_secs(20);

async fn started() -> Running {
    let options = Options { federation: Some(test_kit::options(PATIENCE)), ..Options::default() };
    start(([127, 0, 0, 1], 0).into(), options).await.unwrap()
}

/// A homeserver's outgoing half, without the rest of it.
fn asker(timeout: Duration) -> Federation {
    Federation::new(&test_kit::options(timeout), "asker", (FaultSet::NONE, VariantSet::NONE)).unwrap()
}

#[tokio::test]
async fn two_homeservers_ask_each_other() {
    let (alpha, beta) = (started().await, started().await);
    assert_eq!(alpha.federation_url().unwrap().rsplit(':').next(), alpha.server_name().rsplit(':').next());
    let (asking, name) = (alpha.federation(), beta.server_name());
    let user = crate::spec::binding::encode(&format!("@nobody:{}", alpha.server_name()));
    let told = asking.ask(name, "GET", &format!("{F}/server/users/{user}"), None).await.unwrap();
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    let hash = crate::spec::binding::encode(told["sha256"].as_str().unwrap());
    let set = asking.ask(name, "GET", &format!("{F}/server/sets/{hash}"), None).await.unwrap();
    assert_eq!(
        (set.status, &set.body[..]),
        (200, br#"{"m.cap.backfill.v1":{},"m.cap.threads.v1":{}}"#.as_slice())
    );
    // A body is signed, too, and so is a question.
    let body = json!({ "a": [1, { "b": "\u{e9}" }] });
    let answer = asking.ask(name, "PUT", "/_matrix/federation/v2/invite/!r:x/$e?x=%2F", Some(&body)).await;
    assert_ne!(answer.unwrap().status, 401);
    alpha.stop().await;
    beta.stop().await;
}

#[tokio::test]
async fn what_clients_ask_is_not_answered_to_homeservers_nor_the_other_way_round() {
    let server = started().await;
    let asker = asker(PATIENCE);
    let status = async |path| asker.ask(server.server_name(), "GET", path, None).await.unwrap().status;
    assert_eq!(status("/_matrix/client/versions").await, 404);
    assert_eq!(status("/_matrix/federation/v1/version").await, 200);
    assert_eq!(status("/_matrix/federation/v1/send/1").await, 405);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {KEYS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn the_published_key_object_is_believed_by_others() {
    let server = started().await;
    let asker = asker(PATIENCE);
    let id = server.federation().key_id();
    let key = asker.key_of(server.server_name(), &id, 0).await.unwrap();
    assert_eq!(key, server.federation().key.public_key());
}

/// The example of `docs/protocol.md`, section 13.2, whose key is that of the specification's test vectors.
#[test]
fn the_documented_request_is_signed_as_documented() {
    // Not every decoder takes it: its last character has bits that stand for nothing.
    let seed = Base64::<Standard>::parse("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1").unwrap();
    let der =
        [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..], seed.as_bytes()].concat();
    let key = ruma_signatures::Ed25519KeyPair::from_der(&der, "1".to_owned()).unwrap();
    let federation =
        Federation { key: key.into(), server_name: "beta.example".to_owned(), ..asker(PATIENCE) };
    let uri =
        format!("{F}/users/%40alice%3Aalpha.example/sets/gpngsZJB7JyXB3j4f36kMQA3NO00%2FL5Ulh0tfenNxnc");
    assert_eq!(
        federation.authorization("alpha.example", "GET", &uri, None).unwrap(),
        r#"X-Matrix origin="beta.example",destination="alpha.example",key="ed25519:1",sig="WkUkXC2HPpZ7MaqDnC9hw5jSe6R76D8Bm2awtpQDxAO8PGzqXQXRnKukiFaguSY7b6pnqqFbra/WB2VusWskBg""#
    );
}

#[tokio::test]
async fn keys_are_fetched_once_while_they_are_valid() {
    let (asker, peer) = (asker(PATIENCE), Peer::start("1").await);
    peer.publish(&peer.key, 5_000);
    let find = async |now_ms| asker.key_of(&peer.name, &peer.key_id(), now_ms).await;
    // Those who ask at once share the answer.
    let (first, second) = tokio::join!(find(1_000), find(1_000));
    assert_eq!((first.clone().unwrap(), first), (peer.key.public_key().to_vec(), second));
    assert!(find(4_999).await.is_ok());
    assert_eq!(peer.asked_for_keys(), 1);
    assert!(find(5_000).await.is_err(), "expired");
    assert_eq!(peer.asked_for_keys(), 2);
    peer.publish(&peer.key, 9_000);
    assert!(find(5_000).await.is_ok());
}

#[tokio::test]
async fn keys_are_believed_for_a_week_at_most() {
    let (asker, peer) = (asker(PATIENCE), Peer::start("1").await);
    assert!(asker.key_of(&peer.name, &peer.key_id(), 0).await.is_ok());
    assert!(asker.key_of(&peer.name, &peer.key_id(), 6 * 86_400_000).await.is_ok());
    assert_eq!(peer.asked_for_keys(), 1);
    assert!(asker.key_of(&peer.name, &peer.key_id(), 8 * 86_400_000).await.is_ok());
    assert_eq!(peer.asked_for_keys(), 2);
}

#[tokio::test]
async fn a_new_key_is_noticed_and_unknown_ones_do_not_make_us_ask_for_ever() {
    let (asker, peer) = (asker(PATIENCE), Peer::start("1").await);
    let find = async |id: &str, now_ms| asker.key_of(&peer.name, id, now_ms).await;
    assert!(find(&peer.key_id(), 0).await.is_ok());
    let new = fresh_key("2");
    peer.publish(&new, 1 << 40);
    assert_eq!(find("ed25519:2", 0).await.unwrap(), new.public_key());
    for _ in 0..50 {
        assert!(find("ed25519:none", 0).await.is_err());
    }
    assert_eq!(peer.asked_for_keys(), 20);
    assert!(find("ed25519:none", 60_000).await.is_err());
    assert_eq!(peer.asked_for_keys(), 21);
}

#[tokio::test]
async fn key_objects_that_are_not_the_servers_own_are_not_believed() {
    let (asker, peer) = (asker(PATIENCE), Peer::start("1").await);
    let stranger = fresh_key("1");
    let honest = |name: &str| {
        let key = Base64::<Standard, _>::new(peer.key.public_key());
        json!({
            "server_name": name, "valid_until_ts": 1_u64 << 40,
            "verify_keys": { peer.key_id(): { "key": key } }, "old_verify_keys": {},
        })
    };
    let mut old = honest(&peer.name);
    old["old_verify_keys"] = json!({ "ed25519:0": old["verify_keys"][peer.key_id()].clone() });
    old["old_verify_keys"]["ed25519:0"]["expired_ts"] = json!(1);
    let mut undated = honest(&peer.name);
    undated.as_object_mut().unwrap().remove("valid_until_ts");
    for (what, object, key) in [
        ("another's name", honest("elsewhere.example"), &peer.key),
        ("another's signature", honest(&peer.name), &stranger),
        ("no date", undated, &peer.key),
    ] {
        peer.publish_object(object, key);
        assert!(asker.key_of(&peer.name, &peer.key_id(), 0).await.is_err(), "{what}");
    }
    for (what, body) in [("no JSON", "<html>".to_owned()), ("no signature", honest(&peer.name).to_string())] {
        peer.says(KEYS, Say::Answer(200, body));
        assert!(asker.key_of(&peer.name, &peer.key_id(), 0).await.is_err(), "{what}");
    }
    peer.publish_object(old, &peer.key);
    assert!(asker.key_of(&peer.name, "ed25519:0", 0).await.is_err(), "an old key");
    assert!(asker.key_of(&peer.name, &peer.key_id(), 0).await.is_ok());
}

#[tokio::test]
async fn another_homeserver_is_asked_in_bounded_time_and_bytes() {
    let peer = Peer::start("1").await;
    peer.says("/endless", Say::Endless);
    peer.says("/silence", Say::Silence);
    peer.says("/away", Say::Redirect("/here".to_owned()));
    peer.says("/large", Say::Answer(200, "x".repeat(1 << 20)));
    let ask = async |asker: Federation, path| asker.ask(&peer.name, "GET", path, None).await;
    assert_eq!(ask(asker(PATIENCE), "/endless").await.unwrap_err(), RemoteError::TooLong);
    assert_eq!(ask(asker(Duration::from_millis(50)), "/silence").await.unwrap_err(), RemoteError::TimedOut);
    assert_eq!(ask(asker(PATIENCE), "/away").await.unwrap().status, 302);
    assert_eq!(ask(asker(PATIENCE), "/large").await.unwrap().body.len(), 1 << 20);
    assert!(peer.asked().iter().all(|asked| asked.path != "/here"));
}

#[tokio::test]
async fn who_is_nobody_or_nobody_trusts_cannot_be_asked() {
    let asker = asker(PATIENCE);
    let gone = Peer::start("1").await.name;
    for name in ["", "a b", "@", "local host:1", gone.as_str()] {
        let error = asker.ask(name, "GET", "/", None).await.unwrap_err();
        assert!(matches!(error, RemoteError::Unreachable(_)), "{name}: {error}");
    }
    let mut strict = test_kit::options(PATIENCE);
    strict.trust.clear();
    let strict = Federation::new(&strict, "asker", (FaultSet::NONE, VariantSet::NONE)).unwrap();
    let peer = Peer::start("1").await;
    assert!(strict.ask(&peer.name, "GET", KEYS, None).await.is_err());
    assert_eq!(peer.asked_for_keys(), 0);
}

#[tokio::test]
async fn garbage_on_the_port_harms_nobody() {
    let server = started().await;
    let address = server.federation_url().unwrap();
    let address = address.strip_prefix("https://").unwrap();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    for garbage in [&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff], &[0; 1000]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
        assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP"));
    }
    let huge = "x".repeat(1 << 20);
    let answer = asker(PATIENCE).ask(server.server_name(), "GET", &format!("/{huge}"), None).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 400));
    let answer = asker(PATIENCE).ask(server.server_name(), "GET", KEYS, None).await.unwrap();
    assert_eq!(answer.status, 200);
    server.stop().await;
    assert!(asker(PATIENCE).ask(address, "GET", KEYS, None).await.is_err(), "it has stopped");
}

#[test]
fn the_signed_object_holds_what_is_signed_and_nothing_else() {
    let object = identity::request("PUT", "/a%2Fb?c", "o", "d", Some(ruma_common::CanonicalJsonValue::Null));
    let bytes = ruma_signatures::to_canonical_json_string_for_signing(&object).unwrap();
    assert_eq!(bytes, r#"{"content":null,"destination":"d","method":"PUT","origin":"o","uri":"/a%2Fb?c"}"#);
}
