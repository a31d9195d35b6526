//! A user's devices, and how they are deleted.

use serde_json::{Value, json};

use super::uia;
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::state::{DeviceInfo, Ending};

/// All devices.
pub(super) fn list(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let devices: Vec<Value> = server.with(|state, _| state.devices(session.user)).iter().map(shown).collect();
    Ok(Reply::ok(&json!({ "devices": devices })))
}

/// One device.
pub(super) fn one(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let devices = server.with(|state, _| state.devices(session.user));
    match devices.iter().find(|device| call.variables.get("device_id") == Some(&device.id)) {
        Some(device) => Ok(Reply::ok(&shown(device))),
        None => Err(MatrixError::not_found("No such device").into()),
    }
}

fn shown(device: &DeviceInfo) -> Value {
    let mut shown = json!({ "device_id": device.id, "last_seen_ts": device.last_seen_ms });
    if let Some(name) = &device.display_name {
        shown["display_name"] = name.as_str().into();
    }
    shown
}

/// Deletes one device, for whoever proves to be its owner; one that does not exist is deleted already.
pub(super) fn delete_one(server: &Server, call: &Call) -> Answer {
    let device = call.variables.get("device_id").unwrap_or_default();
    delete(server, call, Ending::Deletion, &[device])
}

/// Deletes several devices.
pub(super) fn delete_many(server: &Server, call: &Call) -> Answer {
    let body = call.object()?;
    let devices = body.get("devices").and_then(Value::as_array);
    let devices: Option<Vec<&str>> = devices.and_then(|list| list.iter().map(Value::as_str).collect());
    let devices = devices.ok_or_else(|| MatrixError::bad_json("devices must be an array of strings"))?;
    delete(server, call, Ending::DeletionOfMany, &devices)
}

fn delete(server: &Server, call: &Call, ending: Ending, devices: &[&str]) -> Answer {
    let session = call.session()?;
    let purpose = format!("delete {}", json!(devices));
    uia::prove_owner(server, session.user, &call.optional_object()?, &purpose)?;
    server.with(|state, now| state.end_sessions(now, session.user, ending, devices.iter().copied()));
    Ok(Reply::empty())
}
