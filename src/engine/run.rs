//! Runs a plan: as many scenarios at once as allowed, each on a stage of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::actors::{Met, Stage, World, in_time};
use crate::outcome::{Finding, Ledger, Outcome, Stop, panicked};
use crate::scenarios::{self, Cx, Ran, Scenario};
use crate::target::features::Standing;
use crate::target::provision::{Cast, Lease, ProvisionError};
use crate::wire::{Client, Recorded, Transcript};

use super::event::{Event, Reporter};
use super::ground::Ground;
use super::outage;
use super::plan::Plan;
use super::programme::{Doubt, Programme, Turn};
use super::result::{ScenarioResult, Stopped};
use super::verdict::{Ended, gates};

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Scenarios at once.
    pub jobs: usize,
    /// End after the first scenario that failed.
    pub fail_fast: bool,
    /// Keep every exchange, not only those of scenarios that did not pass.
    pub all_transcripts: bool,
}

/// What came of the scenarios.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// In the order of the plan.
    pub scenarios: Vec<(Ended, ScenarioResult)>,
    /// Whether the run ended early, and why.
    pub stopped: Option<Stopped>,
    /// What was in doubt because the target was away, and was played again.
    pub repeated: Vec<&'static str>,
    /// A report could not be written while the run went on.
    pub report_error: Option<std::io::Error>,
}

/// What every scenario of a run is judged by.
struct Rules {
    /// The requirements that the run speaks of.
    selected: BTreeSet<&'static str>,
    /// Those that gate.
    gating: BTreeSet<&'static str>,
    all_transcripts: bool,
}

impl Rules {
    fn of(plan: &Plan, all_transcripts: bool) -> Self {
        Self {
            selected: plan.requirements.iter().map(|rule| rule.id.as_str()).collect(),
            gating: plan.gating().map(|rule| rule.id.as_str()).collect(),
            all_transcripts,
        }
    }
}

/// Runs the scenarios of a plan until they are done or `interrupt` resolves.
pub(super) async fn scenarios(
    world: &Arc<World>,
    client: &Client,
    plan: &Plan,
    options: Options,
    reporter: &mut dyn Reporter,
    interrupt: impl Future<Output = ()>,
) -> Finished {
    let rules = Arc::new(Rules::of(plan, options.all_transcripts));
    let mut interrupt = std::pin::pin!(interrupt);
    let mut finished = Finished::default();
    let mut programme = Programme::of(plan);
    let mut running = JoinSet::new();
    let mut started: Vec<Option<Arc<Play>>> = vec![None; plan.scenarios.len()];
    let mut ended: Vec<Option<(Ended, ScenarioResult)>> = started.iter().map(|_| None).collect();
    let mut tell = |event: &Event<'_>| {
        if let Err(error) = reporter.on(event) {
            finished.report_error.get_or_insert(error);
        }
    };
    loop {
        while running.len() < options.jobs.max(1)
            && let Some(Turn { at, scenario, time }) = programme.next(running.len())
        {
            if time == 1 {
                tell(&Event::ScenarioStarted { id: scenario.id });
            }
            let before = ended.iter().flatten().map(|(ended, _)| ended);
            let ground = Ground::of(scenario, &rules.gating, before);
            let play = Arc::new(Play::new(scenario, at, client).for_time(time).on(ground));
            started[at] = Some(play.clone());
            let (world, rules) = (world.clone(), rules.clone());
            running.spawn(async move {
                let performance = play.perform(&world).await;
                let doubt = play.doubt();
                (at, performance.told(&play, &rules), doubt)
            });
        }
        let next = tokio::select! {
            next = running.join_next() => next,
            () = &mut interrupt => {
                finished.stopped = Some(Stopped::Interrupted);
                None
            }
        };
        let Some(next) = next else { break };
        let Ok((at, result, doubt)) = next else { continue };
        // Findings that gate nothing are in doubt no less.
        let outcome = if result.1.findings.is_empty() { result.1.outcome } else { Outcome::Failed };
        if programme.repeats(at, outcome, doubt) {
            started[at] = None;
            continue;
        }
        tell(&Event::ScenarioFinished(&result.1));
        let failed = result.1.outcome == Outcome::Failed;
        ended[at] = Some(result);
        if failed && options.fail_fast {
            finished.stopped = Some(Stopped::FailFast);
            break;
        }
    }
    running.shutdown().await;
    finished.repeated = programme.repeated();
    let words = match finished.stopped {
        Some(Stopped::FailFast) => "not run: an earlier scenario failed (--fail-fast)",
        _ => "interrupted",
    };
    finished.scenarios = ended
        .into_iter()
        .zip(plan.scenarios.iter().zip(started))
        .enumerate()
        .map(|(at, (ended, (scenario, play)))| {
            let cut_short = || {
                let play = play.unwrap_or_else(|| Arc::new(Play::new(scenario, at, client)));
                Performance::broken(words).told(&play, &rules)
            };
            ended.unwrap_or_else(cut_short)
        })
        .collect();
    finished
}

