//! Taking users back. Nothing here matters to a verdict, so nothing here is an error.

use futures_util::future::join_all;
use serde_json::json;

use crate::target::config::Cleanup;
use crate::wire::{Client, Secret};

use super::login::log_out_everywhere;
use super::uia::{self, Proof};
use super::{Account, Login, Provisioner, Way};

impl Provisioner {
    pub(super) async fn clean_up(&self, client: &Client, user: &Account) {
        match (self.cleanup, &self.way, &user.password) {
            (Cleanup::None, _, _) => {}
            (_, Way::Tokens(tokens), _) => {
                let sessions = tokens.sessions_of(&user.user_id);
                join_all(sessions.iter().map(|session| self.hygiene.declare_nothing(client, session))).await;
                let _ = self.hygiene.leave_rooms(client, &user.first).await;
            }
            (Cleanup::Deactivate, Way::Register { .. } | Way::SharedSecret { .. }, Some(password)) => {
                if let Some(session) = self.leave_with_any(client, user).await {
                    deactivate(client, &session, password).await;
                }
            }
            _ => {
                if let Some(session) = self.leave_with_any(client, user).await {
                    log_out_everywhere(client, &session.token).await;
                }
            }
        }
    }

    /// Leaves all rooms with the first session, or with a new one if the scenario ended that.
    async fn leave_with_any(&self, client: &Client, user: &Account) -> Option<Login> {
        if self.hygiene.leave_rooms(client, &user.first).await.is_ok() {
            return Some(user.first.clone());
        }
        let session = self.log_in_with(client, &user.user_id, user.password.as_ref()?, None).await.ok()?;
        let _ = self.hygiene.leave_rooms(client, &session).await;
        Some(session)
    }
}

async fn deactivate(client: &Client, session: &Login, password: &Secret) {
    let proof = Proof::Password { user_id: &session.user_id, password };
    let body = json!({ "erase": true });
    uia::post(client, "/_matrix/client/v3/account/deactivate", Some(&session.token), &body, &[proof]).await;
}
