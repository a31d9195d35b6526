//! Users: how they come into being, prove themselves and go.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::membership::Membership;
use super::memory::Memory;
use super::presence::Presence;
use super::sessions::Device;
use super::{State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::options::is_localpart;
use crate::reference::variants::Variant;

/// A user and all that is theirs.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: Arc<str>,
    /// `None` once deactivated: nobody can log in, and nobody can have the name again.
    pub(super) password: Option<Password>,
    pub(super) devices: BTreeMap<String, Device>,
    pub(super) rooms: BTreeMap<String, Membership>,
    pub(super) presence: Presence,
    /// What the server offers this user (draft S2).
    pub(super) server_set: Arc<Set>,
    /// Whether any session of theirs has ever declared a set.
    pub(super) has_declared: bool,
    /// What this user uploaded, by hash.
    pub(super) uploads: HashMap<String, Uploaded>,
    /// The union in force (draft C3).
    pub(super) union: Option<Arc<Set>>,
    /// What was in force before it.
    pub(super) union_before: Option<Arc<Set>>,
    /// Since when the union is in force, or none is.
    pub(super) union_since: Duration,
    /// Unions that were in force, with the time until which they resolve.
    pub(super) superseded: VecDeque<(Arc<Set>, Duration)>,
    /// Sets of ended sessions that some faults still count.
    pub(super) ghosts: Vec<Arc<Set>>,
    /// What some faults remember.
    pub(super) memory: Memory,
    /// Whom they have stopped to see, with the position at which they did.
    pub(super) farewells: VecDeque<(u64, Arc<str>)>,
}

/// An upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uploaded {
    /// Until when the set is known on this upload's account.
    pub(super) until: Duration,
    /// The login of the session that uploaded it last.
    pub(super) login: u64,
}

/// A salted digest. One round of SHA-256 is no way to keep real people's passwords;
/// it is here so that thousands of test users sign up in no time.
#[derive(Debug)]
pub(super) struct Password {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl Password {
    fn new(password: &str, salt: [u8; 16]) -> Self {
        Self { salt, digest: digest(&salt, password) }
    }

    fn is(&self, password: &str) -> bool {
        digest(&self.salt, password) == self.digest
    }
}

fn digest(salt: &[u8], password: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(password).finalize().into()
}

/// What makes a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewUser<'a> {
    pub(crate) localpart: &'a str,
    pub(crate) password: &'a str,
    /// Random bytes.
    pub(crate) salt: [u8; 16],
}

impl State {
    /// Whether a new user could have this localpart.
    pub(crate) fn check_localpart(&self, localpart: &str) -> Result<(), MatrixError> {
        if !is_localpart(localpart) {
            return Err(MatrixError::invalid_username("A localpart has 1 to 200 of a-z, 0-9 and ._=-/+"));
        }
        if self.by_localpart.contains_key(localpart) {
            return Err(MatrixError::user_in_use("This user ID is taken"));
        }
        Ok(())
    }

    /// Makes a user without sessions.
    pub(crate) fn create_user(&mut self, new: NewUser<'_>) -> Result<UserKey, MatrixError> {
        self.check_localpart(new.localpart)?;
        if self.users.len() >= self.rules.limits.users {
            return Err(MatrixError::limit_exceeded("This server takes no more users"));
        }
        let key = UserKey(self.users.len());
        self.users.push(User {
            id: format!("@{}:{}", new.localpart, self.rules.server_name).into(),
            password: Some(Password::new(new.password, new.salt)),
            devices: BTreeMap::new(),
            rooms: BTreeMap::new(),
            presence: Presence::default(),
            server_set: self.offer_to(new.localpart),
            has_declared: false,
            uploads: HashMap::new(),
            union: self.may(Variant::UndeclaredAsEmpty).then(|| self.arithmetic().of([])),
            union_before: None,
            union_since: Duration::ZERO,
            superseded: VecDeque::new(),
            ghosts: Vec::new(),
            memory: Memory::default(),
            farewells: VecDeque::new(),
        });
        self.by_localpart.insert(new.localpart.to_owned(), key);
        Ok(key)
    }

    /// The user whom a localpart or full ID and a password prove. Which of the two is wrong stays unsaid.
    pub(crate) fn authenticate(&self, name: &str, password: &str) -> Result<UserKey, MatrixError> {
        let user = match name.starts_with('@') {
            true => self.find_user(name),
            false => self.by_localpart.get(name).copied(),
        };
        let proven = user.filter(|user| self.is_password(*user, password));
        proven.ok_or_else(|| MatrixError::forbidden("Invalid username or password"))
    }

    /// Whether this is the user's password.
    pub(crate) fn is_password(&self, user: UserKey, password: &str) -> bool {
        self.users[user.0].password.as_ref().is_some_and(|kept| kept.is(password))
    }

    /// Ends a user for ever: sessions, rooms, sets and password go, the name stays taken.
    pub(crate) fn deactivate(&mut self, now: Duration, user: UserKey) {
        self.log_out_everywhere(now, user);
        self.leave_everything(now, user);
        let user = &mut self.users[user.0];
        user.password = None;
        user.uploads.clear();
        user.superseded.clear();
    }

    /// Remembers a nonce for registration by shared secret (one minute, at most a thousand).
    pub(crate) fn add_nonce(&mut self, now: Duration, nonce: String) {
        self.nonces.retain(|_, until| *until > now);
        if self.nonces.len() < 1_000 {
            self.nonces.insert(nonce, now + Duration::from_secs(60));
        }
    }

    /// Uses a nonce up; whether it was good.
    pub(crate) fn take_nonce(&mut self, now: Duration, nonce: &str) -> bool {
        self.nonces.remove(nonce).is_some_and(|until| until > now)
    }
}
