//! The server-server API: finds the endpoint, the asking homeserver and the body, and lets a handler answer.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use serde_json::json;

use super::{rooms, transactions};
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply, read_body};
use crate::reference::routes::FedEndpoint;
use crate::reference::server::Server;

/// Answers one request.
pub(crate) async fn handle(Shared(server): Shared<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let found = server.fed_routes.endpoint(&parts);
    // The body is read before any answer, an early one included: the asker is still writing it.
    let body = tokio::select! {
        biased;
        body = read_body(body, server.options.limits.max_body) => body,
        () = server.stopping() => return Reply::from(MatrixError::stopping("Stopping")).into_response(),
    };
    let answer = async {
        let (endpoint, variables) = found?;
        let body = body?;
        let origin = match endpoint.needs_signature() {
            true => authenticate(&server, &parts, &body).await?,
            false => String::new(),
        };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let call = Call { session: None, variables, query, body };
        dispatch(&server, endpoint, &origin, &call).await
    };
    answer.await.unwrap_or_else(|error| error).into_response()
}

async fn dispatch(server: &Arc<Server>, endpoint: FedEndpoint, origin: &str, call: &Call) -> Answer {
    match endpoint {
        FedEndpoint::Keys => Err(MatrixError::unrecognized("No such endpoint").into()),
        FedEndpoint::Version => Ok(version()),
        FedEndpoint::Send => transactions::send(server, origin, call).await,
        FedEndpoint::MakeJoin => rooms::make_join(server, origin, call).await,
        FedEndpoint::SendJoin => rooms::send_join(server, origin, call).await,
        FedEndpoint::MakeLeave => rooms::make_leave(server, origin, call).await,
        FedEndpoint::SendLeave => rooms::send_leave(server, origin, call).await,
        FedEndpoint::Invite => rooms::invite(server, origin, call).await,
        FedEndpoint::Capability(_) => Err(MatrixError::unrecognized("No such endpoint").into()),
    }
}

/// What runs here.
fn version() -> Reply {
    Reply::ok(&json!({ "server": { "name": "capcheck", "version": env!("CARGO_PKG_VERSION") } }))
}

/// The homeserver that signed a request.
async fn authenticate(_server: &Server, _parts: &Parts, _body: &Bytes) -> Result<String, Reply> {
    Err(MatrixError::unauthorized("No signature").into())
}
