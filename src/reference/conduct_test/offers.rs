//! Hashes, tokens, and what the server offers whom.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::site::*;
use crate::reference::arithmetic::Arithmetic;
use crate::spec::binding::encode;

pub(super) async fn hashes(site: &Site) {
    let alice = site.user("h-alice");
    let plain = set_of(&["a.b", "c.d"]);
    site.check("upload.accept-after-upload", "plain", site.put(&alice, &plain).await);
    let content = site.get(&alice, &format!("{V3}/presence/{}/status", encode(&alice.user))).await.json;
    let field = &content["org.matrix.capability_sets"];
    let server = site.server_hash(&alice).await;
    site.check(
        "hash.shape",
        "in presence and answer",
        field["sha256"].is_string() && server["sha256"].is_string(),
    );
    let extra = json!({ "sha256": hash_of(&plain), "sha512": "x" });
    site.check("hash.shape", "extra keys", site.declare_body(&alice, &extra).await.is_ok());
    let spelled = |value: &Value| {
        value["sha256"].as_str().is_none_or(|hash| Arithmetic::default().hash_in_request(hash).is_some())
    };
    site.check("hash.unpadded-base64", "answers", spelled(&server) && spelled(field));
    site.put(&alice, &set_of(&[WITH_BOTH])).await;
    let seen = site.status(&alice, &alice.user).await;
    site.check("hash.unpadded-base64", "alphabet", seen.is_none_or(|hash| !hash.contains(['-', '_'])));
    let awkward = [
        ("hash.sha256-canonical-json", r#"{"a":{"z":1,"b":{"d":[],"c":2}},"b":{}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"é":{"x":"é"}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"a/b":{"x":"<&>"}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"a":{"x":"\n\t\u0001"}}"#.to_owned()),
        ("hash.code-point-order", "{\"a\":{\"\u{1F602}\":1,\"\u{FB33}\":2}}".to_owned()),
        ("hash.code-point-order", "{\"a\":{\"\u{1F602}\":1,\"\u{FFFF}\":2}}".to_owned()),
        ("hash.no-normalisation", "{\"a\":{\"e\u{301}\":1}}".to_owned()),
        ("hash.no-normalisation", "{\"a\":{\"e\u{301}\":1,\"\u{e9}\":1}}".to_owned()),
        ("hash.order-free", r#" { "b" : {} , "\u0061" : {} } "#.to_owned()),
    ];
    for (requirement, set) in &awkward {
        site.check(requirement, set, site.put(&alice, set).await);
    }
    let again = site.server_hash(&alice).await;
    site.check("hash.stable", "server hash", again == site.server_hash(&alice).await);
    let phone = site.device(&alice.user, "PHONE");
    site.check("hash.stable", "other session", again == site.server_hash(&phone).await);
}

pub(super) async fn auth(site: &Site) {
    let alice = site.user("a-alice");
    let hash = hash_of("{}");
    for (method, path) in [
        ("GET", format!("{C}/server/users/{}", encode(&alice.user))),
        ("GET", format!("{C}/server/sets/{}", encode(&hash))),
        ("PUT", format!("{C}/session")),
        ("PUT", format!("{C}/sets/{}", encode(&hash))),
        ("GET", format!("{C}/users/{}/sets/{}", encode(&alice.user), encode(&hash))),
    ] {
        let reply = site.ask(method, &path, None, "not json").await;
        site.check("auth.required", &path, reply.is(401, "M_MISSING_TOKEN"));
    }
    let phone = site.device(&alice.user, "PHONE");
    site.post(&phone, "/logout", &json!({})).await;
    site.check("auth.dead-token", "logout", is_dead(site, &phone).await);
    let tablet = site.device(&alice.user, "TABLET");
    site.delete(&alice, "DELETE", "/devices/TABLET", json!({})).await;
    site.check("auth.dead-token", "deletion", is_dead(site, &tablet).await);
    site.device(&alice.user, "D1");
    site.check("auth.replaced-token", "login", is_dead(site, &alice).await);
}

pub(super) async fn is_dead(site: &Site, session: &Session) -> bool {
    site.get(session, &format!("{C}/server/users/{}", encode(&session.user))).await.is(401, "M_UNKNOWN_TOKEN")
}

pub(super) async fn offers(site: &Site, area: &str) {
    let (alice, bob) = (site.user(&format!("{area}-alice")), site.user(&format!("granted-{area}-bob")));
    site.server.advance(Duration::from_secs(2));
    let told = site.server_hash(&alice).await;
    site.check("server.hash", "own", told["sha256"].is_string());
    let hash = told["sha256"].as_str().unwrap_or_default().to_owned();
    let set = site.server_set(&alice, &hash).await;
    site.check("server.set", "hashes back", set.is_set(&hash));
    let names: Vec<String> =
        set.json.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let lawful = |name: &String| {
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    site.check("server.identifier-grammar", "names", names.iter().all(lawful));
    let nobodys = hash_of(r#"{"nobody.has.this":{}}"#);
    let unknown = site.server_set(&alice, &nobodys).await;
    site.check("server.unknown-hash", "refused", unknown.is_refused());
    site.check("server.unknown-hash-404", "code", unknown.is(404, "M_NOT_FOUND"));
    site.check("server.unknown-hash", "case", site.server_set(&alice, &swapped(&hash)).await.is_refused());
    malformed(site, &alice, &hash).await;
    let doubly = format!("{C}/server/sets/{}", encode(&encode(&hash_of("{}"))));
    site.check(
        "server.malformed-hash",
        "doubly encoded",
        site.get(&alice, &doubly).await.is(400, "M_INVALID_PARAM"),
    );
    for text in ["x", hash.get(..42).unwrap_or("x"), &format!("{hash}A"), "!!", "\0"] {
        site.check("server.malformed-hash", text, site.server_set(&alice, text).await.is_refused());
    }
    let other = site.get(&alice, &format!("{C}/server/users/{}", encode(&bob.user))).await;
    site.check("server.other-user", "refused", other.is_refused());
    gating(site, area, [&alice, &bob]).await;
}

/// Hashes that are none, at the operations that take one from their path, the server's own aside.
pub(super) async fn malformed(site: &Site, alice: &Session, known: &str) {
    let set = set_of(&["m.malformed"]);
    let hash = hash_of(&set);
    site.put(alice, &set).await;
    for text in
        ["x", &hash[..42], &known[..known.len().min(42)], &encode(&hash_of(set_of(&[WITH_PLUS]))), "\0"]
    {
        let reply = site.upload(alice, text, set_of(&[WITH_PLUS])).await;
        let other = site.upload(alice, text, set.clone()).await;
        site.check("upload.malformed-hash", text, reply.is_refused() && other.is_refused());
        let reply = site.resolve(alice, &alice.user, text).await;
        site.check("resolve.malformed-hash", text, reply.is_refused());
    }
    site.put(alice, &set_of(&[WITH_PLUS])).await;
    let doubly = encode(&hash_of(set_of(&[WITH_PLUS])));
    site.check(
        "resolve.malformed-hash",
        "doubly",
        site.resolve(alice, &alice.user, &doubly).await.is_refused(),
    );
}

pub(super) async fn gating(site: &Site, area: &str, [alice, bob]: [&Session; 2]) {
    const GATED: &str = "m.cap.content_repo.v1";
    let carol = site.user(&format!("granted-{area}-carol"));
    let mallory = site.user(&format!("not-granted-{area}-mallory"));
    site.server.advance(Duration::from_secs(2));
    let mut named = BTreeMap::new();
    for session in [bob, alice, &carol, &mallory] {
        let hash = site.server_hash(session).await["sha256"].as_str().unwrap_or_default().to_owned();
        let set = site.server_set(session, &hash).await;
        named.insert(session.user.clone(), (hash, set.json.get(GATED).is_some()));
    }
    let of = |session: &Session| &named[&session.user];
    site.check("gating.differs", "hashes and sets", of(alice).0 != of(bob).0 && of(bob).1 && !of(alice).1);
    site.check("gating.every-entitled", "both", of(bob).1 && of(&carol).1);
    site.check("gating.same-entitlement", "two alike", of(bob).0 == of(&carol).0);
    site.check("gating.no-leak", "right after, and look-alike", !of(alice).1 && !of(&mallory).1);
}
