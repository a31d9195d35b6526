//! Clients that a peer cannot serve: each is told of, and none disturbs another.

use std::sync::Arc;

use capcheck::wire::authority::Authority;
use capcheck::wire::peer::{Incident, Peer};
use capcheck::wire::{NetworkFault, Request};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::site::{self, PATIENCE, Site};

/// The first incident, as soon as there is one.
async fn first(site: &Site) -> Incident {
    assert!(site.peers.incidents_changed(0, PATIENCE).await > 0, "nothing was told");
    site.peers.incidents().remove(0)
}

/// The peer still serves whoever asks properly.
async fn serves(site: &Site, peer: &Peer) {
    let answer = site.send(peer, Request::new("GET", "/_matrix/federation/v1/version")).await;
    assert_eq!(answer.status(), Some(200), "{}", answer.describe());
}

/// Says this without TLS, and waits until the peer closes the connection.
async fn say(peer: &Peer, bytes: &[u8]) {
    let mut stream = TcpStream::connect(peer.name()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_client_that_does_not_know_the_authority() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let stranger = Authority::generate().unwrap();
    let request = Request::new("GET", "/_matrix/key/v2/server");
    let answer = site::client(&peer, &stranger, PATIENCE).send(request).await;
    assert!(matches!(answer.result, Err(NetworkFault::Tls(_))), "{:?}", answer.result);
    let incident = first(&site).await;
    assert!(incident.distrust && incident.what.contains("(unknown_ca)"), "{incident:?}");
    assert_eq!((incident.sni.as_deref(), incident.peer.as_str()), (Some("localhost"), peer.name()));
    serves(&site, &peer).await;
}

#[tokio::test]
async fn a_client_that_goes_when_it_has_seen_the_certificate() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let name = ServerName::try_from("other.example").unwrap();
    let mut hello = Vec::new();
    let mut connection = ClientConnection::new(Arc::new(site::tls(&site.authority)), name).unwrap();
    connection.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(peer.name()).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    stream.read_u8().await.unwrap();
    drop(stream);
    let incident = first(&site).await;
    assert!(incident.distrust && incident.what.contains("without saying why"), "{incident:?}");
    assert_eq!(incident.sni.as_deref(), Some("other.example"));
    serves(&site, &peer).await;
}

#[tokio::test]
async fn a_client_that_goes_when_the_handshake_is_done() {
    let site = Site::new().await;
    let peer = site.peer().await;
    // One that says goodbye has merely not needed its connection.
    let mut stream = site.tls(&peer).await;
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(site.incidents(), [""; 0]);
    drop(site.tls(&peer).await);
    let incident = first(&site).await;
    assert!(incident.distrust && incident.what.contains("another name"), "{incident:?}");
    serves(&site, &peer).await;
}

#[tokio::test]
async fn clients_that_do_not_speak_tls() {
    for (says, told) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "plain HTTP on a port that speaks TLS"),
        (&[0; 4096], "neither TLS nor HTTP"),
        (&[22, 3, 1, 0, 5, 9, 9, 9, 9, 9], "no TLS handshake: "),
    ] {
        let site = Site::new().await;
        let peer = site.peer().await;
        say(&peer, says).await;
        let incident = first(&site).await;
        assert!(incident.what.starts_with(told) && !incident.distrust, "{incident:?}");
        serves(&site, &peer).await;
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_at_all() {
    let site = Site::new().await;
    let peer = site.peer().await;
    drop(TcpStream::connect(peer.name()).await.unwrap());
    assert!(first(&site).await.what.contains("before saying anything"));
    serves(&site, &peer).await;
}

#[tokio::test]
async fn a_client_that_never_finishes_its_handshake_keeps_nobody_waiting() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let mut stream = TcpStream::connect(peer.name()).await.unwrap();
    stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    serves(&site, &peer).await;
    peer.go_down().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn requests_that_are_none() {
    let head = "PUT /_matrix/federation/v1/send/1 HTTP/1.1\r\nhost: localhost\r\n";
    let giant = format!("{head}x: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{head}{}\r\n", "a: b\r\n".repeat(5_000));
    let long = format!("{head}content-length: 5000000\r\n\r\n{}", " ".repeat(5_000_000));
    for (says, heard, told) in [
        (giant.as_str(), "HTTP/1.1 431", "a request with more headers than are read"),
        (&many, "HTTP/1.1 431", "a request with more headers than are read"),
        (&long, "HTTP/1.1 413", "a request whose body is longer than is read"),
        ("\0\u{1}\u{2}\r\n\r\n", "HTTP/1.1 400", "a request that is not HTTP"),
    ] {
        let site = Site::new().await;
        let peer = site.peer().await;
        let stream = site.tls(&peer).await;
        let (mut reading, mut writing) = tokio::io::split(stream);
        let mut answer = vec![0; heard.len()];
        // The peer answers before it has read everything, and closes.
        let (_, read) = tokio::join!(writing.write_all(says.as_bytes()), reading.read_exact(&mut answer));
        if read.is_ok() {
            assert_eq!(String::from_utf8(answer).unwrap(), heard);
        }
        assert_eq!(first(&site).await.what, told);
        assert!(peer.journal().arrivals().is_empty());
        serves(&site, &peer).await;
    }
}

#[tokio::test]
async fn requests_that_break_off() {
    let head = "PUT /_matrix/federation/v1/send/1 HTTP/1.1\r\nhost: localhost\r\n";
    let body = format!("{head}content-length: 100\r\n\r\n{{");
    // Politely, with TLS's own end, and as a process does that crashes.
    for (says, politely, told) in [
        (body.as_str(), true, "a request whose body broke off"),
        (&body, false, "a request whose body broke off"),
        (head, true, "a request whose head broke off"),
    ] {
        let site = Site::new().await;
        let peer = site.peer().await;
        let mut stream = site.tls(&peer).await;
        stream.write_all(says.as_bytes()).await.unwrap();
        if politely {
            stream.shutdown().await.unwrap();
        }
        drop(stream);
        assert_eq!(first(&site).await.what, told);
        assert!(peer.journal().arrivals().is_empty());
        serves(&site, &peer).await;
        assert_eq!(site.incidents(), [told]);
    }
}

#[tokio::test]
async fn thousands_of_connections_leave_room_for_one_that_asks() {
    let site = Site::new().await;
    let peer = site.peer().await;
    // One that is being answered is the last to go.
    peer.script().resolve("@bob:peer", "h", capcheck::wire::peer::Answer::Silence);
    let waiting = site.client(&peer);
    let request = site.signed(&peer, "GET", &super::resolve("h"), None);
    let waiting = tokio::spawn(async move { waiting.send(request).await });
    peer.journal().changed(0, PATIENCE).await;
    let mut held = Vec::new();
    for _ in 0..2_000 {
        // A test may run where fewer files may be open: then fewer connections are enough.
        match TcpStream::connect(peer.name()).await {
            Ok(stream) => held.push(stream),
            Err(_) => break,
        }
    }
    held.truncate(held.len().saturating_sub(50));
    assert!(held.len() > 300, "{}", held.len());
    serves(&site, &peer).await;
    let told = site.incidents();
    assert!(told.iter().any(|told| told.starts_with("too many connections at once")), "{told:?}");
    assert!(told.len() < 100, "{}", told.len());
    assert!(!waiting.is_finished());
    peer.go_down().await;
    assert!(waiting.await.unwrap().result.is_err());
}
