//! A homeserver's published keys: `GET /_matrix/key/v2/server`.

use std::collections::BTreeMap;

/// The keys that a homeserver publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeys {
    /// Whose they are.
    pub server_name: String,
    /// Key ID to public key, unpadded Base64.
    pub verify_keys: BTreeMap<String, String>,
    /// Keys that have expired.
    pub old_verify_keys: BTreeMap<String, OldKey>,
    /// Until when, in milliseconds since the Unix epoch.
    pub valid_until_ts: u64,
}

/// A key that was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// The public key, unpadded Base64.
    pub key: String,
    /// When it expired, in milliseconds since the Unix epoch.
    pub expired_ts: u64,
}

/// How an answer is no key object of that server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerKeysFault {
    /// Not a key object.
    #[error("no key object: {0}")]
    Shape(String),
    /// Another server's.
    #[error("the keys are those of {found:?}, not of {expected:?}")]
    Name {
        /// The name found.
        found: String,
        /// The name expected.
        expected: String,
    },
    /// Not signed by any of its own keys.
    #[error("the key object is not signed by one of its own keys: {0}")]
    Unsigned(String),
}

impl ServerKeys {
    /// Reads the answer of a homeserver with this name, and verifies that it signed it.
    pub fn read(_body: &[u8], _server_name: &str) -> Result<Self, ServerKeysFault> {
        todo!()
    }
}
