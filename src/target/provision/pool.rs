//! Users that exist, each lent to one scenario at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Queue, Notify};

use super::{Cast, ProvisionError};

/// Lends its members out: a whole cast at once, and first come first served, so that nobody starves.
#[derive(Debug)]
pub(super) struct Pool {
    total: Cast,
    free: Mutex<Free>,
    queue: Queue<()>,
    returned: Notify,
}

#[derive(Debug, Default)]
struct Free {
    ordinary: VecDeque<usize>,
    entitled: VecDeque<usize>,
}

/// A member, held until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    pool: Arc<Pool>,
    /// The member.
    pub(super) index: usize,
    /// Whether it is entitled.
    pub(super) entitled: bool,
}

impl Pool {
    /// A pool of as many members as there are flags; a flag says whether the member is entitled.
    pub(super) fn new(entitled: impl IntoIterator<Item = bool>) -> Arc<Self> {
        let mut free = Free::default();
        for (index, entitled) in entitled.into_iter().enumerate() {
            free.side(entitled).push_back(index);
        }
        let total = Cast {
            ordinary: free.ordinary.len(),
            entitled: free.entitled.len(),
            look_alikes: 0,
            elsewhere: 0,
        };
        Arc::new(Self { total, free: Mutex::new(free), queue: Queue::default(), returned: Notify::new() })
    }

    /// How many members there are, of either kind.
    pub(super) fn total(&self) -> Cast {
        self.total
    }

    /// A whole cast, ordinary members first, as soon as it is free; an error if it never can be.
    /// `what` names the members for people, and the key that lists them.
    pub(super) async fn take(
        self: &Arc<Self>,
        cast: Cast,
        what: &str,
        key: &str,
    ) -> Result<Vec<Seat>, ProvisionError> {
        for (kind, needed, given) in [
            ("ordinary", cast.ordinary, self.total.ordinary),
            ("entitled", cast.entitled, self.total.entitled),
        ] {
            if needed > given {
                let reason = format!(
                    "needs {needed} {kind} {what}, the target file gives {given}: add {} to {key} in [users]",
                    needed - given
                );
                return Err(ProvisionError::Broken { reason, exchange: None });
            }
        }
        // The queue is fair, and its head alone waits for seats.
        let _turn = self.queue.lock().await;
        loop {
            if let Some(seats) = self.try_take(cast) {
                return Ok(seats);
            }
            self.returned.notified().await;
        }
    }

    fn try_take(self: &Arc<Self>, cast: Cast) -> Option<Vec<Seat>> {
        let mut free = self.lock();
        if free.ordinary.len() < cast.ordinary || free.entitled.len() < cast.entitled {
            return None;
        }
        let mut seats = Vec::new();
        for (entitled, count) in [(false, cast.ordinary), (true, cast.entitled)] {
            let taken = free.side(entitled).drain(..count);
            seats.extend(taken.map(|index| Seat { pool: self.clone(), index, entitled }));
        }
        Some(seats)
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Free {
    fn side(&mut self, entitled: bool) -> &mut VecDeque<usize> {
        if entitled { &mut self.entitled } else { &mut self.ordinary }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.pool.lock().side(self.entitled).push_back(self.index);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    /// Seats that are free must come at once: a wake-up that is lost fails instead of hanging.
    async fn soon<T>(seats: impl Future<Output = Result<T, ProvisionError>>) -> T {
        timeout(Duration::from_secs(5), seats).await.expect("somebody waits for free seats").unwrap()
    }

    const fn cast(ordinary: usize, entitled: usize) -> Cast {
        Cast { ordinary, entitled, look_alikes: 0, elsewhere: 0 }
    }

    fn indices(seats: &[Seat]) -> Vec<usize> {
        seats.iter().map(|seat| seat.index).collect()
    }

    #[tokio::test]
    async fn a_seat_is_held_by_one_and_comes_back() {
        let pool = Pool::new([false, true, false]);
        let held = pool.take(cast(1, 1), "accounts", "accounts").await.unwrap();
        assert_eq!(indices(&held), [0, 1]);
        let mut waiting = Box::pin(pool.take(cast(2, 0), "accounts", "accounts"));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(held);
        assert_eq!(indices(&soon(waiting).await), [2, 0]);
    }

    #[tokio::test]
    async fn a_large_cast_is_not_overtaken() {
        let pool = Pool::new([false, false]);
        let held = pool.take(cast(1, 0), "accounts", "accounts").await.unwrap();
        let mut large = Box::pin(pool.take(cast(2, 0), "accounts", "accounts"));
        assert!(large.as_mut().now_or_never().is_none());
        let mut small = Box::pin(pool.take(cast(1, 0), "accounts", "accounts"));
        assert!(small.as_mut().now_or_never().is_none(), "one seat is free, but another was first");
        drop(held);
        let large = soon(large).await;
        assert!(small.as_mut().now_or_never().is_none());
        drop(large);
        soon(small).await;
    }

    #[tokio::test]
    async fn who_gives_up_waiting_keeps_nothing() {
        let pool = Pool::new([false]);
        let held = pool.take(cast(1, 0), "accounts", "accounts").await.unwrap();
        let mut impatient = Box::pin(pool.take(cast(1, 0), "accounts", "accounts"));
        assert!(impatient.as_mut().now_or_never().is_none());
        drop(impatient);
        drop(held);
        soon(pool.take(cast(1, 0), "accounts", "accounts")).await;
    }

    #[tokio::test]
    async fn too_few_is_told_with_the_number() {
        let pool = Pool::new([false, true]);
        let error = pool.take(cast(3, 1), "accounts", "accounts").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "needs 3 ordinary accounts, the target file gives 1: add 2 to accounts in [users]"
        );
        let error = pool.take(cast(0, 2), "accounts", "accounts").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "needs 2 entitled accounts, the target file gives 1: add 1 to accounts in [users]"
        );
    }
}
