//! What other homeservers are still to be told: events in their order, and whose presence has changed.
//!
//! Of presence only the fact is kept that it changed: what is sent is the value at the time of sending,
//! so that of several changes the last one wins.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::membership::Member;
use super::{State, UserKey, Way};
use crate::reference::faults::Fault;
use crate::reference::federation::pdu::Pdu;
use crate::reference::variants::Variant;

/// Homeservers for which something waits; what concerns further ones is lost.
pub(crate) const MAX_DESTINATIONS: usize = 1_000;
/// Events that wait for one homeserver; beyond, the oldest is lost.
const MAX_WAITING: usize = 1_000;
/// What one transaction holds (Server-Server API, "Transactions").
const PDUS: usize = 50;
/// Users whose presence one transaction tells.
const ENTRIES: usize = 100;

/// What waits, by homeserver.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    queues: BTreeMap<String, Queue>,
    /// Transactions so far; each has an ID of its own.
    transactions: u64,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Arc<Pdu>>,
    presence: BTreeSet<UserKey>,
    /// Whether somebody is at work on it.
    under_way: bool,
}

/// What a homeserver is told at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Outgoing {
    fn queue(&mut self, server: &str) -> Option<&mut Queue> {
        if self.queues.len() >= MAX_DESTINATIONS && !self.queues.contains_key(server) {
            return None;
        }
        Some(self.queues.entry(server.to_owned()).or_default())
    }
}

impl State {
    /// Passes an event on to the other homeservers in a room, and to those that were in it before;
    /// not to the one that it comes from.
    pub(super) fn send_event(&mut self, id: &str, before: &BTreeSet<String>, pdu: &Arc<Pdu>) {
        for server in self.servers_in(id).union(before) {
            if server == pdu.server() {
                continue;
            }
            if let Some(queue) = self.outgoing.queue(server) {
                queue.events.push_back(pdu.clone());
                if queue.events.len() > MAX_WAITING {
                    queue.events.pop_front();
                }
            }
        }
    }

    /// Tells the other homeservers in a room about somebody who has just joined, as far as it is news
    /// to them: the presence of a user of ours, or that of all of ours to a server that was not there before.
    pub(super) fn introduce(&mut self, id: &str, newcomer: &Member, before: &BTreeSet<String>) {
        if self.has(Fault::FedPresenceNotToNewcomers) {
            return;
        }
        let Some(room) = self.rooms.get(id) else { return };
        match newcomer {
            Member::Local(user) => self.send_presence(&self.servers_in(id), &[*user]),
            Member::Guest(_) => {
                let ours: Vec<UserKey> = room.joined.keys().copied().collect();
                let new = self.servers_in(id).difference(before).cloned().collect();
                self.send_presence(&new, &ours);
            }
        }
    }

    /// Tells every homeserver that shares a room with a user that their presence has changed.
    pub(super) fn announce(&mut self, user: UserKey) {
        let owner = &self.users[user.0];
        let unsent = (self.has(Fault::FedPresenceFirstOnly) && owner.presence.announced)
            || (self.has(Fault::FedPresenceRemovalUnsent) && owner.union.is_none());
        if self.signer.is_none() || unsent {
            return;
        }
        let rooms: Vec<&String> = owner.rooms.keys().collect();
        let joined = rooms
            .into_iter()
            .filter(|id| self.rooms.get(*id).is_some_and(|room| room.joined.contains_key(&user)));
        let servers = joined.flat_map(|id| {
            let servers = self.servers_in(id);
            let most = if self.has(Fault::FedPresenceOneServer) { 1 } else { usize::MAX };
            servers.into_iter().take(most)
        });
        self.send_presence(&servers.collect(), &[user]);
    }

    fn send_presence(&mut self, servers: &BTreeSet<String>, users: &[UserKey]) {
        if !self.rules.presence_enabled || self.has(Fault::FedPresenceSilent) || users.is_empty() {
            return;
        }
        for server in servers {
            if let Some(queue) = self.outgoing.queue(server) {
                queue.presence.extend(users);
            }
        }
    }

    /// Homeservers for which something waits and at which nobody is at work; whoever asks is now.
    pub(crate) fn take_destinations(&mut self, most: usize) -> Vec<String> {
        let idle = self.outgoing.queues.iter_mut().filter(|(_, queue)| !queue.under_way).take(most);
        idle.map(|(server, queue)| {
            queue.under_way = true;
            server.clone()
        })
        .collect()
    }

    /// Whether there is something that nobody is at work on.
    pub(crate) fn has_mail(&self) -> bool {
        self.outgoing.queues.values().any(|queue| !queue.under_way)
    }

