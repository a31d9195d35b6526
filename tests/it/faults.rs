//! Every fault of the built-in homeserver is found, by a requirement that it says it breaks.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::time::Duration;

use capcheck::built_in;
use capcheck::engine::plan::Plan;
use capcheck::engine::result::{RunResult, Selection};
use capcheck::engine::{self, Options, Request};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Fault, FaultSet};
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
    let request = Request { target, plan, options, seed: 1, run_id: "faults".to_owned() };
    let told = engine::run(request, &mut Silent, std::future::pending()).await.unwrap();
    server.stop().await;
    told.result
}

#[test]
fn every_fault_fails_a_requirement_that_it_names() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let survivors: Vec<String> = runtime.block_on(async {
        futures_util::stream::iter(Fault::all())
            .map(|fault| async move { (fault, judge(fault).await) })
            .buffer_unordered(4)
            .filter_map(|(fault, result)| async move { survived(fault, &result) })
            .collect()
            .await
    });
    assert!(survivors.is_empty(), "{} faults were not found:\n{}", survivors.len(), survivors.join("\n"));
}

fn survived(fault: Fault, result: &RunResult) -> Option<String> {
    let killed = result.requirements.iter().any(|rule| rule.outcome == Outcome::Failed);
    let said = |rule: &capcheck::engine::result::RequirementResult| {
        format!("    {} {} {}", rule.id, rule.outcome.word(), rule.reason.as_deref().unwrap_or_default())
    };
    let words: Vec<String> = result.requirements.iter().map(said).collect();
    let preflight = result.preflight_error.as_deref().unwrap_or_default();
    (!killed).then(|| format!("  {} {preflight}\n{}", fault.id(), words.join("\n")))
}
