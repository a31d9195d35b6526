//! A room's state events, and the graph that they hang in where the server federates.
//!
//! There is no state resolution: of two events for one place, that of the greater depth stands, and
//! of two with the same depth the one that came later. Rooms of the suite have one resident
//! server and a few members, so that forks do not come about.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::State;
use super::membership::Kind;
use super::rooms::Room;
use crate::reference::federation::pdu::{Draft, Pdu};

/// State events that are kept of a room, by type; those of other types are passed over.
const TYPES: [&str; 7] = [
    "m.room.create",
    "m.room.member",
    "m.room.power_levels",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.canonical_alias",
    "m.room.name",
];
/// The largest integer that Canonical JSON holds.
const MAX_DEPTH: u64 = (1 << 53) - 1;
/// Predecessors that an event of ours names at most (Matrix specification, "Size limits").
const MAX_TIPS: usize = 20;
/// Replaced events that are kept, since those in force may rest on them.
const MAX_PAST: usize = 1_000;

/// The type as the state keeps it; `None` where it keeps none such.
pub(super) fn kept(kind: &str) -> Option<&'static str> {
    TYPES.into_iter().find(|kept| *kept == kind)
}

/// A state event.
#[derive(Clone, Debug)]
pub(super) struct StateEvent {
    pub(super) position: u64,
    pub(super) sender: Arc<str>,
    pub(super) content: Value,
    pub(super) sent_ms: u64,
    /// What other servers get of it; `None` where there is no federation, and in invitations.
    pub(super) pdu: Option<Arc<Pdu>>,
}

impl StateEvent {
    fn depth(&self) -> u64 {
        self.pdu.as_ref().map_or(0, |pdu| pdu.depth())
    }
}

/// Where new events hang.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Events that no other event names as its predecessor.
    tips: Vec<Arc<str>>,
    /// The greatest depth of any event.
    depth: u64,
    /// State events that others have replaced, the oldest first.
    past: VecDeque<Arc<Pdu>>,
}

impl Graph {
    fn next_depth(&self) -> u64 {
        (self.depth + 1).min(MAX_DEPTH)
    }

    /// Takes an event in at the end.
    fn append(&mut self, pdu: &Pdu) {
        self.tips.retain(|tip| !pdu.prev_events().iter().any(|named| **named == **tip));
        self.tips.push(pdu.id().clone());
        if self.tips.len() > MAX_TIPS {
            self.tips.remove(0);
        }
        self.depth = self.depth.max(pdu.depth());
    }
}

impl Room {
    /// The content of a state event.
    pub(super) fn content(&self, kind: &'static str, state_key: &str) -> Option<&Value> {
        self.state.get(&(kind, state_key.to_owned())).map(|event| &event.content)
    }

    /// How any user stands to the room, by the room's state.
    pub(super) fn standing(&self, user_id: &str) -> Option<Kind> {
        Kind::parse(self.content("m.room.member", user_id)?["membership"].as_str()?)
    }

    /// Whether an event is one of the room's: in force or replaced.
    pub(super) fn holds(&self, event_id: &str) -> bool {
        self.pdus().any(|pdu| **pdu.id() == *event_id)
    }

    /// The state as other servers get it.
    pub(super) fn state_pdus(&self) -> impl Iterator<Item = &Arc<Pdu>> {
        self.state.values().filter_map(|event| event.pdu.as_ref())
    }

    fn pdus(&self) -> impl Iterator<Item = &Arc<Pdu>> {
        self.state_pdus().chain(&self.graph.past)
    }

