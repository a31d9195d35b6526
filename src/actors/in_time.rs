//! The time that a story has.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::sleep_until;

use crate::outcome::Stop;

use super::Stage;

/// What comes of a story that plays on these stages, within the time that scenarios have; sessions are kept
/// active meanwhile. The first stage says how long that is, and all of them record in its transcript.
pub(crate) async fn in_time(
    stages: &[&Stage],
    story: impl Future<Output = Result<(), Stop>>,
) -> Result<(), Stop> {
    let Some(first) = stages.first() else { return story.await };
    let (began, limit) = (Instant::now(), first.world().target.limits.scenario_timeout);
    let transcript = first.client().transcript();
    let mut story = std::pin::pin!(story);
    let mut active = std::pin::pin!(join_all(stages.iter().map(|stage| stage.keep_sessions_active())));
    loop {
        // Neither time spent obeying 429 counts nor what the target is granted for other homeservers; both are
        // known only afterwards.
        let granted: Duration = stages.iter().map(|stage| stage.granted()).sum();
        let deadline = began + limit + transcript.obeyed() + granted;
        if deadline <= Instant::now() {
            let reason = format!("not done within {} s (limits.scenario_timeout_s)", limit.as_secs_f64());
            return Err(Stop::Untestable { reason, exchange: transcript.last() });
        }
        tokio::select! {
            ran = &mut story => return ran,
            () = sleep_until(deadline.into()) => {}
            _ = &mut active => {}
        }
    }
}
