//! The suite keeps the pace that a homeserver can: few passwords at once, and rate limits as they are told.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use capcheck::engine;
use capcheck::wire::{Client, Request, rate_limit};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::support;

/// Serves until the test is over.
async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn client(address: SocketAddr) -> Client {
    let mut target = support::target(&format!("http://{address}"));
    target.limits.request_timeout = Duration::from_secs(10);
    target.limits.rate_limit_cap = Duration::from_secs(10);
    engine::client(&target).unwrap()
}

/// Hashing a password keeps a processor busy: were all of a run's users to log in at once, the server could
/// answer nothing else in time.
#[tokio::test]
async fn few_passwords_are_hashed_at_once() {
    const AT_ONCE: usize = 4;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let full = Arc::new(Barrier::new(AT_ONCE));
    let hashes = axum::routing::post(move || {
        let (now, most, full) = (now.clone(), most.clone(), full.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
            full.wait().await;
            now.fetch_sub(1, Relaxed);
        }
    });
    let client = client(serve(Router::new().route("/login", hashes)).await);
    let logins = (0..3 * AT_ONCE).map(|_| client.send(Request::new("POST", "/login").costly()));
    let answers = join_all(logins).await;
    assert!(answers.iter().all(|answer| answer.status() == Some(200)), "{answers:?}");
    assert_eq!(seen.load(Relaxed), AT_ONCE);
    assert!(!client.transcript().obeyed().is_zero(), "who waits for a turn is not late");
}

/// A server that lets one in at a time refuses all but one of those that come at the moment for which it told them
/// all to wait. So one waits for all, and few are refused.
#[tokio::test]
async fn who_is_limited_together_waits_in_turn() {
    const USERS: usize = 12;
    const PACE: Duration = Duration::from_millis(60);
    let (next, refusals) = (Arc::new(Mutex::new(Instant::now())), Arc::new(AtomicUsize::new(0)));
    let seen = refusals.clone();
    let limited = axum::routing::post(move || {
        let (next, refusals) = (next.clone(), refusals.clone());
        async move {
            let mut next = next.lock().unwrap();
            let early = next.saturating_duration_since(Instant::now());
            if early.is_zero() {
                *next = Instant::now() + PACE;
                return StatusCode::OK.into_response();
            }
            refusals.fetch_add(1, Relaxed);
            let wait = format!("{{\"retry_after_ms\": {}}}", early.as_millis() + 1);
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
    });
    let client = client(serve(Router::new().route("/register", limited)).await);
    let answers = join_all((0..USERS).map(|_| client.send(Request::new("POST", "/register")))).await;
    assert!(answers.iter().all(|answer| answer.status() == Some(200)), "{answers:?}");
    // All at once they would be refused 11 + 10 + ... + 1 times; in turn, once at first and once in turn.
    assert!(seen.load(Relaxed) <= 3 * USERS, "{} refusals", seen.load(Relaxed));
}

#[tokio::test]
async fn a_limit_that_is_not_obeyed_is_explained_in_a_line() {
    let hour = || async { (StatusCode::TOO_MANY_REQUESTS, r#"{"retry_after_ms": 3600000}"#) };
    let unsaid = || async { StatusCode::TOO_MANY_REQUESTS };
    let routes = Router::new()
        .route("/_matrix/client/v3/register", axum::routing::post(hour))
        .route("/_matrix/client/v3/join/{room}", axum::routing::post(hour))
        .route("/_matrix/client/v3/presence/{user}/status", axum::routing::put(hour))
        .route("/elsewhere", axum::routing::get(unsaid));
    let client = client(serve(routes).await);
    let cap = client.config().max_obeyed;
    for (method, path, expected) in [
        (
            "POST",
            "/_matrix/client/v3/register",
            "was answered 429 and asks for 3600 s more; raise the server's limit (Synapse: rc_registration), or rate_limit_cap_s in [limits]",
        ),
        (
            "POST",
            "/_matrix/client/v3/join/a",
            "POST /_matrix/client/v3/join/a was answered 429 and asks for 3600 s more; raise the server's limit (Synapse: rc_joins)",
        ),
        ("PUT", "/_matrix/client/v3/presence/a/status", "(Synapse: rc_presence)"),
        ("GET", "/elsewhere", "does not say for how long; raise the server's limit, or"),
    ] {
        let explained = rate_limit::explain(&*client.send(Request::new(method, path)).await, cap);
        assert!(
            explained.starts_with("rate limited beyond the 10 s that are waited for a request: "),
            "{explained}"
        );
        assert!(explained.contains(expected) && !explained.contains('\n'), "{explained}");
    }
}
