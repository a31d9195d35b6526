//! What every actor of a scenario shares.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};

use crate::outcome::Stop;
use crate::spec::binding::{Binding, Operation};
use crate::spec::capability::CapabilitySet;
use crate::spec::mistake;
use crate::target::config::Target;
use crate::target::features::{Feature, Features};
use crate::target::federation::Link;
use crate::target::provision::Provisioner;
use crate::wire::{Client, Exchange, NetworkFault, Request, Secret, rate_limit};

use super::grant::{Grant, Granted};
use super::{Reply, breakdown};

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
    /// The harness's own homeservers, and the way to the target's federation port.
    pub link: Option<Link>,
    /// The second homeserver, with a client that speaks to it.
    pub second: Option<(Client, Arc<World>)>,
}

/// Where one scenario plays: its client, and the sets its actors have handled.
#[derive(Debug)]
pub struct Stage {
    client: Client,
    world: Arc<World>,
    /// Whose set is which, so that a wrong hash can be told by name.
    handled: Mutex<Vec<(String, CapabilitySet)>>,
    /// Sessions to keep active, where that is needed.
    tokens: Mutex<Vec<Secret>>,
    every_hash: AtomicBool,
    granted: Granted,
}

/// More sets than this are not combined when a wrong hash is looked up: 2^6 unions are enough.
const COMBINED: usize = 6;

impl Stage {
    /// A stage whose exchanges are recorded by this client.
    pub fn new(client: Client, world: Arc<World>) -> Self {
        let every_hash = AtomicBool::new(false);
        let granted = Granted::default();
        Self { client, world, handled: Mutex::default(), tokens: Mutex::default(), every_hash, granted }
    }

    /// The client that every actor sends with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the run shares.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The same, to be shared with another stage.
    pub(crate) fn shared_world(&self) -> &Arc<World> {
        &self.world
    }

    /// Operation to HTTP.
    pub fn binding(&self) -> &Binding {
        &self.world.target.binding
    }

    /// Sends a request.
    ///
    /// Rate limits beyond the cap and quotas say nothing about the rule under test, and end the
    /// scenario; so does a request that the harness cannot send, and a breakdown that does not come
    /// again.
    pub async fn ask(&self, request: Request) -> Result<Reply, Stop> {
        self.ask_through(&self.client, request).await
    }

    /// The same through another client of this scenario.
    pub(super) async fn ask_through(&self, client: &Client, request: Request) -> Result<Reply, Stop> {
        let reply = self.judged(client.send(request).await)?;
        if reply.exchange().is_breakdown() {
            breakdown::confirm(client, &self.client, reply.exchange()).await?;
        }
        Ok(reply)
    }

    /// Sends a request which the target has to pass on to another homeserver.
    pub(super) async fn ask_beyond(&self, request: Request) -> Result<Reply, Stop> {
        self.judged(breakdown::beyond(&self.client, request).await?)
    }

    /// Sends a request whose answer may well break down, such as one that no server should take.
    pub async fn ask_once(&self, request: Request) -> Result<Reply, Stop> {
        self.judged(self.client.send(request.may_break()).await)
    }

    /// The answer, unless it says nothing about the rule under test.
    fn judged(&self, exchange: Arc<Exchange>) -> Result<Reply, Stop> {
        if let Err(NetworkFault::Unsendable(reason)) = &exchange.result {
            return Err(Stop::HarnessFault { reason: format!("cannot send a request: {reason}") });
        }
        if let Err(NetworkFault::TooLong { limit }) = &exchange.result {
            let reason =
                format!("an answer is longer than the {limit} bytes that are read (limits.max_answer_bytes)");
            return Err(Stop::untestable(reason, &exchange));
        }
        if exchange.status() == Some(429) {
            let reason = rate_limit::explain(&exchange, self.client.config().max_obeyed);
            return Err(Stop::untestable(reason, &exchange));
        }
        match exchange.errcode().as_deref() {
            Some(quota @ ("M_RESOURCE_LIMIT_EXCEEDED" | "M_USER_LIMIT_EXCEEDED")) => {
                Err(Stop::untestable(format!("the target's quota is used up: {quota}"), &exchange))
            }
            _ => Ok(Reply::new(exchange)),
        }
    }

