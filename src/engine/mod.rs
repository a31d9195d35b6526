//! Plans a run, runs it, and says what came of it.

mod endpoints;
pub mod event;
pub mod exit;
mod ground;
mod outage;
pub mod plan;
mod prepare;
mod programme;
pub mod result;
mod run;
pub mod run_id;
pub mod verdict;

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::actors::World;
use crate::outcome::Outcome;
use crate::spec::requirement;
use crate::target::config::Target;
use crate::target::features::Standing;
use crate::target::federation::Link;
use crate::target::preflight::PreflightError;
use crate::vectors;
use crate::wire::{Client, ClientError};

use event::{Event, Reporter};
use plan::Plan;
use result::{
    Counts, FeatureInfo, RequirementResult, RunResult, SCHEMA_VERSION, ScenarioResult, Stopped, Suite,
    TargetInfo,
};
use verdict::Ended;

pub use prepare::{PrepareError, Prepared, client};
pub use run::Options;

use prepare::{Findings, Others, Parties};

/// Everything that a run is given.
#[derive(Debug)]
pub struct Request {
    /// Who is under test.
    pub target: Target,
    /// Another homeserver, with which the target federates.
    pub second: Option<Target>,
    /// What is asked.
    pub plan: Plan,
    /// How it is run.
    pub options: Options,
    /// Fixes shapes, sizes and order.
    pub seed: u64,
    /// The nonce in every name, of [`run_id`].
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

/// Runs a plan against a target, until it is done or `interrupt` resolves.
pub async fn run(
    request: Request,
    reporter: &mut dyn Reporter,
    interrupt: impl Future<Output = ()>,
) -> Result<Told, ClientError> {
    let clock = Clock { at: Utc::now(), since: Instant::now() };
    let Request { target, second, plan, options, seed, run_id } = request;
    let parties = Parties::new(target, second, seed, &run_id)?;
    let mut interrupt = std::pin::pin!(interrupt);
    let probed = tokio::select! {
        probed = parties.probe(Others::needed_by(&plan)) => Some(probed),
        () = &mut interrupt => None,
    };
    let (findings, obstacle) = match probed {
        Some(Ok(findings)) => (findings, None),
        Some(Err(error)) => (Findings::default(), Some(Obstacle::Preflight(error))),
        None => (Findings::default(), Some(Obstacle::Interrupted)),
    };
    let (client, world) = parties.meet(findings);
    let started = Event::Started {
        url: world.target.url.as_str(),
        second: world.second.as_ref().map(|(_, second)| second.target.url.as_str()),
        scenarios: plan.scenarios.len(),
        seed,
        run_id: &world.run_id,
        notes: &world.features.notes,
    };
    let mut report_error = reporter.on(&started).err();
    let played = Instant::now();
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
    let away = outage::told(client.outages(), clock.since, played, &finished.repeated);
    result.observations = away.into_iter().chain(world.link.iter().flat_map(Link::observations)).collect();
    prepare::end(&world).await;
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

#[derive(Clone, Copy)]
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
            vectors_digest: vectors::manifest_digest().to_owned(),
        },
        target: target_info(world),
        second: world.second.as_ref().map(|(_, second)| target_info(second)),
        seed: world.seed,
        run_id: world.run_id.clone(),
        selection: plan.selection.clone(),
        started_at: clock.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        stopped: None,
        preflight_error: None,
        notes: world.features.notes.clone(),
        observations: Vec::new(),
        verdict: verdict::verdict(&counts.gating, &ended),
        counts,
        requirements,
        scenarios,
        endpoints: endpoints::told(client.counters(), world),
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

fn target_info(world: &World) -> TargetInfo {
    let features = world.features.iter().map(|(feature, standing)| info(&feature.to_string(), standing));
    TargetInfo {
        url: world.target.url.to_string(),
        server_name: world.features.server_name.clone(),
        features: features.collect(),
    }
}

fn info(name: &str, standing: &Standing) -> FeatureInfo {
    let note = match standing {
        Standing::Available => None,
        Standing::NotApplicable(reason) | Standing::Broken(reason) => Some(reason.clone()),
    };
    FeatureInfo { name: name.to_owned(), available: note.is_none(), note }
}

#[cfg(test)]
mod tests;
