//! How peers begin and end.

use std::net::TcpListener;
use std::ops::RangeInclusive;

use capcheck::wire::authority::Authority;
use capcheck::wire::peer::{Answer, Identity, Peer, PeerError, Peers, PeersConfig};
use capcheck::wire::{NetworkFault, Request};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::site::{PATIENCE, Site, client, config};

fn version() -> Request {
    Request::new("GET", "/_matrix/federation/v1/version")
}

/// Ends as soon as nobody listens there any more.
async fn gone(name: &str) {
    while let Ok(mut stream) = TcpStream::connect(name).await {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

#[tokio::test]
async fn a_peer_that_went_down_is_gone_and_the_others_are_not() {
    let site = Site::new().await;
    let (one, two) = (site.peer().await, site.peer().await);
    one.script().resolve("@bob:peer", "h", Answer::Silence);
    let asking = site.client(&one);
    let request = site.signed(&one, "GET", &super::resolve("h"), None);
    let asking = tokio::spawn(async move { asking.send(request).await });
    one.journal().changed(0, PATIENCE).await;
    one.go_down().await;
    one.go_down().await;
    let answer = site.send(&one, version()).await;
    assert!(matches!(answer.result, Err(NetworkFault::Connect(_))), "{:?}", answer.result);
    let asked = asking.await.unwrap();
    assert!(matches!(asked.result, Err(NetworkFault::Closed(_))), "{:?}", asked.result);
    assert_eq!(site.send(&two, version()).await.status(), Some(200));
}

#[tokio::test]
async fn stopping_ends_every_peer() {
    let site = Site::new().await;
    let (honest, fresh) = (site.peers.honest(0).await.unwrap(), site.peer().await);
    site.peers.stop().await;
    for peer in [honest, fresh] {
        let answer = site.send(&peer, version()).await;
        assert!(matches!(answer.result, Err(NetworkFault::Connect(_))), "{:?}", answer.result);
    }
}

#[tokio::test]
async fn a_peer_ends_with_whoever_holds_it() {
    let site = Site::new().await;
    let (honest, fresh) = (site.peers.honest(0).await.unwrap(), site.peer().await);
    let name = fresh.name().to_owned();
    drop(fresh);
    gone(&name).await;
    let name = honest.name().to_owned();
    drop(honest);
    let peer = site.peers.honest(0).await.unwrap();
    assert_eq!(peer.name(), name, "the run holds its honest peers");
    drop(site);
    gone(peer.name()).await;
}

#[tokio::test]
async fn what_waits_for_the_journal_wakes() {
    let site = Site::new().await;
    let peer = site.peer().await;
    let (answer, ()) = tokio::join!(site.send(&peer, version()), peer.journal().changed(0, PATIENCE));
    assert_eq!((answer.status(), peer.journal().arrivals().len()), (Some(200), 1));
    // Nothing comes, and that ends as well.
    peer.journal().changed(1, std::time::Duration::ZERO).await;
}

/// Peers with these ports.
fn within(ports: RangeInclusive<u16>) -> Peers {
    let authority = Authority::generate().unwrap();
    Peers::new(PeersConfig { ports: Some(ports), ..config(&authority) }).unwrap()
}

fn port(peer: &Peer) -> u16 {
    peer.name().rsplit_once(':').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn every_peer_takes_a_port_of_the_range_until_it_is_used_up() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let first = taken.local_addr().unwrap().port();
    let error = within(first..=first).fresh().await.unwrap_err();
    assert!(matches!(&error, PeerError::Listen { reason, .. } if reason.contains("in use")), "{error}");
    let peers = within(first..=first.saturating_add(20));
    let mut held = vec![peers.fresh().await.unwrap()];
    assert!(port(&held[0]) > first, "the port in use is passed over");
    let error = loop {
        match peers.fresh().await {
            Ok(peer) => held.push(peer),
            Err(error) => break error,
        }
    };
    assert!(held.is_sorted_by_key(|peer| port(peer)) && held.len() <= 20);
    assert!(matches!(error, PeerError::PortsUsedUp(21)), "{error}");
    // A name that the target has met does not come back.
    held[0].go_down().await;
    assert!(matches!(peers.fresh().await, Err(PeerError::PortsUsedUp(_))));
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_named() {
    let authority = Authority::generate().unwrap();
    let elsewhere = PeersConfig { listen: "192.0.2.1".parse().unwrap(), ..config(&authority) };
    let error = Peers::new(elsewhere).unwrap().fresh().await.unwrap_err();
    assert!(error.to_string().starts_with("no peer can listen on 192.0.2.1"), "{error}");
}

#[tokio::test]
async fn a_user_may_bring_a_certificate() {
    let authority = Authority::generate().unwrap();
    let (chain, key) = authority.issue(&["localhost"]).unwrap();
    let pem = |kind: &str, der: &[u8]| {
        use base64::Engine as _;
        let base64 = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n")
    };
    let directory = tempfile::tempdir().unwrap();
    let [chain_file, key_file] = ["chain.pem", "key.pem"].map(|name| directory.path().join(name));
    std::fs::write(&chain_file, pem("CERTIFICATE", &chain[0])).unwrap();
    std::fs::write(&key_file, pem("PRIVATE KEY", key.secret_der())).unwrap();
    let identity = Identity::Certificate { chain: chain_file.clone(), key: key_file };
    let peers = Peers::new(PeersConfig { identity, ..config(&authority) }).unwrap();
    let peer = peers.fresh().await.unwrap();
    assert_eq!(client(&peer, &authority, PATIENCE).send(version()).await.status(), Some(200));
    let identity = Identity::Certificate { chain: chain_file.clone(), key: chain_file };
    let error = Peers::new(PeersConfig { identity, ..config(&authority) }).unwrap_err();
    assert!(matches!(&error, PeerError::Identity(why) if why.contains("chain.pem")), "{error}");
}

#[tokio::test]
async fn an_ipv6_address_stands_in_brackets() {
    let authority = Authority::generate().unwrap();
    let six =
        PeersConfig { listen: "::1".parse().unwrap(), advertise: "::1".to_owned(), ..config(&authority) };
    // Some machines have no IPv6 at all.
    let Ok(peer) = Peers::new(six).unwrap().fresh().await else { return };
    assert!(peer.name().starts_with("[::1]:"), "{}", peer.name());
}
