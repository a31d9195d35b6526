//! Which certificates a target may present.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::client::ClientError;

/// Which certificates the target may present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsTrust {
    /// The operating system's authorities.
    #[default]
    System,
    /// These too (a PEM file).
    ExtraCa(PathBuf),
    /// These authorities alone (DER), which stand in no file.
    Only(Vec<CertificateDer<'static>>),
    /// Anything: verification is off.
    Anything,
}

/// The TLS configuration; without roots, and so without touching the disk, where `https` is not used.
pub(super) fn configure(trust: &TlsTrust, https: bool) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Setup(error.to_string()))?;
    let config = match trust {
        TlsTrust::Anything => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
            .with_no_client_auth(),
        _ => builder.with_root_certificates(roots(trust, https)?).with_no_client_auth(),
    };
    Ok(config)
}

fn roots(trust: &TlsTrust, https: bool) -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::empty();
    if let TlsTrust::Only(authorities) = trust {
        for authority in authorities {
            roots.add(authority.clone()).map_err(|error| ClientError::Setup(error.to_string()))?;
        }
        return Ok(roots);
    }
    if https {
        // Authorities that this library cannot read are none of the target's business.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let TlsTrust::ExtraCa(path) = trust {
        let broken = |reason: String| ClientError::Ca { path: path.clone(), reason };
        let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| broken(error.to_string()))?;
        if certificates.is_empty() {
            return Err(broken("it holds no PEM certificate".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| broken(error.to_string()))?;
        }
    }
    Ok(roots)
}

/// Accepts every certificate; the signatures of the handshake still have to be right.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
