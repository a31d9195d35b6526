//! The report for pipelines: JUnit XML, one test suite per subject, one test case per case.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::junit::{error, skipped};
use crate::report::text;
use crate::vectors::program::{CaseResult, Conformance, Outcome, ProgramResult};

/// Writes the result as JUnit XML.
///
/// Wrong answers are failures, no answers are errors; what the program does not do is skipped, and so is a failure
/// that was to be expected or does not gate. Readers of JUnit know no verdict: whatever else keeps the program from
/// conforming is an error in a suite of its own.
pub(super) fn write(result: &ProgramResult, out: impl Write) -> io::Result<()> {
    report(result).serialize(out).map_err(io::Error::other)
}

fn report(result: &ProgramResult) -> Report {
    let mut report = Report::new("capcheck vectors");
    report.set_time(Duration::from_millis(result.duration_ms));
    if let Ok(started) = chrono::DateTime::parse_from_rfc3339(&result.started_at) {
        report.set_timestamp(started);
    }
    for subject in &result.subjects {
        let mut suite = suite(&subject.subject, result);
        let cases = result.cases.iter().filter(|case| case.subject == subject.subject);
        suite.add_test_cases(cases.map(|case| test_case(&case.subject, &case.id, status(case))));
        report.add_test_suite(suite);
    }
    let unproven = unproven(result);
    if !unproven.is_empty() {
        let mut suite = suite("verdict", result);
        suite.add_test_cases(unproven.iter().map(|(name, why)| test_case("verdict", name, error(name, why))));
        report.add_test_suite(suite);
    }
    report
}

fn suite(name: &str, result: &ProgramResult) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_properties([
        Property::new("verdict", result.verdict.word()),
        Property::new("program", text::escape(&result.program.join(" "))),
        Property::new("suite_version", result.suite.version.as_str()),
        Property::new("manifest_sha256", result.suite.manifest_sha256.as_str()),
    ]);
    suite
}

fn test_case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(text::escape(name), status);
    case.set_classname(text::escape(class));
    case
}

fn status(case: &CaseResult) -> TestCaseStatus {
    let told = format!("expected {}; {}", case.expected, actual(case));
    if let Some(reason) = &case.deviation {
        return skipped(&format!("an expected deviation: {reason}; {told}"));
    }
    match case.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Unsupported => skipped("the program does not do this subject"),
        _ if !case.gates => skipped(&format!("does not gate: {told}")),
        Outcome::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let kind = case.mistakes.first().map_or("failed", String::as_str);
            status.set_type(kind).set_message(text::phrase(&told));
            status
        }
        outcome => {
            let mut status = error(outcome.word(), &told);
            if let Some(stderr) = &case.stderr {
                status.set_description(stderr.lines().map(text::escape).collect::<Vec<_>>().join("\n"));
            }
            status
        }
    }
}

fn actual(case: &CaseResult) -> String {
    match (case.outcome, case.mistakes.as_slice()) {
        (Outcome::Failed, []) => format!("answered {}", case.actual),
        (Outcome::Failed, mistakes) => format!("answered {}, as {} does", case.actual, mistakes.join(" or ")),
        _ => case.actual.clone(),
    }
}

/// What keeps a program from conforming beside its cases: a name and a reason each.
fn unproven(result: &ProgramResult) -> Vec<(&'static str, String)> {
    let stale = result.deviations.iter().flat_map(|deviation| {
        deviation.stale.iter().map(|glob| ("stale-deviation", format!("{glob}: {}", deviation.deviates)))
    });
    let mut unproven: Vec<(&'static str, String)> = stale.collect();
    if result.verdict == Conformance::Incomplete || result.interrupted || result.gave_up {
        unproven.push(("incomplete", super::page::why_incomplete(result).join("; ")));
    }
    unproven
}
