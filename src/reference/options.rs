//! How the built-in homeserver is set up.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::spec::binding::Binding;
use crate::wire::Secret;

use super::faults::FaultSet;
use super::grants::Grant;
use super::variants::{self, Variant, VariantSet};

/// How a homeserver is set up; the default is the one that `capcheck run` tests itself on.
#[derive(Clone, Debug)]
pub struct Options {
    /// The domain of its users; `localhost:PORT` where absent.
    pub server_name: Option<String>,
    /// Capabilities that every user gets (draft S1).
    pub capabilities: Vec<String>,
    /// Capabilities that it offers other homeservers (draft F2).
    pub federation_capabilities: Vec<String>,
    /// Capabilities that only some users get (draft S2).
    pub grants: Vec<Grant>,
    /// How users may sign up.
    pub registration: Registration,
    /// Users that exist from the start.
    pub accounts: Vec<Account>,
    /// Bounds on what clients can make it keep.
    pub limits: ServerLimits,
    /// Its deviations from the protocol; none makes it conform.
    pub faults: FaultSet,
    /// The freedoms that it takes; with any of them it conforms as well.
    pub variants: VariantSet,
    /// Operation to HTTP.
    pub binding: Binding,
    /// Whether it has presence at all.
    pub presence_enabled: bool,
    /// How it federates; not at all where absent.
    pub federation: Option<FederationOptions>,
}

/// How a homeserver federates.
#[derive(Clone, Debug)]
pub struct FederationOptions {
    /// Where it listens for other homeservers, over TLS; port 0 takes a free one, and the server name is
    /// then `localhost` with that port, unless it is given.
    pub listen: SocketAddr,
    /// Its certificate chain, leaf first, and the key of the leaf.
    pub certificate: Arc<TlsIdentity>,
    /// The authorities that other homeservers' certificates must come from, and no others.
    pub trust: Vec<CertificateDer<'static>>,
    /// Within which a request to another homeserver must be answered in full.
    pub timeout: Duration,
}

/// A certificate chain and its private key.
#[derive(Debug)]
pub struct TlsIdentity {
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the leaf.
    pub key: PrivateKeyDer<'static>,
}

/// Chosen so that neither their hash nor that with the default grant holds `+` or `/`:
/// a proxy that spoils those in paths shows where it is looked for, and nowhere else.
const CAPABILITIES: [&str; 4] =
    ["custom.feature.v1", "m.cap.directory.v1", "m.cap.push.v1", "m.cap.turnserver.v1"];

/// Other than what clients are offered, so that the two cannot be taken for each other; chosen like those.
const FEDERATION_CAPABILITIES: [&str; 2] = ["m.cap.backfill.v1", "m.cap.threads.v1"];

impl Default for Options {
    fn default() -> Self {
        let grant = Grant { capability: "m.cap.content_repo.v1".to_owned(), users: "granted-*".to_owned() };
        Self {
            server_name: None,
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            federation_capabilities: FEDERATION_CAPABILITIES.map(str::to_owned).to_vec(),
            grants: vec![grant],
            registration: Registration::Dummy,
            accounts: Vec::new(),
            limits: ServerLimits::default(),
            faults: FaultSet::default(),
            variants: VariantSet::default(),
            binding: Binding::default(),
            presence_enabled: true,
            federation: None,
        }
    }
}

impl Options {
    /// The same homeserver with these freedoms, where they are options of their own those set along.
    #[must_use]
    pub fn taking(mut self, variants: VariantSet) -> Self {
        self.variants = variants;
        if variants.has(Variant::KnownForever) {
            self.limits.known_for = Duration::from_secs(100 * 365 * 24 * 3600);
        }
        if variants.has(Variant::BoundElsewhere) {
            self.binding = variants::elsewhere();
        }
        if variants.has(Variant::SupersededForgotten) {
            self.limits.superseded_for = Duration::ZERO;
        }
        if variants.has(Variant::SessionsEnd) {
            self.limits.connected_for = Some(Duration::from_millis(1_500));
        }
        if variants.has(Variant::FedNegativeCache) {
            self.limits.failed_lookup_for = Duration::from_millis(300);
        }
        self
    }
}

/// How users may sign up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Anybody, by `m.login.dummy`.
    #[default]
    Dummy,
    /// Whoever knows this token, by `m.login.registration_token`.
    Token(Secret),
    /// Whoever agrees, by `m.login.terms`.
    Terms,
    /// Whoever knows the secret of Synapse's `/_synapse/admin/v1/register`.
    SharedSecret(Secret),
    /// Nobody.
    Closed,
}

/// Why some text is not a way to sign up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected dummy, token:TOKEN, terms, shared-secret:SECRET or closed")]
pub struct RegistrationError;

impl FromStr for Registration {
    type Err = RegistrationError;

