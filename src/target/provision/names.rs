//! Names that nobody took before, and passwords that nobody guesses.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::wire::{Client, Secret};

use super::ProvisionError;
use super::answer::broken;

/// Names with the run's nonce in them.
#[derive(Debug)]
pub(super) struct Names {
    nonce: String,
    next: AtomicU64,
}

impl Names {
    pub(super) fn new(nonce: &str) -> Self {
        Self { nonce: nonce.to_lowercase(), next: AtomicU64::new(1) }
    }

    /// A localpart of the Matrix grammar, which knows no upper case.
    pub(super) fn localpart(&self, prefix: &str) -> String {
        format!("{prefix}{}-{}", self.nonce, self.next.fetch_add(1, Relaxed))
    }

    pub(super) fn device(&self) -> String {
        format!("CAP-{}-{}", self.nonce, self.next.fetch_add(1, Relaxed))
    }
}

/// 192 bits from the operating system, with a character of every kind for servers with a policy;
/// blacked out in this client's transcript from here on.
pub(super) fn password(client: &Client) -> Result<Secret, ProvisionError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| broken(format!("the operating system gives no random bytes: {error}"), None))?;
    let password = Secret::new(format!("aA1-{}", URL_SAFE_NO_PAD.encode(bytes)));
    client.transcript().conceal(&password);
    Ok(password)
}
