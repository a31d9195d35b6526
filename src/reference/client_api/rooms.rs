//! Rooms: made, joined and left.

use serde_json::{Map, Value, json};

use super::auth::random_name;
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply, required, text};
use crate::reference::routes::Endpoint;
use crate::reference::server::Server;
use crate::reference::state::{Moderation, NewRoom, State, UserKey};

/// Makes a room.
pub(super) fn create(server: &Server, call: &Call) -> Answer {
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
    let version = room_version(&body)?;
    server.with(|state, now| {
        let invite = invitees(state, &body)?;
        let room = NewRoom { id: id.clone(), public, version, name, alias, invite };
        state.create_room(now, session.user, room)
    })?;
    Ok(Reply::ok(&json!({ "room_id": id })))
}

fn invitees(state: &State, body: &Map<String, Value>) -> Result<Vec<UserKey>, MatrixError> {
    let wrong = || MatrixError::bad_json("invite must be an array of user IDs");
    let list = match body.get("invite") {
        None => return Ok(Vec::new()),
        Some(list) => list.as_array().ok_or_else(wrong)?,
    };
    list.iter().map(|user| find_user(state, user.as_str().ok_or_else(wrong)?)).collect()
}

fn find_user(state: &State, user_id: &str) -> Result<UserKey, MatrixError> {
    state.find_user(user_id).ok_or_else(|| MatrixError::not_found("No such user on this server"))
}

/// The room that a path names, by ID or alias.
fn room(call: &Call) -> &str {
    call.variables.get("room_id").or_else(|| call.variables.get("room")).unwrap_or_default()
}

/// Invites a user.
pub(super) fn invite(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let body = call.object()?;
    let invitee = required(&body, "user_id")?;
    server.with(|state, now| {
        let invitee = find_user(state, invitee)?;
        state.invite(now, session.user, room(call), invitee)
    })?;
    Ok(Reply::empty())
}

/// Joins a room.
pub(super) fn join(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    call.optional_object()?;
    let id = server.with(|state, now| {
        let id = state.find_room(room(call)).ok_or_else(|| MatrixError::not_found("No such room"))?;
        state.join(now, session.user, &id).map(|()| id)
    })?;
    Ok(Reply::ok(&json!({ "room_id": id })))
}

/// Leaves a room.
pub(super) fn leave(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    call.optional_object()?;
    server.with(|state, now| state.leave(now, session.user, room(call)))?;
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
        let subject = find_user(state, subject)?;
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
