//! The server over a real socket: sign-up, sessions, long polls, limits, start and stop.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Account, Options, Registration, Running, ServerLimits, StartError, start};
use crate::wire::Secret;

const V3: &str = "/_matrix/client/v3";
const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn started(options: Options) -> Running {
    start(loopback(), options).await.unwrap()
}

async fn with_registration(registration: Registration) -> Running {
    started(Options { registration, ..Options::default() }).await
}

/// One request on a connection of its own.
async fn ask(
    server: &Running,
    method: &str,
    path: &str,
    token: &str,
    body: impl Into<bytes::Bytes>,
) -> (u16, Value) {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(path).header("host", "localhost");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    drop(connection.await);
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn post(server: &Running, path: &str, token: &str, body: &Value) -> (u16, Value) {
    ask(server, "POST", &format!("{V3}{path}"), token, body.to_string()).await
}

/// Registers by the dance, with these stages' proofs in order; the last answer.
async fn register(server: &Running, name: &str, proofs: &[Value]) -> (u16, Value) {
    let mut body = json!({ "username": name, "password": "secret", "device_id": "FIRST" });
    let mut answer = post(server, "/register", "", &body).await;
    for proof in proofs {
        assert_eq!(answer.0, 401, "{}", answer.1);
        body["auth"] = proof.clone();
        body["auth"]["session"] = answer.1["session"].clone();
        answer = post(server, "/register", "", &body).await;
    }
    answer
}

async fn registered(server: &Running, name: &str) -> (String, String) {
    let (status, answer) = register(server, name, &[json!({ "type": "m.login.dummy" })]).await;
    assert_eq!(status, 200, "{answer}");
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    (text("user_id"), text("access_token"))
}

fn login(user: &str, password: &str) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": user });
    json!({ "type": "m.login.password", "identifier": identifier, "password": password })
}

/// Other requests, so that one that was sent before has most likely begun to wait.
async fn meanwhile(server: &Running) {
    for _ in 0..20 {
        ask(server, "GET", "/_matrix/client/versions", "", "").await;
    }
}

