//! How users stand to rooms: local users and those of other homeservers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::StateEvent;
use super::{State, UserKey};
use crate::reference::federation::pdu::{Pdu, server_of};

/// Rooms left that a user still hears of; the oldest are forgotten.
const LEFT_ROOMS: usize = 64;

/// How a user stands to a room, and since which position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) kind: Kind,
    pub(super) position: u64,
}

/// The values of `membership` that this server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Joined,
    Invited,
    Left,
    Banned,
}

impl Kind {
    /// Matrix's word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Joined => "join",
            Self::Invited => "invite",
            Self::Left => "leave",
            Self::Banned => "ban",
        }
    }

    /// Reads Matrix's word for it.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Joined, Self::Invited, Self::Left, Self::Banned].into_iter().find(|kind| kind.word() == word)
    }
}

/// Somebody whom a room can have as a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// A user of this homeserver.
    Local(UserKey),
    /// A user of another one, by full ID.
    Guest(Arc<str>),
}

/// A change of a membership.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sender: Arc<str>,
    pub(super) subject: Member,
    pub(super) kind: Kind,
    /// The event that says so, where another homeserver made it; one of ours is made here.
    pub(super) pdu: Option<Arc<Pdu>>,
}

impl State {
    /// The member with this full ID: a local user who exists, or, where the server federates, anybody of
    /// another server.
    pub(crate) fn find_member(&self, user_id: &str) -> Option<Member> {
        let is_foreign = || {
            let server = server_of(user_id);
            user_id.len() <= 255
                && self.signer.is_some()
                && server != self.rules.server_name
                && ruma_common::UserId::parse(user_id).is_ok()
        };
        match self.find_user(user_id) {
            Some(user) => Some(Member::Local(user)),
            None => is_foreign().then(|| Member::Guest(user_id.into())),
        }
    }

    /// The full ID of a member.
    pub(super) fn member_id<'a>(&'a self, member: &'a Member) -> &'a Arc<str> {
        match member {
            Member::Local(user) => self.user_id(*user),
            Member::Guest(id) => id,
        }
    }

    /// How a member stands to a room.
    pub(super) fn standing(&self, member: &Member, room: &str) -> Option<Kind> {
        match member {
            Member::Local(user) => self.kind(*user, room),
            Member::Guest(id) => self.rooms.get(room)?.standing(id),
        }
    }

    /// How a local user stands to a room.
    pub(super) fn kind(&self, user: UserKey, room: &str) -> Option<Kind> {
        self.users[user.0].rooms.get(room).map(|membership| membership.kind)
    }

    /// The one place where a membership changes. Who is in the room hears of it: local users by
    /// `/sync`, other servers by an event of ours, or by a guest's that we pass on.
    pub(super) fn set_membership(&mut self, now: Duration, id: &str, change: Change) {
        let Change { sender, subject, kind, pdu } = change;
        let subject_id = self.member_id(&subject).clone();
        let is_ours = pdu.is_none() && self.room_version(id).is_some();
        let content = match &pdu {
            Some(pdu) => Value::Object(pdu.content().clone()),
            None => json!({ "membership": kind.word() }),
        };
        let pdu = pdu.or_else(|| self.mint(now, id, (&sender, "m.room.member", &subject_id), &content));
        let position = self.advance();
        let sent_ms = pdu.as_ref().map_or_else(|| self.timestamp(now), |pdu| pdu.sent_ms());
        let before = self.servers_in(id);
        let Some(room) = self.rooms.get_mut(id) else { return };
        let event = StateEvent { position, sender, content, sent_ms, pdu: pdu.clone() };
        if !room.put("m.room.member", &subject_id, event) {
            return;
        }
        self.touched.extend(room.joined.keys().copied());
        let leaves = kind != Kind::Joined && self.standing(&subject, id) == Some(Kind::Joined);
        let parted = if leaves { self.members(id) } else { Vec::new() };
        match &subject {
            Member::Local(user) => self.set_local(id, *user, Membership { kind, position }),
            Member::Guest(guest) => self.set_guest(id, guest, Membership { kind, position }),
        }
        for other in &parted {
            self.part(position, &subject, other);
            self.part(position, other, &subject);
        }
        if let Some(pdu) = pdu.filter(|_| is_ours || self.is_resident(id)) {
            self.send_event(id, &before, &pdu);
        }
        if kind == Kind::Joined {
            self.introduce(id, &subject, &before);
        }
        self.drop_if_empty(id);
    }

    fn members(&self, id: &str) -> Vec<Member> {
        let Some(room) = self.rooms.get(id) else { return Vec::new() };
        let local = room.joined.keys().copied().map(Member::Local);
        local.chain(room.guests.keys().cloned().map(Member::Guest)).collect()
    }

    fn set_local(&mut self, id: &str, user: UserKey, membership: Membership) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        room.invited.remove(&user);
        match membership.kind {
            Kind::Joined => drop(room.joined.entry(user).or_insert(membership.position)),
            Kind::Invited => drop(room.invited.insert(user)),
            Kind::Left | Kind::Banned => {}
        }
        if membership.kind != Kind::Joined {
            room.joined.remove(&user);
        }
        self.touched.insert(user);
        if membership.kind == Kind::Joined {
            self.meet(membership.position, user, id);
        }
        let memberships = &mut self.users[user.0].rooms;
        memberships.insert(id.to_owned(), membership);
        forget_oldest_left(memberships);
    }

    fn set_guest(&mut self, id: &str, guest: &Arc<str>, membership: Membership) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        match membership.kind {
            Kind::Joined => {
                room.guests.entry(guest.clone()).or_insert(membership.position);
                self.guests.enter(guest, id);
            }
            Kind::Invited | Kind::Left | Kind::Banned => {
                room.guests.remove(guest);
                self.guests.leave(guest, id);
            }
        }
    }

    /// The other homeservers that have a joined user in a room.
    pub(super) fn servers_in(&self, id: &str) -> BTreeSet<String> {
        let guests = self.rooms.get(id).into_iter().flat_map(|room| room.guests.keys());
        guests.map(|guest| server_of(guest).to_owned()).collect()
    }

    /// Whether a room was made here, so that others join it through this server.
    pub(super) fn is_resident(&self, id: &str) -> bool {
        server_of(id) == self.rules.server_name
    }

    /// A room that nobody here has joined can never be seen again, unless somebody in it elsewhere
    /// has invited a user of ours: without that, even an invitation to it leads nowhere.
    fn drop_if_empty(&mut self, id: &str) {
        let in_use = |room: &super::rooms::Room| {
            !room.joined.is_empty() || (!room.invited.is_empty() && !room.guests.is_empty())
        };
        if self.rooms.get(id).is_none_or(in_use) {
            return;
        }
        let Some(room) = self.rooms.remove(id) else { return };
        if let Some(alias) = room.alias {
            self.aliases.remove(&alias);
        }
        for guest in room.guests.keys() {
            self.guests.leave(guest, id);
        }
        for user in room.invited {
            let position = self.advance();
            let left = Membership { kind: Kind::Left, position };
            self.users[user.0].rooms.insert(id.to_owned(), left);
            self.touched.insert(user);
        }
    }
}

fn forget_oldest_left(memberships: &mut BTreeMap<String, Membership>) {
    let is_left = |m: &Membership| m.kind == Kind::Left;
    if memberships.values().filter(|m| is_left(m)).count() > LEFT_ROOMS {
        let oldest = memberships.iter().filter(|(_, m)| is_left(m)).min_by_key(|(_, m)| m.position);
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            memberships.remove(&id);
        }
    }
}
