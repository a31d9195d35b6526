//! Clients that take their time, shown out by deadlines that are short; and transactions, one at a time.

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::wire::TlsTrust;
use crate::wire::authority::Authority;

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);

async fn peer(deadlines: Deadlines) -> (Peers, Arc<Peer>, TlsConnector) {
    let authority = Authority::generate().unwrap();
    let trust = TlsTrust::Only(vec![authority.certificate().unwrap()]);
    let config = PeersConfig {
        listen: "127.0.0.1".parse().unwrap(),
        advertise: "127.0.0.1".to_owned(),
        ports: None,
        identity: Identity::Authority(authority),
        run_id: "test".to_owned(),
        binding: Binding::default(),
        hold: LONG,
    };
    let peers = Peers::with(config, deadlines).unwrap();
    let peer = peers.fresh().await.unwrap();
    let tls = crate::wire::tls::configure(&trust, true).unwrap();
    (peers, peer, TlsConnector::from(Arc::new(tls)))
}

async fn connect(peer: &Peer) -> TcpStream {
    TcpStream::connect(peer.name()).await.unwrap()
}

async fn secure(peer: &Peer, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let name = std::net::IpAddr::from([127, 0, 0, 1]).into();
    connector.connect(name, connect(peer).await).await.unwrap()
}

/// Waits for the one thing that is told.
async fn told(peers: &Peers) -> String {
    assert_eq!(peers.incidents_changed(0, LONG).await, 1);
    peers.incidents().remove(0).what
}

#[tokio::test]
async fn a_handshake_does_not_last_for_ever() {
    let (peers, peer, _) = peer(Deadlines { handshake: SHORT, ..Deadlines::default() }).await;
    for says in [&[][..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = connect(&peer).await;
        stream.write_all(says).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    assert_eq!(peers.incidents_changed(1, LONG).await, 2);
    let incidents = peers.incidents();
    assert!(incidents.iter().all(|told| told.what == "the client never finished its TLS handshake"));
}

#[tokio::test]
async fn a_request_does_not_last_for_ever() {
    let (peers, peer, tls) = peer(Deadlines { head: SHORT, ..Deadlines::default() }).await;
    let mut stream = secure(&peer, &tls).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(told(&peers).await, "a connection on which no whole request came");
}

#[tokio::test]
async fn a_body_does_not_last_for_ever() {
    let (peers, peer, tls) = peer(Deadlines { body: SHORT, ..Deadlines::default() }).await;
    let mut stream = secure(&peer, &tls).await;
    let half = b"PUT /_matrix/federation/v1/send/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(half).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(told(&peers).await, "a request whose body took too long");
    assert!(peer.journal().arrivals().is_empty());
}

#[tokio::test]
async fn an_idle_connection_that_has_served_ends_without_a_word() {
    let (peers, peer, tls) = peer(Deadlines { head: SHORT, ..Deadlines::default() }).await;
    let mut stream = secure(&peer, &tls).await;
    stream.write_all(b"GET /_matrix/key/v2/server HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    peer.go_down().await;
    assert!(peers.incidents().is_empty());
    assert_eq!(peer.journal().arrivals().len(), 1);
}

#[tokio::test]
async fn one_transaction_waits_for_the_other_and_no_homeserver_for_another() {
    let (peers, peer, _) = peer(Deadlines::default()).await;
    let turn = peer.turn().await;
    assert!(peer.turn().now_or_never().is_none());
    assert!(peers.fresh().await.unwrap().turn().now_or_never().is_some());
    drop(turn);
    assert!(peer.turn().now_or_never().is_some());
}
