//! The properties on the built-in homeserver: what they check, and what becomes of what they find.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::time::Duration;

use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, ScenarioResult, Selection};
use capcheck::engine::{Options, Prepared};
use capcheck::outcome::Outcome;
use capcheck::properties::search::{Budget, News, SHRINKING, Terms, search};
use capcheck::properties::{self, Property};
use capcheck::reference::{self, Fault, FaultSet};
use capcheck::scenarios;
use capcheck::{built_in, spec::requirement};

use super::support::{OPTIONS, SETTLE, complaints, run_with};

/// Enough of every shape that each kind of act has come up.
const CASES: u64 = 40;

/// Terms under which a property is searched once.
fn terms(property: &Property, seed: u64, budget: Budget, jobs: usize) -> Terms {
    let nonce = format!("propsp{}", property.place());
    Terms { seed, first: 0, budget, shrinking: SHRINKING, jobs, nonce }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_histories_check_is_what_their_property_covers() {
    let (target, server) = built_in::start(reference::Options::default()).await.unwrap();
    let prepared = Prepared::new(target, None, 0, "props").await.unwrap();
    let theatre = prepared.theatre(BTreeSet::new());
    for property in properties::all() {
        let budget = Budget { cases: CASES, time: Duration::from_secs(600) };
        let searched = search(&theatre, property, &terms(property, 1, budget, 4), &mut |_| ()).await;
        let found = searched.failure.map(|(failure, _)| failure);
        assert!(found.is_none() && searched.stop.is_none(), "{found:#?} {:?}", searched.stop);
        assert_eq!(searched.cases, CASES);
        let strays: Vec<_> = searched.checked.iter().filter(|id| !property.covers.contains(id)).collect();
        assert_eq!(strays, [&""; 0], "{} covers them not", property.id);
        assert!(searched.checked.len() > 5, "{} checks {:?}", property.id, searched.checked);
        assert!(property.covers.iter().all(|id| requirement::find(id).is_some()), "{}", property.id);
    }
    prepared.end().await;
    server.stop().await;
}

/// The built-in homeserver with a fault, and what a run of this makes of it.
async fn run_on(fault: Fault, only: &[&str]) -> RunResult {
    let options = reference::Options { faults: FaultSet::from_iter([fault]), ..Default::default() };
    let (mut target, server) = built_in::start_alone(options).await.unwrap();
    target.limits.settle = SETTLE;
    let only = only.iter().map(|glob| (*glob).to_owned()).collect();
    let result = run_with(target, Selection { only, ..Selection::default() }, OPTIONS).await;
    server.stop().await;
    result
}

fn of_properties(result: &RunResult) -> impl Iterator<Item = &ScenarioResult> {
    result.scenarios.iter().filter(|told| scenarios::find(&told.id).unwrap().property().is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_told_by_the_smallest_history_that_shows_it_and_its_exchanges_alone() {
    let result = run_on(Fault::UnionLastDeclared, &["properties::union_laws"]).await;
    assert_eq!(exit::code(&result), exit::NON_CONFORMANT, "{}", complaints(&result));
    let [told] = result.scenarios.as_slice() else { panic!("one was selected") };
    let [finding] = told.findings.as_slice() else { panic!("{}", complaints(&result)) };
    assert_eq!(finding.requirement, "union.of-all", "{}", complaints(&result));
    let history = finding.history.join("\n");
    for part in ["1. alice signs up", " declares ", &format!("seed {}", result.seed), "capcheck explore "] {
        assert!(history.contains(part), "{part:?} is not in\n{history}");
    }
    let steps = finding
        .history
        .iter()
        .filter(|row| row.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok()));
    assert!(steps.count() <= 8, "{history}");
    let shown = finding.exchange.as_ref().unwrap();
    assert!(
        told.exchanges.iter().any(|exchange| exchange.number == shown.number && exchange.url == shown.url)
    );
    assert!(told.exchanges.len() < 30 && told.requests > told.exchanges.len(), "{}", told.exchanges.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_does_not_play_where_what_it_rests_on_has_failed() {
    let result = run_on(Fault::LogoutKeepsSet, &[]).await;
    for told in of_properties(&result) {
        let reason = told.reason.as_deref().unwrap_or_default();
        assert_eq!(told.outcome, Outcome::NotApplicable, "{}: {reason}", told.id);
        assert!(
            told.id == "properties::federation" || reason.starts_with("rests on "),
            "{}: {reason}",
            told.id
        );
        assert_eq!(told.requests, 0);
    }
}

/// By itself a property rests on nothing, and requirements that it did not come upon do not apply.
#[tokio::test(flavor = "multi_thread")]
async fn properties_alone_make_a_verdict() {
    let (target, server) = built_in::start(reference::Options::default()).await.unwrap();
    let selection = Selection { only: vec!["properties::*".to_owned()], ..Selection::default() };
    let result = run_with(target, selection, Options { jobs: 2, ..OPTIONS }).await;
    server.stop().await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    assert_eq!(of_properties(&result).count(), properties::all().len());
    for rule in &result.requirements {
        assert!(matches!(rule.outcome, Outcome::Passed | Outcome::NotApplicable), "{}", rule.id);
    }
    assert!(result.counts.gating.passed > 20, "{:?}", result.counts.gating);
}

/// The same seed comes to the same history, whatever is performed at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_seed_finds_the_same_again() {
    let property = &properties::all()[0];
    let mut found = Vec::new();
    for jobs in [1, 4] {
        let faults = FaultSet::from_iter([Fault::UnionLastDeclared]);
        let options = reference::Options { faults, ..Default::default() };
        let (mut target, server) = built_in::start_alone(options).await.unwrap();
        target.limits.settle = SETTLE;
        let prepared = Prepared::new(target, None, 0, "seeds").await.unwrap();
        let budget = Budget { cases: 100, time: Duration::from_secs(600) };
        let mut smaller = 0;
        let mut tell = |news: News<'_>| smaller += usize::from(matches!(news, News::Smaller(_)));
        let searched = search(
            &prepared.theatre(BTreeSet::new()),
            property,
            &terms(property, 5, budget, jobs),
            &mut tell,
        )
        .await;
        let (failure, _) = searched.failure.unwrap();
        assert_eq!((failure.confirmed.tried, failure.confirmed.failed), (2, 2));
        assert!(smaller > 1 && failure.history.len() < failure.found_with, "{failure:#?}");
        found.push((failure.case, failure.requirement, failure.history));
        prepared.end().await;
        server.stop().await;
    }
    assert_eq!(found[0], found[1]);
}
