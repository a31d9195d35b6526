//! Presence: the event that carries the hash of a user's union (draft C4, C5).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::membership::Kind;
use super::{State, UserKey};
use crate::reference::faults::Fault;

/// Whether a user is there, as `presence` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Availability {
    Online,
    Unavailable,
    #[default]
    Offline,
}

impl Availability {
    /// Reads Matrix's word for it.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "online" => Some(Self::Online),
            "unavailable" => Some(Self::Unavailable),
            "offline" => Some(Self::Offline),
            _ => None,
        }
    }

    /// Matrix's word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Unavailable => "unavailable",
            Self::Offline => "offline",
        }
    }
}

/// A user's presence, the hash aside.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) availability: Availability,
    pub(super) status_msg: Option<String>,
    pub(super) last_active: Option<Duration>,
    /// When anything about it, the hash included, last changed; 0 for never.
    pub(super) position: u64,
    /// What some faults put in the place of the hash.
    pub(super) forged: Option<Value>,
    /// Whether a hash of theirs has been told to another homeserver.
    pub(super) announced: bool,
}

/// By which way presence is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Status,
    InitialSync,
    IncrementalSync,
    Federation,
}

impl State {
    /// Sets what the user says of themselves; the hash is not theirs to say.
    pub(crate) fn set_presence(
        &mut self,
        now: Duration,
        user: UserKey,
        availability: Availability,
        status_msg: Option<String>,
    ) {
        let forged = self.has(Fault::StatusMessageDropsHash).then_some(Value::Null);
        let presence = &mut self.users[user.0].presence;
        presence.forged = forged;
        presence.availability = availability;
        presence.status_msg = status_msg;
        if availability != Availability::Offline {
            presence.last_active = Some(now);
        }
        self.publish_presence(user);
    }

    /// Puts something in the place of the hash.
    pub(crate) fn forge_hash(&mut self, user: UserKey, value: Option<Value>) {
        self.users[user.0].presence.forged = value;
    }

    /// A session syncs as `availability`; syncing as offline says nothing about the user.
    pub(crate) fn see(&mut self, now: Duration, user: UserKey, availability: Availability) {
        if availability == Availability::Offline {
            return;
        }
        let presence = &mut self.users[user.0].presence;
        presence.last_active = Some(now);
        if presence.availability != availability {
            presence.availability = availability;
            self.publish_presence(user);
        }
    }

    /// Tells of a user's presence that it has changed: here, and at other homeservers.
    pub(super) fn publish_presence(&mut self, user: UserKey) {
        self.show_presence(user);
        self.announce(user);
    }

    /// Marks a user's presence as changed, for everybody who shares a room and for their own sessions.
    pub(super) fn show_presence(&mut self, user: UserKey) {
        if self.rules.presence_enabled {
            self.users[user.0].presence.position = self.advance();
            let sharers = self.sharers(user);
            self.touched.extend(sharers);
            self.touched.insert(user);
            if self.has(Fault::StrangersAll) {
                self.touched.extend((0..self.users.len()).map(UserKey));
            }
        }
    }

    /// Everybody who shares a room with a user, both joined; the user, too, if in any room.
    fn sharers(&self, user: UserKey) -> BTreeSet<UserKey> {
        let mut sharers = BTreeSet::new();
        for room in self.joined_rooms_of(user) {
            sharers.extend(room.joined.keys().copied());
            if self.has(Fault::StrangersInvited) {
                sharers.extend(room.invited.iter().copied());
            }
        }
        sharers
    }

    /// Whether `viewer` may see `user`: the same, or both joined in one room.
    pub(crate) fn shares_room(&self, viewer: UserKey, user: UserKey) -> bool {
        viewer == user || self.joined_rooms_of(viewer).any(|room| room.joined.contains_key(&user))
    }

