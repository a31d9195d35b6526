//! What comes of acts that overlap: whether one order of them explains what was answered.
//!
//! Acts at once are checked when all of them are over. An order is legal if it keeps to each lane and to real
//! time, what ended before another began coming first, and if what was answered to each act is what the model
//! [demands](Model::demand) where the order puts it. Reads change nothing, so they have no place in an order: a
//! read may show whatever some legal order had in force within the `settle_s` before it (protocol 8.2), and
//! that each read may take another order for it is the one thing that this lets pass. What must be one order
//! for all is the end: once all has settled, every read shows [one world](settle).
//!
//! The search remembers which worlds it has met after which acts, so that orders that come to the same are
//! searched once; it is bounded all the same.

mod reads;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, Whom};
use crate::spec::requirement::{self, Level};

use super::diagnosis::{Diagnosis, diagnose};
use super::timeline::Timeline;
use super::{Answer, Model, Presence};
use search::{Ended, Search};

/// An act that is over; times count from when the history began.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was done.
    pub act: Act,
    /// The hash that it asked for, if it asked for one: which one was in force then is not known here.
    pub hash: Option<CapabilityHash>,
    /// When its first request was about to be sent.
    pub began: Duration,
    /// When its answer had been read.
    pub ended: Duration,
    /// What was answered.
    pub answer: Answer,
}

/// Acts that overlapped, and what is known of before.
#[derive(Clone, Copy, Debug)]
pub struct Race<'a> {
    /// What the homeserver may have been when they began: one of these.
    pub worlds: &'a [Model],
    /// What was done in each lane, in order.
    pub lanes: &'a [Vec<Done>],
    /// The time within which effects must be visible, `settle_s`.
    pub settle: Duration,
    /// What was in force before.
    pub timeline: &'a Timeline,
    /// The requirements that are not demanded.
    pub lapsed: &'a BTreeSet<&'static str>,
}

/// What legal orders come to.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What the homeserver may be now: the ends of all legal orders.
    pub worlds: Vec<Model>,
    /// What may have been in force meanwhile, and may be seen until all has settled: for [`Timeline::pass`].
    pub passing: BTreeSet<(Whom, Presence)>,
}

/// Why no order explains what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// An answer is wrong in every order.
    Violated {
        /// What it breaks: the requirement without which there is an order, a should if one will do.
        requirement: &'static str,
        /// In which lane, from 0.
        lane: usize,
        /// Which act of that lane, from 0.
        index: usize,
        /// What was answered, and between which acts.
        words: String,
    },
    /// There are more orders than are searched; nothing can be said.
    TooManyOrders,
}

/// What the homeserver may be after acts that overlapped.
pub fn explain(race: &Race<'_>) -> Result<Explained, Unexplained> {
    let ended = Search::run(race, race.lapsed)?;
    if ended.worlds.is_empty() {
        return Err(blame(race, &ended));
    }
    for read in race.lanes.iter().flatten().filter(|done| is_read(&done.act)) {
        if let Err(requirement) = reads::explain(race, &ended.moments, read) {
            return Err(violated(race, requirement, read));
        }
    }
    let passing = ended.moments.iter().flat_map(search::Moment::values).collect();
    Ok(Explained { worlds: ended.worlds, passing })
}

/// The worlds that carry what was read when all had settled; where none does, what the mistake is.
pub fn settle(worlds: &[Model], act: &Act, answer: &Answer) -> Result<Vec<Model>, Diagnosis> {
    let none = BTreeSet::new();
    let carries = |world: &&Model| world.demand(act).broken_by(answer, &none).is_none();
    let left: Vec<Model> = worlds.iter().filter(carries).cloned().collect();
    if left.is_empty() {
        let found = worlds.iter().map(|world| diagnose(world, act, answer));
        return mildest(found, |diagnosis| diagnosis.requirement).map_or(Ok(left), Err);
    }
    Ok(left)
}

/// The first of those that are least binding: a must is not blamed where a should explains as much.
fn mildest<T>(of: impl IntoIterator<Item = T>, requirement: impl Fn(&T) -> &'static str) -> Option<T> {
    of.into_iter().min_by_key(|one| level(requirement(one)))
}

fn level(id: &str) -> Level {
    requirement::find(id).map_or(Level::Must, |requirement| requirement.level)
}

/// The requirement without which an order explains all, and the act that breaks it; where there is none, the
/// one that the orders break that come furthest.
fn blame(race: &Race<'_>, ended: &Ended<'_>) -> Unexplained {
    let mut stuck = ended.stuck.clone();
    stuck.sort_by_key(|stuck| (level(stuck.requirement), std::cmp::Reverse(stuck.after)));
    let mut tried = BTreeSet::new();
    for stuck in &stuck {
        let lapsed = race.lapsed.iter().copied().chain([stuck.requirement]).collect();
        let is_new = tried.insert(stuck.requirement);
        if is_new && Search::run(race, &lapsed).is_ok_and(|ended| !ended.worlds.is_empty()) {
            return violated(race, stuck.requirement, stuck.done);
        }
    }
    match stuck.iter().max_by_key(|stuck| stuck.after) {
        Some(stuck) => violated(race, stuck.requirement, stuck.done),
        None => Unexplained::TooManyOrders,
    }
}

fn violated(race: &Race<'_>, requirement: &'static str, done: &Done) -> Unexplained {
    let mut words = format!("no order explains that {} and is answered {}", done.act, said(&done.answer));
    let mut all: Vec<&Done> = race.lanes.iter().flatten().collect();
    all.sort_by_key(|done| done.began);
    let start = all.first().map_or(Duration::ZERO, |first| first.began);
    for done in all {
        let ms = |at: Duration| (at - start).as_secs_f64() * 1000.0;
        let (from, to) = (ms(done.began), ms(done.ended));
        // Writing to a string never fails.
        let _ = write!(words, "; from {from:.1} to {to:.1} ms {}: {}", done.act, said(&done.answer));
    }
    let (lane, index) = place(race, done);
    Unexplained::Violated { requirement, lane, index, words }
}

/// Where an act stands: its lane, and its place there. The same may be done in several places.
fn place(race: &Race<'_>, done: &Done) -> (usize, usize) {
    let within = |lane: &Vec<Done>| lane.iter().position(|other| std::ptr::eq(other, done));
    let mut lanes = race.lanes.iter().enumerate();
    lanes.find_map(|(number, lane)| Some((number, within(lane)?))).unwrap_or_default()
}

/// An answer in words.
fn said(answer: &Answer) -> String {
    match answer {
        Answer::Accepted => "200".to_owned(),
        Answer::Refused => "the refusal".to_owned(),
        Answer::Rejected(status, code) => format!("{status} {}", code.as_deref().unwrap_or_default()),
        Answer::DeadToken => "401 M_UNKNOWN_TOKEN".to_owned(),
        Answer::Hash(hash) => hash.clone(),
        Answer::NoHash => "no hash".to_owned(),
        Answer::Unseen => "nothing".to_owned(),
        Answer::Set(hash) => format!("the set of {hash}"),
        Answer::Odd(words) | Answer::Broken(words) => words.clone(),
    }
}

/// Whether an act only looks, so that it has no place in an order.
fn is_read(act: &Act) -> bool {
    matches!(
        act,
        Act::UseDeadToken { .. }
            | Act::ReadStatus { .. }
            | Act::Sync { .. }
            | Act::Resolve { .. }
            | Act::AskServer { .. }
            | Act::RemoteRead { .. }
            | Act::RemoteResolve { .. }
            | Act::RemoteAskServer { .. }
    )
}
