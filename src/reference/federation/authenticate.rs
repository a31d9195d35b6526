//! Whose request this is: X-Matrix verification (Server-Server API, "Request Authentication").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use ruma_common::{CanonicalJsonValue, ServerName};
use ruma_signatures::{
    SigningKeyAlgorithm, to_canonical_json_string_for_signing, verify_canonical_json_bytes,
};

use super::header::{self, Claim};
use super::{Federation, identity};
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::server::Server;
use crate::reference::variants::Variant;

/// The homeserver that signed a request, or the refusal. Whatever is wrong, the status is the same; the
/// message says what it is.
pub(super) async fn authenticate(
    server: &Server,
    federation: &Federation,
    parts: &Parts,
    body: &Bytes,
) -> Result<String, MatrixError> {
    let told = server.may(Variant::FedRefusalsTold);
    let refusal = |reason: String| match server.has(Fault::FedSignature403) {
        true => MatrixError::forbidden(reason),
        false => MatrixError::unauthorized(reason),
    };
    let Some(text) = authorization(parts).map_err(|reason| refusal(reason.to_owned()))? else {
        return match server.has(Fault::FedUnsignedAccepted) {
            true => Ok(origin_in(body).unwrap_or_else(|| server.server_name.clone())),
            false if told => Err(MatrixError::forbidden("The request is not signed")),
            false => Err(refusal("The request is not signed".to_owned())),
        };
    };
    let claim = header::parse(&text, server.options.faults, server.options.variants)
        .map_err(|reason| format!("The X-Matrix header cannot be read: {reason}"))
        .map_err(|reason| if told { MatrixError::invalid_param(reason) } else { refusal(reason) })?;
    if server.has(Fault::FedSignatureCrash) && STANDARD_NO_PAD.decode(&claim.signature).is_err() {
        return Err(MatrixError::internal("Internal server error"));
    }
    match verify(server, federation, &claim, parts, body).await {
        Ok(()) => Ok(claim.origin),
        // Where the destination is another one, the specification says 401.
        Err(reason) if told && is_for(server, &claim) => Err(MatrixError::forbidden(reason)),
        Err(reason) => Err(refusal(reason)),
    }
}

/// Whether a request says that it is for this server; one that does not say is.
fn is_for(server: &Server, claim: &Claim) -> bool {
    claim.destination.as_ref().is_none_or(|destination| *destination == server.server_name)
}

/// The origin that a request claims, whether or not it is true.
pub(super) fn claimed_origin(server: &Server, parts: &Parts) -> Option<String> {
    let text = authorization(parts).ok()??;
    header::parse(&text, server.options.faults, server.options.variants).ok().map(|claim| claim.origin)
}

/// The header; of several it is not known which one counts.
fn authorization(parts: &Parts) -> Result<Option<String>, &'static str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())),
        _ => Err("There are several Authorization headers"),
    }
}

/// The origin that a transaction names in its body.
fn origin_in(body: &Bytes) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("origin")?.as_str().map(str::to_owned)
}

async fn verify(
    server: &Server,
    federation: &Federation,
    claim: &Claim,
    parts: &Parts,
    body: &Bytes,
) -> Result<(), String> {
    let own_name = &server.server_name;
    // Servers that do not name the destination sign for the one whom they ask.
    let destination = claim.destination.as_ref().unwrap_or(own_name);
    if !is_for(server, claim) && !server.has(Fault::FedDestinationIgnored) {
        return Err(format!("The request is for {destination}, and this is {own_name}"));
    }
    if claim.origin == *own_name {
        return match server.has(Fault::FedOwnOriginAccepted) {
            true => Ok(()),
            false => Err("This server does not ask itself".to_owned()),
        };
    }
    if ServerName::parse(&claim.origin).is_err() {
        return Err("The origin is no server name".to_owned());
    }
    if server.has(Fault::FedSignatureUnchecked)
        || federation.memory.holds(Fault::FedSignatureCached, &claim.signature)
    {
        return Ok(());
    }
    let signature = STANDARD_NO_PAD.decode(&claim.signature);
    let signature = signature.map_err(|_| "The signature is not unpadded Base64".to_owned())?;
    let content = match body.is_empty() {
        true => None,
        false => {
            let content: CanonicalJsonValue = serde_json::from_slice(body)
                .map_err(|error| format!("The body cannot be signed: {error}"))?;
            Some(content)
        }
    };
    let uri = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let request =
        |content| identity::request(parts.method.as_str(), uri, &claim.origin, destination, content);
    let mut accepted = vec![signed_bytes(&request(content))?];
    if server.has(Fault::FedBodyUnsigned) {
        accepted.push(signed_bytes(&request(None))?);
    }
    let keys = public_keys(server, federation, claim).await?;
    let is_good = |key: &Vec<u8>, bytes: &String| {
        verify_canonical_json_bytes(&SigningKeyAlgorithm::Ed25519, key, &signature, bytes.as_bytes()).is_ok()
    };
    if !keys.iter().any(|key| accepted.iter().any(|bytes| is_good(key, bytes))) {
        return Err("The signature does not fit the request".to_owned());
    }
    federation.memory.keep(Fault::FedSignatureCached, &claim.signature);
    Ok(())
}

fn signed_bytes(request: &ruma_common::CanonicalJsonObject) -> Result<String, String> {
    to_canonical_json_string_for_signing(request).map_err(|error| error.to_string())
}

/// The keys with which the request may be signed: the one that it names.
async fn public_keys(
    server: &Server,
    federation: &Federation,
    claim: &Claim,
) -> Result<Vec<super::PublicKey>, String> {
    let key = federation.key_of(&claim.origin, &claim.key, server.wall_ms()).await;
    match key {
        Err(_) if server.has(Fault::FedAnyKey) => Ok(federation.keys.all_of(&claim.origin)),
        key => Ok(vec![key?]),
    }
}
