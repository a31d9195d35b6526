//! What reads may show while acts overlap.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, Which, Whom};
use crate::spec::model::diagnosis::diagnose;
use crate::spec::model::{Admits, Answer, Demand, Model, Presence, Rule, actor};

use super::search::Moment;
use super::{Done, Race, mildest};

/// A read, and what it may be about.
struct Read<'a> {
    race: &'a Race<'a>,
    done: &'a Done,
    /// What may have been within `settle_s` before it was answered.
    moments: Vec<&'a Moment>,
    since: Duration,
}

/// Whether a read shows what some legal order had within the `settle_s` before; else what it breaks.
pub(super) fn explain(race: &Race<'_>, moments: &[Moment], done: &Done) -> Result<(), &'static str> {
    let since = done.began.saturating_sub(race.settle);
    let within = moments.iter().filter(|moment| moment.is_within(since, done.ended)).collect();
    let read = Read { race, done, moments: within, since };
    if read.is_right_in_some() || read.is_late() { Ok(()) } else { Err(read.breaks()) }
}

impl Read<'_> {
    fn worlds(&self) -> impl Iterator<Item = &Model> {
        self.moments.iter().map(|moment| &moment.world)
    }

    /// Whether it is right in one of the worlds that may have been.
    fn is_right_in_some(&self) -> bool {
        self.worlds().any(|world| match (&self.done.answer, actor(&self.done.act)) {
            (Answer::DeadToken, Some(by)) => !world.is_live(by) || self.is_replaced(),
            (answer, _) => self.demand(world).broken_by(answer, self.race.lapsed).is_none(),
        })
    }

    /// What a world demands of it. Of a question for a set, by the hash that was really asked for: what was in
    /// force when the lane came to ask may be something else by the time the answer comes, and other lanes
    /// may have changed it before.
    fn demand(&self, world: &Model) -> Demand {
        let Some(hash) = &self.done.hash else { return world.demand(&self.done.act) };
        let mut act = self.done.act.clone();
        let (of, what) = match &mut act {
            Act::Resolve { of, what, .. } => (*of, what),
            Act::RemoteResolve { of, what, .. } => (Whom::User(*of), what),
            _ => return world.demand(&act),
        };
        if *what == Which::Unknown {
            return world.demand(&act);
        }
        let is_it = |which: &Which| world.hash_asked(of, *which).as_ref() == Some(hash);
        let sets = (0..world.sets.len()).map(Which::Set);
        match [Which::InForce, Which::Superseded].into_iter().chain(sets).find(is_it) {
            Some(which) => {
                *what = which;
                world.demand(&act)
            }
            None => of_another_moment(of, hash),
        }
    }

    /// Whether the session that reads is replaced by a login of these acts.
    fn is_replaced(&self) -> bool {
        let by = actor(&self.done.act);
        let replaces = |act: &Act| match act {
            Act::LogIn { user, device } => by.is_some_and(|by| (by.user, by.device) == (*user, *device)),
            _ => false,
        };
        self.race.lanes.iter().flatten().any(|done| replaces(&done.act))
    }

    /// Whether it is right though it is late: it shows what was in force before, or who was seen before.
    fn is_late(&self) -> bool {
        let Some((viewer, of)) = looks_at(&self.done.act) else { return false };
        if matches!(self.done.answer, Answer::Broken(_) | Answer::Odd(_)) {
            return false;
        }
        let unsettled = self.race.timeline.is_unsettled(viewer, of, self.since);
        let values = self.values(of);
        unsettled || self.is_seen(viewer, of) && self.shows_one_of(&values) || self.may_serve(of, &values)
    }

    fn is_seen(&self, viewer: Whom, of: Whom) -> bool {
        self.worlds().any(|world| world.sees(viewer, of))
    }

    /// What may have been in force: at one of the moments, or before the first of them.
    fn values(&self, of: Whom) -> BTreeSet<Presence> {
        let meanwhile = self.moments.iter().flat_map(|moment| moment.values_of(of));
        meanwhile.chain(self.race.timeline.lately(of, self.since)).collect()
    }

    fn shows_one_of(&self, values: &BTreeSet<Presence>) -> bool {
        let is_presence = !matches!(self.done.act, Act::Resolve { .. } | Act::RemoteResolve { .. });
        is_presence && values.iter().any(|value| value.is_told_by(&self.done.answer))
    }

    /// While the value in force changes, what was asked for may be served or not: one that has just come into
    /// force may not be yet, one that has just gone need not be any more. Another set is never served.
    fn may_serve(&self, of: Whom, values: &BTreeSet<Presence>) -> bool {
        let (Act::Resolve { what, .. } | Act::RemoteResolve { what, .. }) = self.done.act else {
            return false;
        };
        let is_changing = values.len() > 1 || self.worlds().any(|world| world.superseded(of).is_some());
        match &self.done.answer {
            Answer::Set(served) => {
                let of_moment =
                    |world: &Model| world.superseded(of).is_some_and(|set| set.hash().as_str() == served);
                let was =
                    |value: &Presence| matches!(value, Presence::Union(hash) if hash.as_str() == served);
                let is_asked = self.done.hash.as_ref().is_some_and(|hash| hash.as_str() == served);
                is_asked && is_changing && (values.iter().any(was) || self.worlds().any(of_moment))
            }
            answer => answer.declines() && what != Which::Unknown && values.len() > 1,
        }
    }

    /// The requirement that explains it best; a should, if one will do.
    fn breaks(&self) -> &'static str {
        let (act, answer) = (&self.done.act, &self.done.answer);
        let broken = self.worlds().filter_map(|world| {
            let demand = self.demand(world);
            let rule = demand.broken_by(answer, self.race.lapsed)?.requirement;
            let is_presence =
                matches!(act, Act::ReadStatus { .. } | Act::Sync { .. } | Act::RemoteRead { .. });
            Some(if is_presence { diagnose(world, act, answer).requirement } else { rule })
        });
        mildest(broken, |requirement| requirement).unwrap_or("auth.dead-token")
    }
}

/// What is demanded of a hash that was in force at another moment than the one that is looked at: that nothing
/// else is served for it.
fn of_another_moment(of: Whom, hash: &CapabilityHash) -> Demand {
    let requirement = match of {
        Whom::User(_) => "resolve.verifies",
        Whom::Remote(_) => "federation.lookup-verified",
    };
    let admits = Admits::NothingElseThan(hash.clone());
    Demand { rules: vec![Rule { requirement, admits, settles: false }] }
}

/// Who looks at whom.
fn looks_at(act: &Act) -> Option<(Whom, Whom)> {
    match *act {
        Act::ReadStatus { by, of } | Act::Sync { by, of } | Act::Resolve { by, of, .. } => {
            Some((Whom::User(by.user), of))
        }
        Act::RemoteRead { remote, of } | Act::RemoteResolve { remote, of, .. } => {
            Some((Whom::Remote(remote), Whom::User(of)))
        }
        _ => None,
    }
}
