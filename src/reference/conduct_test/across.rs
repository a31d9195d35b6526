//! Presence between homeservers, without a network: what waits to be sent, and what has come in.

use std::sync::Arc;

use bytes::Bytes;
use ruma_signatures::Ed25519KeyPair;
use serde_json::{Value, json};

use super::site::*;
use crate::reference::federation::pdu::{Draft, RoomVersion, Signer};
use crate::reference::federation::receive_transaction;
use crate::reference::http::Call;
use crate::reference::routes::Variables;
use crate::reference::state::Kind;

const FIELD: &str = "org.matrix.capability_sets";

/// Another homeserver, as far as this one sees it.
struct Elsewhere<'a> {
    site: &'a Site,
    name: &'static str,
    signer: Signer,
}

fn signer(name: &str) -> Signer {
    let key = Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), "1".to_owned()).unwrap();
    Signer::new(name, Arc::new(key))
}

impl<'a> Elsewhere<'a> {
    fn new(site: &'a Site, name: &'static str) -> Self {
        Self { site, name, signer: signer(name) }
    }

    /// A user of its own joins a room, by the event that is offered.
    fn joins(&self, room: &str, user: &str) {
        self.site.server.with(|state, now| {
            let (version, offered) = state.offer(now, room, user, Kind::Joined).unwrap();
            assert_eq!(version, RoomVersion::V10);
            let ids = |name: &str| serde_json::from_value(offered[name].clone()).unwrap();
            let draft = Draft {
                room_id: room,
                sender: user,
                kind: "m.room.member",
                state_key: user,
                content: offered["content"].clone(),
                prev_events: ids("prev_events"),
                auth_events: ids("auth_events"),
                depth: offered["depth"].as_u64().unwrap(),
                sent_ms: 1,
            };
            state.admit(now, self.signer.sign(version, &draft).unwrap()).unwrap();
        });
    }

    /// What it is told of a user's hash in all that waits for it: the last entry, if there is any.
    fn is_told(&self, user: &str) -> Option<Value> {
        let mut last = None;
        while let Some(transaction) =
            self.site.server.with(|state, now| state.next_transaction(now, self.name))
        {
            let edus = transaction.body["edus"].as_array().unwrap().clone();
            let entries = edus.iter().flat_map(|edu| edu["content"]["push"].as_array().unwrap());
            let about = entries.filter(|entry| entry["user_id"] == *user);
            last = about.map(|entry| entry.get(FIELD).cloned().unwrap_or_default()).last().or(last);
        }
        last
    }

    /// It sends a transaction with these entries.
    async fn sends(&self, id: &str, entries: Value) {
        let edus = json!([{ "edu_type": "m.presence", "content": { "push": entries } }]);
        let body = json!({ "origin": self.name, "origin_server_ts": 1, "pdus": [], "edus": edus });
        let variables = Variables::of([("txn_id", id)]);
        let call =
            Call { session: None, variables, query: String::new(), body: Bytes::from(body.to_string()) };
        assert!(receive_transaction(&self.site.server, self.name, &call).await.is_ok());
    }
}

fn entry(user: &str, field: Value) -> Value {
    json!({ "user_id": user, "presence": "offline", FIELD: field })
}

fn of(name: &str) -> Value {
    json!({ "sha256": hash_of(set_of(&[name])) })
}

fn hash(name: &str) -> Option<String> {
    Some(hash_of(set_of(&[name])))
}

pub(super) async fn presence_out(site: &Site) {
    site.server.with(|state, _| state.federate(signer("hs")));
    let (alice, beta, gamma) =
        (site.user("o-alice"), Elsewhere::new(site, "beta"), Elsewhere::new(site, "gamma"));
    let check = |what: &str, holds: bool| site.check("federation.presence-out", what, holds);
    site.put(&alice, &set_of(&["m.one"])).await;
    let room = site.room(&alice, &[]).await;
    beta.joins(&room, "@bob:beta");
    check("the value in force", beta.is_told(&alice.user) == Some(of("m.one")));
    site.put(&alice, &set_of(&["m.two"])).await;
    check("a change", beta.is_told(&alice.user) == Some(of("m.two")));
    gamma.joins(&room, "@carol:gamma");
    check("to whoever joins later", gamma.is_told(&alice.user) == Some(of("m.two")));
    check("only to them", beta.is_told(&alice.user).is_none());
    site.put(&alice, &set_of(&["m.three"])).await;
    for elsewhere in [&beta, &gamma] {
        check("to every server", elsewhere.is_told(&alice.user) == Some(of("m.three")));
    }
    site.post(&alice, "/logout", &json!({})).await;
    check("removal", beta.is_told(&alice.user) == Some(Value::Null));
}

