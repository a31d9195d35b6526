//! The server-server side of the built-in homeserver: keys, signed requests both ways, rooms and presence
//! that cross servers.
//!
//! Its signing and verification are Ruma's, and share nothing with the suite's own.

mod api;
mod authenticate;
mod capabilities;
mod flights;
mod header;
mod identity;
mod keys;
mod listener;
pub(crate) mod lookup;
mod outbound;
mod outbox;
pub(crate) mod pdu;
mod rooms;
#[cfg(test)]
mod rooms_test;
#[cfg(test)]
pub(super) mod test_kit;
#[cfg(test)]
mod tests;
mod transactions;
pub(crate) mod visits;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ruma_signatures::Ed25519KeyPair;
use serde_json::Value;

use super::faults::{Fault, FaultSet};
use super::options::FederationOptions;
use super::server::{StartError, random_bytes};
use super::variants::{Variant, VariantSet};
use keys::{PublicKey, RemoteKeys};
use lookup::Lookups;
use outbound::{Outbound, Outgoing};

#[cfg(test)]
pub(super) use api::handle;
pub(super) use listener::TlsListener;
pub(crate) use outbound::{RemoteAnswer, RemoteError};
pub(super) use outbox::deliver;

/// HTTP/2, as TLS negotiates it (RFC 9113, section 3.2).
const HTTP_2: &[u8] = b"h2";

/// What is spoken with other homeservers, the preferred protocol first.
fn protocols(variants: VariantSet) -> Vec<Vec<u8>> {
    let offered = variants.has(Variant::HttpTwo).then_some(HTTP_2);
    offered.into_iter().chain([&b"http/1.1"[..]]).map(<[u8]>::to_vec).collect()
}

/// What a homeserver needs to federate.
pub(crate) struct Federation {
    /// Signs requests, events and the key object.
    pub(crate) key: Arc<Ed25519KeyPair>,
    /// Signs every other request, under a freedom; nobody has it without.
    spare: Option<Ed25519KeyPair>,
    server_name: String,
    variants: VariantSet,
    /// Requests so far, of others and to others: what is free to differ does so from one to the next.
    count: AtomicUsize,
    outbound: Outbound,
    keys: RemoteKeys,
    lookups: Lookups,
    memory: Memory,
}

impl Federation {
    /// A fresh key, under an ID that no earlier start has used: others cache keys by ID.
    pub(super) fn new(
        options: &FederationOptions,
        server_name: &str,
        (faults, variants): (FaultSet, VariantSet),
    ) -> Result<Self, StartError> {
        let failed = |reason: String| StartError::Federation { reason };
        let version = random_bytes::<6>().map_err(|error| StartError::Random(error.to_string()))?;
        let version: String = version.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = |version| Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), version);
        let key = |version| key(version).map_err(|error| failed(error.to_string()));
        let needs_spare = variants.has(Variant::FedKeysSeveral);
        Ok(Self {
            spare: needs_spare.then(|| key(format!("{version}_spare"))).transpose()?,
            key: Arc::new(key(version)?),
            server_name: server_name.to_owned(),
            variants,
            count: AtomicUsize::new(0),
            outbound: Outbound::new(options, faults, variants).map_err(failed)?,
            keys: RemoteKeys::new(faults, variants),
            lookups: Lookups::default(),
            memory: Memory { faults, kept: Mutex::default() },
        })
    }

    /// Whether the server takes this freedom.
    fn may(&self, variant: Variant) -> bool {
        self.variants.has(variant)
    }

    /// How many requests there were before this one.
    fn nth(&self) -> usize {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks another homeserver, signed; bounded in time and bytes, no redirects.
    ///
    /// `path` is the path and query as they stand on the request line, percent-encoded.
    pub(crate) async fn ask(
        &self,
        destination: &str,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Result<RemoteAnswer, RemoteError> {
        let authorization = self.authorization(destination, method, path, content);
        let authorization = authorization.map_err(|error| RemoteError::Unreachable(error.to_string()))?;
        let question = Outgoing { method, content, ..Outgoing::get(destination, path) };
        self.outbound.send(Outgoing { authorization: Some(authorization), ..question }).await
    }

    /// The key that another homeserver publishes under an ID and that is valid now, from memory or from
    /// itself; or why there is none.
    pub(crate) async fn key_of(&self, server: &str, key_id: &str, now_ms: u64) -> Result<PublicKey, String> {
        self.keys.find(&self.outbound, server, key_id, now_ms).await
    }
}

/// What some faults remember about requests, and nothing else does.
#[derive(Debug)]
struct Memory {
    faults: FaultSet,
    kept: Mutex<HashSet<(Fault, String)>>,
}

impl Memory {
    /// Remembers, if the server deviates so.
    fn keep(&self, fault: Fault, what: impl Into<String>) {
        if self.faults.has(fault) {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert((fault, what.into()));
        }
    }

    /// Whether this was remembered.
    fn holds(&self, fault: Fault, what: impl Into<String>) -> bool {
        self.faults.has(fault)
            && self.kept.lock().unwrap_or_else(PoisonError::into_inner).contains(&(fault, what.into()))
    }
}
