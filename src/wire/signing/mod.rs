//! X-Matrix: how homeservers sign requests to each other (Server-Server API, "Request Authentication").
//!
//! The suite's own arithmetic over ed25519-dalek and `spec::canonical`; the built-in homeserver has
//! another, so that the two are never compared with themselves.

mod header;
mod key;
mod server_keys;

pub use header::{HeaderFault, XMatrix};
pub use key::{KeyFault, SigningKey};
pub use server_keys::{OldKey, ServerKeys, ServerKeysFault};

use serde_json::Value;

/// What an X-Matrix signature is made over.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedRequest<'r> {
    /// The HTTP method, upper case.
    pub method: &'r str,
    /// Path and query exactly as on the request line, still percent-encoded.
    pub uri: &'r str,
    /// The server name of the sender.
    pub origin: &'r str,
    /// The server name of the receiver.
    pub destination: &'r str,
    /// The parsed body, if there is one.
    pub content: Option<&'r Value>,
}

impl SignedRequest<'_> {
    /// The canonical bytes that are signed.
    pub fn bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// The header of an honest homeserver.
    pub fn signed_by(&self, _key: &SigningKey) -> XMatrix {
        todo!()
    }
}
