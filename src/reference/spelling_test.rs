//! The freedoms of spelling, intake, pace and place: each does something, and not the server without it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use super::federation::{self, Federation, test_kit};
use super::server::{Server, router};
use super::state::{Login, NewUser};
use super::{FaultSet, Options, Variant, VariantSet, start};
use crate::spec::binding::encode;

const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
/// A set whose hash shows the alphabet in which it is spelled.
const KNOWN: &str = r#"{"a.b":{"x":1,"y":"é/"},"c":{},"n":{"i":4}}"#;
const ODD_NAME: &str = r#"{"Ä b":{}}"#;
const PATIENCE: Duration = Duration::from_secs(20);

fn only(variant: Variant) -> VariantSet {
    [variant].into_iter().collect()
}

fn hash(text: &str) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(text))
}

fn upload_path(claim: &str) -> String {
    format!("{C}/sets/{}", encode(claim))
}

/// A homeserver without a network, on which Alice has a session.
struct Site {
    server: Arc<Server>,
    router: Router,
    _stop: watch::Sender<bool>,
}

impl Site {
    fn new(variants: VariantSet) -> Self {
        let federation = Some(test_kit::options(PATIENCE));
        let options = Options { federation, ..Options::default().taking(variants) };
        let (stop, stopped) = watch::channel(false);
        let server = Arc::new(Server::new(options, "hs", stopped).unwrap());
        server.with(|state, now| {
            let new = NewUser { localpart: "alice", password: "pw", salt: [1; 16] };
            let alice = state.create_user(new).unwrap();
            let token = "token".to_owned();
            let login = Login { device: "D".to_owned(), display_name: None, token };
            state.log_in(now, alice, login).unwrap();
        });
        Self { router: router(server.clone()), server, _stop: stop }
    }

