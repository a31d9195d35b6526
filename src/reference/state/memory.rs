//! What some faults remember: deviations that only a history brings to light, because each act by itself is
//! answered rightly.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::sessions::Ending;
use super::{Session, State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::faults::Fault;

/// What faults remember of one user.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// How often a session has logged out.
    logouts: usize,
    /// What was declared on a device whose session has logged out.
    left_on: BTreeMap<String, Arc<Set>>,
    /// The hashes of all unions that were ever in force.
    had: HashSet<String>,
    /// Whom the user has ever shared a room with, with the position at which that began.
    met: BTreeMap<UserKey, u64>,
    /// How many sessions hold a set, by hash: two at most are counted.
    holders: BTreeMap<String, u8>,
    /// The logins of the sessions that have uploaded a set, by hash.
    uploaders: BTreeMap<String, BTreeSet<u64>>,
    /// The hashes under which an upload has failed since the last good one.
    spoiled: BTreeSet<String>,
}

impl State {
    /// A session of a user with this set has ended; whether the set outlives it.
    pub(super) fn set_outlives(
        &mut self,
        user: UserKey,
        ending: Ending,
        device: &str,
        set: &Arc<Set>,
    ) -> bool {
        self.release(user, set);
        if ending != Ending::Logout {
            return false;
        }
        let memory = &mut self.users[user.0].memory;
        memory.logouts += 1;
        let is_third = memory.logouts == 3;
        if self.has(Fault::DeviceRevivesSet) {
            self.users[user.0].memory.left_on.insert(device.to_owned(), set.clone());
        }
        is_third && self.has(Fault::ThirdLogoutUnnoticed)
    }

    /// What a new session on a device has declared before it declares anything: nothing, but for a fault.
    pub(super) fn revived(&mut self, user: UserKey, device: &str) -> Option<Arc<Set>> {
        self.users[user.0].memory.left_on.remove(device)
    }

    /// Whether a union is to be told again that was in force before.
    pub(super) fn tells_again(&mut self, user: UserKey) -> bool {
        if !self.has(Fault::ChangeBackUntold) {
            return true;
        }
        let owner = &mut self.users[user.0];
        owner.union.as_ref().is_none_or(|union| owner.memory.had.insert(union.hash.clone()))
    }

    /// A user has joined a room, and meets those who are there.
    pub(super) fn meet(&mut self, position: u64, joined: UserKey, room: &str) {
        if !self.has(Fault::RejoinUntold) {
            return;
        }
        let members: Vec<UserKey> =
            self.rooms.get(room).into_iter().flat_map(|room| room.joined.keys()).copied().collect();
        for other in members {
            self.users[joined.0].memory.met.entry(other).or_insert(position);
            self.users[other.0].memory.met.entry(joined).or_insert(position);
        }
    }

    /// Whether a viewer is taken to have shared a room with a user since before a position: under a fault, from
    /// when they first did, whatever came between.
    pub(super) fn has_met_before(&self, viewer: UserKey, user: UserKey, since: u64) -> bool {
        let met = || self.users[viewer.0].memory.met.get(&user).is_some_and(|first| *first <= since);
        self.has(Fault::RejoinUntold) && met()
    }

    /// One session more holds a set.
    pub(super) fn hold(&mut self, user: UserKey, set: &Set) {
        if self.has(Fault::SharedSetCountedToTwo) {
            let holders = self.users[user.0].memory.holders.entry(set.hash.clone()).or_default();
            *holders = (*holders + 1).min(2);
        }
    }

    /// One session less holds a set.
    pub(super) fn release(&mut self, user: UserKey, set: &Set) {
        if let Some(holders) = self.users[user.0].memory.holders.get_mut(&set.hash) {
            *holders = holders.saturating_sub(1);
        }
    }

    /// Whether a declared set counts: always, but for a fault that has lost count of who holds it.
    pub(super) fn is_counted(&self, user: UserKey, set: &Set) -> bool {
        let holders = self.users[user.0].memory.holders.get(&set.hash);
        !self.has(Fault::SharedSetCountedToTwo) || holders.is_some_and(|holders| *holders > 0)
    }

    /// A session has uploaded a set.
    pub(super) fn note_upload(&mut self, session: &Session, hash: &str) {
        self.users[session.user.0].memory.spoiled.remove(hash);
        if self.has(Fault::KnownUntilLogout) {
            let uploaders = &mut self.users[session.user.0].memory.uploaders;
            uploaders.entry(hash.to_owned()).or_default().insert(session.login);
        }
    }

    /// The sets that nobody else of a user's sessions has uploaded than one that ends.
    pub(super) fn uploaded_by_none_but(&mut self, user: UserKey, login: u64) -> Vec<String> {
        let uploaders = &mut self.users[user.0].memory.uploaders;
        let left = |logins: &mut BTreeSet<u64>| logins.remove(&login) && logins.is_empty();
        uploaders.iter_mut().filter_map(|(hash, logins)| left(logins).then(|| hash.clone())).collect()
    }

    /// A declaration that was under way while its session ended counts for ever.
    pub(crate) fn declare_for_the_gone(&mut self, now: Duration, session: &Session, hash: &str) {
        if let Some(set) = self.known_set(now, hash) {
            self.users[session.user.0].ghosts.push(set);
            self.refresh_union(now, session.user);
        }
    }

    /// Where the server stands: the next change has a higher position.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Writes a union that was read at a position: what other sessions have declared since is lost.
    pub(crate) fn lose_declared_since(&mut self, now: Duration, session: &Session, position: u64) {
        let others = self.users[session.user.0].devices.iter_mut();
        for (_, device) in
            others.filter(|(id, device)| **id != *session.device && device.declared_at > position)
        {
            device.declared = None;
        }
        self.refresh_union(now, session.user);
    }

    /// An upload under this hash has failed: for its user the set that is known under it goes, under a fault that
    /// has made room for the new one.
    pub(crate) fn forget_for_bad_upload(&mut self, user: UserKey, hash: &str) {
        if self.has(Fault::BadUploadForgets) {
            self.users[user.0].memory.spoiled.insert(hash.to_owned());
        }
    }

    /// Whether a user has lost the set under a hash to an upload that failed.
    pub(super) fn is_spoiled(&self, user: UserKey, hash: &str) -> bool {
        self.users[user.0].memory.spoiled.contains(hash)
    }

    /// What a session was refused, for a fault that remembers it.
    pub(super) fn refusal_of(session: &Session, hash: &str) -> String {
        format!("{} {hash}", session.login)
    }
}
