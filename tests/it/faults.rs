//! Every fault of the built-in homeserver is found, by a requirement that it says it breaks.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::time::Duration;

use capcheck::built_in;
use capcheck::engine::plan::Plan;
use capcheck::engine::result::{RequirementResult, RunResult, Selection};
use capcheck::engine::{self, Options, Request};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Fault, FaultSet, Named as _};
use capcheck::spec::requirement::{self, Level, Requirement};
use futures_util::StreamExt as _;

use crate::support::Silent;

/// What the suite says of the requirements that a fault says it breaks.
async fn judge(fault: Fault) -> RunResult {
    let options =
        reference::Options { faults: FaultSet::from_iter([fault]), ..reference::Options::default() };
    let (mut target, server) = built_in::start(options).await.unwrap();
    target.limits.settle = Duration::from_millis(300);
    target.limits.request_timeout = Duration::from_secs(2);
    let only = fault.breaks().iter().map(|id| (*id).to_owned()).collect();
    let plan = Plan::new(Selection { only, strict: true, ..Selection::default() }).unwrap();
    let options = Options { jobs: 8, fail_fast: false, all_transcripts: false };
    let request = Request { target, second: None, plan, options, seed: 1, run_id: "faults".to_owned() };
    let told = engine::run(request, &mut Silent, std::future::pending()).await.unwrap();
    server.stop().await;
    told.result
}

/// Every fault is found by a requirement that it names, and every must and should is seen to fail on a
/// fault that names it: a check that was never seen failing is not done.
#[test]
fn every_fault_and_every_check_is_seen_failing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let judged: Vec<(Fault, RunResult)> = runtime.block_on(async {
        futures_util::stream::iter(Fault::all())
            .map(|fault| async move { (fault, judge(fault).await) })
            .buffer_unordered(4)
            .collect()
            .await
    });
    let survivors: Vec<String> =
        judged.iter().filter_map(|(fault, result)| survived(*fault, result)).collect();
    assert!(survivors.is_empty(), "{} faults were not found:\n{}", survivors.len(), survivors.join("\n"));
    let failed: BTreeSet<&str> =
        judged.iter().flat_map(|(fault, result)| named_and_failed(*fault, result)).collect();
    let binding = |rule: &&Requirement| rule.level > Level::May;
    let never: Vec<&str> = requirement::all()
        .iter()
        .filter(binding)
        .map(|rule| rule.id.as_str())
        .filter(|id| !failed.contains(id))
        .collect();
    assert_eq!(never, [""; 0], "requirements that no fault was seen to break");
}

/// The requirements that a fault says it breaks, and that failed.
fn named_and_failed(fault: Fault, result: &RunResult) -> impl Iterator<Item = &'static str> {
    let failed = |id: &&&str| {
        result.requirements.iter().any(|rule| rule.id == **id && rule.outcome == Outcome::Failed)
    };
    fault.breaks().iter().filter(failed).copied()
}

fn survived(fault: Fault, result: &RunResult) -> Option<String> {
    let said = |rule: &RequirementResult| {
        format!("    {} {} {}", rule.id, rule.outcome.word(), rule.reason.as_deref().unwrap_or_default())
    };
    let words: Vec<String> = result.requirements.iter().map(said).collect();
    let preflight = result.preflight_error.as_deref().unwrap_or_default();
    let killed = named_and_failed(fault, result).next().is_some();
    (!killed).then(|| format!("  {} {preflight}\n{}", fault.id(), words.join("\n")))
}
