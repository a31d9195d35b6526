//! What can be done next: a history is walked with the model before it is performed.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{Part, names, parts};
use super::{Act, History, Seat, Step, Terrain};
use crate::spec::capability::CapabilitySet;
use crate::spec::model::{Admits, Answer, Model, Presence};

/// How far a history has come, on a homeserver that conforms.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    model: Model,
    terrain: Terrain,
    /// Sessions of which nobody knows whether they live, because acts at once opened and ended them.
    doubtful: BTreeSet<Seat>,
}

impl Walk {
    pub(super) fn new(sets: Vec<CapabilitySet>, terrain: Terrain) -> Self {
        Self { model: Model::new(sets), terrain, doubtful: BTreeSet::new() }
    }

    /// Whether an act can be done now, whatever order acts at once were done in.
    pub(super) fn can(&self, act: &Act) -> bool {
        self.model.can(act, &self.terrain) && self.is_sure(act)
    }

    fn is_sure(&self, act: &Act) -> bool {
        let doubtful = |seat| self.doubtful.contains(&seat);
        self.doubtful.is_empty()
            || matches!(act, Act::LogIn { .. })
            || !names(act, |part| match part {
                Part::Seat(seat) => doubtful(*seat),
                Part::Device(user, device) => doubtful(Seat { user, device: *device }),
                _ => false,
            })
    }

    /// Does an act if it can be done; whether it can.
    pub(super) fn act(&mut self, act: &Act) -> bool {
        let can = self.can(act);
        if can {
            self.follow(act);
            self.doubtful.retain(|seat| act.opens() != Some(*seat) && !act.ends(*seat));
        }
        can
    }

    fn follow(&mut self, act: &Act) {
        if !act.is_look() {
            let answer = assumed(&self.model, act);
            self.model.follow(act, &answer);
        }
    }

    /// Does acts at once: those that can be done in their lane, in one of their orders. Each lane keeps what
    /// can be done in it, for whoever is there when the lanes begin.
    pub(super) fn at_once(&mut self, lanes: &mut Vec<Vec<Act>>) {
        for lane in lanes.iter_mut() {
            let mut alone = self.clone();
            lane.retain(|act| alone.act(act));
        }
        lanes.retain(|lane| !lane.is_empty());
        let doubtful = doubtful(lanes);
        for act in lanes.iter().flatten() {
            if self.model.can(act, &self.terrain) {
                self.follow(act);
            }
        }
        self.doubtful.extend(doubtful);
    }
}

/// The sessions of which nobody knows whether they live after these lanes: one opens and another ends or opens
/// them, or they are ended by a session that another lane ends.
fn doubtful(lanes: &[Vec<Act>]) -> BTreeSet<Seat> {
    let elsewhere = |here: usize, holds: &dyn Fn(&Act) -> bool| {
        lanes.iter().enumerate().any(|(there, lane)| there != here && lane.iter().any(holds))
    };
    let seats = |user| (0..super::DEVICES).map(move |device| Seat { user, device });
    let mut doubtful = BTreeSet::new();
    for (here, lane) in lanes.iter().enumerate() {
        for act in lane {
            if let Some(opened) = act.opens()
                && elsewhere(here, &|other| other.ends(opened))
            {
                doubtful.insert(opened);
            }
            if let Some(by) = act.by()
                && elsewhere(here, &|other| other.ends(by))
            {
                doubtful.extend(seats(by.user).filter(|seat| *seat != by && act.ends(*seat)));
            }
        }
    }
    doubtful
}

/// What a homeserver answers that conforms: the first that is demanded of it. Where it is free it does what it
/// is asked for.
pub(super) fn assumed(model: &Model, act: &Act) -> Answer {
    let rejected = |status, errcode: &str| Answer::Rejected(status, Some(errcode.to_owned()));
    let answer = |admits: &Admits| match admits {
        Admits::Accepted => Some(Answer::Accepted),
        Admits::Refused | Admits::Declined => Some(Answer::Refused),
        Admits::Rejected => Some(rejected(400, "M_INVALID_PARAM")),
        Admits::DeadToken => Some(Answer::DeadToken),
        Admits::Carries(Presence::Nothing) => Some(Answer::NoHash),
        Admits::Carries(Presence::Union(hash)) => Some(Answer::Hash(hash.to_string())),
        Admits::Hidden => Some(Answer::Unseen),
        Admits::Serves(set) => Some(Answer::Set(set.hash().to_string())),
        Admits::NothingElseThan(_) => Some(rejected(404, "M_NOT_FOUND")),
        Admits::AHash => Some(Answer::Hash(CapabilitySet::default().hash().to_string())),
        Admits::AnyAnswer => None,
    };
    model.demand(act).rules.iter().find_map(|rule| answer(&rule.admits)).unwrap_or(Answer::Accepted)
}

