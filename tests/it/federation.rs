//! Preflight over federation: whatever stands between target and harness is named, with the setting to
//! change, and is never the target's failure.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use capcheck::built_in;
use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, Selection, Verdict};
use capcheck::outcome::Outcome;
use capcheck::reference::{Options, Running};
use capcheck::target::config::{Federation, Target};
use capcheck::wire::TlsTrust;
use capcheck::wire::authority::Authority;
use capcheck::wire::peer::Identity;
use http::Request;

use crate::support::proxy::{Proxy, Turn, error, is_capability};
use crate::support::{OPTIONS, complaints, run_with, with_outcome};

/// A run of one federation scenario on a target whose [federation] was changed.
async fn hindered(change: impl FnOnce(&mut Federation)) -> (RunResult, Running) {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    change(target.federation.as_mut().unwrap());
    (run_one(target).await, server)
}

async fn run_one(target: Target) -> RunResult {
    let only = vec!["federation.hash".to_owned()];
    run_with(target, Selection { only, ..Selection::default() }, OPTIONS).await
}

/// Why the scenarios could not be told; none of them is the target's failure.
fn reason(result: &RunResult, outcome: Outcome) -> String {
    assert_eq!(result.verdict, Verdict::Incomplete);
    let reasons: Vec<&String> = result
        .scenarios
        .iter()
        .inspect(|s| assert_eq!(s.outcome, outcome, "{s:?}"))
        .flat_map(|s| &s.reason)
        .collect();
    (*reasons.first().unwrap()).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_listens_is_named() {
    let (result, _server) =
        hindered(|federation| federation.url = Some("https://127.0.0.1:1/".parse().unwrap())).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("does not reach the target's federation port https://127.0.0.1:1/"), "{reason}");
    assert!(reason.contains("[federation]"), "{reason}");
    assert_ne!(exit::code(&result), exit::CONFORMANT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federation_port_that_is_another_port_is_named() {
    let (target, server) = built_in::start(Options::default()).await.unwrap();
    let mut wrong = target.clone();
    // The client port speaks plain HTTP.
    wrong.federation.as_mut().unwrap().url = Some(target.url.clone());
    let reason = reason(&run_one(wrong).await, Outcome::Untestable);
    assert!(reason.contains("is this the target's federation port?"), "{reason}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_the_harness_does_not_know_is_named() {
    let (result, _server) = hindered(|federation| {
        let stranger = Authority::generate().unwrap().certificate().unwrap();
        federation.tls = TlsTrust::Only(vec![stranger]);
    })
    .await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("does not trust the target's federation port"), "{reason}");
    assert!(reason.contains("[federation] target_ca"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_trust_the_peers_is_told_what_to_trust() {
    let (result, _server) = hindered(|federation| {
        federation.identity = Identity::Authority(Authority::generate().unwrap());
    })
    .await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(
        reason.contains("the target does not trust the certificate of the harness's homeserver"),
        "{reason}"
    );
    assert!(reason.contains("federation_custom_ca_list"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_find_the_peers_is_told_where_they_are() {
    // Names end in a port where nobody listens under that address.
    let (result, _server) = hindered(|federation| federation.advertise = "127.0.0.9".to_owned()).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("never asks the harness's homeserver 127.0.0.9:"), "{reason}");
    assert!(reason.contains("ip_range_blacklist"), "{reason}");
    assert!(reason.contains("trusted_key_servers"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_cannot_listen_are_the_harness_s_matter() {
    let (result, _server) = hindered(|federation| federation.listen = "192.0.2.1".parse().unwrap()).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("no peer can listen on 192.0.2.1"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_ports_are_said_so() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let (result, _server) = hindered(|federation| federation.ports = Some(port..=port)).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains(&port.to_string()), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_read_is_said_so() {
    let (result, _server) = hindered(|federation| {
        federation.identity = Identity::Certificate {
            chain: PathBuf::from("/nowhere/chain.pem"),
            key: PathBuf::from("/nowhere/key.pem"),
        };
    })
    .await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("/nowhere/"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_section_federation_does_not_apply() {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    target.federation = None;
    let reason = reason(&run_one(target).await, Outcome::NotApplicable);
    assert!(reason.contains("no [federation]"), "{reason}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_homeserver_that_is_not_there_is_named() {
    let (target, _server) = built_in::start(Options::default()).await.unwrap();
    let second = Target::at("http://127.0.0.1:1/".parse().unwrap());
    let only = vec!["pair::*".to_owned()];
    let result =
        crate::support::run_pair(target, Some(second), Selection { only, ..Selection::default() }, OPTIONS)
            .await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("second: http://127.0.0.1:1/ is unreachable"), "{reason}");
}

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
