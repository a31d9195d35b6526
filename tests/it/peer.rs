//! The harness's own homeservers, asked by clients good and bad.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

mod hostile;
mod lifecycle;
mod rooms;
mod site;

use std::time::Duration;

use bytes::Bytes;
use capcheck::spec::binding::{Binding, Operation, encode};
use capcheck::wire::peer::{Answer, Asked, SignatureFault};
use capcheck::wire::signing::{ServerKeys, SignedRequest, SigningKey, Spelling};
use capcheck::wire::{NetworkFault, Request};
use serde_json::{Value, json};

use site::{Site, TARGET, body, json_of};

fn resolve(hash: &str) -> String {
    let variables = [("user_id", "@bob:peer"), ("hash", hash)];
    Binding::default().route(Operation::FedResolve).path(&variables)
}

fn presence(entries: &Value) -> Value {
    json!({ "origin": TARGET, "origin_server_ts": 1, "pdus": [],
        "edus": [{ "edu_type": "m.presence", "content": { "push": entries } }] })
}

#[tokio::test]
async fn publishes_its_keys_and_its_version() {
    let site = Site::new().await;
    let peer = site.peer().await;
    for path in ["/_matrix/key/v2/server", "/_matrix/key/v2/server/ed25519%3Aany"] {
        let answer = site.send(&peer, Request::new("GET", path)).await;
        let keys = ServerKeys::read(&body(&answer), peer.name()).unwrap();
        assert_eq!(keys.verify_keys, [(peer.key().id().to_owned(), peer.key().public())].into());
        let (id, old) = keys.old_verify_keys.first_key_value().unwrap();
        assert_eq!((id.as_str(), &old.key), (peer.expired_key().id(), &peer.expired_key().public()));
        let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
        assert!(old.expired_ts < now && now < keys.valid_until_ts);
    }
    let answer = site.send(&peer, Request::new("GET", "/_matrix/federation/v1/version")).await;
    assert_eq!(json_of(&answer)["server"]["name"], "capcheck");
    let asked: Vec<_> = peer.journal().arrivals().iter().map(|arrival| arrival.asked.clone()).collect();
    assert_eq!(asked, [Asked::Keys, Asked::Keys, Asked::Version]);
}

#[tokio::test]
async fn every_peer_has_a_name_and_a_key_of_its_own() {
    let site = Site::new().await;
    let (one, two) = (site.peer().await, site.peer().await);
    assert_ne!(one.name(), two.name());
    assert_ne!(one.key().id(), two.key().id());
    assert!(one.key().id().starts_with("ed25519:cap_test_"), "{}", one.key().id());
    let shared = "ed25519:shared";
    let (one, two) = (
        site.peers.fresh_with_key_id(shared).await.unwrap(),
        site.peers.fresh_with_key_id(shared).await.unwrap(),
    );
    assert_eq!((one.key().id(), two.key().id()), (shared, shared));
    assert_ne!(one.key().public(), two.key().public());
    let honest = site.peers.honest(3).await.unwrap();
    assert_eq!(honest.name(), site.peers.honest(3).await.unwrap().name());
    assert_ne!(honest.name(), site.peers.honest(4).await.unwrap().name());
}

#[tokio::test]
async fn offers_a_set_to_the_users_of_the_asking_server() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let binding = Binding::default();
    let hash_for = |user: &str| binding.route(Operation::FedServerHash).path(&[("user_id", user)]);
    let answer = site.ask(&peer, "GET", &hash_for("@carol:target.example"), None).await;
    let hash = json_of(&answer)["sha256"].as_str().unwrap().to_owned();
    assert_eq!(hash, peer.server_set().hash().as_str());
    let set = binding.route(Operation::FedServerSet).path(&[("hash", &hash)]);
    let answer = site.ask(&peer, "GET", &set, None).await;
    assert_eq!(body(&answer), peer.server_set().canonical_bytes());
    let unknown = binding.route(Operation::FedServerSet).path(&[("hash", "unknown")]);
    for path in [hash_for("@carol:other.example"), unknown] {
        let answer = site.ask(&peer, "GET", &path, None).await;
        assert_eq!((answer.status(), answer.errcode().as_deref()), (Some(404), Some("M_NOT_FOUND")));
    }
}

