//! Whether an operation is there at all: told apart by paths that cannot exist.

use std::sync::Arc;

use crate::spec::binding::Operation;
use crate::wire::Exchange;

use super::config::Target;
use super::features::Standing;

/// A path that cannot exist, where the Client-Server API would have it.
pub(super) fn in_the_client_api(run_id: &str) -> String {
    format!("/_matrix/client/unstable/capcheck.{run_id}")
}

/// The same where the Server-Server API would.
pub(super) fn in_the_federation_api(run_id: &str) -> String {
    format!("/_matrix/federation/unstable/capcheck.{run_id}")
}

/// A path that cannot exist below that of an operation: elsewhere a homeserver, or a proxy in front of it, may
/// say in other words that there is nothing.
pub(super) fn below(operation: &Exchange, run_id: &str) -> String {
    format!("{}/capcheck.{run_id}", operation.request.bare_path())
}

/// Whether an answer may say that there is no such path, without the error code for it.
pub(super) fn is_bare(exchange: &Exchange) -> bool {
    matches!(exchange.status(), Some(404 | 405)) && exchange.errcode().is_none()
}

/// Whether a path is as unknown to the target as those that cannot exist.
pub(super) fn is_unsupported(exchange: &Exchange, nowhere: &[Arc<Exchange>]) -> bool {
    exchange.is_unrecognized()
        || (is_bare(exchange) && nowhere.iter().any(|nowhere| said(nowhere) == said(exchange)))
}

/// The status and the body, which may repeat what was asked for.
fn said(exchange: &Exchange) -> Option<(u16, String)> {
    let response = exchange.result.as_ref().ok()?;
    let body = String::from_utf8_lossy(&response.body);
    Some((response.status, body.replace(exchange.request.path.as_str(), "")))
}

/// How an operation stands.
pub(super) fn standing(
    target: &Target,
    operation: Operation,
    exchange: &Exchange,
    nowhere: &[Arc<Exchange>],
) -> Standing {
    match (is_unsupported(exchange, nowhere), target.unsupported.contains(&operation)) {
        (_, true) => Standing::NotApplicable(format!("the target file lists {operation} as unsupported")),
        (true, false) => Standing::Broken(format!(
            "{operation} is unsupported: {} {} was answered {}; list it under `unsupported` if that is meant",
            exchange.recorded.method,
            exchange.request.path,
            exchange.describe()
        )),
        (false, false) => Standing::Available,
    }
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{any, path};
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    use super::*;
    use crate::wire::{self, Client};

    async fn ask(client: &Client, path: &str) -> Arc<Exchange> {
        client.send(wire::Request::new("GET", path)).await
    }

    fn client(server: &MockServer) -> Client {
        crate::engine::client(&Target::from_url(&server.uri()).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_page_that_says_the_same_of_what_cannot_exist_says_that_there_is_nothing() {
        let server = MockServer::start().await;
        let page = |request: &Request| {
            ResponseTemplate::new(404).set_body_string(format!("<p>no {}</p>", request.url.path()))
        };
        let refusal = serde_json::json!({ "errcode": "M_NOT_FOUND" });
        let refused = ResponseTemplate::new(404).set_body_json(refusal);
        Mock::given(path("/a/refused")).respond_with(refused).mount(&server).await;
        let bare = ResponseTemplate::new(404).set_body_string("no such set");
        Mock::given(path("/a/bare")).respond_with(bare).mount(&server).await;
        Mock::given(any()).respond_with(page).with_priority(9).mount(&server).await;
        let client = client(&server);
        let with_query = ask(&client, "/a/operation?user=alice").await;
        assert_eq!(below(&with_query, "run"), "/a/operation/capcheck.run");
        let nowhere = [ask(&client, &below(&with_query, "run")).await];
        for (path, expected) in [("/a/operation", true), ("/a/refused", false), ("/a/bare", false)] {
            assert_eq!(is_unsupported(&*ask(&client, path).await, &nowhere), expected, "{path}");
        }
        assert!(!is_unsupported(&*ask(&client, "/a/operation").await, &[]));
    }
}
