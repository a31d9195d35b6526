//! Asking again until the answer is good or the time is up.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

/// The pace of asking.
const PACE: Duration = Duration::from_millis(20);

/// Asks until the answer is good; what was answered last. The last question is asked after the time is
/// up, so that a slow network never shortens what the target is granted.
pub(super) async fn ask_until<T, R>(
    within: Duration,
    mut ask: impl FnMut() -> R,
    good: impl Fn(&T) -> bool,
) -> T
where
    R: Future<Output = T>,
{
    let closes = Instant::now() + within;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let closed = Instant::now() >= closes;
        let answer = ask().await;
        if closed || good(&answer) {
            return answer;
        }
    }
}
