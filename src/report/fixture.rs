//! Runs made by hand for the tests of reports: every outcome, every optional present and absent.

mod broken;

use crate::engine::result::*;
use crate::outcome::{Finding, Outcome};
use crate::spec::requirement::Basis::{self, Derived, Draft, Matrix, Profile, Reading};
use crate::spec::requirement::Level::{self, May, Must, Should};
use crate::wire::Recorded;

use Outcome::{Failed, HarnessFault, NotApplicable, Passed, Untestable};

const BASE: &str = "http://127.0.0.1:8008";
const CLIENT: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
const UNKNOWN: &str = "eF1okTENbecNNxAsGl-GrFQkPhEzmOVQGJI9MKmUPQo";
const NO_PARAMETERS: &str = "the server refuses parameters: 400 M_BAD_JSON for {\"x\":{\"y\":1}}";
const NO_FEDERATION: &str = "not in this version";
const NO_LOGIN: &str = "a second login of the user: POST /login answered 500";

/// A body that tries everything: ANSI, bell, bidi override, C1, XML and markup, no end of line.
pub(super) const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}desrever\u{2066}\u{9b}31m]]></failure><!-- \u{0}\u{fffe}\r\nFAILED  fake.row\u{200b}\u{e0041}&amp;";

fn requirement(
    id: &str,
    level: Level,
    basis: Basis,
    outcome: Outcome,
    scenarios: &[&str],
) -> RequirementResult {
    RequirementResult {
        id: id.to_owned(),
        level,
        basis,
        gating: level == Must,
        outcome,
        reason: None,
        scenarios: scenarios.iter().map(|&s| s.to_owned()).collect(),
    }
}

impl RequirementResult {
    fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }
}

fn scenario(
    id: &str,
    summary: &str,
    requirements: &[&str],
    outcome: Outcome,
    duration_ms: u64,
) -> ScenarioResult {
    ScenarioResult {
        id: id.to_owned(),
        summary: summary.to_owned(),
        requirements: requirements.iter().map(|&r| r.to_owned()).collect(),
        outcome,
        duration_ms,
        reason: None,
        checks: if matches!(outcome, Passed | Failed) { 3 } else { 0 },
        requests: if matches!(outcome, NotApplicable) { 0 } else { 17 },
        rate_limited: 0,
        received: 0,
        findings: Vec::new(),
        exchanges: Vec::new(),
    }
}

impl ScenarioResult {
    fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    fn found(mut self, requirement: &str, expected: &str, actual: &str, exchange: Option<Recorded>) -> Self {
        self.exchanges.extend(exchange.clone());
        let finding = Finding {
            requirement: requirement.to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            exchange,
            history: Vec::new(),
        };
        self.findings.push(finding);
        self
    }
}

/// An exchange: request with body, answer with body.
fn exchange(
    number: usize,
    method: &str,
    path: &str,
    sent: Option<&str>,
    answer: Option<(u16, &str)>,
) -> Recorded {
    let url = format!("{BASE}{path}");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut request_headers = vec![pair("authorization", "Bearer [redacted]")];
    request_headers.extend(sent.map(|_| pair("content-type", "application/json")));
    let data = sent.map(|body| format!(" -H 'Content-Type: application/json' --data-binary '{body}'"));
    Recorded {
        number,
        method: method.to_owned(),
        request_headers,
        request_body: sent.map(str::to_owned),
        status: answer.map(|(status, _)| status),
        response_headers: match answer {
            Some(_) => vec![pair("content-type", "application/json"), pair("x-request-id", "17")],
            None => Vec::new(),
        },
        response_body: answer.map(|(_, body)| body.to_owned()),
        fault: answer.is_none().then(|| "no answer within 10 s".to_owned()),
        at_ms: 4,
        took_ms: if answer.is_some() { 3 } else { 10_001 },
        curl: Some(format!(
            "curl -X {method} -H \"Authorization: Bearer $TOKEN\"{} '{url}'",
            data.unwrap_or_default()
        )),
        received_by: None,
        url,
    }
}

