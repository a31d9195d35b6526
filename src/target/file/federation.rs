//! `[federation]`: how the target and the harness's own homeservers reach each other.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use crate::target::config::Federation;
use crate::wire::authority::{Authority, is_authority};
use crate::wire::peer::Identity;

use super::build::Builder;

const SECTION: &str = "federation";

const NOBODY_VOUCHES: &str = "[federation] needs ca_cert and ca_key (capcheck federation-ca makes them), \
    or cert and key (a certificate of your own for the advertised host)";

const BOTH_VOUCH: &str = "[federation] takes ca_cert and ca_key (an authority that issues certificates), \
    or cert and key (a certificate of your own): leave one pair out";

/// An authority that issues their certificates.
const AUTHORITY: [&str; 2] = ["ca_cert", "ca_key"];

/// A certificate that the user made.
const CERTIFICATE: [&str; 2] = ["cert", "key"];

impl Builder<'_> {
    /// What the section says; `None` where it says nothing, or nothing that can be used.
    pub(super) fn federation(&mut self) -> Option<Federation> {
        let begins = self.sheet.begins(SECTION)?;
        let tls = self.trust(SECTION, "target_ca", "target_verify");
        let listen = self.sheet.address(SECTION, "listen").copied();
        let listen = listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let advertise = self.advertise(listen);
        let identity = self.identity(begins, advertise.as_deref());
        Some(Federation {
            url: self.sheet.url(SECTION, "url").cloned(),
            tls,
            listen,
            advertise: advertise?,
            ports: self.sheet.ports(SECTION, "ports").cloned(),
            identity: identity?,
        })
    }

    /// How the target reaches what listens there.
    fn advertise(&mut self, listen: IpAddr) -> Option<String> {
        if let Some(at) = self.sheet.at(SECTION, "advertise") {
            let advertise = bare(self.sheet.text(SECTION, "advertise")?);
            return match advertise.parse::<IpAddr>() {
                Ok(address) if address.is_unspecified() => {
                    let nobody = format!("advertise: nobody can reach {address}");
                    self.wrong(at, format!("{nobody}: write a name or an address of this machine"));
                    None
                }
                Ok(address) => Some(host(address)),
                Err(_) => Some(advertise.to_owned()),
            };
        }
        if listen.is_unspecified() {
            let at = self.sheet.at(SECTION, "listen").unwrap_or(0..0);
            let needs = format!("listen = \"{listen}\" needs advertise beside it");
            self.wrong(at, format!("{needs}: the name or address by which the target reaches this machine"));
            return None;
        }
        Some(if listen.is_loopback() { "localhost".to_owned() } else { host(listen) })
    }

    /// Who vouches for the harness's homeservers: an authority, or a certificate of the user's own.
    fn identity(&mut self, begins: Range<usize>, advertise: Option<&str>) -> Option<Identity> {
        let made = match (self.first(AUTHORITY), self.first(CERTIFICATE)) {
            (None, None) => Err((begins, NOBODY_VOUCHES.to_owned())),
            (Some(_), Some(at)) => Err((at, BOTH_VOUCH.to_owned())),
            (Some(at), None) => {
                let [certificate, key] = self.pair(AUTHORITY)?;
                Authority::read(&certificate, &key)
                    .map(Identity::Authority)
                    .map_err(|error| (at, format!("ca_cert and ca_key: {error}")))
            }
            (None, Some(at)) => {
                let [chain, key] = self.pair(CERTIFICATE)?;
                check_certificate(&chain, &key, advertise)
                    .map(|()| Identity::Certificate { chain, key })
                    .map_err(|reason| (at, format!("cert and key: {reason}")))
            }
        };
        made.map_err(|(at, message)| self.wrong(at, message)).ok()
    }

    /// Where the first of two keys stands, if one does.
    fn first(&self, names: [&str; 2]) -> Option<Range<usize>> {
        names.into_iter().filter_map(|name| self.sheet.at(SECTION, name)).min_by_key(|at| at.start)
    }

    /// The paths that two keys give, of which neither goes without the other.
    fn pair(&mut self, names: [&str; 2]) -> Option<[PathBuf; 2]> {
        let [one, other] = names;
        for (here, missing) in [(one, other), (other, one)] {
            // A key whose value is unfit has been complained of, and is not missing.
            if let (Some(at), None) = (self.sheet.at(SECTION, here), self.sheet.at(SECTION, missing)) {
                self.wrong(at, format!("{here} in [federation] needs {missing} beside it"));
            }
        }
        let [one, other] = names.map(|name| self.file(SECTION, name));
        Some([one?.1, other?.1])
    }
}

/// An address as the host of a server name.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Whether a certificate can be a homeserver's own, and now.
fn check_leaf(certificate: &CertificateDer<'_>) -> Result<(), String> {
    match is_authority(certificate)? {
        false => Ok(()),
        true => {
            Err("it is an authority's own (basicConstraints CA:TRUE), which most homeservers refuse"
                .to_owned())
        }
    }
}

/// Whether a chain and a key can be used together, for the advertised host.
fn check_certificate(chain: &Path, key: &Path, advertise: Option<&str>) -> Result<(), String> {
    let unusable = |path: &Path, reason: String| format!("cannot use {}: {reason}", path.display());
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(chain, error.to_string()))?;
    let Some(leaf) = certificates.first() else {
        return Err(unusable(chain, "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    };
    check_leaf(leaf).map_err(|reason| unusable(chain, reason))?;
    let leaf = ParsedCertificate::try_from(leaf).map_err(|error| unusable(chain, error.to_string()))?;
    if let Some(host) = advertise {
        let name = ServerName::try_from(bare(host)).map_err(|error| format!("{host:?}: {error}"))?;
        rustls::client::verify_server_name(&leaf, &name)
            .map_err(|_| format!("{} is not for the advertised host {host:?}", chain.display()))?;
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            unusable(key, "it holds no PEM private key (-----BEGIN PRIVATE KEY-----)".to_owned())
        }
        error => unusable(key, error.to_string()),
    })?;
    match CertifiedKey::from_der(certificates, secret, &ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(format!("{} is not the private key of {}", key.display(), chain.display()))
        }
        Err(error) => Err(unusable(key, error.to_string())),
    }
}