/// The history without what cannot be done in it, with users, devices and homeservers numbered as they come,
/// without the sets that do not occur, and with equal sets made one; and whether its last step, or some of it,
/// can still be done.
pub(super) fn repaired(mut history: History, terrain: Terrain) -> (History, bool) {
    renumber(&mut history.steps);
    let mut walk = Walk::new(history.sets.clone(), terrain);
    let mut steps = Vec::new();
    let mut ends_alike = false;
    for step in history.steps {
        let before = steps.len();
        match step {
            Step::One(act) => steps.extend(walk.act(&act).then_some(Step::One(act))),
            Step::AtOnce(lanes) => at_once(&mut walk, lanes, &mut steps),
        }
        ends_alike = steps.len() > before;
    }
    (with_needed_sets(&history.sets, steps), ends_alike)
}

/// A single lane is no acts at once.
fn at_once(walk: &mut Walk, mut lanes: Vec<Vec<Act>>, steps: &mut Vec<Step>) {
    let mut after = walk.clone();
    after.at_once(&mut lanes);
    if lanes.len() > 1 {
        steps.push(Step::AtOnce(lanes));
        *walk = after;
    } else {
        steps.extend(lanes.into_iter().flatten().filter(|act| walk.act(act)).map(Step::One));
    }
}

/// Numbers users as they sign up, and devices and other homeservers as they come; the device of the signing-up
/// keeps its number.
fn renumber(steps: &mut [Step]) {
    let signed_up = |act: &mut Act| if let Act::SignUp { user } = act { Some(*user) } else { None };
    let mut users = Numbers(steps.iter_mut().flat_map(Step::acts_mut).filter_map(signed_up).collect());
    let (mut devices, mut remotes) = (BTreeMap::new(), Numbers::default());
    let mut device =
        |user: usize, device: usize| devices.entry(user).or_insert_with(|| Numbers(vec![0])).of(device);
    for act in steps.iter_mut().flat_map(Step::acts_mut) {
        parts(act, &mut |part| match part {
            Part::User(user) => *user = users.of(*user),
            Part::Seat(seat) => {
                *seat = Seat { device: device(seat.user, seat.device), user: users.of(seat.user) };
            }
            Part::Device(user, number) => *number = device(user, *number),
            Part::Remote(remote) => *remote = remotes.of(*remote),
            Part::Set(_) => {}
        });
    }
}

/// What was numbered, in the order of its numbers.
#[derive(Default)]
struct Numbers(Vec<usize>);

impl Numbers {
    fn of(&mut self, old: usize) -> usize {
        self.0.iter().position(|known| *known == old).unwrap_or_else(|| {
            self.0.push(old);
            self.0.len() - 1
        })
    }
}

/// The history with those sets alone that its acts name, each once, in the order in which they are named.
fn with_needed_sets(sets: &[CapabilitySet], mut steps: Vec<Step>) -> History {
    let mut needed: Vec<CapabilitySet> = Vec::new();
    each_set(&mut steps, |place| {
        if let Some(set) = sets.get(*place) {
            *place = needed.iter().position(|other| other == set).unwrap_or(needed.len());
            if *place == needed.len() {
                needed.push(set.clone());
            }
        }
    });
    History { sets: needed, steps }
}

fn each_set(steps: &mut [Step], mut see: impl FnMut(&mut usize)) {
    for act in steps.iter_mut().flat_map(Step::acts_mut) {
        parts(act, &mut |part| {
            if let Part::Set(set) = part {
                see(set);
            }
        });
    }
}
