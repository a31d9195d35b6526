//! Named deviations of the built-in homeserver, one realistic mistake each.
//!
//! A check that was never seen failing is not done: every must of the suite has a
//! fault here that breaks it. A fault names what it breaks; the deviation itself is at
//! one decision point of the server, `faults.has(Fault::X)`.

mod table;

use std::fmt;
use std::str::FromStr;

pub use table::Fault;
use table::{Row, TABLE};

impl Fault {
    /// Every fault, in the order of the protocol's areas.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|row| row.fault)
    }

    /// The permanent id.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// What an implementer did wrong, as a clause.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// The ids of the requirements that it breaks.
    pub fn breaks(self) -> &'static [&'static str] {
        self.row().breaks
    }

    /// The draft sentence that it misreads or forgets.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(id: &str) -> Result<Self, UnknownFault> {
        let found = Self::all().find(|fault| fault.id() == id);
        found.ok_or_else(|| UnknownFault { id: id.to_owned(), nearest: nearest(id) })
    }
}

/// An id that no fault has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fault is called {id:?}; the nearest is {nearest:?}")]
pub struct UnknownFault {
    /// What was asked for.
    pub id: String,
    /// The id that looks most like it.
    pub nearest: &'static str,
}

fn nearest(id: &str) -> &'static str {
    let likeness = |fault: &Fault| (strsim::jaro_winkler(id, fault.id()) * 1e6) as u32;
    Fault::all().max_by_key(likeness).map_or("", Fault::id)
}

/// A set of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultSet([u64; WORDS]);

/// Every fault has its bit.
const WORDS: usize = TABLE.len().div_ceil(64);

impl FaultSet {
    /// No faults: the server conforms.
    pub const NONE: Self = Self([0; WORDS]);

    /// Whether a fault is in the set.
    pub fn has(&self, fault: Fault) -> bool {
        let bit = fault as usize;
        self.0[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// Whether the set is empty: the server conforms.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a fault.
    pub fn insert(&mut self, fault: Fault) {
        let bit = fault as usize;
        self.0[bit / 64] |= 1 << (bit % 64);
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let mut set = Self::default();
        faults.into_iter().for_each(|fault| set.insert(fault));
        set
    }
}
