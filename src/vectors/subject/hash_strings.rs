//! Whether a string is a hash as a server may write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Solution, Topic};
use crate::spec::hash::{CapabilityHash, HashError};

/// Spellings of a hash.
pub(super) struct HashStrings;

/// A string.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Spelling {
    /// The string.
    text: String,
}

impl Topic for HashStrings {
    type Input = Spelling;
    type Expected = ();
    const NAME: &'static str = "hash-strings";
    const PREFIX: &'static str = "hash.";
    const ANSWER: Option<&'static str> = None;

    fn solve(&self, input: &Spelling) -> Solution<()> {
        match CapabilityHash::parse(&input.text) {
            Ok(_) => Solution::valid(None),
            Err(HashError::Length(_)) => Solution::invalid("length"),
            Err(HashError::Alphabet { .. }) => Solution::invalid("alphabet"),
            Err(HashError::LastCharacter(_)) => Solution::invalid("last-character"),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn mistaken(&self, _mistake: &str, _input: &Spelling) -> Option<Answer> {
        None
    }
}