    /// Everything on which the state rests, as far as it is kept (Server-Server API, "auth chain").
    pub(super) fn auth_chain(&self) -> Vec<&Arc<Pdu>> {
        let known: BTreeMap<&str, &Arc<Pdu>> = self.pdus().map(|pdu| (&**pdu.id(), pdu)).collect();
        let mut open: Vec<&str> =
            self.state_pdus().flat_map(|pdu| pdu.auth_events()).map(String::as_str).collect();
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            if let Some((id, pdu)) = known.get_key_value(id)
                && found.insert(*id)
            {
                open.extend(pdu.auth_events().iter().map(String::as_str));
            }
        }
        found.into_iter().filter_map(|id| known.get(id).copied()).collect()
    }

    /// An event that would come next, by a sender about a subject.
    pub(super) fn draft<'a>(
        &self,
        room_id: &'a str,
        (sender, kind, state_key): (&'a str, &'a str, &'a str),
        content: Value,
        sent_ms: u64,
    ) -> Draft<'a> {
        Draft {
            room_id,
            sender,
            kind,
            state_key,
            prev_events: self.graph.tips.iter().map(ToString::to_string).collect(),
            auth_events: self.auth_events(sender, kind, state_key, &content),
            content,
            depth: self.graph.next_depth(),
            sent_ms,
        }
    }

    /// What authorises an event (Server-Server API, "Auth events selection").
    fn auth_events(&self, sender: &str, kind: &str, state_key: &str, content: &Value) -> Vec<String> {
        let mut places = vec![("m.room.create", ""), ("m.room.power_levels", ""), ("m.room.member", sender)];
        if kind == "m.room.create" {
            places.clear();
        }
        if kind == "m.room.member" {
            if state_key != sender {
                places.push(("m.room.member", state_key));
            }
            if matches!(content["membership"].as_str(), Some("join" | "invite")) {
                places.push(("m.room.join_rules", ""));
            }
        }
        let event = |(kind, key): (&'static str, &str)| self.state.get(&(kind, key.to_owned()));
        let ids = places.into_iter().filter_map(event).filter_map(|event| event.pdu.as_ref());
        ids.map(|pdu| pdu.id().to_string()).collect()
    }

    /// Puts a state event in its place, unless one of greater depth stands there; whether it was put.
    pub(super) fn put(&mut self, kind: &'static str, state_key: &str, event: StateEvent) -> bool {
        if let Some(pdu) = &event.pdu {
            self.graph.append(pdu);
        }
        let place = (kind, state_key.to_owned());
        if self.state.get(&place).is_some_and(|old| event.pdu.is_some() && old.depth() > event.depth()) {
            return false;
        }
        self.changed = event.position;
        if let Some(old) = self.state.insert(place, event).and_then(|old| old.pdu) {
            self.graph.past.push_back(old);
            if self.graph.past.len() > MAX_PAST {
                self.graph.past.pop_front();
            }
        }
        true
    }

    /// Hangs the room's next event behind one of ours that another homeserver has let in: it alone is
    /// known to come last.
    pub(super) fn rebase(&mut self, join: &Pdu) {
        self.graph.tips.clear();
        self.graph.depth = join.depth().min(MAX_DEPTH);
    }

    /// Takes in an event that changes no state that is kept.
    pub(super) fn pass(&mut self, pdu: &Pdu) {
        self.graph.append(pdu);
    }

    /// The power level of a user (Matrix specification, `m.room.power_levels`).
    pub(super) fn power(&self, user_id: &str) -> i64 {
        let Some(levels) = self.content("m.room.power_levels", "") else {
            return if *self.creator == *user_id { 100 } else { 0 };
        };
        levels["users"][user_id].as_i64().or_else(|| levels["users_default"].as_i64()).unwrap_or(0)
    }

    /// The power level that an action needs: `kick`, `ban`, `invite` or `state_default`.
    pub(super) fn needed(&self, action: &str) -> i64 {
        let usual = if action == "invite" { 0 } else { 50 };
        self.content("m.room.power_levels", "").and_then(|levels| levels[action].as_i64()).unwrap_or(usual)
    }
}

impl State {
    /// Makes an event of ours in a room, signed where the server federates.
    pub(super) fn mint(
        &self,
        now: Duration,
        room_id: &str,
        about: (&str, &str, &str),
        content: &Value,
    ) -> Option<Arc<Pdu>> {
        let (signer, room) = (self.signer.as_ref()?, self.rooms.get(room_id)?);
        let draft = room.draft(room_id, about, content.clone(), self.timestamp(now));
        // What a client could make too large for an event has been bounded before.
        signer.sign(room.version, &draft).ok().map(Arc::new)
    }

    /// Puts a state event of ours into a room.
    pub(super) fn put_state(
        &mut self,
        now: Duration,
        id: &str,
        sender: &Arc<str>,
        (kind, content): (&'static str, Value),
    ) {
        let pdu = self.mint(now, id, (sender, kind, ""), &content);
        let event = StateEvent {
            position: self.advance(),
            sender: sender.clone(),
            content,
            sent_ms: self.timestamp(now),
            pdu,
        };
        if let Some(room) = self.rooms.get_mut(id) {
            room.put(kind, "", event);
        }
    }
}

/// Who may do what in a new room: its creator everything, everybody else speak.
pub(super) fn power_levels(creator: &str) -> Value {
    json!({
        "users": { creator: 100 },
        "users_default": 0,
        "events_default": 0,
        "state_default": 50,
        "invite": 0,
        "kick": 50,
        "ban": 50,
        "redact": 50,
    })
}