pub(super) async fn presence_in(site: &Site) {
    site.server.with(|state, _| state.federate(signer("hs")));
    let (alice, beta, late) = (site.user("i-alice"), Elsewhere::new(site, "beta"), site.user("i-late"));
    let check = |what: &str, holds: bool| site.check("federation.presence-in", what, holds);
    let room = site.room(&alice, &[]).await;
    let [bob, ben] = ["@bob:beta", "@ben:beta"];
    beta.joins(&room, bob);
    beta.joins(&room, ben);
    let (since, _) = site.sync(&alice, None).await;
    beta.sends("1", json!([entry(bob, of("m.bob")), entry(ben, of("m.ben"))])).await;
    let (_, heard) = site.sync(&alice, Some(&since)).await;
    for (user, name) in [(bob, "m.bob"), (ben, "m.ben")] {
        check("incremental", heard.get(user) == Some(&hash(name)));
        check("status", site.status(&alice, user).await == hash(name));
        check("initial", site.sync(&alice, None).await.1.get(user) == Some(&hash(name)));
    }
    check("strangers", site.status(&late, bob).await.is_none());
    let (since, _) = site.sync(&late, None).await;
    site.join(&late, &room).await;
    let heard = site.sync(&late, Some(&since)).await.1;
    check("a new sharer", heard.get(bob) == Some(&hash("m.bob")));
    beta.sends("2", json!([entry(bob, of("m.other"))])).await;
    beta.sends("1", json!([entry(bob, of("m.bob"))])).await;
    check("once", site.status(&alice, bob).await == hash("m.other"));
    for malformed in [json!("x"), json!({}), json!({ "sha256": "x" }), json!({ "sha256": 1 }), json!([])] {
        let id = format!("malformed {malformed}");
        beta.sends(&id, json!([entry(bob, malformed), entry(ben, of(&id))])).await;
        let shown = site.status(&alice, bob).await;
        check("malformed", shown.is_none() || shown == hash("m.other"));
        check("the rest", site.status(&alice, ben).await == hash(&id));
    }
    beta.sends("3", json!([entry(bob, of("m.bob"))])).await;
    beta.sends("4", json!([{ "user_id": bob, "presence": "offline" }, entry(ben, Value::Null)])).await;
    for user in [bob, ben] {
        check("removal", site.status(&alice, user).await.is_none());
    }
}

pub(super) async fn presence_spoof(site: &Site) {
    site.server.with(|state, _| state.federate(signer("hs")));
    let (alice, viewer) = (site.user("s-alice"), site.user("s-viewer"));
    let (beta, gamma) = (Elsewhere::new(site, "beta"), Elsewhere::new(site, "gamma"));
    let check = |what: &str, holds: bool| site.check("federation.presence-spoof", what, holds);
    let room = site.room(&alice, &[&viewer]).await;
    let [bob, carol] = ["@bob:beta", "@carol:gamma"];
    beta.joins(&room, bob);
    gamma.joins(&room, carol);
    site.put(&alice, &set_of(&["m.alice"])).await;
    gamma.sends("1", json!([entry(carol, of("m.carol"))])).await;
    let forged = ["@s-alice:hs", carol, "@nobody:hs", "no user"].map(|user| entry(user, of("m.forged")));
    let mut entries = forged.to_vec();
    entries.push(entry(bob, of("m.bob")));
    beta.sends("1", entries.into()).await;
    for (user, name) in [(carol, "m.carol"), (&*alice.user, "m.alice"), (bob, "m.bob")] {
        check(user, site.status(&viewer, user).await == hash(name));
    }
}
