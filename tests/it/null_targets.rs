//! Targets that are no homeserver at all: exit code 4, one line that says why, and nothing passed.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, Verdict};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Options};
use capcheck::spec::binding::{Binding, Operation, Route};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::support::raw::{Raw, heard};
use super::support::{complaints, run, serve, target, with_outcome};

/// Long enough for any of these, however busy the machine, and far from waiting for each scenario.
const BOUND: Duration = Duration::from_secs(20);

/// A run against a target that is none: code 4, these words in the one line that says why, and nothing passed.
async fn is_told(url: &str, words: &[&str]) -> RunResult {
    let began = Instant::now();
    let result = run(target(url)).await;
    assert!(began.elapsed() < BOUND, "took {:?}", began.elapsed());
    let error = result.preflight_error.as_deref().expect("preflight lets it through");
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
    assert!(!error.contains('\n') && error.len() < 600, "not a line: {error}");
    assert_eq!(exit::code(&result), exit::PREFLIGHT);
    shows_nothing(&result);
    for scenario in &result.scenarios {
        assert_eq!(scenario.reason.as_deref(), Some(error), "{}", scenario.id);
    }
    result
}

/// Nothing passed, nothing failed, and the verdict does not say that it conforms.
fn shows_nothing(result: &RunResult) {
    assert_eq!(result.verdict, Verdict::Incomplete, "{}", complaints(result));
    assert_eq!(with_outcome(result, Outcome::Passed), [""; 0], "{}", complaints(result));
    assert_eq!(with_outcome(result, Outcome::Failed), [""; 0], "{}", complaints(result));
    let scenarios = &result.counts.scenarios;
    assert_eq!((scenarios.passed, scenarios.failed, scenarios.harness_fault), (0, 0, 0));
    assert!(scenarios.untestable > 0 && scenarios.untestable == scenarios.total);
}

/// A server that answers everything alike.
async fn always(answer: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn error(status: u16, errcode: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "errcode": errcode, "error": "no" }))
}

#[tokio::test]
async fn not_found_for_everything() {
    let bare = always(ResponseTemplate::new(404)).await;
    is_told(&bare.uri(), &["is not a homeserver", "GET /_matrix/client/versions", "answered 404"]).await;
    let matrix = always(error(404, "M_UNRECOGNIZED")).await;
    is_told(&matrix.uri(), &["is not a homeserver", "404 M_UNRECOGNIZED"]).await;
}

#[tokio::test]
async fn every_token_is_unknown() {
    let server = always(error(401, "M_UNKNOWN_TOKEN")).await;
    is_told(&server.uri(), &["is not a homeserver", "401 M_UNKNOWN_TOKEN"]).await;
}

#[tokio::test]
async fn rate_limits_without_end() {
    let unsaid = always(error(429, "M_LIMIT_EXCEEDED")).await;
    let result = is_told(&unsaid.uri(), &["cannot be tested now", "429 M_LIMIT_EXCEEDED"]).await;
    assert_eq!((result.counts.requests, result.counts.rate_limited), (1, 1), "500 ms are beyond the cap");
    let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "later", "retry_after_ms": 100 });
    let said = always(ResponseTemplate::new(429).set_body_json(body)).await;
    let result = is_told(&said.uri(), &["cannot be tested now", "429 M_LIMIT_EXCEEDED"]).await;
    assert_eq!((result.counts.requests, result.counts.rate_limited), (4, 4), "three waits fit under the cap");
    let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "later", "retry_after_ms": 0 });
    let at_once = always(ResponseTemplate::new(429).set_body_json(body)).await;
    let result = is_told(&at_once.uri(), &["cannot be tested now", "429 M_LIMIT_EXCEEDED"]).await;
    assert!(result.counts.requests < 20, "no wait is asked for, and yet there is an end");
}

#[tokio::test]
async fn server_errors_for_everything() {
    let server = always(ResponseTemplate::new(500)).await;
    is_told(&server.uri(), &["cannot be tested now", "answered 500"]).await;
    let gateway = always(ResponseTemplate::new(502).set_body_string("<h1>Bad Gateway</h1>\n")).await;
    is_told(&gateway.uri(), &["cannot be tested now", "502 <h1>Bad Gateway</h1>"]).await;
}

#[tokio::test]
async fn yes_to_everything() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    is_told(&server.uri(), &["is not a homeserver", "200 {}", "expected 200 with a list `versions`"]).await;
}

/// Answers with what it was sent.
struct Echo;

impl Respond for Echo {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        ResponseTemplate::new(200).set_body_bytes(request.body.clone())
    }
}

/// Answers with the token it was sent.
struct EchoToken;

impl Respond for EchoToken {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let token = request.headers.get("authorization").map(|value| value.as_bytes().to_vec());
        ResponseTemplate::new(200).set_body_bytes(token.unwrap_or_default())
    }
}

#[tokio::test]
async fn an_echo() {
    is_told(&always(Echo).await.uri(), &["is not a homeserver", "answered 200"]).await;
    is_told(&always(EchoToken).await.uri(), &["is not a homeserver", "answered 200"]).await;
}

#[tokio::test]
async fn yes_and_versions_to_everything() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({ "versions": ["v1.11"] }))).await;
    is_told(&server.uri(), &["no user", "register"]).await;
}

