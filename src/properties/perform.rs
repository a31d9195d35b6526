//! Performs a history on the target, with users of its own, and judges every answer by the model.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::World;
use crate::outcome::{Judgement, Stop};
use crate::spec::history::History;
use crate::wire::Client;

use super::failure::Seen;

/// Where histories are performed.
#[derive(Clone, Debug)]
pub struct Theatre {
    /// The target, and what is known of it.
    pub world: Arc<World>,
    /// Sends requests; every performance records beside it.
    pub client: Client,
    /// The requirements that are not demanded: the target is known to break them, or nobody asks.
    pub lapsed: BTreeSet<&'static str>,
}

/// What came of one performance.
#[derive(Debug)]
pub struct Performance {
    /// The first answer that the model does not admit.
    pub violation: Option<Violation>,
    /// Why it ended before its last act.
    pub stop: Option<Stop>,
    /// The requirements of which something was checked.
    pub checked: BTreeSet<&'static str>,
    /// What was seen, in the order in which the acts ended.
    pub trace: Vec<Seen>,
    /// How long it took at most until an effect could be seen.
    pub slowest: Duration,
}

/// An answer that the model does not admit.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The requirement that it breaks.
    pub requirement: &'static str,
    /// What was expected and what was found, with the exchange that shows it.
    pub judgement: Judgement,
    /// In which step of the history, from 0.
    pub step: usize,
}

/// Performs a history. Effects are waited for so long at most; `nonce` is in every name.
pub async fn perform(
    _theatre: &Theatre,
    _history: &History,
    _nonce: &str,
    _patience: Duration,
) -> Performance {
    unimplemented!()
}
