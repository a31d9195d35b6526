//! Rooms across homeservers: guests in ours, our users in others', and the events that tell of both.
//!
//! Of the Matrix specification's authorisation rules those about members are here, against the room's current
//! state. Whoever speaks for whom has been settled before: every event that comes in is signed by
//! its sender's homeserver.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::{StateEvent, kept};
use super::membership::{Change, Kind, Member};
use super::rooms::Room;
use super::{State, UserKey};
use crate::reference::errors::MatrixError;
use crate::reference::federation::pdu::{Pdu, RoomVersion, server_of};

/// Homeservers that are asked, one after the other, to let a user of ours in.
const MAX_HOSTS: usize = 3;
/// Events that an invitation shows of its room.
const MAX_STRIPPED: usize = 100;

/// What a homeserver gets whose user is let in.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    /// The room's state before.
    pub(crate) state: Vec<Value>,
    /// What it rests on.
    pub(crate) auth_chain: Vec<Value>,
}

/// A user of ours who wants to join a room elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) user_id: Arc<str>,
    /// Homeservers that may let them in, the likeliest first.
    pub(crate) hosts: Vec<String>,
}

impl State {
    /// The version of a room that somebody here has joined.
    pub(crate) fn room_version(&self, room: &str) -> Option<RoomVersion> {
        self.rooms.get(room).filter(|found| !found.joined.is_empty()).map(|found| found.version)
    }

    /// What a user of another homeserver would have to sign to join or leave a room that was made here.
    pub(crate) fn offer(
        &self,
        now: Duration,
        room: &str,
        user_id: &str,
        kind: Kind,
    ) -> Result<(RoomVersion, Value), MatrixError> {
        let found = self.hosted(room)?;
        authorize(found, user_id, user_id, kind)?;
        let about = (user_id, "m.room.member", user_id);
        let draft = found.draft(room, about, json!({ "membership": kind.word() }), self.timestamp(now));
        Ok((found.version, draft.json()))
    }

    /// Takes in the join or leave of a guest in a room that was made here.
    pub(crate) fn admit(&mut self, now: Duration, pdu: Pdu) -> Result<Admission, MatrixError> {
        let room = self.hosted(pdu.room_id())?;
        let admission = Admission {
            state: room.state_pdus().map(|pdu| pdu.json()).collect(),
            auth_chain: room.auth_chain().into_iter().map(|pdu| pdu.json()).collect(),
        };
        self.receive_membership(now, pdu)?;
        Ok(admission)
    }

    /// Takes in an event that another homeserver has sent: of its own users, or passed on.
    pub(crate) fn receive_event(&mut self, now: Duration, origin: &str, pdu: Pdu) -> Result<(), MatrixError> {
        let no_room = || MatrixError::not_found("No such room here");
        let room =
            self.rooms.get(pdu.room_id()).filter(|room| !room.joined.is_empty()).ok_or_else(no_room)?;
        if room.holds(pdu.id()) {
            return Ok(());
        }
        if !room.guests.keys().any(|guest| server_of(guest) == origin) {
            return Err(MatrixError::forbidden("The sending homeserver is not in the room"));
        }
        if pdu.server() == self.rules.server_name {
            return Err(MatrixError::forbidden("This homeserver has sent no such event"));
        }
        match pdu.membership() {
            Some(_) => self.receive_membership(now, pdu),
            None => self.receive_other(pdu),
        }
    }

    fn receive_membership(&mut self, now: Duration, pdu: Pdu) -> Result<(), MatrixError> {
        let room = pdu.room_id().to_owned();
        let kind = pdu.membership().and_then(Kind::parse);
        let kind = kind.ok_or_else(|| MatrixError::invalid_param("Not a membership that is known here"))?;
        let subject = self.find_member(pdu.state_key().unwrap_or_default());
        let subject = subject.ok_or_else(|| MatrixError::not_found("No such user"))?;
        let found = self.rooms.get(&room).ok_or_else(|| MatrixError::not_found("No such room here"))?;
        authorize(found, pdu.sender(), self.member_id(&subject), kind)?;
        match (&subject, kind) {
            (Member::Guest(guest), Kind::Joined) if !found.guests.contains_key(guest) => {
                self.check_guests(1)?
            }
            (Member::Local(user), Kind::Invited) => self.check_room_quota(*user)?,
            _ => {}
        }
        let change = Change { sender: pdu.sender().into(), subject, kind, pdu: Some(Arc::new(pdu)) };
        self.set_membership(now, &room, change);
        Ok(())
    }