#[tokio::test]
async fn keeps_what_transactions_say_of_presence() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let entry = |n: u32| json!({ "user_id": "@carol:target.example", "n": n });
    let send = async |id: &str, entries: Value| {
        let path = format!("/_matrix/federation/v1/send/{id}");
        site.ask(&peer, "PUT", &path, Some(&presence(&entries))).await
    };
    let answer = send("1", json!([{ "user_id": "@dave:target.example" }, entry(1)])).await;
    assert_eq!(json_of(&answer), json!({ "pdus": {} }));
    send("1", json!([entry(2)])).await;
    send("2", json!([entry(3)])).await;
    let pushes = peer.journal().pushes("@carol:target.example");
    let numbers: Vec<_> = pushes.iter().map(|(_, entry)| entry["n"].clone()).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(pushes[1].0.asked, Asked::Transaction { id: "2".to_owned() });
    let answer = site.ask(&peer, "PUT", "/_matrix/federation/v1/send/3", Some(&json!([]))).await;
    assert_eq!(answer.status(), Some(400));
}

#[tokio::test]
async fn answers_lookups_as_its_script_says() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let set = Bytes::from_static(b"{ \"m.cap.voip.v1\": {} }");
    let html = Bytes::from_static(b"<html>");
    let say = |hash: &str, answer: Answer| peer.script().resolve("@bob:peer", hash, answer);
    say("set", Answer::Set(set.clone()));
    say("html", Answer::Status(500, "text/html", html.clone()));
    let ask = async |hash: &str| site.ask(&peer, "GET", &resolve(hash), None).await;
    let answer = ask("set").await;
    assert_eq!((answer.status(), body(&answer)), (Some(200), set.clone()));
    let answer = ask("html").await;
    let kind = answer.result.as_ref().unwrap().header("content-type").unwrap().to_owned();
    assert_eq!((answer.status(), kind.as_str(), body(&answer)), (Some(500), "text/html", html.clone()));
    let answer = ask("unknown").await;
    assert_eq!((answer.status(), answer.errcode().as_deref()), (Some(404), Some("M_NOT_FOUND")));
    // What is written later holds from then on.
    say("unknown", Answer::Set(set.clone()));
    assert_eq!(body(&*ask("unknown").await), set);
    let long = Bytes::from(vec![b' '; 1 << 20]);
    say("long", Answer::Set(long.clone()));
    assert_eq!(body(&*ask("long").await), long);
    let answered = peer.journal().arrivals().into_iter().map(|arrival| arrival.answered.clone());
    let answered: Vec<_> = answered.collect();
    let statuses: Vec<_> = answered.iter().map(|answered| answered.status).collect();
    assert_eq!(statuses, [Some(200), Some(500), Some(404), Some(200), Some(200)]);
    assert_eq!((answered[1].body.as_ref(), answered[1].length), (Some(&html), html.len()));
    assert_eq!(answered[1].headers, [("content-type".to_owned(), "text/html".to_owned())]);
    let kept = answered[4].body.as_ref().map(Bytes::len);
    assert_eq!((kept, answered[4].length), (Some(8 << 10), long.len()), "the beginning of it is kept");
}

#[tokio::test]
async fn answers_lookups_badly_where_its_script_says_so() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let say = |hash: &str, answer: Answer| peer.script().resolve("@bob:peer", hash, answer);
    say("silence", Answer::Silence);
    say("endless", Answer::Endless);
    say("broken", Answer::BrokenOff);
    let impatient = site.impatient_client(&peer);
    let ask = async |hash: &str| {
        impatient.send(site.signed(&peer, "GET", &resolve(hash), None)).await.result.clone().unwrap_err()
    };
    assert!(matches!(ask("silence").await, NetworkFault::TimedOut { stage: "answer", .. }));
    // Who grants more than the ordinary deadline is told of all that was granted.
    let patient = site.signed(&peer, "GET", &resolve("silence"), None).long_poll(Duration::from_millis(1));
    let limit = impatient.config().timeout + patient.long_poll;
    let fault = impatient.send(patient).await.result.clone().unwrap_err();
    assert_eq!(fault, NetworkFault::TimedOut { stage: "answer", limit });
    assert!(matches!(ask("endless").await, NetworkFault::TooLong { .. }));
    assert!(matches!(ask("broken").await, NetworkFault::Closed(_)));
    let statuses: Vec<_> = peer.journal().arrivals().iter().map(|arrival| arrival.answered.status).collect();
    assert_eq!(statuses, [None, None, Some(200), Some(200)]);
    let faults = peer.journal().arrivals().into_iter().map(|arrival| arrival.answered.fault);
    let silence = Some("the harness gives no answer");
    let (endless, broken) = ("the harness sends a body without end", "the harness breaks the body off");
    assert_eq!(faults.collect::<Vec<_>>(), [silence, silence, Some(endless), Some(broken)]);
    assert_eq!(site.incidents(), [""; 0], "a client may tire of waiting");
}

