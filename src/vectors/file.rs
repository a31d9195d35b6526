//! What a file of vectors holds.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a file is about; each subject has one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Any JSON value and its canonical bytes: cases of type [`Reading`].
    CanonicalJson,
    /// Uploads and the hash of the set they hold: cases of type [`Reading`].
    CapabilityHash,
    /// Several sets and the hash of their union: cases of type [`Union`].
    Union,
    /// Spellings of a hash: cases of type [`HashString`].
    HashStrings,
}

impl Subject {
    /// Every subject, in the order of reports.
    pub const ALL: [Self; 4] = [Self::CanonicalJson, Self::CapabilityHash, Self::Union, Self::HashStrings];

    /// The file's name within its directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::CanonicalJson => "canonical-json.json",
            Self::CapabilityHash => "capability-hash.json",
            Self::Union => "union.json",
            Self::HashStrings => "hash-strings.json",
        }
    }

    /// The file that the binary carries.
    pub const fn embedded(self) -> &'static str {
        match self {
            Self::CanonicalJson => include_str!("../../vectors/canonical-json.json"),
            Self::CapabilityHash => include_str!("../../vectors/capability-hash.json"),
            Self::Union => include_str!("../../vectors/union.json"),
            Self::HashStrings => include_str!("../../vectors/hash-strings.json"),
        }
    }
}

/// A loaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<C> {
    /// What the cases are about and how to read them.
    pub about: String,
    /// Every mistake that a case names, explained in a phrase.
    pub mistakes: BTreeMap<String, String>,
    /// The cases.
    pub cases: Vec<C>,
}

/// A case of any subject.
pub trait Case: serde::de::DeserializeOwned {
    /// Its permanent id.
    fn id(&self) -> &str;

    /// The mistakes that it names.
    fn mistakes(&self) -> Vec<&str>;

    /// Whether its input is to be taken.
    fn is_valid(&self) -> bool;
}

/// A case about reading JSON: what to make of an input.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Reading {
    /// The input has canonical bytes and a hash.
    Valid(Valid),
    /// The input has none.
    Invalid(Invalid),
}

/// An input that has canonical bytes and a hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Valid {
    /// The permanent id.
    pub id: String,
    /// What the case shows.
    pub comment: Option<String>,
    /// The bytes, as text.
    pub input: String,
    /// The answer.
    pub canonical: String,
    /// Unpadded Base64 of SHA-256 over `canonical`.
    pub sha256: String,
    /// The answers of implementations that make a mistake, by its name.
    #[serde(default)]
    pub wrong: BTreeMap<String, String>,
}

/// An input that is to be refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// The permanent id.
    pub id: String,
    /// What the case shows.
    pub comment: Option<String>,
    /// The bytes, as text, unless `input_hex` has them.
    pub input: Option<String>,
    /// The bytes in hexadecimal, where they are no text.
    pub input_hex: Option<String>,
    /// The name of what is wrong.
    pub mistake: String,
    /// The byte it is at, where it is at one.
    pub offset: Option<usize>,
}

/// A case about the union of several sets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Union {
    /// The permanent id.
    pub id: String,
    /// What the case shows.
    pub comment: Option<String>,
    /// The sets, as uploaded.
    pub sets: Vec<String>,
    /// The canonical text of the union.
    pub canonical: String,
    /// The hash of the union.
    pub sha256: String,
    /// The answers of implementations that make a mistake, by its name.
    #[serde(default)]
    pub wrong: BTreeMap<String, String>,
}

/// A case about the spelling of a hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashString {
    /// The permanent id.
    pub id: String,
    /// What the case shows.
    pub comment: Option<String>,
    /// Whether a server may write it.
    pub result: Answer,
    /// The string.
    pub text: String,
    /// The name of what is wrong, where something is.
    pub mistake: Option<String>,
}

/// Whether an input is to be taken or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To be taken.
    Valid,
    /// To be refused.
    Invalid,
}

impl Invalid {
    /// The bytes; none if the case has neither spelling of them, or both, or one that is no hexadecimal.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.input, &self.input_hex) {
            (Some(text), None) => Some(text.clone().into_bytes()),
            (None, Some(hex)) => from_hex(hex),
            _ => None,
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let pair = |pair: &[u8]| if let [high, low] = pair { Some(high << 4 | low) } else { None };
    digits.chunks(2).map(pair).collect()
}

impl Case for Reading {
    fn id(&self) -> &str {
        match self {
            Self::Valid(case) => &case.id,
            Self::Invalid(case) => &case.id,
        }
    }

    fn mistakes(&self) -> Vec<&str> {
        match self {
            Self::Valid(case) => case.wrong.keys().map(String::as_str).collect(),
            Self::Invalid(case) => vec![&case.mistake],
        }
    }

    fn is_valid(&self) -> bool {
        matches!(self, Self::Valid(_))
    }
}

impl Case for Union {
    fn id(&self) -> &str {
        &self.id
    }

    fn mistakes(&self) -> Vec<&str> {
        self.wrong.keys().map(String::as_str).collect()
    }

    fn is_valid(&self) -> bool {
        true
    }
}

impl Case for HashString {
    fn id(&self) -> &str {
        &self.id
    }

    fn mistakes(&self) -> Vec<&str> {
        self.mistake.iter().map(String::as_str).collect()
    }

    fn is_valid(&self) -> bool {
        self.result == Answer::Valid
    }
}
