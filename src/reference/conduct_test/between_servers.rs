//! Every freedom between homeservers is one: the server that takes it does something else than the one
//! that does not, so that no switch is dead.

use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::across::{FIELD, entry, of};
use super::neighbours::{F, set_path};
use super::site::*;
use crate::reference::federation::test_kit::{Peer, Say};
use crate::reference::federation::{deliver, handle};
use crate::reference::state::Transaction;
use crate::reference::{Named as _, Variant, VariantSet};
use crate::spec::binding::encode;

const KEYS: &str = "/_matrix/key/v2/server";
const VERSION: &str = "/_matrix/federation/v1/version";

#[tokio::test]
async fn every_freedom_between_homeservers_shows_where_it_is_taken_and_nowhere_else() {
    // HTTP/2 is a matter of connections, and there are none here.
    let shown = |variant: &Variant| variant.is_between_servers() && *variant != Variant::HttpTwo;
    for variant in Variant::all().filter(shown) {
        let taking: VariantSet = [variant].into_iter().collect();
        assert!(shows(&World::new(taking).await, variant).await, "{variant} is not taken");
        assert!(!shows(&World::new(VariantSet::NONE).await, variant).await, "{variant} is taken anyway");
    }
}

/// A user of this homeserver and one of another, in one room.
struct World {
    site: Site,
    alice: Session,
    peer: Peer,
    carol: String,
    room: String,
}

impl World {
    async fn new(variants: VariantSet) -> Self {
        let (site, peer) = (Site::taking(variants), Peer::start("1").await);
        let alice = site.user("alice");
        let room = site.room(&alice, &[]).await;
        let carol = format!("@carol:{}", peer.name);
        site.enters(&peer, &carol, &room).await;
        site.transactions(&peer);
        Self { site, alice, peer, carol, room }
    }

    /// What the other homeserver gets that asks for a path, signed as it must be.
    async fn get(&self, path: &str) -> Reply {
        self.site.signed(&self.peer, "GET", path, None).await
    }

    async fn offered_to(&self, user: &str) -> Reply {
        self.get(&format!("{F}/server/users/{}", encode(user))).await
    }

    /// What the other homeserver is told when the user declares a set and a second user comes.
    async fn told(&self) -> Vec<Transaction> {
        let bob = self.site.user("bob");
        self.site.join(&bob, &self.room).await;
        self.site.transactions(&self.peer);
        for (session, name) in [(&self.alice, "m.alice"), (&bob, "m.bob")] {
            self.site.put(session, &set_of(&[name])).await;
        }
        self.site.transactions(&self.peer)
    }

    /// What a local user gets who resolves a hash of the other homeserver's user.
    async fn looked_up(&self, name: &str, say: Say) -> Reply {
        let hash = hash_of(set_of(&[name]));
        self.peer.says(&set_path(&self.carol, &hash), say);
        self.site.resolve(&self.alice, &self.carol, &hash).await
    }
}

fn honest(name: &str) -> Say {
    Say::Answer(200, set_of(&[name]))
}

/// Whether a freedom is seen.
async fn shows(world: &World, variant: Variant) -> bool {
    match variant {
        Variant::SignatureRefused
        | Variant::FedOffersAlike
        | Variant::FedOffersPerUser
        | Variant::FedErrorsOwn
        | Variant::FedRefusalsTold
        | Variant::FedStrangersForbidden
        | Variant::FedRateLimits => shows_in_answers(world, variant).await,
        Variant::FedHttpClose => {
            let request = http::Request::get(VERSION).body(Body::empty()).unwrap();
            handle(world.site.server.clone(), request).await.headers().contains_key("connection")
        }
        Variant::FedHeaderSpelled
        | Variant::FedKeysSeveral
        | Variant::FedKeysBrief
        | Variant::FedKeysFetchedAlways => shows_in_keys(world, variant).await,
        Variant::FedLookupsRepeated
        | Variant::FedNegativeCache
        | Variant::FedBackOff
        | Variant::Fed404As502
        | Variant::FedFailures504 => shows_in_lookups(world, variant).await,
        Variant::FedMalformedKeeps => {
            world.site.hears(&world.peer, "1", json!([entry(&world.carol, of("m.carol"))])).await;
            world.site.hears(&world.peer, "2", json!([entry(&world.carol, json!("x"))])).await;
            world.site.status(&world.alice, &world.carol).await.is_some()
        }
        Variant::FedAsksMore => asks_more(world).await,
        Variant::FedAnswersLate => answers_late(world),
        Variant::FedPresenceLate => tells_late(world).await,
        Variant::FedTransactionsTwice => tells_twice(world).await,
        _ => shows_in_transactions(world, variant).await,
    }
}

