//! Null targets: whether anything passes on what is no homeserver, or none that conforms.
//!
//! A check that holds on a server which computes nothing checks nothing. Here the suite runs on web sites,
//! on silence, on servers that say yes or no to everything, and on homeservers that only pretend; what may
//! pass there is named, with the reason why it truly holds.

mod answers;
mod front;
mod judge;
mod means;
mod other_user;
mod socket;
mod store;
mod table;

use serde::Serialize;

use crate::engine::exit;
use crate::reference::Named;

use super::trial::{self, TrialError};
use means::Means;
use table::TABLE;

/// A target that must not pass.
#[derive(Debug)]
pub struct NullTarget {
    /// The permanent id.
    pub id: &'static str,
    /// What it does, as a clause.
    pub summary: &'static str,
    /// What must come of it.
    pub must: Must,
    /// The requirements that may pass, and must, because they hold.
    pub holds: &'static [Holding],
    means: Means,
}

/// What must come of a null target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    /// Preflight stops the run with one line, in which these words are; exit code 4.
    Stop(&'static str),
    /// Preflight lets it through, and something fails; exit code 1.
    Fail,
    /// Preflight lets it through, and nothing can be tested; exit code 3.
    BeUntestable,
}

impl Must {
    /// The exit code, as the README documents it.
    pub fn exit(self) -> u8 {
        match self {
            Self::Stop(_) => exit::PREFLIGHT,
            Self::Fail => exit::NON_CONFORMANT,
            Self::BeUntestable => exit::INCOMPLETE,
        }
    }
}

/// Requirements that hold on a null target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Their ids.
    pub requirements: &'static [&'static str],
    /// Why they truly hold.
    pub because: &'static str,
}

impl NullTarget {
    /// The ids of the requirements that hold.
    pub fn holding(&self) -> impl Iterator<Item = &'static str> {
        self.holds.iter().flat_map(|holding| holding.requirements).copied()
    }
}

/// What came of a null target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Which null target it was.
    pub id: &'static str,
    /// The exit code of the run.
    pub exit: u8,
    /// The requirements that passed.
    pub passed: Vec<String>,
    /// What should not have come of it; none where the suite is right.
    pub findings: Vec<String>,
}

/// All of them: first what is no homeserver, then what only pretends.
impl Named for &'static NullTarget {
    const KIND: &'static str = "null target";

    fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter()
    }

    fn id(self) -> &'static str {
        self.id
    }
}

impl Attempt {
    /// What the table says must come of it.
    pub fn expected(null: &'static NullTarget) -> Self {
        let passed = null.holding().map(str::to_owned).collect();
        Self { id: null.id, exit: null.must.exit(), passed, findings: Vec::new() }
    }
}

/// Runs the suite, shoulds included, on a null target, and judges what comes of it.
pub async fn attempt(null: &'static NullTarget, seed: u64) -> Result<Attempt, TrialError> {
    // It answers for as long as it is held.
    let (target, _open) = null.means.open().await?;
    let trial = trial::on(target, seed).await?;
    let findings = judge::findings(null, &trial).iter().map(ToString::to_string).collect();
    Ok(Attempt { id: null.id, exit: trial.exit, passed: trial.passed, findings })
}
