//! Preflight over federation: whatever stands between target and harness is named, with the setting to
//! change, and is never the target's failure.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use capcheck::built_in;
use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, Selection, Verdict};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Fault, FaultSet, FederationOptions, Options, Running, TlsIdentity};
use capcheck::target::config::{Federation, Target};
use capcheck::target::keys::PEERS_NEEDED;
use capcheck::wire::TlsTrust;
use capcheck::wire::authority::Authority;
use capcheck::wire::peer::Identity;
use capcheck::wire::signing::{ServerKeys, SigningKey};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Map, Value};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::proxy::{Proxy, Turn, error, json};
use crate::support::{OPTIONS, complaints, run_pair, run_with};

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
    assert!(reason.contains("TLS") && reason.contains("[federation] url"), "{reason}");
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

/// A federation port with good keys, where whatever is signed is answered so.
async fn stern(server: &Running, refusal: u16) -> Proxy {
    let key = SigningKey::generate("ed25519:1").unwrap();
    let keys = ServerKeys {
        server_name: server.server_name().to_owned(),
        verify_keys: [(key.id().to_owned(), key.public())].into(),
        old_verify_keys: [].into(),
        valid_until_ts: (1 << 53) - 1,
    };
    let keys = keys.signed_by(&key);
    Proxy::start(move |request| match request.uri().path() {
        "/_matrix/federation/v1/version" => Turn::Say(json(200, &Value::Object(Map::new()))),
        "/_matrix/key/v2/server" => Turn::Say(json(200, &keys)),
        _ => Turn::Say(error(refusal, "M_FORBIDDEN")),
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_talks_to_some_homeservers_only_is_told_from_one_that_does_not_find_them() {
    for (refusal, told) in
        [(403, "federation_domain_whitelist"), (401, "never asks the harness's homeserver")]
    {
        let (mut target, server) = built_in::start(Options::default()).await.unwrap();
        let port = stern(&server, refusal).await;
        target.federation.as_mut().unwrap().url = Some(port.url().parse().unwrap());
        let reason = reason(&run_one(target).await, Outcome::Untestable);
        assert!(reason.contains(told), "{refusal}: {reason}");
    }
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
    let result = run_pair(target, Some(second), Selection { only, ..Selection::default() }, OPTIONS).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("second: http://127.0.0.1:1/ is unreachable"), "{reason}");
}

/// The homeservers of the harness that signed requests of a run.
fn peers(result: &RunResult) -> BTreeSet<String> {
    let exchanges = result.scenarios.iter().flat_map(|scenario| &scenario.exchanges);
    let headers =
        exchanges.filter(|exchange| exchange.received_by.is_none()).flat_map(|e| &e.request_headers);
    let signed = headers.filter(|(name, _)| name == "authorization").filter_map(|(_, value)| {
        let (_, origin) = value.strip_prefix("X-Matrix ")?.split_once("origin=\"")?;
        Some(origin.split_once('"')?.0.to_owned())
    });
    signed.filter(|origin| origin.starts_with("127.0.0.1:")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_run_needs_as_many_ports_as_is_said() {
    let (target, server) = built_in::start(Options::default()).await.unwrap();
    let options = capcheck::engine::Options { all_transcripts: true, ..OPTIONS };
    let result = run_with(target, Selection::default(), options).await;
    assert_eq!(peers(&result).len(), PEERS_NEEDED, "{:?}", peers(&result));
    server.stop().await;
}

/// A run of `federation::believes_no_lie` of which every exchange is told.
async fn lied_to(faults: FaultSet) -> RunResult {
    let (target, server) = built_in::start(Options { faults, ..Options::default() }).await.unwrap();
    let only = vec!["federation::believes_no_lie".to_owned()];
    let options = capcheck::engine::Options { all_transcripts: true, ..OPTIONS };
    let result = run_with(target, Selection { only, ..Selection::default() }, options).await;
    server.stop().await;
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_s_questions_are_told_and_the_lies_that_were_answered() {
    let result = lied_to(FaultSet::default()).await;
    let scenario = &result.scenarios[0];
    assert_eq!(scenario.outcome, Outcome::Passed, "{}", complaints(&result));
    let received = scenario.exchanges.iter().filter(|exchange| exchange.received_by.is_some());
    let questions: Vec<_> = received
        .filter(|exchange| exchange.method == "GET" && exchange.url.contains("/users/%40zoe"))
        .collect();
    let lies = |lie: &str| questions.iter().filter(|e| e.response_body.as_deref() == Some(lie)).count();
    assert_eq!(lies("{}"), 1, "{questions:?}");
    assert_eq!(lies(r#"{"m.cap.forged.v1":{}}"#), 1, "{questions:?}");
    let (sets, failures): (Vec<_>, Vec<_>) = questions.iter().copied().partition(|q| q.status == Some(200));
    assert!(sets.iter().all(|question| question.fault.is_none()));
    assert!(failures.iter().all(|question| question.status == Some(404)), "{failures:?}");
    assert!(questions.iter().all(|q| q.request_headers.iter().any(|(name, _)| name == "authorization")));
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_are_told_in_their_order_and_findings_point_at_theirs() {
    let result = lied_to(FaultSet::from_iter([Fault::LookupUnverified])).await;
    let scenario = &result.scenarios[0];
    assert!(scenario.exchanges.is_sorted_by_key(|exchange| exchange.at_ms));
    assert!(scenario.exchanges.iter().map(|exchange| exchange.number).eq(1..=scenario.exchanges.len()));
    assert!(!scenario.findings.is_empty());
    for exchange in scenario.findings.iter().filter_map(|finding| finding.exchange.as_ref()) {
        assert_eq!(scenario.exchanges.get(exchange.number - 1), Some(exchange));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_that_share_a_homeserver_are_told_of_their_own_users() {
    let (target, server) = built_in::start(Options::default()).await.unwrap();
    let options = capcheck::engine::Options { all_transcripts: true, ..OPTIONS };
    let result = run_with(target, all_of_federation(), options).await;
    let mut shared = 0;
    for scenario in &result.scenarios {
        let (received, sent): (Vec<_>, Vec<_>) =
            scenario.exchanges.iter().partition(|exchange| exchange.received_by.is_some());
        // Whom a homeserver is asked for, in its own scenario, has joined a room or been spoken of there.
        for question in received.iter().filter(|exchange| exchange.url.contains("/users/%40")) {
            let (_, user) = question.url.split_once("/users/").unwrap();
            let (user, _) = user.split_once("/sets/").unwrap_or((user, ""));
            let decoded = user.replace("%40", "@").replace("%3A", ":");
            let names = |text: &str| text.contains(user) || text.contains(&decoded);
            let known = sent.iter().any(|e| names(&e.url) || e.request_body.as_deref().is_some_and(names));
            assert!(known, "{} is told of {user}", scenario.id);
            shared += 1;
        }
    }
    assert!(shared > 20, "{shared}");
    server.stop().await;
}

/// Every requirement of federation that is tested by the harness's homeservers alone.
fn is_conformant(result: &RunResult) {
    assert_eq!(result.verdict, Verdict::Conformant, "{}", complaints(result));
    let told = result.scenarios.iter().filter(|scenario| scenario.outcome == Outcome::Passed).count();
    assert!(told > 20, "{told} scenarios passed");
}

fn all_of_federation() -> Selection {
    Selection { only: vec!["federation::*".to_owned()], strict: true, ..Selection::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_of_every_version_are_shared() {
    for version in ["10", "11"] {
        let (mut target, server) = built_in::start(Options::default()).await.unwrap();
        target.room_version = Some(version.to_owned());
        is_conformant(&run_with(target, all_of_federation(), OPTIONS).await);
        server.stop().await;
    }
}

/// What strangers say to a port: nothing, plain HTTP, garbage, half a handshake.
const NOISE: [&[u8]; 4] = [
    b"",
    b"GET /_matrix/key/v2/server HTTP/1.1\r\nhost: localhost\r\n\r\n",
    &[0xff; 4096],
    &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc],
];

/// Talks noise to ports until it is dropped, and keeps some of the connections open.
async fn noise(ports: Vec<u16>) {
    let mut held = VecDeque::new();
    loop {
        for port in &ports {
            for words in NOISE {
                let Ok(mut stream) = TcpStream::connect(("127.0.0.1", *port)).await else { continue };
                let _ = stream.write_all(words).await;
                held.push_back(stream);
            }
        }
        while held.len() > 400 {
            held.pop_front();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_at_the_ports_changes_no_verdict() {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    let federation = target.federation.as_mut().unwrap();
    // Below those that the system gives away, so that few are taken.
    federation.ports = Some(19_000..=19_063);
    let target_port = federation.url.as_ref().unwrap().port().unwrap();
    let ports = (19_000..=19_015).chain([target_port]).collect();
    let result = tokio::select! {
        result = run_with(target, all_of_federation(), OPTIONS) => result,
        () = noise(ports) => unreachable!("noise never ends"),
    };
    is_conformant(&result);
    assert!(!result.observations.is_empty(), "nothing was noticed");
    server.stop().await;
}

/// What a run says of a second homeserver that was changed.
async fn beside(change: impl FnOnce(&mut built_in::Pair)) -> String {
    let mut pair = built_in::start_pair(Options::default()).await.unwrap();
    change(&mut pair);
    let only = vec!["pair::*".to_owned()];
    let selection = Selection { only, ..Selection::default() };
    let result = run_pair(pair.target.clone(), Some(pair.second.clone()), selection, OPTIONS).await;
    pair.stop().await;
    reason(&result, Outcome::Untestable)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_homeserver_under_another_url_is_found_out() {
    let reason = beside(|pair| {
        let mut url = pair.target.url.clone();
        url.set_host(Some("localhost")).unwrap();
        pair.second.url = url;
    })
    .await;
    assert!(
        reason.contains("second: it is the homeserver under test itself: both are localhost:"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_homeservers_that_do_not_meet_are_told_where_to_look() {
    // It has an authority of its own, which the first does not trust.
    let (target, first) = built_in::start(Options::default()).await.unwrap();
    let (second, other) = built_in::start(Options::default()).await.unwrap();
    let selection = Selection { only: vec!["pair::*".to_owned()], ..Selection::default() };
    let result = run_pair(target, Some(second), selection, OPTIONS).await;
    let reason = reason(&result, Outcome::Untestable);
    assert!(reason.contains("second: a user of localhost:"), "{reason}");
    assert!(reason.contains("cannot join a room of localhost:"), "{reason}");
    assert!(reason.contains("trust each other's certificates?"), "{reason}");
    tokio::join!(first.stop(), other.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_where_none_is_spoken_is_told_from_distrust() {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    let client_port = target.url.as_str().replace("http://", "https://");
    target.federation.as_mut().unwrap().url = Some(client_port.parse().unwrap());
    let reason = reason(&run_one(target).await, Outcome::Untestable);
    assert!(reason.contains("No TLS is spoken there"), "{reason}");
    assert!(!reason.contains("target_ca"), "{reason}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_ports_than_a_full_run_needs_are_said_aloud() {
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    target.federation.as_mut().unwrap().ports = Some(19_100..=19_104);
    let notes = run_one(target).await.notes;
    assert!(notes.iter().any(|note| note.starts_with("ports in [federation] are 5")), "{notes:?}");
    server.stop().await;
}

/// What is wrong with a certificate.
type Flaw = fn(&mut CertificateParams);

/// What is said of a target whose federation port has such a certificate, which is trusted as it stands.
async fn certified(flaw: Flaw) -> String {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    flaw(&mut parameters);
    let certificate = parameters.self_signed(&key).unwrap().der().clone();
    let (mut target, server) = built_in::start(Options::default()).await.unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let federation = FederationOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        certificate: Arc::new(TlsIdentity { chain: vec![certificate.clone()], key }),
        trust: vec![certificate.clone()],
        timeout: Duration::from_secs(5),
    };
    let options = Options { federation: Some(federation), ..Options::default() };
    let odd = reference::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    target.url = odd.url().parse().unwrap();
    let way = target.federation.as_mut().unwrap();
    way.url = Some(odd.federation_url().unwrap().parse().unwrap());
    way.tls = TlsTrust::Only(vec![certificate]);
    let reason = reason(&run_one(target).await, Outcome::Untestable);
    tokio::join!(odd.stop(), server.stop());
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
    let cases: [(Flaw, &str); 4] = [
        (|parameters| parameters.not_after = date_time_ymd(2021, 1, 1), "has to be renewed"),
        (|parameters| parameters.not_before = date_time_ymd(2090, 1, 1), "is not valid yet, or the clock"),
        (
            |parameters| parameters.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 2].into())],
            "is for other names",
        ),
        (|parameters| parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), "CA:FALSE"),
    ];
    for (flaw, advice) in cases {
        let reason = certified(flaw).await;
        assert!(reason.contains(advice), "{reason}");
        assert!(!reason.contains("target_ca"), "{reason}");
    }
}
