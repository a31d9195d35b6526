//! Settings of real homeservers that keep the hash from being seen: the report names them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::sync::{Arc, Mutex};

use capcheck::engine::exit;
use capcheck::engine::result::Selection;
use capcheck::outcome::Outcome;
use capcheck::reference::Options;
use capcheck::scenarios;
use capcheck::target::features::Feature;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::support::proxy::{Answer, Proxy, Turn};
use crate::support::{self, SETTLE, complaints, declared, run, serve, with_outcome};

#[tokio::test(flavor = "multi_thread")]
async fn presence_that_is_switched_off_is_named_and_fails_nothing() {
    let server = serve(Options { presence_enabled: false, ..Options::default() }).await;
    let result = run(declared(&server.url())).await;
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0], "{}", complaints(&result));
    assert_eq!(exit::code(&result), exit::INCOMPLETE);
    for scenario in scenarios::all().filter(|scenario| !scenario.needs.contains(&Feature::Federation)) {
        let told = result.scenarios.iter().find(|told| told.id == scenario.id).unwrap();
        if scenario.needs.contains(&Feature::Presence) && !scenario.needs.contains(&Feature::Second) {
            assert_eq!(told.outcome, Outcome::Untestable, "{}", scenario.id);
            assert!(told.reason.as_deref().unwrap().contains("(Synapse: presence.enabled)"), "{told:?}");
        } else {
            assert_ne!(told.outcome, Outcome::Untestable, "{}: {:?}", scenario.id, told.reason);
        }
    }
}

/// Leaves out of an answer to `/sync` who is offline.
fn without_the_offline(answer: &mut Answer) {
    let (mut head, body) = std::mem::take(answer).into_parts();
    let whole = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    let mut body: Value = serde_json::from_slice(&whole).unwrap();
    if let Some(events) = body["presence"]["events"].as_array_mut() {
        events.retain(|event| event["content"]["presence"] != "offline");
    }
    head.headers.remove("content-length");
    *answer = Answer::from_parts(head, body.to_string().into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_without_the_offline_fails_and_the_setting_is_named() {
    let proxy = Proxy::start(|request| {
        let first = request.uri().path().ends_with("/sync")
            && !request.uri().query().is_some_and(|query| query.contains("since="));
        if first { Turn::Change(without_the_offline) } else { Turn::Pass }
    })
    .await;
    let mut target = declared(&proxy.url());
    target.limits.settle = SETTLE;
    let only = vec!["presence::comes_with_the_first_sync".to_owned()];
    let selection = Selection { only, ..Selection::default() };
    let result = support::run_with(target, selection, support::OPTIONS).await;
    assert_eq!(with_outcome(&result, Outcome::Failed), ["presence.sync"], "{}", complaints(&result));
    let actual = &result.scenarios[0].findings[0].actual;
    assert!(actual.contains("(Synapse: presence.include_offline_users_on_sync)"), "{actual}");
}

/// A homeserver may answer an initial sync from memory where a device has asked the very same a while ago, which
/// only devices do that several scenarios use.
#[tokio::test(flavor = "multi_thread")]
async fn no_two_initial_syncs_are_the_same() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = asked.clone();
    let proxy = Proxy::start(move |request| {
        let query = request.uri().query().unwrap_or_default();
        if request.uri().path().ends_with("/sync") && !query.contains("since=") {
            heard.lock().unwrap().push(query.to_owned());
        }
        Turn::Pass
    })
    .await;
    let selection = Selection { only: vec!["presence.*".to_owned()], ..Selection::default() };
    let result = support::run_with(declared(&proxy.url()), selection, support::OPTIONS).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    let mut queries = asked.lock().unwrap().clone();
    let all = queries.len();
    queries.sort();
    queries.dedup();
    assert!(all > 10 && queries.len() == all, "{queries:?}");
}
