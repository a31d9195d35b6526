//! Capability sets: uploaded, known for a while, and declared.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::accounts::{Uploaded, User};
use super::{Availability, Session, State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::variants::Variant;

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
    pub(crate) fn upload(
        &mut self,
        now: Duration,
        session: &Session,
        set: Arc<Set>,
    ) -> Result<(), MatrixError> {
        self.sweep_when_due(now);
        self.check_grudges(session.user, &set)?;
        let (known_for, per_user) = (self.rules.limits.known_for, self.rules.limits.sets_per_user);
        let uploads = &mut self.users[session.user.0].uploads;
        if uploads.len() >= per_user && !uploads.contains_key(&set.hash) {
            uploads.retain(|_, upload| upload.until > now);
            if uploads.len() >= per_user {
                return Err(MatrixError::limit_exceeded("This user has uploaded too many sets"));
            }
        }
        if !self.has_space_for(&set) {
            return Err(MatrixError::limit_exceeded("This server keeps no more sets"));
        }
        let upload = Uploaded { until: now + known_for, login: session.login };
        let hash = set.hash.clone();
        self.note_upload(session, &hash);
        let again = self.users[session.user.0].uploads.insert(hash.clone(), upload).is_some();
        self.sets.insert(set, upload.until);
        if again && self.has(Fault::UploadAgainWithdraws) {
            self.withdraw(now, session.user, |set| set.hash == hash);
        }
        match self.has(Fault::UploadDeclares).then(|| self.declare(now, session, &hash)) {
            Some(Err(_)) => Err(MatrixError::unknown_token("This session has ended")),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Keeps a set that nobody here has uploaded; where there is no space, it is not kept.
    pub(super) fn insert_set(&mut self, now: Duration, set: Arc<Set>) {
        self.sweep_when_due(now);
        if self.has_space_for(&set) {
            self.sets.insert(set, now + self.rules.limits.known_for);
        }
    }

    fn has_space_for(&self, set: &Set) -> bool {
        let bytes = self.sets.bytes + set.body.len();
        self.sets.known.contains_key(&set.hash) || bytes <= self.rules.limits.total_set_bytes
    }

    /// Refuses what some faults refuse for ever.
    fn check_grudges(&self, user: UserKey, set: &Set) -> Result<(), MatrixError> {
        let pinned = [Fault::UploadFailurePins, Fault::LookupFailurePins];
        if pinned.into_iter().any(|fault| self.bears_grudge(fault, &set.hash)) {
            return Err(MatrixError::invalid_param("This hash has failed before"));
        }
        if self.has(Fault::UploadTwiceConflict) && self.users[user.0].uploads.contains_key(&set.hash) {
            return Err(MatrixError::invalid_param("This set has been uploaded already"));
        }
        Ok(())
    }

    /// Remembers that something failed, where a fault never forgets it.
    pub(crate) fn bear_grudge(&mut self, fault: Fault, hash: &str) {
        if self.has(fault) {
            self.grudges.insert((fault, hash.to_owned()));
        }
    }

    pub(super) fn bears_grudge(&self, fault: Fault, hash: &str) -> bool {
        self.has(fault) && self.grudges.contains(&(fault, hash.to_owned()))
    }

    /// A session declares the set behind a hash as its own (draft C2, C6, C8).
    pub(crate) fn declare(
        &mut self,
        now: Duration,
        session: &Session,
        hash: &str,
    ) -> Result<(), Undeclarable> {
        let Some(set) = self.declarable(now, session, hash) else {
            return self.refuse(now, session, hash);
        };
        let at = self.advance();
        let (ignored, stands) = (self.has(Fault::EmptySetIgnored), self.has(Fault::RedeclareIgnored));
        let late = self.has(Fault::UnionOneLate) && self.others_have_declared(session);
        if late {
            self.refresh_union(now, session.user);
        }
        let merged = self.has(Fault::RedeclareMerges).then(|| self.arithmetic());
        let owner = &mut self.users[session.user.0];
        let device = owner.devices.get_mut(&*session.device).ok_or(Undeclarable::SessionEnded)?;
        if (ignored && set.members.is_empty()) || (stands && device.declared.is_some()) {
            return Ok(());
        }
        let before = device.declared.clone();
        let set = match (merged, &device.declared) {
            (Some(arithmetic), Some(old)) => arithmetic.union(&[old.clone(), set.clone()]).unwrap_or(set),
            _ => set,
        };
        device.declared = Some(set.clone());
        device.declared_at = at;
        owner.has_declared = true;
        if let Some(before) = before {
            self.release(session.user, &before);
        }
        self.hold(session.user, &set);
        if self.has(Fault::KnownOnce) {
            self.sets.remove(hash);
        }
        if self.may(Variant::PresenceOnline) {
            self.see(now, session.user, Availability::Online);
        }
        let before = self.may(Variant::RedeclareTold).then(|| self.in_force(session.user));
        if !late {
            self.refresh_union(now, session.user);
        }
        if before.is_some_and(|before| before == self.in_force(session.user)) {
            self.publish_presence(now, session.user);
        }
        self.mind_idling(now);
        Ok(())
    }

    /// Whether another session of the same user has declared a set.
    fn others_have_declared(&self, session: &Session) -> bool {
        let others = self.users[session.user.0].devices.iter().filter(|(id, _)| *id != &*session.device);
        others.map(|(_, device)| &device.declared).any(Option::is_some)
    }

    /// The set that a session may declare by its hash: any that is known.
    fn declarable(&self, now: Duration, session: &Session, hash: &str) -> Option<Arc<Set>> {
        let upload = self.users[session.user.0].uploads.get(hash);
        let until_indexed = Duration::from_secs(2);
        let barred = (self.has(Fault::KnownPerUser) && upload.is_none())
            || (self.has(Fault::KnownPerSession)
                && upload.is_none_or(|upload| upload.login != session.login))
            || (self.has(Fault::UploadKnownLate)
                && upload.is_none_or(|u| u.until > now + self.rules.limits.known_for - until_indexed))
            || self.bears_grudge(Fault::RefusalCached, hash)
            || self.is_spoiled(session.user, hash)
            || (upload.is_none_or(|upload| upload.login != session.login)
                && self.bears_grudge(Fault::RefusalRemembered, &Self::refusal_of(session, hash)));
        let owner = &self.users[session.user.0];
        let is_own = upload.is_some() || sets_in_force(owner).any(|set| set.hash == hash);
        let known = self.known_set(now, hash).filter(|_| is_own || !self.may(Variant::KnownPerUser));
        known.or_else(|| self.unasked_set(session.user, hash)).filter(|_| !barred)
    }

    /// A set that nobody has uploaded, for a server that lets such be declared: of its own making.
    fn unasked_set(&self, user: UserKey, hash: &str) -> Option<Arc<Set>> {
        if !self.may(Variant::KnownUnasked) {
            return None;
        }
        let users = match self.may(Variant::KnownPerUser) {
            true => std::slice::from_ref(&self.users[user.0]),
            false => &self.users[..],
        };
        let made = users.iter().flat_map(|user| user.union.iter().chain([&user.server_set]));
        made.cloned().chain([self.arithmetic().of([])]).find(|set| set.hash == hash)
    }

    /// The refusal of draft C6. It leaves everything as it was.
    fn refuse(&mut self, now: Duration, session: &Session, hash: &str) -> Result<(), Undeclarable> {
        self.bear_grudge(Fault::RefusalCached, hash);
        self.bear_grudge(Fault::RefusalRemembered, &Self::refusal_of(session, hash));
        if self.has(Fault::RefusalWithdraws)
            && let Some(device) = self.users[session.user.0].devices.get_mut(&*session.device)
        {
            device.declared = None;
            self.refresh_union(now, session.user);
        }
        let is_trusted = !self.users[session.user.0].uploads.is_empty();
        match self.has(Fault::DeclareAnything) || (is_trusted && self.has(Fault::DeclareAnythingLater)) {
            true => Ok(()),
            false => Err(Undeclarable::Unknown),
        }
    }

    /// Withdraws the sets of a user's sessions that fit.
    pub(crate) fn withdraw(&mut self, now: Duration, user: UserKey, fits: impl Fn(&Set) -> bool) {
        for device in self.users[user.0].devices.values_mut() {
            device.declared.take_if(|set| fits(set));
        }
        self.refresh_union(now, user);
    }

    /// Forgets what one session alone uploaded.
    pub(super) fn forget_uploads_of(&mut self, user: UserKey, login: u64) {
        for hash in self.uploaded_by_none_but(user, login) {
            self.users[user.0].uploads.remove(&hash);
            if !self.users.iter().any(|user| user.uploads.contains_key(&hash)) {
                self.sets.remove(&hash);
            }
        }
    }

    /// The set behind a hash, while it is known.
    pub(super) fn known_set(&self, now: Duration, hash: &str) -> Option<Arc<Set>> {
        let known = self.sets.known.get(hash)?;
        (known.until > now || self.is_in_force(hash)).then(|| known.set.clone())
    }

    fn is_in_force(&self, hash: &str) -> bool {
        self.users.iter().any(|user| sets_in_force(user).any(|set| set.hash == hash))
    }

    /// A known hash that some text of a request stands for, under faults that guess.
    pub(crate) fn guess_hash(&self, user: UserKey, text: &str) -> Option<String> {
        let fits = |known: &&String| match self.has(Fault::HashLookupByPrefix) {
            true => text.len() >= 8 && known.starts_with(text),
            false => known.eq_ignore_ascii_case(text),
        };
        let offered = &self.users[user.0].server_set.hash;
        std::iter::once(offered).chain(self.sets.known.keys()).find(fits).cloned()
    }

    fn sweep_when_due(&mut self, now: Duration) {
        if now >= self.sets.next_sweep {
            self.sweep(now);
        }
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
            user.uploads.retain(|_, upload| upload.until > now);
            user.superseded.retain(|(_, until)| *until > now);
        }
        self.sets.next_sweep = now + SWEEP_EVERY;
    }
}

/// The sets that a user's sessions have declared.
pub(super) fn sets_in_force(user: &User) -> impl Iterator<Item = &Arc<Set>> {
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

    pub(super) fn remove(&mut self, hash: &str) {
        if let Some(known) = self.known.remove(hash) {
            self.bytes -= known.set.body.len();
        }
    }

    #[cfg(test)]
    pub(super) fn knows(&self, hash: &str) -> bool {
        self.known.contains_key(hash)
    }
}
