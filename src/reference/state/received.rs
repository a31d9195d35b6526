//! What comes from other homeservers more than once, or too early.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::State;
use crate::reference::faults::Fault;

/// Homeservers whose transactions are remembered; beyond, the one heard of first is forgotten.
const MAX_ORIGINS: usize = 1_000;
/// Transactions that are remembered of each; beyond, the oldest is forgotten.
const MAX_REMEMBERED: usize = 256;

/// Events that are kept of a room before it is known.
const MAX_EARLY: usize = 100;

/// Events of rooms that users of ours are just being let into. The homeserver that lets them in
/// may tell of the next event before its answer has been read. With each event, who sent it.
#[derive(Debug, Default)]
pub(super) struct Early {
    by_room: BTreeMap<String, Vec<(String, Value)>>,
}

/// The transactions that have been processed, by origin: each is once.
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
    /// From now on events of a room are kept until they are taken.
    pub(crate) fn expect_early(&mut self, room: &str) {
        self.early.by_room.entry(room.to_owned()).or_default();
    }

    /// Keeps an event of a room that is not known yet; whether it was kept.
    pub(crate) fn keep_early(&mut self, room: &str, origin: &str, event: &Value) -> bool {
        let kept = self.early.by_room.get_mut(room).filter(|events| events.len() < MAX_EARLY);
        kept.map(|events| events.push((origin.to_owned(), event.clone()))).is_some()
    }

    /// The events that were kept of a room; no more are.
    pub(crate) fn take_early(&mut self, room: &str) -> Vec<(String, Value)> {
        self.early.by_room.remove(room).unwrap_or_default()
    }

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
