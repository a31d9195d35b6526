//! The Authorization header of scheme X-Matrix, read and written (RFC 9110, section 11.4).

use std::fmt;

/// The parameters of an `Authorization: X-Matrix ...` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XMatrix {
    /// `origin`.
    pub origin: String,
    /// `destination`, which senders before Matrix 1.3 left out.
    pub destination: Option<String>,
    /// `key`: the key ID, such as `ed25519:1`.
    pub key: String,
    /// `sig` (or `signature`, as the specification's prose has it): unpadded Base64.
    pub sig: String,
}

/// How a header is no X-Matrix header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Another scheme.
    #[error("the scheme is not X-Matrix")]
    Scheme,
}

impl XMatrix {
    /// Reads the value of an Authorization header.
    pub fn parse(_value: &str) -> Result<Self, HeaderFault> {
        todo!()
    }
}

impl fmt::Display for XMatrix {
    /// The spelling of the honest side: one space, lower-case names, every value quoted.
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
