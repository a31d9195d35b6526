//! What makes a user that was used before as good as new: no room, no hash.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::spec::binding::{Binding, Operation, encode};
use crate::spec::capability::CapabilitySet;
use crate::target::config::Target;
use crate::target::patience::ask_until;
use crate::wire::{Client, Exchange, Request};

use super::answer::{self, broken, object, said};
use super::{Login, ProvisionError};

/// How users of this target are cleaned, and shown to be clean.
#[derive(Debug)]
pub(super) struct Hygiene {
    binding: Binding,
    declares: bool,
    settle: Duration,
}

impl Hygiene {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            binding: target.binding.clone(),
            declares: !target.unsupported.contains(&Operation::Declare),
            settle: target.limits.settle,
        }
    }

    /// Leaves and forgets every room; an error if the user is still in one.
    pub(super) async fn leave_rooms(&self, client: &Client, session: &Login) -> Result<(), ProvisionError> {
        const STEPS: &[&str] = &["leave", "forget"];
        let (rooms, _) = self.step_out(client, session, STEPS).await?;
        if rooms == 0 {
            return Ok(());
        }
        match self.step_out(client, session, STEPS).await? {
            (0, _) => Ok(()),
            (left, exchange) => {
                let reason =
                    format!("{} cannot leave all rooms: the server still names {left}", session.user_id);
                Err(broken(reason, Some(&exchange)))
            }
        }
    }

    /// Leaves every room, for a user whom nobody will use again: nothing is tidied up or made sure of.
    pub(super) async fn walk_out(&self, client: &Client, session: &Login) -> Result<(), ProvisionError> {
        self.step_out(client, session, &["leave"]).await.map(drop)
    }

    /// Goes these steps out of the rooms that the user is in, and says how many there were.
    async fn step_out(
        &self,
        client: &Client,
        session: &Login,
        steps: &[&str],
    ) -> Result<(usize, Arc<Exchange>), ProvisionError> {
        let request = Request::new("GET", "/_matrix/client/v3/joined_rooms").token(&session.token);
        let exchange = client.send(request).await;
        let failure = format!("cannot ask in which rooms {} is", session.user_id);
        let answer = answer::ok(client, &exchange, &failure)?;
        let Some(rooms) = answer.get("joined_rooms").and_then(Value::as_array) else {
            return Err(broken(format!("{failure}: {}", said(client, &exchange)), Some(&exchange)));
        };
        for room in rooms.iter().filter_map(Value::as_str) {
            for step in steps {
                let path = format!("/_matrix/client/v3/rooms/{}/{step}", encode(room));
                client.send(Request::new("POST", path).token(&session.token).json(&json!({}))).await;
            }
        }
        Ok((rooms.len(), exchange))
    }

    /// Declares `{}`, which is how a session that stays withdraws what it declared.
    pub(super) async fn declare_nothing(
        &self,
        client: &Client,
        session: &Login,
    ) -> Result<(), ProvisionError> {
        if !self.declares {
            return Ok(());
        }
        let nothing = CapabilitySet::default();
        let hash = nothing.hash();
        let request = |operation: Operation, body: Value| {
            let route = self.binding.route(operation);
            let variables: &[(&str, &str)] = &[("hash", hash.as_str())];
            Request::new(&route.method, route.path(variables))
                .token(&session.token)
                .json(&body)
                .operation(operation)
        };
        client.send(request(Operation::Upload, json!({}))).await;
        let exchange = client.send(request(Operation::Declare, json!({ "sha256": hash.as_str() }))).await;
        // Where nothing can be declared, nothing was.
        if exchange.status() == Some(200) || exchange.is_unrecognized() {
            return Ok(());
        }
        let reason =
            format!("a session of {} cannot declare {{}}: {}", session.user_id, said(client, &exchange));
        Err(broken(reason, Some(&exchange)))
    }

    /// Waits until the user's own status shows no hash; an error if it still does when effects have settled.
    pub(super) async fn shows_nothing(&self, client: &Client, session: &Login) -> Result<(), ProvisionError> {
        let shown = ask_until(self.settle, || self.shows_hash(client, session), Option::is_none).await;
        match shown {
            None => Ok(()),
            Some(exchange) => {
                let reason =
                    format!("{} still carries a capability hash of former sessions", session.user_id);
                Err(broken(reason, Some(&exchange)))
            }
        }
    }

    /// The exchange in which the user's own status shows a hash other than that of `{}`. Where no status
    /// can be read there is nothing to be seen of former sessions by anybody.
    async fn shows_hash(&self, client: &Client, session: &Login) -> Option<Arc<Exchange>> {
        let presence = &self.binding.presence;
        let path = presence.status.path(&[("user_id", &session.user_id)]);
        let exchange = client.send(Request::new(&presence.status.method, path).token(&session.token)).await;
        let status = object(&exchange).filter(|_| exchange.status() == Some(200))?;
        let hash = status.get(&presence.field)?.get("sha256")?.as_str()?;
        (hash != CapabilitySet::default().hash().as_str()).then_some(exchange)
    }
}
