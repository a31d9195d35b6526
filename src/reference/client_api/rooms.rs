//! Rooms: made, joined and left.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::auth::random_name;
use crate::reference::errors::MatrixError;
use crate::reference::federation::pdu::RoomVersion;
use crate::reference::federation::visits;
use crate::reference::http::{Answer, Call, Reply, required, text};
use crate::reference::routes::Endpoint;
use crate::reference::server::Server;
use crate::reference::state::{Member, Moderation, NewRoom, State, UserKey};

/// Makes a room, and invites whom it is to be made with; guests once it is there.
pub(super) async fn create(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let body = call.optional_object()?;
    let id = format!("!{}:{}", random_name::<9>()?, server.server_name);
    let public = match (text(&body, "preset")?, text(&body, "visibility")?) {
        (Some("public_chat"), _) | (None, Some("public")) => true,
        (Some("private_chat" | "trusted_private_chat") | None, _) => false,
        (Some(_), _) => return Err(MatrixError::bad_json("Unknown preset").into()),
    };
    let alias = text(&body, "room_alias_name")?.map(|name| format!("#{name}:{}", server.server_name));
    let name = text(&body, "name")?.map(str::to_owned);
    let version = match text(&body, "room_version")? {
        None => RoomVersion::default(),
        Some(version) => RoomVersion::parse(version).ok_or_else(|| {
            MatrixError::unsupported_version("This server makes rooms of versions 10 and 11")
        })?,
    };
    let guests = server.with(|state, now| {
        let (invite, guests) = invitees(state, &body)?;
        let room = NewRoom { id: id.clone(), public, version, name, alias, invite };
        state.create_room(now, session.user, room).map(|()| guests)
    })?;
    for guest in guests {
        visits::invite(server, session.user, &id, &guest).await?;
    }
    Ok(Reply::ok(&json!({ "room_id": id })))
}

/// Whom a new room is made with: users of this server, and guests.
type Invitees = (Vec<UserKey>, Vec<Arc<str>>);

fn invitees(state: &State, body: &Map<String, Value>) -> Result<Invitees, MatrixError> {
    let wrong = || MatrixError::bad_json("invite must be an array of user IDs");
    let list = match body.get("invite") {
        None => return Ok(Invitees::default()),
        Some(list) => list.as_array().ok_or_else(wrong)?,
    };
    let (mut users, mut guests) = Invitees::default();
    for user_id in list {
        match find_member(state, user_id.as_str().ok_or_else(wrong)?)? {
            Member::Local(user) => users.push(user),
            Member::Guest(guest) => guests.push(guest),
        }
    }
    Ok((users, guests))
}

fn find_member(state: &State, user_id: &str) -> Result<Member, MatrixError> {
    state.find_member(user_id).ok_or_else(|| MatrixError::not_found("No such user"))
}

/// The room that a path names, by ID or alias.
fn room(call: &Call) -> &str {
    call.variables.get("room_id").or_else(|| call.variables.get("room")).unwrap_or_default()
}

/// Invites a user.
pub(super) async fn invite(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let body = call.object()?;
    let invitee = required(&body, "user_id")?;
    let guest = server.with(|state, now| match find_member(state, invitee)? {
        Member::Local(user) => state.invite(now, session.user, room(call), user).map(|()| None),
        Member::Guest(guest) => Ok(Some(guest)),
    })?;
    if let Some(guest) = guest {
        visits::invite(server, session.user, room(call), &guest).await?;
    }
    Ok(Reply::empty())
}

/// Joins a room: here, if anybody here is in it, else through the homeservers that are named.
pub(super) async fn join(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    call.optional_object()?;
    let name = room(call);
    let joined = server.with(|state, now| {
        let id = state.find_room(name).filter(|id| state.room_version(id).is_some())?;
        Some(state.join(now, session.user, &id).map(|()| id))
    });
    let id = match joined {
        Some(joined) => joined?,
        None if name.starts_with('!') => {
            let via = [call.queries("via"), call.queries("server_name")].concat();
            visits::join(server, session.user, name, via).await?;
            name.to_owned()
        }
        None => return Err(MatrixError::not_found("No such room").into()),
    };
    Ok(Reply::ok(&json!({ "room_id": id })))
}

/// Leaves a room, or turns an invitation down.
pub(super) async fn leave(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    call.optional_object()?;
    let name = room(call);
    let is_elsewhere = server.with(|state, _| state.is_invited_elsewhere(session.user, name));
    match is_elsewhere {
        true => visits::decline(server, session.user, name).await?,
        false => server.with(|state, now| state.leave(now, session.user, name))?,
    }
    Ok(Reply::empty())
}

/// Stops hearing of a room.
pub(super) fn forget(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    server.with(|state, _| state.forget(session.user, room(call)))?;
    Ok(Reply::empty())
}

/// Kicks, bans or unbans a user.
pub(super) fn moderate(server: &Server, call: &Call, endpoint: Endpoint) -> Answer {
    let session = call.session()?;
    let body = call.object()?;
    let subject = required(&body, "user_id")?;
    let action = match endpoint {
        Endpoint::Ban => Moderation::Ban,
        Endpoint::Unban => Moderation::Unban,
        _ => Moderation::Kick,
    };
    server.with(|state, now| {
        let subject = find_member(state, subject)?;
        state.moderate(now, session.user, room(call), (subject, action))
    })?;
    Ok(Reply::empty())
}

/// The rooms one is in.
pub(super) fn joined(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let rooms = server.with(|state, _| state.joined_rooms(session.user));
    Ok(Reply::ok(&json!({ "joined_rooms": rooms })))
}

/// Who is in a room.
pub(super) fn members(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let members = server.with(|state, _| state.joined_members(session.user, room(call)))?;
    let members: Map<String, Value> =
        members.into_iter().map(|member| (member.to_string(), json!({}))).collect();
    Ok(Reply::ok(&json!({ "joined": members })))
}