    /// Takes in what is not about a membership: kept where this server acts on it, else passed over.
    fn receive_other(&mut self, pdu: Pdu) -> Result<(), MatrixError> {
        let position = self.advance();
        let Some(room) = self.rooms.get_mut(pdu.room_id()) else { return Ok(()) };
        if room.standing(pdu.sender()) != Some(Kind::Joined) {
            return Err(MatrixError::forbidden("The sender is not in the room"));
        }
        match kept(pdu.kind()).filter(|_| pdu.state_key() == Some("")) {
            Some("m.room.create") => return Err(MatrixError::forbidden("The room has been created")),
            Some(_) if room.power(pdu.sender()) < room.needed("state_default") => {
                return Err(MatrixError::forbidden("The sender may not change the room"));
            }
            Some(kind) => {
                room.put(kind, "", received(position, Arc::new(pdu)));
                room.public = is_public(room);
                self.touched.extend(room.joined.keys().copied());
            }
            None => room.pass(&pdu),
        }
        Ok(())
    }

    /// A room that was made here and that somebody here is in.
    fn hosted(&self, room: &str) -> Result<&Room, MatrixError> {
        let found = self.rooms.get(room).filter(|found| self.is_resident(room) && !found.joined.is_empty());
        found.ok_or_else(|| MatrixError::not_found("No such room here"))
    }

    /// Whether a user of ours is invited to a room that nobody here is in.
    pub(crate) fn is_invited_elsewhere(&self, user: UserKey, room: &str) -> bool {
        self.kind(user, room) == Some(Kind::Invited) && self.room_version(room).is_none()
    }

    /// Finds out through whom a user of ours may join a room that nobody here is in.
    pub(crate) fn begin_visit(
        &self,
        user: UserKey,
        room: &str,
        via: Vec<String>,
    ) -> Result<Visit, MatrixError> {
        let stub = self.rooms.get(room);
        if stub.is_none() && self.rooms.len() >= self.rules.limits.rooms {
            return Err(MatrixError::limit_exceeded("This server takes no more rooms"));
        }
        if self.kind(user, room) != Some(Kind::Invited) {
            self.check_room_quota(user)?;
        }
        let inviters = stub.into_iter().flat_map(|stub| stub.guests.keys());
        let inviters = inviters.map(|guest| server_of(guest).to_owned());
        let mut seen = BTreeSet::from([self.rules.server_name.clone(), String::new()]);
        let named = via.into_iter().chain(inviters).chain([server_of(room).to_owned()]);
        let hosts: Vec<String> = named.filter(|host| seen.insert(host.clone())).take(MAX_HOSTS).collect();
        match hosts.is_empty() || self.signer.is_none() {
            true => Err(MatrixError::not_found("No such room")),
            false => Ok(Visit { user_id: self.user_id(user).clone(), hosts }),
        }
    }

    /// A user of ours has been let into a room elsewhere, by a homeserver that says what its state is.
    /// What it says of users of ours is not taken for true: they know themselves where they are.
    pub(crate) fn enter(
        &mut self,
        now: Duration,
        user: UserKey,
        join: Pdu,
        version: RoomVersion,
        state: Vec<Pdu>,
    ) -> Result<(), MatrixError> {
        let id = join.room_id().to_owned();
        if self.room_version(&id).is_none() {
            let position = self.advance();
            let mut room = furnish(&id, version, state, position, &self.rules.server_name)?;
            self.check_guests(room.guests.len())?;
            room.rebase(&join);
            for guest in room.guests.keys() {
                self.guests.enter(guest, &id);
            }
            if let Some(stub) = self.rooms.remove(&id) {
                let gone = stub.guests.keys().filter(|guest| !room.guests.contains_key(*guest));
                gone.for_each(|guest| self.guests.leave(guest, &id));
                room.invited = stub.invited;
            }
            self.rooms.insert(id.clone(), room);
        }
        let sender = self.user_id(user).clone();
        let change =
            Change { sender, subject: Member::Local(user), kind: Kind::Joined, pdu: Some(Arc::new(join)) };
        self.set_membership(now, &id, change);
        Ok(())
    }

