//! What is held against the suite, shown on trials that never were.

use std::collections::BTreeMap;

use super::attribution::Attribution;
use super::freedom::{Combination, Tolerance};
use super::pairs::{self, Couple};
use super::run::{Done, Proof};
use super::trial::{Failure, Trial};
use super::{json, markdown, text};
use crate::engine::exit;
use crate::reference::{Fault, FaultSet, Named as _, Variant, VariantSet};

/// A fault that breaks a must, and one that breaks a should.
const MUST: Fault = Fault::UnionLastDeclared;
const SHOULD: Fault = Fault::RefusalForbidden;

/// A trial in which these requirements failed and everything else passed.
fn failing(ids: &[&str]) -> Trial {
    let failure =
        Failure { scenarios: vec!["a::b".to_owned()], first: "expected x, but there was y".to_owned() };
    let exit = if ids.is_empty() { exit::CONFORMANT } else { exit::NON_CONFORMANT };
    Trial {
        exit,
        preflight_error: None,
        failed: ids.iter().map(|id| ((*id).to_owned(), failure.clone())).collect(),
        passed: Vec::new(),
        untestable: BTreeMap::new(),
        not_applicable: BTreeMap::new(),
        harness_faults: Vec::new(),
    }
}

/// What fails with a fault where its row is right.
fn as_named(fault: Fault) -> Vec<&'static str> {
    let along = fault.collateral().iter().flat_map(|along| along.requirements);
    fault.breaks().iter().chain(along).copied().collect()
}

#[test]
fn a_fault_that_fails_what_its_row_says_is_no_finding() {
    for fault in Fault::all() {
        let attribution = Attribution::of(fault, &failing(&as_named(fault)));
        assert_eq!(attribution, Attribution::expected(fault));
        assert_eq!(attribution.findings(), Vec::<String>::new());
    }
}

#[test]
fn a_fault_that_nothing_fails_has_survived() {
    let attribution = Attribution::of(MUST, &failing(&[]));
    assert!(attribution.survived());
    assert_eq!(attribution.findings()[0], "survived: nothing that it breaks failed");
    assert_eq!(attribution.findings()[1], "breaks union.of-all, which did not fail: passed");
}

#[test]
fn a_failure_that_the_table_does_not_explain_is_a_finding() {
    let mut ids = as_named(MUST);
    ids.push("auth.required");
    let attribution = Attribution::of(MUST, &failing(&ids));
    assert_eq!(
        attribution.findings(),
        ["does not explain why auth.required fails: expected x, but there was y (a::b)"]
    );
}

#[test]
fn an_explanation_of_what_does_not_happen_is_a_finding_unless_it_cannot() {
    let fault = Fault::all().find(|fault| !fault.collateral().is_empty()).unwrap();
    let mut trial = failing(fault.breaks());
    let explained = fault.collateral()[0].requirements[0];
    let line = format!("explains why {explained} fails, which it does not");
    assert!(Attribution::of(fault, &trial).findings().contains(&line));
    trial.not_applicable.insert(explained.to_owned(), "no".to_owned());
    assert!(!Attribution::of(fault, &trial).findings().contains(&line));
}

#[test]
fn what_the_suite_itself_broke_is_a_finding_everywhere() {
    let broken = |mut trial: Trial| {
        trial.harness_faults.push("a::b: the scenario panicked".to_owned());
        trial
    };
    let line = "the suite itself broke: a::b: the scenario panicked".to_owned();
    assert_eq!(
        Attribution::of(MUST, &broken(failing(&as_named(MUST)))).findings(),
        std::slice::from_ref(&line)
    );
    let alone = Combination::of(Variant::HttpClose);
    assert_eq!(Tolerance::of(&alone, None, &broken(failing(&[]))).findings, std::slice::from_ref(&line));
    assert_eq!(Couple::of([MUST, SHOULD], &broken(failing(MUST.breaks()))).findings, [line]);
}

