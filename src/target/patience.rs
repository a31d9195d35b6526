//! Asking again until the answer is good or the time is up.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

/// The pace of asking.
const PACE: Duration = Duration::from_millis(20);

/// Asks until the answer is good, so long at most; what was answered last.
pub(super) async fn ask_until<T, R>(within: Duration, ask: impl FnMut() -> R, good: impl Fn(&T) -> bool) -> T
where
    R: Future<Output = T>,
{
    let closes = Instant::now() + within;
    ask_while(|| Instant::now() < closes, ask, good).await
}

/// The same for as long as there is time, which may become more meanwhile. The last question is asked after
/// the time is up, so that a slow network never shortens what the target is granted.
pub(crate) async fn ask_while<T, R>(
    is_time: impl Fn() -> bool,
    mut ask: impl FnMut() -> R,
    good: impl Fn(&T) -> bool,
) -> T
where
    R: Future<Output = T>,
{
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let closed = !is_time();
        let answer = ask().await;
        if closed || good(&answer) {
            return answer;
        }
    }
}
