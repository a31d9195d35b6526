//! The server-server side of the built-in homeserver: keys, signed requests both ways, rooms and presence
//! that cross servers.
//!
//! Its signing and verification are Ruma's, and share nothing with the suite's own.

mod api;
mod outbound;
pub(crate) mod pdu;
mod rooms;
mod transactions;

use std::sync::Arc;

use ruma_signatures::Ed25519KeyPair;
use serde_json::Value;

use super::options::FederationOptions;
use super::server::{StartError, random_bytes};

pub(super) use api::handle;
pub(crate) use outbound::{RemoteAnswer, RemoteError};

/// What a homeserver needs to federate.
pub(crate) struct Federation {
    /// Signs requests, events and the key object.
    pub(crate) key: Arc<Ed25519KeyPair>,
    outbound: outbound::Outbound,
}

impl Federation {
    /// A fresh key, under an ID that no earlier start has used: others cache keys by ID.
    pub(super) fn new(options: &FederationOptions, server_name: &str) -> Result<Self, StartError> {
        let failed = |reason: String| StartError::Federation { reason };
        let version = random_bytes::<6>().map_err(|error| StartError::Random(error.to_string()))?;
        let version = version.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), version)
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { key: Arc::new(key), outbound: outbound::Outbound::new(options, server_name).map_err(failed)? })
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
        let authorization = self.outbound.authorization(&self.key, destination, method, path, content)?;
        self.outbound.send(destination, method, path, Some(authorization), content).await
    }
}
