//! Waiting for an effect, up to the time that the protocol grants it.

use std::time::{Duration, Instant};

use crate::outcome::{Judgement, Stop};
use crate::target::patience::ask_while;

use super::Stage;

/// The window within which an effect must be visible.
#[derive(Debug)]
pub struct Window<'s> {
    stage: &'s Stage,
    opened: Instant,
    obeyed_before: Duration,
    /// What every effect is granted.
    settle: Duration,
    /// What is granted beside the time that every effect is.
    beside: Duration,
}

impl<'s> Window<'s> {
    /// A window that opens now.
    pub(crate) fn open(stage: &'s Stage) -> Self {
        Self::open_for(stage, Duration::ZERO)
    }

    /// A window that opens now and is so long.
    pub(crate) fn lasting(stage: &'s Stage, whole: Duration) -> Self {
        Self { settle: whole, ..Self::open(stage) }
    }

    /// A window that opens now and is so much longer.
    fn open_for(stage: &'s Stage, beside: Duration) -> Self {
        let obeyed_before = stage.client().transcript().obeyed();
        let settle = stage.world().target.limits.settle;
        Self { stage, opened: Instant::now(), obeyed_before, settle, beside }
    }

    /// Whether the target may still take its time.
    pub fn is_open(&self) -> bool {
        !self.left().is_zero()
    }

    /// What is left of it; time spent obeying 429 does not count.
    pub(crate) fn left(&self) -> Duration {
        let obeyed = self.stage.client().transcript().obeyed().saturating_sub(self.obeyed_before);
        let whole = self.settle + self.beside + obeyed;
        whole.saturating_sub(self.opened.elapsed())
    }
}

/// Asks until the judgement holds. The last question is asked after the window has closed, so that
/// a slow harness or a slow network never shortens what the target is granted.
pub(super) async fn poll<F, R>(stage: &Stage, ask: F) -> Result<Judgement, Stop>
where
    F: FnMut() -> R,
    R: Future<Output = Result<Judgement, Stop>>,
{
    poll_for(stage, Duration::ZERO, ask).await
}

/// The same in a window that is so much longer.
pub(super) async fn poll_for<F, R>(stage: &Stage, beside: Duration, ask: F) -> Result<Judgement, Stop>
where
    F: FnMut() -> R,
    R: Future<Output = Result<Judgement, Stop>>,
{
    let window = Window::open_for(stage, beside);
    let ends = |asked: &Result<Judgement, Stop>| asked.as_ref().map_or(true, |judgement| judgement.holds);
    ask_while(|| window.left(), ask, ends).await
}
