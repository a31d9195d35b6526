//! The reports on programs as readers meet them, and the published schema.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus};
use serde_json::json;

use super::fixture;
use super::*;
use crate::report::style::Style;
use crate::report::tests::snapshot;
use crate::vectors::program::Conformance;

fn as_json(result: &ProgramResult) -> Value {
    let mut bytes = Vec::new();
    result.json(&mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn as_junit(result: &ProgramResult) -> String {
    let mut bytes = Vec::new();
    result.junit(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn pages() {
    for (name, result) in fixture::all() {
        snapshot(&format!("program_{name}"), &page(&result, Style::PLAIN));
    }
    snapshot("program_verbose", &page(&fixture::non_conformant(), Style::PLAIN.verbose(true)));
}

#[test]
fn nothing_that_a_program_says_steers_the_terminal() {
    for verbose in [false, true] {
        let page = page(&fixture::non_conformant(), Style::PLAIN.verbose(verbose));
        let steers = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c);
        assert!(!page.contains(steers), "{page:?}");
        // Only the page says that something failed.
        assert!(!page.lines().any(|line| line.starts_with("FAILED  fake.row")), "{page}");
    }
}

#[test]
fn junit_files() {
    for name in ["conformant", "non_conformant"] {
        let result = fixture::all().into_iter().find(|(known, _)| *known == name).unwrap().1;
        snapshot(&format!("program_junit_{name}"), &as_junit(&result));
    }
}

/// The word that readers of JUnit have for a case.
fn word(case: &TestCase) -> &'static str {
    match &case.status {
        TestCaseStatus::Success { .. } => "success",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        TestCaseStatus::Skipped { .. } => "skipped",
    }
}

#[test]
fn junit_fails_where_the_exit_code_does() {
    for (name, result) in fixture::all() {
        let report = quick_junit::Report::deserialize_from_str(&as_junit(&result)).unwrap();
        let good = matches!(result.verdict, Conformance::Conformant | Conformance::AsExpected);
        assert_eq!(report.failures + report.errors == 0, good, "{name}");
    }
    let report = quick_junit::Report::deserialize_from_str(&as_junit(&fixture::non_conformant())).unwrap();
    let words: Vec<(&str, &str)> = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| (case.name.as_str(), word(case)))
        .collect();
    assert_eq!(
        words,
        [
            ("canonical.null", "success"),
            ("canonical.order-non-bmp", "failure"),
            ("canonical.order-deep", "failure"),
            ("canonical.true", "failure"),
            ("canonical.false", "skipped"),
            ("canonical.one", "error"),
            ("canonical.two", "error"),
            ("canonical.three", "error"),
            ("canonical.four", "error"),
            ("canonical.five", "skipped"),
            ("union.one", "skipped"),
            ("stale-deviation", "error"),
        ]
    );
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/vectors-report.schema.json");
    let schema = format!("{:#}\n", schema());
    if std::env::var_os("CAPCHECK_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == schema,
        "run this test with CAPCHECK_BLESS=1 to write docs/vectors-report.schema.json anew"
    );
}

#[test]
fn reports_hold_to_the_schema() {
    jsonschema::meta::validate(&schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for (name, result) in fixture::all() {
        let report = as_json(&result);
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_somebody_edited() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let report = as_json(&fixture::non_conformant());
    let edits = [
        ("/schema_version", json!(2)),
        ("/verdict", json!("green")),
        ("/counts/passed", json!(-1)),
        ("/cases/0/outcome", json!("skipped")),
        ("/cases/1/manner", json!("passed")),
        ("/cases/1/difference/at", json!("7")),
        ("/deviations/0/reason", json!(null)),
        ("/suite", json!({ "version": "0.1.0" })),
        ("/cases/0", json!({ "id": "canonical.null" })),
    ];
    for (pointer, value) in edits {
        let mut edited = report.clone();
        *edited.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&edited), "{pointer}");
    }
    for object in ["", "/suite", "/counts", "/cases/1/difference", "/mistakes/0", "/selection"] {
        let mut edited = report.clone();
        edited.pointer_mut(object).unwrap()["more"] = json!(1);
        assert!(!validator.is_valid(&edited), "{object}");
    }
}
