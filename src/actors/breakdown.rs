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
    match again.is_breakdown() {
        true => Ok(()),
        false => {
            let reason = format!("{} once, and {} when asked again", exchange.describe(), again.describe());
            Err(Stop::untestable(reason, exchange))
        }
    }
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
