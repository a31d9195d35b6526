//! What may come of a null target, and what is a defect of the suite.

use std::fmt;

use crate::proof::trial::Trial;

use super::{Must, NullTarget};

/// The longest that the one line of preflight may be, in bytes.
const LINE: usize = 600;

/// Something that should not have come of a null target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NullFinding {
    /// Another exit code than the one that is documented.
    Exit {
        /// The documented one.
        expected: u8,
        /// The one that came.
        actual: u8,
    },
    /// A requirement passed that does not hold, as far as anybody has said.
    Vacuous(String),
    /// A requirement that is said to hold did not pass.
    Stale(&'static str),
    /// The suite itself broke.
    Harness(String),
    /// The line of preflight does not tell what is wrong.
    Unclear {
        /// What is the matter with it.
        why: String,
        /// The line.
        line: String,
    },
    /// Preflight stops what it should let through.
    Stopped(String),
}

impl fmt::Display for NullFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit { expected, actual } => write!(f, "exit code {actual} instead of {expected}"),
            Self::Vacuous(id) => write!(f, "{id} passed, and nothing says that it holds"),
            Self::Stale(id) => write!(f, "{id} is said to hold, and did not pass"),
            Self::Harness(what) => write!(f, "a fault of the harness: {what}"),
            Self::Unclear { why, line } => write!(f, "preflight is unclear ({why}): {line:?}"),
            Self::Stopped(line) => write!(f, "preflight should have let it through: {line:?}"),
        }
    }
}

/// What should not have come of it; none where the suite is right.
pub(super) fn findings(null: &NullTarget, trial: &Trial) -> Vec<NullFinding> {
    let mut findings = Vec::new();
    let (expected, actual) = (null.must.exit(), trial.exit);
    if expected != actual {
        findings.push(NullFinding::Exit { expected, actual });
    }
    findings.extend(told(null.must, trial.preflight_error.as_deref()));
    let vacuous = trial.passed.iter().filter(|id| null.holding().all(|holding| holding != **id));
    findings.extend(vacuous.cloned().map(NullFinding::Vacuous));
    let stale = null.holding().filter(|id| !trial.passed.iter().any(|passed| passed == id));
    findings.extend(stale.map(NullFinding::Stale));
    findings.extend(trial.harness_faults.iter().cloned().map(NullFinding::Harness));
    findings
}

/// What is wrong with the line that preflight stops with, or with there being one.
fn told(must: Must, line: Option<&str>) -> Option<NullFinding> {
    let unclear = |why: String, line: &str| Some(NullFinding::Unclear { why, line: line.to_owned() });
    match (must, line) {
        (Must::Stop(_), None) => unclear("it says nothing".to_owned(), ""),
        (Must::Stop(words), Some(line)) if !line.contains(words) => {
            unclear(format!("{words:?} is not in it"), line)
        }
        (Must::Stop(_), Some(line)) if line.contains('\n') => unclear("it is not one line".to_owned(), line),
        (Must::Stop(_), Some(line)) if line.len() > LINE => unclear(format!("over {LINE} bytes"), line),
        (Must::Fail | Must::BeUntestable, Some(line)) => Some(NullFinding::Stopped(line.to_owned())),
        (Must::Stop(_), Some(_)) | (Must::Fail | Must::BeUntestable, None) => None,
    }
}

#[cfg(test)]
mod tests;
