//! Taking users back. Nothing here matters to a verdict, so nothing here is an error.

use futures_util::future::join_all;
use serde_json::json;

use crate::target::config::Cleanup;
use crate::target::room;
use crate::wire::{Client, Secret};

use super::login::log_out_everywhere;
use super::uia::{self, Proof};
use super::{Account, Login, ProvisionError, Provisioner, Way};

impl Provisioner {
    pub(super) async fn clean_up(&self, client: &Client, user: &Account) {
        match (self.cleanup, &self.way, &user.password) {
            (Cleanup::None, _, _) => {}
            (_, Way::Tokens(tokens), _) => {
                let sessions = tokens.sessions_of(&user.user_id);
                join_all(sessions.iter().map(|session| self.hygiene.declare_nothing(client, session))).await;
                let _ = self.leave(client, &user.first).await;
            }
            (Cleanup::Deactivate, Way::Register { .. } | Way::SharedSecret { .. }, Some(password)) => {
                if let Some(session) = self.leave_with_any(client, user).await {
                    deactivate(client, &session, password).await;
                }
            }
            _ => self.part_with(client, user).await,
        }
    }

    /// Leaves all rooms and ends every session.
    async fn part_with(&self, client: &Client, user: &Account) {
        // Where the scenario knew no rooms there is none to ask for.
        let rooms = client.transcript().sent_any(room::is_entered_by);
        if !rooms && log_out_everywhere(client, &user.first.token).await.status() == Some(200) {
            return;
        }
        if let Some(session) = self.leave_with_any(client, user).await {
            log_out_everywhere(client, &session.token).await;
        }
    }

    /// Leaves all rooms with the first session, or with a new one if the scenario ended that.
    async fn leave_with_any(&self, client: &Client, user: &Account) -> Option<Login> {
        if self.leave(client, &user.first).await.is_ok() {
            return Some(user.first.clone());
        }
        let session = self.log_in_with(client, &user.user_id, user.password.as_ref()?, None).await.ok()?;
        let _ = self.leave(client, &session).await;
        Some(session)
    }

    /// Leaves all rooms; thoroughly, where the user will be used again.
    async fn leave(&self, client: &Client, session: &Login) -> Result<(), ProvisionError> {
        match self.way {
            Way::Register { .. } | Way::SharedSecret { .. } => self.hygiene.walk_out(client, session).await,
            Way::Accounts(_) | Way::Tokens(_) => self.hygiene.leave_rooms(client, session).await,
        }
    }
}

async fn deactivate(client: &Client, session: &Login, password: &Secret) {
    let proof = Proof::Password { user_id: &session.user_id, password };
    let body = json!({ "erase": true });
    uia::post(client, "/_matrix/client/v3/account/deactivate", Some(&session.token), &body, &[proof]).await;
}
