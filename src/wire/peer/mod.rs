//! Federating homeservers inside the harness: they listen, answer, ask, and keep a journal.
//!
//! A peer is one server name on one port. Every peer of a run has a certificate of the same
//! authority, keys of its own, and a script: what it answers to whom. What it was asked is in its
//! journal, with what came of the signature.

mod body;
mod host;
mod incident;
mod journal;
mod judge;
mod listener;
mod ports;
mod room;
mod route;
mod script;
mod service;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{MutexGuard, watch};

use crate::spec::binding::Binding;
use crate::spec::capability::CapabilitySet;
use crate::wire::Request;

use super::signing::{ServerKeys, SignedRequest, SigningKey};
use host::{Deadlines, Host, Run};

pub use incident::Incident;
pub use journal::{Arrival, Asked, Journal, SignatureFault};
pub use room::RoomFault;
pub use script::{Answer, Script};

/// After so many requests another peer takes the place of an honest one, whose journal would be full some day:
/// long searches send any number.
const RETIRES: usize = 5_000;

/// How the peers of a run are set up.
#[derive(Clone, Debug)]
pub struct PeersConfig {
    /// The address at which they listen.
    pub listen: IpAddr,
    /// The host of their server names: how the target reaches them.
    pub advertise: String,
    /// One port per peer; where absent the system chooses.
    pub ports: Option<RangeInclusive<u16>>,
    /// Who vouches for them.
    pub identity: Identity,
    /// In key IDs and user names: lower-case letters and digits.
    pub run_id: String,
    /// The paths of the operations, and where the hash rides.
    pub binding: Binding,
    /// How long a slow answer is held back at most.
    pub hold: Duration,
}

/// Who vouches for the peers' certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An authority that issues a certificate for them.
    Authority(super::authority::Authority),
    /// A certificate that the user made: PEM files of the chain and of its key.
    Certificate {
        /// The chain, leaf first.
        chain: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// Why there is no peer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PeerError {
    /// No port is free.
    #[error("no peer can listen on {listen}: {reason}")]
    Listen {
        /// The address and port, or ports.
        listen: String,
        /// Why.
        reason: String,
    },
    /// Every port of the target file is taken by an earlier peer of the run.
    #[error("the run needs more peers than [federation] ports has ({0})")]
    PortsUsedUp(usize),
    /// The certificate or its key cannot be used.
    #[error("{0}")]
    Identity(String),
    /// The operating system gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
}

/// All the peers of a run. Dropping it ends them all.
#[derive(Debug)]
pub struct Peers {
    run: Arc<Run>,
    honest: tokio::sync::Mutex<BTreeMap<usize, Arc<Peer>>>,
    /// Every peer that was started.
    started: Mutex<Vec<Weak<Peer>>>,
}

impl Peers {
    /// The peers of one run; none listens yet.
    pub fn new(config: PeersConfig) -> Result<Self, PeerError> {
        Self::with(config, Deadlines::default())
    }

    fn with(config: PeersConfig, deadlines: Deadlines) -> Result<Self, PeerError> {
        let run = Arc::new(Run::new(config, deadlines)?);
        Ok(Self { run, honest: tokio::sync::Mutex::default(), started: Mutex::default() })
    }

    /// The run's honest peer number `n`: it starts when it is first asked for, and is shared by scenarios. It
    /// answers until the run ends, or as long as somebody holds it after another has taken its place.
    pub async fn honest(&self, n: usize) -> Result<Arc<Peer>, PeerError> {
        let mut honest = self.honest.lock().await;
        let serving = honest.get(&n);
        if let Some(peer) = serving.filter(|peer| peer.journal().count() < RETIRES) {
            return Ok(peer.clone());
        }
        match (self.start(None), serving) {
            (Ok(peer), _) => {
                honest.insert(n, peer.clone());
                Ok(peer)
            }
            // There may be no port free for it as long as somebody holds the old one.
            (Err(_), Some(old)) => Ok(old.clone()),
            (Err(error), None) => Err(error),
        }
    }

    /// A peer with a name that the target has not met in this run: for one scenario alone. It ends when
    /// nobody holds it any more.
    pub async fn fresh(&self) -> Result<Arc<Peer>, PeerError> {
        self.start(None)
    }

    /// The same, publishing its key under this ID.
    pub async fn fresh_with_key_id(&self, key_id: &str) -> Result<Arc<Peer>, PeerError> {
        self.start(Some(key_id))
    }