    /// The next thing to tell a homeserver; with nothing left, the work on it is done.
    pub(crate) fn next_transaction(&mut self, now: Duration, server: &str) -> Option<Transaction> {
        let (events, users) = self.next_batch(server)?;
        for user in &users {
            let has_hash = self.users[user.0].union.is_some();
            self.users[user.0].presence.announced |= has_hash;
        }
        let push: Vec<Value> = users.iter().map(|user| self.push_entry(now, *user)).collect();
        let mut body = json!({
            "origin": self.rules.server_name,
            "origin_server_ts": self.timestamp(now),
            "pdus": events.iter().map(|pdu| pdu.json()).collect::<Vec<_>>(),
            "edus": self.edus(push),
        });
        if self.may(Variant::FedEdusExtraKeys) {
            note(&mut body);
        }
        self.outgoing.transactions += 1;
        let id = format!("{}-{}", self.rules.epoch_ms, self.outgoing.transactions);
        match self.may(Variant::FedTransactionIds) {
            true => Some(Transaction { id: format!("{id} é/%2F+?&#"), body }),
            false => Some(Transaction { id, body }),
        }
    }

    /// The EDUs that tell these entries: one, or as a freedom has it.
    fn edus(&self, push: Vec<Value>) -> Vec<Value> {
        if push.is_empty() {
            return Vec::new();
        }
        let edu =
            |push: &[Value]| json!({ "edu_type": self.rules.presence_edu, "content": { "push": push } });
        let apart = if self.may(Variant::FedEdusApart) { 1 } else { push.len() };
        let mut edus: Vec<Value> = push.chunks(apart).map(edu).collect();
        if self.may(Variant::FedEdusExtraKeys) {
            for edu in &mut edus {
                note(edu);
                note(&mut edu["content"]);
            }
        }
        if self.may(Variant::FedEdusOthers) {
            let someone = &push[0]["user_id"];
            let room = "!elsewhere:example.org";
            let typing = json!({ "room_id": room, "user_id": someone, "typing": true });
            let read = json!({ "event_ids": ["$event"], "data": { "ts": 1 } });
            let receipt = json!({ room: { "m.read": { someone.as_str().unwrap_or_default(): read } } });
            edus.insert(0, json!({ "edu_type": "m.typing", "content": typing }));
            edus.push(json!({ "edu_type": "m.receipt", "content": receipt }));
            edus.push(json!({ "edu_type": "org.capcheck.note", "content": { "push": "nothing" } }));
        }
        edus
    }

    /// Events, and users whose presence follows them: it is the events that say who shares a room.
    fn next_batch(&mut self, server: &str) -> Option<(Vec<Arc<Pdu>>, Vec<UserKey>)> {
        let queue = self.outgoing.queues.get_mut(server)?;
        if !queue.events.is_empty() {
            let events = queue.events.drain(..queue.events.len().min(PDUS)).collect();
            let most = if queue.events.is_empty() { ENTRIES } else { 0 };
            return Some((events, self.next_users(server, most)));
        }
        let users = self.next_users(server, ENTRIES);
        if users.is_empty() {
            self.give_up(server);
            return None;
        }
        Some((Vec::new(), users))
    }

    /// Whoever has stopped sharing a room with a server since is none of its business any more.
    fn next_users(&mut self, server: &str, most: usize) -> Vec<UserKey> {
        let mut users = Vec::new();
        let most = if self.may(Variant::FedTransactionsApart) { most.min(1) } else { most };
        while users.len() < most {
            let next = self.outgoing.queues.get_mut(server).and_then(|queue| queue.presence.pop_first());
            let Some(user) = next else { break };
            if self.server_shares_room(server, user) {
                users.push(user);
            }
        }
        if self.may(Variant::FedPresenceRepeated) && !users.is_empty() {
            let others = (0..self.users.len()).map(UserKey).filter(|user| !users.contains(user));
            let others = others.filter(|user| self.server_shares_room(server, *user));
            users = others.take(most - users.len()).chain(users.iter().copied()).collect();
        }
        users
    }

    /// Forgets what waits for a homeserver: nothing, or what it cannot be told.
    pub(crate) fn give_up(&mut self, server: &str) {
        self.outgoing.queues.remove(server);
    }

    /// An entry of a presence EDU: what clients get, and whose it is.
    fn push_entry(&self, now: Duration, user: UserKey) -> Value {
        let mut entry = self.presence_content(now, user, Way::Federation);
        entry["user_id"] = (**self.user_id(user)).into();
        if self.may(Variant::FedEdusExtraKeys) {
            note(&mut entry);
        }
        let field = &self.rules.presence_field;
        if entry.get(field).is_none() && self.may(Variant::FedNoHashNull) {
            entry[field] = Value::Null;
        } else if entry.get(field).is_none() && self.may(Variant::FedNoHashEmpty) {
            entry[field] = self.arithmetic().hash_in_answer(&self.arithmetic().of([]).hash);
        }
        entry
    }
}

/// Puts a key into an object that nobody knows.
fn note(object: &mut Value) {
    object["org.capcheck.note"] = json!({ "push": [], "sha256": "no hash", "user_id": "@nobody:nowhere" });
}
