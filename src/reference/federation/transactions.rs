//! Transactions of other homeservers (Server-Server API, "Transactions"): events and presence.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::pdu::Pdu;
use super::rooms::verified;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;

/// What one transaction may hold.
const MAX_PDUS: usize = 50;
const MAX_EDUS: usize = 100;
/// The longest transaction ID, in bytes.
const MAX_ID: usize = 255;

/// Takes in a transaction, once. What is wrong with one event harms no other.
pub(super) async fn send(server: &Arc<Server>, origin: &str, call: &Call) -> Answer {
    let id = call.variables.get("txn_id").filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    let id = id.ok_or_else(|| MatrixError::invalid_param("A transaction ID has 1 to 255 bytes"))?;
    let body = call.object()?;
    let (pdus, edus) = (list(&body, "pdus", MAX_PDUS)?, list(&body, "edus", MAX_EDUS)?);
    let field = &server.options.binding.presence.field;
    if server.has(Fault::FedPresenceInRefused) && edus.iter().any(|edu| holds(edu, field)) {
        return Err(MatrixError::bad_json("An entry of a presence EDU has no such key").into());
    }
    if !server.with(|state, _| state.begin_transaction(origin, id)) {
        return Ok(Reply::ok(&json!({ "pdus": {} })));
    }
    let mut results = Map::new();
    for pdu in pdus {
        if let Some((id, result)) = receive(server, origin, pdu).await {
            let result = result.map_or_else(|error| json!({ "error": error.message }), |()| json!({}));
            results.insert(id, result);
        }
    }
    let kind = server.options.binding.presence.edu.as_str();
    let most = if server.has(Fault::FedPresenceInFirstEdu) { 1 } else { MAX_EDUS };
    for edu in edus.iter().filter(|edu| edu["edu_type"] == kind).take(most) {
        if let Some(entries) = edu["content"]["push"].as_array() {
            server.with(|state, now| state.receive_presence(now, origin, entries));
        }
    }
    Ok(Reply::ok(&json!({ "pdus": results })))
}

/// Whether an entry of an EDU has this key.
fn holds(edu: &Value, key: &str) -> bool {
    let entries = edu["content"]["push"].as_array();
    entries.is_some_and(|entries| entries.iter().any(|entry| entry.get(key).is_some()))
}

fn list<'a>(body: &'a Map<String, Value>, name: &str, most: usize) -> Result<&'a [Value], MatrixError> {
    match body.get(name) {
        None => Ok(&[]),
        Some(Value::Array(list)) if list.len() <= most => Ok(list),
        Some(Value::Array(_)) => Err(MatrixError::invalid_param(format!("At most {most} {name} at once"))),
        Some(_) => Err(MatrixError::bad_json(format!("{name} must be an array"))),
    }
}

/// Takes in an event, and says by name what came of it; what cannot even be named is passed over.
pub(super) async fn receive(
    server: &Server,
    origin: &str,
    event: &Value,
) -> Option<(String, Result<(), MatrixError>)> {
    let room = event["room_id"].as_str().unwrap_or_default();
    let place = server.with(|state, _| match state.room_version(room) {
        Some(version) => Ok(version),
        None => Err(state.keep_early(room, origin, event)),
    });
    let pdu = Pdu::read(place.unwrap_or_default(), event.clone()).ok()?;
    let id = pdu.id().to_string();
    let result = match place {
        Ok(_) => accept(server, origin, pdu).await,
        Err(true) => Ok(()),
        Err(false) => Err(MatrixError::not_found("No such room here")),
    };
    Some((id, result))
}

async fn accept(server: &Server, origin: &str, pdu: Pdu) -> Result<(), MatrixError> {
    let pdu = verified(server, pdu).await?;
    server.with(|state, now| state.receive_event(now, origin, pdu))
}
