//! The requirements: every rule the suite tests, as data.
//!
//! `requirements.toml` holds the rows and the draft's sentences; this file holds their types,
//! and [`load`] refuses a table that does not keep its own rules.

mod load;

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use load::{LoadError, RowError, load};

/// The rows and sentences that the binary carries.
static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
    load(include_str!("../requirements.toml")).unwrap_or_else(|error| panic!("requirements.toml: {error}"))
});

/// Every requirement, in the order of the table; the same on every call.
pub fn all() -> &'static [Requirement] {
    &EMBEDDED.requirements
}

/// The requirement with this id.
pub fn find(id: &str) -> Option<&'static Requirement> {
    all().iter().find(|requirement| requirement.id == id)
}

/// Every sentence of the draft, in its order.
pub fn sentences() -> &'static [Sentence] {
    &EMBEDDED.sentences
}

/// The sentence of the draft with this number, e.g. `C6`.
pub fn sentence(id: &str) -> Option<&'static Sentence> {
    sentences().iter().find(|sentence| sentence.id == id)
}

/// Which version of the rows this is, e.g. `2014-12-31.1`: the day of the draft and our count. The rows of a
/// revision that was released never change.
pub fn revision() -> &'static str {
    &EMBEDDED.revision
}

/// SHA-256, in hexadecimal, over the rows: equal for two reports exactly if they speak of the same rules.
pub fn digest() -> &'static str {
    &EMBEDDED.digest
}

/// A checked table: what [`load`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Which version of the rows this is.
    pub revision: String,
    /// The rules, in the order of the table.
    pub requirements: Vec<Requirement>,
    /// The draft's sentences, in its order.
    pub sentences: Vec<Sentence>,
    /// SHA-256, in hexadecimal, over the Canonical JSON of the requirements.
    pub digest: String,
}

/// How binding a requirement is (RFC 2119).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Optional; observed and counted, never failed.
    May,
    /// Gates only under `--strict`.
    Should,
    /// Gates a release.
    Must,
}

/// How sure we are of a requirement, and whose word it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The draft says it; the source cites the sentence.
    Draft,
    /// The Matrix specification says it of every API; the source cites the section.
    Matrix,
    /// Without it a draft sentence cannot hold or an attacker breaks it; the source cites the sentence.
    Derived,
    /// The draft needs one choice to interoperate; the source gives the rationale.
    Profile,
    /// The draft is silent and we chose; the source gives the rationale. Never above `should`.
    Reading,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::May => "may",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Draft => "draft",
            Self::Matrix => "matrix",
            Self::Derived => "derived",
            Self::Profile => "profile",
            Self::Reading => "reading",
        })
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The permanent id, `area.word`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Whose word it is.
    pub basis: Basis,
    /// The draft sentences it rests on, e.g. `["C6"]`; empty for `matrix`, and may be for `profile` and `reading`.
    #[serde(default)]
    pub sentences: Vec<String>,
    /// The section of the Matrix specification (`matrix`), or the rationale (`profile`, `reading`).
    pub source: Option<String>,
    /// The rule, in our words.
    pub text: String,
}

impl Requirement {
    /// The part of the draft that the rule is about: the id before its dot.
    pub fn area(&self) -> &str {
        self.id.split_once('.').map_or(self.id.as_str(), |(area, _)| area)
    }
}

/// A sentence of the draft.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// Its number, e.g. `C6`.
    pub id: String,
    /// The draft's words.
    pub text: String,
    /// Why no requirement rests on it, where none does.
    pub excluded: Option<String>,
}

#[cfg(test)]
mod tests;
