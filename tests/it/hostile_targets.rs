//! Targets that pass preflight and break then: whatever they do, no rule that they break is
//! reported as passed, and what is not their fault is not reported as failed.
//!
//! In front of the built-in homeserver stands a proxy that changes the answers to the operations
//! of the capability API alone. Every row that passes nevertheless is listed, with the reason why
//! the target truly keeps that rule.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, Verdict};
use capcheck::outcome::Outcome;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;

use super::support::proxy::{Answer, Proxy, Turn, error, is_capability, json};
use super::support::{SETTLE, complaints, declared, run, with_outcome};

/// The built-in homeserver, but for the answers to capability operations.
async fn answering(
    answer: impl Fn(&http::Request<bytes::Bytes>) -> Turn + Send + Sync + 'static,
) -> RunResult {
    let proxy =
        Proxy::start(move |request| if is_capability(request) { answer(request) } else { Turn::Pass }).await;
    let mut target = declared(&proxy.url());
    // What never comes is waited for in many scenarios.
    target.limits.settle = SETTLE;
    run(target).await
}

/// These rows passed and no others, and these failed and no others.
fn tells(result: &RunResult, passed: &[&str], failed: Option<&[&str]>) {
    let (verdict, code) = match failed {
        Some([]) => (Verdict::Incomplete, exit::INCOMPLETE),
        _ => (Verdict::NonConformant, exit::NON_CONFORMANT),
    };
    assert_eq!((result.verdict, exit::code(result)), (verdict, code), "{}", complaints(result));
    assert_eq!(result.counts.scenarios.harness_fault, 0, "{}", complaints(result));
    assert_eq!(with_outcome(result, Outcome::Passed), passed, "{}", complaints(result));
    if let Some(failed) = failed {
        assert_eq!(with_outcome(result, Outcome::Failed), failed, "{}", complaints(result));
    }
}

/// What a target truly does that accepts whatever comes: it never refuses what it should take.
const OF_A_YES_SAYER: [&str; 4] = [
    // A set that it met is not asked for again: none is ever asked for, which is `upload.refuse-unknown`'s business.
    "upload.known-hash",
    "upload.known-after-logout",
    "upload.known-from-others",
    // 65,536 bytes are accepted; that they are forgotten is `resolve.hash-and-user`'s business.
    "upload.size-accepted",
];

/// The rules that a target breaks which answers every operation with the same failure: no hash is to
/// be had, no set is taken under its right hash, and the answer to an unknown hash, being that to
/// everything, tells a client nothing. About all else such a target shows nothing, so no other row
/// may fail; neither may one pass.
const OF_EVERY_NO_SAYER: [&str; 3] =
    ["hash.sha256-canonical-json", "server.hash", "upload.refusal-recognisable"];