/// A transaction that the target sent to a homeserver of the harness.
fn received(number: usize, body: &str) -> Recorded {
    let signed = ("authorization".to_owned(), "X-Matrix origin=\"localhost:8448\"".to_owned());
    Recorded {
        url: "https://localhost:9000/_matrix/federation/v1/send/17".to_owned(),
        request_headers: vec![signed],
        response_headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        took_ms: 0,
        curl: None,
        received_by: Some("localhost:9000".to_owned()),
        ..exchange(number, "PUT", "", Some(body), Some((200, r#"{"pdus":{}}"#)))
    }
}

/// A run with these rows; its counts and verdict follow from them.
fn run(requirements: Vec<RequirementResult>, scenarios: Vec<ScenarioResult>) -> RunResult {
    let gating = tally(requirements.iter().filter(|r| r.gating).map(|r| r.outcome));
    let counts = Counts {
        requirements: tally(requirements.iter().map(|r| r.outcome)),
        scenarios: tally(scenarios.iter().map(|s| s.outcome)),
        requests: 1_204,
        requests_per_second: 9_708,
        rate_limited: 0,
        gating: gating.clone(),
    };
    RunResult {
        schema_version: SCHEMA_VERSION,
        suite: Suite {
            version: "0.1.0".to_owned(),
            requirements_digest: "5d".repeat(32),
            vectors_digest: "7e".repeat(32),
        },
        target: TargetInfo {
            url: BASE.to_owned(),
            server_name: Some("localhost:8448".to_owned()),
            features: vec![
                FeatureInfo { name: "presence".to_owned(), available: true, note: None },
                FeatureInfo {
                    name: "parameters".to_owned(),
                    available: false,
                    note: Some(NO_PARAMETERS.to_owned()),
                },
            ],
        },
        second: None,
        seed: 17,
        run_id: "5e0c9a41d2f7b386".to_owned(),
        selection: Selection::default(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        duration_ms: 124,
        stopped: None,
        preflight_error: None,
        notes: Vec::new(),
        observations: Vec::new(),
        verdict: match gating {
            Tally { failed: 1.., .. } => Verdict::NonConformant,
            Tally { untestable: 0, passed: 1.., .. } => Verdict::Conformant,
            _ => Verdict::Incomplete,
        },
        counts,
        requirements,
        scenarios,
        endpoints: endpoints(),
    }
}

/// What the runs here asked, in part.
fn endpoints() -> Vec<EndpointResult> {
    let row = |method: &str, path: &str, requests, total_ms, longest_ms| EndpointResult {
        base: BASE.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        operation: None,
        held: false,
        requests,
        rate_limited: 0,
        total_ms,
        longest_ms,
    };
    let sync = "/_matrix/client/v3/sync";
    let declare = row("PUT", &format!("{CLIENT}/session"), 1_017, 409, 3);
    vec![
        EndpointResult { held: true, ..row("GET", sync, 12, 2_840, 1_001) },
        row("POST", "/_matrix/client/v3/createRoom", 3, 480, 203),
        EndpointResult { operation: Some("declare".to_owned()), rate_limited: 2, ..declare },
        row("GET", sync, 6, 17, 4),
    ]
}

fn tally(outcomes: impl Iterator<Item = Outcome>) -> Tally {
    let mut tally = Tally::default();
    for outcome in outcomes {
        tally.total += 1;
        match outcome {
            Passed => tally.passed += 1,
            Failed => tally.failed += 1,
            Untestable => tally.untestable += 1,
            NotApplicable => tally.not_applicable += 1,
            HarnessFault => tally.harness_fault += 1,
        }
    }
    tally
}

/// Every applicable gating requirement passed; some do not apply.
pub(super) fn conformant() -> RunResult {
    run(
        vec![
            requirement(
                "hash.sha256-canonical-json",
                Must,
                Profile,
                Passed,
                &["hash::published_sets_hash_back"],
            ),
            requirement("hash.no-normalisation", Must, Profile, NotApplicable, &["hash::nfc_and_nfd_differ"])
                .because(NO_PARAMETERS),
            requirement("upload.refuse-unknown", Must, Draft, Passed, &["upload::first_signup_is_refused"]),
            requirement("union.undeclared", Should, Reading, Passed, &["union::undeclared_adds_nothing"]),
            requirement("federation.hash", Must, Draft, NotApplicable, &[]).because(NO_FEDERATION),
            requirement("federation.set", Must, Draft, NotApplicable, &[]).because(NO_FEDERATION),
        ],
        vec![
            scenario(
                "hash::published_sets_hash_back",
                "what the server publishes hashes to the hash it gave",
                &["hash.sha256-canonical-json"],
                Passed,
                4,
            ),
            scenario(
                "hash::nfc_and_nfd_differ",
                "two spellings of one letter are two sets",
                &["hash.no-normalisation"],
                NotApplicable,
                0,
            )
            .because(NO_PARAMETERS),
            scenario(
                "upload::first_signup_is_refused",
                "a set nobody uploaded is refused",
                &["upload.refuse-unknown"],
                Passed,
                12,
            ),
            scenario(
                "union::undeclared_adds_nothing",
                "a session without a set adds nothing",
                &["union.undeclared"],
                Passed,
                1_240,
            ),
        ],
    )
}

/// Everything that can be in a report is in this one.
pub(super) fn non_conformant() -> RunResult {
    let mut result = run(broken::requirements(), broken::scenarios());
    let plain = "at the harness's homeserver localhost:9000: somebody speaks plain HTTP to it";
    result.observations = [
        plain,
        "the target asked the harness's homeservers for GET /_matrix/federation/v1/query/profile (3 times), which they do not serve",
        plain,
    ]
    .map(str::to_owned)
    .to_vec();
    result.notes = vec!["TLS certificates are not verified".to_owned()];
    result.selection = Selection {
        only: vec!["upload.*".to_owned(), "*".to_owned()],
        skip: vec!["resolve::slow_*".to_owned()],
        level: Some(Should),
        strict: false,
    };
    result.counts.rate_limited = 2;
    result
}

/// Nothing failed, and yet nothing is known of one requirement.
pub(super) fn incomplete() -> RunResult {
    let mut result = conformant();
    let mut requirements = std::mem::take(&mut result.requirements);
    let mut scenarios = std::mem::take(&mut result.scenarios);
    requirements[2].outcome = Untestable;
    requirements[2].reason = Some(NO_LOGIN.to_owned());
    scenarios[2].outcome = Untestable;
    scenarios[2].reason = Some(NO_LOGIN.to_owned());
    run(requirements, scenarios)
}

/// Preflight found nothing to test.
pub(super) fn preflight_error() -> RunResult {
    const REASON: &str = "nothing listens at http://127.0.0.1:8008: connection refused";
    let mut result = conformant();
    for requirement in &mut result.requirements {
        requirement.outcome = Untestable;
        requirement.reason = Some(REASON.to_owned());
    }
    for scenario in &mut result.scenarios {
        scenario.outcome = Untestable;
        scenario.reason = Some(REASON.to_owned());
        (scenario.checks, scenario.requests) = (0, 0);
    }
    let mut result = run(result.requirements, result.scenarios);
    result.endpoints.clear();
    result.preflight_error = Some(REASON.to_owned());
    result.target.server_name = None;
    result.target.features.clear();
    (result.counts.requests, result.counts.requests_per_second) = (1, 8);
    result
}

/// Ctrl-C after the first scenarios.
pub(super) fn interrupted() -> RunResult {
    const REASON: &str = "the run was interrupted before this ended";
    let mut result = incomplete();
    result.stopped = Some(Stopped::Interrupted);
    for requirement in result.requirements.iter_mut().filter(|r| r.outcome != NotApplicable).skip(1) {
        requirement.outcome = Untestable;
        requirement.reason = Some(REASON.to_owned());
    }
    for scenario in result.scenarios.iter_mut().skip(2) {
        scenario.outcome = Untestable;
        scenario.reason = Some(REASON.to_owned());
    }
    RunResult { stopped: result.stopped, ..run(result.requirements, result.scenarios) }
}

/// A run in which every string that a target could have a hand in is hostile.
pub(super) fn hostile() -> RunResult {
    let mut result = non_conformant();
    let spoil = |text: &mut String| *text = format!("{text}{HOSTILE}");
    spoil(&mut result.target.url);
    spoil(&mut result.run_id);
    result.target.server_name.iter_mut().for_each(spoil);
    result.notes.iter_mut().for_each(spoil);
    result.observations.iter_mut().for_each(spoil);
    result.requirements.iter_mut().filter_map(|r| r.reason.as_mut()).for_each(spoil);
    for scenario in &mut result.scenarios {
        spoil(&mut scenario.summary);
        scenario.reason.iter_mut().for_each(spoil);
        for finding in &mut scenario.findings {
            spoil(&mut finding.expected);
            spoil(&mut finding.actual);
            let Some(exchange) = &mut finding.exchange else { continue };
            exchange.request_body.iter_mut().chain(&mut exchange.response_body).for_each(spoil);
            exchange.response_headers.push(("server".to_owned(), HOSTILE.to_owned()));
            exchange.fault.iter_mut().for_each(spoil);
            spoil(&mut exchange.url);
            exchange.curl.iter_mut().for_each(spoil);
        }
    }
    result
}

/// All of these, by name.
pub(super) fn all() -> [(&'static str, RunResult); 6] {
    [
        ("conformant", conformant()),
        ("non_conformant", non_conformant()),
        ("incomplete", incomplete()),
        ("preflight_error", preflight_error()),
        ("interrupted", interrupted()),
        ("hostile", hostile()),
    ]
}
