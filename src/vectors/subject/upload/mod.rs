//! Uploads: a claim and a body, to be taken or refused.

mod claim;
mod mistake;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{Bytes, CapabilityHash};
use super::{Answer, Solution, Topic};
use crate::vectors::document::Verdict;
use claim::Claim;

/// Uploads.
pub(super) struct Upload;

/// What a client sends.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Sent {
    /// With a body that is text.
    Text {
        /// The hash in the path, once decoded.
        claim: String,
        /// The body, as UTF-8 text.
        json: String,
    },
    /// With a body in hexadecimal, where it is no text.
    Hex {
        /// The hash in the path, once decoded.
        claim: String,
        /// The body, two lower-case digits each.
        #[serde(with = "hex::serde")]
        #[schemars(with = "String", regex(pattern = "^([0-9a-f]{2})+$"))]
        json_hex: Vec<u8>,
    },
}

impl Sent {
    fn parts(&self) -> (&str, &[u8]) {
        match self {
            Self::Text { claim, json } => (claim, json.as_bytes()),
            Self::Hex { claim, json_hex } => (claim, json_hex),
        }
    }
}

/// How the set is known afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Known {
    /// Its hash.
    #[schemars(regex(pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$"))]
    sha256: String,
}

impl Topic for Upload {
    type Input = Sent;
    type Expected = Known;
    const NAME: &'static str = "upload";
    const PREFIX: &'static str = "upload.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Sent) -> Solution<Known> {
        let (claim, body) = input.parts();
        judge(claim, body)
    }

    fn mistakes(&self) -> Vec<&'static str> {
        mistake::names()
    }

    fn mistaken(&self, mistake: &str, input: &Sent) -> Option<Answer> {
        let (claim, body) = input.parts();
        mistake::answer(mistake, claim, body)
    }
}

/// What is to be made of a claim and a body.
fn judge(claim: &str, body: &[u8]) -> Solution<Known> {
    let Some(claim) = Claim::read(claim) else { return Solution::invalid("malformed-hash") };
    let read = read(body);
    let failure = read.failure.unwrap_or("malformed-hash");
    match read.result {
        Verdict::Invalid => Solution::invalid(failure),
        _ if !read.hashes.contains(&claim.hash) => Solution::invalid("mismatch"),
        Verdict::Valid if claim.as_written => Solution::valid(Some(Known { sha256: claim.hash })),
        _ => Solution::either(failure, Some(Known { sha256: claim.hash })),
    }
}

/// A body, read.
struct Read {
    /// Whether it is a set.
    result: Verdict,
    /// Why it is not, or need not be taken for one.
    failure: Option<&'static str>,
    /// Its hash; several, where a body can be read in several ways.
    hashes: Vec<String>,
}

/// Reads a body as the subject capability-hash does, with every hash that is right there (protocol, section 4.4:
/// what is served must hash to the claim).
fn read(body: &[u8]) -> Read {
    let solution = CapabilityHash.solve(&Bytes::Hex { json_hex: body.to_vec() });
    let mut hashes: Vec<String> = solution.expected.iter().map(|hashed| hashed.sha256.clone()).collect();
    hashes.extend(solution.also.iter().filter_map(Value::as_str).map(str::to_owned));
    Read { result: solution.result, failure: solution.failure, hashes }
}
