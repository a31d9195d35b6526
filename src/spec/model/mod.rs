//! The draft as a program: users, sessions, known sets, unions, who sees what.
//!
//! The model is the oracle of the generated [histories](super::history), and may be read as the
//! specification: small, pure, and without time. For each act it says what may be answered
//! ([`Model::demand`]), and then follows what was answered ([`Model::follow`]): where the protocol leaves a
//! choice, the homeserver has made it.
//!
//! - What acts do to sessions, sets and unions, and what may be answered to them, is [here](self).
//! - What comes of acts that overlap is in [`order`].
//! - What a wrong hash says about the mistake is in [`diagnosis`].

mod answer;
pub mod diagnosis;
pub mod order;

pub use answer::{Admits, Answer, Demand, Presence, Rule};

use super::capability::CapabilitySet;
use super::history::{Act, Terrain};

/// A homeserver as the draft has it, in between two acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    sets: Vec<CapabilitySet>,
}

impl Model {
    /// A homeserver that knows none of the users; these are the sets of the history, dressed.
    pub fn new(sets: Vec<CapabilitySet>) -> Self {
        Self { sets }
    }

    /// Whether an act can be done at all: its sessions live, its users exist, its sets occur, and the target
    /// offers what it takes.
    pub fn can(&self, _act: &Act, _terrain: &Terrain) -> bool {
        unimplemented!()
    }

    /// What the protocol lets a homeserver answer to an act, each rule with its requirement.
    pub fn demand(&self, _act: &Act) -> Demand {
        unimplemented!()
    }

    /// What comes of an act that was answered so.
    pub fn follow(&mut self, _act: &Act, _answer: &Answer) {
        unimplemented!()
    }

    /// What presence carries of a user (draft C3, C4).
    pub fn in_force(&self, _user: usize) -> Presence {
        unimplemented!()
    }
}
