//! What came of a run: the JSON report's model, which every other report renders.
//!
//! The published schema, `docs/report.schema.json`, is generated from these types.

use schemars::JsonSchema;
use serde::Serialize;

use crate::outcome::{Finding, Outcome};
use crate::spec::requirement::{Basis, Level};
use crate::wire::Recorded;

/// The version of this model; raised when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The answer to "does the target conform?", over gating requirements and the properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every applicable gating requirement passed, and at least one did.
    Conformant,
    /// A gating requirement failed.
    NonConformant,
    /// None failed, but one was untestable, or none passed at all, or a property could not be performed.
    Incomplete,
}

/// A whole run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunResult {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What tested.
    pub suite: Suite,
    /// What was tested.
    pub target: TargetInfo,
    /// The homeserver with which it was tested as a pair, where there was one.
    pub second: Option<TargetInfo>,
    /// Fixes shapes, sizes and order; `--seed` repeats it.
    pub seed: u64,
    /// The nonce in every name; `--run-id` repeats it.
    pub run_id: String,
    /// What was asked for.
    pub selection: Selection,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// Whether Ctrl-C or `--fail-fast` ended the run early, and which.
    pub stopped: Option<Stopped>,
    /// Why nothing could be tested at all, where preflight says so.
    pub preflight_error: Option<String>,
    /// Notes from preflight that do not stop a run.
    pub notes: Vec<String>,
    /// What was noticed while the run went on and is judged by no requirement: what the target asked of
    /// the harness's homeservers beyond what they serve, connections that came to nothing.
    pub observations: Vec<String>,
    /// The answer.
    pub verdict: Verdict,
    /// The numbers behind it.
    pub counts: Counts,
    /// Every selected requirement, in the order of `requirements.toml`.
    pub requirements: Vec<RequirementResult>,
    /// Every selected scenario, in the order of the suite.
    pub scenarios: Vec<ScenarioResult>,
    /// Every endpoint that was asked, that which took longest in all first.
    pub endpoints: Vec<EndpointResult>,
}

/// Why a run ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Ctrl-C.
    Interrupted,
    /// `--fail-fast`, after the first failed scenario.
    FailFast,
}

/// The suite that ran.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Suite {
    /// The crate's version.
    pub version: String,
    /// SHA-256 (hex) over the requirements, so that two reports can be compared.
    pub requirements_digest: String,
    /// SHA-256 (hex) over the manifest of the vectors, which has the digest of each.
    pub vectors_digest: String,
}

/// The target that was tested.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TargetInfo {
    /// Base URL.
    pub url: String,
    /// Its server name, as seen in its user IDs or declared.
    pub server_name: Option<String>,
    /// What it offers, by name: the operations, `login`, `sessions`, `presence`, `parameters`, `opaque_names`, `every_hash` (hashes
    /// with `+` and `/` survive a path), `gating`, `size_limit` (a named one), `federation` (with the harness's own homeservers), `second` (with a second one
    /// under test).
    pub features: Vec<FeatureInfo>,
}

/// Whether the target offers something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FeatureInfo {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub available: bool,
    /// Why not, or how it was found.
    pub note: Option<String>,
}

/// What a run was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Selection {
    /// `--only` globs.
    pub only: Vec<String>,
    /// `--skip` globs.
    pub skip: Vec<String>,
    /// `--level`: the least level that is tested.
    pub level: Option<Level>,
    /// `--strict`: shoulds gate too.
    pub strict: bool,
}

/// The numbers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// The gating requirements, of which the verdict speaks.
    pub gating: Tally,
    /// All selected requirements.
    pub requirements: Tally,
    /// All selected scenarios.
    pub scenarios: Tally,
    /// Requests sent, preflight included.
    pub requests: u64,
    /// Requests divided by wall time.
    pub requests_per_second: u64,
    /// Answers with status 429 that were obeyed.
    pub rate_limited: u64,
}

/// Outcomes, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tally {
    /// How many there are.
    pub total: usize,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many could not be tested.
    pub untestable: usize,
    /// How many do not apply.
    pub not_applicable: usize,
    /// How many the suite itself broke (scenarios only).
    pub harness_fault: usize,
}

/// What came of a requirement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RequirementResult {
    /// Its permanent id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Whose word it is.
    pub basis: Basis,
    /// Whether it counted towards the verdict.
    pub gating: bool,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where it neither passed nor failed.
    pub reason: Option<String>,
    /// The scenarios that covered it.
    pub scenarios: Vec<String>,
}

/// What came of a scenario.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ScenarioResult {
    /// Its permanent id, `area::words_with_underscores`.
    pub id: String,
    /// What it shows, in a sentence.
    pub summary: String,
    /// The requirements it covers.
    pub requirements: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// Why it did not pass, in a line, where no finding says so.
    pub reason: Option<String>,
    /// How many checks were evaluated.
    pub checks: usize,
    /// Requests sent, making users and taking them back included; each repetition after a 429 counts.
    pub requests: usize,
    /// Those of them that were answered with 429.
    pub rate_limited: usize,
    /// Requests of the target to the harness's homeservers that concern this scenario.
    pub received: usize,
    /// The checks that failed.
    pub findings: Vec<Finding>,
    /// Everything sent and received: where it failed or was untestable, or everywhere with `--transcripts all`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Recorded>,
}

/// What an endpoint of a homeserver under test was asked in the whole run, preflight included, and how long
/// that took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndpointResult {
    /// The base URL that was asked: the target's, its federation port's, or that of the second homeserver.
    pub base: String,
    /// The HTTP method.
    pub method: String,
    /// The path with `{name}` for what varies, without its query.
    pub path: String,
    /// The operation, where it is one; then the path is as the target file binds it.
    pub operation: Option<String>,
    /// Whether the target was asked to hold the request (a `/sync` that waits), or has to wait for another
    /// homeserver itself: then the time says little about the target.
    pub held: bool,
    /// Requests sent; each repetition after a 429 counts.
    pub requests: u64,
    /// Those of them that were answered with 429.
    pub rate_limited: u64,
    /// From sending to the last byte of the answer, of all of them together, in milliseconds. They overlap:
    /// the sum may be longer than the run.
    pub total_ms: u64,
    /// The longest of them, in milliseconds.
    pub longest_ms: u64,
}
