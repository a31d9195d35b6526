//! How users come into being: registered, leased from a list of accounts, or given as tokens.

use std::sync::Arc;

use crate::wire::{Client, Exchange, Secret};

use super::config::Target;

/// How the localparts of ordinary users begin that the suite registers.
pub const ORDINARY: &str = "cap-";

/// How many users a scenario needs, and of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    /// Users without the gated capability.
    pub ordinary: usize,
    /// Users with it.
    pub entitled: usize,
}

/// A user for one scenario, with a session already logged in.
#[derive(Debug)]
pub struct Account {
    /// Full user ID.
    pub user_id: String,
    /// The session that registration, the first login or the given token made.
    pub first: Login,
    /// What further logins need; `None` where only tokens were given.
    pub password: Option<Secret>,
}

/// A live session.
#[derive(Clone, Debug)]
pub struct Login {
    /// Full user ID.
    pub user_id: String,
    /// The device.
    pub device_id: String,
    /// Its access token.
    pub token: Secret,
}

/// The users of one scenario, exclusively.
#[derive(Debug, Default)]
pub struct Lease {
    /// Users without the gated capability.
    pub ordinary: Vec<Account>,
    /// Users with it.
    pub entitled: Vec<Account>,
}

/// Why there is no user or no session.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The target file gives no means for this: the scenario is not applicable.
    #[error("{0}")]
    NotApplicable(String),
    /// The target was asked and did not do it: the scenario is untestable.
    #[error("{reason}")]
    Broken {
        /// One line.
        reason: String,
        /// The exchange that shows it.
        exchange: Option<Arc<Exchange>>,
    },
}

/// Makes users and sessions, and takes them back.
#[derive(Debug)]
pub struct Provisioner {}

impl Provisioner {
    /// A provisioner for one run; `nonce` goes into every localpart and device ID it makes.
    pub fn new(_target: &Target, _nonce: &str) -> Self {
        todo!()
    }

    /// Whether further logins are possible at all (not with tokens).
    pub fn can_log_in(&self) -> bool {
        todo!()
    }

    /// Users for one scenario, all at once so that two scenarios cannot starve each other.
    pub async fn lease(&self, _client: &Client, _cast: Cast) -> Result<Lease, ProvisionError> {
        todo!()
    }

    /// Another session of a user; on this device ID, or on a fresh one.
    pub async fn log_in(
        &self,
        _client: &Client,
        _account: &Account,
        _device_id: Option<&str>,
    ) -> Result<Login, ProvisionError> {
        todo!()
    }

    /// Takes users back: cleans up as the target file says and frees leased accounts.
    pub async fn release(&self, _client: &Client, _lease: Lease) {
        todo!()
    }
}
