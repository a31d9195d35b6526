//! How users come into being: registered, leased from a list of accounts, or given as tokens.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::timeout;

use crate::wire::{Client, Exchange, Secret};

use super::config::{Cleanup, Entitled, Gating, Target, Users};

mod accounts;
mod answer;
mod cleanup;
mod hygiene;
mod login;
mod names;
mod pool;
mod register;
mod shared_secret;
mod tokens;
mod uia;

use names::Names;

/// How the localparts of ordinary users begin that the suite registers.
pub const ORDINARY: &str = "cap-";

/// The longest that taking users back may last.
const RELEASE_WITHIN: Duration = Duration::from_secs(10);

/// How many users a scenario needs, and of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    /// Users without the gated capability.
    pub ordinary: usize,
    /// Users with it.
    pub entitled: usize,
    /// Users without it whose names look as if they had it.
    pub look_alikes: usize,
    /// Users of the second homeserver.
    pub elsewhere: usize,
}

/// A user for one scenario, with a session already logged in.
#[derive(Clone, Debug)]
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

/// The users of one scenario, exclusively. Dropping it frees leased accounts without cleaning up.
#[derive(Debug, Default)]
pub struct Lease {
    /// Users without the gated capability.
    pub ordinary: Vec<Account>,
    /// Users with it.
    pub entitled: Vec<Account>,
    /// Users without it whose names look as if they had it.
    pub look_alikes: Vec<Account>,
    #[expect(dead_code, reason = "held until the lease is dropped")]
    seats: Vec<pool::Seat>,
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

impl ProvisionError {
    /// The exchange that shows it, if one does.
    pub fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::NotApplicable(_) => None,
            Self::Broken { exchange, .. } => exchange.as_deref(),
        }
    }
}

/// Makes users and sessions, and takes them back.
#[derive(Debug)]
pub struct Provisioner {
    way: Way,
    names: Names,
    gating: Option<Gating>,
    hygiene: hygiene::Hygiene,
    cleanup: Cleanup,
}

#[derive(Debug)]
enum Way {
    Register { token: Option<Secret> },
    SharedSecret { secret: Secret },
    Accounts(accounts::Accounts),
    Tokens(tokens::Tokens),
}

impl Provisioner {
    /// A provisioner for one run; `nonce` goes into every localpart and device ID it makes.
    pub fn new(target: &Target, nonce: &str) -> Self {
        let gating = target.gating.clone();
        let way = match &target.users {
            Users::Register { token } => Way::Register { token: token.clone() },
            Users::SharedSecret { secret } => Way::SharedSecret { secret: secret.clone() },
            Users::Accounts(list) => Way::Accounts(accounts::Accounts::new(list, gating.as_ref())),
            Users::Tokens(list) => Way::Tokens(tokens::Tokens::new(list)),
        };
        let hygiene = hygiene::Hygiene::new(target);
        Self { way, names: Names::new(nonce), gating, hygiene, cleanup: target.cleanup }
    }

    /// Whether further logins are possible at all (not with tokens).
    pub fn can_log_in(&self) -> bool {
        !matches!(self.way, Way::Tokens(_))
    }

    /// Whether any user may come to have more than one session: by logging in, or by spare tokens, which
    /// is known after the first lease.
    pub fn may_have_sessions(&self) -> bool {
        match &self.way {
            Way::Tokens(tokens) => tokens.may_have_spares(),
            _ => true,
        }
    }

    /// How many users there are without the gated capability, where they are given and not made; of those with
    /// tokens none is known before the first lease.
    pub fn ordinary_users(&self) -> Option<usize> {
        match &self.way {
            Way::Register { .. } | Way::SharedSecret { .. } => None,
            Way::Accounts(accounts) => Some(accounts.total().ordinary),
            Way::Tokens(tokens) => Some(tokens.total().ordinary),
        }
    }

    /// How many accounts these casts need when so many run at once: with `parallel` 1 the least that
    /// will do; with more, as many as let nobody wait.
    pub fn needed(casts: &[Cast], parallel: usize) -> Cast {
        let largest = |count: fn(&Cast) -> usize| {
            let mut counts: Vec<usize> = casts.iter().map(count).collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            counts.iter().take(parallel.max(1)).sum()
        };
        // Look-alikes are named for their scenario: accounts that exist never play them.
        Cast {
            ordinary: largest(|cast| cast.ordinary),
            entitled: largest(|cast| cast.entitled),
            look_alikes: 0,
            elsewhere: 0,
        }
    }

