//! The server-server side of the built-in homeserver: keys, signed requests both ways, rooms and presence
//! that cross servers.
//!
//! Its signing and verification are Ruma's, and share nothing with the suite's own.

use bytes::Bytes;
use ruma_signatures::Ed25519KeyPair;
use serde_json::Value;

/// What a homeserver needs to federate.
pub(crate) struct Federation {
    /// Signs requests, events and the key object.
    pub(crate) key: Ed25519KeyPair,
}

/// What another homeserver answered, in full.
#[derive(Clone, Debug)]
pub(crate) struct RemoteAnswer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why another homeserver could not be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// No connection, no TLS, no whole answer.
    #[error("{0}")]
    Unreachable(String),
    /// It took longer than is waited.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is longer than is read.
    #[error("the answer is too long")]
    TooLong,
}

impl Federation {
    /// Asks another homeserver, signed; bounded in time and bytes, no redirects.
    pub(crate) async fn ask(
        &self,
        _destination: &str,
        _method: &str,
        _path: &str,
        _content: Option<&Value>,
    ) -> Result<RemoteAnswer, RemoteError> {
        todo!()
    }
}
