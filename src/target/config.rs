//! The target, as a target file or the command line describes it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use crate::spec::binding::{Binding, Operation};
use crate::wire::peer::Identity;
use crate::wire::{Secret, TlsTrust};

/// Who is under test, and all that a target may declare about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The client-server base URL.
    pub url: Url,
    /// Its server name; asked of the server where it is not given.
    pub server_name: Option<String>,
    /// How users come into being.
    pub users: Users,
    /// Which capability is gated, and for whom; gating is not applicable without.
    pub gating: Option<Gating>,
    /// Which certificates are trusted.
    pub tls: TlsTrust,
    /// Deadlines and bounds.
    pub limits: Limits,
    /// Operation to HTTP.
    pub binding: Binding,
    /// Operations that the target says it does not have: not applicable instead of untestable.
    pub unsupported: BTreeSet<Operation>,
    /// The version of the rooms that scenarios create; the server's default where absent.
    pub room_version: Option<String>,
    /// What is done with users afterwards.
    pub cleanup: Cleanup,
    /// How the target and the harness's own homeservers reach each other; without, federation is not applicable.
    pub federation: Option<Federation>,
}

/// How the target and the harness's own homeservers reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The base URL of the target's federation port; `https://SERVER_NAME` where absent, 8448 being the
    /// port of a name without one.
    pub url: Option<Url>,
    /// Which certificates that port may present.
    pub tls: TlsTrust,
    /// The address at which the harness's homeservers listen.
    pub listen: IpAddr,
    /// The host of their server names, how the target reaches them: a DNS name or an IP address, IPv6 in
    /// brackets.
    pub advertise: String,
    /// Their ports, one a homeserver; where absent the system chooses.
    pub ports: Option<RangeInclusive<u16>>,
    /// Who vouches for their certificates.
    pub identity: Identity,
}

/// How users come into being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// `POST /register` with user-interactive authentication.
    Register {
        /// For `m.login.registration_token`.
        token: Option<Secret>,
    },
    /// Synapse's `/_synapse/admin/v1/register`.
    SharedSecret {
        /// `registration_shared_secret`.
        secret: Secret,
    },
    /// Accounts that exist; leased exclusively.
    Accounts(Vec<AccountConfig>),
    /// Access tokens that exist; no login, no logout.
    Tokens(Vec<Secret>),
}

/// An account that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountConfig {
    /// Full user ID or localpart.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// The gated capability and who may have it (draft S2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gating {
    /// The capability that only entitled users' sets name.
    pub capability: String,
    /// Who is entitled.
    pub entitled: Entitled,
}

/// Who is entitled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entitled {
    /// Every user whose localpart begins so.
    Prefix(String),
    /// These full user IDs.
    Named(Vec<String>),
}

/// Deadlines and bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at once.
    pub in_flight: usize,
    /// Deadline for connection, first byte and body, each.
    pub request_timeout: Duration,
    /// Deadline for a scenario, time spent obeying 429 and waiting for lookups at other homeservers aside.
    pub scenario_timeout: Duration,
    /// Within which effects are visible to everybody (protocol: settled).
    pub settle: Duration,
    /// The server's limit for an uploaded set in bytes, where it names one.
    pub max_set_bytes: Option<usize>,
    /// The longest answer body that is read, in bytes.
    pub max_body: usize,
    /// The longest time spent obeying 429, per request.
    pub rate_limit_cap: Duration,
    /// After which an idle session stops being connected, where the server does that.
    pub connected_timeout: Option<Duration>,
    /// Within which a lookup at a remote homeserver is answered.
    pub remote_timeout: Duration,
    /// How long failed remote lookups are remembered.
    pub negative_cache: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 32,
            request_timeout: Duration::from_secs(10),
            scenario_timeout: Duration::from_secs(60),
            settle: Duration::from_secs(5),
            max_set_bytes: None,
            max_body: 4 << 20,
            rate_limit_cap: Duration::from_secs(60),
            connected_timeout: None,
            remote_timeout: Duration::from_secs(30),
            negative_cache: Duration::ZERO,
        }
    }
}

/// What is done with users when a scenario ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// Their sessions are logged out and their rooms left.
    #[default]
    Logout,
    /// The accounts are deactivated; only where the suite registered them.
    Deactivate,
    /// Nothing.
    None,
}
