//! Capability sets: uploaded, declared, united and resolved.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::accounts::User;
use super::{Session, State, UserKey};
use crate::reference::arithmetic::{Set, union};
use crate::reference::errors::MatrixError;

/// Superseded unions that are kept per user, whatever their age.
const SUPERSEDED: usize = 16;
/// How often sets that nobody needs are thrown away.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The sets that the server knows, by hash.
#[derive(Debug, Default)]
pub(super) struct Sets {
    known: HashMap<String, Known>,
    bytes: usize,
    next_sweep: Duration,
}

#[derive(Debug)]
struct Known {
    set: Arc<Set>,
    until: Duration,
}

/// Why a session cannot declare a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undeclarable {
    /// The set behind the hash is unknown: the refusal of draft C6.
    Unknown,
    /// The session has ended in the meantime.
    SessionEnded,
}

impl State {
    /// Takes a set whose hash has been checked (draft C7).
    pub(crate) fn upload(&mut self, now: Duration, user: UserKey, set: Arc<Set>) -> Result<(), MatrixError> {
        if now >= self.sets.next_sweep {
            self.sweep(now);
        }
        let limits = self.rules.limits.clone();
        let uploads = &mut self.users[user.0].uploads;
        if uploads.len() >= limits.sets_per_user && !uploads.contains_key(&set.hash) {
            uploads.retain(|_, until| *until > now);
            if uploads.len() >= limits.sets_per_user {
                return Err(MatrixError::limit_exceeded("This user has uploaded too many sets"));
            }
        }
        let is_known = self.sets.known.contains_key(&set.hash);
        if !is_known && self.sets.bytes + set.body.len() > limits.total_set_bytes {
            return Err(MatrixError::limit_exceeded("This server keeps no more sets"));
        }
        let until = now + limits.known_for;
        self.users[user.0].uploads.insert(set.hash.clone(), until);
        self.sets.insert(set, until);
        Ok(())
    }

    /// A session declares the set behind a hash as its own (draft C2, C6, C8).
    pub(crate) fn declare(
        &mut self,
        now: Duration,
        session: &Session,
        hash: &str,
    ) -> Result<(), Undeclarable> {
        let set = self.known_set(now, hash).ok_or(Undeclarable::Unknown)?;
        let at = self.advance();
        let user = &mut self.users[session.user.0];
        let device = user.devices.get_mut(&*session.device).ok_or(Undeclarable::SessionEnded)?;
        device.declared = Some(set);
        device.declared_at = at;
        self.refresh_union(now, session.user);
        Ok(())
    }

    /// The set behind a hash, while it is known.
    fn known_set(&self, now: Duration, hash: &str) -> Option<Arc<Set>> {
        let known = self.sets.known.get(hash)?;
        (known.until > now || self.is_in_force(hash)).then(|| known.set.clone())
    }

    fn is_in_force(&self, hash: &str) -> bool {
        self.users.iter().any(|user| sets_in_force(user).any(|set| set.hash == hash))
    }

    /// What `hash` stands for at this user (draft C10, C11): the union in force, one
    /// that was until a minute ago, a session's set, or one that this user uploaded.
    /// Sets that only others uploaded are none of the asker's business.
    pub(crate) fn resolve(&self, now: Duration, user: UserKey, hash: &str) -> Option<Arc<Set>> {
        let owner = &self.users[user.0];
        let superseded = owner.superseded.iter().filter(|(_, until)| *until > now).map(|(set, _)| set);
        let own = owner.union.iter().chain(superseded).chain(sets_in_force(owner));
        if let Some(set) = own.into_iter().find(|set| set.hash == hash) {
            return Some(set.clone());
        }
        let uploaded = owner.uploads.get(hash).is_some_and(|until| *until > now);
        uploaded.then(|| self.known_set(now, hash)).flatten()
    }

    /// What the server offers a user (draft S2, S3).
    pub(crate) fn server_set(&self, user: UserKey) -> Arc<Set> {
        self.users[user.0].server_set.clone()
    }

    /// The set behind a server hash, for a user (draft S4, S5). A hash that belongs to
    /// users with other entitlements is unknown to this one.
    pub(crate) fn server_set_by_hash(&self, user: UserKey, hash: &str) -> Option<Arc<Set>> {
        Some(&self.users[user.0].server_set).filter(|set| set.hash == hash).cloned()
    }

    /// Computes a user's union anew (draft C3) and tells the sharers if it changed (draft C4).
    pub(super) fn refresh_union(&mut self, now: Duration, user: UserKey) {
        let kept = self.rules.limits.superseded_for;
        let owner = &mut self.users[user.0];
        let mut sessions: Vec<_> = owner.devices.values().filter(|d| d.declared.is_some()).collect();
        sessions.sort_by_key(|device| device.declared_at);
        let sets: Vec<Arc<Set>> = sessions.into_iter().filter_map(|device| device.declared.clone()).collect();
        let union = union(&sets);
        if union.as_ref().map(|set| &set.hash) == owner.union.as_ref().map(|set| &set.hash) {
            return;
        }
        owner.superseded.retain(|(_, until)| *until > now);
        if let Some(old) = std::mem::replace(&mut owner.union, union) {
            owner.superseded.push_back((old, now + kept));
            if owner.superseded.len() > SUPERSEDED {
                owner.superseded.pop_front();
            }
        }
        self.publish_presence(user);
    }

    /// Forgets every set whose time is over and that no session has in force.
    fn sweep(&mut self, now: Duration) {
        let in_force: HashSet<&str> =
            self.users.iter().flat_map(sets_in_force).map(|set| set.hash.as_str()).collect();
        let bytes = &mut self.sets.bytes;
        self.sets.known.retain(|hash, known| {
            let stays = known.until > now || in_force.contains(hash.as_str());
            if !stays {
                *bytes -= known.set.body.len();
            }
            stays
        });
        for user in &mut self.users {
            user.uploads.retain(|_, until| *until > now);
            user.superseded.retain(|(_, until)| *until > now);
        }
        self.sets.next_sweep = now + SWEEP_EVERY;
    }
}

/// The sets that a user's sessions have declared.
fn sets_in_force(user: &User) -> impl Iterator<Item = &Arc<Set>> {
    user.devices.values().filter_map(|device| device.declared.as_ref())
}

impl Sets {
    fn insert(&mut self, set: Arc<Set>, until: Duration) {
        match self.known.get_mut(&set.hash) {
            Some(known) => known.until = known.until.max(until),
            None => {
                self.bytes += set.body.len();
                self.known.insert(set.hash.clone(), Known { set, until });
            }
        }
    }
}
