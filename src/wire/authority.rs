//! A certificate authority for the harness's homeservers: in memory, or as files that a target trusts.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::exchange::Secret;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far back certificates are valid, for clocks that are behind.
const BACKDATED: Duration = DAY;
/// How long an authority lasts: as long as anybody keeps its file.
const AUTHORITY_LASTS: Duration = DAY.saturating_mul(3650);
/// How long a certificate for a homeserver lasts; it is made anew for every run.
const LEAF_LASTS: Duration = DAY.saturating_mul(365);
/// The longest PEM file that is read, in bytes.
const LONGEST: u64 = 256 << 10;

/// A certificate authority and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its certificate, PEM.
    certificate: String,
    /// Its private key, PEM.
    key: Secret,
}

/// Why an authority cannot be made, kept or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
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
        let key = KeyPair::generate().map_err(|error| cannot("make a key", error))?;
        // A name of its own: trust stores find issuers by name, and may hold those of several runs.
        let nonce = getrandom::u32().map_err(|error| cannot("draw a name", error))?;
        let mut parameters = lasting(AUTHORITY_LASTS, format!("capcheck federation CA {nonce:08x}"));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).map_err(|error| cannot("sign itself", error))?;
        Ok(Self { certificate: certificate.pem(), key: Secret::new(key.serialize_pem()) })
    }

    /// One that was written before, or that somebody made by other means: PEM, the key in PKCS #8.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, AuthorityError> {
        let authority = Self { certificate: read_text(certificate)?, key: Secret::new(read_text(key)?) };
        let certified = authority.certificate().map_err(|error| file(certificate, error))?;
        check_issuer(&certified).map_err(|reason| file(certificate, reason))?;
        let pair = authority.key_pair().map_err(|error| file(key, error))?;
        let mut roots = RootCertStore::empty();
        roots.add(certified).map_err(|error| file(certificate, error))?;
        let belongs = |root: &rustls::pki_types::TrustAnchor<'_>| {
            pair.subject_public_key_info().ends_with(&root.subject_public_key_info)
        };
        match roots.roots.iter().any(belongs) {
            true => Ok(authority),
            false => Err(file(key, format!("it is not the key of {}", certificate.display()))),
        }
    }

    /// Writes it into a directory as [`Authority::FILES`], the key readable by its owner alone; what is there is never replaced.
    pub fn write(&self, directory: &Path) -> Result<(), AuthorityError> {
        fs::create_dir_all(directory).map_err(|error| file(directory, error))?;
        let paths = Self::FILES.map(|name| directory.join(name));
        if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(file(path, "it is there already, and is not replaced"));
        }
        let [certificate, key] = &paths;
        write_new(key, self.key.reveal(), 0o600)?;
        write_new(certificate, &self.certificate, 0o644)
    }

    /// Its certificate, for whoever is to trust it.
    pub fn certificate(&self) -> Result<CertificateDer<'static>, AuthorityError> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|error| cannot("find its certificate, which must be PEM", error))
    }

    /// A certificate for a homeserver under these names: DNS names and IP addresses, without ports.
    pub fn issue(
        &self,
        names: &[&str],
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        if names.is_empty() {
            return Err(AuthorityError::Unusable("a certificate needs a name".to_owned()));
        }
        let issuer = Issuer::from_ca_cert_der(&self.certificate()?, self.key_pair()?)
            .map_err(|error| cannot("use its certificate", error))?;
        let key = KeyPair::generate().map_err(|error| cannot("make a key", error))?;
        let mut parameters = lasting(LEAF_LASTS, "capcheck peer".to_owned());
        parameters.subject_alt_names = names.iter().map(|name| subject(name)).collect::<Result<_, _>>()?;
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let leaf =
            parameters.signed_by(&key, &issuer).map_err(|error| cannot("sign a certificate", error))?;
        Ok((vec![leaf.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
    }

    fn key_pair(&self) -> Result<KeyPair, AuthorityError> {
        const FORM: &str = "use its key, which must be PKCS #8 in PEM (`BEGIN PRIVATE KEY`; \
                            `openssl pkcs8 -topk8 -nocrypt` makes it so)";
        KeyPair::from_pem(self.key.reveal()).map_err(|error| cannot(FORM, error))
    }
}

/// Whether a certificate may vouch for others, and now.
fn check_issuer(certificate: &CertificateDer<'_>) -> Result<(), String> {
    match is_authority(certificate)? {
        true => Ok(()),
        false => {
            Err("it is no certificate authority's (basicConstraints): `capcheck federation-ca` makes one"
                .to_owned())
        }
    }
}

/// Whether a certificate is an authority's, and not a homeserver's own; or why it is none, or not one now.
pub(crate) fn is_authority(certificate: &CertificateDer<'_>) -> Result<bool, String> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let validity = certificate.validity();
    match validity.is_valid() {
        true => Ok(certificate.is_ca()),
        false => Err(format!("it is valid from {} to {} alone", validity.not_before, validity.not_after)),
    }
}

/// A certificate's parameters under this common name, valid from a day ago.
fn lasting(lasts: Duration, name: String) -> CertificateParams {
    let now = SystemTime::now();
    let mut parameters = CertificateParams::default();
    parameters.not_before = (now - BACKDATED).into();
    parameters.not_after = (now + lasts).into();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// A name as a certificate bears it; an IPv6 address also in the brackets of a server name.
fn subject(name: &str) -> Result<SanType, AuthorityError> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    match rustls::pki_types::DnsName::try_from(name) {
        Ok(_) => name
            .try_into()
            .map(SanType::DnsName)
            .map_err(|error: rcgen::Error| cannot("certify a name", error)),
        Err(_) => Err(AuthorityError::Unusable(format!("{name:?} is neither a DNS name nor an IP address"))),
    }
}

fn read_text(path: &Path) -> Result<String, AuthorityError> {
    let mut text = String::new();
    let source = fs::File::open(path).map_err(|error| file(path, error))?;
    source.take(LONGEST).read_to_string(&mut text).map_err(|error| file(path, error))?;
    Ok(text)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), AuthorityError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut target = options.open(path).map_err(|error| file(path, error))?;
    target.write_all(text.as_bytes()).map_err(|error| file(path, error))
}

fn cannot(what: &str, error: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::Unusable(format!("the certificate authority cannot {what}: {error}"))
}

fn file(path: &Path, reason: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::File { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::crypto::ring;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    fn trusts(authority: &Authority, chain: &[CertificateDer<'_>], name: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn certifies_dns_names_and_addresses_and_no_others() {
        let authority = Authority::generate().unwrap();
        let (chain, _) = authority.issue(&["peer.example", "127.0.0.1", "[::1]", "fd00::7"]).unwrap();
        for name in ["peer.example", "127.0.0.1", "::1", "fd00::7"] {
            assert!(trusts(&authority, &chain, name), "{name}");
        }
        for name in ["other.example", "127.0.0.2", "::2"] {
            assert!(!trusts(&authority, &chain, name), "{name}");
        }
        assert!(!trusts(&Authority::generate().unwrap(), &chain, "peer.example"));
    }

    #[test]
    fn certifies_nothing_that_is_no_name() {
        let authority = Authority::generate().unwrap();
        for names in [&[][..], &[""], &["a b"], &["peer.example:8448"], &["é.example"], &["[::1"]] {
            assert!(matches!(authority.issue(names), Err(AuthorityError::Unusable(_))), "{names:?}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("deeper");
        let authority = Authority::generate().unwrap();
        authority.write(&place).unwrap();
        let [certificate, key] = Authority::FILES.map(|name| place.join(name));
        let read = Authority::read(&certificate, &key).unwrap();
        assert_eq!(read, authority);
        let (chain, _) = read.issue(&["localhost"]).unwrap();
        assert!(trusts(&authority, &chain, "localhost"));
        assert!(!format!("{read:?}").contains("PRIVATE"));
    }

    #[test]
    fn who_may_not_vouch_for_others_is_no_authority() {
        let directory = tempfile::tempdir().unwrap();
        let [certificate, key] = Authority::FILES.map(|name| directory.path().join(name));
        let read = |parameters: CertificateParams| {
            let pair = KeyPair::generate().unwrap();
            fs::write(&certificate, parameters.self_signed(&pair).unwrap().pem()).unwrap();
            fs::write(&key, pair.serialize_pem()).unwrap();
            Authority::read(&certificate, &key).unwrap_err().to_string()
        };
        let leaf = read(lasting(AUTHORITY_LASTS, "leaf".to_owned()));
        assert!(leaf.contains("ca.pem") && leaf.contains("no certificate authority's"), "{leaf}");
        let mut expired = lasting(DAY, "expired".to_owned());
        expired.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        expired.not_after = (SystemTime::now() - DAY / 2).into();
        let expired = read(expired);
        assert!(expired.contains("it is valid from"), "{expired}");
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        Authority::generate().unwrap().write(directory.path()).unwrap();
        let mode = fs::metadata(directory.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_there_is_never_replaced() {
        for there in Authority::FILES {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(there), "precious").unwrap();
            let refused = Authority::generate().unwrap().write(directory.path()).unwrap_err();
            assert!(refused.to_string().contains("is not replaced"), "{refused}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
            assert_eq!(fs::read_to_string(directory.path().join(there)).unwrap(), "precious");
        }
    }

    #[test]
    fn says_which_file_is_of_no_use() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for directory in [&one, &two] {
            Authority::generate().unwrap().write(directory.path()).unwrap();
        }
        let certificate = one.path().join("ca.pem");
        let refused = |certificate: &Path, key: &Path| match Authority::read(certificate, key) {
            Err(AuthorityError::File { path, reason }) => (path, reason),
            other => panic!("{other:?}"),
        };
        let foreign = two.path().join("ca.key");
        let (path, reason) = refused(&certificate, &foreign);
        assert!(path == foreign && reason.starts_with("it is not the key of"), "{reason}");
        let (path, reason) = refused(&foreign, &foreign);
        assert!(path == foreign && reason.contains("must be PEM"), "{reason}");
        let (path, reason) = refused(&certificate, &certificate);
        assert!(path == certificate && reason.contains("PKCS #8"), "{reason}");
        let nothing = one.path().join("nothing");
        assert_eq!(refused(&nothing, &foreign).0, nothing);
    }
}
