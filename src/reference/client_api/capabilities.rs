//! The capability operations, as `docs/protocol.md` has them.

use serde_json::{Value, json};

use crate::reference::arithmetic::{Set, is_hash};
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::state::Undeclarable;
use crate::spec::binding::Operation;

/// Answers an operation.
pub(super) fn answer(server: &Server, operation: Operation, call: &Call) -> Answer {
    match operation {
        Operation::ServerHash => server_hash(server, call),
        Operation::ServerSet => server_set(server, call),
        Operation::Declare => declare(server, call),
        Operation::Upload => upload(server, call),
        Operation::Resolve => resolve(server, call),
        Operation::FedServerHash | Operation::FedServerSet | Operation::FedResolve => {
            Err(MatrixError::unrecognized("No such endpoint").into())
        }
    }
}

/// User ID to the hash of what the server offers this user (draft S2, S3); for oneself alone.
fn server_hash(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let asked = call.variables.get("user_id").unwrap_or_default();
    let set = server
        .with(|state, _| (**state.user_id(session.user) == *asked).then(|| state.server_set(session.user)));
    match set {
        Some(set) => Ok(Reply::ok(&json!({ "sha256": set.hash }))),
        None => Err(MatrixError::forbidden("You may ask for your own user ID").into()),
    }
}

/// Hash to the server's capabilities (draft S4, S5).
fn server_set(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let hash = path_hash(call)?;
    let set = server.with(|state, _| state.server_set_by_hash(session.user, hash));
    set.map(|set| Reply::bytes(200, set.body.clone())).ok_or_else(|| unknown_hash().into())
}

/// A session declares its set by hash (draft C2, C6, C8).
fn declare(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let body = call.object()?;
    let hash = match body.get("sha256") {
        Some(Value::String(hash)) if is_hash(hash) => hash,
        Some(_) => return Err(MatrixError::bad_json("sha256 is no SHA-256 hash").into()),
        None => return Err(MatrixError::bad_json("Missing sha256").into()),
    };
    match server.with(|state, now| state.declare(now, session, hash)) {
        Ok(()) => Ok(Reply::empty()),
        Err(Undeclarable::Unknown) => Err(refusal(server).into()),
        Err(Undeclarable::SessionEnded) => Err(MatrixError::unknown_token("This session has ended").into()),
    }
}

/// The refusal of draft C6, as the binding spells it.
fn refusal(server: &Server) -> MatrixError {
    let refusal = &server.options.binding.refusal;
    MatrixError {
        status: refusal.status,
        errcode: refusal.errcode.clone().into(),
        message: "The set behind this hash is unknown: upload it first".into(),
    }
}

/// A client uploads the set behind a hash (draft C7).
fn upload(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let claimed = path_hash(call)?;
    let set = Set::read(&call.body)?;
    if set.hash != claimed {
        return Err(MatrixError::invalid_param("The set does not hash to the hash in the path").into());
    }
    server.with(|state, now| state.upload(now, session.user, set))?;
    Ok(Reply::empty())
}

/// Hash and user ID to the set (draft C9 to C11). An unknown hash, an unknown user and
/// one whom the asker may not see look alike.
fn resolve(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let hash = path_hash(call)?;
    let owner = call.variables.get("user_id").unwrap_or_default();
    let set = server.with(|state, now| {
        let user = state.find_user(owner).filter(|user| state.shares_room(session.user, *user))?;
        state.resolve(now, user, hash)
    });
    set.map(|set| Reply::bytes(200, set.body.clone())).ok_or_else(|| unknown_hash().into())
}

fn unknown_hash() -> MatrixError {
    MatrixError::not_found("No such set here")
}

/// The hash of the path; anything that no SHA-256 digest is spelled like is the client's mistake.
fn path_hash(call: &Call) -> Result<&str, MatrixError> {
    let hash = call.variables.get("hash").filter(|hash| is_hash(hash));
    hash.ok_or_else(|| MatrixError::invalid_param("This is no SHA-256 hash in unpadded Base64"))
}
