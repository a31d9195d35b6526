//! One act after the other: each is done, judged, and followed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::actors::Window;
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, History, Seat, Step, Terrain, Which, Whom, words};
use crate::spec::model::timeline::Timeline;
use crate::spec::model::{Answer, Demand, Model};
use crate::target::features::Feature;
use crate::target::patience::ask_while;

use super::act::{About, Dressed};
use super::came::Came;
use super::cast::{Cast, is_finite};
use super::judge::Fit;
use super::{Performance, Seen, Theatre, terrain_of};

/// How many names are tried for sets whose hashes any path takes; one hash in four is such.
const SALTS: usize = 100;

/// A performance that is under way.
pub(super) struct Story<'s> {
    pub(super) theatre: &'s Theatre,
    pub(super) cast: &'s Cast,
    pub(super) sets: Vec<Dressed>,
    pub(super) terrain: Terrain,
    pub(super) patience: Duration,
    pub(super) began: Instant,
    /// A hash that nobody has.
    unknown: CapabilityHash,
    /// The states that explain all that was answered: one, unless acts have overlapped.
    pub(super) worlds: Vec<Model>,
    /// What was in force when, and who saw whom.
    pub(super) timeline: Timeline,
    pub(super) told: Performance,
    /// Seats on which several have logged in at once.
    pub(super) raced_for: BTreeSet<Seat>,
    /// Nothing can be said any more: something was violated, or what follows is unknown.
    pub(super) over: bool,
}

/// Where in the history an act stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) step: usize,
    pub(super) lane: usize,
    pub(super) act: usize,
}

impl<'s> Story<'s> {
    pub(super) fn new(
        theatre: &'s Theatre,
        cast: &'s Cast,
        (history, nonce): (&History, &str),
        patience: Duration,
    ) -> Self {
        let sets = dressed(history, nonce, theatre.world.features.has(Feature::EveryHash));
        for (which, set) in sets.iter().enumerate() {
            cast.stage().note(&words::set(which).to_string(), set);
        }
        Self {
            theatre,
            cast,
            unknown: unknown_hash(nonce),
            worlds: vec![Model::new(sets.clone())],
            sets: sets.into_iter().map(Dressed::new).collect(),
            terrain: terrain_of(&theatre.world),
            patience,
            began: Instant::now(),
            timeline: if is_finite(cast.stage()) {
                Timeline::of_the_acquainted()
            } else {
                Timeline::default()
            },
            told: Performance::default(),
            raced_for: BTreeSet::new(),
            over: false,
        }
    }

    pub(super) async fn play(&mut self, history: &History) -> Result<(), Stop> {
        for (step, what) in history.steps.iter().enumerate() {
            match what {
                Step::One(act) => self.one(act, Place { step, lane: 0, act: 0 }).await?,
                Step::AtOnce(lanes) => self.at_once(lanes, step).await?,
            }
            if self.over {
                break;
            }
        }
        Ok(())
    }

    /// What came of it so far.
    pub(super) fn told(self) -> Performance {
        self.told
    }

    async fn one(&mut self, act: &Act, place: Place) -> Result<(), Stop> {
        let Some((hash, demands)) = self.demands(act) else { return Ok(()) };
        let began = self.began.elapsed();
        let (came, fits) = self.answer(act, hash.as_ref(), &demands).await?;
        let ended = self.began.elapsed();
        self.saw(place, began, ended, &came.answer);
        let admitted = fits.contains(&Fit::Admitted);
        if !self.is_no_dead_session(act, &came, !admitted).await? {
            return Ok(());
        }
        match admitted {
            true => self.follow(act, &came.answer, &fits, (began, ended)),
            false => self.violated(act, &came, &demands, &fits, place.step).await?,
        }
        Ok(())
    }

    /// The answer to an act as far as it is waited for, and how it fits each world.
    pub(super) async fn answer(
        &mut self,
        act: &Act,
        hash: Option<&CapabilityHash>,
        demands: &[Demand],
    ) -> Result<(Came, Vec<Fit>), Stop> {
        self.told
            .checked
            .extend(demands.iter().flat_map(|demand| &demand.rules).map(|rule| rule.requirement));
        let began = Instant::now();
        let (asked, came, fits) = self.ask(act, hash, demands).await?;
        if asked > 1 && fits.contains(&Fit::Admitted) {
            self.told.slowest = self.told.slowest.max(began.elapsed());
        }
        Ok((came, fits))
    }

    /// What may be answered to an act in each world, and the hash that it is about; nothing where it cannot be
    /// done on this target, or where nobody knows whether it can.
    pub(super) fn demands(&self, act: &Act) -> Option<(Option<CapabilityHash>, Vec<Demand>)> {
        let can = self.worlds.iter().all(|world| world.can(act, &self.terrain));
        let hash = if can { self.agreed_hash(act)? } else { None };
        let fits = self.cast.fits(act, self.about(hash.as_ref(), Duration::ZERO));
        let demands = || self.worlds.iter().map(|world| self.demand(world, act)).collect();
        (can && fits).then(|| (hash, demands()))
    }

