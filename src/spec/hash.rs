//! The capability hash: unpadded standard Base64 of SHA-256 over canonical bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

/// The value of the `sha256` key: 43 characters of the standard Base64 alphabet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapabilityHash(String);

/// How a string fails to be a capability hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Not 43 characters.
    #[error("a hash has 43 characters, this has {0}")]
    Length(usize),
    /// A character outside the standard Base64 alphabet.
    #[error("character {found:?} at position {position} is not in the standard Base64 alphabet")]
    Alphabet {
        /// Zero-based character position.
        position: usize,
        /// The offending character.
        found: char,
    },
    /// The last character carries bits that no 32-byte digest has.
    #[error("no SHA-256 digest ends in {0:?}: the last character is one of AEIMQUYcgkosw048")]
    LastCharacter(char),
}

impl CapabilityHash {
    /// Hashes canonical bytes.
    pub fn of(canonical_bytes: &[u8]) -> Self {
        Self(STANDARD_NO_PAD.encode(Sha256::digest(canonical_bytes)))
    }

    /// Reads a hash as a server must spell it.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let length = text.chars().count();
        if length != 43 {
            return Err(HashError::Length(length));
        }
        let alien = |c: &char| !(c.is_ascii_alphanumeric() || *c == '+' || *c == '/');
        if let Some((position, found)) = text.chars().enumerate().find(|(_, c)| alien(c)) {
            return Err(HashError::Alphabet { position, found });
        }
        match text.chars().last() {
            Some(last) if !"AEIMQUYcgkosw048".contains(last) => Err(HashError::LastCharacter(last)),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the hash holds neither `+` nor `/`, so that no URL encoder can spoil it.
    pub fn is_url_plain(&self) -> bool {
        !self.0.contains(['+', '/'])
    }
}

impl fmt::Display for CapabilityHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o";

    #[test]
    fn hashes_canonical_bytes() {
        assert_eq!(CapabilityHash::of(b"{}").as_str(), EMPTY);
        let sample = br#"{"custom.feature.v1":{},"m.cap.turnserver.v1":{}}"#;
        assert_eq!(CapabilityHash::of(sample).as_str(), "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo");
    }

    #[test]
    fn reads_a_hash_as_it_is_written() {
        assert_eq!(CapabilityHash::parse(EMPTY), Ok(CapabilityHash::of(b"{}")));
        assert_eq!(CapabilityHash::of(b"{}").to_string(), EMPTY);
    }

    #[test]
    fn refuses_every_other_spelling() {
        let with = |from: &str, to: &str| CapabilityHash::parse(&EMPTY.replace(from, to)).unwrap_err();
        assert_eq!(CapabilityHash::parse("").unwrap_err(), HashError::Length(0));
        assert_eq!(CapabilityHash::parse(&EMPTY[1..]).unwrap_err(), HashError::Length(42));
        assert_eq!(CapabilityHash::parse(&format!("{EMPTY}=")).unwrap_err(), HashError::Length(44));
        assert_eq!(with("+", "-"), HashError::Alphabet { position: 17, found: '-' });
        assert_eq!(with("/", "_"), HashError::Alphabet { position: 40, found: '_' });
        assert_eq!(with("R", "é"), HashError::Alphabet { position: 0, found: 'é' });
        assert_eq!(with("4o", "4p"), HashError::LastCharacter('p'));
    }

    #[test]
    fn the_last_character_is_one_that_32_bytes_can_end_in() {
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']);
        let text = |last: char| format!("{}{last}", &EMPTY[..42]);
        for last in alphabet {
            let decodes = STANDARD_NO_PAD.decode(text(last)).is_ok();
            assert_eq!(CapabilityHash::parse(&text(last)).is_ok(), decodes, "{last}");
        }
    }

    #[test]
    fn knows_which_hashes_are_plain_in_a_url() {
        assert!(!CapabilityHash::of(b"{}").is_url_plain());
        let plain = CapabilityHash::parse(&EMPTY.replace(['+', '/'], "x")).unwrap();
        assert!(plain.is_url_plain());
    }
}
