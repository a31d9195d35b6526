//! How a history becomes smaller.
//!
//! A history is made smaller as data: whatever generator drew it is not asked again. Each pass (`passes`) offers
//! candidates, coarse ones first: what is left of the history is always one that can be performed, and smaller
//! than before by `measure`, so that it ends. It ends with a history of which no step can be taken away.

mod json;
mod measure;
mod passes;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proptest::strategy::ValueTree;

use self::measure::measure;
use self::passes::{End, Offer, PASSES};
use super::walk::repaired;
use super::{History, Terrain};

/// A history that can be made smaller as long as it fails.
#[derive(Clone, Debug)]
pub struct Tree {
    /// What is performed next.
    current: History,
    /// The smallest that is known to fail.
    best: History,
    terrain: Terrain,
    /// Whether it is known to fail at its last step.
    ends_in_failure: bool,
    /// Which pass is on, and how many of its candidates have been turned down.
    pass: usize,
    turned_down: usize,
    /// Whether this round of passes has made it smaller.
    progress: bool,
    /// What has been performed in vain, by digest.
    tried: BTreeSet<u64>,
}

impl Tree {
    /// A history that is perhaps to be made smaller, for targets that offer this.
    pub fn new(history: History, terrain: Terrain) -> Self {
        Self {
            current: history.clone(),
            best: history,
            terrain,
            ends_in_failure: false,
            pass: 0,
            turned_down: 0,
            progress: false,
            tried: BTreeSet::new(),
        }
    }

    /// What is performed next, without a copy.
    pub fn history(&self) -> &History {
        &self.current
    }

    /// Nothing after this step is needed for it to fail: it failed there. To be told before
    /// [`simplify`](ValueTree::simplify), of what was performed last.
    pub fn cut_after(&mut self, step: usize) {
        self.current.steps.truncate(step.saturating_add(1));
        self.current = repaired(std::mem::take(&mut self.current), self.terrain).0;
        self.ends_in_failure = true;
    }

    /// Goes to the next candidate that can be performed, is smaller, and has not been tried.
    fn advance(&mut self) -> bool {
        loop {
            let Some(pass) = PASSES.get(self.pass) else {
                if !std::mem::take(&mut self.progress) {
                    self.current = self.best.clone();
                    return false;
                }
                (self.pass, self.turned_down) = (0, 0);
                continue;
            };
            match (pass.offer)(&self.best, self.turned_down) {
                Offer::Candidate(candidate) => {
                    let (candidate, ends_alike) = repaired(candidate, self.terrain);
                    let may_end_so = match pass.end {
                        End::Kept => ends_alike,
                        End::KeptIfItFails => ends_alike || !self.ends_in_failure,
                        End::Free => true,
                    };
                    if may_end_so && self.is_worth_it(&candidate) {
                        self.current = candidate;
                        return true;
                    }
                    self.turned_down += 1;
                }
                Offer::Nothing => self.turned_down += 1,
                Offer::End => (self.pass, self.turned_down) = (self.pass + 1, 0),
            }
        }
    }

    fn is_worth_it(&mut self, candidate: &History) -> bool {
        !candidate.is_empty()
            && measure(candidate) < measure(&self.best)
            && self.tried.insert(digest(candidate))
    }
}

impl ValueTree for Tree {
    type Value = History;

    fn current(&self) -> History {
        self.current.clone()
    }

    fn simplify(&mut self) -> bool {
        self.progress |= self.current != self.best;
        self.best = self.current.clone();
        self.advance()
    }

    fn complicate(&mut self) -> bool {
        if self.current == self.best {
            return false;
        }
        self.turned_down += 1;
        self.advance()
    }
}

fn digest(history: &History) -> u64 {
    let mut hasher = DefaultHasher::new();
    history.steps.hash(&mut hasher);
    history.sets.iter().for_each(|set| set.canonical_bytes().hash(&mut hasher));
    hasher.finish()
}