#[test]
fn a_variant_may_fail_nothing_but_the_shoulds_that_it_lets_go() {
    let alone = Combination::of(Variant::HttpClose);
    let of = |trial: &Trial| Tolerance::of(&alone, None, trial).findings;
    assert_eq!(of(&failing(&[])), Vec::<String>::new());
    let false_failure = "expected x, but there was y (a::b)";
    assert_eq!(of(&failing(&["union.of-all"])), [format!("false failure of union.of-all: {false_failure}")]);
    let mut untestable = failing(&[]);
    untestable.untestable.insert("union.of-all".to_owned(), "prerequisite".to_owned());
    assert_eq!(of(&untestable), ["union.of-all could not be tested: prerequisite"]);
    let unreached = Trial { preflight_error: Some("unreachable".to_owned()), ..failing(&[]) };
    assert_eq!(of(&unreached), ["could not be tested: unreachable"]);
}

#[test]
fn a_should_that_is_let_go_has_to_go() {
    for variant in Variant::all().filter(|variant| !variant.lets_go().is_empty()) {
        let alone = Combination::of(variant);
        assert_eq!(Tolerance::of(&alone, None, &failing(variant.lets_go())), Tolerance::expected(variant));
        let kept = Tolerance::of(&alone, None, &failing(&[])).findings;
        assert!(kept[0].starts_with("says that it lets "), "{kept:?}");
    }
}

#[test]
fn a_lapse_takes_its_should_along_and_no_must() {
    let combination = Combination { variants: VariantSet::default(), lapses: FaultSet::from_iter([SHOULD]) };
    let of = |ids: &[&str]| Tolerance::of(&combination, Some(7), &failing(ids));
    assert_eq!(of(SHOULD.breaks()).findings, Vec::<String>::new());
    assert_eq!(of(SHOULD.breaks()).let_go, SHOULD.breaks());
    assert_eq!(of(&["union.of-all"]).findings.len(), 1);
    assert_eq!(of(&[]).name(), "combination 7");
}

#[test]
fn random_combinations_make_each_choice_once_and_differ() {
    let drawn: Vec<Combination> = (0..50).map(Combination::random).collect();
    for combination in &drawn {
        let mut choices: Vec<_> = combination.variants.iter().filter_map(Variant::choice).collect();
        let made = choices.len();
        choices.sort_unstable();
        choices.dedup();
        assert_eq!(choices.len(), made);
    }
    assert_eq!(Combination::random(3), drawn[3]);
    assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
    let taken = drawn.iter().fold(Combination::default(), |all, one| Combination {
        variants: all.variants.iter().chain(one.variants.iter()).collect(),
        ..all
    });
    assert_eq!(taken.variants.iter().count(), Variant::all().len(), "some variant is never drawn");
}

#[test]
fn two_faults_may_hide_one_another_but_not_both_and_never_the_verdict() {
    let pair = [MUST, SHOULD];
    let hidden = Couple::of(pair, &failing(MUST.breaks()));
    assert_eq!((hidden.masked, hidden.findings), (vec![SHOULD.id()], vec![]));
    let missed = Couple::of(pair, &failing(&["auth.required"]));
    assert_eq!(missed.findings, ["nothing that either breaks failed"]);
    let conformant = Couple::of(pair, &failing(&[]));
    assert_eq!(conformant.findings[0], "conforms with both");
}

#[test]
fn pairs_are_of_different_faults_and_follow_from_the_seed() {
    let drawn = pairs::draw(200, 5);
    assert!(drawn.iter().all(|[one, other]| one != other));
    assert_eq!(drawn, pairs::draw(200, 5));
    assert_ne!(drawn, pairs::draw(200, 6));
}

#[test]
fn the_pages_show_what_was_found() {
    let mut proof = Proof::expected();
    assert!(text::summary(&proof).contains("Nothing was found against the suite."));
    assert!(!markdown::page(&proof).contains("## Found against"));
    proof.faults[0] = Attribution::of(Fault::all().next().unwrap(), &failing(&["auth.required"]));
    let first = proof.faults[0].clone();
    assert!(text::line(&Done::Fault(first), false).starts_with("SURVIVED  hash-bare-string"));
    assert!(text::summary(&proof).contains("  hash-bare-string  "));
    assert!(
        markdown::page(&proof).contains("\n## Found against the suite\n\n- `hash-bare-string`: survived")
    );
    let written: serde_json::Value = serde_json::from_str(&json::write(&proof, 1)).unwrap();
    assert_eq!(written["findings"][0]["of"], "hash-bare-string");
    assert_eq!(written["proof"]["faults"].as_array().unwrap().len(), Fault::all().len());
}
