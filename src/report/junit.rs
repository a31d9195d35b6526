//! The report for pipelines: JUnit XML, one test suite per area, one test case per scenario.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::engine::result::{RunResult, ScenarioResult, Verdict};
use crate::outcome::Outcome;

use super::terminal::failure;
use super::text;

/// Writes the result as JUnit XML.
///
/// Failures are failures; untestable scenarios and the suite's own faults are errors; what does
/// not apply is skipped, and so is what could not be tested and gates nothing. Readers of JUnit know no
/// verdict: a run that does not conform is never without a failure or an error, and what does not gate
/// is neither.
pub fn write(result: &RunResult, out: impl Write) -> io::Result<()> {
    report(result).serialize(out).map_err(io::Error::other)
}

fn report(result: &RunResult) -> Report {
    let mut report = Report::new("capcheck");
    report.set_time(Duration::from_millis(result.duration_ms));
    if let Ok(started) = chrono::DateTime::parse_from_rfc3339(&result.started_at) {
        report.set_timestamp(started);
    }
    for (area, scenarios) in by_area(result) {
        let mut suite = suite(&area, result);
        suite.set_time(Duration::from_millis(scenarios.iter().map(|s| s.duration_ms).sum()));
        suite.add_test_cases(scenarios.iter().map(|scenario| case(&area, scenario, result)));
        report.add_test_suite(suite);
    }
    if result.verdict != Verdict::Conformant && report.failures + report.errors == 0 {
        report.add_test_suite(unproven(result));
    }
    report
}

/// The scenarios by area, in the order of the suite.
fn by_area(result: &RunResult) -> Vec<(String, Vec<&ScenarioResult>)> {
    let mut areas: Vec<(String, Vec<&ScenarioResult>)> = Vec::new();
    for scenario in &result.scenarios {
        let area = text::escape(scenario.id.split("::").next().unwrap_or_default());
        match areas.iter_mut().find(|(known, _)| *known == area) {
            Some((_, scenarios)) => scenarios.push(scenario),
            None => areas.push((area, vec![scenario])),
        }
    }
    areas
}

fn suite(name: &str, result: &RunResult) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_properties([
        Property::new("verdict", verdict(result.verdict)),
        Property::new("target", text::escape(&result.target.url)),
        Property::new("seed", result.seed.to_string()),
        Property::new("run_id", text::escape(&result.run_id)),
        Property::new("suite_version", text::escape(&result.suite.version)),
        Property::new("requirements_digest", text::escape(&result.suite.requirements_digest)),
        Property::new("vectors_digest", text::escape(&result.suite.vectors_digest)),
    ]);
    suite
}

/// The word that the JSON report uses.
const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conformant => "conformant",
        Verdict::NonConformant => "non_conformant",
        Verdict::Incomplete => "incomplete",
    }
}

fn case(area: &str, scenario: &ScenarioResult, result: &RunResult) -> TestCase {
    let status = match &result.preflight_error {
        Some(reason) => error("preflight", reason),
        None => status(scenario, result),
    };
    let mut case = TestCase::new(text::escape(&scenario.id), status);
    case.set_classname(area).set_time(Duration::from_millis(scenario.duration_ms));
    case.set_assertions(scenario.checks);
    case.add_property(Property::new("requests", scenario.requests.to_string()));
    if scenario.outcome != Outcome::Failed && !scenario.findings.is_empty() {
        // What does not gate fails no pipeline, and is not kept from its reader either.
        case.set_system_out(failure::every(scenario, |_| false));
    }
    case
}

fn status(scenario: &ScenarioResult, result: &RunResult) -> TestCaseStatus {
    let reason = scenario.reason.as_deref().unwrap_or("no reason was given");
    match scenario.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed => failed(scenario, reason, result),
        Outcome::NotApplicable => skipped(reason),
        Outcome::Untestable if !scenario.requirements.iter().any(|id| failure::gates(result, id)) => {
            skipped(&format!("untestable, and does not gate this run: {reason}"))
        }
        Outcome::Untestable | Outcome::HarnessFault => error(scenario.outcome.word(), reason),
    }
}

pub(super) fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(text::phrase(reason));
    status
}

/// The type tells which kind of error it is.
pub(super) fn error(kind: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(text::phrase(reason));
    status
}

/// A scenario fails where something that gates did; what else it found is told beside that.
fn failed(scenario: &ScenarioResult, reason: &str, result: &RunResult) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("failed");
    status.set_message(message(scenario, reason));
    status.set_description(failure::every(scenario, |id| failure::gates(result, id)));
    status
}

fn message(scenario: &ScenarioResult, reason: &str) -> String {
    let Some(first) = scenario.findings.first() else { return text::phrase(reason) };
    let more = match scenario.findings.len() - 1 {
        0 => String::new(),
        n => format!(" (and {})", text::plural(n, "more finding")),
    };
    let told = format!("{}: expected {}, found {}", first.requirement, first.expected, first.actual);
    text::phrase(&told) + &more
}

/// Nothing failed and nothing is proven: preflight stopped the run, or no requirement passed.
fn unproven(result: &RunResult) -> TestSuite {
    let (kind, reason) = match &result.preflight_error {
        Some(reason) => ("preflight", reason.as_str()),
        None => {
            (verdict(result.verdict), "no gating requirement failed, and too little was tested to say more")
        }
    };
    let mut suite = suite("verdict", result);
    let mut case = TestCase::new("verdict", error(kind, reason));
    case.set_classname("verdict");
    suite.add_test_case(case);
    suite
}
