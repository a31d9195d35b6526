//! Login and logout.

use serde_json::{Map, Value, json};

use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply, required, text};
use crate::reference::server::{Server, random_bytes};
use crate::reference::state::{Ending, Login, State, UserKey};

/// The longest device ID that is taken, in bytes.
const DEVICE_ID: usize = 255;

/// The ways to log in.
pub(super) fn flows() -> Reply {
    Reply::ok(&json!({ "flows": [{ "type": "m.login.password" }] }))
}

/// Opens a session for a password.
pub(super) fn log_in(server: &Server, call: &Call) -> Answer {
    let body = call.object()?;
    if required(&body, "type")? != "m.login.password" {
        return Err(MatrixError::unknown("Unknown login type").into());
    }
    let user = user_name(&body)?;
    let password = required(&body, "password")?;
    let login = new_login(&body)?;
    let answer = server.with(|state, now| {
        let user = state.authenticate(&user, password)?;
        let (token, device) = (login.token.clone(), login.device.clone());
        state.log_in(now, user, login)?;
        Ok::<_, MatrixError>(signed_in(server, state, user, &device, &token))
    })?;
    Ok(Reply::ok(&answer))
}

/// Ends the session that asks.
pub(super) fn log_out(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    server.with(|state, now| state.end_sessions(now, session.user, Ending::Logout, [&*session.device]));
    Ok(Reply::empty())
}

/// Ends every session of the user who asks.
pub(super) fn log_out_everywhere(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    server.with(|state, now| state.log_out_everywhere(now, session.user));
    Ok(Reply::empty())
}

/// Whom a body names: by `identifier`, or by the old `user`.
pub(super) fn user_name(body: &Map<String, Value>) -> Result<String, MatrixError> {
    let Some(identifier) = body.get("identifier") else {
        return required(body, "user").map(str::to_owned);
    };
    let identifier =
        identifier.as_object().ok_or_else(|| MatrixError::bad_json("identifier must be an object"))?;
    match required(identifier, "type")? {
        "m.id.user" => required(identifier, "user").map(str::to_owned),
        _ => Err(MatrixError::unknown("Unknown identifier type")),
    }
}

/// The session that a login or registration asks for, with a fresh token.
pub(super) fn new_login(body: &Map<String, Value>) -> Result<Login, MatrixError> {
    let device = match text(body, "device_id")? {
        Some(device) if device.is_empty() || device.len() > DEVICE_ID => {
            return Err(MatrixError::invalid_param("A device ID has 1 to 255 bytes"));
        }
        Some(device) => device.to_owned(),
        None => random_name::<5>()?.to_uppercase(),
    };
    let display_name = text(body, "initial_device_display_name")?.map(str::to_owned);
    Ok(Login { device, display_name, token: random_name::<24>()? })
}

/// What a client gets that has just signed in.
pub(super) fn signed_in(server: &Server, state: &State, user: UserKey, device: &str, token: &str) -> Value {
    json!({
        "user_id": &**state.user_id(user),
        "access_token": token,
        "device_id": device,
        "home_server": server.server_name,
    })
}

/// A name of N random bytes, as hexadecimal.
pub(super) fn random_name<const N: usize>() -> Result<String, MatrixError> {
    let bytes = random_bytes::<N>().map_err(|_| MatrixError::internal("No random bytes"))?;
    Ok(hex(&bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
