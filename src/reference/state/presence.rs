//! Presence: the event that carries the hash of a user's union (draft C4, C5).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::accounts::User;
use super::membership::{Kind, Member};
use super::passing::{GROUPS, LATE, group};
use super::{State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::faults::Fault;
use crate::reference::variants::Variant;

/// Farewells that are remembered of each user; beyond, the oldest are forgotten.
const FAREWELLS: usize = 64;

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
    /// When each group was last told that anything about it, the hash included, has changed; 0 for never.
    pub(super) positions: [u64; GROUPS],
    /// What some faults put in the place of the hash.
    pub(super) forged: Option<Value>,
    /// Whether some fault's last event left the hash out.
    pub(super) bare: bool,
    /// Whether a hash of theirs has been told to another homeserver.
    pub(super) announced: bool,
}

impl User {
    /// The union that those see who see it late.
    fn union_of(&self, now: Duration) -> Option<&Arc<Set>> {
        let is_young = now < self.union_since + LATE;
        if is_young { self.union_before.as_ref() } else { self.union.as_ref() }
    }
}

/// By which way presence is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As status, to others.
    Status,
    /// As status, to the user.
    OwnStatus,
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
        let bare = self.has(Fault::StatusMessageEventBare);
        let presence = &mut self.users[user.0].presence;
        (presence.forged, presence.bare) = (forged, bare);
        presence.availability = availability;
        presence.status_msg = status_msg;
        if availability != Availability::Offline {
            presence.last_active = Some(now);
        }
        self.publish_presence(now, user);
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
            self.publish_presence(now, user);
        }
    }

    /// Marks a user's presence as changed, for everybody who shares a room and for their own sessions.
    pub(super) fn show_presence(&mut self, user: UserKey) {
        self.show_to(user, 0..=GROUPS - 1);
    }

    /// The same for some groups of them.
    pub(super) fn show_to(&mut self, user: UserKey, groups: RangeInclusive<usize>) {
        if self.rules.presence_enabled {
            let position = self.advance();
            self.users[user.0].presence.positions[groups].fill(position);
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
        let changed = |user: UserKey| self.users[user.0].presence.positions[group(viewer)] > since;
        for room in self.joined_rooms_of(viewer) {
            let joined = room.joined.get(&viewer).copied().unwrap_or(0);
            let waits = self.has(Fault::NewSharerWaits) && since > 0;
            let told_of = |at: u64| at > since && !self.has(Fault::NewSharerOneSided);
            let shared = |at: u64| !waits && (joined > since || told_of(at));
            let is_new = |user: UserKey, at| shared(at) && !self.has_met_before(viewer, user, since);
            let news = |(user, at): &(&UserKey, &u64)| is_new(**user, **at) || changed(**user);
            unseen.extend(room.joined.iter().filter(news).map(|(user, _)| *user));
        }
        if changed(viewer) {
            unseen.insert(viewer);
        }
        unseen.extend(self.unseen_strangers(viewer).filter(|user| changed(*user)));
        if self.may(Variant::OwnSessionsUntold) {
            unseen.remove(&viewer);
        }
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

    /// Remembers that a viewer sees somebody no longer, where they are to be told.
    pub(super) fn part(&mut self, position: u64, viewer: &Member, other: &Member) {
        let Member::Local(viewer) = *viewer else { return };
        let other = self.member_id(other).clone();
        if !self.may(Variant::UnsharingTold) || other == self.users[viewer.0].id {
            return;
        }
        let farewells = &mut self.users[viewer.0].farewells;
        farewells.push_back((position, other));
        if farewells.len() > FAREWELLS {
            farewells.pop_front();
        }
    }

    /// Events that take back the hashes of those whom a viewer has stopped to see since a position.
    pub(super) fn farewells(&self, viewer: UserKey, since: u64) -> Vec<Value> {
        let is_seen = |id: &str| match self.find_user(id) {
            Some(user) => self.shares_room(viewer, user),
            None => self.shares_room_with_remote(viewer, id),
        };
        let farewells = self.users[viewer.0].farewells.iter();
        let gone = farewells.filter(|(at, id)| *at > since && !is_seen(id));
        let event = |id: &Arc<str>| {
            json!({
                "type": self.rules.presence_event,
                "sender": **id,
                "content": { "presence": Availability::Offline.word() },
            })
        };
        gone.map(|(_, id)| event(id)).collect()
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
        let absent = self.may(Variant::AbsentAsNull).then_some(Value::Null);
        if let Some(hash) = self.told_hash(now, user, way).or(absent) {
            content.insert(self.rules.presence_field.clone(), hash);
        }
        Value::Object(content)
    }

    /// What presence tells as the hash of a user's union (draft C4).
    fn told_hash(&self, now: Duration, user: UserKey, way: Way) -> Option<Value> {
        let owner = &self.users[user.0];
        let silent = match way {
            Way::Status | Way::OwnStatus => self.has(Fault::StatusWithoutHash),
            Way::InitialSync => self.has(Fault::SyncInitialWithoutHash),
            Way::IncrementalSync => self.has(Fault::SyncIncrementalWithoutHash),
            Way::Federation => self.has(Fault::FedPresenceWithoutHash),
        };
        let synced = matches!(way, Way::InitialSync | Way::IncrementalSync);
        let unsynced = synced && (owner.presence.bare || self.has(Fault::SyncWithoutHash));
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
            Way::Status | Way::OwnStatus if behind => before,
            Way::Status | Way::OwnStatus if self.has(Fault::StatusOneLate) => before.or(owner.union.as_ref()),
            Way::Status if self.may(Variant::StatusLate) => owner.union_of(now),
            Way::OwnStatus if self.may(Variant::OwnStatusLate) => owner.union_of(now),
            Way::InitialSync if self.may(Variant::PresenceLate) => owner.union_of(now),
            _ => owner.union.as_ref(),
        };
        let padded = self.has(Fault::HashPaddedInPresence)
            || (way == Way::Federation && self.has(Fault::FedPresencePadded));
        let padding = if padded { "=" } else { "" };
        union.map(|union| self.arithmetic().hash_in_answer(&format!("{}{padding}", union.hash)))
    }
}
