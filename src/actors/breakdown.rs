//! Whether a breakdown is the target's: a 5xx, a time-out or a closed connection.

use std::sync::Arc;

use crate::outcome::Stop;
use crate::wire::{CONTROL, Client, Exchange, Request};

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
    let control = client.send(Request::new("GET", CONTROL)).await;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::wire::{ClientConfig, TlsTrust};

    async fn target() -> (MockServer, Client) {
        let server = MockServer::start().await;
        for (asked, status) in [("/_matrix/client/versions", 200), ("/broken", 500)] {
            Mock::given(path(asked)).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        }
        let config = ClientConfig {
            base: server.uri().parse().unwrap(),
            tls: TlsTrust::System,
            in_flight: 1,
            timeout: Duration::from_secs(10),
            max_body: 1 << 10,
            max_obeyed: Duration::ZERO,
        };
        (server, Client::new(config).unwrap())
    }

    #[tokio::test]
    async fn a_breakdown_that_comes_again_is_the_targets() {
        let (_server, client) = target().await;
        let exchange = client.send(Request::new("GET", "/broken")).await;
        assert!(confirm(&client, &client, &exchange).await.is_ok());
    }

    #[tokio::test]
    async fn where_nothing_was_asked_nothing_has_failed() {
        let (_server, client) = target().await;
        let gone = client.toward("http://127.0.0.1:1/".parse().unwrap(), TlsTrust::System).unwrap();
        let exchange = gone.send(Request::new("GET", "/broken")).await;
        let confirmed = confirm(&gone, &client, &exchange).await;
        assert!(matches!(confirmed, Err(Stop::Untestable { .. })), "{confirmed:?}");
    }
}
