//! Federating homeservers inside the harness: they listen, answer, ask, and keep a journal.
//!
//! A peer is one server name on one port. Every peer of a run has a certificate of the same
//! authority, keys of its own, and a script: what it answers to whom. What it was asked is in its
//! journal, with what came of the signature.

mod journal;
mod script;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::spec::binding::Binding;
use crate::wire::{Client, Exchange, Request};

use super::signing::{ServerKeys, SigningKey};

pub use journal::{Arrival, Asked, Incident, Journal, SignatureFault};
pub use script::{Answer, Script};

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

/// All the peers of a run.
#[derive(Debug)]
pub struct Peers {}

impl Peers {
    /// The peers of one run; none listens yet.
    pub fn new(_config: PeersConfig) -> Result<Self, PeerError> {
        todo!()
    }

    /// The run's honest peer number `n`: it starts when it is first asked for, answers until the run
    /// ends, and is shared by scenarios.
    pub async fn honest(&self, _n: usize) -> Result<Arc<Peer>, PeerError> {
        todo!()
    }

    /// A peer with a name that the target has not met in this run: for one scenario alone.
    pub async fn fresh(&self) -> Result<Arc<Peer>, PeerError> {
        todo!()
    }

    /// The same, publishing its key under this ID.
    pub async fn fresh_with_key_id(&self, _key_id: &str) -> Result<Arc<Peer>, PeerError> {
        todo!()
    }

    /// Tells the peers the target's keys, by which they judge its signatures.
    pub fn introduce(&self, _keys: ServerKeys) {
        todo!()
    }

    /// What went wrong before any request was read, at every peer, in order.
    pub fn incidents(&self) -> Vec<Incident> {
        todo!()
    }

    /// Requests that no peer has an answer for, as `METHOD /path`, counted, over all peers.
    pub fn unexpected(&self) -> Vec<(String, usize)> {
        todo!()
    }

    /// Ends every peer.
    pub async fn stop(&self) {
        todo!()
    }
}

/// One homeserver of the harness.
#[derive(Debug)]
pub struct Peer {
    name: String,
    key: SigningKey,
    old_key: SigningKey,
    journal: Journal,
    script: Script,
}

impl Peer {
    /// Its server name, `host:port`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that it publishes and signs with.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A key that it publishes as expired a day ago (`old_verify_keys`).
    pub fn expired_key(&self) -> &SigningKey {
        &self.old_key
    }

    /// What it was asked.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What it answers.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Closes its port and every connection: from now on nobody is there.
    pub async fn go_down(&self) {
        todo!()
    }

    /// A request to a homeserver, signed as it should be.
    pub fn request(
        &self,
        _destination: &str,
        _method: &str,
        _path: &str,
        _content: Option<&Value>,
    ) -> Request {
        todo!()
    }

    /// Joins a room of the destination by make_join and send_join (v2); `client` speaks to its federation port.
    pub async fn join(
        &self,
        _client: &Client,
        _destination: &str,
        _room_id: &str,
        _user_id: &str,
    ) -> Result<(), RoomFault> {
        todo!()
    }

    /// Leaves a room by make_leave and send_leave.
    pub async fn leave(
        &self,
        _client: &Client,
        _destination: &str,
        _room_id: &str,
        _user_id: &str,
    ) -> Result<(), RoomFault> {
        todo!()
    }
}

/// Why a peer's user is not in a room, or still is.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct RoomFault {
    /// One line.
    pub reason: String,
    /// The exchange that shows it.
    pub exchange: Option<Arc<Exchange>>,
}
