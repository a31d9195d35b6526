//! Whether a breakdown is the target's: a 5xx, a time-out or a closed connection.

use std::sync::Arc;

use crate::outcome::Stop;
use crate::wire::{Client, Exchange, Request};

/// Asks again at once, before the story moves on, with a request that any working homeserver answers
/// before and after. Only a breakdown that comes again is the target's answer; any other ends the
/// scenario, because it says nothing about the rule under test.
///
/// `client` sent the request; `clients` is the client-server side, where the other one is asked.
pub(super) async fn confirm(client: &Client, clients: &Client, exchange: &Arc<Exchange>) -> Result<(), Stop> {
    control(clients, exchange).await?;
    let again = client.send(exchange.request.clone()).await;
    control(clients, &again).await?;
    if [exchange, &again].iter().any(|tried| tried.never_connected()) {
        // What was never asked has answered nothing.
        return Err(Stop::untestable(again.describe(), exchange));
    }
    match again.is_breakdown() {
        true => Ok(()),
        false => {
            let reason = format!("{} once, and {} when asked again", exchange.describe(), again.describe());
            Err(Stop::untestable(reason, exchange))
        }
    }
}

/// The same for a question that goes on to another homeserver, whose failure is told with 502 or 504: the
/// first answer that is no breakdown of the target's own, or else the second.
pub(super) async fn beyond(client: &Client, request: Request) -> Result<Arc<Exchange>, Stop> {
    let first = client.send(request.clone()).await;
    if !first.is_breakdown() || matches!(first.status(), Some(502 | 504)) {
        return Ok(first);
    }
    control(client, &first).await?;
    let again = client.send(request).await;
    control(client, &again).await?;
    Ok(again)
}

async fn control(client: &Client, about: &Arc<Exchange>) -> Result<(), Stop> {
    let control = client.send(Request::new("GET", "/_matrix/client/versions")).await;
    match control.status() {
        Some(200) => Ok(()),
        _ => {
            let reason = format!(
                "{}, and the target does not answer GET /_matrix/client/versions either: {}",
                about.describe(),
                control.describe()
            );
            Err(Stop::untestable(reason, about))
        }
    }
}
