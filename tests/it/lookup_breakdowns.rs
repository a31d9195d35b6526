//! Lookups whose own answer breaks down, or whose target goes away: the remote's failure, the target's and
//! the network's are told apart.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use capcheck::built_in;
use capcheck::engine::result::{RunResult, Selection, Verdict};
use capcheck::outcome::Outcome;
use capcheck::reference::Options;
use http::Request;

use crate::support::proxy::{Proxy, Turn, error, is_capability};
use crate::support::{OPTIONS, complaints, run_with, with_outcome};

/// A run of the lookups that fail, on a target whose client port stands behind a proxy.
async fn failing_lookups(twist: impl Fn(&Request<Bytes>) -> Turn + Send + Sync + 'static) -> RunResult {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    let proxy = Proxy::before(server, twist).await;
    target.url = proxy.url().parse().unwrap();
    target.limits.request_timeout = Duration::from_secs(1);
    let only = vec!["federation.lookup-failure".to_owned(), "federation.lookup-failure-status".to_owned()];
    run_with(target, Selection { only, strict: true, ..Selection::default() }, OPTIONS).await
}

/// Whether a client asks for a set of a user of the harness's homeservers.
fn is_lookup(request: &Request<Bytes>) -> bool {
    is_capability(request)
        && request.uri().path().contains("/users/%40")
        && request.uri().path().contains("127.0.0.1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_that_breaks_down_once_is_asked_again() {
    let seen = Mutex::new(BTreeSet::new());
    let result = failing_lookups(move |request| {
        let is_first = is_lookup(request) && seen.lock().unwrap().insert(request.uri().to_string());
        if is_first { Turn::Say(error(500, "M_UNKNOWN")) } else { Turn::Pass }
    })
    .await;
    assert_eq!(result.verdict, Verdict::Conformant, "{}", complaints(&result));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_gone_in_the_middle_has_failed_nothing() {
    let is_gone = AtomicBool::new(false);
    let result = failing_lookups(move |request| {
        if is_lookup(request) {
            is_gone.store(true, Relaxed);
        }
        if is_gone.load(Relaxed) { Turn::Hang } else { Turn::Pass }
    })
    .await;
    assert_eq!(result.verdict, Verdict::Incomplete, "{}", complaints(&result));
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0], "{}", complaints(&result));
}
