//! All orders that keep to the lanes and to real time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::spec::history::{Act, REMOTES, Seat, USERS, Whom};
use crate::spec::model::{Answer, Model, Presence, actor};

use super::{Done, Race, Unexplained, is_read};

/// How many worlds are looked at: beyond, nothing is said.
const MOST: usize = 20_000;

/// How far each lane has come.
type Cursor = Vec<usize>;

/// What a search has found.
pub(super) struct Ended<'a> {
    /// The ends of all legal orders, each once.
    pub(super) worlds: Vec<Model>,
    /// All that legal orders come by, the ends among them.
    pub(super) moments: Vec<Moment>,
    /// Where orders end that are not legal.
    pub(super) stuck: Vec<Stuck<'a>>,
}

/// A world that a legal order comes by, and when it may have been.
pub(super) struct Moment {
    pub(super) world: Model,
    /// All acts before it had begun by then.
    from: Duration,
    /// The first act after it had ended by then; none after the last one.
    until: Option<Duration>,
}

/// An act that is answered wrongly where an order puts it.
#[derive(Clone)]
pub(super) struct Stuck<'a> {
    pub(super) requirement: &'static str,
    pub(super) done: &'a Done,
    /// How many acts come before it.
    pub(super) after: usize,
}

impl Moment {
    /// Whether it may have been in this time.
    pub(super) fn is_within(&self, since: Duration, until: Duration) -> bool {
        self.from <= until && self.until.is_none_or(|end| end >= since)
    }

    /// What may be seen in it, of everybody.
    pub(super) fn values(&self) -> impl Iterator<Item = (Whom, Presence)> + '_ {
        let users = (0..USERS).map(Whom::User);
        let all = users.chain((0..REMOTES).map(Whom::Remote));
        all.flat_map(|of| self.values_of(of).into_iter().map(move |value| (of, value)))
    }

    /// What may be seen in it of somebody.
    pub(super) fn values_of(&self, of: Whom) -> Vec<Presence> {
        let mut values = match of {
            Whom::User(user) => self.world.recently(user),
            Whom::Remote(_) => Vec::new(),
        };
        values.push(self.world.carried(of));
        values
    }
}

/// A search under way.
pub(super) struct Search<'a> {
    lanes: Vec<Vec<&'a Done>>,
    /// Sessions that are replaced by a login of these acts: which of the two an act is by nobody can tell.
    replaced: BTreeSet<Seat>,
    lapsed: &'a BTreeSet<&'static str>,
    /// Whether these worlds after these acts come to a legal end.
    met: HashMap<(Cursor, Model), bool>,
    ended: Ended<'a>,
}

impl<'a> Search<'a> {
    /// Searches all orders.
    pub(super) fn run(race: &Race<'a>, lapsed: &'a BTreeSet<&'static str>) -> Result<Ended<'a>, Unexplained> {
        let writes = |lane: &'a Vec<Done>| lane.iter().filter(|done| !is_read(&done.act)).collect();
        let replaced = race.lanes.iter().flatten().filter_map(|done| match done.act {
            Act::LogIn { user, device } => Some(Seat { user, device }),
            _ => None,
        });
        let mut search = Self {
            lanes: race.lanes.iter().map(writes).collect(),
            replaced: replaced.collect(),
            lapsed,
            met: HashMap::new(),
            ended: Ended { worlds: Vec::new(), moments: Vec::new(), stuck: Vec::new() },
        };
        for world in race.worlds {
            let mut cursor = vec![0; search.lanes.len()];
            search.ends(&mut cursor, world.clone());
        }
        if search.met.len() >= MOST { Err(Unexplained::TooManyOrders) } else { Ok(search.ended) }
    }

    /// Whether a legal order goes on from here to the end.
    fn ends(&mut self, cursor: &mut Cursor, world: Model) -> bool {
        let here = (cursor.clone(), world);
        if let Some(ends) = self.met.get(&here) {
            return *ends;
        }
        if self.met.len() >= MOST {
            return false;
        }
        let ready = self.ready(cursor);
        let mut ends = ready.is_empty();
        for lane in ready {
            let done = self.lanes[lane][cursor[lane]];
            match self.take(&here.1, done) {
                Ok(next) => {
                    cursor[lane] += 1;
                    ends |= self.ends(cursor, next);
                    cursor[lane] -= 1;
                }
                Err(requirement) => {
                    let after = cursor.iter().sum();
                    self.ended.stuck.push(Stuck { requirement, done, after });
                }
            }
        }
        if ends {
            self.keep(&here);
        }
        self.met.insert(here, ends);
        ends
    }

    fn keep(&mut self, (cursor, world): &(Cursor, Model)) {
        let taken = self.lanes.iter().zip(cursor).flat_map(|(lane, come)| &lane[..*come]);
        let from = taken.map(|done| done.began).max().unwrap_or_default();
        let until = self.next(cursor).map(|(_, done)| done.ended).min();
        if until.is_none() {
            self.ended.worlds.push(world.clone());
        }
        self.ended.moments.push(Moment { world: world.clone(), from, until });
    }

    /// The next act of each lane that is not over.
    fn next<'s>(&'s self, cursor: &'s Cursor) -> impl Iterator<Item = (usize, &'a Done)> + 's {
        let next = |(lane, done): (usize, &Vec<&'a Done>)| Some((lane, *done.get(cursor[lane])?));
        self.lanes.iter().enumerate().filter_map(next)
    }

    /// The lanes whose next act may come next: before it began, none of the others had ended.
    fn ready(&self, cursor: &Cursor) -> Vec<usize> {
        let first_end = self.next(cursor).map(|(_, done)| done.ended).min().unwrap_or_default();
        self.next(cursor).filter(|(_, done)| done.began <= first_end).map(|(lane, _)| lane).collect()
    }

    /// What comes of an act here; else what its answer breaks.
    fn take(&self, world: &Model, done: &Done) -> Result<Model, &'static str> {
        let demand = world.demand(&done.act);
        if self.is_of_the_dead(world, &done.act, &done.answer) {
            if matches!(done.answer, Answer::Broken(_)) {
                return Err(demand.rules.first().map_or("auth.dead-token", |rule| rule.requirement));
            }
        } else if done.answer == Answer::DeadToken {
            return Err("auth.dead-token");
        } else if let Some(rule) = demand.broken_by(&done.answer, self.lapsed) {
            return Err(rule.requirement);
        }
        let mut next = world.clone();
        next.follow(&done.act, &done.answer);
        Ok(next)
    }

    /// Whether an act may be that of a session that has ended, to which 401 is an answer. Until the end has
    /// settled any other is one, too (protocol 8.2); it does not come back to life by it.
    fn is_of_the_dead(&self, world: &Model, act: &Act, answer: &Answer) -> bool {
        actor(act).is_some_and(|by| {
            let replaced = *answer == Answer::DeadToken && self.replaced.contains(&by);
            replaced || !world.is_live(by)
        })
    }
}
