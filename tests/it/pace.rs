//! The suite keeps the pace that a homeserver can: few passwords at once, and rate limits as they are told.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use capcheck::engine;
use capcheck::wire::{Client, Request};
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
