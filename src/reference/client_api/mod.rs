//! The client-server API: finds the endpoint, the session and the body, and lets a handler answer.

mod account;
mod auth;
mod capabilities;
mod devices;
mod presence;
mod register;
mod rooms;
mod sync;
mod uia;

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

use super::delivery;
use super::errors::MatrixError;
use super::faults::Fault;
use super::http::{Answer, Call, Reply, bearer, read_body};
use super::routes::Endpoint;
use super::server::Server;
use super::state::{Ending, Session};
use super::variants::Variant;
use crate::spec::binding::Operation;

/// The one endpoint with a limit of its own.
const UPLOAD: Endpoint = Endpoint::Capability(Operation::Upload);

/// Answers one request.
pub(crate) async fn handle(Shared(server): Shared<Arc<Server>>, request: Request) -> Response {
    let reply = answer(&server, request).await.unwrap_or_else(|error| error);
    delivery::deliver(&server, reply).await
}

async fn answer(server: &Arc<Server>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let found = server.routes.endpoint(&parts);
    let session = found.as_ref().ok().map(|(endpoint, _)| session(server, *endpoint, &parts));
    // The body is read before any answer, an early one included: the client is still writing it.
    let body = tokio::select! {
        biased;
        body = read_body(body, limit(server, &found)) => body,
        () = server.stopping() => return Err(MatrixError::stopping("Stopping").into()),
    };
    if let Some(later) = server.pace.limit(server.options.variants) {
        return Err(later);
    }
    let (endpoint, variables) = found?;
    let may_judge = server.may(Variant::ErrorsBodyFirst) && bearer(&parts.headers).is_some();
    if server.has(Fault::AuthAfterValidation) || may_judge {
        check_body(server, endpoint, &body)?;
    }
    let session = session.transpose()?.flatten();
    let body = body.map_err(|error| unread(server, endpoint, session.as_ref(), error))?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call { session, variables, query, body };
    dispatch(server, endpoint, &call).await
}

fn session(server: &Server, endpoint: Endpoint, parts: &Parts) -> Result<Option<Session>, Reply> {
    if !endpoint.needs_token() {
        return Ok(None);
    }
    let Some(token) = bearer(&parts.headers) else {
        let is_optional = server.has(Fault::AuthOptional);
        let anybody = is_optional.then(|| server.with(|state, _| state.anybody())).flatten();
        return anybody.map(Some).ok_or_else(|| missing_token(server).into());
    };
    let session = server.with(|state, now| state.session(now, token));
    session.map(Some).ok_or_else(|| match server.has(Fault::AuthDeadTokenMissing) {
        true => MatrixError::missing_token("Missing access token").into(),
        false => dead_token(server, "Unknown access token"),
    })
}

/// The answer to a token that is no session's, or no session's any more (Matrix specification,
/// client-server API, "Soft logout").
fn dead_token(server: &Server, message: &'static str) -> Reply {
    let error = MatrixError::unknown_token(message);
    if !server.may(Variant::SoftLogout) {
        return error.into();
    }
    let mut body = error.body();
    body["soft_logout"] = true.into();
    Reply::json(error.status, &body)
}

fn missing_token(server: &Server) -> MatrixError {
    if server.has(Fault::AuthMissingTokenForbidden) {
        MatrixError::forbidden("Missing access token")
    } else if server.has(Fault::AuthMissingTokenUnknown) {
        MatrixError::unknown_token("Unknown access token")
    } else {
        MatrixError::missing_token("Missing access token")
    }
}

/// The longest body that an endpoint takes.
fn limit<V>(server: &Server, found: &Result<(Endpoint, V), MatrixError>) -> usize {
    match found {
        Ok((UPLOAD, _)) if server.has(Fault::UploadLimit4k) => 4 << 10,
        Ok((UPLOAD, _)) if server.has(Fault::TooLargeAccepted) => 64 << 20,
        Ok((UPLOAD, _)) => server.options.limits.max_set_bytes,
        _ => server.options.limits.max_body,
    }
}

/// Judges the body of these operations before all else.
fn check_body(
    server: &Server,
    endpoint: Endpoint,
    body: &Result<Bytes, MatrixError>,
) -> Result<(), MatrixError> {
    let is_declare = endpoint == Endpoint::Capability(Operation::Declare);
    let error = match body {
        Err(error) if is_declare || endpoint == UPLOAD => error.clone(),
        Ok(body) if endpoint == UPLOAD && server.may(Variant::ErrorsBodyFirst) => {
            return server.arithmetic.read_upload(body).map(drop);
        }
        Ok(body) if (is_declare || endpoint == UPLOAD) && serde_json::from_slice::<Value>(body).is_err() => {
            MatrixError::not_json("The body is not JSON")
        }
        _ => return Ok(()),
    };
    Err(error.any_4xx(server.options.variants))
}

/// What becomes of a session whose body could not be read, and of the error: nothing, but for faults.
fn unread(server: &Server, endpoint: Endpoint, session: Option<&Session>, error: MatrixError) -> MatrixError {
    let Some(session) = session.filter(|_| endpoint == UPLOAD && error.status == 413) else { return error };
    if server.has(Fault::TooLargeEndsSession) {
        server.with(|state, now| state.end_sessions(now, session.user, Ending::Logout, [&*session.device]));
    }
    if server.has(Fault::TooLargeWithdraws) {
        server.with(|state, now| state.withdraw(now, session.user, |_| true));
    }
    match server.has(Fault::TooLargeAs400) {
        true => MatrixError::bad_json(error.message),
        false => error.any_4xx(server.options.variants),
    }
}

async fn dispatch(server: &Arc<Server>, endpoint: Endpoint, call: &Call) -> Answer {
    match endpoint {
        Endpoint::Versions => Ok(versions(server)),
        Endpoint::LoginFlows => Ok(auth::flows()),
        Endpoint::Login => auth::log_in(server, call),
        Endpoint::Register => register::register(server, call),
        Endpoint::RegisterNonce => register::nonce(server),
        Endpoint::RegisterBySecret => register::register_by_secret(server, call),
        Endpoint::Logout => auth::log_out(server, call),
        Endpoint::LogoutAll => auth::log_out_everywhere(server, call),
        Endpoint::WhoAmI => account::who_am_i(server, call),
        Endpoint::Deactivate => account::deactivate(server, call),
        Endpoint::Devices => devices::list(server, call),
        Endpoint::Device => devices::one(server, call),
        Endpoint::DeleteDevice => devices::delete_one(server, call),
        Endpoint::DeleteDevices => devices::delete_many(server, call),
        Endpoint::CreateRoom => rooms::create(server, call).await,
        Endpoint::Invite => rooms::invite(server, call).await,
        Endpoint::Join | Endpoint::JoinByName => rooms::join(server, call).await,
        Endpoint::Leave => rooms::leave(server, call).await,
        Endpoint::Forget => rooms::forget(server, call),
        Endpoint::Kick | Endpoint::Ban | Endpoint::Unban => rooms::moderate(server, call, endpoint),
        Endpoint::JoinedRooms => rooms::joined(server, call),
        Endpoint::JoinedMembers => rooms::members(server, call),
        Endpoint::SetPresence => presence::set(server, call),
        Endpoint::GetPresence => presence::get(server, call),
        Endpoint::Sync => sync::sync(server, call).await,
        Endpoint::Capability(operation) => capabilities::answer(server, operation, call).await,
    }
}

fn versions(server: &Server) -> Reply {
    let feature = &server.options.binding.unstable_feature;
    Reply::ok(&json!({
        "versions": ["v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10", "v1.11"],
        "unstable_features": { feature: true },
    }))
}
