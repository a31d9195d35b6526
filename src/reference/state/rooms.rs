//! Rooms: made, joined, left and moderated by users of this server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::events::{Graph, StateEvent, power_levels};
use super::membership::{Change, Kind, Member, Membership};
use super::{State, UserKey};
use crate::reference::errors::MatrixError;
use crate::reference::federation::pdu::RoomVersion;

/// The longest name of a room, in bytes: an event must hold it.
const MAX_NAME: usize = 1 << 10;

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) version: RoomVersion,
    pub(super) creator: Arc<str>,
    pub(super) public: bool,
    /// Joined users of this server, with the position at which they joined.
    pub(super) joined: BTreeMap<UserKey, u64>,
    /// Invited users of this server.
    pub(super) invited: BTreeSet<UserKey>,
    /// Joined users of other servers, by full ID, likewise.
    pub(super) guests: BTreeMap<Arc<str>, u64>,
    pub(super) alias: Option<String>,
    /// The current state, by type and state key.
    pub(super) state: BTreeMap<(&'static str, String), StateEvent>,
    /// The position of the youngest state event.
    pub(super) changed: u64,
    /// Where its events hang.
    pub(super) graph: Graph,
}

impl Room {
    /// A room without events.
    pub(super) fn new(version: RoomVersion, creator: Arc<str>, public: bool) -> Self {
        Self {
            version,
            creator,
            public,
            joined: BTreeMap::new(),
            invited: BTreeSet::new(),
            guests: BTreeMap::new(),
            alias: None,
            state: BTreeMap::new(),
            changed: 0,
            graph: Graph::default(),
        }
    }
}

/// What makes a room.
#[derive(Clone, Debug)]
pub(crate) struct NewRoom {
    /// The full room ID.
    pub(crate) id: String,
    pub(crate) public: bool,
    pub(crate) version: RoomVersion,
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
        if new.name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
            return Err(MatrixError::too_large("The room's name is too long"));
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
        let user_id = self.user_id(creator).clone();
        let room = Room { alias: new.alias, ..Room::new(new.version, user_id.clone(), new.public) };
        self.rooms.insert(new.id.clone(), room);
        let rule = if new.public { "public" } else { "invite" };
        let created = ("m.room.create", new.version.create_content(&user_id));
        self.put_state(now, &new.id, &user_id, created);
        self.set_own_membership(now, &new.id, creator, Kind::Joined);
        let mut rest = vec![
            ("m.room.power_levels", power_levels(&user_id)),
            ("m.room.join_rules", json!({ "join_rule": rule })),
            ("m.room.history_visibility", json!({ "history_visibility": "shared" })),
        ];
        rest.extend(new.name.map(|name| ("m.room.name", json!({ "name": name }))));
        for state in rest {
            self.put_state(now, &new.id, &user_id, state);
        }
        for user in new.invite.into_iter().filter(|user| *user != creator) {
            let change = Change {
                sender: user_id.clone(),
                subject: Member::Local(user),
                kind: Kind::Invited,
                pdu: None,
            };
            self.set_membership(now, &new.id, change);
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
        let found = self.rooms.get(room).filter(|found| !found.joined.is_empty());
        let found = found.ok_or_else(|| MatrixError::not_found("No such room"))?;
        match kind {
            Some(Kind::Joined) => return Ok(()),
            Some(Kind::Banned) => return Err(MatrixError::forbidden("You are banned from this room")),
            Some(Kind::Invited) => {}
            _ if found.public => self.check_room_quota(user)?,
            _ => return Err(MatrixError::forbidden("You are not invited to this room")),
        }
        self.set_own_membership(now, room, user, Kind::Joined);
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
        if self.check_invitable(user, room, &Member::Local(invitee))? {
            self.check_room_quota(invitee)?;
            let sender = self.user_id(user).clone();
            let change = Change { sender, subject: Member::Local(invitee), kind: Kind::Invited, pdu: None };
            self.set_membership(now, room, change);
        }
        Ok(())
    }

    /// Whether there is anything to do to invite somebody; an error where it must not be done.
    pub(super) fn check_invitable(
        &self,
        user: UserKey,
        room: &str,
        invitee: &Member,
    ) -> Result<bool, MatrixError> {
        self.check_joined(user, room)?;
        match self.standing(invitee, room) {
            Some(Kind::Joined) => Err(MatrixError::forbidden("The user is in the room")),
            Some(Kind::Banned) => Err(MatrixError::forbidden("The user is banned from the room")),
            Some(Kind::Invited) => Ok(false),
            Some(Kind::Left) | None => Ok(true),
        }
    }

    /// Leaves a room or declines an invitation; leaving again changes nothing.
    pub(crate) fn leave(&mut self, now: Duration, user: UserKey, room: &str) -> Result<(), MatrixError> {
        match self.kind(user, room) {
            Some(Kind::Joined | Kind::Invited) => {
                self.set_own_membership(now, room, user, Kind::Left);
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
        (subject, action): (Member, Moderation),
    ) -> Result<(), MatrixError> {
        self.check_joined(user, room)?;
        let sender = self.user_id(user).clone();
        if self.rooms.get(room).is_none_or(|found| found.creator != sender) || subject == Member::Local(user)
        {
            return Err(MatrixError::forbidden("You may not do this in this room"));
        }
        let kind = match (action, self.standing(&subject, room)) {
            (Moderation::Kick, Some(Kind::Joined | Kind::Invited)) => Kind::Left,
            (Moderation::Ban, _) => Kind::Banned,
            (Moderation::Unban, Some(Kind::Banned)) => Kind::Left,
            _ => return Err(MatrixError::forbidden("The user does not stand so to this room")),
        };
        self.set_membership(now, room, Change { sender, subject, kind, pdu: None });
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
                self.set_own_membership(now, &room, user, Kind::Left);
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
        let Some(found) = self.rooms.get(room) else { return Ok(Vec::new()) };
        let local = found.joined.keys().map(|member| self.user_id(*member));
        Ok(local.chain(found.guests.keys()).cloned().collect())
    }

    pub(super) fn joined_rooms_of(&self, user: UserKey) -> impl Iterator<Item = &Room> {
        let joined = self.users[user.0].rooms.iter().filter(|(_, m)| m.kind == Kind::Joined);
        joined.filter_map(|(id, _)| self.rooms.get(id))
    }

    pub(super) fn check_joined(&self, user: UserKey, room: &str) -> Result<(), MatrixError> {
        match self.kind(user, room) {
            Some(Kind::Joined) => Ok(()),
            _ => Err(MatrixError::forbidden("You are not in this room")),
        }
    }

    pub(super) fn check_room_quota(&self, user: UserKey) -> Result<(), MatrixError> {
        let current = |m: &&Membership| matches!(m.kind, Kind::Joined | Kind::Invited);
        match self.users[user.0].rooms.values().filter(current).count() < self.rules.limits.rooms_per_user {
            true => Ok(()),
            false => Err(MatrixError::limit_exceeded("The user is in too many rooms")),
        }
    }

    /// A user changes their own membership.
    fn set_own_membership(&mut self, now: Duration, room: &str, user: UserKey, kind: Kind) {
        let sender = self.user_id(user).clone();
        self.set_membership(now, room, Change { sender, subject: Member::Local(user), kind, pdu: None });
    }
}

/// What a moderator does to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moderation {
    Kick,
    Ban,
    Unban,
}
