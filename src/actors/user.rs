//! A user of the target.

use std::sync::Arc;

use crate::outcome::Stop;
use crate::target::provision::{Account, ProvisionError};

use super::{Session, Stage};

/// A user, with a session that came with the account.
#[derive(Clone, Debug)]
pub struct User {
    stage: Arc<Stage>,
    account: Account,
    name: &'static str,
}

impl User {
    /// A user on this stage.
    pub(crate) fn new(stage: Arc<Stage>, account: Account, name: &'static str) -> Self {
        Self { stage, account, name }
    }

    /// The full user ID.
    pub fn id(&self) -> &str {
        &self.account.user_id
    }

    /// The name by which reports call this user.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The session that came with the account.
    pub fn session(&self) -> Session {
        Session::new(self.stage.clone(), self.account.first.clone(), format!("{}'s first session", self.name))
    }

    /// Another session, on a device of its own.
    pub async fn log_in(&self, device: &str) -> Result<Session, Stop> {
        self.log_in_with(None, device).await
    }

    /// A new login on the device of a session, which ends that session (draft C2; Matrix device IDs).
    pub async fn log_in_again(&self, on: &Session) -> Result<Session, Stop> {
        self.log_in_with(Some(on.device_id()), "renewed session").await
    }

    /// A new login on a device ID of the caller's choice.
    pub async fn log_in_on(&self, device_id: &str, device: &str) -> Result<Session, Stop> {
        self.log_in_with(Some(device_id), device).await
    }

    async fn log_in_with(&self, device_id: Option<&str>, device: &str) -> Result<Session, Stop> {
        let provisioner = &self.stage.world().provisioner;
        let login =
            provisioner.log_in(self.stage.client(), &self.account, device_id).await.map_err(Stop::from)?;
        Ok(Session::new(self.stage.clone(), login, format!("{}'s {device}", self.name)))
    }

    /// The password, for requests that ask for it again; the scenario ends where there is none.
    pub(super) fn password(&self) -> Result<&str, Stop> {
        let reason = || "no password: the target file gives ready tokens".to_owned();
        self.account
            .password
            .as_ref()
            .map(|p| p.reveal())
            .ok_or_else(|| Stop::NotApplicable { reason: reason() })
    }
}

impl From<ProvisionError> for Stop {
    fn from(error: ProvisionError) -> Self {
        match error {
            ProvisionError::NotApplicable(reason) => Self::NotApplicable { reason },
            ProvisionError::Broken { reason, exchange } => Self::Untestable { reason, exchange },
        }
    }
}