    fn from_str(text: &str) -> Result<Self, RegistrationError> {
        match text.split_once(':') {
            Some(("token", token)) if !token.is_empty() => Ok(Self::Token(Secret::new(token))),
            Some(("shared-secret", secret)) if !secret.is_empty() => {
                Ok(Self::SharedSecret(Secret::new(secret)))
            }
            None if text == "dummy" => Ok(Self::Dummy),
            None if text == "terms" => Ok(Self::Terms),
            None if text == "closed" => Ok(Self::Closed),
            _ => Err(RegistrationError),
        }
    }
}

/// A user that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The localpart.
    pub localpart: String,
    /// The password.
    pub password: Secret,
    /// An access token that works from the start, for whoever is only given tokens.
    pub token: Option<Secret>,
}

/// Why some text is not an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Not a user and a password.
    #[error("expected USER:PASSWORD")]
    Shape,
    /// Not a name that a new user can have.
    #[error("{0:?} is not a localpart: 1 to 200 of a-z, 0-9 and ._=-/+")]
    Localpart(String),
}

impl Account {
    /// An account without a ready token.
    pub fn new(localpart: impl Into<String>, password: impl Into<String>) -> Self {
        Self { localpart: localpart.into(), password: Secret::new(password), token: None }
    }
}

impl FromStr for Account {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let (localpart, password) = text.split_once(':').ok_or(AccountError::Shape)?;
        if password.is_empty() {
            return Err(AccountError::Shape);
        }
        if !is_localpart(localpart) {
            return Err(AccountError::Localpart(localpart.to_owned()));
        }
        Ok(Self::new(localpart, password))
    }
}

/// Whether a new user may have this localpart (Matrix specification, appendix "User Identifiers").
pub(crate) fn is_localpart(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    (1..=200).contains(&text.len()) && text.chars().all(allowed)
}

/// Bounds on what clients can make a homeserver keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// The longest request body, uploaded sets aside, in bytes.
    pub max_body: usize,
    /// The longest uploaded set in bytes.
    pub max_set_bytes: usize,
    /// Uploaded sets that are known at once, per user.
    pub sets_per_user: usize,
    /// The size of all known sets together, in bytes.
    pub total_set_bytes: usize,
    /// Devices per user.
    pub sessions_per_user: usize,
    /// Users.
    pub users: usize,
    /// Rooms.
    pub rooms: usize,
    /// Rooms that one user is in or invited to.
    pub rooms_per_user: usize,
    /// User-interactive authentications under way; beyond, the oldest is forgotten.
    pub authentications: usize,
    /// How long an uploaded set stays known when no session has it in force.
    pub known_for: Duration,
    /// How long a session is connected that asks nothing; for ever where absent.
    pub connected_for: Option<Duration>,
    /// How long a superseded union hash still resolves.
    pub superseded_for: Duration,
    /// How long a lookup at another homeserver that failed is not tried again.
    pub failed_lookup_for: Duration,
    /// The longest time that `/sync` holds a request, whatever it asks for.
    pub longest_poll: Duration,
}

impl ServerLimits {
    /// What it says of idle sessions: less than they are granted, so that a busy machine does not end what
    /// somebody keeps active.
    pub fn connected_timeout(&self) -> Option<Duration> {
        self.connected_for.map(|granted| granted * 2 / 3)
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_body: 1 << 20,
            max_set_bytes: 256 << 10,
            sets_per_user: 1_000,
            total_set_bytes: 256 << 20,
            sessions_per_user: 256,
            users: 100_000,
            rooms: 100_000,
            rooms_per_user: 1_000,
            authentications: 10_000,
            known_for: Duration::from_secs(600),
            connected_for: None,
            superseded_for: Duration::from_secs(60),
            failed_lookup_for: Duration::ZERO,
            longest_poll: Duration::from_secs(120),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_sign_up_has_a_spelling() {
        assert_eq!("dummy".parse(), Ok(Registration::Dummy));
        assert_eq!("terms".parse(), Ok(Registration::Terms));
        assert_eq!("closed".parse(), Ok(Registration::Closed));
        assert_eq!("token:a:b".parse(), Ok(Registration::Token(Secret::new("a:b"))));
        assert_eq!("shared-secret:s".parse(), Ok(Registration::SharedSecret(Secret::new("s"))));
        for text in ["", "token", "token:", "shared-secret", "open", "dummy:x"] {
            assert_eq!(text.parse::<Registration>(), Err(RegistrationError), "{text}");
        }
    }

    #[test]
    fn an_account_is_a_localpart_and_a_password() {
        assert_eq!("bob:a:b".parse(), Ok(Account::new("bob", "a:b")));
        assert_eq!("bob".parse::<Account>(), Err(AccountError::Shape));
        assert_eq!("bob:".parse::<Account>(), Err(AccountError::Shape));
        assert_eq!("Bob:x".parse::<Account>(), Err(AccountError::Localpart("Bob".to_owned())));
    }
}
