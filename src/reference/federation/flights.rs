//! One question at a time: whoever asks what is being asked already waits for that answer.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// Questions under way, by what is asked. Nothing is remembered beyond the last who waits.
#[derive(Debug)]
pub(super) struct Flights<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// What `ask` finds out, or what somebody's `ask` for the same key does. When the one who asks gives
    /// up, the next in line asks.
    pub(super) async fn join(&self, key: K, ask: impl Future<Output = V>) -> V {
        let cell = self.under_way().entry(key.clone()).or_default().clone();
        let seat = Seat { flights: self, key, cell };
        seat.cell.get_or_init(|| ask).await.clone()
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; leaving, answered or not, they take along what nobody needs any more.
struct Seat<'a, K: Clone + Eq + Hash, V: Clone> {
    flights: &'a Flights<K, V>,
    key: K,
    cell: Arc<OnceCell<V>>,
}

impl<K: Clone + Eq + Hash, V: Clone> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way();
        let is_current = under_way.get(&self.key).is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two hold it when nobody else waits: the map and this seat.
        if is_current && (self.cell.initialized() || Arc::strong_count(&self.cell) == 2) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_at_once_share_an_answer_and_those_who_come_later_do_not() {
        let flights = Flights::default();
        let (asked, answered) = (AtomicU32::new(0), Notify::new());
        let ask = || async {
            let count = asked.fetch_add(1, Ordering::Relaxed) + 1;
            answered.notified().await;
            count
        };
        let released = async {
            tokio::task::yield_now().await;
            answered.notify_one();
        };
        let (first, second, other, ()) = tokio::join!(
            flights.join("a", ask()),
            flights.join("a", ask()),
            flights.join("b", async { 7 }),
            released
        );
        assert_eq!((first, second, other), (1, 1, 7));
        answered.notify_one();
        assert_eq!(flights.join("a", ask()).await, 2);
        assert!(flights.under_way().is_empty());
    }

    #[tokio::test]
    async fn when_the_one_who_asks_gives_up_the_next_asks() {
        let flights = Flights::default();
        let mut first = Box::pin(flights.join("a", std::future::pending()));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(flights.join("a", async { 2 }));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await, 2);
        let mut third = Box::pin(flights.join("a", std::future::pending::<u32>()));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(third);
        assert!(flights.under_way().is_empty());
    }
}
