//! Asking again until the answer is good or the time is up.

use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// The shortest time from one question to the next.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest.
const LONGEST: Duration = Duration::from_millis(250);

/// When to ask again where no event can be awaited: often at first, because most effects come soon, and ever
/// more rarely, because what has not come for long is not noticed much later for that.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
}

impl Pace {
    /// A pace whose first question is asked now.
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Waits until it is time to ask again, and not beyond `closes`.
    pub async fn next(&self, closes: Instant) {
        let pause = (self.began.elapsed() / 4).clamp(SHORTEST, LONGEST);
        sleep_until((Instant::now() + pause).min(closes).into()).await;
    }
}

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
    let pace = Pace::start();
    let closes = Instant::now() + within;
    loop {
        let closed = Instant::now() >= closes;
        let answer = ask().await;
        if closed || good(&answer) {
            return answer;
        }
        pace.next(closes).await;
    }
}
