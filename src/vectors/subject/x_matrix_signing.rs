//! The signature of a federation request (protocol, section 13.2; Server-Server API, "Request Authentication").

mod mistakes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Solution, Topic};
use crate::spec::canonical;
use crate::wire::signing::{SignedRequest, SigningKey};

/// Requests into signatures.
pub(super) struct XMatrixSigning;

/// What is asked of whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// The seed of the signing key, 32 bytes: unpadded Base64.
    seed: String,
    /// The ID under which its public key is published.
    key_id: String,
    /// The server name of the sender.
    origin: String,
    /// The server name of the receiver.
    destination: String,
    /// The HTTP method.
    method: String,
    /// Path and query as on the request line.
    uri: String,
    /// The body as it is sent, if there is one: JSON.
    content: Option<String>,
}

/// What is sent with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Signed {
    /// The canonical bytes that are signed, as text.
    signed: String,
    /// The signature: unpadded Base64.
    signature: String,
    /// The value of the Authorization header.
    header: String,
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unsigned(&'static str);

impl Request {
    fn key(&self) -> Option<SigningKey> {
        SigningKey::from_seed_text(&self.key_id, &self.seed).ok()
    }

    fn signed(&self) -> Result<Signed, Unsigned> {
        let key = self.key().ok_or(Unsigned("seed"))?;
        let content = match &self.content {
            // Our own reader takes what Canonical JSON can say and no more.
            Some(content) if canonical::parse(content.as_bytes()).is_err() => {
                return Err(Unsigned("content"));
            }
            Some(content) => {
                serde_json::from_str::<Value>(content).map(Some).map_err(|_| Unsigned("content"))?
            }
            None => None,
        };
        let Self { origin, destination, method, uri, .. } = self;
        let request = SignedRequest { method, uri, origin, destination, content: content.as_ref() };
        let header = request.signed_by(&key);
        let signed = String::from_utf8_lossy(&request.bytes()).into_owned();
        Ok(Signed { signed, signature: header.sig.clone(), header: header.to_string() })
    }
}

impl Topic for XMatrixSigning {
    type Input = Request;
    type Expected = Signed;
    const NAME: &'static str = "x-matrix-signing";
    const PREFIX: &'static str = "x-matrix.sign-";
    const ANSWER: Option<&'static str> = Some("signature");

    fn solve(&self, input: &Request) -> Solution<Signed> {
        match input.signed() {
            Ok(signed) => Solution::valid(Some(signed)),
            Err(Unsigned(failure)) => Solution::invalid(failure),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        mistakes::MISTAKES.iter().map(|mistake| mistake.name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Request) -> Option<Answer> {
        let mistake = mistakes::MISTAKES.iter().find(|known| known.name == mistake)?;
        Some(Answer::Taken(mistake.signature(input)?.into()))
    }
}
