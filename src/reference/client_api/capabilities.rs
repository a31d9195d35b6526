//! The capability operations, as `docs/protocol.md` has them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::dead_token;
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::federation::lookup;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::state::{Session, Undeclarable};
use crate::reference::variants::Variant;
use crate::spec::binding::Operation;

/// How long a declaration takes from reading to writing, under faults that let others come between.
const SLOW_WRITE: Duration = Duration::from_millis(2);

/// Answers an operation.
pub(super) async fn answer(server: &Server, operation: Operation, call: &Call) -> Answer {
    match operation {
        Operation::ServerHash => server_hash(server, call),
        Operation::ServerSet => server_set(server, call),
        Operation::Declare => declare(server, call).await,
        Operation::Upload => upload(server, call),
        Operation::Resolve => resolve(server, call).await,
        Operation::FedServerHash | Operation::FedServerSet | Operation::FedResolve => {
            Err(MatrixError::unrecognized("No such endpoint").into())
        }
    }
}

/// User ID to the hash of what the server offers this user (draft S2, S3); for oneself alone.
fn server_hash(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let asked = call.variables.get("user_id").unwrap_or_default();
    let set = server.with(|state, now| {
        let own = state.user_id(session.user).clone();
        if *own == *asked && server.has(Fault::ServerHashWantsLocalpart) {
            return Err(MatrixError::not_found("No such user"));
        }
        let user = match state.find_user(asked) {
            Some(user) if user == session.user || server.has(Fault::ServerOtherUserServed) => user,
            _ => return Err(not_ones_own(server, asked)),
        };
        Ok(state.server_set(now, session, user))
    })?;
    match server.has(Fault::ServerHashNull) {
        true => Ok(Reply::ok(&json!({ "sha256": null }))),
        false => Ok(Reply::ok(&server.arithmetic.hash_in_answer(&set.hash))),
    }
}

/// The error of whoever asks for another user ID than their own; what is none may meet any.
fn not_ones_own(server: &Server, asked: &str) -> MatrixError {
    let error = MatrixError::forbidden("You may ask for your own user ID");
    if !asked.starts_with('@') || !asked.contains(':') {
        error.any_4xx(server.options.variants)
    } else if server.may(Variant::OtherUserNotFound) {
        MatrixError::not_found(error.message)
    } else {
        error
    }
}

/// Hash to the server's capabilities (draft S4, S5).
fn server_set(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let hash = looked_up_hash(server, session, call)?;
    let Some(set) = server.with(|state, now| state.server_set_by_hash(now, session, &hash)) else {
        return unknown_to_server(server);
    };
    Ok(if server.has(Fault::ServerSetList) {
        Reply::ok(&set.members.keys().cloned().collect())
    } else if server.has(Fault::ServerSetWrapped) {
        Reply::ok(&json!({ "capabilities": shown(&set) }))
    } else if server.has(Fault::ServerSetAnnotated) {
        let mut annotated = shown(&set);
        annotated.insert("server_version".to_owned(), json!({ "name": "capcheck" }));
        Reply::ok(&Value::Object(annotated))
    } else {
        Reply::bytes(200, set.body.clone())
    })
}

fn shown(set: &Set) -> Map<String, Value> {
    set.members.iter().map(|(name, parameters)| (name.clone(), parameters.clone().into())).collect()
}

fn unknown_to_server(server: &Server) -> Answer {
    if server.has(Fault::ServerUnknownEmpty) {
        return Ok(Reply::empty());
    }
    Err(if server.has(Fault::ServerUnknownCrash) {
        MatrixError::internal("Internal server error").into()
    } else if server.has(Fault::ServerUnknown400) {
        MatrixError::invalid_param("No such set here").into()
    } else {
        MatrixError::not_found("No such set here").any_4xx(server.options.variants).into()
    })
}

/// A session declares its set by hash (draft C2, C6, C8).
async fn declare(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let body = call.object().map_err(|error| error.any_4xx(server.options.variants))?;
    if body.len() > 1 && server.has(Fault::HashExtraKeysRefused) {
        return Err(MatrixError::bad_json("A hash has one key").into());
    }
    let any = server.has(Fault::DeclareAnyAlgorithm);
    let told = body.get("sha256").or_else(|| body.values().next().filter(|_| any));
    if told.is_none() && server.has(Fault::DeclareWithoutHash) {
        return Ok(Reply::empty());
    }
    let hash = told.and_then(Value::as_str).and_then(|text| server.arithmetic.hash_in_request(text));
    let unusable = || MatrixError::bad_json("sha256 is missing, or no SHA-256 hash");
    let hash = hash.ok_or_else(|| unusable().any_4xx(server.options.variants))?;
    if server.has(Fault::DeclaresAtOnceLoseOne) || server.has(Fault::DeclareOutlivesLogout) {
        return declare_slowly(server, session, &hash).await;
    }
    match server.with(|state, now| state.declare(now, session, &hash)) {
        Ok(()) => Ok(Reply::empty()),
        Err(error) => Err(undeclarable(server, error)),
    }
}

/// The same under faults that let others come between what is read and what is written.
async fn declare_slowly(server: &Server, session: &Session, hash: &str) -> Answer {
    let position = server.with(|state, _| state.position());
    tokio::time::sleep(SLOW_WRITE).await;
    server.with(|state, now| match state.declare(now, session, hash) {
        Err(Undeclarable::SessionEnded) if server.has(Fault::DeclareOutlivesLogout) => {
            state.declare_for_the_gone(now, session, hash);
            Ok(Reply::empty())
        }
        Err(error) => Err(undeclarable(server, error)),
        Ok(()) => {
            if server.has(Fault::DeclaresAtOnceLoseOne) {
                state.lose_declared_since(now, session, position);
            }
            Ok(Reply::empty())
        }
    })
}

