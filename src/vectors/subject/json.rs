//! JSON and its hash: of any value, and of capability sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Solution, Topic};
use crate::spec::canonical::{self, Json};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash as Hash;
use crate::spec::mistake::{self, Frame, MISTAKES, Outcome};

/// Some bytes that should be JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(in crate::vectors) enum Bytes {
    /// As text.
    Text {
        /// The bytes, as UTF-8 text.
        json: String,
    },
    /// In hexadecimal, where they are no text.
    Hex {
        /// The bytes, two lower-case digits each.
        #[serde(with = "hex::serde")]
        #[schemars(with = "String", regex(pattern = "^([0-9a-f]{2})+$"))]
        json_hex: Vec<u8>,
    },
}

impl Bytes {
    pub(in crate::vectors) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text { json } => json.as_bytes(),
            Self::Hex { json_hex } => json_hex,
        }
    }
}

/// What is hashed, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Hashed {
    /// The canonical bytes, as text.
    pub(super) canonical: String,
    /// Unpadded Base64 of SHA-256 over them.
    #[schemars(regex(pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$"))]
    pub(super) sha256: String,
}

impl Hashed {
    pub(super) fn of(value: &Json) -> Self {
        Self::over(String::from_utf8_lossy(&canonical::to_bytes(value)).into_owned())
    }

    fn over(canonical: String) -> Self {
        Self { sha256: Hash::of(canonical.as_bytes()).to_string(), canonical }
    }
}

/// Any JSON value.
pub(super) struct CanonicalJson;

/// Capability sets.
pub(super) struct CapabilityHash;

impl Topic for CanonicalJson {
    type Input = Bytes;
    type Expected = Hashed;
    const NAME: &'static str = "canonical-json";
    const PREFIX: &'static str = "canonical.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Bytes) -> Solution<Hashed> {
        match canonical::parse(input.as_bytes()) {
            Ok(value) => Solution::valid(Some(Hashed::of(&value))),
            Err(error) => either_or_invalid(error.kind.name(), input, Frame::Value),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|mistake| mistake.name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Bytes) -> Option<Answer> {
        answer(mistake, input, Frame::Value)
    }
}

impl Topic for CapabilityHash {
    type Input = Bytes;
    type Expected = Hashed;
    const NAME: &'static str = "capability-hash";
    const PREFIX: &'static str = "set.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Bytes) -> Solution<Hashed> {
        match CapabilitySet::parse(input.as_bytes()) {
            Ok(set) if set.to_json().depth() > MAX_SET_DEPTH => {
                either_or_invalid("too-deep", input, Frame::Set)
            }
            Ok(set) => Solution::valid(Some(Hashed::of(&set.to_json()))),
            Err(error) => either_or_invalid(error.name(), input, Frame::Set),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|mistake| mistake.name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Bytes) -> Option<Answer> {
        answer(mistake, input, Frame::Set)
    }
}

/// How deep a set must be taken, the set itself the first level (docs/protocol.md, section 4.4).
const MAX_SET_DEPTH: usize = 16;

/// What the strict reader refuses may be taken where a server is free to do so.
fn either_or_invalid(failure: &'static str, input: &Bytes, frame: Frame) -> Solution<Hashed> {
    match mistake::taken(input.as_bytes(), frame) {
        Some((last, first)) => {
            let (last, first) = (Hashed::over(last), Hashed::over(first));
            let also = if first == last { Vec::new() } else { vec![first.sha256.into()] };
            Solution::either(failure, Some(last)).or(also)
        }
        None => Solution::invalid(failure),
    }
}

/// What a mistake says of some bytes.
fn answer(name: &str, input: &Bytes, frame: Frame) -> Option<Answer> {
    mistake::find(name)?.outcome(input.as_bytes(), frame).map(Answer::from)
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Hash(hash) => Self::Taken(hash.into()),
            Outcome::Refused => Self::Refused,
        }
    }
}
