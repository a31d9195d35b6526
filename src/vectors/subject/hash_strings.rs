//! Whether a string is a hash as a server may write it.

use percent_encoding::percent_decode_str;
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

/// A mistake: its name, and what is taken then.
type Mistake = (&'static str, fn(&str) -> bool);

/// Whatever else a check takes, or refuses.
const MISTAKES: &[Mistake] = &[
    ("length-unchecked", |text| text.chars().all(is_base64) && !text.is_empty()),
    ("alphabet-unchecked", |text| text.chars().count() == 43),
    ("last-bits-unchecked", |text| text.len() == 43 && text.chars().all(is_base64)),
    ("padding-taken", |text| is_hash(text) || text.strip_suffix('=').is_some_and(is_hash)),
    ("url-safe-taken", |text| is_hash(&text.replace('-', "+").replace('_', "/"))),
    ("space-trimmed", |text| is_hash(text.trim_ascii())),
    ("percent-decoded", |text| is_hash(&percent_decode_str(text).decode_utf8_lossy())),
    ("percent-decoded-again", |text| {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        is_hash(&decoded(&decoded(text)))
    }),
    ("request-spellings-taken", |text| {
        is_hash(&text.strip_suffix('=').unwrap_or(text).replace('-', "+").replace('_', "/"))
    }),
    ("prefix-dropped", |text| {
        let hash = ["sha256:", "sha256-"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        is_hash(hash.strip_suffix('=').unwrap_or(hash))
    }),
    ("hex-taken", |text| is_hash(text) || text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())),
    ("bytes-counted", |text| text.len() == 43 && text.chars().all(|c| is_base64(c) || !c.is_ascii())),
    ("url-safe-only", |text| is_hash(text) && !text.contains(['+', '/'])),
    ("slash-refused", |text| is_hash(text) && !text.contains('/')),
    ("letters-at-the-end-only", |text| is_hash(text) && text.ends_with(|c: char| c.is_ascii_alphabetic())),
    ("capital-at-the-end-only", |text| is_hash(text) && text.ends_with(|c: char| c.is_ascii_uppercase())),
];

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/')
}

fn is_hash(text: &str) -> bool {
    CapabilityHash::parse(text).is_ok()
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
        MISTAKES.iter().map(|(name, _)| *name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Spelling) -> Option<Answer> {
        let (_, takes) = MISTAKES.iter().find(|(name, _)| *name == mistake)?;
        Some(if takes(&input.text) { Answer::taken() } else { Answer::Refused })
    }
}
