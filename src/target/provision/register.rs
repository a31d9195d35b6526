//! Registration with user-interactive authentication: `POST /register`.

use std::sync::Arc;

use serde_json::json;

use crate::wire::{Client, Exchange, Secret};

use super::answer::{self, broken, errcode, said, user_id};
use super::names::password;
use super::uia::{self, Proof, Stuck};
use super::{Account, Login, ProvisionError, Provisioner};

/// The last resort wherever registration cannot be; `{ways}` in a hint.
const OTHER_WAYS: &str = "write how = \"shared-secret\", \"accounts\" or \"tokens\" in [users]";

/// Error codes of `POST /register`, and what to change.
const HINTS: [(&str, &str); 7] = [
    ("M_FORBIDDEN", "registration is closed: open it at the server, or {ways}"),
    ("M_UNRECOGNIZED", "the server has no registration: {ways}"),
    ("M_USER_IN_USE", "take another --run-id"),
    ("M_EXCLUSIVE", "the server keeps such names for somebody else: change entitled_prefix in [gating]"),
    ("M_INVALID_USERNAME", "the server does not take such names: change entitled_prefix in [gating]"),
    ("M_WEAK_PASSWORD", "the server does not take generated passwords: {ways}"),
    ("M_UNAUTHORIZED", "the server does not take registration_token in [users]"),
];

impl Provisioner {
    pub(super) async fn register(
        &self,
        client: &Client,
        localpart: &str,
        token: Option<&Secret>,
    ) -> Result<Account, ProvisionError> {
        let password = password(client)?;
        let mut proofs = vec![Proof::Dummy, Proof::Terms];
        if let Some(token) = token {
            client.transcript().conceal(token);
            proofs.push(Proof::RegistrationToken(token));
        }
        let body = json!({
            "username": localpart,
            "password": password.reveal(),
            "device_id": self.names.device(),
            "initial_device_display_name": "capcheck",
            "inhibit_login": false,
        });
        let walked = uia::post(client, "/_matrix/client/v3/register", None, &body, &proofs).await;
        if let Some(stuck) = walked.stuck {
            return Err(broken(why_stuck(&stuck, token.is_some()), Some(&walked.exchange)));
        }
        self.registered(client, localpart, password, &walked.exchange).await
    }

    /// The account that a registration made, with its first session; logged in where the server made none.
    pub(super) async fn registered(
        &self,
        client: &Client,
        localpart: &str,
        password: Secret,
        exchange: &Arc<Exchange>,
    ) -> Result<Account, ProvisionError> {
        let failure = format!("cannot register {localpart}");
        let object =
            answer::ok(client, exchange, &failure).map_err(|_| refused(client, &failure, exchange))?;
        let whole = user_id(&object).ok_or_else(|| refused(client, &failure, exchange))?;
        if !whole.starts_with(&format!("@{localpart}:")) {
            let reason = format!("{failure}: the server made {} instead", answer::quote(&whole));
            return Err(broken(reason, Some(exchange)));
        }
        let first = match answer::session(&object) {
            Some(session) => session,
            None => self.log_in_with(client, &whole, &password, None).await?,
        };
        client.transcript().conceal(&first.token);
        Ok(Account {
            user_id: whole.clone(),
            first: Login { user_id: whole, ..first },
            password: Some(password),
        })
    }
}

fn refused(client: &Client, failure: &str, exchange: &Arc<Exchange>) -> ProvisionError {
    let code = errcode(exchange);
    let hint = HINTS.iter().find(|(known, _)| Some(*known) == code.as_deref());
    let advice =
        hint.map(|(_, hint)| format!(": {}", hint.replace("{ways}", OTHER_WAYS))).unwrap_or_default();
    broken(format!("{failure}: {}{advice}", said(client, exchange)), Some(exchange))
}

fn why_stuck(stuck: &Stuck, has_token: bool) -> String {
    match stuck {
        Stuck::Refused("m.login.registration_token") => {
            "the server does not take registration_token in [users]".to_owned()
        }
        Stuck::Refused(stage) => format!("the server asks for {stage} again and again: {OTHER_WAYS}"),
        Stuck::NoFlow(flows) => {
            let offered = if flows.is_empty() { "nothing".to_owned() } else { flows.join(" or ") };
            let wants_token = flows.iter().any(|flow| flow.contains("m.login.registration_token"));
            let advice = match wants_token && !has_token {
                true => "set registration_token or registration_token_env in [users]",
                false => OTHER_WAYS,
            };
            format!("registration asks for {offered}, which cannot be done here: {advice}")
        }
    }
}
