//! Which transactions of other homeservers have been processed: each is once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::State;
use crate::reference::faults::Fault;

/// Homeservers whose transactions are remembered; beyond, the one heard of first is forgotten.
const MAX_ORIGINS: usize = 1_000;
/// Transactions that are remembered of each; beyond, the oldest is forgotten.
const MAX_REMEMBERED: usize = 256;

/// The transactions that have been processed, by origin.
#[derive(Debug, Default)]
pub(super) struct Received {
    by_origin: BTreeMap<String, Remembered>,
    order: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Remembered {
    ids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Received {
    /// Whether a transaction is new; from now on it is not.
    fn is_new(&mut self, origin: &str, id: &str) -> bool {
        if !self.by_origin.contains_key(origin) {
            self.order.push_back(origin.to_owned());
            if let Some(forgotten) =
                (self.order.len() > MAX_ORIGINS).then(|| self.order.pop_front()).flatten()
            {
                self.by_origin.remove(&forgotten);
            }
        }
        let remembered = self.by_origin.entry(origin.to_owned()).or_default();
        if !remembered.ids.insert(id.to_owned()) {
            return false;
        }
        remembered.order.push_back(id.to_owned());
        if let Some(oldest) =
            (remembered.order.len() > MAX_REMEMBERED).then(|| remembered.order.pop_front()).flatten()
        {
            remembered.ids.remove(&oldest);
        }
        true
    }
}

impl State {
    /// Whether a transaction is to be processed: the first time, and never again.
    pub(crate) fn begin_transaction(&mut self, origin: &str, id: &str) -> bool {
        self.received.is_new(origin, id) || self.has(Fault::FedPresenceInReplayed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_new_once_for_each_origin_and_what_is_remembered_has_a_bound() {
        let mut received = Received::default();
        assert!(received.is_new("a", "1"));
        assert!(!received.is_new("a", "1"));
        assert!(received.is_new("b", "1"));
        for id in 0..2 * MAX_REMEMBERED {
            assert!(received.is_new("c", &id.to_string()));
        }
        assert_eq!(received.by_origin["c"].ids.len(), MAX_REMEMBERED);
        for origin in 0..2 * MAX_ORIGINS {
            assert!(received.is_new(&format!("o{origin}"), "1"));
        }
        assert_eq!(received.by_origin.len(), MAX_ORIGINS);
    }
}
