//! Obeying a server that asks for patience.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::exchange::Exchange;

/// The first wait where a 429 does not say how long; doubled each time.
const UNSAID: Duration = Duration::from_millis(500);

/// The least wait, so that a target which asks for none is not asked without end.
const LEAST: Duration = Duration::from_millis(50);

/// How long a 429 asks to wait; `None` where the answer is no 429.
///
/// `retry_after_ms` is the older, deprecated key of the Matrix error; `Retry-After` (RFC 9110,
/// section 10.2.3, seconds or a date) is the newer. Where both are there the longer is obeyed.
pub(super) fn wait(exchange: &Exchange, attempt: u32) -> Option<Duration> {
    let response = exchange.result.as_ref().ok().filter(|response| response.status == 429)?;
    let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
    let in_body = body.get("retry_after_ms").and_then(serde_json::Value::as_u64).map(Duration::from_millis);
    let in_header = response.header("retry-after").and_then(|value| retry_after(value.trim(), Utc::now()));
    let asked = in_body.max(in_header).unwrap_or(UNSAID * 2u32.saturating_pow(attempt.min(16)));
    Some(asked.max(LEAST))
}

/// What `Retry-After` says: seconds from now, or a date, which may be over.
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let seconds = value.parse().ok().map(Duration::from_secs);
    let date = || DateTime::parse_from_rfc2822(value).ok();
    seconds.or_else(|| Some((date()?.to_utc() - now).to_std().unwrap_or_default()))
}

/// Waits as asked: the one place where time passes without anything being awaited.
pub(super) async fn obey(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc2822("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_utc();
        let wait = |value| retry_after(value, now);
        assert_eq!(wait("2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:40 GMT"), Some(Duration::from_secs(3)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:30 GMT"), Some(Duration::ZERO));
        for odd in ["", "-1", "soon", "1.5"] {
            assert_eq!(wait(odd), None, "{odd:?}");
        }
    }
}