async fn shows_in_answers(world: &World, variant: Variant) -> bool {
    let World { site, alice, peer, carol, .. } = world;
    match variant {
        Variant::SignatureRefused => {
            let usual = peer.authorization(HS, "GET", &set_path(&alice.user, &raw_hash("x")), None);
            let odd = usual.replace("sig=", "signature=");
            let path = set_path(&alice.user, &raw_hash("x"));
            site.server_asks("GET", &path, Some(&odd), None).await.status == 401
        }
        Variant::FedOffersAlike => {
            let offered = world.offered_to(carol).await.json["sha256"].as_str().unwrap().to_owned();
            site.server_set(alice, &offered).await.is_ok()
        }
        Variant::FedOffersPerUser => {
            let [even, odd] = ["ab", "abc"].map(|name| format!("@{name}:{}", peer.name));
            let (even, odd) = (world.offered_to(&even).await.json, world.offered_to(&odd).await.json);
            for offered in [&even, &odd] {
                let hash = offered["sha256"].as_str().unwrap();
                assert!(!hash.contains(['+', '/']), "{hash} tries paths, which others do");
                let set = world.get(&format!("{F}/server/sets/{}", encode(hash))).await;
                assert!(set.is_set(hash), "{hash}");
            }
            even != odd
        }
        Variant::FedErrorsOwn => world.offered_to(&alice.user).await.status == 410,
        Variant::FedRefusalsTold => {
            let elsewhere = peer.authorization("elsewhere", "GET", KEYS, None);
            let path = set_path(&alice.user, &raw_hash("x"));
            assert_eq!(site.server_asks("GET", &path, Some(&elsewhere), None).await.status, 401);
            let mut statuses = Vec::new();
            for header in [None, Some("X-Matrix"), Some(&*peer.authorization(HS, "PUT", &path, None))] {
                statuses.push(site.server_asks("GET", &path, header, None).await.status);
            }
            statuses == [403, 400, 403]
        }
        Variant::FedStrangersForbidden => {
            let stranger = Peer::start("1").await;
            let path = set_path(&alice.user, &raw_hash("x"));
            site.signed(&stranger, "GET", &path, None).await.is(403, "M_FORBIDDEN")
        }
        _ => {
            let mut met = false;
            for _ in 0..5 {
                let reply = site.server_asks("GET", VERSION, None, None).await;
                met |= reply.is(429, "M_LIMIT_EXCEEDED") && reply.json["retry_after_ms"].is_u64();
            }
            met
        }
    }
}

async fn shows_in_keys(world: &World, variant: Variant) -> bool {
    let World { site, peer, carol, .. } = world;
    let federation = site.server.federation.as_ref().unwrap();
    let published = site.server_asks("GET", KEYS, None, None).await.json;
    match variant {
        Variant::FedHeaderSpelled => {
            let header = federation.authorization(&peer.name, "GET", "/", None).unwrap();
            !header.starts_with("X-Matrix origin=\"hs\",destination=")
        }
        Variant::FedKeysSeveral => {
            let ids = || published["verify_keys"].as_object().unwrap().keys();
            let signed = |id: &String| published["signatures"]["hs"][id].is_string();
            assert!(ids().all(signed), "{published}");
            let headers = [(), ()].map(|()| federation.authorization(&peer.name, "GET", "/", None).unwrap());
            let used = ids().filter(|id| headers.iter().any(|header| header.contains(&format!("\"{id}\""))));
            used.count() == 2 && published["old_verify_keys"].as_object().unwrap().len() == 1
        }
        Variant::FedKeysBrief => {
            published["valid_until_ts"].as_u64().unwrap() < site.server.wall_ms() + 60_000
        }
        _ => {
            let before = peer.asked_for_keys();
            world.offered_to(carol).await;
            peer.asked_for_keys() > before
        }
    }
}