    /// A request for an operation; the scenario ends where its hash does not survive a path.
    pub(super) fn request(&self, operation: Operation, variables: &[(&str, &str)]) -> Result<Request, Stop> {
        let hash = variables.iter().find(|(name, _)| *name == "hash");
        if let Some((_, hash)) = hash.filter(|(_, hash)| !self.fits_a_path(hash)) {
            let reason = format!(
                "{hash} cannot go into a path: hashes with + or / do not survive it (resolve.encoding)"
            );
            return Err(Stop::Untestable { reason, exchange: None });
        }
        let route = self.binding().route(operation);
        Ok(Request::new(&route.method, route.path(variables)).operation(operation))
    }

    /// The way between the target and the harness's own homeservers; the scenario ends where there is none.
    pub(crate) fn link(&self) -> Result<&Link, Stop> {
        let reason = || "there is no way between the target and the harness's homeservers".to_owned();
        self.world.link.as_ref().ok_or_else(|| Stop::Untestable { reason: reason(), exchange: None })
    }

    /// Whether a hash can go into a path: where a proxy spoils slashes, one scenario says so and the
    /// others keep to hashes without.
    pub fn fits_a_path(&self, hash: &str) -> bool {
        self.every_hash.load(Relaxed)
            || !hash.contains(['+', '/'])
            || self.world.features.has(Feature::EveryHash)
    }

    /// Puts every hash into paths, whatever becomes of it.
    pub fn try_every_hash(&self) {
        self.every_hash.store(true, Relaxed);
    }

    /// Time that the target is granted for what others do, for as long as the guard lives; what of it passes
    /// counts against no deadline of the scenario.
    pub(crate) fn grant(&self, time: Duration) -> Grant<'_> {
        self.granted.open(time)
    }

    /// What has been granted so far, the whole of what is under way among it.
    pub fn granted(&self) -> Duration {
        self.granted.so_far()
    }

    /// Sends a request for every session now and then, for as long as the scenario lasts, where the
    /// target times idle sessions out.
    pub async fn keep_sessions_active(&self) {
        let Some(idle) = self.world.target.limits.connected_timeout else {
            return std::future::pending().await;
        };
        let mut pace = interval(idle / 3);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Each by itself: a session that is rate limited or hangs must not cost the others theirs.
        let (mut asked, mut asking) = (BTreeSet::new(), FuturesUnordered::new());
        loop {
            tokio::select! {
                _ = pace.tick() => {
                    let tokens = lock(&self.tokens).clone();
                    let idle = tokens.into_iter().enumerate().filter(|(at, _)| asked.insert(*at));
                    asking.extend(idle.map(|(at, token)| self.show_life(at, token)));
                }
                Some(at) = asking.next() => drop(asked.remove(&at)),
            }
        }
    }

    async fn show_life(&self, at: usize, token: Secret) -> usize {
        self.client.send(Request::new("GET", "/_matrix/client/v3/account/whoami").token(&token)).await;
        at
    }

    /// Remembers a session that is to be kept active.
    pub(super) fn note_session(&self, token: &Secret) {
        if self.world.target.limits.connected_timeout.is_some() {
            lock(&self.tokens).push(token.clone());
        }
    }

    /// Remembers whose set this is.
    pub fn note(&self, whose: &str, set: &CapabilitySet) {
        let mut handled = lock(&self.handled);
        if !handled.iter().any(|(_, known)| known == set) {
            handled.push((whose.to_owned(), set.clone()));
        }
    }

    /// What was found, with every hash in it explained: by the set it stands for, or the mistake that
    /// yields it. Costly, and so for failures alone.
    pub fn explained(&self, actual: &str) -> String {
        match actual.split_once(HASH) {
            Some((before, after)) => {
                let hash = after.split_whitespace().next().unwrap_or_default();
                format!("{before}{HASH}{}{}", self.explain(hash), &after[hash.len()..])
            }
            None => actual.to_owned(),
        }
    }

    fn explain(&self, hash: &str) -> String {
        let handled = lock(&self.handled);
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

/// What stands before a hash in what was found.
pub(super) const HASH: &str = "sha256 ";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
