//! Presence between homeservers, without a network: what waits to be sent, and what has come in.

use serde_json::{Value, json};

use super::site::*;
use crate::reference::federation::test_kit::Peer;
use crate::reference::state::Transaction;

pub(super) const FIELD: &str = "org.matrix.capability_sets";

impl Site {
    /// All that waits for a homeserver.
    pub(super) fn transactions(&self, peer: &Peer) -> Vec<Transaction> {
        let next = || self.server.with(|state, now| state.next_transaction(now, &peer.name));
        std::iter::from_fn(next).collect()
    }

    /// What a homeserver is to be told of a user's hash: the last entry of all that waits for it.
    fn tells(&self, peer: &Peer, user: &str) -> Option<Value> {
        let mut last = None;
        for transaction in self.transactions(peer) {
            let edus = transaction.body["edus"].as_array().unwrap().clone();
            let entries = edus.iter().flat_map(|edu| edu["content"]["push"].as_array().unwrap());
            let about = entries.filter(|entry| entry["user_id"] == *user);
            last = about.map(|entry| entry.get(FIELD).cloned().unwrap_or_default()).next_back().or(last);
        }
        last
    }

    /// A homeserver sends a transaction with these entries.
    pub(super) async fn hears(&self, peer: &Peer, id: &str, entries: Value) {
        self.hears_all(peer, id, &[entries]).await;
    }

    /// The same with several EDUs.
    async fn hears_all(&self, peer: &Peer, id: &str, pushes: &[Value]) {
        let edu = |push: &Value| json!({ "edu_type": "m.presence", "content": { "push": push } });
        let edus: Vec<Value> = pushes.iter().map(edu).collect();
        let body = json!({ "origin": peer.name, "origin_server_ts": 1, "pdus": [], "edus": edus });
        let path = format!("/_matrix/federation/v1/send/{id}");
        let is_taken = self.signed(peer, "PUT", &path, Some(&body)).await.is_ok();
        self.check("federation.presence-in", "a transaction", is_taken);
    }
}

pub(super) fn entry(user: &str, field: Value) -> Value {
    json!({ "user_id": user, "presence": "offline", FIELD: field })
}

pub(super) fn of(name: &str) -> Value {
    json!({ "sha256": hash_of(set_of(&[name])) })
}

fn hash(name: &str) -> Option<String> {
    Some(hash_of(set_of(&[name])))
}

pub(super) async fn presence_out(site: &Site) {
    let (alice, beta, gamma) = (site.user("o-alice"), Peer::start("1").await, Peer::start("1").await);
    let check = |what: &str, holds: bool| site.check("federation.presence-out", what, holds);
    site.put(&alice, &set_of(&["m.one"])).await;
    let room = site.room(&alice, &[]).await;
    site.enters(&beta, &format!("@bob:{}", beta.name), &room).await;
    check("the value in force", site.tells(&beta, &alice.user) == Some(of("m.one")));
    site.put(&alice, &set_of(&["m.two"])).await;
    check("a change", site.tells(&beta, &alice.user) == Some(of("m.two")));
    site.enters(&gamma, &format!("@carol:{}", gamma.name), &room).await;
    check("to whoever joins later", site.tells(&gamma, &alice.user) == Some(of("m.two")));
    check("only to them", site.tells(&beta, &alice.user).is_none());
    site.put(&alice, &set_of(&["m.three"])).await;
    for peer in [&beta, &gamma] {
        check("to every server", site.tells(peer, &alice.user) == Some(of("m.three")));
    }
    site.post(&alice, "/logout", &json!({})).await;
    check("removal", site.tells(&beta, &alice.user) == Some(Value::Null));
}

