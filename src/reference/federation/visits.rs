//! Our users in rooms of other homeservers: let in, turned away, invited and inviting.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::pdu::{Draft, Pdu, RoomVersion, server_of};
use super::{Federation, RemoteAnswer, RemoteError, transactions};
use crate::reference::errors::MatrixError;
use crate::reference::server::Server;
use crate::reference::state::{Kind, UserKey, Visit};
use crate::spec::binding::encode;

/// Joins a room that nobody here is in, through one of the homeservers in it.
pub(crate) async fn join(
    server: &Server,
    user: UserKey,
    room: &str,
    via: Vec<String>,
) -> Result<(), MatrixError> {
    let visit = server.with(|state, _| {
        let visit = state.begin_visit(user, room, via)?;
        state.expect_early(room);
        Ok(visit)
    })?;
    let joined = join_through_any(server, user, &visit, room).await;
    for (origin, event) in server.with(|state, _| state.take_early(room)) {
        // What is wrong with it would have been nobody's business but the sender's.
        drop(transactions::receive(server, &origin, &event).await);
    }
    joined
}

async fn join_through_any(
    server: &Server,
    user: UserKey,
    visit: &Visit,
    room: &str,
) -> Result<(), MatrixError> {
    let mut failures = Vec::new();
    for host in &visit.hosts {
        match join_through(server, host, (user, &visit.user_id), room).await {
            Ok(()) => return Ok(()),
            Err(error) => failures.push(error),
        }
    }
    // A homeserver that says no says more than one that says nothing.
    let told = failures.into_iter().min_by_key(|error| error.status);
    Err(told.unwrap_or_else(|| MatrixError::not_found("No such room")))
}

async fn join_through(
    server: &Server,
    host: &str,
    (user, user_id): (UserKey, &str),
    room: &str,
) -> Result<(), MatrixError> {
    let federation = federation(server)?;
    let (version, join) = request(server, federation, (host, room, user_id), Kind::Joined).await?;
    let path = format!("/_matrix/federation/v2/send_join/{}/{}", encode(room), encode(join.id()));
    let answer = object(federation.ask(host, "PUT", &path, Some(&join.json())).await)?;
    let state = answer.get("state").and_then(Value::as_array).ok_or_else(|| nonsense("no state"))?;
    // What is no event of this room version is left out; that the rest makes a room is checked on entering.
    let state = state.iter().filter_map(|event| Pdu::read(version, event.clone()).ok()).collect();
    server.with(|state_here, now| state_here.enter(now, user, join, version, state))
}

/// Turns an invitation to a room elsewhere down, at the homeserver that it came from. Whatever that
/// answers: here the invitation is gone afterwards.
pub(crate) async fn decline(server: &Server, user: UserKey, room: &str) -> Result<(), MatrixError> {
    let visit = server.with(|state, _| state.begin_visit(user, room, Vec::new()))?;
    if let (Some(host), Ok(federation)) = (visit.hosts.first(), federation(server))
        && let Ok((_, leave)) = request(server, federation, (host, room, &visit.user_id), Kind::Left).await
    {
        let path = format!("/_matrix/federation/v2/send_leave/{}/{}", encode(room), encode(leave.id()));
        drop(federation.ask(host, "PUT", &path, Some(&leave.json())).await);
    }
    server.with(|state, now| state.leave(now, user, room))
}

