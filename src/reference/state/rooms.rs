//! Rooms: who is joined, invited or banned, and the state events that tell clients so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{State, UserKey};
use crate::reference::errors::MatrixError;

/// Rooms left that a user still hears of; the oldest are forgotten.
const LEFT_ROOMS: usize = 64;

/// How a user stands to a room, and since which position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) kind: Kind,
    pub(super) position: u64,
}

/// The values of `membership` that a user's own list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Joined,
    Invited,
    Left,
    Banned,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Joined => "join",
            Self::Invited => "invite",
            Self::Left => "leave",
            Self::Banned => "ban",
        }
    }
}

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) creator: UserKey,
    pub(super) public: bool,
    /// Joined users, with the position at which they joined.
    pub(super) joined: BTreeMap<UserKey, u64>,
    pub(super) invited: BTreeSet<UserKey>,
    pub(super) alias: Option<String>,
    /// The current state, by type and state key.
    pub(super) state: BTreeMap<(&'static str, String), StateEvent>,
    /// The position of the youngest state event.
    pub(super) changed: u64,
}

/// A state event.
#[derive(Clone, Debug)]
pub(super) struct StateEvent {
    pub(super) position: u64,
    pub(super) sender: Arc<str>,
    pub(super) content: Value,
    pub(super) sent_ms: u64,
}

/// What makes a room.
#[derive(Clone, Debug)]
pub(crate) struct NewRoom {
    /// The full room ID.
    pub(crate) id: String,
    pub(crate) public: bool,
    pub(crate) version: String,
    pub(crate) name: Option<String>,
    /// The full alias.
    pub(crate) alias: Option<String>,
    pub(crate) invite: Vec<UserKey>,
}

impl State {
    /// Makes a room, joined by its creator.
    pub(crate) fn create_room(
        &mut self,
        now: Duration,
        creator: UserKey,
        new: NewRoom,
    ) -> Result<(), MatrixError> {
        if self.rooms.len() >= self.rules.limits.rooms {
            return Err(MatrixError::limit_exceeded("This server takes no more rooms"));
        }
        self.check_room_quota(creator)?;
        for user in &new.invite {
            self.check_room_quota(*user)?;
        }
        if let Some(alias) = &new.alias {
            if self.aliases.contains_key(alias) {
                return Err(MatrixError::room_in_use("This alias is taken"));
            }
            self.aliases.insert(alias.clone(), new.id.clone());
        }
        let room = Room {
            creator,
            public: new.public,
            joined: BTreeMap::new(),
            invited: BTreeSet::new(),
            alias: new.alias,
            state: BTreeMap::new(),
            changed: 0,
        };
        self.rooms.insert(new.id.clone(), room);
        let rule = if new.public { "public" } else { "invite" };
        self.put_state(now, &new.id, creator, "m.room.create", json!({ "room_version": new.version }));
        self.set_membership(now, &new.id, creator, creator, Kind::Joined);
        self.put_state(now, &new.id, creator, "m.room.join_rules", json!({ "join_rule": rule }));
        if let Some(name) = new.name {
            self.put_state(now, &new.id, creator, "m.room.name", json!({ "name": name }));
        }
        for user in new.invite.into_iter().filter(|user| *user != creator) {
            self.set_membership(now, &new.id, creator, user, Kind::Invited);
        }
        Ok(())
    }

    /// The room ID behind a room ID or alias.
    pub(crate) fn find_room(&self, name: &str) -> Option<String> {
        let id = self.aliases.get(name).map_or(name, String::as_str);
        self.rooms.contains_key(id).then(|| id.to_owned())
    }

    /// Joins a room that is public or to which one is invited; joining again changes nothing.
    pub(crate) fn join(&mut self, now: Duration, user: UserKey, room: &str) -> Result<(), MatrixError> {
        let kind = self.kind(user, room);
        let found = self.rooms.get(room).ok_or_else(|| MatrixError::not_found("No such room"))?;
        match kind {
            Some(Kind::Joined) => return Ok(()),
            Some(Kind::Banned) => return Err(MatrixError::forbidden("You are banned from this room")),
            Some(Kind::Invited) => {}
            _ if found.public => self.check_room_quota(user)?,
            _ => return Err(MatrixError::forbidden("You are not invited to this room")),
        }
        self.set_membership(now, room, user, user, Kind::Joined);
        Ok(())
    }

    /// Invites somebody to a room in which one is oneself.
    pub(crate) fn invite(
        &mut self,
        now: Duration,
        user: UserKey,
        room: &str,
        invitee: UserKey,
    ) -> Result<(), MatrixError> {
        self.check_joined(user, room)?;
        match self.kind(invitee, room) {
            Some(Kind::Joined) => return Err(MatrixError::forbidden("The user is in the room")),
            Some(Kind::Banned) => return Err(MatrixError::forbidden("The user is banned from the room")),
            Some(Kind::Invited) => return Ok(()),
            _ => self.check_room_quota(invitee)?,
        }
        self.set_membership(now, room, user, invitee, Kind::Invited);
        Ok(())
    }

    /// Leaves a room or declines an invitation; leaving again changes nothing.
    pub(crate) fn leave(&mut self, now: Duration, user: UserKey, room: &str) -> Result<(), MatrixError> {
        match self.kind(user, room) {
            Some(Kind::Joined | Kind::Invited) => {
                self.set_membership(now, room, user, user, Kind::Left);
                Ok(())
            }
            Some(Kind::Left) => Ok(()),
            _ => Err(MatrixError::forbidden("You are not in this room")),
        }
    }

