//! Whether a federation request is signed (protocol, section 13.2; Server-Server API, "Request Authentication").

mod policy;
mod reading;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Solution, Topic};
use crate::spec::canonical;
use crate::wire::signing::{HeaderFault, KeyFault, SignedRequest, XMatrix, verify};
use policy::{MISTAKES, Policy};
use reading::{Reading, Rules};

/// Requests into verdicts.
pub(super) struct XMatrixVerifying;

/// What comes in, and what is known of the senders.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Received {
    /// The value of the Authorization header.
    header: String,
    /// The HTTP method.
    method: String,
    /// Path and query as on the request line.
    uri: String,
    /// The body, if there is one.
    content: Option<String>,
    /// The server name of the receiver.
    receiver: String,
    /// The keys that each server publishes, none of them expired: by server name and key ID, in unpadded Base64.
    keys: BTreeMap<String, BTreeMap<String, String>>,
}

impl Received {
    /// The bytes that these two must have signed; the name of the failure where the content has no canonical form.
    fn signed(&self, origin: &str, destination: &str) -> Result<Vec<u8>, &'static str> {
        let parsed = |content: &String| {
            // Our own reader takes what Canonical JSON can say and no more.
            let canonical = canonical::parse(content.as_bytes()).ok();
            canonical.and_then(|_| serde_json::from_str(content).ok()).ok_or("content")
        };
        let content: Option<Value> = self.content.as_ref().map(parsed).transpose()?;
        let Self { method, uri, .. } = self;
        Ok(SignedRequest { method, uri, origin, destination, content: content.as_ref() }.bytes())
    }

    /// Checks everything; the name of the first failure.
    fn check(&self) -> Result<XMatrix, &'static str> {
        let header = XMatrix::parse(&self.header).map_err(|fault| match fault {
            HeaderFault::Scheme => "scheme",
            HeaderFault::Twice(_) => "parameter-twice",
            HeaderFault::Missing(_) => "parameter-missing",
            HeaderFault::Syntax { .. } | HeaderFault::TooLong(_) => "syntax",
        })?;
        if header.destination.as_ref().is_some_and(|destination| *destination != self.receiver) {
            return Err("destination");
        }
        if header.origin == self.receiver {
            return Err("own-name");
        }
        let published = self.keys.get(&header.origin).ok_or("unknown-origin")?;
        let key = published.get(&header.key).ok_or("unknown-key")?;
        match verify(key, &self.signed(&header.origin, &self.receiver)?, &header.sig) {
            Ok(()) => Ok(header),
            Err(KeyFault::Malformed(_)) => Err("malformed-signature"),
            Err(KeyFault::Mismatch) => Err("signature"),
        }
    }

    /// Why a receiver may refuse what holds: as no text bids it take such a header.
    fn freedom(&self, header: &XMatrix) -> Option<&'static str> {
        let reading = Reading::of(&self.header, Rules::default())?;
        if header.destination.is_none() {
            Some("destination-missing")
        } else if reading.parameters.iter().any(|parameter| parameter.name.eq_ignore_ascii_case("signature"))
        {
            Some("parameter-missing")
        } else if reading.parameters.iter().any(|parameter| !parameter.is_plain()) {
            Some("syntax")
        } else if STANDARD_NO_PAD.decode(header.sig.trim_end_matches('=')).is_err() {
            Some("malformed-signature")
        } else {
            None
        }
    }
}

impl Topic for XMatrixVerifying {
    type Input = Received;
    type Expected = ();
    const NAME: &'static str = "x-matrix-verifying";
    const PREFIX: &'static str = "x-matrix.verify-";
    const ANSWER: Option<&'static str> = None;

    fn solve(&self, input: &Received) -> Solution<()> {
        match input.check() {
            Ok(header) => match input.freedom(&header) {
                Some(failure) => Solution::either(failure, None),
                None => Solution::valid(None),
            },
            Err(failure) => Solution::invalid(failure),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|(name, _)| *name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Received) -> Option<Answer> {
        let (_, make) = MISTAKES.iter().find(|(name, _)| *name == mistake)?;
        let mut policy = Policy::RIGHT;
        make(&mut policy);
        Some(if policy.takes(input) { Answer::taken() } else { Answer::Refused })
    }
}
