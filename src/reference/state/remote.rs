//! Users of other homeservers: which of our rooms they are in, and what their servers say of their presence.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::presence::Availability;
use super::{State, UserKey, Way};
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::federation::pdu::server_of;
use crate::reference::variants::Variant;

/// Users of other servers that are remembered at once.
const MAX_GUESTS: usize = 20_000;
/// The longest status message that is kept, in bytes.
const MAX_STATUS_MSG: usize = 1 << 10;

/// The users of other homeservers, by full ID.
#[derive(Debug, Default)]
pub(super) struct Guests {
    known: HashMap<Arc<str>, Guest>,
}

/// A user of another homeserver.
#[derive(Debug, Default)]
struct Guest {
    /// The rooms of ours that they have joined.
    rooms: BTreeSet<String>,
    /// What their server last said. It may come before the answer that tells us of the room.
    presence: Option<Told>,
}

/// The presence of a user of another homeserver.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    /// When it last changed.
    position: u64,
    availability: Availability,
    status_msg: Option<String>,
    last_active: Option<Duration>,
    /// What is shown in the hash's place.
    hash: Option<Value>,
}

impl Guests {
    /// Notes that a user has joined a room.
    pub(super) fn enter(&mut self, user_id: &Arc<str>, room: &str) {
        self.known.entry(user_id.clone()).or_default().rooms.insert(room.to_owned());
    }

    /// Notes that a user is in a room no longer; of whoever is in none, nothing is remembered.
    pub(super) fn leave(&mut self, user_id: &str, room: &str) {
        let Some(guest) = self.known.get_mut(user_id) else { return };
        let was_in = guest.rooms.remove(room);
        if was_in && guest.rooms.is_empty() {
            self.known.remove(user_id);
        }
    }

    /// Whether so many more can be remembered. Those in no room make way.
    fn has_space(&mut self, more: usize) -> bool {
        if self.known.len() + more > MAX_GUESTS {
            self.known.retain(|_, guest| !guest.rooms.is_empty());
        }
        self.known.len() + more <= MAX_GUESTS
    }

    fn rooms(&self, user_id: &str) -> impl Iterator<Item = &String> {
        self.known.get(user_id).into_iter().flat_map(|guest| &guest.rooms)
    }

    fn told(&self, user_id: &str) -> Option<&Told> {
        self.known.get(user_id)?.presence.as_ref()
    }
}

impl State {
    /// Whether a homeserver has a joined user in a room where `user` is joined.
    pub(crate) fn server_shares_room(&self, server: &str, user: UserKey) -> bool {
        self.joined_rooms_of(user).any(|room| room.guests.keys().any(|guest| server_of(guest) == server))
    }

    /// Whether a local user and one of another homeserver, by full ID, are joined in one room.
    pub(crate) fn shares_room_with_remote(&self, viewer: UserKey, remote: &str) -> bool {
        let joined = |id: &String| self.rooms.get(id).is_some_and(|room| room.joined.contains_key(&viewer));
        self.guests.rooms(remote).any(joined)
    }

    /// Keeps a set that another homeserver answered, under the hash that was computed here.
    pub(crate) fn keep_fetched(&mut self, now: Duration, set: Arc<Set>) {
        self.insert_set(now, set);
    }

    /// A set that this server knows, from wherever.
    pub(crate) fn known(&self, now: Duration, hash: &str) -> Option<Arc<Set>> {
        self.known_set(now, hash)
    }

    /// Refuses to let so many more users of other homeservers in, where there are too many.
    pub(super) fn check_guests(&mut self, more: usize) -> Result<(), MatrixError> {
        match self.guests.has_space(more) {
            true => Ok(()),
            false => Err(MatrixError::limit_exceeded("This server knows too many users of others")),
        }
    }

