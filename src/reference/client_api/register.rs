//! Registration: by user-interactive authentication, or by Synapse's shared secret.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha1::Sha1;

use super::auth::{hex, new_login, random_name, signed_in};
use super::uia::Demand;
use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call, Reply, required, text};
use crate::reference::options::Registration;
use crate::reference::server::{Server, random_bytes};
use crate::reference::state::NewUser;
use crate::wire::Secret;

/// Signs a user up, as the server's options demand.
pub(super) fn register(server: &Server, call: &Call) -> Answer {
    let body = call.object()?;
    if call.query("kind").is_some_and(|kind| kind != "user") {
        return Err(MatrixError::guest_access("Guests are not welcome").into());
    }
    let (stages, params) = demanded(&server.options.registration)?;
    // The name is looked at first: nobody should prove anything for a name they cannot have.
    let wanted = text(&body, "username")?.map(str::to_owned);
    if let Some(name) = &wanted {
        server.with(|state, _| state.check_localpart(name))?;
    }
    let purpose = "register";
    Demand { purpose, stages, params }.meet(server, &body, |stage, auth| prove(server, stage, auth))?;
    let localpart = match wanted {
        Some(name) => name,
        None => random_name::<8>()?,
    };
    sign_up(server, &localpart, &body)
}

/// What a new user has to prove, with the parameters of the stages.
fn demanded(registration: &Registration) -> Result<(&'static [&'static str], Value), MatrixError> {
    match registration {
        Registration::Dummy => Ok((&["m.login.dummy"], json!({}))),
        Registration::Token(_) => Ok((&["m.login.registration_token", "m.login.dummy"], json!({}))),
        Registration::Terms => {
            let policy = json!({ "name": "Terms of use", "url": "https://example.org/terms/1.0/en.html" });
            let policies = json!({ "terms_of_use": { "version": "1.0", "en": policy } });
            let params = json!({ "m.login.terms": { "policies": policies } });
            Ok((&["m.login.terms", "m.login.dummy"], params))
        }
        Registration::SharedSecret(_) | Registration::Closed => {
            Err(MatrixError::forbidden("Registration is closed"))
        }
    }
}

fn prove(server: &Server, stage: &str, auth: &Map<String, Value>) -> Result<(), MatrixError> {
    match (&server.options.registration, stage) {
        (Registration::Token(token), "m.login.registration_token") => {
            match required(auth, "token")? == token.reveal() {
                true => Ok(()),
                false => Err(MatrixError::forbidden("Invalid registration token")),
            }
        }
        _ => Ok(()),
    }
}

/// Makes the user and, unless `inhibit_login` says otherwise, a session.
fn sign_up(server: &Server, localpart: &str, body: &Map<String, Value>) -> Answer {
    let password = required(body, "password")?;
    let login = match body.get("inhibit_login") {
        Some(Value::Bool(true)) => None,
        _ => Some(new_login(body)?),
    };
    let salt = random_bytes().map_err(|_| MatrixError::internal("No random bytes"))?;
    let answer = server.with(|state, now| {
        let user = state.create_user(NewUser { localpart, password, salt })?;
        let Some(login) = login else {
            return Ok(json!({ "user_id": &**state.user_id(user), "home_server": server.server_name }));
        };
        let (token, device) = (login.token.clone(), login.device.clone());
        state.log_in(now, user, login)?;
        Ok::<_, MatrixError>(signed_in(server, state, user, &device, &token))
    })?;
    Ok(Reply::ok(&answer))
}

/// A nonce for the shared-secret registration.
pub(super) fn nonce(server: &Server) -> Answer {
    shared_secret(server)?;
    let nonce = random_name::<32>()?;
    server.with(|state, now| state.add_nonce(now, nonce.clone()));
    Ok(Reply::ok(&json!({ "nonce": nonce })))
}

/// Signs a user up for whoever knows the shared secret (Synapse, "Shared-Secret Registration").
pub(super) fn register_by_secret(server: &Server, call: &Call) -> Answer {
    let secret = shared_secret(server)?;
    let body = call.object()?;
    let nonce = required(&body, "nonce")?;
    if !server.with(|state, now| state.take_nonce(now, nonce)) {
        return Err(MatrixError::unknown("unrecognised nonce").into());
    }
    let (user, password) = (required(&body, "username")?, required(&body, "password")?);
    let admin = if body.get("admin") == Some(&Value::Bool(true)) { "admin" } else { "notadmin" };
    let mut signed = [nonce, user, password, admin].join("\0");
    if let Some(kind) = text(&body, "user_type")? {
        signed = format!("{signed}\0{kind}");
    }
    if required(&body, "mac")? != mac(secret, &signed)? {
        return Err(MatrixError::forbidden("HMAC incorrect").into());
    }
    sign_up(server, user, &body)
}

fn shared_secret(server: &Server) -> Result<&Secret, MatrixError> {
    match &server.options.registration {
        Registration::SharedSecret(secret) => Ok(secret),
        _ => Err(MatrixError::unknown("Shared secret registration is not enabled")),
    }
}

fn mac(secret: &Secret, text: &str) -> Result<String, MatrixError> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.reveal().as_bytes())
        .map_err(|_| MatrixError::internal("The secret is no HMAC key"))?;
    mac.update(text.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}
