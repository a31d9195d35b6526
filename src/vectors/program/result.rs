//! What came of testing a program: the model that every report renders.
//!
//! The published schema, `docs/vectors-report.schema.json`, is generated from these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::select::Selection;
use crate::vectors::FlagLevel;

/// The version of this model; raised when a key changes its meaning or goes.
pub const REPORT_VERSION: u32 = 1;

/// A whole test.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProgramResult {
    /// [`REPORT_VERSION`].
    pub schema_version: u32,
    /// What tested.
    pub suite: Suite,
    /// The program under test and its arguments.
    pub program: Vec<String>,
    /// Whether it was started for each case.
    pub per_case: bool,
    /// How long it had for each case, in seconds.
    pub timeout_s: f64,
    /// What was asked for.
    pub selection: Selection,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// Whether cases were left out because several in a row had hung.
    pub gave_up: bool,
    /// The answer.
    pub verdict: Conformance,
    /// The numbers behind it.
    pub counts: Counts,
    /// Every subject of which a case was selected.
    pub subjects: Vec<SubjectResult>,
    /// The mistakes that explain wrong answers which no deviation expects, that which explains most first.
    pub mistakes: Vec<MistakeResult>,
    /// The deviations that were to be expected, in the order of their file.
    pub deviations: Vec<DeviationResult>,
    /// Every case that was tried, in the order of the files.
    pub cases: Vec<CaseResult>,
}

/// The suite that tested.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Suite {
    /// The crate's version.
    pub version: String,
    /// SHA-256 (hex) over the manifest of the vectors, which has the digest of each.
    pub manifest_sha256: String,
}

impl Suite {
    /// This one.
    pub(crate) fn current() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { version, manifest_sha256: crate::vectors::manifest_digest().to_owned() }
    }
}

/// The answer to "does the program compute what it must?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conformance {
    /// No case that gates failed, and at least one case passed.
    Conformant,
    /// The same, but for failures that the list of deviations expects.
    AsExpected,
    /// A case that gates failed, or an expected deviation did not occur.
    NonConformant,
    /// Neither; but no case passed, a subject was answered in part, or not all cases were tried.
    Incomplete,
}

impl Conformance {
    /// The word that reports use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::AsExpected => "as_expected",
            Self::NonConformant => "non_conformant",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer is a right one.
    Passed,
    /// It is not.
    Failed,
    /// The program ended without an answer, which is no refusal.
    Crashed,
    /// It did not answer in time.
    Hung,
    /// What it answered cannot be understood.
    Garbled,
    /// It does not do the subject.
    Unsupported,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Passed, Self::Failed, Self::Crashed, Self::Hung, Self::Garbled, Self::Unsupported];

    /// The word that reports use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Garbled => "garbled",
            Self::Unsupported => "unsupported",
        }
    }

    /// Whether there was an answer that could not be taken for a right one, or none.
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Passed | Self::Unsupported)
    }
}

/// How a case was failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// It refused what must be taken.
    Refused,
    /// It took what must be refused.
    Taken,
    /// It answered something that is not right.
    Other,
    /// It ended without an answer.
    Crashed,
    /// It did not answer in time.
    Hung,
    /// What it answered cannot be understood.
    Garbled,
}

impl Manner {
    /// The word that reports use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Taken => "taken",
            Self::Other => "other",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Garbled => "garbled",
        }
    }
}

/// What came of a case.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseResult {
    /// The case.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// How binding it is.
    pub level: FlagLevel,
    /// Whether a failure makes the program non-conformant.
    pub gates: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// How it was failed, if it was.
    pub manner: Option<Manner>,
    /// What is right, in a phrase.
    pub expected: String,
    /// What the program answered, in a phrase, or how it broke down.
    pub actual: String,
    /// The mistakes that give just this answer, by name.
    pub mistakes: Vec<String>,
    /// Where something else that it computed departs from what is right.
    pub difference: Option<Departure>,
    /// The last lines of its standard error, where it broke down.
    pub stderr: Option<String>,
    /// Why the failure was to be expected, if it was.
    pub deviation: Option<String>,
}

impl CaseResult {
    /// Whether it failed, and nothing said that it would.
    pub fn is_unexpected(&self) -> bool {
        self.outcome.is_failure() && self.deviation.is_none()
    }
}

/// Where two texts part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Departure {
    /// The field of the answer, e.g. `canonical`.
    pub field: String,
    /// The first character that differs, counted from 1; none where the texts are equal, so that it is only the
    /// step behind them which went wrong.
    pub at: Option<usize>,
    /// What is right around there.
    pub expected: String,
    /// What the program has around there.
    pub actual: String,
}

/// How many cases came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Those that were to be tried.
    pub selected: usize,
    /// Right answers.
    pub passed: usize,
    /// Wrong answers.
    pub failed: usize,
    /// No answer: the program ended.
    pub crashed: usize,
    /// No answer in time.
    pub hung: usize,
    /// No answer that can be understood.
    pub garbled: usize,
    /// The program does not do their subject.
    pub unsupported: usize,
    /// Of the failures, whatever their kind: those that a deviation expects.
    pub expected: usize,
    /// Of those that no deviation expects: those that do not gate.
    pub not_gating: usize,
}

impl Counts {
    /// Counts these cases, of so many.
    pub(crate) fn of<'c>(selected: usize, cases: impl Iterator<Item = &'c CaseResult>) -> Self {
        let mut counts = Self { selected, ..Self::default() };
        for case in cases {
            let count = match case.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed => &mut counts.failed,
                Outcome::Crashed => &mut counts.crashed,
                Outcome::Hung => &mut counts.hung,
                Outcome::Garbled => &mut counts.garbled,
                Outcome::Unsupported => &mut counts.unsupported,
            };
            *count += 1;
            counts.expected += usize::from(case.outcome.is_failure() && case.deviation.is_some());
            counts.not_gating += usize::from(case.is_unexpected() && !case.gates);
        }
        counts
    }

    /// Those that were not tried.
    pub fn untried(&self) -> usize {
        self.selected.saturating_sub(self.passed + self.failures() + self.unsupported)
    }

    /// Failures of every kind.
    pub fn failures(&self) -> usize {
        self.failed + self.crashed + self.hung + self.garbled
    }
}

/// What came of a subject.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SubjectResult {
    /// Its name.
    pub subject: String,
    /// Its cases.
    pub counts: Counts,
}

impl SubjectResult {
    /// Whether the program answered some of its cases and called others unsupported.
    pub fn is_partial(&self) -> bool {
        self.counts.unsupported > 0 && self.counts.passed + self.counts.failures() > 0
    }
}

/// A mistake that explains wrong answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MistakeResult {
    /// Its name.
    pub mistake: String,
    /// It, in a phrase.
    pub phrase: String,
    /// What comes of it in the field.
    pub effect: String,
    /// Who says that it is one.
    pub reference: String,
    /// The cases that it explains, and no mistake before it in the list does.
    pub cases: Vec<String>,
}

/// A deviation that was to be expected.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeviationResult {
    /// Globs over the ids of cases.
    pub cases: Vec<String>,
    /// The mistake that was to be expected, by name, or the manner of failure.
    pub deviates: String,
    /// Why.
    pub reason: String,
    /// The cases that were failed so.
    pub occurred: Vec<String>,
    /// The globs of which every case was tried and none was failed so.
    pub stale: Vec<String>,
}