#[tokio::test]
async fn what_breaks_off_has_begun_well() {
    let site = Site::new().await;
    let peer = site.peer().await;
    peer.script().resolve("@bob:peer", "broken", Answer::BrokenOff);
    let request = site.signed(&peer, "GET", &resolve("broken"), None);
    let head = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\r\n",
        request.path,
        peer.name(),
        request.authorization.unwrap()
    );
    let answer = site.converse(&peer, head.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("content-length: 4096"), "{head}");
    assert!(body.starts_with("{\"m.cap.broken.v1\"") && body.len() < 4096, "{body}");
}

#[tokio::test]
async fn patience_ends() {
    let site = Site::patient_for(std::time::Duration::ZERO).await;
    let peer = site.peer().await;
    for (hash, answer) in [("silence", Answer::Silence), ("endless", Answer::Endless)] {
        peer.script().resolve("@bob:peer", hash, answer);
        let answer = site.ask(&peer, "GET", &resolve(hash), None).await;
        assert!(matches!(answer.result, Err(NetworkFault::Closed(_))), "{hash}: {:?}", answer.result);
    }
}

#[tokio::test]
async fn a_redirect_leads_to_the_set_and_is_seen_when_followed() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let set = Bytes::from_static(b"{}");
    peer.script().resolve("@bob:peer", "a/b", Answer::Redirect(set.clone()));
    let answer = site.ask(&peer, "GET", &resolve("a/b"), None).await;
    assert_eq!(answer.status(), Some(307));
    let location = answer.result.as_ref().unwrap().header("location").unwrap().to_owned();
    let path = location.strip_prefix(&format!("https://{}", peer.name())).unwrap();
    assert_eq!(body(&*site.send(&peer, Request::new("GET", path)).await), set);
    let answered: Vec<_> = peer.journal().arrivals().iter().map(|arrival| arrival.answered.clone()).collect();
    assert_eq!(answered[0].headers, [("location".to_owned(), location)]);
    assert_eq!((answered[1].body.as_ref(), answered[1].fault), (Some(&set), None));
    let (user_id, hash) = ("@bob:peer".to_owned(), "a/b".to_owned());
    assert_eq!(peer.journal().arrivals()[1].asked, Asked::Redirected { user_id, hash });
}

#[tokio::test]
async fn counts_requests_that_nobody_expected() {
    let site = Site::new().await;
    let (one, two) = (site.peer().await, site.peer().await);
    let profile = "/_matrix/federation/v1/query/profile?user_id=%40bob%3Apeer";
    for peer in [&one, &two] {
        let answer = site.ask(peer, "GET", profile, None).await;
        assert_eq!((answer.status(), answer.errcode().as_deref()), (Some(404), Some("M_UNRECOGNIZED")));
    }
    assert_eq!(site.peers.unexpected(), [("GET /_matrix/federation/v1/query/profile".to_owned(), 2)]);
    assert_eq!(one.journal().arrivals()[0].asked, Asked::Other);
    assert_eq!(one.journal().arrivals()[0].signature, Ok(TARGET.to_owned()));
}

#[tokio::test]
async fn takes_the_header_in_every_legal_spelling() {
    let site = Site::new().await;
    let peer = site.peer().await;
    peer.script().resolve("@bob:peer", "h", Answer::Set(Bytes::from_static(b"{}")));
    for spelling in Spelling::ALL {
        let path = resolve("h");
        let signed = SignedRequest {
            method: "GET",
            uri: &path,
            origin: TARGET,
            destination: peer.name(),
            content: None,
        };
        let header = signed.signed_by(&site.key).spelled(spelling);
        let answer = site.send(&peer, Request::new("GET", &path).authorization(header)).await;
        assert_eq!(answer.status(), Some(200), "{}", spelling.says());
    }
}

