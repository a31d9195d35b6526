//! Tests of programs made by hand: every outcome, every optional present and absent.

use crate::report::fixture::HOSTILE;
use crate::vectors::FlagLevel;
use crate::vectors::program::{
    CaseResult, Conformance, Counts, Departure, DeviationResult, Manner, MistakeResult, Outcome,
    ProgramResult, REPORT_VERSION, Selection, SubjectResult, Suite,
};

/// A case that passed.
fn passed(subject: &str, id: &str) -> CaseResult {
    CaseResult {
        id: id.to_owned(),
        subject: subject.to_owned(),
        level: FlagLevel::Must,
        gates: true,
        outcome: Outcome::Passed,
        manner: None,
        expected: "sha256 dDeU3SKWyehdfuJBxnhM8mCLDRV5evSBqzgxjqKgtUg".to_owned(),
        actual: "the same".to_owned(),
        mistakes: Vec::new(),
        difference: None,
        stderr: None,
        deviation: None,
    }
}

/// A case of canonical JSON that was failed in a manner.
fn failed(id: &str, manner: Manner, actual: &str) -> CaseResult {
    let outcome = match manner {
        Manner::Crashed => Outcome::Crashed,
        Manner::Hung => Outcome::Hung,
        Manner::Garbled => Outcome::Garbled,
        Manner::Refused | Manner::Taken | Manner::Other => Outcome::Failed,
    };
    CaseResult { outcome, manner: Some(manner), actual: actual.to_owned(), ..passed("canonical-json", id) }
}

fn difference(at: Option<usize>) -> Option<Departure> {
    let (expected, actual) = ("{\"\u{fb33}\":2".to_owned(), format!("{{\"{HOSTILE}"));
    Some(Departure { field: "canonical".to_owned(), at, expected, actual })
}

/// The result that these cases come to.
fn of(verdict: Conformance, cases: Vec<CaseResult>) -> ProgramResult {
    let mut names: Vec<&str> = cases.iter().map(|case| case.subject.as_str()).collect();
    names.dedup();
    let subject = |name: &&str| {
        let own = || cases.iter().filter(|case| case.subject == **name);
        SubjectResult { subject: (*name).to_owned(), counts: Counts::of(own().count(), own()) }
    };
    ProgramResult {
        schema_version: REPORT_VERSION,
        suite: Suite { manifest_sha256: "0123456789abcdef".repeat(4), ..Suite::current() },
        program: ["python3", "my hash.py", HOSTILE].map(str::to_owned).to_vec(),
        per_case: false,
        timeout_s: 10.0,
        selection: Selection { only: vec!["canonical-*".to_owned()], ..Selection::default() },
        started_at: "2026-01-02T03:04:05.006Z".to_owned(),
        duration_ms: 1234,
        interrupted: false,
        gave_up: false,
        verdict,
        counts: Counts::of(cases.len(), cases.iter()),
        subjects: names.iter().map(subject).collect(),
        mistakes: Vec::new(),
        deviations: Vec::new(),
        cases,
    }
}

/// A program that does everything right.
pub(super) fn conformant() -> ProgramResult {
    of(
        Conformance::Conformant,
        vec![passed("canonical-json", "canonical.null"), passed("union", "union.one")],
    )
}

/// One that everything befell which can.
pub(super) fn non_conformant() -> ProgramResult {
    let order = |id: &str, mistakes: &[&str]| CaseResult {
        mistakes: mistakes.iter().map(|name| (*name).to_owned()).collect(),
        difference: difference(Some(7)),
        ..failed(id, Manner::Other, "sha256 ZNs7a8CzDxBj4qaNzwQ+vbXqxG1bqVffN22AApeLfzM")
    };
    let cases = vec![
        passed("canonical-json", "canonical.null"),
        order("canonical.order-non-bmp", &["utf16-order", "pairs-unpaired"]),
        order("canonical.order-deep", &["utf16-order"]),
        CaseResult { difference: difference(None), ..failed("canonical.true", Manner::Other, HOSTILE) },
        CaseResult {
            gates: false,
            level: FlagLevel::Should,
            ..failed("canonical.false", Manner::Refused, "invalid")
        },
        CaseResult {
            stderr: Some(format!("Traceback:\n{HOSTILE}")),
            ..failed("canonical.one", Manner::Crashed, "it ended without an answer, with exit status 3")
        },
        failed("canonical.two", Manner::Hung, "it said nothing within 10 s"),
        failed("canonical.three", Manner::Hung, "it said nothing within 10 s"),
        failed("canonical.four", Manner::Garbled, "it answered \"starting up\", which is not JSON"),
        CaseResult {
            deviation: Some("it is old".to_owned()),
            ..failed("canonical.five", Manner::Taken, "valid")
        },
        CaseResult { outcome: Outcome::Unsupported, ..passed("union", "union.one") },
    ];
    let mistake = MistakeResult {
        mistake: "utf16-order".to_owned(),
        phrase: "keys are sorted by UTF-16 unit".to_owned(),
        effect: "Two implementations hash one set differently.".to_owned(),
        reference: "Matrix appendices, Canonical JSON".to_owned(),
        cases: vec!["canonical.order-non-bmp".to_owned(), "canonical.order-deep".to_owned()],
    };
    let deviation = |glob: &str, occurred: &[&str], stale: &[&str]| DeviationResult {
        cases: vec![glob.to_owned()],
        deviates: "taken".to_owned(),
        reason: "it is old".to_owned(),
        occurred: occurred.iter().map(|id| (*id).to_owned()).collect(),
        stale: stale.iter().map(|glob| (*glob).to_owned()).collect(),
    };
    ProgramResult {
        mistakes: vec![mistake],
        deviations: vec![
            deviation("canonical.f*", &["canonical.five"], &[]),
            deviation("canonical.bad-*", &[], &["canonical.bad-*"]),
        ],
        ..of(Conformance::NonConformant, cases)
    }
}

/// One that is wrong as its people say.
pub(super) fn as_expected() -> ProgramResult {
    let known = CaseResult {
        deviation: Some("it is old".to_owned()),
        ..failed("canonical.five", Manner::Taken, "valid")
    };
    of(Conformance::AsExpected, vec![passed("canonical-json", "canonical.null"), known])
}

/// One that was interrupted, and calls some cases of a subject unsupported.
pub(super) fn incomplete() -> ProgramResult {
    let unsupported = CaseResult { outcome: Outcome::Unsupported, ..passed("union", "union.two") };
    let mut result = of(Conformance::Incomplete, vec![passed("union", "union.one"), unsupported]);
    result.counts.selected += 5;
    ProgramResult { interrupted: true, gave_up: true, ..result }
}

/// All of them by name.
pub(super) fn all() -> [(&'static str, ProgramResult); 4] {
    [
        ("conformant", conformant()),
        ("non_conformant", non_conformant()),
        ("as_expected", as_expected()),
        ("incomplete", incomplete()),
    ]
}
