//! The union of a user's sets: computed anew with every change, superseded for a while, and resolved.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::accounts::User;
use super::passing::LATE;
use super::sessions::Device;
use super::sets::sets_in_force;
use super::{State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::faults::Fault;
use crate::reference::variants::Variant;

/// Superseded unions that are kept per user, whatever their age: so many, and of so many
/// bytes together. The last one is kept whatever its size.
const SUPERSEDED: usize = 16;
const SUPERSEDED_BYTES: usize = 4 << 20;
/// Sets larger than this do not resolve, or not whole, under faults.
const LARGE: usize = 256 << 10;

impl State {
    /// The union of a user, where there is one.
    pub(crate) fn in_force(&self, user: UserKey) -> Option<Arc<Set>> {
        self.users[user.0].union.clone()
    }

    /// What `hash` stands for at this user (draft C10, C11): the union in force, one
    /// that was until a minute ago, a session's set, or one that this user uploaded.
    /// Sets that only others uploaded are none of the asker's business.
    pub(crate) fn resolve(&self, now: Duration, user: UserKey, hash: &str) -> Option<Arc<Set>> {
        let owner = &self.users[user.0];
        if self.has(Fault::ResolveCurrentForAny) {
            return owner.union.clone();
        }
        if self.bears_grudge(Fault::LookupFailurePins, hash) {
            return None;
        }
        let union = owner.union.as_ref().filter(|set| self.is_resolvable(owner, set));
        if self.has(Fault::ResolveCurrentOnly) {
            return union.filter(|set| set.hash == hash).cloned();
        }
        let fresh = now + self.rules.limits.superseded_for.saturating_sub(Duration::from_secs(5));
        if let Some((old, _)) = owner.superseded.back().filter(|(_, until)| *until > fresh)
            && self.has(Fault::ResolveStale)
            && union.is_some_and(|set| set.hash == hash)
        {
            return Some(old.clone());
        }
        if let Some(other) = union.filter(|set| set.hash == hash).and_then(|set| self.instead_of(owner, set))
        {
            return Some(other);
        }
        let superseded = owner.superseded.iter().filter(|(_, until)| *until > now).map(|(set, _)| set);
        let superseded = superseded.filter(|set| self.is_resolvable(owner, set));
        let is_young = self.may(Variant::ResolveLate) && now < owner.union_since + LATE;
        let current = union.into_iter().chain(sets_in_force(owner)).filter(|_| !is_young);
        let mut own = superseded.chain(current);
        if let Some(set) = own.find(|set| set.hash == hash) {
            return Some(set.clone());
        }
        let uploaded = owner.uploads.get(hash).is_some_and(|upload| upload.until > now);
        (uploaded || self.may(Variant::ResolveKnown)).then(|| self.known_set(now, hash)).flatten()
    }

    /// What is served for a union in its place: nothing, but for faults.
    fn instead_of(&self, owner: &User, union: &Arc<Set>) -> Option<Arc<Set>> {
        if self.has(Fault::UnionLargeCutOff) && union.body.len() > LARGE {
            return Some(Arc::new(Set { body: union.body.slice(..LARGE), ..(**union).clone() }));
        }
        let last = owner.devices.values().filter(|device| device.declared.is_some());
        let last = last.max_by_key(|device| device.declared_at)?.declared.clone();
        last.filter(|_| self.has(Fault::UnionResolvesToPart))
    }

    /// Whether a union resolves: always, but for faults.
    fn is_resolvable(&self, owner: &User, union: &Set) -> bool {
        let uploaded = || sets_in_force(owner).any(|set| set.hash == union.hash);
        !(self.has(Fault::UnionUnresolvable) && !uploaded()
            || self.has(Fault::UnionLargeUnresolvable) && union.body.len() > LARGE)
    }

    /// Computes a user's union anew (draft C3) and tells the sharers if it changed (draft C4).
    pub(super) fn refresh_union(&mut self, now: Duration, user: UserKey) {
        self.refresh_union_without(now, user, &[]);
    }

    /// The same when sessions with these sets have just ended.
    pub(super) fn refresh_union_without(&mut self, now: Duration, user: UserKey, ended: &[Arc<Set>]) {
        let union = self.arithmetic().union(&self.counted_sets(user));
        let nothing = match self.users[user.0].has_declared {
            true => Variant::LeftAsEmpty,
            false => Variant::UndeclaredAsEmpty,
        };
        let union = match union {
            None if self.may(nothing) => Some(self.arithmetic().of([])),
            Some(union) if self.has(Fault::UnionLeaveTakesShared) && !ended.is_empty() => {
                let taken = |name: &String| ended.iter().any(|set| set.members.contains_key(name));
                let left = union.members.iter().filter(|(name, _)| !taken(name));
                Some(self.arithmetic().set(left.map(|(n, p)| (n.clone(), p.clone())).collect()))
            }
            None if self.has(Fault::LastLeavesHashStays) => return,
            union => union,
        };
        let owner = &mut self.users[user.0];
        if union.as_ref().map(|set| &set.hash) == owner.union.as_ref().map(|set| &set.hash) {
            return;
        }
        owner.presence.forged = None;
        owner.presence.bare = false;
        owner.union_since = now;
        owner.superseded.retain(|(_, until)| *until > now);
        let first = owner.presence.positions[0] == 0 || owner.union.is_none();
        owner.union_before = std::mem::replace(&mut owner.union, union);
        if let Some(old) = owner.union_before.clone() {
            owner.superseded.push_back((old, now + self.rules.limits.superseded_for));
            bound(&mut owner.superseded);
        }
        let unpublished = (self.has(Fault::ChangePublishedOnce) && !first)
            || (self.has(Fault::ChangeUnpublishedOnLeave) && !ended.is_empty())
            || !self.tells_again(user);
        if !unpublished {
            self.publish_presence(now, user);
        }
    }

    /// The sets that go into a user's union, in the order of declaring.
    fn counted_sets(&self, user: UserKey) -> Vec<Arc<Set>> {
        let owner = &self.users[user.0];
        if self.has(Fault::UndeclaredHoldsBack) && owner.devices.values().any(|d| d.declared.is_none()) {
            return Vec::new();
        }
        let counts = |device: &&Device| device.polled || !self.has(Fault::UnionOfPolling);
        let counted = owner.devices.values().filter(counts);
        let mut declared: Vec<_> =
            counted.filter_map(|d| Some((d.declared_at, d.declared.clone()?))).collect();
        declared.sort_by_key(|(at, _)| *at);
        let mut sets: Vec<Arc<Set>> = declared.into_iter().map(|(_, set)| set).collect();
        if self.rules.faults.is_empty() {
            return sets;
        }
        sets.retain(|set| self.is_counted(user, set));
        sets.extend(owner.ghosts.iter().cloned());
        if self.has(Fault::UnionOfOwnNames) {
            let is_own = |name: &&String| owner.server_set.members.contains_key(*name);
            let own =
                |set: &Arc<Set>| self.arithmetic().of(set.members.keys().filter(is_own).map(String::as_str));
            sets = sets.iter().map(own).collect();
        }
        if self.has(Fault::UnionHoldsServerSet) && !sets.is_empty() {
            sets.push(owner.server_set.clone());
        }
        if self.has(Fault::UndeclaredHasDefault) && owner.devices.values().any(|d| d.declared.is_none()) {
            sets.push(self.arithmetic().of(["m.cap.basic.v1"]));
        }
        if self.has(Fault::UnionByDeviceId) {
            let same = |other: &User| other.id != owner.id;
            let others = self.users.iter().filter(|other| same(other)).flat_map(|other| &other.devices);
            let shared = others.filter(|(id, _)| owner.devices.contains_key(*id));
            sets.extend(shared.filter_map(|(_, device)| device.declared.clone()));
        }
        sets
    }
}

/// Drops the oldest of what was superseded, beyond the bounds.
fn bound(superseded: &mut VecDeque<(Arc<Set>, Duration)>) {
    let bytes = |kept: &VecDeque<(Arc<Set>, _)>| kept.iter().map(|(set, _)| set.body.len()).sum::<usize>();
    while superseded.len() > SUPERSEDED || (superseded.len() > 1 && bytes(superseded) > SUPERSEDED_BYTES) {
        superseded.pop_front();
    }
}
