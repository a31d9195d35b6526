//! Runs a proof: many trials, some at once, and what came of each.

use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::reference::{Fault, Named, Variant};

use super::attribution::{self, Attribution};
use super::freedom::{self, Tolerance};
use super::null::{self, Attempt, NullTarget};
use super::pairs::{self, Couple};
use super::trial::TrialError;

/// What is tried.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Each fault alone.
    pub faults: Vec<Fault>,
    /// Each variant alone.
    pub variants: Vec<Variant>,
    /// Random combinations of variants and lapses, by seed.
    pub combinations: Vec<u64>,
    /// What is no homeserver, or none that conforms.
    pub nulls: Vec<&'static NullTarget>,
    /// Two faults at once.
    pub pairs: Vec<[Fault; 2]>,
    /// Fixes what the suite draws in each trial.
    pub seed: u64,
    /// Trials at once.
    pub jobs: usize,
}

/// How many random combinations the whole proof tries.
pub const COMBINATIONS: u64 = 200;

impl Scope {
    /// Everything: each fault, each variant, and [`COMBINATIONS`] that the seed draws.
    pub fn whole(seed: u64, jobs: usize) -> Self {
        Self {
            faults: Fault::all().collect(),
            combinations: seeds(seed, COMBINATIONS),
            ..Self::quick(seed, jobs)
        }
    }

    /// What can be tried in a minute: the faults that clients can see, and each variant.
    pub fn quick(seed: u64, jobs: usize) -> Self {
        let faults = Fault::all().filter(|fault| !fault.is_between_servers()).collect();
        let (variants, nulls) = (Variant::all().collect(), <&NullTarget>::all().collect());
        Self { faults, variants, nulls, seed, jobs, ..Self::default() }
    }

    /// How many trials that is, those that are repeated aside.
    pub fn trials(&self) -> usize {
        let alone = self.faults.len() + self.variants.len() + self.nulls.len();
        alone + self.combinations.len() + self.pairs.len()
    }
}

/// The seeds of so many combinations, from the first on.
pub fn seeds(first: u64, count: u64) -> Vec<u64> {
    (0..count).map(|nth| first.wrapping_add(nth)).collect()
}

/// What came of one trial.
#[derive(Clone, Debug)]
pub enum Done {
    /// A fault.
    Fault(Attribution),
    /// A variant.
    Variant(Tolerance),
    /// A combination.
    Combination(Tolerance),
    /// A null target.
    Null(Attempt),
    /// Two faults at once.
    Pair(Couple),
}

/// What came of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Each fault alone, in the order of the table.
    pub faults: Vec<Attribution>,
    /// Each variant alone, in the order of the table.
    pub variants: Vec<Tolerance>,
    /// Random combinations, by seed.
    pub combinations: Vec<Tolerance>,
    /// Each null target, in the order of the table.
    pub nulls: Vec<Attempt>,
    /// Two faults at once.
    pub pairs: Vec<Couple>,
    /// Whether it was interrupted before all was tried.
    pub interrupted: bool,
}

impl Proof {
    /// What the tables say must come of everything that does not depend on a seed.
    pub fn expected() -> Self {
        Self {
            faults: Fault::all().map(Attribution::expected).collect(),
            variants: Variant::all().map(Tolerance::expected).collect(),
            nulls: <&NullTarget>::all().map(Attempt::expected).collect(),
            ..Self::default()
        }
    }

    /// What is wrong with the suite, or with the tables: what was tried, and one line about it.
    pub fn findings(&self) -> Vec<(String, String)> {
        let faults = self.faults.iter().map(|it| (it.fault.to_owned(), it.findings()));
        let tolerances = self.variants.iter().chain(&self.combinations);
        let tolerances = tolerances.map(|it| (it.name(), it.findings.clone()));
        let nulls = self.nulls.iter().map(|it| (it.id.to_owned(), it.findings.clone()));
        let pairs = self.pairs.iter().map(|it| (it.faults.join(" + "), it.findings.clone()));
        let all = faults.chain(tolerances).chain(nulls).chain(pairs);
        all.flat_map(|(what, lines)| lines.into_iter().map(move |line| (what.clone(), line))).collect()
    }

