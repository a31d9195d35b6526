//! Asking again until the answer is good or the time is up.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// The shortest time from one question to the next.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest.
const LONGEST: Duration = Duration::from_millis(250);

/// Asks until the answer is good, so long at most; what was answered last.
pub(super) async fn ask_until<T, R>(within: Duration, ask: impl FnMut() -> R, good: impl Fn(&T) -> bool) -> T
where
    R: Future<Output = T>,
{
    let began = Instant::now();
    ask_while(|| within.saturating_sub(began.elapsed()), ask, good).await
}

/// The same for as long as time is left, which may become more meanwhile. The last question is asked after
/// the time is up, so that a slow network never shortens what the target is granted.
///
/// It asks often at first, because most effects come soon, and ever more rarely, because what has not come
/// for long is not noticed much later for that.
pub(crate) async fn ask_while<T, R>(
    left: impl Fn() -> Duration,
    mut ask: impl FnMut() -> R,
    good: impl Fn(&T) -> bool,
) -> T
where
    R: Future<Output = T>,
{
    let began = Instant::now();
    loop {
        let closed = left().is_zero();
        let answer = ask().await;
        if closed || good(&answer) {
            return answer;
        }
        let pause = (began.elapsed() / 4).clamp(SHORTEST, LONGEST);
        sleep(pause.min(left())).await;
    }
}
