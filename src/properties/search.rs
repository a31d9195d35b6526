//! Searches for a history that the target answers wrongly, and makes it as small as it can.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::outcome::{Judgement, Stop};

use super::Property;
use super::failure::Failure;
use super::perform::Theatre;

/// How long is searched: until either is used up.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// So many histories.
    pub cases: u64,
    /// So long; one history is performed at least.
    pub time: Duration,
}

/// What a search tells while it goes on.
#[derive(Debug)]
pub enum News<'n> {
    /// So many histories with so many acts have been performed.
    Performed {
        /// Histories.
        cases: u64,
        /// Acts.
        acts: u64,
    },
    /// A history failed, and was made as small as this so far: what is to be saved if nothing better comes.
    Smaller(&'n Failure),
}

/// What came of a search.
#[derive(Debug, Default)]
pub struct Searched {
    /// How many histories were performed.
    pub cases: u64,
    /// How many acts they had.
    pub acts: u64,
    /// The requirements of which something was checked.
    pub checked: BTreeSet<&'static str>,
    /// The smallest history that failed, and the judgement that says how.
    pub failure: Option<(Failure, Judgement)>,
    /// Why it ended early, where neither a failure nor the budget ended it.
    pub stop: Option<Stop>,
}

/// Searches until a history fails or the budget is used up, `jobs` histories at once.
pub async fn search(
    _theatre: &Theatre,
    _property: &Property,
    _seed: u64,
    _budget: Budget,
    _jobs: usize,
    _tell: &mut (dyn FnMut(News<'_>) + Send),
) -> Searched {
    unimplemented!()
}