    /// Users for one scenario, all at once so that two scenarios cannot starve each other.
    ///
    /// Accounts and tokens are lent to one scenario at a time, first come first served, and only once
    /// they are shown to be clean.
    pub async fn lease(&self, client: &Client, cast: Cast) -> Result<Lease, ProvisionError> {
        if cast.entitled > 0 && self.gating.is_none() {
            let reason = "no user is known to be entitled: the target file has no [gating]";
            return Err(ProvisionError::NotApplicable(reason.to_owned()));
        }
        if cast.look_alikes > 0 && !self.can_name_users() {
            let reason = "a look-alike needs a new user named like an entitled one: how = \"register\" or \"shared-secret\" with gating.entitled_prefix";
            return Err(ProvisionError::NotApplicable(reason.to_owned()));
        }
        match &self.way {
            Way::Accounts(accounts) => accounts.lease(self, client, cast).await,
            Way::Tokens(tokens) => tokens.lease(self, client, cast).await,
            Way::Register { .. } | Way::SharedSecret { .. } => {
                let names = self.localparts(cast)?;
                let mut users = try_join_all(names.iter().map(|name| self.create(client, name))).await?;
                let mut entitled = users.split_off(cast.ordinary);
                let look_alikes = entitled.split_off(cast.entitled);
                Ok(Lease { ordinary: users, entitled, look_alikes, seats: Vec::new() })
            }
        }
    }

    /// Another session of a user; on this device ID, or on a fresh one.
    ///
    /// Where only tokens were given, a spare token of that user if there is one.
    pub async fn log_in(
        &self,
        client: &Client,
        account: &Account,
        device_id: Option<&str>,
    ) -> Result<Login, ProvisionError> {
        match (&self.way, &account.password) {
            (Way::Tokens(tokens), _) => tokens.spare(&account.user_id, device_id),
            (_, Some(password)) => self.log_in_with(client, &account.user_id, password, device_id).await,
            (_, None) => Err(ProvisionError::NotApplicable("a login needs a password".to_owned())),
        }
    }

    /// Takes users back: cleans up as the target file says and frees leased accounts.
    ///
    /// What fails here fails silently, but for the transcript: the scenario is over.
    pub async fn release(&self, client: &Client, lease: Lease) {
        let users = lease.ordinary.iter().chain(&lease.entitled).chain(&lease.look_alikes);
        let _ = timeout(RELEASE_WITHIN, join_all(users.map(|user| self.clean_up(client, user)))).await;
    }

    /// Whether users can be made whose names a prefix tells entitled or not.
    fn can_name_users(&self) -> bool {
        let prefix =
            self.gating.as_ref().is_some_and(|gating| matches!(gating.entitled, Entitled::Prefix(_)));
        prefix && matches!(self.way, Way::Register { .. } | Way::SharedSecret { .. })
    }

    /// Localparts for a cast: ordinary, entitled, look-alikes.
    fn localparts(&self, cast: Cast) -> Result<Vec<String>, ProvisionError> {
        let entitled = match self.gating.as_ref().map(|gating| &gating.entitled) {
            Some(Entitled::Prefix(prefix)) => prefix.as_str(),
            _ if cast.entitled == 0 => "",
            _ => {
                let reason = "entitled users are named, and new users cannot be: give accounts or tokens";
                return Err(ProvisionError::NotApplicable(reason.to_owned()));
            }
        };
        let ordinary = (0..cast.ordinary).map(|_| self.names.localpart(ORDINARY));
        let entitled_users = (0..cast.entitled).map(|_| self.names.localpart(entitled));
        // The prefix is there, but not in front.
        let inside = format!("{ORDINARY}{entitled}");
        let look_alikes = (0..cast.look_alikes).map(|_| self.names.localpart(&inside));
        Ok(ordinary.chain(entitled_users).chain(look_alikes).collect())
    }

    async fn create(&self, client: &Client, localpart: &str) -> Result<Account, ProvisionError> {
        match &self.way {
            Way::SharedSecret { secret } => self.create_with_secret(client, localpart, secret).await,
            Way::Register { token } => self.register(client, localpart, token.as_ref()).await,
            Way::Accounts(_) | Way::Tokens(_) => unreachable!("existing users are not created"),
        }
    }

    async fn log_in_with(
        &self,
        client: &Client,
        user: &str,
        password: &Secret,
        device_id: Option<&str>,
    ) -> Result<Login, ProvisionError> {
        let fresh = self.names.device();
        login::log_in(client, user, password, device_id.unwrap_or(&fresh), device_id.is_some()).await
    }
}
