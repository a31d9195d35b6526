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

/// How deep a set must be read, objects and arrays, of which the set itself is the first; deeper ones may be refused.
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
            Ok(value) => Solution::valid(Some(Hashed::of(&value))),
            Err(error) => match freely_read(&error.kind, bytes) {
                Some(text) => Solution::either(error.kind.name(), Some(Hashed::of_text(text))),
                None => Solution::invalid(error.kind.name()),
            },
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
            Ok(set) if STRICT.read(bytes).is_some_and(|value| value.depth() > DEPTH) => {
                Solution::either("too-deep", Some(Hashed::of(&set.to_json())))
            }
            Ok(set) => Solution::valid(Some(Hashed::of(&set.to_json()))),
            Err(SetError::Json(error)) => freely_read_set(&error.kind, bytes),
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

/// Other spellings of what Canonical JSON can express: read, or refused.
fn freely_read(kind: &JsonErrorKind, bytes: &[u8]) -> Option<String> {
    let reader = match kind {
        JsonErrorKind::Float(_) | JsonErrorKind::NegativeZero => Reader { numbers: Numbers::Whole, ..STRICT },
        JsonErrorKind::ByteOrderMark => Reader { skips_mark: true, ..STRICT },
        _ => return None,
    };
    reader.text(bytes)
}

/// The same of a set, of which more may be taken: docs/protocol.md, section 4.4.
fn freely_read_set(kind: &JsonErrorKind, bytes: &[u8]) -> Solution<Hashed> {
    let set =
        |reader: Reader| reader.read(bytes).filter(Loose::is_set).map(|set| Hashed::of_text(set.text()));
    let twice = |duplicates| set(Reader { duplicates, ..STRICT });
    let (expected, also) = match kind {
        JsonErrorKind::IntegerOutOfRange(_) => (set(Reader { numbers: Numbers::Exact, ..STRICT }), None),
        JsonErrorKind::DuplicateKey(_) => (twice(Duplicates::Last), twice(Duplicates::First)),
        _ => (freely_read(kind, bytes).map(Hashed::of_text), None),
    };
    let Some(expected) = expected else { return Solution::invalid(kind.name()) };
    let also = also.filter(|also| also.sha256 != expected.sha256).map(|also| also.sha256.into());
    Solution::either(kind.name(), Some(expected)).or(also.into_iter().collect())
}

fn made_of(mistake: &str, input: &Bytes, right: Option<&Hashed>, sets: bool) -> Option<Answer> {
    let canonical = right.map(|right| right.canonical.as_str());
    Some(match mistake::find(mistake)?.made_of(input.as_bytes(), canonical, sets)? {
        Made::Hash(hash) => Answer::Taken(hash.into()),
        Made::Refusal => Answer::Refused,
    })
}