    /// Users whose presence `viewer` has not seen since a position: it changed, or they
    /// have begun to share a room.
    pub(super) fn unseen_presence(&self, viewer: UserKey, since: u64) -> BTreeSet<UserKey> {
        let mut unseen = BTreeSet::new();
        if !self.rules.presence_enabled {
            return unseen;
        }
        let changed = |user: UserKey| self.users[user.0].presence.position > since;
        for room in self.joined_rooms_of(viewer) {
            let joined = room.joined.get(&viewer).copied().unwrap_or(0);
            let waits = self.has(Fault::NewSharerWaits) && since > 0;
            let shared = |at: u64| !waits && (joined > since || at > since);
            let news = |(user, at): &(&UserKey, &u64)| shared(**at) || changed(**user);
            unseen.extend(room.joined.iter().filter(news).map(|(user, _)| *user));
        }
        if changed(viewer) {
            unseen.insert(viewer);
        }
        unseen.extend(self.unseen_strangers(viewer).filter(|user| changed(*user)));
        unseen
    }

    /// Users who share no room and whose presence a viewer gets all the same: none, but for faults.
    fn unseen_strangers(&self, viewer: UserKey) -> impl Iterator<Item = UserKey> {
        let everybody = if self.has(Fault::StrangersAll) { self.users.len() } else { 0 };
        let rooms = self.users[viewer.0].rooms.iter();
        let counted = rooms.filter(|(_, membership)| match membership.kind {
            Kind::Invited => self.has(Fault::StrangersInvited),
            Kind::Left => self.has(Fault::StrangersLeft),
            Kind::Joined | Kind::Banned => false,
        });
        let members = counted.filter_map(|(id, _)| self.rooms.get(id)).flat_map(|room| room.joined.keys());
        (0..everybody).map(UserKey).chain(members.copied())
    }

    /// The event that tells a user's presence.
    pub(super) fn presence_event(&self, now: Duration, user: UserKey, way: Way) -> Value {
        json!({
            "type": self.rules.presence_event,
            "sender": &*self.users[user.0].id,
            "content": self.presence_content(now, user, way),
        })
    }

    /// What is told of a user's presence, in events and as status.
    pub(crate) fn presence_content(&self, now: Duration, user: UserKey, way: Way) -> Value {
        let owner = &self.users[user.0];
        let mut content = Map::new();
        content.insert("presence".to_owned(), owner.presence.availability.word().into());
        if !self.rules.presence_enabled {
            return Value::Object(content);
        }
        if let Some(message) = &owner.presence.status_msg {
            content.insert("status_msg".to_owned(), message.as_str().into());
        }
        if let Some(active) = owner.presence.last_active {
            let ago = u64::try_from(now.saturating_sub(active).as_millis()).unwrap_or(u64::MAX);
            content.insert("last_active_ago".to_owned(), ago.into());
            let online = owner.presence.availability == Availability::Online;
            content.insert("currently_active".to_owned(), online.into());
        }
        if let Some(hash) = self.told_hash(now, user, way) {
            content.insert(self.rules.presence_field.clone(), hash);
        }
        Value::Object(content)
    }

    /// What presence tells as the hash of a user's union (draft C4).
    fn told_hash(&self, now: Duration, user: UserKey, way: Way) -> Option<Value> {
        let owner = &self.users[user.0];
        let silent = match way {
            Way::Status => self.has(Fault::StatusWithoutHash),
            Way::InitialSync => self.has(Fault::SyncInitialWithoutHash),
            Way::IncrementalSync => self.has(Fault::SyncIncrementalWithoutHash),
            Way::Federation => self.has(Fault::FedPresenceWithoutHash),
        };
        let synced = matches!(way, Way::InitialSync | Way::IncrementalSync);
        let unsynced = synced && self.has(Fault::SyncWithoutHash);
        let hidden =
            owner.presence.availability == Availability::Offline && self.has(Fault::OfflineHidesHash);
        if silent || unsynced || hidden {
            return None;
        }
        if let Some(forged) = &owner.presence.forged {
            return Some(forged.clone()).filter(|value| !value.is_null());
        }
        let behind = self.has(Fault::StatusBehind) && now < owner.union_since + Duration::from_millis(200);
        let before = owner.superseded.back().map(|(superseded, _)| superseded);
        let union = match way {
            Way::Status if behind => before,
            Way::Status if self.has(Fault::StatusOneLate) => before.or(owner.union.as_ref()),
            _ => owner.union.as_ref(),
        };
        let padded = self.has(Fault::HashPaddedInPresence)
            || (way == Way::Federation && self.has(Fault::FedPresencePadded));
        let padding = if padded { "=" } else { "" };
        union.map(|union| self.arithmetic().hash_in_answer(&format!("{}{padding}", union.hash)))
    }
}
