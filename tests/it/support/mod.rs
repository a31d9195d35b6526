//! What the tests of whole runs share: short limits, a silent reporter, and targets that break.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

pub(crate) mod proxy;
pub(crate) mod raw;

use std::io;
use std::time::Duration;

use capcheck::engine::event::{Event, Reporter};
use capcheck::engine::plan::Plan;
use capcheck::engine::result::{RunResult, Selection};
use capcheck::engine::{self, Options, Request, run_id};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Running};
use capcheck::target::config::{Entitled, Gating, Target};

/// Tells nobody.
pub(crate) struct Silent;

impl Reporter for Silent {
    fn on(&mut self, _: &Event<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// How long effects are waited for that never come.
pub(crate) const SETTLE: Duration = Duration::from_millis(200);

/// The longest that any run of these tests may last, on a machine however busy.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// How the runs of these tests are done.
pub(crate) const OPTIONS: Options = Options { jobs: 32, fail_fast: false, all_transcripts: false };

/// The built-in homeserver.
pub(crate) async fn serve(options: reference::Options) -> Running {
    reference::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap()
}

/// A target with limits so short that nothing which never comes is waited for long.
pub(crate) fn target(url: &str) -> Target {
    let mut target = Target::from_url(url).unwrap();
    target.limits.request_timeout = Duration::from_millis(500);
    target.limits.scenario_timeout = Duration::from_secs(20);
    target.limits.settle = SETTLE;
    target.limits.rate_limit_cap = Duration::from_millis(300);
    target
}

/// Everything that the built-in homeserver declares about itself, for short limits that it keeps.
pub(crate) fn declared(url: &str) -> Target {
    let mut target = target(url);
    let capability = "m.cap.content_repo.v1".to_owned();
    target.gating = Some(Gating { capability, entitled: Entitled::Prefix("granted-".to_owned()) });
    target.limits.max_set_bytes = Some(reference::Options::default().limits.max_set_bytes);
    target.limits.request_timeout = Duration::from_secs(5);
    target.limits.settle = Duration::from_secs(2);
    target
}

/// A whole run.
pub(crate) async fn run(target: Target) -> RunResult {
    run_with(target, Selection::default(), OPTIONS).await
}

/// A run of a selection.
pub(crate) async fn run_with(target: Target, selection: Selection, options: Options) -> RunResult {
    run_pair(target, None, selection, options).await
}

/// A run of a selection, with a second homeserver.
pub(crate) async fn run_pair(
    target: Target,
    second: Option<Target>,
    selection: Selection,
    options: Options,
) -> RunResult {
    let plan = Plan::new(selection).unwrap();
    let run_id = run_id::fresh().unwrap();
    let request = Request { target, second, plan, options, seed: 7, run_id };
    let mut silent = Silent;
    let run = engine::run(request, &mut silent, std::future::pending());
    // A run that waits for itself fails here instead of hanging.
    tokio::time::timeout(ENDS_WITHIN, run).await.expect("the run does not end").unwrap().result
}

/// The ids of the requirements with this outcome.
pub(crate) fn with_outcome(result: &RunResult, outcome: Outcome) -> Vec<&str> {
    result.requirements.iter().filter(|rule| rule.outcome == outcome).map(|rule| rule.id.as_str()).collect()
}

/// What failed or could not be tested, for the message of an assertion.
pub(crate) fn complaints(result: &RunResult) -> String {
    let mut lines = Vec::new();
    for scenario in &result.scenarios {
        if let Some(reason) = &scenario.reason {
            lines.push(format!("{} {}: {reason}", scenario.id, scenario.outcome.word()));
        }
        for finding in &scenario.findings {
            let exchange = finding.exchange.as_ref().map(|e| format!(" ({} {})", e.method, e.url));
            let exchange = exchange.unwrap_or_default();
            lines.push(format!(
                "{} failed {}: expected {}, but {}{exchange}",
                scenario.id, finding.requirement, finding.expected, finding.actual
            ));
        }
    }
    lines.join("\n")
}