/// Runs one scenario of which every requirement counts.
pub(super) async fn one(
    world: &Arc<World>,
    client: &Client,
    scenario: &'static Scenario,
    strict: bool,
) -> ScenarioResult {
    let rules = Rules {
        selected: scenario.covers.iter().copied().collect(),
        gating: scenario.rules().filter(|rule| gates(rule, strict)).map(|rule| rule.id.as_str()).collect(),
        all_transcripts: false,
    };
    let at = scenarios::all().position(|other| other.id == scenario.id).unwrap_or_default();
    let ground = Ground::of(scenario, &rules.gating, std::iter::empty());
    let play = Play::new(scenario, at, client).on(ground);
    play.perform(world).await.told(&play, &rules).1
}

/// What comes of a plan of which nothing can be run.
pub(super) fn nothing(plan: &Plan, client: &Client, stopped: Option<Stopped>, reason: &str) -> Finished {
    let rules = Rules::of(plan, false);
    let told = |(at, scenario): (usize, &&'static Scenario)| {
        Performance::broken(reason).told(&Play::new(scenario, at, client), &rules)
    };
    let scenarios = plan.scenarios.iter().enumerate().map(told).collect();
    Finished { scenarios, stopped, ..Finished::default() }
}

/// One scenario on its stage; what it has found survives the scenario itself.
struct Play {
    scenario: &'static Scenario,
    /// Which scenario this is, and which performance of it, in every name it makes.
    tag: String,
    client: Client,
    ledger: Arc<Ledger>,
    met: Arc<Met>,
    ground: Ground,
    began: Instant,
    /// When the target was there for it.
    there: OnceLock<Instant>,
}

/// How a play ended.
struct Performance {
    stop: Option<Stop>,
    took: Duration,
}

impl Play {
    fn new(scenario: &'static Scenario, at: usize, client: &Client) -> Self {
        let client = client.recording(Arc::new(client.transcript().beside()));
        let ledger = Arc::new(Ledger::new(client.clone(), scenario.covers));
        let tag = format!("s{at}");
        Self {
            scenario,
            tag,
            client,
            ledger,
            met: Arc::default(),
            ground: Ground::default(),
            began: Instant::now(),
            there: OnceLock::new(),
        }
    }

    /// For the first time, the second and so on: every time with names of its own.
    fn for_time(self, time: usize) -> Self {
        match time {
            1 => self,
            _ => Self { tag: format!("{}r{time}", self.tag), ..self },
        }
    }

    /// After others, of which this is known.
    fn on(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }

    /// Whether what it came to may come of the target having been away.
    fn doubt(&self) -> Doubt {
        let from = self.there.get().copied().unwrap_or(self.began);
        let met = self.client.outages().between(from, Instant::now());
        Doubt { broken_off: !met.is_empty(), away: met.iter().any(|outage| outage.away) }
    }

    /// Leases users, plays, and takes the users back.
    async fn perform(&self, world: &Arc<World>) -> Performance {
        let ended = |ran: Ran| Performance { stop: ran.err(), took: self.began.elapsed() };
        if let Some(stop) = unmet(world, self.scenario).or(self.ground.given_way.clone()) {
            return ended(Err(stop));
        }
        if let Err(stop) = outage::outlast(&self.client, &world.target).await {
            return ended(Err(stop));
        }
        let _ = self.there.set(Instant::now());
        let cast = self.scenario.cast;
        let lease = match world.provisioner.lease(&self.client, cast).await {
            Ok(lease) => lease,
            Err(error) => return ended(Err(error.into())),
        };
        let performance = match self.elsewhere(world, cast).await {
            Ok(elsewhere) => {
                let performance = ended(self.play(world, &lease, elsewhere.as_ref()).await);
                if let Some((stage, lease)) = elsewhere {
                    stage.world().provisioner.release(stage.client(), lease).await;
                }
                performance
            }
            Err(error) => ended(Err(error.into())),
        };
        world.provisioner.release(&self.client, lease).await;
        performance
    }

    /// The stage and the users at the second homeserver, where the scenario has any there.
    async fn elsewhere(
        &self,
        world: &World,
        cast: Cast,
    ) -> Result<Option<(Arc<Stage>, Lease)>, ProvisionError> {
        let Some((client, second)) = world.second.as_ref().filter(|_| cast.elsewhere > 0) else {
            return Ok(None);
        };
        let client = client.recording(self.client.transcript().clone());
        let cast = Cast { ordinary: cast.elsewhere, ..Cast::default() };
        let lease = second.provisioner.lease(&client, cast).await?;
        Ok(Some((Arc::new(Stage::new(client, second.clone())), lease)))
    }

