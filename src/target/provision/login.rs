//! Sessions: `POST /login` with a password, and `POST /logout/all`.

use std::sync::Arc;

use serde_json::json;

use crate::wire::{Client, Exchange, Request, Secret};

use super::answer::{self, broken, errcode, quote, said};
use super::{Login, ProvisionError};

/// A session of `user` (localpart or full ID) on this device ID. Where the ID is `wanted` and not just
/// proposed, a session on any other device is an error.
pub(super) async fn log_in(
    client: &Client,
    user: &str,
    password: &Secret,
    device_id: &str,
    wanted: bool,
) -> Result<Login, ProvisionError> {
    client.transcript().conceal(password);
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": user },
        "password": password.reveal(),
        "device_id": device_id,
        "initial_device_display_name": "capcheck",
    });
    let exchange = client.send(Request::new("POST", "/_matrix/client/v3/login").json(&body).costly()).await;
    let failure = format!("cannot log in {user}");
    let session = answer::ok(client, &exchange, &failure).map_err(|error| advise(error, &exchange))?;
    let session = answer::session(&session)
        .ok_or_else(|| broken(format!("{failure}: {}", said(client, &exchange)), Some(&exchange)))?;
    client.transcript().conceal(&session.token);
    if wanted && session.device_id != device_id {
        let other = quote(&session.device_id);
        return Err(broken(
            format!("{failure} on device {device_id}: the server gave {other}"),
            Some(&exchange),
        ));
    }
    Ok(session)
}

fn advise(error: ProvisionError, exchange: &Arc<Exchange>) -> ProvisionError {
    let advice = match errcode(exchange).as_deref() {
        Some("M_FORBIDDEN") => "the server does not take this user name and password",
        Some("M_USER_DEACTIVATED") => "the account is deactivated",
        Some("M_UNKNOWN" | "M_UNRECOGNIZED") => {
            "the server may have no password login: give tokens in [users]"
        }
        _ => return error,
    };
    broken(format!("{error}: {advice}"), Some(exchange))
}

/// Ends every session of the user.
pub(super) async fn log_out_everywhere(client: &Client, token: &Secret) -> Arc<Exchange> {
    client.send(Request::new("POST", "/_matrix/client/v3/logout/all").token(token).json(&json!({}))).await
}
