//! What other homeservers ask, how they sign it, and what they are answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::neighbours::{F, presence, set_path};
use super::site::*;
use crate::reference::federation::test_kit::{Peer, fresh_key, header, signature};
use crate::spec::binding::encode;

const SEND: &str = "/_matrix/federation/v1/send";

pub(super) async fn offers(site: &Site) {
    let peer = Peer::start("1").await;
    let get = async |path: String| site.signed(&peer, "GET", &path, None).await;
    let hash_for = async |user: &str| get(format!("{F}/server/users/{}", encode(user))).await;
    let told = hash_for(&format!("@nobody:{}", peer.name)).await;
    let hash = told.json["sha256"].as_str().unwrap_or_default().to_owned();
    site.check("federation.hash", "of a user who was never seen", told.is_ok() && !hash.is_empty());
    let direct = hash_of(br#"{"m.cap.backfill.v1":{},"m.cap.threads.v1":{}}"#);
    let hash = if hash.is_empty() { direct } else { hash };
    let set = async |hash: &str| get(format!("{F}/server/sets/{}", encode(hash))).await;
    site.check("federation.set", "of the hash", set(&hash).await.is_set(&hash));
    site.check("federation.set", "of no hash", set(&raw_hash("x")).await.is(404, "M_NOT_FOUND"));
    site.check("federation.set", "malformed", set("x").await.is_refused());
    let raw = get(format!("{F}/server/sets/%FF")).await;
    site.check("federation.set", "no text", raw.is_refused());
    for user in ["@granted-first:hs", "@alice:hs", "@carol:third.example", "carol", ""] {
        site.check("federation.other-user", user, hash_for(user).await.is_refused());
    }
}

/// The one path of these checks that is served to everybody who signs.
fn offered() -> String {
    let hash = hash_of(br#"{"m.cap.backfill.v1":{},"m.cap.threads.v1":{}}"#);
    format!("{F}/server/sets/{}", encode(&hash))
}

pub(super) async fn signatures(site: &Site) {
    let peer = Peer::start("1").await;
    // Two servers may well use one key ID.
    let (other, late) = (peer.twin().await, Peer::start("late").await);
    let id = &peer.key_id();
    let (name, path) = (peer.name.as_str(), offered());
    let good = peer.signature(HS, "GET", &path, None);
    let usual = header(name, HS, id, &good);
    let is_good = async || site.server_asks("GET", &path, Some(&usual), None).await.is_ok();
    site.check("federation.signed", "the good one", is_good().await);
    late.publish(&late.key, 1);
    let foreign = fresh_key(peer.key.version());
    let mut bent = STANDARD_NO_PAD.decode(&good).unwrap();
    bent[9] ^= 1;
    let by = |origin: &str, key: &_, destination: &str, method: &str, uri: &str| {
        signature(origin, key, destination, method, uri, None)
    };
    let wrong = [
        ("missing", None),
        ("no parameters", Some("X-Matrix".to_owned())),
        ("no Base64", Some(header(name, HS, id, "%%%"))),
        ("too short", Some(header(name, HS, id, &good[..40]))),
        ("one bit off", Some(header(name, HS, id, &STANDARD_NO_PAD.encode(bent)))),
        ("another key", Some(header(name, HS, id, &by(name, &foreign, HS, "GET", &path)))),
        ("unknown key ID", Some(header(name, HS, "ed25519:none", &good))),
        (
            "expired",
            Some(header(&late.name, HS, &late.key_id(), &by(&late.name, &late.key, HS, "GET", &path))),
        ),
        ("another origin", Some(header(&other.name, HS, id, &by(&other.name, &peer.key, HS, "GET", &path)))),
        ("own origin", Some(header(HS, HS, id, &by(HS, &peer.key, HS, "GET", &path)))),
        ("another method", Some(header(name, HS, id, &by(name, &peer.key, HS, "PUT", &path)))),
        ("another URI", Some(header(name, HS, id, &by(name, &peer.key, HS, "GET", "/x")))),
    ];
    for (what, authorization) in &wrong {
        let reply = site.server_asks("GET", &path, authorization.as_deref(), None).await;
        site.check("federation.signed", what, reply.is_refused());
        site.check("federation.signed-401", what, reply.is(401, "M_UNAUTHORIZED"));
    }
    let elsewhere = header(name, "elsewhere", id, &by(name, &peer.key, "elsewhere", "GET", &path));
    let reply = site.server_asks("GET", &path, Some(&elsewhere), None).await;
    site.check("federation.signed", "another destination", reply.status == 401);
    let again = format!("{F}/server/sets/{}", encode(&raw_hash("x")));
    let reply = site.server_asks("GET", &again, Some(&usual), None).await;
    site.check("federation.signed", "a good one moved", reply.is(401, "M_UNAUTHORIZED"));
    site.check("federation.signed", "the good one still", is_good().await);
    effects(site, &peer).await;
}

/// A transaction that is not signed as it must be changes nothing.
async fn effects(site: &Site, peer: &Peer) {
    let alice = site.user("f-alice");
    let room = site.room(&alice, &[]).await;
    let carol = format!("@carol:{}", peer.name);
    site.enters(peer, &carol, &room).await;
    let (honest, lie) = (raw_hash("honest"), raw_hash("lie"));
    let send = async |id: &str, told: &str, signed: Option<&str>, wrong_uri: bool| {
        let path = format!("{SEND}/{id}");
        let signed = signed.map(|hash| presence(peer, &carol, hash));
        let uri = if wrong_uri { SEND } else { &path };
        let authorization = peer.authorization(HS, "PUT", uri, signed.as_ref());
        site.server_asks("PUT", &path, Some(&authorization), Some(&presence(peer, &carol, told))).await
    };
    site.check("federation.signed", "a transaction", send("1", &honest, Some(&honest), false).await.is_ok());
    site.check(
        "federation.signed",
        "with another body",
        send("2", &lie, Some(&honest), false).await.is_refused(),
    );
    site.check("federation.signed", "without its body", send("3", &lie, None, false).await.is_refused());
    site.check("federation.signed", "for another URI", send("4", &lie, Some(&lie), true).await.is_refused());
    let unsigned =
        site.server_asks("PUT", &format!("{SEND}/5"), None, Some(&presence(peer, &carol, &lie))).await;
    site.check("federation.signed", "unsigned", unsigned.is_refused());
    let seen = site.status(&alice, &carol).await;
    site.check("federation.signed", "no effect", seen == Some(honest));
}

pub(super) async fn header_forms(site: &Site) {
    let peer = Peer::start("1").await;
    let (name, id, path) = (&peer.name, &peer.key_id(), offered());
    let escaped = id.replace(':', r"\:");
    let sig = peer.signature(HS, "GET", &path, None);
    let token = if sig.contains('/') { format!("\"{sig}\"") } else { sig.clone() };
    let (first, rest) = name.split_at(1);
    for form in [
        header(name, HS, id, &sig),
        format!(r#"X-Matrix sig="{sig}",key="{id}",destination="{HS}",origin="{name}""#),
        format!(r#"x-matrix Origin="{name}",DESTINATION="{HS}",kEY="{id}",Sig="{sig}""#),
        format!("X-Matrix  origin=\"{name}\" , destination=\"{HS}\",\tkey=\"{id}\", sig=\"{sig}\""),
        format!("X-Matrix origin={name},destination={HS},key={id},sig={token}"),
        format!(r#"X-Matrix origin="{name}",new="a,b=\"c\"",destination="{HS}",key="{id}",sig="{sig}""#),
        format!(r#"X-Matrix origin="\{first}{rest}",destination="{HS}",key="{escaped}",sig="{sig}""#),
    ] {
        let reply = site.server_asks("GET", &path, Some(&form), None).await;
        site.check("federation.header-forms", &form, reply.is_ok());
    }
}

pub(super) async fn resolutions(site: &Site) {
    let (peer, stranger) = (Peer::start("1").await, Peer::start("1").await);
    let alice = site.user("fr-alice");
    let tablet = site.device(&alice.user, "TABLET");
    let room = site.room(&alice, &[]).await;
    let carol = format!("@carol:{}", peer.name);
    let resolve = async |asker: &Peer, user: &str, hash: &str| {
        site.signed(asker, "GET", &set_path(user, hash), None).await
    };
    site.put(&alice, &set_of(&["a.b"])).await;
    let single = hash_of(set_of(&["a.b"]));
    let early = resolve(&peer, &alice.user, &single).await;
    site.check("federation.resolve-private", "before joining", early.is(404, "M_NOT_FOUND"));
    site.enters(&peer, &carol, &room).await;
    site.check("federation.resolve", "one set", resolve(&peer, &alice.user, &single).await.is_set(&single));
    site.put(&tablet, &set_of(&[WITH_BOTH])).await;
    let union = hash_of(set_of(&["a.b", WITH_BOTH]));
    site.check("federation.resolve", "a union", resolve(&peer, &alice.user, &union).await.is_set(&union));
    site.check(
        "federation.resolve",
        "the one before",
        resolve(&peer, &alice.user, &single).await.is_set(&single),
    );
    for (what, asker, user, hash) in [
        ("an unknown hash", &peer, alice.user.as_str(), raw_hash("x")),
        ("an unknown user", &peer, "@nobody:hs", union.clone()),
        ("a stranger", &stranger, alice.user.as_str(), union.clone()),
        ("another server's user", &peer, "@dave:third.example", single.clone()),
        ("its own user", &peer, carol.as_str(), single.clone()),
    ] {
        let reply = resolve(asker, user, &hash).await;
        site.check("federation.resolve-private", what, reply.is(404, "M_NOT_FOUND"));
    }
    site.leaves(&peer, &carol, &room).await;
    let late = resolve(&peer, &alice.user, &union).await;
    site.check("federation.resolve-private", "after leaving", late.is(404, "M_NOT_FOUND"));
}