    /// Takes in the invitation of a user of ours, to a room here or elsewhere.
    pub(crate) fn receive_invite(
        &mut self,
        now: Duration,
        invite: Pdu,
        version: RoomVersion,
        stripped: &[Value],
    ) -> Result<(), MatrixError> {
        let id = invite.room_id().to_owned();
        if self.room_version(&id).is_some() {
            return self.receive_membership(now, invite);
        }
        let invitee = self.find_user(invite.state_key().unwrap_or_default());
        let invitee = invitee.ok_or_else(|| MatrixError::not_found("No such user on this server"))?;
        self.check_room_quota(invitee)?;
        self.check_guests(1)?;
        if !self.rooms.contains_key(&id) {
            if self.rooms.len() >= self.rules.limits.rooms {
                return Err(MatrixError::limit_exceeded("This server takes no more rooms"));
            }
            let position = self.advance();
            self.rooms.insert(id.clone(), sketch(&invite, version, stripped, position));
        }
        let inviter: Arc<str> = invite.sender().into();
        if let Some(stub) = self.rooms.get_mut(&id) {
            stub.guests.insert(inviter.clone(), 0);
            self.guests.enter(&inviter, &id);
        }
        let (subject, kind) = (Member::Local(invitee), Kind::Invited);
        self.set_membership(now, &id, Change { sender: inviter, subject, kind, pdu: Some(Arc::new(invite)) });
        Ok(())
    }

    /// The invitation of a guest, to be signed by their homeserver, with what it shows of the room;
    /// `None` where they have been invited already.
    pub(crate) fn draft_invite(
        &self,
        now: Duration,
        user: UserKey,
        room: &str,
        guest: &Arc<str>,
    ) -> Result<Option<(Pdu, Value)>, MatrixError> {
        if !self.check_invitable(user, room, &Member::Guest(guest.clone()))? {
            return Ok(None);
        }
        let about = (&**self.user_id(user), "m.room.member", &**guest);
        let pdu = self.mint(now, room, about, &json!({ "membership": Kind::Invited.word() }));
        let pdu = pdu.ok_or_else(|| MatrixError::internal("This server does not federate"))?;
        let Some(found) = self.rooms.get(room) else { return Ok(None) };
        let shown = found.state.iter().take(MAX_STRIPPED).map(|((kind, key), event)| {
            json!({ "type": kind, "state_key": key, "sender": &*event.sender, "content": event.content })
        });
        let body = json!({
            "room_version": found.version.id(),
            "invite_room_state": shown.collect::<Vec<_>>(),
            "event": pdu.json(),
        });
        Ok(Some((Arc::unwrap_or_clone(pdu), body)))
    }

    /// A guest's homeserver has signed an invitation of ours.
    pub(crate) fn invite_guest(&mut self, now: Duration, invite: Pdu) -> Result<(), MatrixError> {
        self.check_guests(1)?;
        self.receive_membership(now, invite)
    }
}

