//! The server-server API: finds the endpoint, the asking homeserver and the body, and lets a handler answer.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::request::Parts;
use serde_json::json;

use super::authenticate::{authenticate, claimed_origin};
use super::{Federation, capabilities, rooms, transactions};
use crate::reference::delivery;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply, read_body};
use crate::reference::pace::one_too_many;
use crate::reference::routes::{FedEndpoint, Variables};
use crate::reference::server::Server;
use crate::reference::variants::Variant;
use crate::spec::binding::encode;

/// Every so many-th request meets 429 under `fed-rate-limits`, and how long it is to wait.
const LIMITED: usize = 5;
const RETRY_AFTER_MS: u64 = 10;

/// Answers one request.
pub(in crate::reference) async fn handle(server: Arc<Server>, request: Request) -> Response {
    let reply = reply(&server, request).await.unwrap_or_else(|error| error);
    let mut response = delivery::deliver(&server, reply).await;
    if server.may(Variant::FedHttpClose) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn reply(server: &Arc<Server>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let found = server.fed_routes.endpoint(&parts);
    // The body is read before any answer, an early one included: the asker is still writing it.
    let body = tokio::select! {
        biased;
        body = read_body(body, server.options.limits.max_body) => body,
        () = server.stopping() => return Err(MatrixError::stopping("Stopping").into()),
    };
    let nth = server.federation.as_ref().map_or(0, |federation| federation.nth());
    if server.may(Variant::FedAnswersLate) {
        server.pace.dawdle().await;
    }
    if server.may(Variant::FedRateLimits) && nth % LIMITED == LIMITED - 1 {
        return Err(one_too_many(RETRY_AFTER_MS));
    }
    tokio::select! {
        biased;
        answer = answer(server, &parts, found, body) => answer,
        () = server.stopping() => Err(MatrixError::stopping("Stopping").into()),
    }
}

/// Asks a homeserver what homeservers ask of one whose user comes to a room, whatever it answers.
async fn ask_around(server: Arc<Server>, origin: String) {
    let (Some(federation), origin) = (&server.federation, &*origin) else { return };
    let user = encode(&format!("@capcheck:{origin}"));
    let (profile, devices) = (format!("query/profile?user_id={user}"), format!("user/devices/{user}"));
    for question in ["version", &profile, &devices, "publicRooms?limit=1"] {
        let path = format!("/_matrix/federation/v1/{question}");
        drop(federation.ask(origin, "GET", &path, None).await);
    }
    let keys = json!({ "device_keys": { format!("@capcheck:{origin}"): [] } });
    drop(federation.ask(origin, "POST", "/_matrix/federation/v1/user/keys/query", Some(&keys)).await);
}

async fn answer(
    server: &Arc<Server>,
    parts: &Parts,
    found: Result<(FedEndpoint, Variables), MatrixError>,
    body: Result<Bytes, MatrixError>,
) -> Answer {
    let ((endpoint, variables), body) = (found?, body?);
    let federation =
        server.federation.as_ref().ok_or_else(|| MatrixError::unrecognized("No such endpoint"))?;
    let origin = match endpoint.needs_signature() {
        true => authenticate(server, federation, parts, &body).await,
        false => Ok(String::new()),
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call { session: None, variables, query, body };
    match origin {
        Ok(origin) => dispatch(server, federation, endpoint, &origin, &call).await,
        Err(refusal) => {
            if server.has(Fault::FedSignatureLate)
                && let Some(origin) = claimed_origin(server, parts)
            {
                drop(dispatch(server, federation, endpoint, &origin, &call).await);
            }
            Err(refusal.into())
        }
    }
}

async fn dispatch(
    server: &Arc<Server>,
    federation: &Federation,
    endpoint: FedEndpoint,
    origin: &str,
    call: &Call,
) -> Answer {
    match endpoint {
        FedEndpoint::Keys => keys(server, federation),
        FedEndpoint::Version => Ok(version()),
        FedEndpoint::Send => transactions::send(server, origin, call).await,
        FedEndpoint::MakeJoin => rooms::make_join(server, origin, call).await,
        FedEndpoint::SendJoin => {
            if server.may(Variant::FedAsksMore) {
                tokio::spawn(ask_around(server.clone(), origin.to_owned()));
            }
            rooms::send_join(server, origin, call).await
        }
        FedEndpoint::MakeLeave => rooms::make_leave(server, origin, call).await,
        FedEndpoint::SendLeave => rooms::send_leave(server, origin, call).await,
        FedEndpoint::Invite => rooms::invite(server, origin, call).await,
        FedEndpoint::Capability(operation) => {
            capabilities::answer(server, federation, operation, origin, call)
        }
    }
}

/// What runs here.
fn version() -> Reply {
    Reply::ok(&json!({ "server": { "name": "capcheck", "version": env!("CARGO_PKG_VERSION") } }))
}

/// The keys that sign what this homeserver says.
fn keys(server: &Server, federation: &Federation) -> Answer {
    let object = federation.key_object(server.wall_ms());
    object.map(|object| Reply::ok(&object)).map_err(|error| MatrixError::internal(error.to_string()).into())
}
