//! Obeying a server that asks for patience.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::exchange::{Exchange, Request, Response};

/// The first wait where a 429 does not say how long; doubled each time.
const UNSAID: Duration = Duration::from_millis(500);

/// The least wait, so that a target which asks for none is not asked without end.
const LEAST: Duration = Duration::from_millis(50);

/// The limits of one homeserver that is widely used, by what they are limits on: the ends of paths, or parts.
const SETTINGS: [(&str, &str); 8] = [
    ("/register", "rc_registration"),
    ("/login", "rc_login"),
    ("/createRoom", "rc_room_creation"),
    ("/invite", "rc_invites"),
    ("/join", "rc_joins"),
    ("/send_join/", "rc_joins"),
    ("/presence/", "rc_presence"),
    ("/rooms/", "rc_message"),
];

/// Whose turn it is where a server limits what the whole run does, and not what one user does.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<BTreeMap<String, Arc<Gate>>>);

/// One kind of request. Once it was limited, one is sent at a time: were all to wait for the same moment, all
/// but one would be refused then, and again.
#[derive(Debug, Default)]
pub(super) struct Gate {
    limited: AtomicBool,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Whose turn it is.
pub(super) type Turn = tokio::sync::OwnedMutexGuard<()>;

impl Gates {
    /// The gate for a request. What carries a token is limited with its user.
    pub(super) fn of(&self, request: &Request) -> Option<Arc<Gate>> {
        if request.token.is_some() || request.authorization.is_some() {
            return None;
        }
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(gates.entry(format!("{} {}", request.method, request.bare_path())).or_default().clone())
    }
}

impl Gate {
    /// Such requests are limited from now on; the turn, if nobody has it.
    pub(super) fn close(&self) -> Option<Turn> {
        self.limited.store(true, Relaxed);
        self.turn.clone().try_lock_owned().ok()
    }

    /// Whether such requests wait for their turn.
    pub(super) fn is_closed(&self) -> bool {
        self.limited.load(Relaxed)
    }

    /// Waits for a turn, first come first served; `None` where that takes too long.
    pub(super) async fn turn(&self, within: Duration) -> Option<Turn> {
        tokio::time::timeout(within, self.turn.clone().lock_owned()).await.ok()
    }
}

/// What a 429 that was not obeyed asks for, and what to do about it, in a line.
pub fn explain(exchange: &Exchange, cap: Duration) -> String {
    let path = exchange.request.bare_path();
    let known = SETTINGS.iter().find(|(part, _)| match part.ends_with('/') {
        true => path.contains(part),
        false => path.ends_with(part) || path.contains(&format!("{part}/")),
    });
    let setting = known.map(|(_, setting)| format!(" (Synapse: {setting})")).unwrap_or_default();
    let asks = match wait(exchange, 0).map(|wait| wait.as_secs_f64()) {
        Some(seconds) if said_how_long(exchange) => format!("asks for {seconds} s more"),
        _ => "does not say for how long".to_owned(),
    };
    format!(
        "rate limited beyond the {} s that are waited for a request: {} {path} was answered 429 and {asks}; raise the server's limit{setting}, or rate_limit_cap_s in [limits]",
        cap.as_secs_f64(),
        exchange.request.method,
    )
}

fn said_how_long(exchange: &Exchange) -> bool {
    exchange.result.as_ref().ok().and_then(asked).is_some()
}

/// How long a 429 asks to wait; `None` where the answer is no 429.
///
/// `retry_after_ms` is the older, deprecated key of the Matrix error; `Retry-After` (RFC 9110,
/// section 10.2.3, seconds or a date) is the newer. Where both are there the longer is obeyed.
pub(super) fn wait(exchange: &Exchange, attempt: u32) -> Option<Duration> {
    let response = exchange.result.as_ref().ok().filter(|response| response.status == 429)?;
    let unsaid = || UNSAID * 2u32.saturating_pow(attempt.min(16));
    Some(asked(response).unwrap_or_else(unsaid).max(LEAST))
}

fn asked(response: &Response) -> Option<Duration> {
    let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
    let in_body = body.get("retry_after_ms").and_then(serde_json::Value::as_u64).map(Duration::from_millis);
    let in_header = response.header("retry-after").and_then(|value| retry_after(value.trim(), Utc::now()));
    in_body.max(in_header)
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
