//! A certificate authority for the harness's homeservers: in memory, or as files that a target trusts.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its certificate, PEM.
    certificate: String,
    /// Its private key, PEM.
    key: super::Secret,
}

/// Why an authority cannot be made, kept or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// The certificate or the key is not one, or the two do not belong together.
    #[error("{0}")]
    Unusable(String),
}

impl Authority {
    /// The names of the files that [`Authority::write`] makes: certificate and key.
    pub const FILES: [&str; 2] = ["ca.pem", "ca.key"];

    /// A fresh authority, in memory alone.
    pub fn generate() -> Result<Self, AuthorityError> {
        todo!()
    }

    /// One that was written before.
    pub fn read(_certificate: &Path, _key: &Path) -> Result<Self, AuthorityError> {
        todo!()
    }

    /// Writes it into a directory as [`Authority::FILES`], the key readable by its owner alone; what is there is never replaced.
    pub fn write(&self, _directory: &Path) -> Result<(), AuthorityError> {
        todo!()
    }

    /// Its certificate, for whoever is to trust it.
    pub fn certificate(&self) -> Result<CertificateDer<'static>, AuthorityError> {
        todo!()
    }

    /// A certificate for a homeserver under these names: DNS names and IP addresses, without ports.
    pub fn issue(
        &self,
        _names: &[&str],
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        todo!()
    }
}
