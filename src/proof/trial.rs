//! One trial: the suite, run on one homeserver, and what is kept of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::built_in::{self, BuiltInError};
use crate::engine::event::{Event, Reporter};
use crate::engine::exit;
use crate::engine::plan::Plan;
use crate::engine::result::{RunResult, Selection};
use crate::engine::{self, Options, Request, run_id};
use crate::outcome::{Finding, Outcome};
use crate::reference;
use crate::target::config::Target;
use crate::wire::ClientError;

/// How a trial is run.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether the homeserver federates, with the harness's own homeservers.
    pub federation: bool,
    /// How long effects are waited for that may never come.
    pub settle: Duration,
    /// Fixes shapes, sizes and order.
    pub seed: u64,
    /// Whether the properties play, too.
    pub properties: bool,
    /// Whether shoulds gate.
    pub strict: bool,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The exit code of the run.
    pub exit: u8,
    /// Why nothing could be tested, where that is so.
    pub preflight_error: Option<String>,
    /// The requirements that failed, and how.
    pub failed: BTreeMap<String, Failure>,
    /// The requirements that passed.
    pub passed: Vec<String>,
    /// The requirements that could not be tested, and why.
    pub untestable: BTreeMap<String, String>,
    /// The requirements that do not apply, and why.
    pub not_applicable: BTreeMap<String, String>,
    /// What the suite itself broke: scenario and reason.
    pub harness_faults: Vec<String>,
}

/// How a requirement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The scenarios whose checks failed, in the order of the suite.
    pub scenarios: Vec<String>,
    /// The first failed check: what was expected, and what was found.
    pub first: String,
}

/// Why there was no trial.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// No homeserver.
    #[error(transparent)]
    Start(#[from] BuiltInError),
    /// No client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No thread, or no runtime on it.
    #[error("a trial cannot start: {0}")]
    Thread(#[from] io::Error),
    /// It panicked.
    #[error("a trial broke off")]
    Broken,
    /// No random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// How long an answer may take: none of these homeservers takes long, unless it is never to come.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs the suite on the built-in homeserver with these options.
pub async fn on_built_in(options: reference::Options, terms: Terms) -> Result<Trial, TrialError> {
    let (mut target, server) = match terms.federation {
        true => built_in::start(options).await?,
        false => built_in::start_alone(options).await?,
    };
    target.limits.settle = terms.settle;
    target.limits.request_timeout = REQUEST_TIMEOUT;
    let skip = if terms.properties { Vec::new() } else { vec!["properties::*".to_owned()] };
    let selection = Selection { strict: terms.strict, skip, ..Selection::default() };
    let trial = on_selected(target, terms.seed, selection).await;
    server.stop().await;
    trial
}

/// Runs the suite, shoulds included, on a target.
pub async fn on(target: Target, seed: u64) -> Result<Trial, TrialError> {
    on_selected(target, seed, Selection { strict: true, ..Selection::default() }).await
}

/// Runs some of it.
async fn on_selected(target: Target, seed: u64, selection: Selection) -> Result<Trial, TrialError> {
    let plan = Plan::new(selection).unwrap_or_else(|_| unreachable!("everything is a selection"));
    let options = Options { jobs: target.limits.in_flight, fail_fast: false, all_transcripts: false };
    let run_id = run_id::fresh()?;
    let request = Request { target, second: None, plan, options, seed, run_id };
    let told = engine::run(request, &mut Silent, std::future::pending()).await?;
    Ok(Trial::of(&told.result))
}

impl Trial {
    fn of(result: &RunResult) -> Self {
        let with = |outcome| result.requirements.iter().filter(move |rule| rule.outcome == outcome);
        let reason = |words: &Option<String>| words.clone().unwrap_or_default();
        let reasons = |outcome| with(outcome).map(|rule| (rule.id.clone(), reason(&rule.reason))).collect();
        let harness_faults = result.scenarios.iter().filter(|s| s.outcome == Outcome::HarnessFault);
        Self {
            exit: exit::code(result),
            preflight_error: result.preflight_error.clone(),
            failed: with(Outcome::Failed)
                .map(|rule| (rule.id.clone(), Failure::of(&rule.id, result)))
                .collect(),
            passed: with(Outcome::Passed).map(|rule| rule.id.clone()).collect(),
            untestable: reasons(Outcome::Untestable),
            not_applicable: reasons(Outcome::NotApplicable),
            harness_faults: harness_faults.map(|s| format!("{}: {}", s.id, reason(&s.reason))).collect(),
        }
    }

    /// Whether a requirement does not apply.
    pub fn does_not_apply(&self, requirement: &str) -> bool {
        self.not_applicable.contains_key(requirement)
    }

    /// What came of a requirement that did not fail, in words.
    pub fn said_of(&self, requirement: &str) -> String {
        let because = |what: &str, reason: &String| format!("{what}: {reason}");
        let untestable = self.untestable.get(requirement).map(|reason| because("untestable", reason));
        let other = || self.not_applicable.get(requirement).map(|reason| because("not applicable", reason));
        untestable.or_else(other).unwrap_or_else(|| "passed".to_owned())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.first, self.scenarios.join(", "))
    }
}

impl Failure {
    fn of(requirement: &str, result: &RunResult) -> Self {
        let findings = result.scenarios.iter().flat_map(|scenario| {
            let of_it = scenario.findings.iter().filter(|finding| finding.requirement == requirement);
            of_it.map(|finding| (scenario.id.as_str(), finding))
        });
        let first = findings.clone().next();
        let mut scenarios: Vec<String> = findings.map(|(id, _)| id.to_owned()).collect();
        scenarios.dedup();
        let said =
            |finding: &Finding| format!("expected {}, but there was {}", finding.expected, finding.actual);
        Self { scenarios, first: first.map(|(_, finding)| said(finding)).unwrap_or_default() }
    }
}

/// Tells nobody.
struct Silent;

impl Reporter for Silent {
    fn on(&mut self, _: &Event<'_>) -> io::Result<()> {
        Ok(())
    }
}
