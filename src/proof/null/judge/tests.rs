use std::collections::BTreeMap;

use super::*;
use crate::engine::exit;
use crate::proof::null::Holding;
use crate::reference::Named as _;
use crate::spec::requirement;

/// What must fail, while `server.hash` holds.
const PRETENDS: NullTarget = NullTarget {
    must: Must::Fail,
    holds: &[Holding { requirements: &["server.hash"], because: "it is given one" }],
    ..template("pretends")
};

/// What preflight must stop.
const SILENT: NullTarget = NullTarget { must: Must::Stop("is unreachable"), ..template("silent") };

const fn template(id: &'static str) -> NullTarget {
    let means = crate::proof::null::Means::Connection(crate::proof::null::socket::Manner::Silence);
    NullTarget { id, summary: "is made up", must: Must::BeUntestable, holds: &[], means }
}

fn trial(exit: u8, passed: &[&str]) -> Trial {
    Trial {
        exit,
        preflight_error: None,
        failed: BTreeMap::new(),
        passed: passed.iter().map(|id| (*id).to_owned()).collect(),
        untestable: BTreeMap::new(),
        not_applicable: BTreeMap::new(),
        harness_faults: Vec::new(),
    }
}

fn stopped(line: &str) -> Trial {
    Trial { preflight_error: Some(line.to_owned()), ..trial(exit::PREFLIGHT, &[]) }
}

#[test]
fn what_came_as_it_must_is_no_finding() {
    assert_eq!(findings(&PRETENDS, &trial(exit::NON_CONFORMANT, &["server.hash"])), []);
    assert_eq!(findings(&SILENT, &stopped("http://x/ is unreachable: no answer")), []);
    assert_eq!(findings(&template("broken"), &trial(exit::INCOMPLETE, &[])), []);
}

#[test]
fn another_exit_code_is_a_finding() {
    let conformant = trial(exit::CONFORMANT, &["server.hash"]);
    assert_eq!(findings(&PRETENDS, &conformant), [NullFinding::Exit { expected: 1, actual: 0 }]);
    let failed = trial(exit::NON_CONFORMANT, &[]);
    assert_eq!(findings(&template("broken"), &failed), [NullFinding::Exit { expected: 3, actual: 1 }]);
}

#[test]
fn a_pass_that_nobody_has_justified_is_a_finding() {
    let passed = trial(exit::NON_CONFORMANT, &["server.hash", "union.of-all"]);
    assert_eq!(findings(&PRETENDS, &passed), [NullFinding::Vacuous("union.of-all".to_owned())]);
}

#[test]
fn a_justified_pass_that_does_not_come_is_a_finding() {
    let nothing = trial(exit::NON_CONFORMANT, &[]);
    assert_eq!(findings(&PRETENDS, &nothing), [NullFinding::Stale("server.hash")]);
}

#[test]
fn a_fault_of_the_harness_is_a_finding() {
    let fault = "union::x: panicked".to_owned();
    let broken =
        Trial { harness_faults: vec![fault.clone()], ..trial(exit::NON_CONFORMANT, &["server.hash"]) };
    assert_eq!(findings(&PRETENDS, &broken), [NullFinding::Harness(fault)]);
}

#[test]
fn a_line_of_preflight_that_does_not_tell_is_a_finding() {
    let silent = trial(exit::PREFLIGHT, &[]);
    let long = format!("is unreachable: {}", "x".repeat(LINE));
    for (trial, why) in [
        (silent, "it says nothing"),
        (stopped("something went wrong"), "\"is unreachable\" is not in it"),
        (stopped("is unreachable\nand so on"), "it is not one line"),
        (stopped(&long), "over 600 bytes"),
    ] {
        let line = trial.preflight_error.clone().unwrap_or_default();
        assert_eq!(findings(&SILENT, &trial), [NullFinding::Unclear { why: why.to_owned(), line }]);
    }
}

#[test]
fn a_pretender_that_preflight_stops_is_a_finding() {
    let line = "is not a homeserver";
    let stopped = Trial { exit: exit::INCOMPLETE, ..stopped(line) };
    assert_eq!(findings(&template("broken"), &stopped), [NullFinding::Stopped(line.to_owned())]);
}

#[test]
fn every_row_has_an_id_of_its_own_and_names_what_there_is() {
    for (at, null) in <&NullTarget>::all().enumerate() {
        assert_eq!(null.place(), at, "{} is there twice", null.id);
        assert_eq!(<&NullTarget>::find(null.id).map(|found| found.id), Ok(null.id));
        assert_ne!(null.must.exit(), exit::CONFORMANT, "{}", null.id);
        let mut named: Vec<&str> = null.holding().collect();
        assert!(named.iter().all(|id| requirement::find(id).is_some()), "{}: {named:?}", null.id);
        named.sort_unstable();
        assert!(named.windows(2).all(|pair| pair[0] != pair[1]), "{}: {named:?}", null.id);
        assert!(null.holds.iter().all(|holding| !holding.because.is_empty()), "{}", null.id);
    }
}