#[tokio::test]
async fn a_web_site() {
    let page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>\u{1b}[31mHi</body></html>";
    let server = always(ResponseTemplate::new(200).set_body_raw(page, "text/html")).await;
    is_told(&server.uri(), &["is not a homeserver", "200 <!DOCTYPE html> <html>", "\u{fffd}[31mHi"]).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server =
        always(ResponseTemplate::new(302).insert_header("location", "/_matrix/client/versions")).await;
    is_told(&server.uri(), &["is not a homeserver", "302", "redirects to /_matrix/client/versions"]).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn silence() {
    let server = Raw::start(|mut stream| async move {
        heard(&mut stream).await;
        std::future::pending().await
    })
    .await;
    is_told(&server.url(), &["is unreachable", "no answer within 0.5 s"]).await;
    assert_eq!(server.connections(), 1, "what is plainly dead is not asked again");
}

#[tokio::test]
async fn an_answer_after_the_deadline() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "versions": ["v1.11"] }));
    let server = always(answer.set_delay(Duration::from_secs(30))).await;
    is_told(&server.uri(), &["is unreachable", "no answer within 0.5 s"]).await;
}

#[tokio::test]
async fn a_reset() {
    let server = Raw::start(|mut stream| async move {
        heard(&mut stream).await;
        // A socket that is closed with bytes unread is reset.
        let _ = stream.set_zero_linger();
    })
    .await;
    is_told(&server.url(), &["is unreachable", "connection broke"]).await;
}

#[tokio::test]
async fn a_close_without_a_word() {
    let server = Raw::saying("").await;
    is_told(&server.url(), &["is unreachable", "connection broke"]).await;
}

#[tokio::test]
async fn a_body_that_is_cut_off() {
    let counted =
        Raw::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"versions\":[\"v1.11\"]").await;
    is_told(&counted.url(), &["is unreachable", "connection broke"]).await;
    let chunked =
        Raw::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ver\r\n9\r\nsi").await;
    is_told(&chunked.url(), &["is unreachable", "connection broke"]).await;
}

#[tokio::test]
async fn a_body_that_stalls() {
    let server = Raw::start(|mut stream| async move {
        heard(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"versions\":").await;
        std::future::pending().await
    })
    .await;
    is_told(&server.url(), &["is unreachable", "no whole body within 0.5 s"]).await;
}

#[tokio::test]
async fn a_body_without_end() {
    let server = Raw::start(|mut stream| async move {
        heard(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let chunk = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    is_told(&server.url(), &["is not a homeserver", "body longer than 4194304 bytes"]).await;
}

#[tokio::test]
async fn a_body_that_claims_to_be_huge() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n";
    let server = Raw::start(move |mut stream| async move {
        heard(&mut stream).await;
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(&[b' '; 0x1000]).await.is_ok() {}
    })
    .await;
    is_told(&server.url(), &["is not a homeserver", "body longer than 4194304 bytes"]).await;
}

#[tokio::test]
async fn no_http_at_all() {
    let server = Raw::saying("SSH-2.0-OpenSSH_9.6\r\n").await;
    is_told(&server.url(), &["is not a homeserver", "not HTTP"]).await;
}

#[tokio::test]
async fn headers_without_end() {
    let server = Raw::start(|mut stream| async move {
        heard(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-More: and more of the same and still more\r\n").await.is_ok() {}
    })
    .await;
    is_told(&server.url(), &["is not a homeserver", "not HTTP"]).await;
}

/// A TLS server that has no certificate to show: enough of one to refuse plain HTTP as a real one does.
#[derive(Debug)]
struct NoCertificate;

impl rustls::server::ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }
}

async fn tls_server() -> Raw {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NoCertificate));
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    Raw::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Err((_, mut stream)) = acceptor.accept(stream).into_fallible().await {
                // What the other side still sends is read, so that the alert is not lost to a reset.
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_tls_port_addressed_as_plain_http() {
    let server = tls_server().await;
    is_told(&server.url(), &["is not a homeserver", "not HTTP", "try https://"]).await;
}

#[tokio::test]
async fn a_tls_port_that_cannot_shake_hands() {
    let server = tls_server().await;
    is_told(&format!("https://{}", server.address()), &["TLS fault", "[tls]"]).await;
}

#[tokio::test]
async fn a_plain_http_port_addressed_as_https() {
    let server = always(ResponseTemplate::new(200)).await;
    let url = server.uri().replace("http://", "https://");
    is_told(&url, &["TLS fault", "speaks plain HTTP: try http://"]).await;
}

#[tokio::test]
async fn nothing_listens() {
    // Bound and dropped: nobody is there, and nobody else takes the port so soon.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    is_told(
        &format!("http://{free}"),
        &["is unreachable", "Connection refused", "Is the homeserver running"],
    )
    .await;
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    is_told("http://capcheck.invalid", &["http://capcheck.invalid/ is unreachable", "cannot connect"]).await;
}

/// The built-in homeserver with its capability API at other paths than the default ones.
async fn elsewhere() -> reference::Running {
    let mut binding = Binding::default();
    for operation in Operation::ALL {
        let route = binding.route(operation).clone();
        let template = route.template.replace("org.matrix.capability_sets", "org.example.elsewhere");
        binding.set_route(operation, Route { template, ..route });
    }
    serve(Options { binding, ..Options::default() }).await
}

#[tokio::test]
async fn a_homeserver_without_the_api() {
    let server = elsewhere().await;
    let words = ["homeserver without the capability API", "404 M_UNRECOGNIZED", "[binding]"];
    let result = is_told(&server.url(), &words).await;
    assert!(result.counts.requests > 5, "every operation was asked for");
}

#[tokio::test]
async fn a_homeserver_on_which_nobody_can_sign_up() {
    let server = MockServer::start().await;
    let versions = ResponseTemplate::new(200).set_body_json(json!({ "versions": ["v1.11"] }));
    Mock::given(method("GET"))
        .and(path("/_matrix/client/versions"))
        .respond_with(versions)
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(error(403, "M_FORBIDDEN")).with_priority(9).mount(&server).await;
    is_told(&server.uri(), &["no user", "403 M_FORBIDDEN", "[users]"]).await;
}
