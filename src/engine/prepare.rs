//! Everything that is settled before the first scenario: clients, provisioners, and what preflight found.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::actors::World;
use crate::properties::perform::Theatre;
use crate::scenarios::Scenario;
use crate::spec::binding::Operation;
use crate::target::config::Target;
use crate::target::features::{Feature, Features, Standing};
use crate::target::federation::Link;
use crate::target::pair::{Side, share_a_room};
use crate::target::preflight::{self, Found, PreflightError};
use crate::target::provision::Provisioner;
use crate::wire::{Client, ClientConfig, ClientError};

use super::plan::Plan;
use super::result::ScenarioResult;
use super::run;

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

/// With which other homeservers the target is to come together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    /// Those of the harness.
    harness: bool,
    /// The second one under test.
    second: bool,
}

impl Others {
    const ALL: Self = Self { harness: true, second: true };

    /// Those without which a plan cannot be run: the others need not be asked anything.
    pub(super) fn needed_by(plan: &Plan) -> Self {
        Self { harness: plan.needs(Feature::Federation), second: plan.needs(Feature::Second) }
    }
}

/// The homeservers of a run as the harness meets them, before it has asked them anything.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) client: Client,
    target: Target,
    provisioner: Provisioner,
    second: Option<Box<Parties>>,
    seed: u64,
    run_id: String,
}

impl Parties {
    pub(super) fn new(
        target: Target,
        second: Option<Target>,
        seed: u64,
        run_id: &str,
    ) -> Result<Self, ClientError> {
        let client = client(&target)?;
        let second = match second {
            Some(second) => Some(Box::new(Self::beside(&client, second, seed, run_id)?)),
            None => None,
        };
        let provisioner = Provisioner::new(&target, run_id);
        Ok(Self { client, target, provisioner, second, seed, run_id: run_id.to_owned() })
    }

    /// The second homeserver; the harness's own homeservers meet the first alone.
    fn beside(client: &Client, target: Target, seed: u64, run_id: &str) -> Result<Self, ClientError> {
        let target = Target { federation: None, ..target };
        let client = client.toward(target.url.clone(), target.tls.clone())?;
        // Names of its own: it might turn out to be the first under another URL.
        let run_id = format!("{run_id}b");
        let provisioner = Provisioner::new(&target, &run_id);
        Ok(Self { client, target, provisioner, second: None, seed, run_id })
    }

    /// Asks every homeserver what it offers; only the target itself must be fit to be tested.
    pub(super) async fn probe(&self, others: Others) -> Result<Findings, PreflightError> {
        let Found { mut features, link } = self.ask(others).await?;
        let second = match &self.second {
            None => Err("there is no second homeserver (--second)"),
            Some(_) if !others.second => Err("nothing that is selected needs a second homeserver"),
            Some(second) => Ok(second),
        };
        let second = match second {
            Ok(second) => second,
            Err(reason) => {
                features.set(Feature::Second, Standing::NotApplicable(reason.to_owned()));
                return Ok(Findings { features, link, second: None });
            }
        };
        match second.ask(others).await {
            Ok(found) => {
                features.notes.extend(found.features.notes.iter().map(|note| format!("second: {note}")));
                let standing = match fit_as_second(&found.features) {
                    Standing::Available => self.federates_with(second, &features, &found.features).await,
                    unfit => unfit,
                };
                features.set(Feature::Second, standing);
                Ok(Findings { features, link, second: Some(found.features) })
            }
            Err(error) => {
                features.set(Feature::Second, Standing::Broken(format!("second: {error}")));
                Ok(Findings { features, link, second: None })
            }
        }
    }

    /// Whether the two come together at all.
    async fn federates_with(&self, second: &Self, here: &Features, there: &Features) -> Standing {
        match share_a_room(self.side(here), second.side(there)).await {
            Ok(()) => Standing::Available,
            Err(reason) => Standing::Broken(format!("second: {reason}")),
        }
    }

    fn side<'s>(&'s self, features: &'s Features) -> Side<'s> {
        let Self { client, target, provisioner, .. } = self;
        let server_name = features.server_name.as_deref().unwrap_or_default();
        Side { client, target, provisioner, server_name }
    }

    async fn ask(&self, others: Others) -> Result<Found, PreflightError> {
        let Self { client, target, provisioner, run_id, .. } = self;
        preflight::probe(client, target, provisioner, run_id, others.harness).await
    }

    /// The world of the run, with what was found.
    pub(super) fn meet(self, findings: Findings) -> (Client, Arc<World>) {
        let Self { client, target, provisioner, second, seed, run_id } = self;
        let second = second
            .zip(findings.second)
            .map(|(second, features)| second.meet(Findings { features, link: None, second: None }));
        let Findings { features, link, .. } = findings;
        let world = World { target, features, provisioner, run_id, seed, link, second };
        (client, Arc::new(world))
    }
}

/// What preflight found of every homeserver.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) features: Features,
    pub(super) link: Option<Link>,
    second: Option<Features>,
}

/// Whether a homeserver offers what stories between two of them need.
pub(super) fn fit_as_second(features: &Features) -> Standing {
    let needed = Operation::CLIENT.map(Feature::Operation).into_iter().chain([Feature::Presence]);
    let lacking = needed.map(|need| (need, features.standing(need))).find(|(_, s)| *s != Standing::Available);
    match lacking {
        None => Standing::Available,
        Some((need, Standing::NotApplicable(reason))) => {
            Standing::NotApplicable(format!("second: {need}: {reason}"))
        }
        Some((need, standing)) => Standing::Broken(format!("second: {need}: {}", standing.reason())),
    }
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
    /// Probes a target, and the homeserver beside it if there is one.
    pub async fn new(
        target: Target,
        second: Option<Target>,
        seed: u64,
        run_id: &str,
    ) -> Result<Self, PrepareError> {
        let parties = Parties::new(target, second, seed, run_id)?;
        let findings = parties.probe(Others::ALL).await?;
        let (client, world) = parties.meet(findings);
        Ok(Self { client, world })
    }

    /// What preflight found.
    pub fn features(&self) -> &Features {
        &self.world.features
    }

    /// What preflight found of the homeserver beside it, where there is one that answers.
    pub fn second(&self) -> Option<&Features> {
        self.world.second.as_ref().map(|(_, second)| &second.features)
    }

    /// Runs one scenario, as `capcheck run --only ID` does.
    pub async fn perform(&self, scenario: &'static Scenario, strict: bool) -> ScenarioResult {
        run::one(&self.world, &self.client, scenario, strict).await
    }

    /// Where histories are performed, without these requirements.
    pub fn theatre(&self, lapsed: BTreeSet<&'static str>) -> Theatre {
        Theatre { world: self.world.clone(), client: self.client.clone(), lapsed, decides: true }
    }

    /// Ends the harness's own homeservers.
    pub async fn end(self) {
        end(&self.world).await;
    }
}

/// Ends the harness's own homeservers.
pub(super) async fn end(world: &World) {
    if let Some(link) = &world.link {
        link.peers.stop().await;
    }
}