/// Requests to a peer, each wrong in one way, and what the peer says of it.
#[tokio::test]
async fn refuses_what_is_not_signed_as_it_should_be_and_says_why() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let (path, content) =
        ("/_matrix/federation/v1/send/1", presence(&json!([{ "user_id": "@a:target.example" }])));
    let good = SignedRequest {
        method: "PUT",
        uri: path,
        origin: TARGET,
        destination: peer.name(),
        content: Some(&content),
    };
    let key = &site.key;
    let (stranger, unknown) =
        (SigningKey::generate(key.id()).unwrap(), SigningKey::generate("ed25519:unknown").unwrap());
    let other = |signed: SignedRequest<'_>| signed.signed_by(key).to_string();
    let named = |destination: &str| {
        let header = SignedRequest { destination, ..good.clone() }.signed_by(key);
        header.to_string()
    };
    let broken = |why: &str| SignatureFault::Broken(why.to_owned());
    let mismatch = broken("the signature does not verify");
    let mut short = good.signed_by(key);
    short.sig.truncate(40);
    let cases = [
        (None, SignatureFault::Missing),
        (Some("Bearer x".to_owned()), SignatureFault::Header("the scheme is not X-Matrix".to_owned())),
        (Some(named("other:1")), SignatureFault::Destination("other:1".to_owned())),
        (
            Some(other(SignedRequest { origin: "evil.example", ..good.clone() })),
            SignatureFault::Origin("evil.example".to_owned()),
        ),
        (Some(good.signed_by(&unknown).to_string()), SignatureFault::Key("ed25519:unknown".to_owned())),
        (Some(good.signed_by(&site.old_key).to_string()), SignatureFault::Key("ed25519:old".to_owned())),
        (Some(good.signed_by(&stranger).to_string()), mismatch.clone()),
        (Some(other(SignedRequest { method: "GET", ..good.clone() })), mismatch.clone()),
        (
            Some(other(SignedRequest { uri: "/_matrix/federation/v1/send/2", ..good.clone() })),
            mismatch.clone(),
        ),
        (Some(other(SignedRequest { content: Some(&json!({})), ..good.clone() })), mismatch.clone()),
        (Some(other(SignedRequest { content: None, ..good.clone() })), mismatch),
        (Some(short.to_string()), broken("a signature has 30 bytes where it should have 64")),
    ];
    for (number, (header, fault)) in cases.into_iter().enumerate() {
        let mut request = Request::new("PUT", path).json(&content);
        request.authorization = header;
        let answer = site.send(&peer, request).await;
        assert_eq!(
            (answer.status(), answer.errcode().as_deref()),
            (Some(401), Some("M_UNAUTHORIZED")),
            "{fault}"
        );
        let arrival = peer.journal().arrivals()[number].clone();
        assert_eq!((arrival.signature.clone(), arrival.answered.status), (Err(fault), Some(401)));
    }
    let fraction =
        Request::new("PUT", path).body(&b"{\"a\":1.5}"[..]).authorization(good.signed_by(key).to_string());
    assert_eq!(site.send(&peer, fraction).await.status(), Some(401));
    assert!(peer.journal().pushes("@a:target.example").is_empty());
    let answer = site.ask(&peer, "PUT", path, Some(&content)).await;
    assert_eq!(answer.status(), Some(200), "and the good one is still good");
    assert_eq!(peer.journal().pushes("@a:target.example").len(), 1);
}

#[tokio::test]
async fn signs_requests_of_its_own() {
    let site = Site::new().await;
    let (one, two) = (site.peer().await, site.peer().await);
    let keys = site.send(&one, Request::new("GET", "/_matrix/key/v2/server")).await;
    site.peers.introduce(ServerKeys::read(&body(&keys), one.name()).unwrap());
    let path = format!("/_matrix/federation/v1/send/{}?x={}", encode("a/b"), encode("+"));
    let answer = site.send(&two, one.request(two.name(), "PUT", &path, Some(&presence(&json!([]))))).await;
    assert_eq!(answer.status(), Some(200));
    assert_eq!(two.journal().arrivals()[0].signature, Ok(one.name().to_owned()));
}
