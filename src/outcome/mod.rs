//! What a check leaves behind: judgements, findings and outcomes.

mod judgement;
mod ledger;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::task::JoinError;

use crate::wire::{Exchange, Recorded};

pub use judgement::Judgement;
pub use ledger::{Evaluated, Ledger};

/// Evaluates a check: `check!(cx, "upload.refuse-unknown", reply.is_refusal())`.
///
/// The requirement it names must be one that the scenario covers. A check that fails is kept as a
/// finding and the scenario goes on; the value is whether it held. Inside, `?` ends the scenario
/// where the failure cannot be laid at the target's door.
#[macro_export]
macro_rules! check {
    ($cx:expr, $requirement:literal, $judgement:expr) => {{
        let judgement = $judgement;
        $cx.check($requirement, judgement).await?
    }};
}

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
    /// What was done, step by step, where it was drawn and stands in no scenario; and how to go on from there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
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

impl Stop {
    /// A prerequisite broke, as this exchange shows.
    pub fn untestable(reason: impl Into<String>, exchange: &Arc<Exchange>) -> Self {
        Self::Untestable { reason: reason.into(), exchange: Some(exchange.clone()) }
    }
}

/// What a task comes to that panicked: the suite itself is wrong, in the panic's words.
pub(crate) fn panicked(what: &str, error: JoinError) -> Stop {
    let payload = error.try_into_panic().ok();
    let words = payload.as_ref().and_then(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
    });
    Stop::HarnessFault { reason: format!("{what} panicked: {}", words.as_deref().unwrap_or("?")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages that people read and the JSON report speak of one thing with one word.
    #[test]
    fn the_word_of_an_outcome_is_that_of_the_json_report() {
        use Outcome::{Failed, HarnessFault, NotApplicable, Passed, Untestable};
        for outcome in [Passed, Failed, Untestable, NotApplicable, HarnessFault] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.word());
        }
    }
}
