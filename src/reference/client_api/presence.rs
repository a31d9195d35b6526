//! Presence by request.

use serde_json::json;

use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply, required, text};
use crate::reference::server::Server;
use crate::reference::state::{Availability, Way};
use crate::reference::variants::Variant;

/// Sets one's own presence. Fields that are not the user's to say, the hash among them, are ignored.
pub(super) fn set(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let owner = call.variables.get("user_id").unwrap_or_default();
    if server.with(|state, _| **state.user_id(session.user) != *owner) {
        return Err(MatrixError::forbidden("This is somebody else's presence").into());
    }
    let body = call.object()?;
    let availability = Availability::parse(required(&body, "presence")?)
        .ok_or_else(|| MatrixError::invalid_param("presence is online, unavailable or offline"))?;
    let message = text(&body, "status_msg")?.map(str::to_owned);
    let forged = body.get(&server.options.binding.presence.field);
    if forged.is_some() && server.may(Variant::PresenceFieldRefused) {
        return Err(MatrixError::bad_json("The capability hash is the server's to say").into());
    }
    server.with(|state, now| {
        state.set_presence(now, session.user, availability, message);
        if forged.is_some() && server.has(Fault::PresenceWritable) {
            state.forge_hash(session.user, forged.cloned());
        }
        let told = forged.and_then(|field| field.get("sha256")?.as_str());
        if let Some(hash) = told.filter(|_| server.has(Fault::PresenceDeclares)) {
            state.declare(now, session, hash).ok();
        }
    });
    Ok(Reply::empty())
}

/// The presence of somebody with whom one shares a room; all others look alike.
pub(super) fn get(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let owner = call.variables.get("user_id").unwrap_or_default();
    let content = server.with(|state, now| {
        let anybody = server.has(Fault::StrangersStatus);
        match state.find_user(owner).filter(|user| anybody || state.shares_room(session.user, *user)) {
            Some(user) => {
                let way = if user == session.user { Way::OwnStatus } else { Way::Status };
                Some(state.presence_content(now, user, way))
            }
            None => state.guest_status(now, session.user, owner),
        }
    });
    match content {
        Some(content) => Ok(Reply::ok(&content)),
        None if server.may(Variant::StrangersBare) => Ok(Reply::ok(&json!({ "presence": "offline" }))),
        None if server.may(Variant::StrangersNotFound) => {
            Err(MatrixError::not_found("Nothing is known of this user here").into())
        }
        None => Err(MatrixError::forbidden("You do not share a room with this user").into()),
    }
}
