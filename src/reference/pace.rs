//! How fast clients may ask, and how fast the server answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::Utc;

use super::errors::MatrixError;
use super::http::Reply;
use super::variants::{Variant, VariantSet};

/// Every so many-th request meets 429 under `rate-limits`, and how long it is to wait.
const LIMITED: u64 = 7;
const RETRY_AFTER_MS: u64 = 5;
/// The same under `rate-limits-header`, which tells seconds and dates by turns: rare, so that a run
/// remains short.
const LIMITED_BY_HEADER: u64 = 211;
const RETRY_AFTER_S: u64 = 1;

/// What is counted to be at times slow: nothing here depends on a clock, or on chance.
#[derive(Debug, Default)]
pub(super) struct Pace {
    requests: AtomicU64,
    answers: AtomicU64,
}

impl Pace {
    /// Counts a request, and says when it is one too many.
    pub(super) fn limit(&self, variants: VariantSet) -> Option<Reply> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let limited = |variant, every: u64| variants.has(variant) && request.is_multiple_of(every);
        if limited(Variant::RateLimits, LIMITED) {
            Some(one_too_many(RETRY_AFTER_MS))
        } else if limited(Variant::RateLimitsHeader, LIMITED_BY_HEADER) {
            let by_date = (request / LIMITED_BY_HEADER).is_multiple_of(2);
            let when = if by_date { date(RETRY_AFTER_S) } else { RETRY_AFTER_S.to_string() };
            Some(Reply { retry_after: when.try_into().ok(), ..too_many_requests().into() })
        } else {
            None
        }
    }

    /// Takes its time: some milliseconds, and of thousands of answers no two the same, so that they
    /// overtake one another.
    pub(super) async fn dawdle(&self) {
        tokio::time::sleep(delay(self.answers.fetch_add(1, Ordering::Relaxed))).await;
    }
}

/// The answer to a request that is to come again after so many milliseconds (Matrix specification, "Rate
/// limiting").
pub(super) fn one_too_many(retry_after_ms: u64) -> Reply {
    let error = too_many_requests();
    let mut body = error.body();
    body["retry_after_ms"] = retry_after_ms.into();
    Reply::json(error.status, &body)
}

fn too_many_requests() -> MatrixError {
    MatrixError { status: 429, errcode: "M_LIMIT_EXCEEDED".into(), message: "Too many requests".into() }
}

/// So many seconds from now, as HTTP has dates (RFC 9110, section 5.6.7).
fn date(seconds: u64) -> String {
    let then = Utc::now() + Duration::from_secs(seconds);
    then.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// From 1 ms to 9 ms. The multiplier is odd: it takes 8192 answers to come round again.
fn delay(answer: u64) -> Duration {
    Duration::from_micros(1_000 + answer.wrapping_mul(3_001) % 8_192)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;

    use super::*;

    #[test]
    fn headers_tell_seconds_and_dates_by_turns() {
        let pace = Pace::default();
        let variants = [Variant::RateLimitsHeader].into_iter().collect();
        let told: Vec<String> = (0..4 * LIMITED_BY_HEADER)
            .filter_map(|_| pace.limit(variants)?.retry_after)
            .map(|when| when.to_str().unwrap().to_owned())
            .collect();
        assert_eq!(told.len(), 4);
        assert_eq!([&*told[0], &*told[2]], ["1", "1"]);
        assert!(
            [&told[1], &told[3]].into_iter().all(|date| DateTime::parse_from_rfc2822(date).is_ok()),
            "{told:?}"
        );
    }

    #[test]
    fn no_two_of_thousands_of_answers_are_equally_late() {
        let delays: BTreeSet<Duration> = (1_000_000..1_008_192).map(delay).collect();
        assert_eq!(delays.len(), 8_192);
        assert!(delays.iter().all(|delay| (1..10).contains(&delay.as_millis())));
    }
}
