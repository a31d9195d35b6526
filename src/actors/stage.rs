//! What every actor of a scenario shares.

use std::sync::{Mutex, PoisonError};

use crate::outcome::Stop;
use crate::spec::binding::Binding;
use crate::spec::capability::CapabilitySet;
use crate::spec::mistake;
use crate::target::config::Target;
use crate::target::features::Features;
use crate::target::provision::Provisioner;
use crate::wire::{Client, Request};

use super::Reply;

/// What every scenario of a run shares.
#[derive(Debug)]
pub struct World {
    /// Who is under test.
    pub target: Target,
    /// What preflight found.
    pub features: Features,
    /// Makes users.
    pub provisioner: Provisioner,
    /// In every name that the run makes.
    pub run_id: String,
    /// Fixes shapes, sizes and order.
    pub seed: u64,
}

/// Where one scenario plays: its client, and the sets its actors have handled.
#[derive(Debug)]
pub struct Stage {
    client: Client,
    world: std::sync::Arc<World>,
    /// Whose set is which, so that a wrong hash can be told by name.
    handled: Mutex<Vec<(String, CapabilitySet)>>,
}

/// More sets than this are not combined when a wrong hash is looked up: 2^6 unions are enough.
const COMBINED: usize = 6;

impl Stage {
    /// A stage whose exchanges are recorded by this client.
    pub fn new(client: Client, world: std::sync::Arc<World>) -> Self {
        Self { client, world, handled: Mutex::default() }
    }

    /// The client that every actor sends with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the run shares.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Operation to HTTP.
    pub fn binding(&self) -> &Binding {
        &self.world.target.binding
    }

    /// Sends a request.
    ///
    /// Rate limits beyond the cap and quotas say nothing about the rule under test, and end the
    /// scenario; so does a request that the harness cannot send.
    pub async fn ask(&self, request: Request) -> Result<Reply, Stop> {
        let exchange = self.client.send(request).await;
        if let Err(crate::wire::NetworkFault::Unsendable(reason)) = &exchange.result {
            return Err(Stop::HarnessFault { reason: format!("cannot send a request: {reason}") });
        }
        if exchange.status() == Some(429) {
            let cap = self.client.config().max_obeyed.as_secs_f64();
            let reason = format!("rate limited for longer than {cap} s (limits.rate_limit_cap_s)");
            return Err(Stop::untestable(reason, &exchange));
        }
        match exchange.errcode().as_deref() {
            Some(quota @ ("M_RESOURCE_LIMIT_EXCEEDED" | "M_USER_LIMIT_EXCEEDED")) => {
                Err(Stop::untestable(format!("the target's quota is used up: {quota}"), &exchange))
            }
            _ => Ok(Reply::new(exchange)),
        }
    }

    /// Remembers whose set this is.
    pub fn note(&self, whose: &str, set: &CapabilitySet) {
        let mut handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner);
        if !handled.iter().any(|(_, known)| known == set) {
            handled.push((whose.to_owned(), set.clone()));
        }
    }

    /// A hash as failures show it: with the set it stands for, or the mistake that yields it.
    pub fn explain(&self, hash: &str) -> String {
        let handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner);
        let some = &handled[..handled.len().min(COMBINED)];
        let mut candidates: Vec<(String, CapabilitySet)> = (0..1usize << some.len())
            .map(|mask| {
                combine(some.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, known)| known))
            })
            .collect();
        candidates.sort_by_key(|(name, _)| name.len());
        let right = candidates.iter().find(|(_, set)| set.hash().as_str() == hash);
        if let Some((name, _)) = right {
            return format!("{hash} (the hash of {name})");
        }
        let wrong = candidates.iter().find_map(|(name, set)| Some((name, mistake::recognise(set, hash)?)));
        match wrong {
            Some((name, mistake)) => format!("{hash} ({name}, but {mistake})"),
            None => format!("{hash} (the hash of nothing that this scenario handled)"),
        }
    }
}

fn combine<'a>(sets: impl Iterator<Item = &'a (String, CapabilitySet)>) -> (String, CapabilitySet) {
    let (names, sets): (Vec<&str>, Vec<&CapabilitySet>) =
        sets.map(|(name, set)| (name.as_str(), set)).unzip();
    let name = match names.as_slice() {
        [] => "{}".to_owned(),
        [one] => (*one).to_owned(),
        many => format!("the union of {}", many.join(" and ")),
    };
    (name, CapabilitySet::union(sets))
}
