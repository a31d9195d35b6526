//! Time that a target is granted for what others do: another homeserver's answer, or none.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What one scenario has granted.
#[derive(Debug, Default)]
pub(super) struct Granted(Mutex<Duration>);

impl Granted {
    /// Grants so much from now on, until the guard goes.
    pub(super) fn open(&self, time: Duration) -> Grant<'_> {
        *self.lock() += time;
        Grant { of: self, time, opened: Instant::now() }
    }

    /// All that has passed, and the whole of what is under way.
    pub(super) fn so_far(&self) -> Duration {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A grant that is under way.
#[derive(Debug)]
pub(crate) struct Grant<'g> {
    of: &'g Granted,
    time: Duration,
    opened: Instant,
}

impl Drop for Grant<'_> {
    /// What was not used is taken back.
    fn drop(&mut self) {
        let unused = self.time.saturating_sub(self.opened.elapsed());
        let mut granted = self.of.lock();
        *granted = granted.saturating_sub(unused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_is_taken_back() {
        let hour = Duration::from_secs(3600);
        let granted = Granted::default();
        let (one, two) = (granted.open(hour), granted.open(hour));
        assert_eq!(granted.so_far(), 2 * hour);
        drop(one);
        assert!(granted.so_far() >= hour && granted.so_far() < 2 * hour);
        drop(two);
        assert!(granted.so_far() < hour);
        let used = Grant { of: &granted, time: Duration::ZERO, opened: Instant::now() };
        let before = granted.so_far();
        drop(used);
        assert_eq!(granted.so_far(), before);
    }
}
