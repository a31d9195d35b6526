//! The HTTP client: one request, one exchange; no retries, redirects, proxies or decompression.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::transcript::{Exchange, Request, Transcript};

/// Which certificates the target may present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsTrust {
    /// The operating system's authorities.
    #[default]
    System,
    /// These too (a PEM file).
    ExtraCa(PathBuf),
    /// Anything: verification is off.
    Anything,
}

/// How to talk to a target.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The client-server base URL.
    pub base: Url,
    /// Which certificates are trusted.
    pub tls: TlsTrust,
    /// Requests under way at once, long polls aside.
    pub in_flight: usize,
    /// Deadline for connection, first byte and body, each.
    pub timeout: Duration,
    /// The longest body that is read, in bytes.
    pub max_body: usize,
    /// The longest time spent obeying 429 per request.
    pub max_obeyed: Duration,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The CA file cannot be used.
    #[error("cannot use the CA file {path}: {reason}")]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The TLS library refuses the configuration.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

/// Sends requests to one base URL and records them in one transcript.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    transcript: Arc<Transcript>,
}

impl Client {
    /// A client with a transcript of its own.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        Ok(Self { config: Arc::new(config), transcript: Arc::default() })
    }

    /// The same client, recording elsewhere.
    pub fn recording(&self, transcript: Arc<Transcript>) -> Self {
        Self { transcript, ..self.clone() }
    }

    /// Where this client records.
    pub fn transcript(&self) -> &Arc<Transcript> {
        &self.transcript
    }

    /// The configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Sends one request and keeps what came of it. A 429 is obeyed and sent again, up to the cap.
    pub async fn send(&self, _request: Request) -> Arc<Exchange> {
        todo!("landing next")
    }
}