    fn start(&self, key_id: Option<&str>) -> Result<Arc<Peer>, PeerError> {
        let (host, listener) = self.run.host(key_id)?;
        let peer = Arc::new(Peer::start(host, listener));
        let mut started = self.started();
        started.retain(|peer| peer.strong_count() > 0);
        started.push(Arc::downgrade(&peer));
        Ok(peer)
    }

    fn started(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Peer>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the peers the target's keys, by which they judge its signatures.
    pub fn introduce(&self, keys: ServerKeys) {
        self.run.judge.introduce(keys);
    }

    /// What went wrong before any request was read, at every peer, in order; of incidents that repeat
    /// themselves the first few and how many there were.
    pub fn incidents(&self) -> Vec<Incident> {
        self.run.incidents.list()
    }

    /// Waits until there has been an incident at any peer after the first `seen`, or for so long; how
    /// many there have been.
    pub async fn incidents_changed(&self, seen: usize, within: Duration) -> usize {
        self.run.incidents.changed(seen, within).await
    }

    /// Requests that no peer has an answer for, as `METHOD /path`, counted, over all peers.
    pub fn unexpected(&self) -> Vec<(String, usize)> {
        self.run.unexpected.list()
    }

    /// Ends every peer.
    pub async fn stop(&self) {
        let peers: Vec<_> = self.started().iter().filter_map(Weak::upgrade).collect();
        for peer in &peers {
            peer.stop.send_replace(true);
        }
        for peer in peers {
            peer.go_down().await;
        }
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        for peer in self.started().iter().filter_map(Weak::upgrade) {
            peer.stop.send_replace(true);
        }
    }
}

/// One homeserver of the harness. Dropping it ends it.
#[derive(Debug)]
pub struct Peer {
    host: Arc<Host>,
    stop: watch::Sender<bool>,
    /// Its sender lives as long as the listener and its connections.
    ended: watch::Receiver<()>,
    /// Held while a transaction of it is under way.
    transaction: tokio::sync::Mutex<()>,
}

impl Peer {
    fn start(host: Host, listener: tokio::net::TcpListener) -> Self {
        let host = Arc::new(host);
        let ((stop, stopped), (alive, ended)) = (watch::channel(false), watch::channel(()));
        let listening = listener::accept(listener, host.clone(), stopped);
        tokio::spawn(async move {
            listening.await;
            drop(alive);
        });
        Self { host, stop, ended, transaction: tokio::sync::Mutex::default() }
    }

    /// Its server name, `host:port`.
    pub fn name(&self) -> &str {
        &self.host.name
    }

    /// The key that it publishes and signs with.
    pub fn key(&self) -> &SigningKey {
        &self.host.key
    }

    /// A key that it publishes as expired a day ago (`old_verify_keys`).
    pub fn expired_key(&self) -> &SigningKey {
        &self.host.old_key
    }

    /// What it offers to the users of every other server.
    pub fn server_set(&self) -> &CapabilitySet {
        &self.host.set
    }

    /// What it was asked.
    pub fn journal(&self) -> &Journal {
        &self.host.journal
    }

    /// What it answers.
    pub fn script(&self) -> &Script {
        &self.host.script
    }

    /// Closes its port and every connection: from now on nobody is there.
    pub async fn go_down(&self) {
        self.stop.send_replace(true);
        let mut ended = self.ended.clone();
        // Nothing is ever sent: this ends when the sender goes.
        while ended.changed().await.is_ok() {}
    }

    /// Waits until no transaction of this homeserver is under way; while the turn is held, none begins.
    ///
    /// The next transaction waits for the answer to the one before (Server-Server API, "Transactions"), and
    /// there are homeservers that refuse it until then. Scenarios share a peer, so they take turns.
    pub async fn turn(&self) -> Turn<'_> {
        Turn(self.transaction.lock().await)
    }

    /// A request to a homeserver, signed as it should be.
    pub fn request(&self, destination: &str, method: &str, path: &str, content: Option<&Value>) -> Request {
        let signed = SignedRequest { method, uri: path, origin: self.name(), destination, content };
        let request = Request::new(method, path).authorization(signed.signed_by(self.key()).to_string());
        match content {
            Some(content) => request.json(content),
            None => request,
        }
    }
}

/// The time in which one transaction of a homeserver, and no other, is under way.
#[derive(Debug)]
#[must_use = "the turn is over when it is dropped"]
pub struct Turn<'p>(#[expect(dead_code, reason = "held, and never looked at")] MutexGuard<'p, ()>);

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests;
