//! The requirements: every rule the suite tests, as data.
//!
//! `requirements.toml` holds the rows; this file holds their types and checks them.

use std::fmt;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The permanent id, `area.word`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Whose word it is.
    pub basis: Basis,
    /// The draft sentences it rests on, e.g. `["C6"]`; empty for `matrix`, and may be for `profile` and `reading`.
    pub sentences: Vec<String>,
    /// The section of the Matrix specification (`matrix`), or the rationale (`profile`, `reading`).
    pub source: Option<String>,
    /// The rule, in our words.
    pub text: String,
}

/// A sentence of the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Its number, e.g. `C6`.
    pub id: String,
    /// The draft's words.
    pub text: String,
    /// Why no requirement rests on it, where none does.
    pub excluded: Option<String>,
}

/// PLACEHOLDER
pub fn find(_id: &str) -> Option<&'static Requirement> {
    None
}