async fn shows_in_lookups(world: &World, variant: Variant) -> bool {
    match variant {
        Variant::FedLookupsRepeated => {
            let before = world.peer.asked().len();
            let (one, other) =
                tokio::join!(world.looked_up("m.a", honest("m.a")), world.looked_up("m.a", honest("m.a")));
            assert!(one.is_ok() && other.is_ok());
            world.peer.asked().len() - before == 2
        }
        Variant::FedNegativeCache => {
            world.looked_up("m.a", Say::Answer(404, "{}".to_owned())).await;
            let early = world.looked_up("m.a", honest("m.a")).await;
            world.site.server.advance(world.site.server.options.limits.failed_lookup_for);
            assert!(world.looked_up("m.a", honest("m.a")).await.is_ok(), "for good");
            !early.is_ok()
        }
        Variant::FedBackOff => {
            // Who lies, or does not know, is asked again.
            world.looked_up("m.a", honest("m.b")).await;
            world.looked_up("m.a", Say::Answer(404, "{}".to_owned())).await;
            assert!(world.looked_up("m.a", honest("m.a")).await.is_ok());
            // It does not last: whoever is held up here for as long may miss it, but not each time.
            for name in ["m.c", "m.d", "m.e"] {
                world.looked_up(name, Say::Answer(500, "{}".to_owned())).await;
                if world.looked_up(name, honest(name)).await.status == 502 {
                    return true;
                }
            }
            false
        }
        Variant::Fed404As502 => {
            let stranger = world.site.user("stranger");
            let hidden = world.site.resolve(&stranger, &world.carol, &raw_hash("x")).await;
            assert!(hidden.is(404, "M_NOT_FOUND"), "that is nobody's answer but this server's");
            world.looked_up("m.a", Say::Answer(404, "{}".to_owned())).await.status == 502
        }
        _ => world.looked_up("m.a", Say::Answer(500, "{}".to_owned())).await.status == 504,
    }
}

async fn shows_in_transactions(world: &World, variant: Variant) -> bool {
    let told = world.told().await;
    let edus = |told: &Transaction| told.body["edus"].as_array().unwrap().clone();
    let all: Vec<Value> = told.iter().flat_map(edus).collect();
    let has_note = |object: &Value| object.get("org.capcheck.note").is_some();
    match variant {
        Variant::FedTransactionsApart => told.len() == 2,
        Variant::FedEdusApart => told.len() == 1 && all.len() == 2,
        Variant::FedTransactionIds => told[0].id.contains(['/', '%']),
        Variant::FedEdusOthers => all.iter().any(|edu| edu["edu_type"] != "m.presence"),
        Variant::FedEdusExtraKeys => {
            let inner = [&told[0].body, &all[0], &all[0]["content"], &all[0]["content"]["push"][0]];
            inner.into_iter().all(has_note)
        }
        Variant::FedPresenceRepeated => {
            world.site.put(&world.alice, &set_of(&["m.again"])).await;
            let again = world.site.transactions(&world.peer);
            edus(&again[0])[0]["content"]["push"].as_array().unwrap().len() == 2
        }
        Variant::FedNoHashNull | Variant::FedNoHashEmpty => {
            world.site.post(&world.alice, "/logout", &json!({})).await;
            let last = edus(&world.site.transactions(&world.peer)[0]);
            let field = last[0]["content"]["push"][0].get(FIELD).cloned();
            let empty = json!({ "sha256": hash_of("{}") });
            field == Some(if variant == Variant::FedNoHashNull { Value::Null } else { empty })
        }
        other => panic!("nobody looks for {other}"),
    }
}

/// Whether the other homeserver is asked for more than lookups; nobody waits for that.
async fn asks_more(world: &World) -> bool {
    for _ in 0..100 {
        if world.peer.asked().iter().any(|asked| asked.path.contains("/query/profile")) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

/// Whether answers take a while: not even the first is there at once.
fn answers_late(world: &World) -> bool {
    world.site.server_asks("GET", VERSION, None, None).now_or_never().is_none()
}

/// Whether news waits before it is taken up. Whoever is held up here for as long may miss it, but not
/// again and again.
async fn tells_late(world: &World) -> bool {
    let mut waits = false;
    for name in ["m.first", "m.second", "m.third"] {
        world.site.put(&world.alice, &set_of(&[name])).await;
        let delivering = tokio::spawn(deliver(world.site.server.clone()));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        waits |= !world.site.transactions(&world.peer).is_empty();
        delivering.abort();
    }
    waits
}

/// Whether a transaction is sent twice: a second one tells when the first has been dealt with.
async fn tells_twice(world: &World) -> bool {
    let delivering = tokio::spawn(deliver(world.site.server.clone()));
    let sent = || -> Vec<String> {
        let asked = world.peer.asked().into_iter().map(|asked| asked.path);
        asked.filter(|path| path.contains("/v1/send/")).collect()
    };
    for (name, distinct) in [("m.first", 1), ("m.second", 2)] {
        world.site.put(&world.alice, &set_of(&[name])).await;
        let is_sent = async {
            loop {
                let mut paths = sent();
                paths.dedup();
                if paths.len() >= distinct {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, is_sent).await.unwrap();
    }
    delivering.abort();
    let paths = sent();
    paths[0] == paths[1]
}