    /// Takes in the entries of a presence EDU (Server-Server API, "Presence"): those about users of
    /// its origin, and of nobody else.
    pub(crate) fn receive_presence(&mut self, now: Duration, origin: &str, entries: &[Value]) {
        if !self.rules.presence_enabled || self.has(Fault::FedPresenceInIgnored) {
            return;
        }
        let foreign = |entry: &Value| server_of(entry["user_id"].as_str().unwrap_or_default()) != origin;
        let drops = (self.has(Fault::FedPresenceSpoofDropsRest) && entries.iter().any(foreign))
            || (self.has(Fault::FedPresenceInMalformedEnds)
                && entries.iter().any(|entry| self.read_hash(entry).is_err()));
        if drops {
            return;
        }
        for entry in self.read_entries(entries) {
            let Some(user_id) = entry["user_id"].as_str().filter(|id| self.may_speak_for(origin, id)) else {
                continue;
            };
            match self.find_user(user_id) {
                Some(user) => self.replace_hash(user, entry),
                None => self.receive_entry(now, user_id, entry),
            }
        }
    }

    /// The entries of an EDU that are looked at: all of them.
    fn read_entries<'a>(&self, entries: &'a [Value]) -> &'a [Value] {
        match entries {
            [first, ..] if self.has(Fault::FedPresenceInFirstEntry) => std::slice::from_ref(first),
            [.., last] if self.has(Fault::FedPresenceInLastEntry) => std::slice::from_ref(last),
            _ => entries,
        }
    }

    /// Whether a homeserver may say what a user's presence is: its own users', and nobody else's.
    fn may_speak_for(&self, origin: &str, user_id: &str) -> bool {
        let server = server_of(user_id);
        if server == self.rules.server_name {
            return self.has(Fault::FedPresenceSpoofOwn);
        }
        ruma_common::UserId::parse(user_id).is_ok()
            && (server == origin || self.has(Fault::FedPresenceSpoofOthers))
    }

    /// What another server says of one of our own users, under a fault that believes it.
    fn replace_hash(&mut self, user: UserKey, entry: &Value) {
        let hash = entry.get(&self.rules.presence_field).cloned();
        self.forge_hash(user, hash);
        self.show_presence(user);
    }

    fn receive_entry(&mut self, now: Duration, user_id: &str, entry: &Value) {
        let old = self.guests.told(user_id).cloned();
        let is_offline = entry["presence"] == Availability::Offline.word();
        let hash = match self.read_hash(entry) {
            Ok(Some(_)) if self.has(Fault::FedPresenceInHashDropped) => None,
            Ok(Some(_)) if is_offline && self.has(Fault::FedPresenceInOfflineDropped) => None,
            Ok(Some(hash)) => Some(hash),
            Ok(None) if self.has(Fault::FedPresenceInRemovalIgnored) => {
                old.as_ref().and_then(|old| old.hash.clone())
            }
            Ok(None) => None,
            Err(_) if self.may(Variant::FedMalformedKeeps) => old.as_ref().and_then(|old| old.hash.clone()),
            // What cannot be read counts as absent: an earlier hash goes.
            Err(malformed) => self.has(Fault::FedPresenceInMalformedShown).then_some(malformed),
        };
        let ago = entry["last_active_ago"].as_u64().map(Duration::from_millis);
        let message = entry["status_msg"].as_str().filter(|message| message.len() <= MAX_STATUS_MSG);
        let mut told = Told {
            position: old.as_ref().map_or(0, |old| old.position),
            availability: entry["presence"].as_str().and_then(Availability::parse).unwrap_or_default(),
            status_msg: message.map(str::to_owned),
            last_active: ago.map(|ago| now.saturating_sub(ago)),
            hash,
        };
        let same = |old: &Told| {
            (old.availability, &old.status_msg, &old.hash)
                == (told.availability, &told.status_msg, &told.hash)
        };
        let news = !old.as_ref().is_some_and(same);
        if news {
            told.position = self.advance();
        }
        if !self.guests.known.contains_key(user_id) && !self.guests.has_space(1) {
            return;
        }
        self.guests.known.entry(user_id.into()).or_default().presence = Some(told);
        if news {
            let rooms = self.guests.rooms(user_id).filter_map(|id| self.rooms.get(id));
            self.touched.extend(rooms.flat_map(|room| room.joined.keys().copied()));
        }
    }

    /// What an entry says of the hash, as it is shown; what cannot be read comes back as the error.
    fn read_hash(&self, entry: &Value) -> Result<Option<Value>, Value> {
        let field = match entry.get(&self.rules.presence_field) {
            None | Some(Value::Null) => return Ok(None),
            Some(field) => field,
        };
        let arithmetic = self.arithmetic();
        let hash =
            field.get("sha256").and_then(Value::as_str).and_then(|hash| arithmetic.hash_in_request(hash));
        hash.map(|hash| Some(arithmetic.hash_in_answer(&hash))).ok_or_else(|| field.clone())
    }

    /// The presence events of users of other homeservers that `viewer` has not seen since a position.
    pub(super) fn unseen_guests(&self, now: Duration, viewer: UserKey, since: u64, way: Way) -> Vec<Value> {
        let mut unseen = BTreeSet::new();
        let waits = self.has(Fault::FedPresenceInNewSharerWaits) && way == Way::IncrementalSync;
        for room in self.joined_rooms_of(viewer).filter(|_| self.rules.presence_enabled) {
            let joined = room.joined.get(&viewer).copied().unwrap_or(0);
            let news = |(guest, at): &(&Arc<str>, &u64)| {
                let changed = self.guests.told(guest).is_some_and(|told| told.position > since);
                changed || (!waits && (joined > since || **at > since))
            };
            unseen.extend(room.guests.iter().filter(news).map(|(guest, _)| guest));
        }
        if self.has(Fault::FedPresenceInStrangers) {
            let is_news = |guest: &Guest| guest.presence.as_ref().is_some_and(|told| told.position > since);
            unseen.extend(self.guests.known.iter().filter(|(_, guest)| is_news(guest)).map(|(id, _)| id));
        }
        let told = unseen.into_iter().filter_map(|guest| Some((guest, self.guests.told(guest)?)));
        let event = |(guest, told): (&Arc<str>, &Told)| {
            json!({
                "type": self.rules.presence_event,
                "sender": &**guest,
                "content": self.guest_content(now, told, way),
            })
        };
        told.map(event).collect()
    }

    /// The presence of a user of another homeserver, for whoever shares a room with them.
    pub(crate) fn guest_status(&self, now: Duration, viewer: UserKey, user_id: &str) -> Option<Value> {
        let is_visible =
            self.shares_room_with_remote(viewer, user_id) || self.has(Fault::FedPresenceInStrangers);
        is_visible.then(|| match self.guests.told(user_id) {
            Some(told) => self.guest_content(now, told, Way::Status),
            None => json!({ "presence": Availability::Offline.word() }),
        })
    }

    fn guest_content(&self, now: Duration, told: &Told, way: Way) -> Value {
        let mut content = Map::new();
        content.insert("presence".to_owned(), told.availability.word().into());
        if let Some(message) = &told.status_msg {
            content.insert("status_msg".to_owned(), message.as_str().into());
        }
        if let Some(active) = told.last_active {
            let ago = u64::try_from(now.saturating_sub(active).as_millis()).unwrap_or(u64::MAX);
            content.insert("last_active_ago".to_owned(), ago.into());
            let online = told.availability == Availability::Online;
            content.insert("currently_active".to_owned(), online.into());
        }
        let hidden = match way {
            Way::Status => self.has(Fault::FedPresenceInNotInStatus),
            _ => self.has(Fault::FedPresenceInNotInSync),
        };
        if let Some(hash) = told.hash.as_ref().filter(|_| !hidden) {
            content.insert(self.rules.presence_field.clone(), hash.clone());
        }
        Value::Object(content)
    }

    /// Whether a user of another homeserver has ever been heard of here.
    pub(crate) fn knows_remote(&self, user_id: &str) -> bool {
        self.guests.known.contains_key(user_id)
    }

    /// The hash that presence last carried for a user of another homeserver.
    pub(crate) fn remote_hash(&self, user_id: &str) -> Option<&str> {
        self.guests.told(user_id)?.hash.as_ref()?.get("sha256")?.as_str()
    }
}
