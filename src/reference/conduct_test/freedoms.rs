//! Freedoms that clients can see: what the server does without each, and what it does with it. The
//! suite must not tell the two apart; a switch that is dead would make that easy.

use std::time::Duration;

use serde_json::{Value, json};

use super::site::{C, Session, Site, V3, hash_of, set_of};
use crate::reference::variants::Variant;
use crate::reference::{Named as _, Options, VariantSet};
use crate::spec::binding::encode;

/// What is seen without each freedom, and with it.
const FREEDOMS: [(Variant, &str, &str); 25] = [
    (Variant::KnownForever, "404", "200"),
    (Variant::KnownUnasked, "404 404 404", "200 200 200"),
    (Variant::KnownPerUser, "200", "404"),
    (Variant::ServerServesClients, "404", "200"),
    (Variant::MismatchKept, "400 404", "400 200"),
    (Variant::SoftLogout, "null", "true"),
    (Variant::UndeclaredAsEmpty, "none, then none", "empty, then none"),
    (Variant::LeftAsEmpty, "none, then none", "none, then empty"),
    (Variant::ConflictSmaller, r#"{"v":2}"#, r#"{"v":1}"#),
    (Variant::ConflictBare, r#"{"v":2}"#, "{}"),
    (Variant::PresenceOnline, "offline", "online"),
    (Variant::PresenceRepeated, "1 0 0", "1 1 0"),
    (Variant::AbsentAsNull, "absent", "null"),
    (Variant::RedeclareTold, "0", "1"),
    (Variant::SyncEarly, "ended with 1, then 0", "ended with 0, then 1"),
    (Variant::PollsSleep, "ended with 1, then 0", "waits"),
    (Variant::OwnSessionsUntold, "1", "0"),
    (Variant::StrangersNotFound, "403", "404"),
    (Variant::StrangersBare, "403", "200"),
    (Variant::PresenceFieldRefused, "200", "400"),
    (Variant::UnsharingTold, "[] []", "[none] [none]"),
    (Variant::ResolveKnown, "404", "200"),
    (Variant::SupersededForgotten, "200", "404"),
    (Variant::EntitledSetServed, "404", "200"),
    (Variant::OtherUserNotFound, "403", "404"),
];

#[tokio::test]
async fn every_freedom_is_seen_and_seen_alone() {
    for (variant, without, with) in FREEDOMS {
        for (variants, expected) in [(VariantSet::NONE, without), ([variant].into_iter().collect(), with)] {
            let site = Site::with(Options::default().taking(variants));
            let granted = site.user("granted-grace");
            let (alice, bob) = (site.user("alice"), site.user("bob"));
            assert_eq!(seen(&site, variant, [&alice, &bob, &granted]).await, expected, "{}", variant.id());
        }
    }
}

/// What alice and bob see where a freedom matters.
async fn seen(site: &Site, variant: Variant, [alice, bob, granted]: [&Session; 3]) -> String {
    let [calls, maps] = ["m.calls", "m.maps"].map(|name| set_of(&[name]));
    let told = async |viewer: &Session| kind(&site.content(viewer, &alice.user).await);
    match variant {
        Variant::KnownForever => {
            site.put(alice, &calls).await;
            site.put(alice, &maps).await;
            site.server.advance(Duration::from_secs(24 * 3600));
            site.declare(alice, &hash_of(&calls)).await.status.to_string()
        }
        Variant::KnownUnasked => {
            let tablet = site.device(&alice.user, "TABLET");
            site.put(alice, &calls).await;
            site.put(&tablet, &maps).await;
            let union = set_of(&["m.calls", "m.maps"]);
            let offered = site.server_hash(alice).await["sha256"].as_str().unwrap().to_owned();
            let hashes = [hash_of(union), hash_of("{}"), offered];
            let mut statuses = Vec::new();
            for hash in hashes {
                statuses.push(site.declare(alice, &hash).await.status.to_string());
            }
            statuses.join(" ")
        }
        Variant::KnownPerUser => {
            site.put(alice, &calls).await;
            site.declare(bob, &hash_of(&calls)).await.status.to_string()
        }
        Variant::ServerServesClients => {
            site.put(alice, &calls).await;
            site.server_set(bob, &hash_of(&calls)).await.status.to_string()
        }
        Variant::MismatchKept => {
            let refused = site.upload(alice, &hash_of(&maps), calls.clone()).await.status;
            format!("{refused} {}", site.declare(alice, &hash_of(&calls)).await.status)
        }
        Variant::SoftLogout => {
            site.post(alice, "/logout", &json!({})).await;
            site.get(alice, &format!("{V3}/account/whoami")).await.json["soft_logout"].to_string()
        }
        Variant::UndeclaredAsEmpty | Variant::LeftAsEmpty => {
            let before = told(alice).await;
            site.room(bob, &[alice]).await;
            site.put(alice, &calls).await;
            site.post(alice, "/logout", &json!({})).await;
            format!("{before}, then {}", told(bob).await)
        }
        Variant::ConflictSmaller | Variant::ConflictBare => {
            let tablet = site.device(&alice.user, "TABLET");
            site.put(alice, r#"{"m.calls":{"v":2}}"#).await;
            site.put(&tablet, r#"{"m.calls":{"v":1},"m.maps":{}}"#).await;
            let union = site.status(alice, &alice.user).await.unwrap();
            site.resolve(alice, &alice.user, &union).await.json["m.calls"].to_string()
        }
        Variant::PresenceOnline => {
            site.put(alice, &calls).await;
            site.content(alice, &alice.user).await["presence"].as_str().unwrap().to_owned()
        }
        Variant::PresenceRepeated | Variant::RedeclareTold => {
            site.room(alice, &[bob]).await;
            site.put(alice, &calls).await;
            let mut since = site.sync(bob, None).await.0;
            let mut counts = Vec::new();
            if variant == Variant::RedeclareTold {
                site.put(alice, &calls).await;
                return site.events(bob, &since, &alice.user).await.1.len().to_string();
            }
            // What the first sync showed is out of the way after two more.
            for _ in 0..2 {
                since = site.events(bob, &since, &alice.user).await.0;
            }
            site.put(alice, &maps).await;
            for _ in 0..3 {
                let (next, events) = site.events(bob, &since, &alice.user).await;
                since = next;
                counts.push(events.len().to_string());
            }
            counts.join(" ")
        }
        Variant::AbsentAsNull => match site.content(alice, &alice.user).await.get(FIELD) {
            None => "absent".to_owned(),
            Some(field) => field.to_string(),
        },
        Variant::SyncEarly | Variant::PollsSleep => {
            site.room(alice, &[bob]).await;
            site.upload(alice, &hash_of(&calls), calls.clone()).await;
            let since = site.sync(bob, None).await.0;
            let declared = async {
                meanwhile().await;
                site.declare(alice, &hash_of(&calls)).await;
                meanwhile().await;
                meanwhile().await;
            };
            let (next, events) = tokio::select! {
                biased;
                answer = site.events_within(bob, &since, &alice.user, 60_000) => answer,
                () = declared => return "waits".to_owned(),
            };
            let later = site.events(bob, &next, &alice.user).await.1.len();
            format!("ended with {}, then {later}", events.len())
        }
        Variant::OwnSessionsUntold => {
            let since = site.sync(alice, None).await.0;
            site.put(alice, &calls).await;
            site.events(alice, &since, &alice.user).await.1.len().to_string()
        }
        Variant::StrangersNotFound | Variant::StrangersBare => {
            site.put(alice, &calls).await;
            let reply = site.get(bob, &status_of(&alice.user)).await;
            assert_eq!(reply.json.get(FIELD), None);
            reply.status.to_string()
        }
        Variant::PresenceFieldRefused => {
            let body = json!({ "presence": "online", FIELD: { "sha256": hash_of(&calls) } });
            let path = status_of(&alice.user);
            site.ask("PUT", &path, Some(&alice.token), body.to_string()).await.status.to_string()
        }
        Variant::UnsharingTold => {
            let room = site.room(alice, &[bob]).await;
            site.put(alice, &calls).await;
            site.put(bob, &maps).await;
            let since = [site.sync(alice, None).await.0, site.sync(bob, None).await.0];
            site.post(bob, &format!("/rooms/{}/leave", encode(&room)), &json!({})).await;
            let hers = site.events(alice, &since[0], &bob.user).await.1;
            let his = site.events(bob, &since[1], &alice.user).await.1;
            let kinds = |events: Vec<Value>| format!("[{}]", events.iter().map(kind).collect::<String>());
            format!("{} {}", kinds(hers), kinds(his))
        }
        Variant::ResolveKnown => {
            site.put(bob, &maps).await;
            site.resolve(alice, &alice.user, &hash_of(&maps)).await.status.to_string()
        }
        Variant::SupersededForgotten => {
            let tablet = site.device(&alice.user, "TABLET");
            site.put(alice, &calls).await;
            site.put(&tablet, &maps).await;
            site.post(&tablet, "/logout", &json!({})).await;
            let union = hash_of(set_of(&["m.calls", "m.maps"]));
            site.resolve(alice, &alice.user, &union).await.status.to_string()
        }
        Variant::EntitledSetServed => {
            let hash = site.server_hash(granted).await["sha256"].as_str().unwrap().to_owned();
            site.server_set(alice, &hash).await.status.to_string()
        }
        Variant::OtherUserNotFound => {
            let path = format!("{C}/server/users/{}", encode(&bob.user));
            site.get(alice, &path).await.status.to_string()
        }
        _ => panic!("nothing is known of {}", variant.id()),
    }
}

const FIELD: &str = "org.matrix.capability_sets";

fn status_of(user: &str) -> String {
    format!("{V3}/presence/{}/status", encode(user))
}

/// What presence says of the hash.
fn kind(content: &Value) -> String {
    match content[FIELD]["sha256"].as_str() {
        None => "none",
        Some(hash) if hash == hash_of("{}") => "empty",
        Some(_) => "some",
    }
    .to_owned()
}

/// Lets every other task have its turns.
async fn meanwhile() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

impl Site {
    /// What a user's status says.
    async fn content(&self, viewer: &Session, user: &str) -> Value {
        self.get(viewer, &status_of(user)).await.json
    }

    /// The contents of the presence events about a user since a token, and the next token.
    async fn events(&self, viewer: &Session, since: &str, user: &str) -> (String, Vec<Value>) {
        self.events_within(viewer, since, user, 0).await
    }

    async fn events_within(
        &self,
        viewer: &Session,
        since: &str,
        user: &str,
        ms: u64,
    ) -> (String, Vec<Value>) {
        let path = format!("{V3}/sync?set_presence=offline&timeout={ms}&since={since}");
        let answer = self.get(viewer, &path).await.json;
        let events = answer["presence"]["events"].as_array().into_iter().flatten();
        let about = events.filter(|event| event["sender"] == user).map(|event| event["content"].clone());
        (answer["next_batch"].as_str().unwrap().to_owned(), about.collect())
    }
}