pub(super) async fn presence_in(site: &Site) {
    let (alice, late, beta) = (site.user("i-alice"), site.user("i-late"), Peer::start("1").await);
    let check = |what: &str, holds: bool| site.check("federation.presence-in", what, holds);
    let room = site.room(&alice, &[]).await;
    let [bob, ben] = ["bob", "ben"].map(|name| format!("@{name}:{}", beta.name));
    for user in [&bob, &ben] {
        site.enters(&beta, user, &room).await;
    }
    let (since, _) = site.sync(&alice, None).await;
    site.hears(&beta, "1", json!([entry(&bob, of("m.bob")), entry(&ben, of("m.ben"))])).await;
    let (_, heard) = site.sync(&alice, Some(&since)).await;
    for (user, name) in [(&bob, "m.bob"), (&ben, "m.ben")] {
        check("incremental", heard.get(user) == Some(&hash(name)));
        check("status", site.status(&alice, user).await == hash(name));
        check("initial", site.sync(&alice, None).await.1.get(user) == Some(&hash(name)));
    }
    check("strangers", site.status(&late, &bob).await.is_none());
    let (since, _) = site.sync(&late, None).await;
    site.join(&late, &room).await;
    let heard = site.sync(&late, Some(&since)).await.1;
    check("a new sharer", heard.get(&bob) == Some(&hash("m.bob")));
    site.hears(&beta, "2", json!([entry(&bob, of("m.other"))])).await;
    site.hears(&beta, "1", json!([entry(&bob, of("m.bob"))])).await;
    check("once", site.status(&alice, &bob).await == hash("m.other"));
    let malformed = [json!("x"), json!({}), json!({ "sha256": "x" }), json!({ "sha256": 1 }), json!([])];
    for (nth, malformed) in malformed.into_iter().enumerate() {
        let rest = format!("m.rest{nth}");
        let id = format!("malformed-{nth}");
        site.hears(&beta, &id, json!([entry(&bob, malformed), entry(&ben, of(&rest))])).await;
        let path = format!("{V3}/presence/{}/status", crate::spec::binding::encode(&bob));
        let shown = site.get(&alice, &path).await.json;
        check("malformed", shown.get(FIELD).is_none_or(|field| *field == of("m.other")));
        check("the rest", site.status(&alice, &ben).await == hash(&rest));
    }
    let edus = [json!([entry(&ben, of("m.ben"))]), json!([entry(&bob, of("m.bob"))])];
    site.hears_all(&beta, "3", &edus).await;
    for (user, name) in [(&bob, "m.bob"), (&ben, "m.ben")] {
        check("every EDU", site.status(&alice, user).await == hash(name));
    }
    site.hears(&beta, "4", json!([{ "user_id": bob, "presence": "offline" }, entry(&ben, Value::Null)]))
        .await;
    for user in [&bob, &ben] {
        check("removal", site.status(&alice, user).await.is_none());
    }
}

pub(super) async fn presence_spoof(site: &Site) {
    let (alice, viewer) = (site.user("s-alice"), site.user("s-viewer"));
    let (beta, gamma) = (Peer::start("1").await, Peer::start("1").await);
    let check = |what: &str, holds: bool| site.check("federation.presence-spoof", what, holds);
    let room = site.room(&alice, &[&viewer]).await;
    let (bob, carol) = (format!("@bob:{}", beta.name), format!("@carol:{}", gamma.name));
    site.enters(&beta, &bob, &room).await;
    site.enters(&gamma, &carol, &room).await;
    site.put(&alice, &set_of(&["m.alice"])).await;
    site.hears(&gamma, "1", json!([entry(&carol, of("m.carol"))])).await;
    let forged =
        [&*alice.user, &*carol, "@nobody:nowhere", "no user"].map(|user| entry(user, of("m.forged")));
    let mut entries = forged.to_vec();
    entries.push(entry(&bob, of("m.bob")));
    site.hears(&beta, "1", entries.into()).await;
    for (user, name) in [(&carol, "m.carol"), (&alice.user, "m.alice"), (&bob, "m.bob")] {
        check(user, site.status(&viewer, user).await == hash(name));
    }
}