    fn request(method: &str, path: &str, body: impl Into<Body>) -> http::Request<Body> {
        let request = http::Request::builder().method(method).uri(path);
        request.header("authorization", "Bearer token").body(body.into()).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> String {
        told(self.router.clone().oneshot(Self::request(method, path, body)).await.unwrap()).await
    }

    async fn upload(&self, claim: &str, body: impl Into<Body>) -> String {
        self.ask("PUT", &upload_path(claim), body).await
    }

    async fn declare(&self, hash: &str) -> String {
        self.ask("PUT", &format!("{C}/session"), json!({ "sha256": hash }).to_string()).await
    }
}

/// An answer in one line: status, headers, and the pieces of the body.
async fn told(answer: http::Response<Body>) -> String {
    let (head, mut body) = answer.into_parts();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        pieces.push(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap());
    }
    let header = |(name, value): (&_, &http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let headers: Vec<String> = head.headers.iter().map(header).collect();
    format!("{} {headers:?} {}", head.status.as_u16(), pieces.join("|"))
}

/// What a homeserver with these freedoms answers, by question.
async fn answers(variants: VariantSet) -> BTreeMap<&'static str, String> {
    let site = Site::new(variants);
    let known = hash(KNOWN);
    let nested = |depth: usize| format!(r#"{}{{}}{}"#, r#"{"d":"#.repeat(depth - 1), "}".repeat(depth - 1));
    let bom = format!("\u{feff}{ODD_NAME}");
    let parameter = |n: &str| format!(r#"{{"p":{{"n":{n}}}}}"#);
    let (first, last) = (hash(&parameter("1")), hash(&parameter("2")));
    let twice = r#"{"p":{"n":1,"n":2}}"#;
    let own = format!("{C}/server/users/{}", encode("@alice:hs"));
    let resolve = format!("{C}/users/{}/sets/{}", encode("@alice:hs"), encode(&known));
    let version = Site::request("GET", "/_matrix/federation/v1/version", "");
    let mut told = BTreeMap::from([
        ("known", site.upload(&known, KNOWN).await),
        ("odd name", site.upload(&hash(ODD_NAME), ODD_NAME).await),
        ("byte order mark", site.upload(&hash(ODD_NAME), bom).await),
        ("odd integer", site.upload(&hash(&parameter("100")), parameter("1.0e2")).await),
        ("deep", site.upload(&hash(&nested(17)), nested(17)).await),
        ("less deep", site.upload(&hash(&nested(16)), nested(16)).await),
        ("twice, first", site.upload(&first, twice).await),
        ("twice, last", site.upload(&last, twice).await),
        ("twice wrong", site.upload("no hash", "no JSON").await),
        ("refusal", site.declare(&hash("nobody's")).await),
        ("no hash", site.declare("no hash").await),
        ("padded", site.declare(&format!("{known}=")).await),
        ("URL-safe", site.declare(&known.replace('+', "-").replace('/', "_")).await),
        ("own hash", site.ask("GET", &own, "").await),
        ("whoami", site.ask("GET", "/_matrix/client/v3/account/whoami", "").await),
        ("version", self::told(federation::handle(site.server.clone(), version).await).await),
    ]);
    site.declare(&known).await;
    told.insert("set", site.ask("GET", &resolve, "").await);
    told
}

/// Where each freedom shows, and how.
const SHOWN: [(Variant, &str, &str); 30] = [
    (Variant::AnswersReversed, "set", r#"{"n":{"i":4},"c":{},"a.b":{"y":"é/","x":1}}"#),
    (Variant::AnswersSpaced, "set", "\n{\n  \"a.b\": {\n    \"x\": 1,\n    \"y\": \"é/\"\n  },"),
    (Variant::AnswersSprawling, "set", "{\r\n\t \t\"a.b\" \t\n: \t\n{\r\n\t \t\"x\" \t\n: \t\n1 \t\n,"),
    (Variant::AnswersEscaped, "set", r#"{"\u0061\u002e\u0062":{"\u0078":1,"\u0079":"\u00E9\u002F"}"#),
    (Variant::AnswersSlashEscaped, "set", r#"{"a.b":{"x":1,"y":"\u00E9\/"}"#),
    (Variant::AnswersExtraKeys, "whoami", r#""org.example.unheard_of":[null,true,9007199254740991,"","#),
    (
        Variant::AnswersExtraKeys,
        "known",
        r#"200 ["content-type: application/json"] {"org.example.unheard_of""#,
    ),
    (Variant::AnswersExtraKeys, "version", r#"{"org.example.unheard_of":"#),
    (Variant::HashExtraKeys, "own hash", r#""sha512":"000"#),
    (Variant::ErrorTexts, "refusal", "拒绝"),
    (Variant::ErrorsForbidden, "refusal", r#""errcode":"ORG.EXAMPLE_SET_MISSING""#),
    (Variant::ErrorsForbidden, "no hash", r#""errcode":"ORG.EXAMPLE_BAD_JSON""#),
    (Variant::ErrorsConflict, "refusal", "409 "),
    (Variant::ErrorsConflict, "no hash", "422 "),
    (Variant::ErrorsBodyFirst, "twice wrong", r#""errcode":"M_NOT_JSON""#),
    (Variant::HttpChunked, "own hash", r#"{|"s|ha25|"#),
    (Variant::HttpClose, "whoami", "connection: close"),
    (Variant::HttpHeaders, "whoami", "charset=utf-8"),
    (Variant::NamesRefused, "odd name", "400 "),
    (Variant::ParametersRefused, "known", "400 "),
    (Variant::BomTaken, "byte order mark", "200 "),
    (Variant::PaddedTaken, "padded", "200 "),
    (Variant::UrlSafeTaken, "URL-safe", "200 "),
    (Variant::IntegersTaken, "odd integer", "200 "),
    (Variant::NestingRefused, "deep", "400 "),
    (Variant::DuplicatesRefused, "twice, last", "400 "),
    (Variant::DuplicatesFirst, "twice, first", "200 "),
    (Variant::DuplicatesFirst, "twice, last", "400 "),
    (Variant::BoundElsewhere, "own hash", "404 "),
    (Variant::BoundElsewhere, "known", r#""errcode":"M_UNRECOGNIZED""#),
];

#[tokio::test]
async fn every_freedom_shows_and_shows_nowhere_without_it() {
    let without = answers(VariantSet::NONE).await;
    let usual = ["known", "odd name", "deep", "less deep", "twice, last", "own hash", "whoami", "set"];
    assert!(usual.iter().all(|question| without[question].starts_with("200 ")), "{without:#?}");
    for (variant, question, shown) in SHOWN {
        let with = answers(only(variant)).await;
        assert!(with[question].contains(shown), "{variant}, {question}: {}", with[question]);
        assert!(!without[question].contains(shown), "{variant}, {question}: {}", without[question]);
    }
}

#[tokio::test]
async fn no_freedom_adds_to_a_set_or_refuses_what_is_well_within_it() {
    let all = [Variant::AnswersExtraKeys, Variant::HashExtraKeys, Variant::NestingRefused];
    let told = answers(all.into_iter().collect()).await;
    assert!(told["set"].ends_with(&format!(" {KNOWN}")), "{}", told["set"]);
    assert!(told["less deep"].starts_with("200 "), "{}", told["less deep"]);
    assert!(!told["own hash"].contains("unheard_of"), "{}", told["own hash"]);
}

#[tokio::test]
async fn a_missing_token_is_told_before_a_bad_body_and_a_dead_one_after_it() {
    let ask = async |token: &'static str| {
        let request = http::Request::builder().method("PUT").uri(format!("{C}/session"));
        let request = request.header("authorization", token).body(Body::from("no JSON")).unwrap();
        let site = Site::new(only(Variant::ErrorsBodyFirst));
        self::told(site.router.clone().oneshot(request).await.unwrap()).await
    };
    assert!(ask("").await.contains("M_MISSING_TOKEN"));
    assert!(ask("Bearer dead").await.contains("M_NOT_JSON"));
}

#[tokio::test]
async fn every_seventh_request_is_one_too_many() {
    let site = Site::new(only(Variant::RateLimits));
    let mut limited = Vec::new();
    for request in 1..=21 {
        let told = site.ask("GET", "/_matrix/client/versions", "").await;
        if told.starts_with("429 ") {
            assert!(
                told.contains(r#""errcode":"M_LIMIT_EXCEEDED""#) && told.contains(r#""retry_after_ms":5"#)
            );
            limited.push(request);
        }
    }
    assert_eq!(limited, [7, 14, 21]);
}

#[tokio::test]
async fn late_answers_are_waited_for() {
    let at_once = async |variants| {
        let site = Site::new(variants);
        let request = Site::request("GET", "/_matrix/client/versions", "");
        site.router.clone().oneshot(request).now_or_never().is_some()
    };
    assert!(at_once(VariantSet::NONE).await);
    assert!(!at_once(only(Variant::AnswersLate)).await);
}

/// What a homeserver speaks with one that would rather have HTTP/1.1 than HTTP/2, and takes both.
async fn negotiated(variants: VariantSet) -> Vec<u8> {
    let options = Options { federation: Some(test_kit::options(PATIENCE)), ..Options::default() };
    let server = start(([127, 0, 0, 1], 0).into(), options.taking(variants)).await.unwrap();
    let asker = test_kit::options(PATIENCE);
    let asker = Federation::new(&asker, "asker", (FaultSet::NONE, variants)).unwrap();
    let version = asker.ask(server.server_name(), "GET", "/_matrix/federation/v1/version", None).await;
    assert_eq!(version.unwrap().status, 200);
    let mut roots = RootCertStore::empty();
    test_kit::options(PATIENCE).trust.into_iter().for_each(|authority| roots.add(authority).unwrap());
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let stream = TcpStream::connect(server.server_name()).await.unwrap();
    let stream = TlsConnector::from(Arc::new(tls))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap();
    stream.get_ref().1.alpn_protocol().unwrap().to_vec()
}

#[tokio::test]
async fn http_2_is_preferred_where_it_is_offered() {
    assert_eq!(negotiated(VariantSet::NONE).await, b"http/1.1");
    assert_eq!(negotiated(only(Variant::HttpTwo)).await, b"h2");
}
