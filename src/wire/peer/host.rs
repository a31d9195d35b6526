//! One homeserver of the harness as its connections see it, and what all of them share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

use super::incident::{Incident, Incidents, Unexpected};
use super::journal::Journal;
use super::judge::Judge;
use super::ports::Ports;
use super::script::Script;
use super::{Identity, PeerError, PeersConfig};
use crate::spec::capability::CapabilitySet;
use crate::wire::signing::{OldKey, ServerKeys, SigningKey};

/// How long a key object is valid.
const VALID: Duration = Duration::from_secs(12 * 60 * 60);
/// How long ago the old key expired.
const EXPIRED: Duration = Duration::from_secs(24 * 60 * 60);

/// What the peers of a run share.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) config: PeersConfig,
    pub(super) tls: Arc<ServerConfig>,
    pub(super) judge: Judge,
    pub(super) incidents: Incidents,
    pub(super) unexpected: Unexpected,
    ports: Mutex<Ports>,
    hosts: AtomicUsize,
}

impl Run {
    pub(super) fn new(config: PeersConfig) -> Result<Self, PeerError> {
        Ok(Self {
            tls: Arc::new(tls(&config)?),
            judge: Judge::default(),
            incidents: Incidents::default(),
            unexpected: Unexpected::default(),
            ports: Mutex::new(Ports::new(config.listen, config.ports.clone())),
            hosts: AtomicUsize::new(0),
            config,
        })
    }

    /// A new homeserver with a port of its own; its key ID is of this run and this server alone unless one is given.
    pub(super) fn host(self: &Arc<Self>, key_id: Option<&str>) -> Result<(Host, TcpListener), PeerError> {
        let number = self.hosts.fetch_add(1, Relaxed);
        let own_id = format!("ed25519:cap_{}_{number}", self.config.run_id);
        let key_id = key_id.unwrap_or(&own_id);
        let generate =
            |id: &str| SigningKey::generate(id).map_err(|error| PeerError::Random(error.to_string()));
        let (key, old_key) = (generate(key_id)?, generate(&format!("{key_id}_old"))?);
        let (listener, port) = self.ports.lock().unwrap_or_else(PoisonError::into_inner).listen()?;
        let name = format!("{}:{port}", bracketed(&self.config.advertise));
        let host = Host {
            published: published(&name, &key, &old_key),
            set: CapabilitySet::of([format!("m.cap.peer{number}.v1"), "m.cap.federation.v1".to_owned()]),
            journal: Journal::new(&self.config.binding.presence.edu),
            script: Script::default(),
            run: self.clone(),
            name,
            key,
            old_key,
        };
        Ok((host, listener))
    }
}

/// One homeserver of the harness.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) key: SigningKey,
    pub(super) old_key: SigningKey,
    /// The key object, signed.
    pub(super) published: Bytes,
    /// What it offers to the users of every other server.
    pub(super) set: CapabilitySet,
    pub(super) journal: Journal,
    pub(super) script: Script,
    pub(super) run: Arc<Run>,
}

impl Host {
    /// Writes an incident down.
    pub(super) fn incident(&self, sni: Option<&str>, what: impl Into<String>, distrust: bool) {
        self.run.incidents.record(Incident {
            at: Instant::now(),
            peer: self.name.clone(),
            sni: sni.map(str::to_owned),
            what: what.into(),
            distrust,
        });
    }
}

/// The key object of a homeserver, signed with its present key.
fn published(name: &str, key: &SigningKey, old_key: &SigningKey) -> Bytes {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let keys = ServerKeys {
        server_name: name.to_owned(),
        verify_keys: [(key.id().to_owned(), key.public())].into(),
        old_verify_keys: [(
            old_key.id().to_owned(),
            OldKey { key: old_key.public(), expired_ts: milliseconds(now.saturating_sub(EXPIRED)) },
        )]
        .into(),
        valid_until_ts: milliseconds(now + VALID),
    };
    keys.signed_by(key).to_string().into()
}

/// A time as Matrix counts it.
pub(super) fn milliseconds(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// The host as it stands in a server name and in a URL.
fn bracketed(host: &str) -> String {
    if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

/// The certificate that every peer of the run presents: all of them have the same host.
fn tls(config: &PeersConfig) -> Result<ServerConfig, PeerError> {
    let (chain, key) = match &config.identity {
        Identity::Authority(authority) => {
            authority.issue(&[&config.advertise]).map_err(|error| PeerError::Identity(error.to_string()))?
        }
        Identity::Certificate { chain, key } => {
            let unusable = |path: &std::path::Path, error: rustls::pki_types::pem::Error| {
                PeerError::Identity(format!("{}: {error}", path.display()))
            };
            let certificates = CertificateDer::pem_file_iter(chain)
                .and_then(Iterator::collect)
                .map_err(|error| unusable(chain, error))?;
            (certificates, PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?)
        }
    };
    let unusable = |error: rustls::Error| {
        PeerError::Identity(format!("the certificate of the harness's homeservers cannot be used: {error}"))
    };
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}
