//! Ed25519 keys with their IDs (Matrix appendices, "Signing JSON").

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};

/// Reads Base64 with and without padding, as the Matrix appendices ("Unpadded Base64") ask, and with
/// spare bits in its last character, as the seed of their own test vectors has them.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

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
    pub fn generate(id: &str) -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self::from_seed(id, seed))
    }

    /// The key of a seed: 32 bytes.
    pub fn from_seed(id: &str, seed: [u8; 32]) -> Self {
        Self { id: id.to_owned(), secret: ed25519_dalek::SigningKey::from_bytes(&seed) }
    }

    /// The key made from a seed of 32 bytes in Base64, as key files have it.
    ///
    /// # Errors
    ///
    /// [`KeyFault::Malformed`] where the text is no Base64 of 32 bytes.
    pub fn from_seed_text(id: &str, seed: &str) -> Result<Self, KeyFault> {
        Ok(Self::from_seed(id, decode(seed, "the seed")?))
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half in unpadded Base64.
    pub fn public(&self) -> String {
        STANDARD_NO_PAD.encode(self.secret.verifying_key().as_bytes())
    }

    /// The signature of these bytes in unpadded Base64.
    pub fn sign(&self, bytes: &[u8]) -> String {
        STANDARD_NO_PAD.encode(self.sign_raw(bytes))
    }

    /// The signature of these bytes.
    pub(crate) fn sign_raw(&self, bytes: &[u8]) -> [u8; 64] {
        self.secret.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.id, self.public())
    }
}

/// Verifies a signature; key and signature in Base64, padded or not, in either alphabet.
pub fn verify(public: &str, bytes: &[u8], signature: &str) -> Result<(), KeyFault> {
    let key = public_key(public)?;
    let signature = Signature::from_bytes(&decode(signature, "a signature")?);
    key.verify_strict(bytes, &signature).map_err(|_| KeyFault::Mismatch)
}

/// A public key, spelled as [`SigningKey::public`] spells it.
pub(super) fn normalise(public: &str) -> Result<String, KeyFault> {
    public_key(public).map(|key| STANDARD_NO_PAD.encode(key.as_bytes()))
}

fn public_key(public: &str) -> Result<VerifyingKey, KeyFault> {
    VerifyingKey::from_bytes(&decode(public, "a public key")?)
        .map_err(|_| KeyFault::Malformed("a public key is no point of the curve".to_owned()))
}

pub(super) fn decode<const N: usize>(text: &str, what: &str) -> Result<[u8; N], KeyFault> {
    let malformed = |why: String| KeyFault::Malformed(format!("{what} {why}"));
    // Before anything is copied: what is longer cannot be one.
    if text.len() > 4 * N {
        return Err(malformed(format!("has {} characters", text.len())));
    }
    let bytes = LENIENT
        .decode(text.replace('-', "+").replace('_', "/"))
        .map_err(|error| malformed(format!("is not Base64: {error}")))?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| malformed(format!("has {length} bytes where it should have {N}")))
}