/// Whether a room's state lets a member change a membership (room versions 10 and 11, "Authorization rules").
fn authorize(room: &Room, sender: &str, subject: &str, kind: Kind) -> Result<(), MatrixError> {
    let forbidden = |reason: &'static str| Err(MatrixError::forbidden(reason));
    let (sender_is, subject_is) = (room.standing(sender), room.standing(subject));
    let may = |action: &str| room.power(sender) >= room.needed(action);
    if sender != subject && sender_is != Some(Kind::Joined) {
        return forbidden("The sender is not in the room");
    }
    match (kind, subject_is) {
        (Kind::Joined, _) if sender != subject => forbidden("Nobody joins for somebody else"),
        (Kind::Joined, Some(Kind::Banned)) => forbidden("The user is banned from the room"),
        (Kind::Joined, Some(Kind::Joined | Kind::Invited)) => Ok(()),
        (Kind::Joined, _) if room.public => Ok(()),
        (Kind::Joined, _) => forbidden("The user is not invited to the room"),
        (Kind::Invited, Some(Kind::Joined | Kind::Banned)) => forbidden("The user cannot be invited"),
        (Kind::Invited, _) if sender == subject || !may("invite") => forbidden("The sender may not invite"),
        (Kind::Invited, _) => Ok(()),
        (Kind::Left, Some(Kind::Joined | Kind::Invited)) if sender == subject => Ok(()),
        (Kind::Left, _) if sender == subject => forbidden("The user is not in the room"),
        (Kind::Left, Some(Kind::Banned)) if !may("ban") => forbidden("The sender may not unban"),
        (Kind::Left, _) if may("kick") && room.power(sender) > room.power(subject) => Ok(()),
        (Kind::Banned, _) if may("ban") && room.power(sender) > room.power(subject) => Ok(()),
        (Kind::Left | Kind::Banned, _) => forbidden("The sender's power level is too low"),
    }
}

/// A room as the homeserver describes it that let a user of ours in: its state, and its members elsewhere.
fn furnish(
    id: &str,
    version: RoomVersion,
    state: Vec<Pdu>,
    position: u64,
    own: &str,
) -> Result<Room, MatrixError> {
    let wrong = || MatrixError::bad_gateway("The other homeserver's description of the room makes no sense");
    let create = state.iter().find(|pdu| pdu.kind() == "m.room.create" && pdu.room_id() == id);
    let create = create.ok_or_else(wrong)?;
    let told = create.content().get("room_version").and_then(Value::as_str).unwrap_or("1");
    if told != version.id() {
        return Err(wrong());
    }
    let creator = create.content().get("creator").and_then(Value::as_str).unwrap_or(create.sender());
    let mut room = Room::new(version, creator.into(), false);
    for pdu in state {
        let (Some(kind), Some(state_key)) = (kept(pdu.kind()), pdu.state_key()) else { continue };
        let is_member = kind == "m.room.member";
        if pdu.room_id() != id
            || (is_member && server_of(state_key) == own)
            || (!is_member && !state_key.is_empty())
        {
            continue;
        }
        let state_key = state_key.to_owned();
        let joined = pdu.membership() == Some(Kind::Joined.word());
        if joined && ruma_common::UserId::parse(&*state_key).is_ok() {
            room.guests.insert(state_key.as_str().into(), position);
        }
        room.put(kind, &state_key, received(position, Arc::new(pdu)));
    }
    room.public = is_public(&room);
    Ok(room)
}

/// A room as an invitation shows it.
fn sketch(invite: &Pdu, version: RoomVersion, stripped: &[Value], position: u64) -> Room {
    let mut room = Room::new(version, invite.sender().into(), false);
    for shown in stripped.iter().take(MAX_STRIPPED) {
        let text = |name: &str| shown[name].as_str().filter(|text| text.len() <= 255);
        let (Some(kind), Some(key), Some(sender)) =
            (text("type").and_then(kept), text("state_key"), text("sender"))
        else {
            continue;
        };
        let content = shown["content"].clone();
        let event =
            StateEvent { position, sender: sender.into(), content, sent_ms: invite.sent_ms(), pdu: None };
        room.put(kind, key, event);
    }
    room.public = is_public(&room);
    room
}

fn is_public(room: &Room) -> bool {
    room.content("m.room.join_rules", "").is_some_and(|rules| rules["join_rule"] == "public")
}

fn received(position: u64, pdu: Arc<Pdu>) -> StateEvent {
    StateEvent {
        position,
        sender: pdu.sender().into(),
        content: Value::Object(pdu.content().clone()),
        sent_ms: pdu.sent_ms(),
        pdu: Some(pdu),
    }
}
