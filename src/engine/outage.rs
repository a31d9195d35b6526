//! What a run makes of a target that was away for a while: it may have been restarted, and have forgotten
//! what it only had in memory, so that what failed meanwhile is nobody's word.

use std::time::Instant;

use crate::outcome::Stop;
use crate::target::config::Target;
use crate::wire::{Client, Outage, Outages};

/// How many outages, and how many scenarios, are told of.
const TOLD: usize = 5;

/// Waits for a target that is away, for as long as it may take to answer a request.
pub(super) async fn outlast(client: &Client, target: &Target) -> Result<(), Stop> {
    let patience = target.limits.request_timeout;
    client.outlast(patience).await.map_err(|outage| Stop::Untestable {
        reason: format!(
            "the target is gone: {}, for more than {} s (limits.request_timeout_s)",
            outage.what,
            patience.as_secs_f64()
        ),
        exchange: None,
    })
}

/// The outages since the first scenario began, and what was played again for them, for people; times
/// are those of the run.
pub(super) fn told(outages: &Outages, run: Instant, played: Instant, repeated: &[&str]) -> Vec<String> {
    let mut outages = outages.so_far();
    outages.retain(|outage| outage.ended.is_none_or(|end| end >= played));
    let more = outages.len().saturating_sub(TOLD);
    outages.truncate(TOLD);
    let mut lines: Vec<String> = outages.iter().map(|outage| line(outage, run)).collect();
    if more > 0 {
        lines.push(format!("the target could not be reached {more} more times"));
    }
    lines.extend(again(repeated));
    lines
}

/// A failure that comes of no outage may show itself now and then, and has to be known of.
fn again(repeated: &[&str]) -> Option<String> {
    let (first, more) = repeated.split_at(repeated.len().min(TOLD));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    (!first.is_empty()).then(|| {
        let ids = first.join(", ");
        format!("what was played while the target could not be reached was played again, and the last performance counts: {ids}{more}")
    })
}

fn line(outage: &Outage, run: Instant) -> String {
    let after = (outage.began - run).as_secs_f64();
    let lasted = match outage.ended {
        Some(end) => format!("for {:.1} s", (end - outage.began).as_secs_f64()),
        None => "from then on".to_owned(),
    };
    let requests = match outage.faults {
        1 => "one request".to_owned(),
        many => format!("{many} requests"),
    };
    format!(
        "the target could not be reached {after:.1} s after the start, {lasted} ({requests}; the first: {}): was it restarted?",
        outage.what
    )
}
