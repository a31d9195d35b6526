//! A user of a homeserver of the harness.

use serde_json::Value;

use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::wire::peer::{Answer, RoomFault};

use super::{RemoteServer, Room};

/// A user of a homeserver of the harness.
#[derive(Clone, Debug)]
pub struct RemoteUser {
    server: RemoteServer,
    id: String,
    name: &'static str,
}

impl RemoteUser {
    pub(super) fn new(server: RemoteServer, id: String, name: &'static str) -> Self {
        Self { server, id, name }
    }

    /// The homeserver that the user is of.
    pub fn server(&self) -> &RemoteServer {
        &self.server
    }

    /// The full user ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name by which reports call this user.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Joins a room of the target.
    pub async fn join(&self, room: &Room) -> Result<(), Stop> {
        let server = &self.server;
        let joined = server.peer().join(server.client(), server.destination(), room.id(), &self.id).await;
        joined.map_err(|fault| self.stopped("joining", fault))
    }

    /// Leaves a room of the target.
    pub async fn leave(&self, room: &Room) -> Result<(), Stop> {
        let server = &self.server;
        let left = server.peer().leave(server.client(), server.destination(), room.id(), &self.id).await;
        left.map_err(|fault| self.stopped("leaving", fault))
    }

    fn stopped(&self, doing: &str, fault: RoomFault) -> Stop {
        let reason = format!("prerequisite: {}'s {doing} a room of the target: {}", self.name, fault.reason);
        Stop::Untestable { reason, exchange: fault.exchange }
    }

    /// Has the homeserver answer so when it is asked for this hash of the user.
    pub fn answers(&self, hash: &CapabilityHash, answer: Answer) {
        self.server.peer().script().resolve(&self.id, hash.as_str(), answer);
    }

    /// Has the homeserver answer honestly when it is asked for a set of the user.
    pub fn can_answer(&self, set: &CapabilitySet) {
        self.server.note(&format!("the set of {}", self.name), set);
        self.answers(&set.hash(), Answer::Set(set.canonical_bytes().into()));
    }

    /// Declares a set in presence, and can answer for it.
    pub async fn publish(&self, set: &CapabilitySet) -> Result<(), Stop> {
        self.server.tell(&[self.entry(set)]).await
    }

    /// The presence entry that declares a set, for which the homeserver can answer from now on: a target
    /// may ask as soon as it is told.
    pub fn entry(&self, set: &CapabilitySet) -> Value {
        self.can_answer(set);
        self.server.entry_about(self, set)
    }

    /// The same of a user who is offline, which takes nothing from what they declared.
    pub fn entry_offline(&self, set: &CapabilitySet) -> Value {
        let mut entry = self.entry(set);
        entry["presence"] = "offline".into();
        entry
    }

    /// The presence entry with this for a field.
    pub fn entry_with(&self, field: &Value) -> Value {
        self.server.presence_entry(&self.id, Some(field))
    }

    /// The presence entry that says that there is no hash.
    pub fn entry_without(&self) -> Value {
        self.server.presence_entry(&self.id, None)
    }
}
