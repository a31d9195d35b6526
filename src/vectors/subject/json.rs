//! JSON and its hash: of any value, and of capability sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Solution, Topic};
use crate::spec::canonical::{self, Json, JsonErrorKind};
use crate::spec::capability::{CapabilitySet, SetError};
use crate::spec::hash::CapabilityHash as Hash;
use crate::spec::mistake::reader::{Duplicates, Loose, Numbers, Reader, STRICT};
use crate::spec::mistake::{self, MISTAKES, Made};

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
        Self::of_text(String::from_utf8_lossy(&canonical::to_bytes(value)).into_owned())
    }

    fn of_text(canonical: String) -> Self {
        Self { sha256: Hash::of(canonical.as_bytes()).to_string(), canonical }
    }
}

/// Any JSON value.
pub(super) struct CanonicalJson;

/// Capability sets.
pub(super) struct CapabilityHash;

/// How deep values must be read, objects and arrays, of which the value itself is the first; deeper ones may be
/// refused (protocol, section 4.4; RFC 8259, section 9).
const DEPTH: usize = 16;

impl Topic for CanonicalJson {
    type Input = Bytes;
    type Expected = Hashed;
    const NAME: &'static str = "canonical-json";
    const PREFIX: &'static str = "canonical.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Bytes) -> Solution<Hashed> {
        let bytes = input.as_bytes();
        match canonical::parse(bytes) {
            Ok(value) => taken(&value, bytes),
            Err(error) => freely_read(&error.kind, bytes, |_| true),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        let alone = |mistake: &&mistake::Mistake| !mistake.is_about_unions();
        MISTAKES.iter().filter(alone).map(|mistake| mistake.name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Bytes) -> Option<Answer> {
        made_of(mistake, input, self.solve(input).expected.as_ref(), false)
    }
}

impl Topic for CapabilityHash {
    type Input = Bytes;
    type Expected = Hashed;
    const NAME: &'static str = "capability-hash";
    const PREFIX: &'static str = "set.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Bytes) -> Solution<Hashed> {
        let bytes = input.as_bytes();
        match CapabilitySet::parse(bytes) {
            Ok(set) => taken(&set.to_json(), bytes),
            Err(SetError::Json(error)) => freely_read(&error.kind, bytes, Loose::is_set),
            Err(error) => Solution::invalid(error.name()),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        CanonicalJson.mistakes()
    }

    fn mistaken(&self, mistake: &str, input: &Bytes) -> Option<Answer> {
        made_of(mistake, input, self.solve(input).expected.as_ref(), true)
    }
}

/// What Canonical JSON expresses: to be taken, or, if it is too deep, perhaps.
fn taken(value: &Json, bytes: &[u8]) -> Solution<Hashed> {
    let expected = Some(Hashed::of(value));
    if STRICT.read(bytes).is_some_and(|value| value.depth() > DEPTH) {
        Solution::either("too-deep", expected)
    } else {
        Solution::valid(expected)
    }
}

/// The ways in which docs/protocol.md, section 4.4, lets be read what Canonical JSON cannot express; the first is the
/// expected one.
fn ways(kind: &JsonErrorKind) -> Vec<Reader> {
    let numbers = |numbers| Reader { numbers, ..STRICT };
    let twice = |duplicates| Reader { duplicates, ..STRICT };
    match kind {
        JsonErrorKind::Float(_) | JsonErrorKind::NegativeZero | JsonErrorKind::IntegerOutOfRange(_) => {
            vec![numbers(Numbers::Whole), numbers(Numbers::Rounded), numbers(Numbers::Doubles)]
        }
        JsonErrorKind::DuplicateKey(_) => vec![twice(Duplicates::Last), twice(Duplicates::First)],
        JsonErrorKind::ByteOrderMark => vec![Reader { skips_mark: true, ..STRICT }],
        _ => Vec::new(),
    }
}

/// What is read in one of these ways, or refused.
fn freely_read(kind: &JsonErrorKind, bytes: &[u8], is_one: fn(&Loose) -> bool) -> Solution<Hashed> {
    let hashed =
        |reader: Reader| reader.read(bytes).filter(is_one).map(|value| Hashed::of_text(value.text()));
    let mut ways = ways(kind).into_iter().map(hashed);
    let Some(expected) = ways.next().flatten() else { return Solution::invalid(kind.name()) };
    let mut right = vec![expected.sha256.clone()];
    for other in ways.flatten() {
        if !right.contains(&other.sha256) {
            right.push(other.sha256);
        }
    }
    let also = right.split_off(1).into_iter().map(Into::into).collect();
    Solution::either(kind.name(), Some(expected)).or(also)
}

fn made_of(mistake: &str, input: &Bytes, right: Option<&Hashed>, sets: bool) -> Option<Answer> {
    let canonical = right.map(|right| right.canonical.as_str());
    Some(match mistake::find(mistake)?.made_of(input.as_bytes(), canonical, sets)? {
        Made::Hash(hash) => Answer::Taken(hash.into()),
        Made::Refusal => Answer::Refused,
    })
}
