//! Accounts that exist: each is leased to one scenario at a time, and only when it is shown to be clean.

use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::target::config::{AccountConfig, Entitled, Gating};
use crate::wire::Client;

use super::answer::{broken, said};
use super::login::log_out_everywhere;
use super::pool::Pool;
use super::{Account, Cast, Lease, ProvisionError, Provisioner};

/// The accounts of the target file.
#[derive(Debug)]
pub(super) struct Accounts {
    list: Vec<AccountConfig>,
    pool: Arc<Pool>,
}

impl Accounts {
    pub(super) fn new(list: &[AccountConfig], gating: Option<&Gating>) -> Self {
        let pool = Pool::new(list.iter().map(|account| is_entitled(gating, &account.user)));
        Self { list: list.to_vec(), pool }
    }

    /// How many there are, of either kind.
    pub(super) fn total(&self) -> Cast {
        self.pool.total()
    }

    pub(super) async fn lease(
        &self,
        provisioner: &Provisioner,
        client: &Client,
        cast: Cast,
    ) -> Result<Lease, ProvisionError> {
        let seats = self.pool.take(cast, "accounts", "accounts").await?;
        let clean = seats.iter().map(|seat| provisioner.enter(client, &self.list[seat.index]));
        let mut users = try_join_all(clean).await?;
        let entitled = users.split_off(cast.ordinary);
        Ok(Lease { ordinary: users, entitled, look_alikes: Vec::new(), seats })
    }
}

/// Whether a user, named in full or by localpart, is entitled.
pub(super) fn is_entitled(gating: Option<&Gating>, user: &str) -> bool {
    match gating.map(|gating| &gating.entitled) {
        None => false,
        Some(Entitled::Prefix(prefix)) => localpart(user).starts_with(prefix),
        Some(Entitled::Named(named)) => match user.starts_with('@') {
            true => named.iter().any(|name| name == user),
            false => named.iter().any(|name| localpart(name) == user),
        },
    }
}

fn localpart(user: &str) -> &str {
    let name = user.strip_prefix('@').unwrap_or(user);
    name.split(':').next().unwrap_or(name)
}

impl Provisioner {
    /// Makes an account as good as new and enters it: out of all rooms, logged out everywhere, logged in.
    async fn enter(&self, client: &Client, account: &AccountConfig) -> Result<Account, ProvisionError> {
        let AccountConfig { user, password } = account;
        let cleaner = self.log_in_with(client, user, password, None).await?;
        self.hygiene.leave_rooms(client, &cleaner).await?;
        let exchange = log_out_everywhere(client, &cleaner.token).await;
        if exchange.status() != Some(200) {
            let reason = format!("cannot log {user} out everywhere: {}", said(client, &exchange));
            return Err(broken(reason, Some(&exchange)));
        }
        let first = self.log_in_with(client, user, password, None).await?;
        self.hygiene.shows_nothing(client, &first).await?;
        Ok(Account { user_id: first.user_id.clone(), first, password: Some(password.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_entitled() {
        let gating = |entitled| Some(Gating { capability: "m.cap.turnserver.v1".to_owned(), entitled });
        let prefix = gating(Entitled::Prefix("granted-".to_owned()));
        let named = gating(Entitled::Named(vec!["@bob:example.org".to_owned()]));
        for (gating, user, expected) in [
            (&prefix, "granted-1", true),
            (&prefix, "@granted-1:example.org", true),
            (&prefix, "bob", false),
            (&prefix, "@bob:granted-.example.org", false),
            (&named, "@bob:example.org", true),
            (&named, "bob", true),
            (&named, "@bob:example.net", false),
            (&named, "bobby", false),
            (&None, "granted-1", false),
        ] {
            assert_eq!(is_entitled(gating.as_ref(), user), expected, "{user} with {gating:?}");
        }
    }
}