fn undeclarable(server: &Server, error: Undeclarable) -> Reply {
    match error {
        Undeclarable::Unknown => refusal(server),
        Undeclarable::SessionEnded => dead_token(server, "This session has ended"),
    }
}

/// The refusal of draft C6, as the binding spells it.
fn refusal(server: &Server) -> Reply {
    let bound = &server.options.binding.refusal;
    let deviations = [
        (Fault::RefusalWith200, 200, bound.errcode.as_str()),
        (Fault::RefusalUnauthorized, 401, "M_UNAUTHORIZED"),
        (Fault::RefusalUnrecognized, 404, "M_UNRECOGNIZED"),
        (Fault::RefusalAsLimit, 403, "M_LIMIT_EXCEEDED"),
        (Fault::RefusalAsBadBody, 400, "M_BAD_JSON"),
        (Fault::RefusalForbidden, 403, "M_FORBIDDEN"),
    ];
    let (status, errcode) = deviations
        .into_iter()
        .find(|(fault, ..)| server.has(*fault))
        .map_or((bound.status, bound.errcode.as_str()), |(_, status, errcode)| (status, errcode));
    let message = "The set behind this hash is unknown: upload it first".into();
    let refusal = MatrixError { status, errcode: errcode.to_owned().into(), message };
    refusal.any_refusal(server.options.variants).into()
}

/// A client uploads the set behind a hash (draft C7).
fn upload(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let claimed = path_hash(server, call)?;
    let read = server.arithmetic.read_upload(&call.body);
    if let (Ok(set), true) = (&read, server.has(Fault::UploadStoredBeforeCheck)) {
        let unchecked = Set { hash: claimed.clone(), ..(**set).clone() };
        server.with(|state, now| state.upload(now, session, unchecked.into()))?;
    }
    if let Ok(set) = &read
        && set.hash != claimed
        && server.may(Variant::MismatchKept)
    {
        server.with(|state, now| state.upload(now, session, set.clone()))?;
    }
    let set = server.arithmetic.claimed(read, &call.body, &claimed).inspect_err(|_| {
        server.with(|state, _| {
            state.bear_grudge(Fault::UploadFailurePins, &claimed);
            state.forget_for_bad_upload(session.user, &claimed);
        });
    })?;
    if set.members.is_empty() && server.has(Fault::EmptySetRefused) {
        return Err(MatrixError::bad_json("The set is missing").into());
    }
    server.with(|state, now| state.upload(now, session, set))?;
    Ok(Reply::empty())
}

/// Hash and user ID to the set (draft C9 to C11). An unknown hash, an unknown user and
/// one whom the asker may not see look alike.
async fn resolve(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let hash = looked_up_hash(server, session, call)?;
    let owner = call.variables.get("user_id").unwrap_or_default();
    if let Some((federation, remote)) = lookup::home(server, owner) {
        return lookup::resolve(server, federation, remote, session.user, owner, &hash).await;
    }
    let set = server.with(|state, now| {
        let Some(user) = state.find_user(owner) else {
            return Err(server
                .has(Fault::ResolveUnknownUser400)
                .then(|| MatrixError::invalid_param("No such user")));
        };
        let visible = state.shares_room(session.user, user) || server.has(Fault::ResolveForAnybody);
        if !visible && server.has(Fault::ResolveInvisible403) {
            return Err(Some(MatrixError::forbidden("You do not share a room with this user")));
        }
        let entitled = visible && (user == session.user || !server.has(Fault::ResolveOwnOnly));
        let set = entitled.then(|| state.resolve(now, user, &hash)).flatten();
        if set.is_none() {
            state.bear_grudge(Fault::LookupFailurePins, &hash);
        }
        set.ok_or(None)
    });
    match set {
        Ok(set) if server.has(Fault::ResolveList) => Ok(Reply::ok(&set.members.keys().cloned().collect())),
        Ok(set) => Ok(Reply::bytes(200, set.body.clone())),
        Err(Some(error)) => Err(error.into()),
        Err(None) if server.has(Fault::ResolveUnknownEmpty) => Ok(Reply::empty()),
        Err(None) if server.has(Fault::ResolveUnknownCrash) => {
            Err(MatrixError::internal("Internal server error").into())
        }
        Err(None) => Err(MatrixError::not_found("No such set here").any_4xx(server.options.variants).into()),
    }
}

/// The hash under which something is looked up: the path's.
fn looked_up_hash(server: &Server, session: &Session, call: &Call) -> Result<String, Reply> {
    if server.has(Fault::HashLookupByPrefix) || server.has(Fault::HashLookupIgnoresCase) {
        let text = call.variables.get("hash").unwrap_or_default();
        if let Some(hash) = server.with(|state, _| state.guess_hash(session.user, text)) {
            return Ok(hash);
        }
    }
    path_hash(server, call)
}

/// The hash of the path; anything that no SHA-256 digest is spelled like is the client's mistake.
fn path_hash(server: &Server, call: &Call) -> Result<String, Reply> {
    let text = call.variables.get("hash").unwrap_or_default();
    server.arithmetic.hash_in_request(text).ok_or_else(|| malformed_hash(server))
}

fn malformed_hash(server: &Server) -> Reply {
    if server.has(Fault::MalformedHashPlainText) {
        return Reply::text(400, "Invalid URL: cannot parse `hash`");
    }
    if server.has(Fault::MalformedHashCrash) {
        return MatrixError::internal("Internal server error").into();
    }
    let error = MatrixError::invalid_param("This is no SHA-256 hash in unpadded Base64");
    error.any_4xx(server.options.variants).into()
}
