//! Named deviations of the built-in homeserver, one realistic mistake each.
//!
//! A check that was never seen failing is not done: every must of the suite has a
//! fault here that breaks it. A fault names what it breaks; the deviation itself is at
//! one decision point of the server, `faults.has(Fault::X)`.

mod table;

pub use table::{Collateral, Fault};
use table::{Row, TABLE};

use super::named::{NamedSet, named};

impl Fault {
    /// What an implementer did wrong, as a clause.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// The ids of the requirements that it breaks.
    pub fn breaks(self) -> &'static [&'static str] {
        self.row().breaks
    }

    /// The requirements that fail with those, and why.
    pub fn collateral(self) -> &'static [Collateral] {
        self.row().collateral
    }

    /// The requirements that fail with those at times, as requests happen to meet, and why.
    pub fn collateral_at_times(self) -> &'static [Collateral] {
        self.row().at_times
    }

    /// Every requirement that may fail with it: those that it breaks, and those that fail along.
    pub fn may_fail(self) -> impl Iterator<Item = &'static str> {
        let along = self.collateral().iter().chain(self.collateral_at_times());
        self.breaks().iter().chain(along.flat_map(|along| along.requirements)).copied()
    }

    /// Whether all that it breaks lies between homeservers.
    pub fn is_between_servers(self) -> bool {
        self.breaks().iter().all(|requirement| requirement.starts_with("federation."))
    }

    /// Whether no scenario finds it, because each act by itself is answered rightly: it takes a history.
    pub fn takes_a_history(self) -> bool {
        self.row().takes_a_history
    }

    /// The draft sentence that it misreads or forgets.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

named!(Fault, "fault", fault);

/// A set of faults; none makes the server conform.
pub type FaultSet = NamedSet<Fault>;
