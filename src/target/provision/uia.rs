//! User-interactive authentication: the server asks stage by stage, and the request is sent again
//! with each answer (Matrix client-server API, "User-Interactive Authentication API").

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::wire::{Client, Exchange, Request, Secret};

use super::answer::{object, quote};

/// An answer that can be given to a stage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof<'a> {
    /// `m.login.dummy`
    Dummy,
    /// `m.login.terms`: agreed.
    Terms,
    /// `m.login.registration_token`
    RegistrationToken(&'a Secret),
    /// `m.login.password`
    Password { user_id: &'a str, password: &'a Secret },
}

impl Proof<'_> {
    const fn stage(&self) -> &'static str {
        match self {
            Self::Dummy => "m.login.dummy",
            Self::Terms => "m.login.terms",
            Self::RegistrationToken(_) => "m.login.registration_token",
            Self::Password { .. } => "m.login.password",
        }
    }

    fn auth(&self, session: Option<&Value>) -> Value {
        let mut auth = match self {
            Self::Dummy | Self::Terms => json!({}),
            Self::RegistrationToken(token) => json!({ "token": token.reveal() }),
            Self::Password { user_id, password } => json!({
                "identifier": { "type": "m.id.user", "user": user_id },
                "password": password.reveal(),
            }),
        };
        auth["type"] = json!(self.stage());
        if let Some(session) = session {
            auth["session"] = session.clone();
        }
        auth
    }
}

/// Why the last answer still asks for authentication.
#[derive(Debug)]
pub(super) enum Stuck {
    /// No flow can be walked with the proofs at hand; these are the server's flows, for people.
    NoFlow(Vec<String>),
    /// This stage was answered, and the server does not take the answer.
    Refused(&'static str),
}

/// What came of a request with user-interactive authentication.
#[derive(Debug)]
pub(super) struct Walked {
    /// The last exchange.
    pub(super) exchange: Arc<Exchange>,
    /// Why it went no further, where the last answer still asks for authentication.
    pub(super) stuck: Option<Stuck>,
}

/// Posts `body`, and posts it again with a proof for each stage that the server asks for.
///
/// The body is complete from the start, as the specification wants: it must not change on the way,
/// and a server that asks for nothing is content at once.
pub(super) async fn post(
    client: &Client,
    path: &str,
    token: Option<&Secret>,
    body: &Value,
    proofs: &[Proof<'_>],
) -> Walked {
    let mut body = body.clone();
    let mut answered = BTreeSet::new();
    loop {
        let mut request = Request::new("POST", path).json(&body).costly();
        request.token = token.cloned();
        let exchange = client.send(request).await;
        let challenge =
            object(&exchange).filter(|body| exchange.status() == Some(401) && body.contains_key("flows"));
        let Some(challenge) = challenge else { return Walked { exchange, stuck: None } };
        let flows = flows(&challenge["flows"]);
        let done = strings(challenge.get("completed"));
        let Some(proof) = next(&flows, &done, proofs) else {
            let flows = flows.iter().map(|flow| quote(&flow.join(" + "))).collect();
            return Walked { exchange, stuck: Some(Stuck::NoFlow(flows)) };
        };
        // A stage that is asked for again was not passed: every stage is answered once, so this ends.
        if !answered.insert(proof.stage()) {
            return Walked { exchange, stuck: Some(Stuck::Refused(proof.stage())) };
        }
        body["auth"] = proof.auth(challenge.get("session"));
    }
}

/// The next stage of the flow with the fewest stages left, all of which can be answered.
fn next<'p>(flows: &[Vec<String>], done: &[String], proofs: &'p [Proof<'p>]) -> Option<&'p Proof<'p>> {
    let proof = |stage: &String| proofs.iter().find(|proof| proof.stage() == stage);
    flows
        .iter()
        .map(|flow| flow.iter().filter(|stage| !done.contains(stage)).collect::<Vec<_>>())
        .filter(|left| left.iter().all(|stage| proof(stage).is_some()))
        .min_by_key(Vec::len)
        .and_then(|left| left.first().and_then(|stage| proof(stage)))
}

fn flows(value: &Value) -> Vec<Vec<String>> {
    value.as_array().into_iter().flatten().map(|flow| strings(flow.get("stages"))).collect()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_of(flows: &[&[&str]], done: &[&str], token: bool) -> Option<&'static str> {
        let secret = Secret::new("swordfish");
        let mut proofs = vec![Proof::Dummy, Proof::Terms];
        if token {
            proofs.push(Proof::RegistrationToken(&secret));
        }
        let owned = |words: &[&str]| words.iter().map(|w| format!("m.login.{w}")).collect::<Vec<_>>();
        let flows: Vec<Vec<String>> = flows.iter().map(|flow| owned(flow)).collect();
        next(&flows, &owned(done), &proofs).map(Proof::stage)
    }

    #[test]
    fn the_shortest_flow_that_can_be_walked() {
        let recaptcha: &[&str] = &["recaptcha"];
        let dummy: &[&str] = &["dummy"];
        let terms: &[&str] = &["terms", "dummy"];
        let token: &[&str] = &["registration_token", "terms"];
        for (flows, done, with_token, expected) in [
            (&[recaptcha, dummy][..], &[][..], false, Some("m.login.dummy")),
            (&[terms], &[], false, Some("m.login.terms")),
            (&[terms], &["terms"], false, Some("m.login.dummy")),
            (&[terms, dummy], &[], false, Some("m.login.dummy")),
            (&[token], &[], true, Some("m.login.registration_token")),
            (&[token], &["registration_token"], true, Some("m.login.terms")),
            (&[token], &[], false, None),
            (&[recaptcha], &[], true, None),
            (&[], &[], true, None),
        ] {
            assert_eq!(next_of(flows, done, with_token), expected, "{flows:?} after {done:?}");
        }
    }
}
