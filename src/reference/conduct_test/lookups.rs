//! What the server asks other homeservers on behalf of its users.

use std::time::Duration;

use super::neighbours::set_path;
use super::site::*;
use crate::reference::federation::test_kit::{Peer, Say};

/// Within which a client must have its answer, whatever the other homeserver does.
const DEADLINE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// A local user, and one of another homeserver with whom they share a room.
struct Acquaintance {
    peer: Peer,
    alice: Session,
    carol: String,
    room: String,
}

async fn acquaintance(site: &Site, localpart: &str) -> Acquaintance {
    let (peer, alice) = (Peer::start("1").await, site.user(localpart));
    let room = site.room(&alice, &[]).await;
    let carol = format!("@carol:{}", peer.name);
    site.enters(&peer, &carol, &room).await;
    Acquaintance { peer, alice, carol, room }
}

/// A set, as the other homeserver has it, and its hash.
fn set(name: &str) -> (String, String) {
    let set = set_of(&[name]);
    let hash = hash_of(&set);
    (set, hash)
}

pub(super) async fn lookups(site: &Site) {
    let Acquaintance { peer, alice, carol, room } = acquaintance(site, "l-alice").await;
    // Nobody has uploaded it here, and its hash is a trap for paths.
    let mut sets = (0..).map(|n| set(&format!("looked.up.{n}")));
    let (body, hash) = sets.find(|(_, hash)| hash.contains('+') && hash.contains('/')).unwrap();
    let path = set_path(&carol, &hash);
    // In a spelling of its own, as it may.
    peer.says(&path, Say::Answer(200, body.replace(':', " :\n")));
    let reply = site.resolve(&alice, &carol, &hash).await;
    site.check("federation.lookup", "served", reply.is_set(&hash));
    site.check("federation.lookup-verified", "an honest answer", reply.is_set(&hash));
    let federation = site.server.federation.as_ref().unwrap();
    let signed = federation.authorization(&peer.name, "GET", &path, None).unwrap();
    let asked = peer.asked();
    site.check("federation.lookup", "signed", asked.iter().all(|asked| asked.authorization == signed));
    site.check("federation.lookup", "asked", asked.iter().any(|asked| asked.path == path));
    let bob = site.user("l-bob");
    site.join(&bob, &room).await;
    for (who, viewer) in [("the same", &alice), ("another", &bob)] {
        let reply = site.resolve(viewer, &carol, &hash).await;
        site.check("federation.lookup", who, reply.is_set(&hash));
        site.check("federation.lookup-cached", who, peer.asked().len() == 1);
    }
    let cara = format!("@cara:{}", peer.name);
    site.enters(&peer, &cara, &room).await;
    peer.says(&set_path(&cara, &hash), Say::Answer(200, body));
    let reply = site.resolve(&alice, &cara, &hash).await;
    let once = reply.is_set(&hash) && peer.asked().len() == 1;
    site.check("federation.lookup-cached", "another user of theirs", once);
    let at_once = set("at.once");
    peer.says(&set_path(&carol, &at_once.1), Say::Answer(200, at_once.0));
    tokio::join!(site.resolve(&alice, &carol, &at_once.1), site.resolve(&bob, &carol, &at_once.1));
    site.check("federation.lookup-cached", "asked at once", peer.asked().len() == 2);
    let large = format!(r#"{{"large.v1":{{"x":"{}"}}}}"#, "x".repeat((1 << 20) - 21));
    let large_hash = hash_of(&large);
    peer.says(&set_path(&carol, &large_hash), Say::Answer(200, large));
    let reply = site.resolve(&alice, &carol, &large_hash).await;
    site.check("federation.lookup", "1 MiB", reply.bytes.len() == 1 << 20 && reply.is_set(&large_hash));
    let (unknown, stranger) = (raw_hash("x"), site.user("l-stranger"));
    let before = peer.asked().len();
    let reply = site.resolve(&stranger, &carol, &unknown).await;
    site.check("federation.lookup-private", "404", reply.is(404, "M_NOT_FOUND"));
    site.check("federation.lookup-private", "nobody asked", peer.asked().len() == before);
    let known = site.resolve(&stranger, &carol, &hash).await;
    site.check("federation.lookup-private", "what is known", known.is(404, "M_NOT_FOUND"));
    lies(site, &peer, &alice, &carol).await;
}

async fn lies(site: &Site, peer: &Peer, alice: &Session, carol: &str) {
    let (body, hash) = set("lied.about");
    let path = set_path(carol, &hash);
    let resolve = || site.resolve(alice, carol, &hash);
    for (what, lie) in [("another set", set_of(&["a.lie"])), ("more", set_of(&["a.lie", "lied.about"]))] {
        peer.says(&path, Say::Answer(200, lie));
        for time in ["first", "again"] {
            let what = format!("{what}, {time}");
            site.check("federation.lookup-verified", &what, !resolve().await.is_ok());
        }
    }
    peer.says(&path, Say::Answer(200, body));
    site.check("federation.lookup-verified", "the honest answer later", resolve().await.is_set(&hash));
}

/// How the other homeserver fails.
fn failures(honest: &str, body: &str) -> Vec<(&'static str, Say)> {
    vec![
        ("silence", Say::Silence),
        ("404", Say::Answer(404, r#"{"errcode":"M_NOT_FOUND","error":"x"}"#.to_owned())),
        ("500", Say::Answer(500, "oops".to_owned())),
        ("403", Say::Answer(403, r#"{"errcode":"M_FORBIDDEN","error":"x"}"#.to_owned())),
        ("HTML", Say::Answer(200, "<html></html>".to_owned())),
        ("a list", Say::Answer(200, r#"["failing.v1"]"#.to_owned())),
        ("a redirect", Say::Redirect(honest.to_owned())),
        ("no end", Say::Endless),
        ("a trickle", Say::Trickle),
        // Whole as JSON, and yet not all of what was sent.
        ("breaking off", Say::BreakOff(body.to_owned())),
    ]
}

pub(super) async fn failed_lookups(site: &Site) {
    let Acquaintance { peer, alice, carol, .. } = acquaintance(site, "x-alice").await;
    let (body, hash) = set("failing.v1");
    let path = set_path(&carol, &hash);
    peer.says("/honest", Say::Answer(200, body.clone()));
    let resolve = || tokio::time::timeout(DEADLINE, site.resolve(&alice, &carol, &hash));
    for (what, say) in failures("/honest", &body) {
        peer.says(&path, say);
        let Ok(reply) = resolve().await else {
            site.check("federation.lookup-failure", what, false);
            return;
        };
        site.check("federation.lookup-failure", what, reply.status >= 400 && !reply.errcode().is_empty());
        let expected: &[u16] = if what == "404" { &[404, 502, 504] } else { &[502, 504] };
        site.check("federation.lookup-failure-status", what, expected.contains(&reply.status));
    }
    peer.says(&path, Say::Answer(200, body));
    let recovered = resolve().await.is_ok_and(|reply| reply.is_set(&hash));
    site.check("federation.lookup-failure", "recovered from", recovered);
    drop(peer);
    let gone = site.resolve(&alice, &carol, &raw_hash("x")).await;
    site.check("federation.lookup-failure", "down", gone.status == 502 && !gone.errcode().is_empty());
}
