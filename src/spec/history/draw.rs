//! Generated histories.

use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use super::tree::Tree;
use super::{History, Terrain};

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

impl Histories {
    /// The history that a seed draws as its nth case, whatever else is drawn.
    pub fn case(&self, _seed: u64, _case: u64) -> Tree {
        unimplemented!()
    }
}

impl Strategy for Histories {
    type Tree = Tree;
    type Value = History;

    fn new_tree(&self, _runner: &mut TestRunner) -> NewTree<Self> {
        unimplemented!()
    }
}