#[tokio::test]
async fn registration_is_a_dance_and_its_token_works() {
    let server = with_registration(Registration::Dummy).await;
    let (status, challenge) =
        post(&server, "/register", "", &json!({ "username": "alice", "password": "x" })).await;
    assert_eq!((status, &challenge["flows"]), (401, &json!([{ "stages": ["m.login.dummy"] }])));
    assert!(challenge["session"].is_string() && challenge.get("errcode").is_none());
    let (user, token) = registered(&server, "alice").await;
    assert_eq!(user, format!("@alice:{}", server.server_name()));
    let (status, me) = ask(&server, "GET", &format!("{V3}/account/whoami"), &token, "").await;
    assert_eq!((status, &me["user_id"], &me["device_id"]), (200, &json!(user), &json!("FIRST")));
    let (status, taken) =
        post(&server, "/register", "", &json!({ "username": "alice", "password": "x" })).await;
    assert_eq!((status, &taken["errcode"]), (400, &json!("M_USER_IN_USE")));
    let (status, odd) =
        post(&server, "/register", "", &json!({ "username": "Al ice", "password": "x" })).await;
    assert_eq!((status, &odd["errcode"]), (400, &json!("M_INVALID_USERNAME")));
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_session_or_stage_starts_the_dance_again() {
    let server = with_registration(Registration::Dummy).await;
    let body = json!({
        "username": "bob", "password": "x", "auth": { "type": "m.login.dummy", "session": "made-up" },
    });
    let (status, answer) = post(&server, "/register", "", &body).await;
    assert_eq!((status, answer["errcode"].is_string(), answer["session"].is_string()), (401, true, true));
    let (status, answer) = register(&server, "bob", &[json!({ "type": "m.login.recaptcha" })]).await;
    assert_eq!((status, answer["errcode"].is_string()), (401, true));
}

#[tokio::test]
async fn a_registration_token_is_asked_for_and_checked() {
    let server = with_registration(Registration::Token(Secret::new("open sesame"))).await;
    let right = json!({ "type": "m.login.registration_token", "token": "open sesame" });
    let wrong = json!({ "type": "m.login.registration_token", "token": "open barley" });
    let dummy = json!({ "type": "m.login.dummy" });
    let (status, answer) = register(&server, "alice", std::slice::from_ref(&wrong)).await;
    assert_eq!((status, &answer["errcode"]), (401, &json!("M_FORBIDDEN")));
    let (status, answer) = register(&server, "alice", std::slice::from_ref(&right)).await;
    assert_eq!((status, &answer["completed"]), (401, &json!(["m.login.registration_token"])));
    assert_eq!(register(&server, "alice", std::slice::from_ref(&dummy)).await.0, 401, "the token is missing");
    assert_eq!(register(&server, "alice", &[right, dummy]).await.0, 200);
}

#[tokio::test]
async fn terms_are_shown_before_they_are_agreed_to() {
    let server = with_registration(Registration::Terms).await;
    let (_, challenge) =
        post(&server, "/register", "", &json!({ "username": "alice", "password": "x" })).await;
    assert!(challenge["params"]["m.login.terms"]["policies"]["terms_of_use"]["en"]["url"].is_string());
    let proofs = [json!({ "type": "m.login.terms" }), json!({ "type": "m.login.dummy" })];
    assert_eq!(register(&server, "alice", &proofs).await.0, 200);
}

#[tokio::test]
async fn closed_registration_leaves_the_accounts_that_exist() {
    let server = started(Options {
        registration: Registration::Closed,
        accounts: vec![Account { token: Some(Secret::new("ready")), ..Account::new("bob", "hunter2") }],
        ..Options::default()
    })
    .await;
    let (status, answer) = post(&server, "/register", "", &json!({ "username": "x", "password": "x" })).await;
    assert_eq!((status, &answer["errcode"]), (403, &json!("M_FORBIDDEN")));
    assert_eq!(ask(&server, "GET", &format!("{V3}/account/whoami"), "ready", "").await.0, 200);
    let (status, answer) = post(&server, "/login", "", &login("bob", "hunter3")).await;
    assert_eq!((status, &answer["errcode"]), (403, &json!("M_FORBIDDEN")));
    assert_eq!(post(&server, "/login", "", &login("bob", "hunter2")).await.0, 200);
    let full = format!("@bob:{}", server.server_name());
    assert_eq!(post(&server, "/login", "", &login(&full, "hunter2")).await.0, 200);
}

#[tokio::test]
async fn the_shared_secret_signs_users_up() {
    use hmac::{Hmac, KeyInit, Mac};
    let server = with_registration(Registration::SharedSecret(Secret::new("s3cret"))).await;
    let path = "/_synapse/admin/v1/register";
    let (_, answer) = ask(&server, "GET", path, "", "").await;
    let nonce = answer["nonce"].as_str().unwrap().to_owned();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{nonce}\0alice\0pw\0notadmin").as_bytes());
    let mac: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let body = json!({ "nonce": nonce, "username": "alice", "password": "pw", "admin": false, "mac": mac });
    let (status, answer) = ask(&server, "POST", path, "", body.to_string()).await;
    assert_eq!((status, answer["access_token"].is_string()), (200, true));
    let (status, _) = ask(&server, "POST", path, "", body.to_string()).await;
    assert_eq!(status, 400, "a nonce is good once");
    let (_, answer) = ask(&server, "GET", path, "", "").await;
    let mut forged = body;
    forged["nonce"] = answer["nonce"].clone();
    let (status, answer) = ask(&server, "POST", path, "", forged.to_string()).await;
    assert_eq!((status, &answer["errcode"]), (403, &json!("M_FORBIDDEN")));
}

#[tokio::test]
async fn devices_are_deleted_by_whoever_knows_the_password() {
    let server = started(Options::default()).await;
    let (user, token) = registered(&server, "alice").await;
    let (_, other) = post(&server, "/login", "", &login("alice", "secret")).await;
    let device = other["device_id"].as_str().unwrap();
    let path = format!("{V3}/devices/{device}");
    let (status, challenge) = ask(&server, "DELETE", &path, &token, "").await;
    assert_eq!((status, &challenge["flows"]), (401, &json!([{ "stages": ["m.login.password"] }])));
    let mut auth = login(&user, "guess");
    auth["session"] = challenge["session"].clone();
    let (status, answer) = ask(&server, "DELETE", &path, &token, json!({ "auth": auth }).to_string()).await;
    assert_eq!((status, &answer["errcode"]), (401, &json!("M_FORBIDDEN")));
    auth["password"] = json!("secret");
    let elsewhere = format!("{V3}/devices/FIRST");
    let body = json!({ "auth": auth }).to_string();
    let (status, _) = ask(&server, "DELETE", &elsewhere, &token, body.clone()).await;
    assert_eq!(status, 401, "proof for one device is none for another");
    assert_eq!(ask(&server, "DELETE", &path, &token, body).await.0, 200);
    let dead = other["access_token"].as_str().unwrap();
    let (status, answer) = ask(&server, "GET", &format!("{V3}/account/whoami"), dead, "").await;
    assert_eq!((status, &answer["errcode"]), (401, &json!("M_UNKNOWN_TOKEN")));
    let (_, left) = ask(&server, "GET", &format!("{V3}/devices"), &token, "").await;
    assert_eq!(left["devices"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_long_poll_ends_with_news_with_time_and_with_its_session() {
    let server = started(Options::default()).await;
    let (user, token) = registered(&server, "alice").await;
    let path = format!("{V3}/sync?set_presence=offline");
    let (_, first) = ask(&server, "GET", &path, &token, "").await;
    let since = first["next_batch"].as_str().unwrap();
    let short = format!("{path}&since={since}&timeout=20");
    let began = Instant::now();
    let (_, empty) = ask(&server, "GET", &short, &token, "").await;
    assert!(began.elapsed() >= Duration::from_millis(20) && empty.get("presence").is_none());
    let long = format!("{path}&since={since}&timeout=30000");
    let status = format!("{V3}/presence/{}/status", crate::spec::binding::encode(&user));
    let (news, _) = tokio::join!(ask(&server, "GET", &long, &token, ""), async {
        meanwhile(&server).await;
        ask(&server, "PUT", &status, &token, r#"{"presence":"online"}"#).await
    });
    assert_eq!(news.1["presence"]["events"][0]["sender"], json!(user));
    let since = news.1["next_batch"].as_str().unwrap();
    let long = format!("{path}&since={since}&timeout=30000");
    let (ended, _) = tokio::join!(ask(&server, "GET", &long, &token, ""), async {
        meanwhile(&server).await;
        post(&server, "/logout", &token, &json!({})).await
    });
    assert_eq!((ended.0, &ended.1["errcode"]), (401, &json!("M_UNKNOWN_TOKEN")));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn stopping_cuts_long_polls_at_once() {
    let server = started(Options::default()).await;
    let (_, token) = registered(&server, "alice").await;
    let path = format!("{V3}/sync?set_presence=offline");
    let (_, first) = ask(&server, "GET", &path, &token, "").await;
    let long = format!("{path}&timeout=30000&since={}", first["next_batch"].as_str().unwrap());
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().uri(long).header("authorization", format!("Bearer {token}"));
    let poll = sender.send_request(request.body(Full::new(bytes::Bytes::new())).unwrap());
    let began = Instant::now();
    let (answer, ()) = tokio::join!(poll, async {
        meanwhile(&server).await;
        server.stop().await;
    });
    assert_eq!(answer.unwrap().status(), 200);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_dropped_server_is_gone_and_a_taken_address_is_said_so() {
    let server = started(Options::default()).await;
    let address = server.address();
    let taken = start(address, Options::default()).await;
    assert!(matches!(taken, Err(StartError::Listen { .. })), "{taken:?}");
    drop(server);
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it listens no more");
}

#[tokio::test]
async fn large_bodies_are_answered_and_not_cut_off() {
    let limits = ServerLimits { max_set_bytes: 1_000, ..ServerLimits::default() };
    let server = started(Options { limits, ..Options::default() }).await;
    let (_, token) = registered(&server, "alice").await;
    let path = format!("{C}/sets/{}", "A".repeat(43));
    let body = vec![b' '; 3 << 20];
    let (status, answer) = ask(&server, "PUT", &path, &token, body.clone()).await;
    assert_eq!((status, &answer["errcode"]), (413, &json!("M_TOO_LARGE")));
    let (status, answer) = ask(&server, "PUT", &path, "", body).await;
    assert_eq!((status, &answer["errcode"]), (401, &json!("M_MISSING_TOKEN")));
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_is_done_wrongly() {
    let server = started(Options::default()).await;
    for (method, path, status) in [
        ("GET", format!("{V3}/no_such_thing"), 404),
        ("GET", "/".to_owned(), 404),
        ("DELETE", format!("{C}/session"), 405),
        ("POST", format!("{V3}/sync"), 405),
    ] {
        let (found, answer) = ask(&server, method, &path, "", "").await;
        assert_eq!((found, &answer["errcode"]), (status, &json!("M_UNRECOGNIZED")), "{method} {path}");
    }
    let (_, versions) = ask(&server, "GET", "/_matrix/client/versions", "", "").await;
    assert_eq!(versions["unstable_features"]["org.matrix.capability_sets"], json!(true));
}

#[tokio::test]
async fn many_servers_run_side_by_side() {
    let mut servers = Vec::new();
    for _ in 0..24 {
        servers.push(started(Options::default()).await);
    }
    for server in &servers {
        registered(server, "alice").await;
    }
    for server in servers {
        server.stop().await;
    }
}
