//! Rooms of ours that users of other homeservers join and leave, and invitations from there
//! (Server-Server API, "Joining Rooms", "Leaving Rooms", "Inviting to a room").

use std::sync::Arc;

use ruma_common::serde::Base64;
use ruma_signatures::PublicKeySet;
use serde_json::{Map, Value, json};

use super::pdu::{Pdu, PduError, RoomVersion, server_of};
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply, required};
use crate::reference::server::Server;
use crate::reference::state::Kind;

/// Keys of one homeserver that are tried on one event.
const MAX_KEYS: usize = 3;

/// Offers an event by which a user of the asking homeserver would join.
pub(super) async fn make_join(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    let room = variable(call, "room_id");
    let versions = call.queries("ver");
    let version = server.with(|state, _| state.room_version(room));
    match version.filter(|version| !versions.iter().any(|known| known == version.id())) {
        Some(version) => Err(incompatible(version.id())),
        None => offer(server, origin, call, Kind::Joined),
    }
}

/// Offers an event by which a user of the asking homeserver would leave.
pub(super) async fn make_leave(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    offer(server, origin, call, Kind::Left)
}

fn offer(server: &Arc<Server>, origin: &str, call: &Call, kind: Kind) -> Answer {
    let user_id = variable(call, "user_id");
    if server_of(user_id) != origin {
        return Err(MatrixError::forbidden("This is not a user of the asking homeserver").into());
    }
    let room = variable(call, "room_id");
    let (version, event) = server.with(|state, now| state.offer(now, room, user_id, kind))?;
    Ok(Reply::ok(&json!({ "room_version": version.id(), "event": event })))
}

/// Lets a user of the asking homeserver in.
pub(super) async fn send_join(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    let pdu = own_membership(server, origin, call, Kind::Joined).await?;
    let event = pdu.json();
    let admission = server.with(|state, now| state.admit(now, pdu))?;
    Ok(Reply::ok(&json!({
        "origin": server.server_name,
        "event": event,
        "state": admission.state,
        "auth_chain": admission.auth_chain,
        "members_omitted": false,
    })))
}

/// Lets a user of the asking homeserver go.
pub(super) async fn send_leave(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    let pdu = own_membership(server, origin, call, Kind::Left).await?;
    server.with(|state, now| state.admit(now, pdu))?;
    Ok(Reply::empty())
}

/// Takes the invitation of a local user, and signs it for the inviting homeserver.
pub(super) async fn invite(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    let body = call.object()?;
    let told = required(&body, "room_version")?;
    let version = RoomVersion::parse(told).ok_or_else(|| incompatible(told))?;
    let event = body.get("event").cloned().unwrap_or_default();
    let pdu = named(call, origin, Pdu::read(version, event).map_err(refused)?, Kind::Invited)?;
    let pdu = verified(server, pdu).await?;
    let signer = server.with(|state, _| state.signer());
    let signer = signer.ok_or_else(|| MatrixError::unrecognized("No such endpoint"))?;
    let signed = signer.co_sign(pdu).map_err(refused)?;
    let stripped = body.get("invite_room_state").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let event = signed.json();
    server.with(|state, now| state.receive_invite(now, signed, version, stripped))?;
    Ok(Reply::ok(&json!({ "event": event })))
}

/// The event of a request by which a user of the asking homeserver changes their own membership.
async fn own_membership(
    server: &Arc<Server>,
    origin: &str,
    call: &Call,
    kind: Kind,
) -> Result<Pdu, MatrixError> {
    let room = variable(call, "room_id");
    let version = server.with(|state, _| state.room_version(room));
    let version = version.ok_or_else(|| MatrixError::not_found("No such room here"))?;
    let event: Map<String, Value> = call.object()?;
    let pdu = Pdu::read(version, Value::Object(event)).map_err(refused)?;
    let pdu = named(call, origin, pdu, kind)?;
    if pdu.state_key() != Some(pdu.sender()) {
        return Err(MatrixError::forbidden("The event is not about its sender"));
    }
    verified(server, pdu).await
}

/// Checks that an event is what the path says, and the asking homeserver's to send.
fn named(call: &Call, origin: &str, pdu: Pdu, kind: Kind) -> Result<Pdu, MatrixError> {
    if variable(call, "room_id") != pdu.room_id() || variable(call, "event_id") != &**pdu.id() {
        return Err(MatrixError::invalid_param("The event is not the one that the path names"));
    }
    if pdu.membership() != Some(kind.word()) {
        return Err(MatrixError::invalid_param("The event is not about such a membership"));
    }
    match pdu.server() == origin {
        true => Ok(pdu),
        false => Err(MatrixError::forbidden("The sender is not a user of the asking homeserver")),
    }
}

/// Checks an event against the keys of its sender's homeserver.
pub(super) async fn verified(server: &Server, pdu: Pdu) -> Result<Pdu, MatrixError> {
    let Some(federation) = &server.federation else {
        return Err(MatrixError::not_found("No such room here"));
    };
    let mut keys = PublicKeySet::new();
    for key_id in pdu.signing_keys().take(MAX_KEYS) {
        if let Ok(key) = federation.key_of(pdu.server(), key_id, server.wall_ms()).await {
            keys.insert(key_id.to_owned(), Base64::new(key));
        }
    }
    pdu.verified(keys).map_err(refused)
}

/// What is answered to an event that is none.
pub(super) fn refused(error: PduError) -> MatrixError {
    match error {
        PduError::Malformed(_) => MatrixError::bad_json(error.to_string()),
        PduError::Unsigned(_) => MatrixError::forbidden(error.to_string()),
    }
}

fn incompatible(version: &str) -> Reply {
    Reply::json(
        400,
        &json!({
            "errcode": "M_INCOMPATIBLE_ROOM_VERSION",
            "error": "The room has a version that the joining homeserver does not know",
            "room_version": version,
        }),
    )
}

fn variable<'a>(call: &'a Call, name: &str) -> &'a str {
    call.variables.get(name).unwrap_or_default()
}