    /// Asks until an answer is admitted or cannot come right any more, for as long as effects are waited for;
    /// how often it asked, and the last answer with how it fits each world.
    pub(super) async fn ask(
        &self,
        act: &Act,
        hash: Option<&CapabilityHash>,
        demands: &[Demand],
    ) -> Result<(usize, Came, Vec<Fit>), Stop> {
        let remembered = match act {
            Act::Resolve { of: Whom::Remote(_), .. } => self.remembered(),
            _ => Duration::ZERO,
        };
        let _granted = self.cast.stage().grant(remembered);
        let window = Window::lasting(self.cast.stage(), self.patience + remembered);
        let mut asked = 0;
        let ask = || {
            // At first without waiting, because most effects have come.
            let hold = if asked == 0 { Duration::ZERO } else { window.left() };
            asked += 1;
            let (asked, about) = (asked, self.about(hash, hold));
            async move {
                let came = self.cast.perform(act, about).await?;
                let each = self.worlds.iter().zip(demands);
                let fits = each.map(|(world, demand)| self.fit(world, demand, act, &came)).collect();
                Ok::<_, Stop>((asked, came, fits))
            }
        };
        let decided = |asked: &Result<(usize, Came, Vec<Fit>), Stop>| {
            let is_early = |fit: &Fit| matches!(fit, Fit::Early(_));
            let undecided = |fits: &[Fit]| !fits.contains(&Fit::Admitted) && fits.iter().any(is_early);
            asked.as_ref().map_or(true, |(_, _, fits)| !undecided(fits))
        };
        ask_while(|| window.left(), ask, decided).await
    }

    /// How long a lookup that failed may go on failing (protocol 13.5).
    pub(super) fn remembered(&self) -> Duration {
        self.theatre.world.target.limits.negative_cache
    }

    /// What an act is about, beside what it says itself.
    pub(super) fn about<'a>(&'a self, hash: Option<&'a CapabilityHash>, patience: Duration) -> About<'a> {
        About { sets: &self.sets, hash, patience }
    }

    /// The hash that an act is about, if it is about one; `None` where worlds differ over it, so that nobody
    /// knows what to ask.
    fn agreed_hash(&self, act: &Act) -> Option<Option<CapabilityHash>> {
        let mut hashes = self.worlds.iter().map(|world| self.hash_asked(world, act));
        let first = hashes.next()?;
        hashes.all(|other| other == first).then_some(first)
    }

    /// The hash that an act is about in one world; nobody has the one that is unknown.
    pub(super) fn hash_asked(&self, world: &Model, act: &Act) -> Option<CapabilityHash> {
        let (of, what) = match act {
            Act::Resolve { of, what, .. } => (*of, *what),
            Act::RemoteResolve { of, what, .. } => (Whom::User(*of), *what),
            _ => return None,
        };
        match what {
            Which::Unknown => Some(self.unknown.clone()),
            what => world.hash_asked(of, what),
        }
    }

    /// Every world that lets an answer pass goes on with it.
    fn follow(&mut self, act: &Act, answer: &Answer, fits: &[Fit], (began, ended): (Duration, Duration)) {
        self.narrow(fits);
        self.worlds.iter_mut().for_each(|world| world.follow(act, answer));
        if changes_presence(act) {
            self.timeline.follow(&self.worlds, began, ended);
        }
        one_of_each(&mut self.worlds);
    }

    /// Leaves the worlds that an answer fits; one whose answer is still on its way may be the one.
    pub(super) fn narrow(&mut self, fits: &[Fit]) {
        let (mut fits, before) = (fits.iter(), self.worlds.len());
        self.worlds.retain(|_| !matches!(fits.next(), Some(Fit::Wrong(_))));
        if self.worlds.len() < before {
            self.timeline.narrow(&self.worlds);
        }
    }

    pub(super) fn saw(&mut self, place: Place, began: Duration, ended: Duration, answer: &Answer) {
        let Place { step, lane, act } = place;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let (began_us, ended_us) = (micros(began), micros(ended));
        self.told.trace.push(Seen { step, lane, act, began_us, ended_us, answer: answer.clone() });
    }
}

/// The sets of a history; where slashes do not survive a path, under names that give as many of them as can be
/// found hashes without.
fn dressed(history: &History, nonce: &str, every_hash: bool) -> Vec<CapabilitySet> {
    let plain = |sets: &Vec<CapabilitySet>| sets.iter().filter(|set| set.hash().is_url_plain()).count();
    let salted = || (1..SALTS).map(|salt| history.dressed(&format!("{nonce}x{salt}")));
    match every_hash {
        true => None,
        false => salted().max_by_key(plain),
    }
    .unwrap_or_else(|| history.dressed(nonce))
}

/// A hash that nobody has and any path takes.
fn unknown_hash(nonce: &str) -> CapabilityHash {
    let salted = |salt: u64| CapabilitySet::of([format!("org.capcheck.{nonce}.unknown.{salt}")]).hash();
    (0..).map(salted).find(CapabilityHash::is_url_plain).unwrap_or_else(|| salted(0))
}

/// Whether an act may change what presence carries, or who sees it.
fn changes_presence(act: &Act) -> bool {
    matches!(
        act,
        Act::Declare { .. }
            | Act::LogIn { .. }
            | Act::LogOut { .. }
            | Act::LogOutEverywhere { .. }
            | Act::DeleteDevice { .. }
            | Act::Share { .. }
            | Act::Leave { .. }
            | Act::RemoteShare { .. }
            | Act::RemoteDeclare { .. }
    )
}

/// Leaves one of those that are equal.
pub(super) fn one_of_each(worlds: &mut Vec<Model>) {
    if worlds.len() > 1 {
        let mut known = std::collections::HashSet::new();
        worlds.retain(|world| known.insert(world.clone()));
    }
}