    /// Kicks, bans or unbans somebody; for the room's creator alone.
    pub(crate) fn moderate(
        &mut self,
        now: Duration,
        user: UserKey,
        room: &str,
        (subject, action): (UserKey, Moderation),
    ) -> Result<(), MatrixError> {
        self.check_joined(user, room)?;
        if self.rooms.get(room).is_none_or(|found| found.creator != user) || subject == user {
            return Err(MatrixError::forbidden("You may not do this in this room"));
        }
        let kind = match (action, self.kind(subject, room)) {
            (Moderation::Kick, Some(Kind::Joined | Kind::Invited)) => Kind::Left,
            (Moderation::Ban, _) => Kind::Banned,
            (Moderation::Unban, Some(Kind::Banned)) => Kind::Left,
            _ => return Err(MatrixError::forbidden("The user does not stand so to this room")),
        };
        self.set_membership(now, room, user, subject, kind);
        Ok(())
    }

    /// Stops hearing of a room that one has left.
    pub(crate) fn forget(&mut self, user: UserKey, room: &str) -> Result<(), MatrixError> {
        match self.kind(user, room) {
            Some(Kind::Joined | Kind::Invited) => Err(MatrixError::unknown("You are still in this room")),
            Some(Kind::Banned) | None => Ok(()),
            Some(Kind::Left) => {
                self.users[user.0].rooms.remove(room);
                Ok(())
            }
        }
    }

    /// Leaves every room and declines every invitation.
    pub(super) fn leave_everything(&mut self, now: Duration, user: UserKey) {
        let rooms: Vec<String> = self.users[user.0].rooms.keys().cloned().collect();
        for room in rooms {
            if matches!(self.kind(user, &room), Some(Kind::Joined | Kind::Invited)) {
                self.set_membership(now, &room, user, user, Kind::Left);
            }
        }
    }

    /// The IDs of the rooms in which a user is joined.
    pub(crate) fn joined_rooms(&self, user: UserKey) -> Vec<String> {
        let joined = self.users[user.0].rooms.iter().filter(|(_, m)| m.kind == Kind::Joined);
        joined.map(|(id, _)| id.clone()).collect()
    }

    /// The users joined in a room, for one of them.
    pub(crate) fn joined_members(&self, user: UserKey, room: &str) -> Result<Vec<Arc<str>>, MatrixError> {
        self.check_joined(user, room)?;
        let members = self.rooms.get(room).into_iter().flat_map(|found| found.joined.keys());
        Ok(members.map(|member| self.user_id(*member).clone()).collect())
    }

    pub(super) fn joined_rooms_of(&self, user: UserKey) -> impl Iterator<Item = &Room> {
        let joined = self.users[user.0].rooms.iter().filter(|(_, m)| m.kind == Kind::Joined);
        joined.filter_map(|(id, _)| self.rooms.get(id))
    }

    fn kind(&self, user: UserKey, room: &str) -> Option<Kind> {
        self.users[user.0].rooms.get(room).map(|membership| membership.kind)
    }

    fn check_joined(&self, user: UserKey, room: &str) -> Result<(), MatrixError> {
        match self.kind(user, room) {
            Some(Kind::Joined) => Ok(()),
            _ => Err(MatrixError::forbidden("You are not in this room")),
        }
    }

    fn check_room_quota(&self, user: UserKey) -> Result<(), MatrixError> {
        let current = |m: &&Membership| matches!(m.kind, Kind::Joined | Kind::Invited);
        match self.users[user.0].rooms.values().filter(current).count() < self.rules.limits.rooms_per_user {
            true => Ok(()),
            false => Err(MatrixError::limit_exceeded("The user is in too many rooms")),
        }
    }

    /// The one place where a membership changes.
    fn set_membership(&mut self, now: Duration, id: &str, sender: UserKey, user: UserKey, kind: Kind) {
        let position = self.advance();
        let state_key = self.user_id(user).to_string();
        let event = StateEvent {
            position,
            sender: self.user_id(sender).clone(),
            content: json!({ "membership": kind.word() }),
            sent_ms: self.timestamp(now),
        };
        let Some(room) = self.rooms.get_mut(id) else { return };
        self.touched.extend(room.joined.keys().copied());
        self.touched.insert(user);
        room.joined.remove(&user);
        room.invited.remove(&user);
        match kind {
            Kind::Joined => drop(room.joined.insert(user, position)),
            Kind::Invited => drop(room.invited.insert(user)),
            Kind::Left | Kind::Banned => {}
        }
        room.state.insert(("m.room.member", state_key), event);
        room.changed = position;
        let memberships = &mut self.users[user.0].rooms;
        memberships.insert(id.to_owned(), Membership { kind, position });
        forget_oldest_left(memberships);
        self.drop_if_empty(id);
    }

    fn put_state(&mut self, now: Duration, id: &str, sender: UserKey, kind: &'static str, content: Value) {
        let position = self.advance();
        let (sender, sent_ms) = (self.user_id(sender).clone(), self.timestamp(now));
        if let Some(room) = self.rooms.get_mut(id) {
            room.state.insert((kind, String::new()), StateEvent { position, sender, content, sent_ms });
            room.changed = position;
        }
    }

    /// A room in which nobody is joined can never be seen again: even an invitation to it leads nowhere.
    fn drop_if_empty(&mut self, id: &str) {
        if self.rooms.get(id).is_none_or(|room| !room.joined.is_empty()) {
            return;
        }
        let Some(room) = self.rooms.remove(id) else { return };
        if let Some(alias) = room.alias {
            self.aliases.remove(&alias);
        }
        for user in room.invited {
            let position = self.advance();
            let left = Membership { kind: Kind::Left, position };
            self.users[user.0].rooms.insert(id.to_owned(), left);
            self.touched.insert(user);
        }
    }
}

/// What a moderator does to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moderation {
    Kick,
    Ban,
    Unban,
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
