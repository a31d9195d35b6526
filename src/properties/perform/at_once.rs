//! Acts that overlap: each lane by itself, all of them side by side, and judged when all are over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::sleep_until;

use crate::outcome::{Judgement, Stop};
use crate::spec::history::{Act, DEVICES, Seat, USERS, Whom};
use crate::spec::model::Model;
use crate::spec::model::order::{self, Done, Explained, Race, Unexplained};

use super::Violation;
use super::came::Came;
use super::judge::{Fit, found};
use super::story::{Place, Story, one_of_each};

/// What is read later than this after it had to be so is later on any clock.
const MOMENT: Duration = Duration::from_millis(1);

/// An act that is over, and what shows it.
pub(super) struct Over {
    pub(super) place: Place,
    pub(super) began: Duration,
    pub(super) done: Done,
    pub(super) came: Came,
}

impl Story<'_> {
    /// Acts at once; they are over when some order of them explains what was answered, and what everybody's
    /// presence comes to carry.
    pub(super) async fn at_once(&mut self, lanes: &[Vec<Act>], step: usize) -> Result<(), Stop> {
        let began = self.began.elapsed();
        self.raced_for.extend(raced_for(lanes));
        let this = &*self;
        let lanes = lanes.iter().enumerate().map(|(lane, acts)| this.lane(acts, step, lane));
        let lanes: Vec<Vec<Over>> = try_join_all(lanes).await?;
        let ended = self.began.elapsed();
        self.judge(&lanes, step, (began, ended)).await
    }

    /// Judges acts that are over.
    pub(super) async fn judge(
        &mut self,
        lanes: &[Vec<Over>],
        step: usize,
        (began, ended): (Duration, Duration),
    ) -> Result<(), Stop> {
        self.saw_all(lanes);
        match self.explained(lanes) {
            Ok(Explained { worlds, passing }) => {
                self.checks(lanes);
                self.worlds = worlds;
                one_of_each(&mut self.worlds);
                self.timeline.pass(passing, began, ended);
                self.timeline.follow(&self.worlds, began, ended);
                self.quiet(lanes, step).await
            }
            // Nothing can be said of these acts, nor of what comes after them.
            Err(Unexplained::TooManyOrders) => {
                let reason = format!("what is done at once in step {step} has more orders than are searched");
                Err(Stop::Untestable { reason, exchange: None })
            }
            Err(Unexplained::Violated { requirement, lane, index, words }) => {
                let over = lanes.get(lane).and_then(|lane| lane.get(index));
                if let Some(over) = over
                    && !self.is_no_dead_session(&over.done.act, &over.came, true).await?
                {
                    return Ok(());
                }
                let exchange = over.and_then(|over| over.came.exchange.clone());
                let expected = "one order of what was done at once that explains every answer".to_owned();
                let judgement =
                    Judgement { holds: false, expected, actual: words, exchange, of_the_session: false };
                self.ends_with(Violation { requirement, judgement, step });
                Ok(())
            }
        }
    }

    /// The acts of one lane. What may be done is seen from there alone: what the others do comes before or after.
    async fn lane(&self, acts: &[Act], step: usize, lane: usize) -> Result<Vec<Over>, Stop> {
        let mut world = self.worlds.first().cloned();
        let mut all = Vec::with_capacity(acts.len());
        for (number, act) in acts.iter().enumerate() {
            let Some(world) = world.as_mut().filter(|world| world.can(act, &self.terrain)) else { continue };
            let hash = self.hash_asked(world, act);
            let about = self.about(hash.as_ref(), Duration::ZERO);
            if !self.cast.fits(act, about) {
                continue;
            }
            let began = self.began.elapsed();
            let came = self.cast.perform(act, about).await?;
            let ended = self.began.elapsed();
            world.follow(act, &came.answer);
            // What a viewer was shown last is as old as the answer that showed it.
            let shown =
                came.exchange.as_ref().map(|exchange| exchange.sent_at.saturating_duration_since(self.began));
            let since = shown.map_or(began, |shown| shown.min(began));
            let (act, answer) = (act.clone(), came.answer.clone());
            let done = Done { act, hash, began: since, ended, answer };
            all.push(Over { place: Place { step, lane, act: number }, began, done, came });
        }
        Ok(all)
    }

    /// Keeps what was seen, in the order in which the acts ended.
    fn saw_all(&mut self, lanes: &[Vec<Over>]) {
        let mut all: Vec<&Over> = lanes.iter().flatten().collect();
        all.sort_by_key(|over| over.done.ended);
        for over in all {
            self.saw(over.place, over.began, over.done.ended, &over.came.answer);
        }
    }

    /// Keeps what is checked by acts of which something can be said.
    fn checks(&mut self, lanes: &[Vec<Over>]) {
        for over in lanes.iter().flatten() {
            let rules = self.worlds.first().map(|world| self.demand(world, &over.done.act).rules);
            self.told.checked.extend(rules.into_iter().flatten().map(|rule| rule.requirement));
        }
    }

    /// What all orders come to that explain what was answered.
    fn explained(&self, lanes: &[Vec<Over>]) -> Result<Explained, Unexplained> {
        // What is wrong behind a hash no order mends.
        let places = lanes.iter().enumerate();
        let mut all =
            places.flat_map(|(lane, acts)| acts.iter().enumerate().map(move |(i, over)| (lane, i, over)));
        if let Some((lane, index, over)) = all.find(|(_, _, over)| over.came.is_behind) {
            let remote = matches!(over.done.act, Act::RemoteAskServer { .. });
            let requirement = if remote { "federation.set" } else { "server.set" };
            let words = "the set behind the hash that was offered is not served".to_owned();
            return Err(Unexplained::Violated { requirement, lane, index, words });
        }
        let lanes: Vec<Vec<Done>> =
            lanes.iter().map(|lane| lane.iter().map(|over| over.done.clone()).collect()).collect();
        order::explain(&Race {
            worlds: &self.worlds,
            lanes: &lanes,
            settle: self.settle(),
            timeline: &self.timeline,
            lapsed: &self.lapsed_in_a_race(),
        })
    }

    /// What is not demanded of acts at once: where failures are remembered, a lookup among them need not succeed,
    /// as it is made once.
    fn lapsed_in_a_race(&self) -> BTreeSet<&'static str> {
        let mut lapsed = self.theatre.lapsed.clone();
        if !self.remembered().is_zero() {
            lapsed.insert("federation.lookup");
        }
        lapsed
    }

    /// Waits until the status of everybody whom somebody can read comes to what one of the worlds has in force.
    ///
    /// Where worlds differ in it, the value of one may be that of another which is late: then what is read when
    /// all has settled decides which of them are left.
    async fn quiet(&mut self, lanes: &[Vec<Over>], step: usize) -> Result<(), Stop> {
        let looks: Vec<Act> = (0..USERS).filter_map(|user| self.look_at(user)).collect();
        for act in looks {
            let Some((hash, demands)) = self.demands(&act) else { continue };
            let (mut came, mut fits) = self.answer(&act, hash.as_ref(), &demands).await?;
            if fits.contains(&Fit::Admitted) && self.differ_in(&act) && self.theatre.decides {
                self.settled(&act).await;
                (came, fits) = self.answer(&act, hash.as_ref(), &demands).await?;
                if fits.contains(&Fit::Admitted) {
                    self.narrow(&fits);
                    one_of_each(&mut self.worlds);
                }
            }
            if !fits.contains(&Fit::Admitted) {
                if !self.is_no_dead_session(&act, &came, true).await? {
                    return Ok(());
                }
                self.violated(&act, &came, &demands, &fits, step).await?;
                if let Some(violation) = &mut self.told.violation {
                    violation.judgement.actual.push_str(&interleaving(lanes));
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether worlds differ in what a status carries.
    fn differ_in(&self, look: &Act) -> bool {
        let Act::ReadStatus { of, .. } = *look else { return false };
        let mut values = self.worlds.iter().map(|world| world.carried(of));
        let first = values.next();
        values.any(|other| Some(other) != first)
    }

    /// Waits until what a status carries must have settled.
    async fn settled(&self, look: &Act) {
        let Act::ReadStatus { of, .. } = *look else { return };
        let instant = self.began + self.timeline.changed(of) + self.settle() + MOMENT;
        let _granted = self.cast.stage().grant(self.settle());
        sleep_until(instant.into()).await;
    }

    /// A reading of a user's status by one of their own sessions, or else by somebody who sees them.
    pub(super) fn look_at(&self, user: usize) -> Option<Act> {
        let of = Whom::User(user);
        let own = (0..DEVICES).map(|device| Seat { user, device });
        let others = (0..USERS).filter(|other| *other != user);
        let others = others.flat_map(|user| (0..DEVICES).map(move |device| Seat { user, device }));
        own.chain(others).map(|by| (by, Act::ReadStatus { by, of })).find_map(|(by, act)| {
            let is_read =
                |world: &Model| world.can(&act, &self.terrain) && world.sees(Whom::User(by.user), of);
            self.worlds.iter().all(is_read).then_some(act)
        })
    }
}

/// The seats on which more than one lane logs in.
fn raced_for(lanes: &[Vec<Act>]) -> BTreeSet<Seat> {
    let mut seats: BTreeMap<Seat, BTreeSet<usize>> = BTreeMap::new();
    for (lane, act) in
        lanes.iter().enumerate().flat_map(|(lane, acts)| acts.iter().map(move |act| (lane, act)))
    {
        if let Act::LogIn { user, device } = *act {
            seats.entry(Seat { user, device }).or_default().insert(lane);
        }
    }
    seats.into_iter().filter(|(_, lanes)| lanes.len() > 1).map(|(seat, _)| seat).collect()
}

/// What happened when, for who is to understand a race.
fn interleaving(lanes: &[Vec<Over>]) -> String {
    let mut all: Vec<&Over> = lanes.iter().flatten().collect();
    all.sort_by_key(|over| over.began);
    let start = all.first().map_or(Duration::ZERO, |first| first.began);
    let ms = |at: Duration| at.saturating_sub(start).as_secs_f64() * 1000.0;
    let line = |over: &&Over| {
        let Over { began, done, came, .. } = over;
        format!("; from {:.1} to {:.1} ms {}: {}", ms(*began), ms(done.ended), done.act, found(came))
    };
    all.iter().map(line).collect()
}
