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
use http::request::Parts;
use serde_json::json;

use super::errors::MatrixError;
use super::http::{Answer, Call, Reply, bearer, read_body};
use super::routes::{Endpoint, Found};
use super::server::Server;
use super::state::Session;
use crate::spec::binding::Operation;

/// Answers one request.
pub(crate) async fn handle(Shared(server): Shared<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let found = endpoint(&server, &parts);
    let session = found.as_ref().ok().map(|(endpoint, _)| session(&server, *endpoint, &parts));
    // The body is read before any answer, an early one included: the client is still writing it.
    let body = tokio::select! {
        body = read_body(body, limit(&server, &found)) => body,
        () = server.stopping() => return Reply::from(MatrixError::stopping("Stopping")).into_response(),
    };
    let answer = async {
        let (endpoint, variables) = found?;
        let session = session.transpose()?.flatten();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let call = Call { session, variables, query, body: body? };
        dispatch(&server, endpoint, &call).await
    };
    answer.await.unwrap_or_else(|error| error).into_response()
}

fn endpoint(server: &Server, parts: &Parts) -> Result<(Endpoint, super::routes::Variables), MatrixError> {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    match server.routes.find(parts.method.as_str(), parts.uri.path(), target) {
        Found::Endpoint(endpoint, variables) => Ok((endpoint, variables)),
        Found::WrongMethod => Err(MatrixError::wrong_method("Method not allowed here")),
        Found::Nothing => Err(MatrixError::unrecognized("No such endpoint")),
    }
}

fn session(server: &Server, endpoint: Endpoint, parts: &Parts) -> Result<Option<Session>, MatrixError> {
    if !endpoint.needs_token() {
        return Ok(None);
    }
    let token = bearer(&parts.headers).ok_or_else(|| MatrixError::missing_token("Missing access token"))?;
    let session = server.with(|state, now| state.session(now, token));
    session.map(Some).ok_or_else(|| MatrixError::unknown_token("Unknown access token"))
}

fn limit<V>(server: &Server, found: &Result<(Endpoint, V), MatrixError>) -> usize {
    let limits = &server.options.limits;
    match found {
        Ok((Endpoint::Capability(Operation::Upload), _)) => limits.max_set_bytes,
        _ => limits.max_body,
    }
}

async fn dispatch(server: &Server, endpoint: Endpoint, call: &Call) -> Answer {
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
        Endpoint::CreateRoom => rooms::create(server, call),
        Endpoint::Invite => rooms::invite(server, call),
        Endpoint::Join | Endpoint::JoinByName => rooms::join(server, call),
        Endpoint::Leave => rooms::leave(server, call),
        Endpoint::Forget => rooms::forget(server, call),
        Endpoint::Kick | Endpoint::Ban | Endpoint::Unban => rooms::moderate(server, call, endpoint),
        Endpoint::JoinedRooms => rooms::joined(server, call),
        Endpoint::JoinedMembers => rooms::members(server, call),
        Endpoint::SetPresence => presence::set(server, call),
        Endpoint::GetPresence => presence::get(server, call),
        Endpoint::Sync => sync::sync(server, call).await,
        Endpoint::Capability(operation) => capabilities::answer(server, operation, call),
    }
}

fn versions(server: &Server) -> Reply {
    let feature = &server.options.binding.unstable_feature;
    Reply::ok(&json!({
        "versions": ["v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10", "v1.11"],
        "unstable_features": { feature: true },
    }))
}
