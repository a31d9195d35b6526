//! What a check leaves behind: judgements, findings and outcomes.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::{Exchange, Recorded};

/// What came of a requirement or a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every check held, and at least one was evaluated.
    Passed,
    /// A check failed: the target does not conform.
    Failed,
    /// A prerequisite broke, so nothing is known.
    Untestable,
    /// The target does not claim what this needs.
    NotApplicable,
    /// The suite itself failed; scenarios only.
    HarnessFault,
}

impl Outcome {
    /// The word that reports use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Untestable => "untestable",
            Self::NotApplicable => "not_applicable",
            Self::HarnessFault => "harness_fault",
        }
    }
}

/// A predicate's answer with what is needed to explain it: made by actors, evaluated by `check!`.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether what was expected is what was found.
    pub holds: bool,
    /// What was expected, as a phrase.
    pub expected: String,
    /// What was found, as a phrase.
    pub actual: String,
    /// The exchange that shows it.
    pub exchange: Option<Arc<Exchange>>,
}

/// A failed check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The requirement that the check names.
    pub requirement: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// The exchange that shows it, redacted.
    pub exchange: Option<Recorded>,
}

/// Why a scenario ended before its last line.
#[derive(Clone, Debug)]
pub enum Stop {
    /// A prerequisite broke.
    Untestable {
        /// One line.
        reason: String,
        /// The exchange that broke it.
        exchange: Option<Arc<Exchange>>,
    },
    /// The target does not claim what the scenario needs.
    NotApplicable {
        /// One line.
        reason: String,
    },
    /// The suite itself is wrong.
    HarnessFault {
        /// One line.
        reason: String,
    },
}
