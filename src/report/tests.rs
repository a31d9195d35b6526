//! The reports as readers meet them: snapshots, the published schema, and targets that fight back.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::{Value, json};

use super::*;
use crate::engine::event::{Event, Reporter};
use crate::engine::result::{RunResult, ScenarioResult, Verdict};
use crate::outcome::Outcome;

/// A stream that can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader who has left.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Plays a run to a reporter as the engine does.
fn play(result: &RunResult, reporter: &mut dyn Reporter) -> io::Result<()> {
    reporter.on(&Event::Started {
        url: &result.target.url,
        second: None,
        scenarios: result.scenarios.len(),
        seed: result.seed,
        run_id: &result.run_id,
        notes: &result.notes,
    })?;
    for scenario in result.scenarios.iter().filter(|_| result.preflight_error.is_none()) {
        reporter.on(&Event::ScenarioStarted { id: &scenario.id })?;
        reporter.on(&Event::ScenarioFinished(scenario))?;
    }
    reporter.on(&Event::Finished(result))
}

fn told(result: &RunResult, style: Style) -> String {
    let out = Shared::default();
    play(result, &mut Terminal::new(Box::new(out.clone()), style)).unwrap();
    let bytes = out.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn as_json(result: &RunResult) -> Value {
    let mut bytes = Vec::new();
    json::write(result, &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn as_junit(result: &RunResult) -> String {
    let mut bytes = Vec::new();
    junit::write(result, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(super) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn terminal_pages() {
    for (name, result) in fixture::all() {
        snapshot(&format!("terminal_{name}"), &told(&result, Style::PLAIN));
    }
}

#[test]
fn terminal_page_told_in_full() {
    snapshot("terminal_verbose", &told(&fixture::non_conformant(), Style::PLAIN.verbose(true)));
}

#[test]
fn junit_files() {
    for (name, result) in [
        ("junit_conformant", fixture::conformant()),
        ("junit_non_conformant", fixture::non_conformant()),
        ("junit_preflight_error", fixture::preflight_error()),
    ] {
        snapshot(name, &as_junit(&result));
    }
}

#[test]
fn json_file() {
    let mut bytes = Vec::new();
    json::write(&fixture::non_conformant(), &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    snapshot("json_non_conformant", &text);
}

#[test]
fn colour_adds_nothing_but_colour() {
    for (name, result) in fixture::all() {
        let colour = told(&result, Style { colour: true, ..Style::PLAIN });
        assert!(colour.contains('\u{1b}'), "{name} has no colour");
        assert_eq!(anstream::adapter::strip_str(&colour).to_string(), told(&result, Style::PLAIN), "{name}");
    }
}

#[test]
fn a_hostile_target_cannot_reach_the_terminal_or_break_the_xml() {
    let result = fixture::hostile();
    for page in [told(&result, Style::PLAIN.verbose(true)), as_junit(&result)] {
        let escaped: String = page.split('\n').map(text::escape).collect();
        assert_eq!(escaped, page.replace('\n', ""), "a control character came through");
        assert!(!page.lines().any(|line| line.trim_start().starts_with("FAILED  fake.row")), "a forged row");
    }
}

#[test]
fn json_is_safe_to_print_and_still_says_the_same() {
    let result = fixture::hostile();
    let mut bytes = Vec::new();
    json::write(&result, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().map(text::escape).collect::<String>(), text.replace('\n', ""));
    assert!(text.contains(r"\u202e") && text.contains(r"\udb40\udc41"), "nothing was escaped");
    let said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(said, serde_json::to_value(&result).unwrap());
}

#[test]
fn nothing_is_wider_than_the_page_but_what_must_be_copied() {
    for width in [60, 80, 140] {
        let page = told(&fixture::non_conformant(), Style::PLAIN.columns(width));
        let copied =
            |row: &&str| ["curl -X", "capcheck run", "FAILED "].iter().any(|whole| row.contains(whole));
        for row in page.lines().filter(|row| !copied(row)) {
            assert!(row.chars().count() <= width, "wider than {width}: {row}");
        }
    }
}

#[test]
fn one_broken_thing_is_told_once() {
    let page = told(&fixture::non_conformant(), Style::PLAIN);
    assert_eq!(page.matches("FAILED  upload.refuse-unknown").count(), 1);
    assert!(page.contains("also in    upload::later_sets_are_refused\n"), "{page}");
    assert!(page.contains("             the refusal, found 200 {} for the second set\n"), "{page}");
}

#[test]
fn verbose_tells_what_every_failed_check_expected_and_found() {
    let result = fixture::non_conformant();
    let findings: Vec<_> = result.scenarios.iter().flat_map(|s| &s.findings).collect();
    for report in [told(&result, Style::PLAIN.verbose(true)), as_junit(&result)] {
        for label in ["expected", "actual"] {
            let rows = report.lines().filter(|row| row.starts_with(&format!("  {label:11}"))).count();
            assert_eq!(rows, findings.len(), "{label}: {report}");
        }
    }
}

#[test]
fn an_obstacle_is_news_once() {
    let result = fixture::non_conformant();
    let rows = |style| told(&result, style).lines().filter(|row| row.starts_with("untestable  ")).count();
    assert_eq!((rows(Style::PLAIN), rows(Style::PLAIN.verbose(true))), (1, 2));
}

/// A server limits registrations: the same befalls 78 users, each of whom is to wait a little longer.
#[test]
fn one_cause_is_told_once_whoever_it_befell() {
    let mut result = fixture::incomplete();
    let untestable = result.scenarios[2].clone();
    for n in 1..78 {
        let mut scenario = untestable.clone();
        scenario.id = format!("upload::number_{n}");
        result.scenarios.push(scenario);
    }
    for (n, scenario) in result.scenarios.iter_mut().filter(|s| s.outcome == Outcome::Untestable).enumerate()
    {
        let reason = format!("cannot register cap-{}-{n}: 429, which asks for {n} s more", result.run_id);
        scenario.reason = Some(reason);
    }
    let page = told(&result, Style::PLAIN);
    assert_eq!(page.lines().filter(|row| row.starts_with("untestable  ")).count(), 1, "{page}");
    assert_eq!(page.matches("  reason     ").count(), 1, "{page}");
    assert!(page.contains("the first of several that differ"), "{page}");
    assert!(page.contains("upload::number_4") && !page.contains("upload::number_5"), "{page}");
    assert!(page.contains("and 73 more"), "{page}");
    let verbose = told(&result, Style::PLAIN.verbose(true));
    assert!(
        verbose.contains("             upload::number_77\n") && !verbose.contains("and 73 more"),
        "{verbose}"
    );

    result.scenarios[3].reason = Some("the room cannot be made".to_owned());
    result.scenarios[3].outcome = Outcome::Untestable;
    assert_eq!(
        told(&result, Style::PLAIN).matches("  reason     ").count(),
        2,
        "another cause is told apart"
    );
}

/// What failed without gating is not why the run is incomplete.
#[test]
fn an_incomplete_run_is_looked_into_with_doctor() {
    let mut result = fixture::incomplete();
    let failed = fixture::non_conformant().scenarios;
    result.scenarios.extend(failed.into_iter().find(|s| s.id == "upload::refusal_changes_nothing"));
    let steps = |result: &RunResult| {
        let page = told(result, Style::PLAIN);
        let (_, next) = page.split_once("  next       ").unwrap();
        next.lines().map(|row| row.trim().to_owned()).collect::<Vec<_>>()
    };
    let rerun = "capcheck run http://127.0.0.1:8008 --only upload::first_signup_is_refused --seed 17";
    assert_eq!(steps(&result), ["capcheck doctor http://127.0.0.1:8008", rerun]);
    result.verdict = Verdict::Conformant;
    assert_eq!(steps(&result)[0], "capcheck explain upload.refusal-keeps-previous");
}

#[test]
fn the_finding_told_in_full_is_one_that_can_be_sent_again() {
    let mut result = fixture::non_conformant();
    result.scenarios.reverse();
    let page = told(&result, Style::PLAIN);
    assert!(page.contains("scenario   upload::first_signup_is_refused"), "{page}");
    assert!(page.contains("also in    upload::later_sets_are_refused"), "{page}");
}

#[test]
fn a_target_that_breaks_everything_still_fits_a_few_screens() {
    let mut result = fixture::non_conformant();
    let scenario = result.scenarios[1].clone();
    result.scenarios.clear();
    for n in 0..60 {
        let mut scenario = scenario.clone();
        scenario.findings[0].requirement = format!("made-up.rule-{n}");
        result.scenarios.push(scenario);
    }
    let page = told(&result, Style::PLAIN);
    assert!(page.lines().count() < 400, "{} rows", page.lines().count());
    for n in 0..60 {
        assert!(page.contains(&format!("made-up.rule-{n}")), "rule {n} is not named");
    }
    let short = |row: &&str| row.starts_with("  in         upload::first_signup_is_refused  the refusal: ");
    let ends: Vec<_> =
        page.lines().filter(short).filter(|row| row.ends_with("that a client can tell apart")).collect();
    assert_eq!(ends.len(), 50, "{page}");
    assert!(told(&result, Style::PLAIN.verbose(true)).lines().count() > page.lines().count());
}

#[test]
fn what_passes_is_quiet_unless_verbose() {
    let result = fixture::conformant();
    let quiet = told(&result, Style::PLAIN);
    assert!(!quiet.contains("upload::first_signup_is_refused"));
    let verbose = told(&result, Style::PLAIN.verbose(true));
    assert!(verbose.contains("pass  upload::first_signup_is_refused  12 ms"), "{verbose}");
    assert!(verbose.contains("pass  union::undeclared_adds_nothing  1.24 s"), "{verbose}");
}

#[test]
fn the_command_that_repeats_the_run_can_be_given() {
    let out = Shared::default();
    let mut terminal =
        Terminal::new(Box::new(out.clone()), Style::PLAIN).again("capcheck run --target capcheck.toml");
    let mut result = fixture::non_conformant();
    result.selection.strict = true;
    play(&result, &mut terminal).unwrap();
    let page = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    let command =
        "capcheck run --target capcheck.toml --only auth::every_operation_wants_a_token --strict --seed 17";
    assert!(page.contains(command), "{page}");
}

#[test]
fn a_reader_who_has_left_is_told_as_such() {
    let error = play(&fixture::conformant(), &mut Terminal::new(Box::new(Closed), Style::PLAIN)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn junit_counts_are_those_of_the_result() {
    for (name, result) in fixture::all() {
        let report = quick_junit::Report::deserialize_from_str(&as_junit(&result)).unwrap();
        let scenarios = &result.counts.scenarios;
        let counts = [report.tests, report.failures, report.errors];
        let gates =
            |s: &&ScenarioResult| s.requirements.iter().any(|id| terminal::failure::gates(&result, id));
        let untestable = result.scenarios.iter().filter(|s| s.outcome == Outcome::Untestable);
        let (all, red) = (untestable.clone().count(), untestable.filter(gates).count());
        // Preflight stopped the run: nothing is known of anything.
        let red = if result.preflight_error.is_some() { all } else { red };
        let errors = red + scenarios.harness_fault;
        assert_eq!(counts, [scenarios.total, scenarios.failed, errors], "{name}");
        let cases: Vec<_> = report.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
        let skipped = cases.iter().filter(|c| matches!(c.status, TestCaseStatus::Skipped { .. })).count();
        assert_eq!((cases.len(), skipped), (scenarios.total, scenarios.not_applicable + all - red), "{name}");
    }
}

#[test]
fn junit_is_never_red_for_what_does_not_gate() {
    let mut result = fixture::conformant();
    let should = fixture::non_conformant().scenarios;
    let mut failed = should.into_iter().find(|s| s.id == "upload::refusal_changes_nothing").unwrap();
    result.scenarios.push(failed.clone());
    failed.outcome = Outcome::Untestable;
    result.scenarios.push(failed);
    let file = as_junit(&result);
    let report = quick_junit::Report::deserialize_from_str(&file).unwrap();
    assert_eq!((report.failures, report.errors), (0, 0), "{file}");
    assert_eq!(
        file.matches("FAILED  upload.refusal-keeps-previous").count(),
        2,
        "and yet it is told: {file}"
    );
    assert!(file.contains("untestable, and does not gate this run: "), "{file}");
}

#[test]
fn junit_is_red_whenever_the_verdict_is() {
    let mut nothing_passed = fixture::conformant();
    nothing_passed.verdict = Verdict::Incomplete;
    for scenario in &mut nothing_passed.scenarios {
        scenario.outcome = Outcome::NotApplicable;
    }
    let mut no_scenarios = fixture::preflight_error();
    no_scenarios.scenarios.clear();
    for (result, kind) in [(nothing_passed, "incomplete"), (no_scenarios, "preflight")] {
        let report = quick_junit::Report::deserialize_from_str(&as_junit(&result)).unwrap();
        assert_eq!((report.failures, report.errors), (0, 1));
        let suite = report.test_suites.last().unwrap();
        match &suite.test_cases[0].status {
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, ty, .. } => {
                assert_eq!(ty.as_deref(), Some(kind));
            }
            other => panic!("not an error: {other:?}"),
        }
    }
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let schema = format!("{:#}\n", json::schema());
    if std::env::var_os("CAPCHECK_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        published, schema,
        "run this test with CAPCHECK_BLESS=1 to write docs/report.schema.json anew"
    );
}

/// The keys of every object of the schema.
fn keys(schema: &Value) -> Vec<String> {
    let objects = schema["$defs"].as_object().unwrap().values().chain([schema]);
    objects.filter_map(|object| object["properties"].as_object()).flat_map(|p| p.keys().cloned()).collect()
}

#[test]
fn every_key_is_documented() {
    let page = include_str!("../../docs/reports.md");
    for key in keys(&json::schema()) {
        assert!(page.contains(&format!("`{key}`")), "docs/reports.md does not explain `{key}`");
    }
    for outcome in ["passed", "failed", "untestable", "not_applicable", "harness_fault"] {
        assert!(page.contains(&format!("`{outcome}`")), "docs/reports.md does not explain `{outcome}`");
    }
}

#[test]
fn reports_hold_to_the_schema() {
    let schema = json::schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (name, result) in fixture::all() {
        let report = as_json(&result);
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_somebody_edited() {
    let validator = jsonschema::draft202012::new(&json::schema()).unwrap();
    let report = as_json(&fixture::non_conformant());
    assert!(validator.is_valid(&report));
    let edits: [(&str, Option<Value>); 12] = [
        ("/schema_version", Some(json!(2))),
        ("/verdict", Some(json!("green"))),
        ("/seed", Some(json!(-1))),
        ("/counts/gating/passed", Some(json!("2"))),
        ("/requirements/0/outcome", Some(json!("skipped"))),
        ("/requirements/0/level", Some(json!("MUST"))),
        ("/scenarios/0/findings/0/actual", Some(json!(null))),
        ("/scenarios/0/findings/0/exchange/request_headers/0", Some(json!(["only-a-name"]))),
        ("/scenarios/0/extra", None),
        ("/scenarios/0/findings/0/exchange/token", None),
        ("/target/extra", None),
        ("/extra", None),
    ];
    for (pointer, value) in edits {
        let mut edited = report.clone();
        match value {
            Some(value) => *edited.pointer_mut(pointer).unwrap() = value,
            None => {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                edited.pointer_mut(parent).unwrap()[key] = json!("new");
            }
        }
        assert!(!validator.is_valid(&edited), "{pointer} was edited and nobody noticed");
    }
    for key in ["verdict", "run_id", "counts", "scenarios", "stopped"] {
        let mut edited = report.clone();
        edited.as_object_mut().unwrap().remove(key);
        assert!(!validator.is_valid(&edited), "{key} was removed and nobody noticed");
    }
}
