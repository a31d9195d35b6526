//! Ed25519 keys with their IDs (Matrix appendices, "Signing JSON").

use std::fmt;

/// A private signing key and the ID under which its public half is published.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: ed25519_dalek::SigningKey,
}

/// Why there is no key, or a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// A public key or a signature that is none.
    #[error("{0}")]
    Malformed(String),
    /// The signature was not made with this key over these bytes.
    #[error("the signature does not verify")]
    Mismatch,
}

impl SigningKey {
    /// A fresh key under this ID, such as `ed25519:1`.
    pub fn generate(_id: &str) -> Result<Self, getrandom::Error> {
        todo!()
    }

    /// The key of a seed: 32 bytes.
    pub fn from_seed(id: &str, seed: [u8; 32]) -> Self {
        Self { id: id.to_owned(), secret: ed25519_dalek::SigningKey::from_bytes(&seed) }
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half in unpadded Base64.
    pub fn public(&self) -> String {
        todo!()
    }

    /// The signature of these bytes in unpadded Base64.
    pub fn sign(&self, _bytes: &[u8]) -> String {
        todo!()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {:?})", self.id, self.secret.verifying_key())
    }
}
