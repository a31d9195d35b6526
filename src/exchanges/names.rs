//! What is put in place of what differs from run to run.

use crate::outcome::Stop;
use crate::spec::binding::encode;
use crate::wire::signing::{SignedRequest, SigningKey};

/// The homeserver that is asked.
pub(super) const ALPHA: &str = "alpha.example";

/// The homeserver that asks it.
pub(super) const BETA: &str = "beta.example";

/// The key of the test vectors in the Matrix specification's appendices, "Cryptographic Test Vectors".
const SEED: &str = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1";

/// What was recorded, and what stands for it.
#[derive(Default)]
pub(super) struct Names {
    pairs: Vec<(String, String)>,
}

impl Names {
    /// From now on this stands for that, also where it is percent-encoded.
    pub(super) fn put(&mut self, name: &str, instead_of: &str) {
        for spell in [str::to_owned, encode as fn(&str) -> String] {
            self.pairs.push((spell(instead_of), spell(name)));
        }
        // Of two names that hold each other the longer is put in place first.
        self.pairs.sort_by_key(|(recorded, _)| std::cmp::Reverse(recorded.len()));
    }

    /// The text with every name put in place.
    pub(super) fn in_place(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, (recorded, name)| text.replace(recorded, name))
    }
}

/// The Authorization header of a request from one homeserver to the other.
pub(super) fn signed(method: &str, uri: &str, body: Option<&str>) -> Result<String, Stop> {
    let fault = |reason: String| Stop::HarnessFault { reason };
    let key = SigningKey::from_seed_text("ed25519:1", SEED).map_err(|error| fault(error.to_string()))?;
    let content = body.map(serde_json::from_str).transpose().map_err(|error| fault(error.to_string()))?;
    let request = SignedRequest { method, uri, origin: BETA, destination: ALPHA, content: content.as_ref() };
    Ok(request.signed_by(&key).to_string())
}
