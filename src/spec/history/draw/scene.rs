//! Who is there while a history is drawn, and what can be picked.

use proptest::test_runner::TestRng;

use super::moves::Move;
use crate::spec::capability::CapabilitySet;
use crate::spec::draw::below;
use crate::spec::history::walk::Walk;
use crate::spec::history::{Act, DEVICES, REMOTES, Seat, Step, Terrain, USERS, Whom};

/// A history that is being drawn.
pub(super) struct Scene<'r> {
    rng: &'r mut TestRng,
    walk: Walk,
    pub(super) terrain: Terrain,
    steps: Vec<Step>,
    /// How many acts it may have more.
    left: usize,
    /// Of these so many are kept for the audit.
    kept: usize,
    /// The sets that are none; these cannot be spoiled.
    empty: Vec<bool>,
    /// Who made a room with whom and has not left it: those who can look.
    pairs: Vec<(usize, Whom)>,
    /// Whose hash may have changed last.
    pub(super) touched: Option<usize>,
}

impl<'r> Scene<'r> {
    pub(super) fn new(
        rng: &'r mut TestRng,
        sets: Vec<CapabilitySet>,
        terrain: Terrain,
        length: usize,
    ) -> Self {
        let empty = sets.iter().map(CapabilitySet::is_empty).collect();
        let walk = Walk::new(sets, terrain);
        let kept = (length / 3).min(AUDIT);
        Self {
            rng,
            walk,
            terrain,
            steps: Vec::new(),
            left: length,
            kept,
            empty,
            pairs: Vec::new(),
            touched: None,
        }
    }

    /// Picks from the table until there is no act left but those kept for the audit, or nothing can be done.
    pub(super) fn go_on(&mut self, table: &[(usize, Move)]) {
        const FRUITLESS: usize = 50;
        let mut fruitless = 0;
        while self.left > self.kept && fruitless < FRUITLESS {
            let before = self.left;
            self.pick(table)(self);
            fruitless = if self.left == before { fruitless + 1 } else { 0 };
        }
        self.kept = 0;
    }

    /// Does an act, if it can be done and the history is not too long.
    pub(super) fn act(&mut self, act: Act) -> bool {
        let done = self.left > self.kept && self.walk.act(&act);
        if done {
            self.left -= 1;
            self.remember(&act);
            self.steps.push(Step::One(act));
        }
        done
    }

    /// Does acts at once, those of them that can be done.
    pub(super) fn at_once(&mut self, mut lanes: Vec<Vec<Act>>) {
        self.walk.at_once(&mut lanes);
        let acts = lanes.iter().map(Vec::len).sum();
        self.left = self.left.saturating_sub(acts);
        match <[Vec<Act>; 1]>::try_from(lanes) {
            Ok([lane]) => self.steps.extend(lane.into_iter().map(Step::One)),
            Err(lanes) if lanes.is_empty() => {}
            Err(lanes) => self.steps.push(Step::AtOnce(lanes)),
        }
    }