/// Has a homeserver offer an event, completes and signs it.
async fn request(
    server: &Server,
    federation: &Federation,
    (host, room, user_id): (&str, &str, &str),
    kind: Kind,
) -> Result<(RoomVersion, Pdu), MatrixError> {
    let versions = RoomVersion::ALL.map(|version| format!("ver={}", version.id())).join("&");
    let (endpoint, query) = match kind {
        Kind::Joined => ("make_join", format!("?{versions}")),
        _ => ("make_leave", String::new()),
    };
    let path = format!("/_matrix/federation/v1/{endpoint}/{}/{}{query}", encode(room), encode(user_id));
    let answer = object(federation.ask(host, "GET", &path, None).await)?;
    let version = answer.get("room_version").and_then(Value::as_str).unwrap_or("1");
    let version = RoomVersion::parse(version)
        .ok_or_else(|| MatrixError::unsupported_version("This server does not know the room's version"))?;
    let offered = answer.get("event").ok_or_else(|| nonsense("no event"))?;
    let ids = |name: &str| -> Option<Vec<String>> {
        offered[name].as_array()?.iter().map(|id| id.as_str().map(str::to_owned)).collect()
    };
    // Of what is offered only the place in the room's graph is taken; the rest is ours to say.
    let draft = Draft {
        room_id: room,
        sender: user_id,
        kind: "m.room.member",
        state_key: user_id,
        content: serde_json::json!({ "membership": kind.word() }),
        prev_events: ids("prev_events").ok_or_else(|| nonsense("no prev_events"))?,
        auth_events: ids("auth_events").ok_or_else(|| nonsense("no auth_events"))?,
        depth: offered["depth"].as_u64().ok_or_else(|| nonsense("no depth"))?,
        sent_ms: server.wall_ms(),
    };
    let signer =
        server.with(|state, _| state.signer()).ok_or_else(|| MatrixError::not_found("No such room"))?;
    signer.sign(version, &draft).map(|pdu| (version, pdu)).map_err(|error| nonsense(&error.to_string()))
}

/// Invites a user of another homeserver: it signs the invitation, too, before anybody hears of it.
pub(crate) async fn invite(
    server: &Server,
    user: UserKey,
    room: &str,
    guest: &Arc<str>,
) -> Result<(), MatrixError> {
    let Some((invite, body)) = server.with(|state, now| state.draft_invite(now, user, room, guest))? else {
        return Ok(());
    };
    let path = format!("/_matrix/federation/v2/invite/{}/{}", encode(room), encode(invite.id()));
    let answer = object(federation(server)?.ask(server_of(guest), "PUT", &path, Some(&body)).await)?;
    let event = answer.get("event").cloned().unwrap_or_default();
    let signed = Pdu::read(invite.version(), event).map_err(|error| nonsense(&error.to_string()))?;
    // The name covers all that the invitation says: the same name, the same invitation.
    if signed.id() != invite.id() {
        return Err(nonsense("another event"));
    }
    server.with(|state, now| state.invite_guest(now, signed))
}

fn federation(server: &Server) -> Result<&Federation, MatrixError> {
    server.federation.as_deref().ok_or_else(|| MatrixError::not_found("This server does not federate"))
}

/// The JSON object of another homeserver's answer. What it forbids or does not find, the client is told so.
fn object(answer: Result<RemoteAnswer, RemoteError>) -> Result<Map<String, Value>, MatrixError> {
    let answer = answer.map_err(|error| match error {
        RemoteError::TimedOut => MatrixError::gateway_timeout("The other homeserver did not answer in time"),
        _ => MatrixError::bad_gateway(format!("The other homeserver cannot be asked: {error}")),
    })?;
    let body = serde_json::from_slice(&answer.body);
    match (answer.status, body) {
        (200, Ok(Value::Object(body))) => Ok(body),
        (403, Ok(_)) => Err(MatrixError::forbidden("The other homeserver forbids it")),
        (404, Ok(_)) => Err(MatrixError::not_found("The other homeserver does not know the room")),
        (400, Ok(Value::Object(body)))
            if body.get("errcode") == Some(&"M_INCOMPATIBLE_ROOM_VERSION".into()) =>
        {
            Err(MatrixError::unsupported_version("This server does not know the room's version"))
        }
        (status, _) => Err(MatrixError::bad_gateway(format!("The other homeserver answered with {status}"))),
    }
}

fn nonsense(reason: &str) -> MatrixError {
    MatrixError::bad_gateway(format!("The other homeserver's answer makes no sense: {reason}"))
}