    fn keep(&mut self, done: Done) {
        match done {
            Done::Fault(attribution) => self.faults.push(attribution),
            Done::Variant(tolerance) => self.variants.push(tolerance),
            Done::Combination(tolerance) => self.combinations.push(tolerance),
            Done::Null(attempt) => self.nulls.push(attempt),
            Done::Pair(couple) => self.pairs.push(couple),
        }
    }

    /// Trials end in any order, and are told in that of the tables.
    fn sort(&mut self) {
        fn place<T: Named>(id: &str) -> usize {
            T::find(id).map_or(usize::MAX, T::place)
        }
        self.faults.sort_by_key(|it| place::<Fault>(it.fault));
        self.variants.sort_by_key(|it| it.taken.first().and_then(|id| id.parse::<Variant>().ok()));
        self.combinations.sort_by_key(|it| it.seed);
        self.nulls.sort_by_key(|it| place::<&NullTarget>(it.id));
        self.pairs.sort_by_key(|it| it.faults.map(place::<Fault>));
    }
}

/// Tries all that the scope names, tells of each as it ends, and stops early where `interrupt` resolves.
pub async fn prove(
    scope: Scope,
    mut tell: impl FnMut(&Done),
    interrupt: impl Future<Output = ()>,
) -> Result<Proof, TrialError> {
    let jobs = scope.jobs.max(1);
    let mut trials = stream::iter(trials(scope).map(aside)).buffer_unordered(jobs);
    let mut interrupt = pin!(interrupt);
    let mut proof = Proof::default();
    loop {
        let next = tokio::select! {
            next = trials.next() => next,
            () = &mut interrupt => {
                proof.interrupted = true;
                None
            }
        };
        let Some(done) = next else { break };
        let done = done?;
        tell(&done);
        proof.keep(done);
    }
    proof.sort();
    Ok(proof)
}

type Trying = BoxFuture<'static, Result<Done, TrialError>>;

/// A trial on a thread of its own, which ends with whoever waits for it. Homeserver and suite on one thread
/// take two thirds of the time that they take where threads hand each other memory.
async fn aside(trial: Trying) -> Result<Done, TrialError> {
    let (mut tell, told) = oneshot::channel();
    std::thread::Builder::new().name("trial".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error.into()))),
        };
        let done = runtime.block_on(async {
            tokio::select! {
                done = trial => Some(done),
                () = tell.closed() => None,
            }
        });
        // Where nobody waits any more, nobody is told.
        if let Some(done) = done {
            drop(tell.send(done));
        }
    })?;
    told.await.unwrap_or(Err(TrialError::Broken))
}

fn trials(scope: Scope) -> impl Iterator<Item = Trying> {
    let seed = scope.seed;
    let faults = scope.faults.into_iter().map(move |fault| -> Trying {
        Box::pin(async move { attribution::attribute(fault, seed).await.map(Done::Fault) })
    });
    let variants = scope.variants.into_iter().map(move |variant| -> Trying {
        Box::pin(async move { freedom::tolerate(variant, seed).await.map(Done::Variant) })
    });
    let combinations = scope.combinations.into_iter().map(|seed| -> Trying {
        Box::pin(async move { freedom::tolerate_random(seed).await.map(Done::Combination) })
    });
    let nulls = scope.nulls.into_iter().map(move |null| -> Trying {
        Box::pin(async move { null::attempt(null, seed).await.map(Done::Null) })
    });
    let pairs = scope.pairs.into_iter().map(move |faults| -> Trying {
        Box::pin(async move { pairs::couple(faults, seed).await.map(Done::Pair) })
    });
    // Those that take longest come first, so that none is waited for alone.
    nulls.chain(variants).chain(combinations).chain(pairs).chain(faults)
}