/// Whatever the failure, and these rules besides, which this one breaks.
fn of_a_no_sayer(result: &RunResult, besides: &[&str]) {
    tells(result, &[], None);
    let failed = with_outcome(result, Outcome::Failed);
    let expected = |id: &&&str| OF_EVERY_NO_SAYER.contains(*id) || besides.contains(*id);
    assert_eq!(failed.iter().filter(expected).count(), OF_EVERY_NO_SAYER.len() + besides.len(), "{failed:?}");
    assert_eq!(failed.iter().find(|id| !expected(id)), None, "{}", complaints(result));
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_to_every_operation() {
    let result = answering(|_| Turn::Say(json(200, &json!({})))).await;
    tells(&result, &OF_A_YES_SAYER, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_of_every_body() {
    let result = answering(|request| Turn::Say(Answer::new(request.body().clone().into()))).await;
    tells(&result, &OF_A_YES_SAYER, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_for_every_operation() {
    let result = answering(|_| Turn::Say(error(404, "M_NOT_FOUND"))).await;
    of_a_no_sayer(&result, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_every_operation() {
    let result = answering(|_| Turn::Say(error(400, "M_INVALID_PARAM"))).await;
    of_a_no_sayer(&result, &["upload.refusal-as-bound"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_for_every_operation() {
    let result = answering(|_| Turn::Say(error(500, "M_UNKNOWN"))).await;
    of_a_no_sayer(&result, &["upload.refuse-unknown", "upload.refusal-as-bound"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_for_every_operation() {
    let result = answering(|_| Turn::Say(error(401, "M_UNKNOWN_TOKEN"))).await;
    of_a_no_sayer(&result, &["upload.refusal-as-bound"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_every_operation_drops() {
    let result = answering(|_| Turn::Drop).await;
    of_a_no_sayer(&result, &["upload.refuse-unknown", "upload.refusal-as-bound"]);
}

/// Breakdowns that do not come again are nobody's verdict: a repeat is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_for_the_first_request_of_each_kind() {
    let met = Mutex::new(HashSet::new());
    let result = answering(move |request| {
        let kind = (request.method().clone(), request.uri().clone(), request.body().clone());
        match met.lock().unwrap().insert(kind) {
            true => Turn::Say(error(500, "M_UNKNOWN")),
            false => Turn::Pass,
        }
    })
    .await;
    let failed = with_outcome(&result, Outcome::Failed);
    assert_eq!(failed, [""; 0], "{}", complaints(&result));
    assert_eq!((result.verdict, exit::code(&result)), (Verdict::Incomplete, exit::INCOMPLETE));
    assert!(result.counts.gating.untestable > 0);
    tells(&result, &[], Some(&[]));
}

/// A connection that is dropped now and then, whatever it was for, and not when asked again, is never a failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dropped_every_so_often() {
    for every in [5, 61] {
        let (count, dropped) = (AtomicUsize::new(0), Mutex::new(HashSet::new()));
        let result = answering(move |request| {
            let kind = (request.method().clone(), request.uri().clone(), request.body().clone());
            match count.fetch_add(1, Relaxed) % every == 0 && dropped.lock().unwrap().insert(kind) {
                true => Turn::Drop,
                false => Turn::Pass,
            }
        })
        .await;
        let failed = with_outcome(&result, Outcome::Failed);
        assert_eq!(failed, [""; 0], "every {every}th: {}", complaints(&result));
        assert_eq!(exit::code(&result), exit::INCOMPLETE);
        assert!(result.counts.gating.untestable > 0);
    }
}

/// Rate limits are obeyed, recorded, and cost the target nothing.
#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_that_say_how_long() {
    let met = Mutex::new(HashSet::new());
    let proxy = Proxy::start(move |request| {
        let kind = (request.method().clone(), request.uri().path().to_owned());
        match is_capability(request) && met.lock().unwrap().insert(kind) {
            true => {
                let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "later", "retry_after_ms": 5 });
                Turn::Say(json(429, &body))
            }
            false => Turn::Pass,
        }
    })
    .await;
    let result = run(declared(&proxy.url())).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0]);
    assert!(result.counts.rate_limited > 50, "{}", result.counts.rate_limited);
}

/// Content-Type is not looked at, and the proxy itself breaks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn another_content_type_does_not_matter() {
    let proxy = Proxy::start(|_| {
        Turn::Change(|answer| {
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=latin1"));
        })
    })
    .await;
    let result = run(declared(&proxy.url())).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0]);
    assert_eq!(with_outcome(&result, Outcome::Untestable), [""; 0]);
}

/// A set of which one operation alone is missing says so, and the rest is tested.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_not_there() {
    let result = answering(|request| match request.uri().path().contains("/server/") {
        true => Turn::Say(error(404, "M_UNRECOGNIZED")),
        false => Turn::Pass,
    })
    .await;
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0], "{}", complaints(&result));
    assert_eq!(exit::code(&result), exit::INCOMPLETE);
    let rule = |id: &str| result.requirements.iter().find(|rule| rule.id == id).unwrap();
    for id in ["server.hash", "server.set", "hash.shape", "gating.differs", "auth.required"] {
        assert_eq!(rule(id).outcome, Outcome::Untestable, "{id}");
        assert!(rule(id).reason.as_ref().unwrap().contains("is unsupported"), "{:?}", rule(id).reason);
    }
    assert_eq!(rule("union.of-all").outcome, Outcome::Passed);
}
