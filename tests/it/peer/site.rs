//! Peers, and a homeserver called `target.example` whose keys they know.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use capcheck::spec::binding::Binding;
use capcheck::wire::authority::Authority;
use capcheck::wire::peer::{Identity, Peer, Peers, PeersConfig};
use capcheck::wire::signing::{OldKey, ServerKeys, SignedRequest, SigningKey};
use capcheck::wire::{Client, ClientConfig, Exchange, Request, TlsTrust};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The homeserver that asks.
pub(super) const TARGET: &str = "target.example";

/// The longest that anything of these tests is waited for, on a machine however busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The peers of a test.
pub(super) struct Site {
    pub(super) peers: Peers,
    pub(super) authority: Authority,
    pub(super) key: SigningKey,
    pub(super) old_key: SigningKey,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::patient_for(PATIENCE).await
    }

    /// With peers that hold slow answers back for so long.
    pub(super) async fn patient_for(hold: Duration) -> Self {
        let authority = Authority::generate().unwrap();
        let peers = Peers::new(PeersConfig { hold, ..config(&authority) }).unwrap();
        let key = SigningKey::generate("ed25519:now").unwrap();
        let old_key = SigningKey::generate("ed25519:old").unwrap();
        let old = OldKey { key: old_key.public(), expired_ts: 1 };
        peers.introduce(ServerKeys {
            server_name: TARGET.to_owned(),
            verify_keys: [(key.id().to_owned(), key.public())].into(),
            old_verify_keys: [(old_key.id().to_owned(), old)].into(),
            valid_until_ts: u64::MAX,
        });
        Self { peers, authority, key, old_key }
    }

    pub(super) async fn peer(&self) -> Arc<Peer> {
        self.peers.fresh().await.unwrap()
    }

    /// A client that trusts these peers.
    pub(super) fn client(&self, peer: &Peer) -> Client {
        client(peer, &self.authority, PATIENCE)
    }

    /// A client that neither waits nor reads for long.
    pub(super) fn impatient_client(&self, peer: &Peer) -> Client {
        client(peer, &self.authority, Duration::from_millis(500))
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, peer: &Peer, request: Request) -> Arc<Exchange> {
        self.client(peer).send(request).await
    }

    /// Sends a request of the homeserver, signed as it should be.
    pub(super) async fn ask(
        &self,
        peer: &Peer,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Arc<Exchange> {
        self.send(peer, self.signed(peer, method, path, content)).await
    }

    pub(super) fn signed(&self, peer: &Peer, method: &str, path: &str, content: Option<&Value>) -> Request {
        let signed = SignedRequest { method, uri: path, origin: TARGET, destination: peer.name(), content };
        let request = Request::new(method, path).authorization(signed.signed_by(&self.key).to_string());
        match content {
            Some(content) => request.json(content),
            None => request,
        }
    }

    /// A connection on which TLS is done.
    pub(super) async fn tls(&self, peer: &Peer) -> TlsStream<TcpStream> {
        let connector = TlsConnector::from(Arc::new(tls(&self.authority)));
        let stream = TcpStream::connect(peer.name()).await.unwrap();
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }

    /// Says this over TLS, and hears all that comes back until the connection ends.
    pub(super) async fn converse(&self, peer: &Peer, says: &[u8]) -> String {
        let mut stream = self.tls(peer).await;
        stream.write_all(says).await.unwrap();
        let mut heard = Vec::new();
        // How it ends is not what these tests are about.
        let _ = stream.read_to_end(&mut heard).await;
        String::from_utf8(heard).unwrap()
    }

    /// What has come to nothing so far.
    pub(super) fn incidents(&self) -> Vec<String> {
        self.peers.incidents().into_iter().map(|incident| incident.what).collect()
    }
}

/// Peers on loopback, vouched for by this authority.
pub(super) fn config(authority: &Authority) -> PeersConfig {
    PeersConfig {
        listen: "127.0.0.1".parse().unwrap(),
        advertise: "localhost".to_owned(),
        ports: None,
        identity: Identity::Authority(authority.clone()),
        run_id: "test".to_owned(),
        binding: Binding::default(),
        hold: PATIENCE,
    }
}

pub(super) fn client(peer: &Peer, authority: &Authority, timeout: Duration) -> Client {
    Client::new(ClientConfig {
        base: format!("https://{}", peer.name()).parse().unwrap(),
        tls: TlsTrust::Only(vec![authority.certificate().unwrap()]),
        in_flight: 8,
        timeout,
        max_body: 1 << 20,
        max_obeyed: Duration::ZERO,
    })
    .unwrap()
}

pub(super) fn tls(authority: &Authority) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.certificate().unwrap()).unwrap();
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(super) fn body(exchange: &Exchange) -> Bytes {
    exchange.result.as_ref().unwrap().body.clone()
}

pub(super) fn json_of(exchange: &Exchange) -> Value {
    assert_eq!(exchange.status(), Some(200), "{}", exchange.describe());
    serde_json::from_slice(&body(exchange)).unwrap()
}
