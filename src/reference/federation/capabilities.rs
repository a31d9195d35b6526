//! The capability operations between servers: what this homeserver offers another one, and the sets of
//! its users (draft F2).

use std::sync::Arc;

use serde_json::{Value, json};

use super::Federation;
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::variants::Variant;
use crate::spec::binding::Operation;

/// What some users of other servers are offered besides, under a freedom; chosen like the other names, so
/// that no hash of an offer needs a path to be encoded.
const PREFERRED: &str = "m.cap.search.v2";

/// Answers an operation.
pub(super) fn answer(
    server: &Server,
    federation: &Federation,
    operation: Operation,
    origin: &str,
    call: &Call,
) -> Answer {
    match operation {
        Operation::FedServerHash => server_hash(server, origin, call),
        Operation::FedServerSet => server_set(server, call),
        Operation::FedResolve => resolve(server, federation, origin, call),
        _ => Err(MatrixError::unrecognized("No such endpoint").into()),
    }
}

/// What is offered to every server alike.
fn offer(server: &Server) -> Arc<Set> {
    let names = match server.may(Variant::FedOffersAlike) {
        true => &server.options.capabilities,
        false => &server.options.federation_capabilities,
    };
    server.arithmetic.of(names.iter().map(String::as_str))
}

/// What is offered to some users of other servers, under a freedom.
fn larger_offer(server: &Server) -> Arc<Set> {
    let names = offer(server).members.keys().cloned().collect::<Vec<_>>();
    server.arithmetic.of(names.iter().map(String::as_str).chain([PREFERRED]))
}

/// An error that may be any 4xx.
fn refusal(server: &Server, usual: MatrixError) -> MatrixError {
    match server.may(Variant::FedErrorsOwn) {
        true => MatrixError { status: 410, errcode: "ORG.CAPCHECK.NOT_FOR_YOU".into(), ..usual },
        false => usual.any_4xx(server.options.variants),
    }
}

/// User ID to hash: what is offered to this user of the server that asks, known here or not.
fn server_hash(server: &Server, origin: &str, call: &Call) -> Answer {
    let asked = call.variables.get("user_id").unwrap_or_default();
    if server.has(Fault::FedHashForOwnUsers)
        && let Some(set) = server.with(|state, _| Some(state.offered(state.find_user(asked)?)))
    {
        return Ok(Reply::ok(&server.arithmetic.hash_in_answer(&set.hash)));
    }
    let is_own = server_of(asked).is_some_and(|name| name == origin || server.is_within(origin));
    if !is_own && !server.has(Fault::FedHashForAnybody) {
        return Err(refusal(server, MatrixError::forbidden("You may ask for users of your own")).into());
    }
    let is_seen = || server.with(|state, _| state.knows_remote(asked));
    if server.has(Fault::FedHashKnownUsersOnly) && !is_seen() {
        return Err(MatrixError::not_found("No such user").into());
    }
    let is_preferred = server.may(Variant::FedOffersPerUser) && asked.len().is_multiple_of(2);
    let hash = &if is_preferred { larger_offer(server) } else { offer(server) }.hash;
    match server.has(Fault::FedHashBareString) {
        true => Ok(Reply::ok(&json!(hash))),
        false => Ok(Reply::ok(&server.arithmetic.hash_in_answer(hash))),
    }
}

/// Hash to what is offered.
fn server_set(server: &Server, call: &Call) -> Answer {
    let hash = hash(server, call)?;
    let set = match server.has(Fault::FedSetNotFound) {
        true => server.arithmetic.of(server.options.capabilities.iter().map(String::as_str)),
        false if server.may(Variant::FedOffersPerUser) && larger_offer(server).hash == hash => {
            larger_offer(server)
        }
        false => offer(server),
    };
    if set.hash != hash && !server.has(Fault::FedSetForAny) {
        return Err(refusal(server, MatrixError::not_found("No such set here")).into());
    }
    match server.has(Fault::FedSetList) {
        true => Ok(Reply::ok(&set.members.keys().cloned().collect::<Value>())),
        false => Ok(Reply::bytes(200, set.body.clone())),
    }
}

/// Hash and user ID to the set, for a local user with whom the server that asks shares a room (draft C10).
/// An unknown hash, an unknown user and one whom the asker may not see look alike.
fn resolve(server: &Server, federation: &Federation, origin: &str, call: &Call) -> Answer {
    let hash = hash(server, call)?;
    let owner = call.variables.get("user_id").unwrap_or_default();
    let acquaintance = format!("{origin} {owner}");
    let mut is_forbidden = true;
    let set = server.with(|state, now| {
        let Some(user) = state.find_user(owner) else {
            return state.known(now, &hash).filter(|_| server.has(Fault::FedResolveThirdParty));
        };
        let shares_room = state.server_shares_room(origin, user);
        let entitled = shares_room
            || server.is_within(origin)
            || server.has(Fault::FedResolveForStrangers)
            || federation.memory.holds(Fault::FedResolveAfterLeaving, &acquaintance);
        is_forbidden = !entitled;
        let uploaded = !server.has(Fault::FedResolveUploadsOnly) || state.known(now, &hash).is_some();
        let serves = entitled && uploaded && !server.has(Fault::FedResolveNever);
        match server.has(Fault::FedResolveLatest) {
            _ if !serves => None,
            true => state.in_force(user),
            false => state.resolve(now, user, &hash),
        }
    });
    let set = set.ok_or_else(|| match is_forbidden && server.may(Variant::FedStrangersForbidden) {
        true => MatrixError::forbidden("You may ask for users with whom yours share a room"),
        false => MatrixError::not_found("No such set here"),
    })?;
    federation.memory.keep(Fault::FedResolveAfterLeaving, acquaintance);
    Ok(Reply::bytes(200, set.body.clone()))
}

/// The hash of the path; anything that no SHA-256 digest is spelled like is the asker's mistake.
fn hash(server: &Server, call: &Call) -> Result<String, MatrixError> {
    let text = call.variables.get("hash").unwrap_or_default();
    let hash = server.arithmetic.hash_in_request(text);
    hash.ok_or_else(|| {
        refusal(server, MatrixError::invalid_param("This is no SHA-256 hash in unpadded Base64"))
    })
}

/// The homeserver of a user ID.
pub(super) fn server_of(user_id: &str) -> Option<&str> {
    user_id.strip_prefix('@')?.split_once(':').map(|(_, server)| server)
}