    /// Draws a lane of acts at once: a history of so many acts that goes on from here, and is not followed.
    pub(super) fn lane(&mut self, length: usize, draw: impl Fn(&mut Scene<'_>)) -> Vec<Act> {
        const TRIES: usize = 12;
        let mut lane = Scene {
            rng: &mut *self.rng,
            walk: self.walk.clone(),
            terrain: self.terrain,
            steps: Vec::new(),
            left: length.min(self.left.saturating_sub(self.kept)),
            kept: 0,
            empty: self.empty.clone(),
            pairs: self.pairs.clone(),
            touched: self.touched,
        };
        for _ in 0..TRIES {
            draw(&mut lane);
        }
        let one = |step| if let Step::One(act) = step { Some(act) } else { None };
        lane.steps.into_iter().filter_map(one).collect()
    }

    fn remember(&mut self, act: &Act) {
        match *act {
            Act::Share { host, guest } => {
                self.pairs.extend([(host.user, Whom::User(guest.user)), (guest.user, Whom::User(host.user))]);
            }
            Act::RemoteShare { host, remote } => self.pairs.push((host.user, Whom::Remote(remote))),
            Act::Leave { by, with } => {
                let left = |user, whom| user == by.user && whom == with;
                let back = |user, whom| with == Whom::User(user) && whom == Whom::User(by.user);
                self.pairs.retain(|(user, whom)| !left(*user, *whom) && !back(*user, *whom));
            }
            _ => {}
        }
        match *act {
            Act::LogIn { user, .. } => self.touched = Some(user),
            _ if !act.is_look() => self.touched = act.by().map(|by| by.user).or(self.touched),
            _ => {}
        }
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// How many acts can be done before the audit.
    pub(super) fn left(&self) -> usize {
        self.left.saturating_sub(self.kept)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        below(self.rng, n)
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(super) fn one_of<T>(&mut self, mut items: Vec<T>) -> Option<T> {
        let at = self.below(items.len());
        (!items.is_empty()).then(|| items.swap_remove(at))
    }

    pub(super) fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        crate::spec::draw::shuffle(self.rng, &mut items);
        items
    }

    /// An entry of a table, by weight.
    pub(super) fn pick<T: Copy>(&mut self, table: &[(usize, T)]) -> T {
        weighted(self.rng, table)
    }

    pub(super) fn lives(&self, seat: Seat) -> bool {
        self.walk.can(&Act::Upload { by: seat, set: 0 })
    }

    /// The sessions that live.
    pub(super) fn seats(&self) -> Vec<Seat> {
        self.users().into_iter().flat_map(|user| self.seats_of(user)).collect()
    }

    pub(super) fn seats_of(&self, user: usize) -> Vec<Seat> {
        (0..self.terrain.devices.min(DEVICES))
            .map(|device| Seat { user, device })
            .filter(|seat| self.lives(*seat))
            .collect()
    }

    /// The users who have signed up.
    pub(super) fn users(&self) -> Vec<usize> {
        let strangers = |user: &usize| self.walk.can(&Act::SignUp { user: *user });
        (0..self.terrain.users.min(USERS)).take_while(|user| !strangers(user)).collect()
    }

    pub(super) fn user(&mut self) -> Option<usize> {
        self.one_of(self.users())
    }

    /// A session, most often one of whoever was touched last.
    pub(super) fn seat(&mut self) -> Option<Seat> {
        let near =
            self.touched.filter(|_| self.chance(50)).map(|user| self.seats_of(user)).unwrap_or_default();
        self.one_of(near).or_else(|| self.one_of(self.seats()))
    }

    pub(super) fn seat_of(&mut self, user: usize) -> Option<Seat> {
        self.one_of(self.seats_of(user))
    }

    /// A session of another user, who shares a room with this one if anybody does.
    pub(super) fn looker(&mut self, whom: Whom) -> Option<Seat> {
        let sharers = self.pairs.iter().filter(|(_, with)| *with == whom);
        let sharers = sharers.flat_map(|(user, _)| self.seats_of(*user)).collect();
        let strangers = self.chance(8);
        let sharer = if strangers { None } else { self.one_of(sharers) };
        sharer.or_else(|| self.one_of(self.seats())).filter(|seat| Whom::User(seat.user) != whom)
    }

    /// Whether two share a room.
    pub(super) fn share(&self, user: usize, whom: Whom) -> bool {
        self.pairs.contains(&(user, whom))
    }

    pub(super) fn set(&mut self) -> usize {
        self.below(self.empty.len())
    }

    /// A set that can be spoiled.
    pub(super) fn full_set(&mut self) -> Option<usize> {
        self.one_of((0..self.empty.len()).filter(|set| !self.empty[*set]).collect())
    }

    pub(super) fn sets(&self) -> usize {
        self.empty.len()
    }

    pub(super) fn remote(&mut self) -> usize {
        self.below(self.terrain.remotes.min(REMOTES))
    }
}

/// An entry of a table, by weight.
pub(super) fn weighted<T: Copy>(rng: &mut TestRng, table: &[(usize, T)]) -> T {
    let mut at = below(rng, table.iter().map(|(weight, _)| weight).sum());
    for (weight, entry) in table {
        if at < *weight {
            return *entry;
        }
        at -= weight;
    }
    unreachable!("a number below the sum of the weights is below one of them")
}

/// The most acts that are kept for the audit: two looks by two for each user.
const AUDIT: usize = 4 * USERS;
