//! Plans a run, runs it, and says what came of it.

pub mod event;
pub mod exit;
pub mod plan;
pub mod result;
mod run;
pub mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::actors::World;
use crate::outcome::Outcome;
use crate::scenarios::Scenario;
use crate::spec::requirement;
use crate::target::config::Target;
use crate::target::features::{Features, Standing};
use crate::target::preflight::{self, PreflightError};
use crate::target::provision::Provisioner;
use crate::wire::{Client, ClientConfig, ClientError};

use event::{Event, Reporter};
use plan::Plan;
use result::{
    Counts, FeatureInfo, RequirementResult, RunResult, SCHEMA_VERSION, ScenarioResult, Stopped, Suite,
    TargetInfo,
};
use verdict::Ended;

pub use run::Options;

/// Everything that a run is given.
#[derive(Debug)]
pub struct Request {
    /// Who is under test.
    pub target: Target,
    /// Another homeserver of the user's, which federates with the target.
    pub second: Option<Target>,
    /// What is asked.
    pub plan: Plan,
    /// How it is run.
    pub options: Options,
    /// Fixes shapes, sizes and order.
    pub seed: u64,
    /// The nonce in every name; lower-case letters and digits.
    pub run_id: String,
}

/// A result, and what went wrong with telling it.
#[derive(Debug)]
pub struct Told {
    /// What came of the run.
    pub result: RunResult,
    /// A report that could not be written while the run went on.
    pub report_error: Option<std::io::Error>,
}

/// A client for a target.
pub fn client(target: &Target) -> Result<Client, ClientError> {
    Client::new(ClientConfig {
        base: target.url.clone(),
        tls: target.tls.clone(),
        in_flight: target.limits.in_flight,
        timeout: target.limits.request_timeout,
        max_body: target.limits.max_body,
        max_obeyed: target.limits.rate_limit_cap,
    })
}

/// A target that preflight found fit to be tested.
#[derive(Debug)]
pub struct Prepared {
    client: Client,
    world: Arc<World>,
}

/// Why a target cannot be tested.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The harness cannot even ask.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Preflight says no.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
}

impl Prepared {
    /// Probes a target.
    pub async fn new(target: Target, seed: u64, run_id: String) -> Result<Self, PrepareError> {
        let client = client(&target)?;
        let provisioner = Provisioner::new(&target, &run_id);
        let features = preflight::probe(&client, &target, &provisioner, &run_id).await?;
        let world = Arc::new(World { target, features, provisioner, run_id, seed, link: None, second: None });
        Ok(Self { client, world })
    }

    /// Runs one scenario, as `capcheck run --only ID` does.
    pub async fn perform(&self, scenario: &'static Scenario, strict: bool) -> ScenarioResult {
        run::one(&self.world, &self.client, scenario, strict).await
    }
}

/// Runs a plan against a target, until it is done or `interrupt` resolves.
pub async fn run(
    request: Request,
    reporter: &mut dyn Reporter,
    interrupt: impl Future<Output = ()>,
) -> Result<Told, ClientError> {
    let clock = Clock { at: Utc::now(), since: Instant::now() };
    let Request { target, second: _, plan, options, seed, run_id } = request;
    let client = client(&target)?;
    let provisioner = Provisioner::new(&target, &run_id);
    let mut interrupt = std::pin::pin!(interrupt);
    let probed = tokio::select! {
        probed = preflight::probe(&client, &target, &provisioner, &run_id) => Some(probed),
        () = &mut interrupt => None,
    };
    let (features, obstacle) = match probed {
        Some(Ok(features)) => (features, None),
        Some(Err(error)) => (Features::default(), Some(Obstacle::Preflight(error))),
        None => (Features::default(), Some(Obstacle::Interrupted)),
    };
    let world = Arc::new(World { target, features, provisioner, run_id, seed, link: None, second: None });
    let started = Event::Started {
        url: world.target.url.as_str(),
        scenarios: plan.scenarios.len(),
        seed,
        run_id: &world.run_id,
        notes: &world.features.notes,
    };
    let mut report_error = reporter.on(&started).err();
    let finished = match &obstacle {
        Some(Obstacle::Preflight(error)) => run::nothing(&plan, &client, None, &error.to_string()),
        Some(Obstacle::Interrupted) => {
            run::nothing(&plan, &client, Some(Stopped::Interrupted), "interrupted")
        }
        None => run::scenarios(&world, &client, &plan, options, reporter, interrupt).await,
    };
    report_error = report_error.or(finished.report_error);
    let stopped = finished.stopped;
    let mut result = summarise(&world, &plan, &client, clock, finished.scenarios);
    result.stopped = stopped;
    if let Some(Obstacle::Preflight(error)) = obstacle {
        result.preflight_error = Some(client.transcript().black_out(&error.to_string()));
    }
    report_error = report_error.or(reporter.on(&Event::Finished(&result)).err());
    Ok(Told { result, report_error })
}

/// What keeps every scenario from running.
enum Obstacle {
    Preflight(PreflightError),
    Interrupted,
}

struct Clock {
    at: DateTime<Utc>,
    since: Instant,
}

fn summarise(
    world: &World,
    plan: &Plan,
    client: &Client,
    clock: Clock,
    scenarios: Vec<(Ended, ScenarioResult)>,
) -> RunResult {
    let (ended, scenarios): (Vec<Ended>, Vec<ScenarioResult>) = scenarios.into_iter().unzip();
    let strict = plan.selection.strict;
    let requirements: Vec<RequirementResult> =
        plan.requirements.iter().map(|rule| verdict::judge(rule, strict, &ended)).collect();
    let duration = clock.since.elapsed();
    let counts = count(client, duration, &requirements, &scenarios);
    RunResult {
        schema_version: SCHEMA_VERSION,
        suite: Suite {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            requirements_digest: requirement::digest().to_owned(),
        },
        target: TargetInfo {
            url: world.target.url.to_string(),
            server_name: world.features.server_name.clone(),
            features: world
                .features
                .iter()
                .map(|(feature, standing)| info(&feature.to_string(), standing))
                .collect(),
        },
        seed: world.seed,
        run_id: world.run_id.clone(),
        selection: plan.selection.clone(),
        started_at: clock.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        stopped: None,
        preflight_error: None,
        notes: world.features.notes.clone(),
        verdict: verdict::verdict(&counts.gating),
        counts,
        requirements,
        scenarios,
    }
}

fn count(
    client: &Client,
    took: Duration,
    requirements: &[RequirementResult],
    scenarios: &[ScenarioResult],
) -> Counts {
    let outcomes = |gating: bool| -> Vec<Outcome> {
        requirements.iter().filter(|rule| rule.gating || !gating).map(|rule| rule.outcome).collect()
    };
    let requests = client.counters().requests();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    Counts {
        gating: verdict::tally(outcomes(true)),
        requirements: verdict::tally(outcomes(false)),
        scenarios: verdict::tally(scenarios.iter().map(|scenario| scenario.outcome)),
        requests,
        requests_per_second: requests.saturating_mul(1_000_000) / micros,
        rate_limited: client.counters().rate_limited(),
    }
}

fn info(name: &str, standing: &Standing) -> FeatureInfo {
    let note = match standing {
        Standing::Available => None,
        Standing::NotApplicable(reason) | Standing::Broken(reason) => Some(reason.clone()),
    };
    FeatureInfo { name: name.to_owned(), available: note.is_none(), note }
}
