//! Answers, read: the object in a 200, or one line that says what the server said instead.

use std::sync::Arc;

use ruma_common::UserId;
use serde_json::{Map, Value};

use crate::wire::{Client, Exchange, Secret, rate_limit};

use super::{Login, ProvisionError};

/// The longest text of a server that is repeated, in characters.
const REPEATED: usize = 200;

pub(super) fn broken(reason: impl Into<String>, exchange: Option<&Arc<Exchange>>) -> ProvisionError {
    ProvisionError::Broken { reason: reason.into(), exchange: exchange.cloned() }
}

/// The body as a JSON object, whatever the status.
pub(super) fn object(exchange: &Exchange) -> Option<Map<String, Value>> {
    match exchange.json()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// The Matrix error code of an answer.
pub(super) fn errcode(exchange: &Exchange) -> Option<String> {
    object(exchange)?.get("errcode")?.as_str().map(str::to_owned)
}

/// The object in a 200, or an error that begins with `failure`.
pub(super) fn ok(
    client: &Client,
    exchange: &Arc<Exchange>,
    failure: &str,
) -> Result<Map<String, Value>, ProvisionError> {
    match (exchange.status(), object(exchange)) {
        (Some(200), Some(object)) => Ok(object),
        _ => Err(broken(format!("{failure}: {}", said(client, exchange)), Some(exchange))),
    }
}

/// The session in the answer to a login or a registration, if there is one.
pub(super) fn session(object: &Map<String, Value>) -> Option<Login> {
    let text = |key: &str| object.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Login {
        user_id: user_id(object)?,
        device_id: text("device_id")?,
        token: Secret::new(text("access_token")?),
    })
}

/// The user ID in an answer, if it is one.
pub(super) fn user_id(object: &Map<String, Value>) -> Option<String> {
    let text = object.get("user_id")?.as_str()?;
    <&UserId>::try_from(text).is_ok().then(|| text.to_owned())
}

/// What the server said, in a line: `403 M_FORBIDDEN "Registration is closed"`, without secrets.
pub(super) fn said(client: &Client, exchange: &Exchange) -> String {
    let response = match &exchange.result {
        Ok(response) => response,
        Err(fault) => return client.transcript().black_out(&fault.to_string()),
    };
    let text = |key: &str| Some(quote(&client.transcript().black_out(object(exchange)?.get(key)?.as_str()?)));
    let said = match (text("errcode"), text("error")) {
        (Some(code), Some(error)) => format!("{} {code} \"{error}\"", response.status),
        (Some(code), None) => format!("{} {code}", response.status),
        _ if response.status == 200 => "200 with an answer that lacks what it must hold".to_owned(),
        _ => format!("{} without a Matrix error", response.status),
    };
    match response.status {
        429 => format!("{said}: {}", rate_limit::explain(exchange, client.config().max_obeyed)),
        _ => said,
    }
}

/// A server's words on one line, cut, with nothing in them that could move a cursor.
pub(super) fn quote(text: &str) -> String {
    let mut line: String = text.chars().take(REPEATED).flat_map(char::escape_debug).collect();
    if text.chars().nth(REPEATED).is_some() {
        line.push('…');
    }
    line.replace("\\\"", "'").replace("\\'", "'")
}
