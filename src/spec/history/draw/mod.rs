//! Generated histories.
//!
//! A history is drawn as it would be lived: from a homeserver that knows nobody, one move (`moves`) after the
//! other, each picked from the table of its shape among what can be done then. So every history is valid, and
//! what it cost to draw grows with its length alone.

mod abroad;
mod looks;
mod moves;
mod races;
mod scene;
mod sets;
mod spoils;
#[cfg(test)]
mod tests;

use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use self::moves::Move;
use self::scene::Scene;
use super::tree::Tree;
use super::{History, Terrain};
use crate::spec::draw::{below, runner};

/// How histories look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// One act after the other: sessions come and go, sets change, others look.
    Sequence,
    /// Acts that overlap.
    Races,
    /// The laws of the union: the same sets from many sessions in every order and grouping.
    Algebra,
    /// Any legal set, uploaded, declared and resolved.
    RoundTrip,
    /// Uploads that are spoiled or claim a wrong hash, between reads that show that nothing changed.
    Spoiled,
    /// Users of other homeservers share rooms, announce sets, look and resolve.
    Federation,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 6] =
        [Self::Sequence, Self::Races, Self::Algebra, Self::RoundTrip, Self::Spoiled, Self::Federation];

    /// What seeds are bound to; permanent.
    const fn word(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Races => "races",
            Self::Algebra => "algebra",
            Self::RoundTrip => "round-trip",
            Self::Spoiled => "spoiled",
            Self::Federation => "federation",
        }
    }

    /// What happens first, and what then happens again and again.
    const fn course(self) -> (Move, &'static [(usize, Move)]) {
        match self {
            Self::Sequence => (moves::opening, moves::SEQUENCE),
            Self::Races => (races::opening, races::RACES),
            Self::Algebra => (moves::several, moves::ALGEBRA),
            Self::RoundTrip => (moves::opening, moves::ROUND_TRIP),
            Self::Spoiled => (moves::opening, spoils::SPOILED),
            Self::Federation => (abroad::set_out, abroad::FEDERATION),
        }
    }
}

/// Histories of one shape that make use of no more than the terrain offers.
#[derive(Clone, Copy, Debug)]
pub struct Histories {
    /// How they look.
    pub shape: Shape,
    /// What the target offers.
    pub terrain: Terrain,
    /// How many acts they have at most.
    pub longest: usize,
}

/// How many acts the first case of a seed may have: enough for somebody to declare and for another to look.
const SHORTEST: usize = 10;

impl Histories {
    /// The history that a seed draws as its nth case, whatever else is drawn. The first cases are short, and
    /// each may be longer by an act than the one before it.
    pub fn case(&self, seed: u64, case: u64) -> Tree {
        let longest = usize::try_from(case).unwrap_or(usize::MAX).saturating_add(SHORTEST).min(self.longest);
        self.drawn(&mut runner(seed, &format!("history {} {case}", self.shape.word())), longest)
    }

    /// A history of at least half of `longest`, unless nothing can be done any more.
    fn drawn(&self, runner: &mut TestRunner, longest: usize) -> Tree {
        let sets = sets::drawn(self.shape, &self.terrain, runner);
        let length = longest - below(runner.rng(), longest / 2 + 1);
        let mut scene = Scene::new(runner.rng(), sets.clone(), self.terrain, length);
        let (opening, table) = self.shape.course();
        opening(&mut scene);
        scene.go_on(table);
        moves::audit(&mut scene);
        Tree::new(History { sets, steps: scene.into_steps() }, self.terrain)
    }
}

impl Strategy for Histories {
    type Tree = Tree;
    type Value = History;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let longest = below(runner.rng(), self.longest) + 1;
        Ok(self.drawn(runner, longest))
    }
}