    /// The story itself, in a task of its own so that a panic is caught, and within its deadline.
    async fn play(&self, world: &Arc<World>, lease: &Lease, elsewhere: Option<&(Arc<Stage>, Lease)>) -> Ran {
        let stage = Arc::new(Stage::new(self.client.clone(), world.clone()));
        let there = elsewhere.map(|(stage, _)| stage.clone());
        let kept = (self.ledger.clone(), self.met.clone());
        let cx = Cx::new(stage.clone(), kept, self.scenario.id, self.tag.clone(), lease, elsewhere);
        let cx = Arc::new(cx.lapsing(self.ground.lapsed.clone()));
        let mut story = JoinSet::new();
        story.spawn((self.scenario.run)(cx));
        let told = async {
            let ran = story.join_next().await.unwrap_or(Ok(Ok(())));
            ran.unwrap_or_else(|error| Err(panicked("the scenario", error)))
        };
        let stages: Vec<&Stage> = [Some(&*stage), there.as_deref()].into_iter().flatten().collect();
        in_time(&stages, told).await
    }
}

/// The exchanges where they are shown, and those of the findings, numbered in the order in which they were
/// sent.
fn told_in_order(transcript: &Transcript, findings: &mut [Finding], shown: bool) -> Vec<Recorded> {
    let mut exchanges = transcript.exchanges();
    let places: BTreeMap<usize, usize> =
        exchanges.iter().zip(1..).map(|(recorded, place)| (recorded.number, place)).collect();
    if !shown {
        exchanges.clear();
    }
    let pointed_at = findings.iter_mut().filter_map(|finding| finding.exchange.as_mut());
    for recorded in exchanges.iter_mut().chain(pointed_at) {
        recorded.number = places.get(&recorded.number).copied().unwrap_or(recorded.number);
        transcript.redact(recorded);
    }
    exchanges
}

/// The first need of a scenario that the target does not meet.
fn unmet(world: &World, scenario: &Scenario) -> Option<Stop> {
    let stop = |standing| match standing {
        Standing::Available => None,
        Standing::NotApplicable(reason) => Some(Stop::NotApplicable { reason }),
        Standing::Broken(reason) => Some(Stop::Untestable { reason, exchange: None }),
    };
    let unmet: Vec<Stop> =
        scenario.needs.iter().filter_map(|need| stop(world.features.standing(*need))).collect();
    // What does not apply need not work.
    let not_applicable = unmet.iter().find(|stop| matches!(stop, Stop::NotApplicable { .. }));
    not_applicable.or(unmet.first()).cloned()
}

impl Performance {
    fn broken(reason: &str) -> Self {
        let stop = Stop::Untestable { reason: reason.to_owned(), exchange: None };
        Self { stop: Some(stop), took: Duration::ZERO }
    }

    /// The performance as results tell it.
    fn told(self, play: &Play, rules: &Rules) -> (Ended, ScenarioResult) {
        let transcript = play.client.transcript();
        let mut evaluated = play.ledger.evaluated();
        evaluated.retain(|id, _| rules.selected.contains(id));
        let mut findings = play.ledger.findings();
        findings.retain(|finding| rules.selected.contains(finding.requirement.as_str()));
        for finding in &mut findings {
            finding.expected = transcript.redact_text(&finding.expected);
            finding.actual = transcript.redact_text(&finding.actual);
        }
        let failed = findings.iter().any(|finding| rules.gating.contains(finding.requirement.as_str()));
        let (outcome, reason) = match &self.stop {
            Some(Stop::HarnessFault { reason }) => (Outcome::HarnessFault, Some(reason.clone())),
            Some(Stop::Untestable { reason, .. }) if failed => (Outcome::Failed, Some(reason.clone())),
            Some(Stop::NotApplicable { reason }) if failed => (Outcome::Failed, Some(reason.clone())),
            Some(Stop::Untestable { reason, .. }) => (Outcome::Untestable, Some(reason.clone())),
            Some(Stop::NotApplicable { reason }) => (Outcome::NotApplicable, Some(reason.clone())),
            None if failed => (Outcome::Failed, None),
            None => (Outcome::Passed, None),
        };
        let reason = reason.map(|reason| transcript.redact_text(&reason));
        let shown = rules.all_transcripts || !matches!(outcome, Outcome::Passed | Outcome::NotApplicable);
        let received = play.met.part(shown);
        let (requests, rate_limited) = transcript.sent();
        let exchanges = told_in_order(transcript, &mut findings, shown);
        let requirements = play.scenario.covers.iter().filter(|id| rules.selected.contains(*id));
        let result = ScenarioResult {
            id: play.scenario.id.to_owned(),
            summary: play.scenario.summary.to_owned(),
            requirements: requirements.map(|id| (*id).to_owned()).collect(),
            outcome,
            duration_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            reason: reason.clone(),
            checks: play.ledger.checks(),
            requests,
            rate_limited,
            received,
            findings,
            exchanges,
        };
        let Scenario { id, covers, .. } = *play.scenario;
        let (whole, by_chance) = (self.stop.is_none(), play.scenario.property().is_some());
        let ended = Ended { id, covers, outcome, reason, whole, evaluated, by_chance };
        (ended, result)
    }
}

#[cfg(test)]
mod tests;
