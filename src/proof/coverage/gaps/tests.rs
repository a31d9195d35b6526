use super::*;
use crate::proof::coverage::{Coverage, Pin};
use crate::spec::requirement::{Basis, Sentence};

fn sentence(id: &str, excluded: Option<&str>) -> Sentence {
    Sentence { id: id.to_owned(), text: "So be it.".to_owned(), excluded: excluded.map(str::to_owned) }
}

fn rule(id: &str, level: Level, sentence: &str) -> Requirement {
    Requirement {
        id: id.to_owned(),
        level,
        basis: Basis::Draft,
        sentences: vec![sentence.to_owned()],
        source: None,
        text: "So it is.".to_owned(),
    }
}

/// Two sentences and three requirements of which nothing is missing, changed as `change` says.
fn gaps(change: impl FnOnce(&mut Tables<'_>)) -> Vec<Gap> {
    let sentences = [sentence("C1", None), sentence("C2", Some("an example"))];
    let rules = [
        rule("a.must", Level::Must, "C1"),
        rule("a.should", Level::Should, "C1"),
        rule("a.may", Level::May, "C1"),
    ];
    let mut tables = Tables {
        sentences: &sentences,
        requirements: &rules,
        scenarios: vec![
            Link { id: "a::one", requirements: &["a.must", "a.should"] },
            Link { id: "a::two", requirements: &["a.may"] },
        ],
        faults: vec![
            Link { id: "blunt", requirements: &["a.must"] },
            Link { id: "subtle", requirements: &["a.must", "a.should"] },
        ],
        vectors: vec![Pin {
            requirement: "a.must".to_owned(),
            file: "a.json".to_owned(),
            cases: vec!["a.one".to_owned()],
        }],
        arithmetic: &["a.must"],
    };
    change(&mut tables);
    Coverage::of(&tables).gaps
}

fn gap(kind: GapKind, of: &str, found: &str) -> Gap {
    Gap { kind, of: of.to_owned(), found: found.to_owned() }
}

#[test]
fn where_nothing_is_missing_there_is_no_gap() {
    assert_eq!(gaps(|_| ()), []);
}

#[test]
fn a_sentence_needs_a_requirement_or_a_reason() {
    let sentences = [sentence("C1", None), sentence("C2", None), sentence("C3", Some(" "))];
    let found = gaps(|tables| tables.sentences = leak(sentences));
    let kind = GapKind::SentenceWithoutRequirement;
    assert_eq!(found, [gap(kind, "C2", "\"So be it.\""), gap(kind, "C3", "\"So be it.\"")]);
}

/// Data that lives as long as the tables that are made up here.
fn leak<T, const N: usize>(items: [T; N]) -> &'static [T] {
    Box::leak(Box::new(items))
}

#[test]
fn a_requirement_needs_a_scenario() {
    let found = gaps(|tables| tables.scenarios.truncate(1));
    assert_eq!(found, [gap(GapKind::RequirementWithoutScenario, "a.may", "no scenario")]);
}

#[test]
fn a_must_needs_two_faults_and_a_should_needs_one() {
    let kind = GapKind::MustWithoutTwoFaults;
    let without_subtle =
        [gap(kind, "a.must", "only blunt"), gap(GapKind::ShouldWithoutFault, "a.should", "no fault")];
    assert_eq!(gaps(|tables| tables.faults.truncate(1)), without_subtle);
    assert_eq!(gaps(|tables| _ = tables.faults.remove(0)), [gap(kind, "a.must", "only subtle")]);
    assert_eq!(gaps(|tables| tables.faults.clear())[0], gap(kind, "a.must", "no fault"));
}

#[test]
fn arithmetic_needs_vectors() {
    let missing = [gap(GapKind::ArithmeticWithoutVectors, "a.must", "no vector")];
    assert_eq!(gaps(|tables| tables.vectors.clear()), missing);
    assert_eq!(gaps(|tables| tables.vectors[0].cases.clear()), missing);
}

#[test]
fn a_scenario_and_a_fault_are_about_something() {
    let nothing = || Link { id: "idle", requirements: &[] };
    let unknown = || Link { id: "lost", requirements: &["a.gone"] };
    let scenario = GapKind::ScenarioCoveringNothing;
    let fault = GapKind::FaultBreakingNothing;
    let both = |kind| [gap(kind, "idle", "names no requirement"), gap(kind, "lost", "names only a.gone")];
    assert_eq!(gaps(|tables| tables.scenarios.extend([nothing(), unknown()])), both(scenario));
    assert_eq!(gaps(|tables| tables.faults.extend([nothing(), unknown()])), both(fault));
    let unchecked = gaps(|tables| {
        tables.scenarios.pop();
        tables.faults.push(Link { id: "quiet", requirements: &["a.may"] });
    });
    assert_eq!(unchecked[1..], [gap(fault, "quiet", "names only a.may")]);
}
