//! What happens by itself as time passes, where a freedom lets it: presence that is told later than it
//! changes, and sessions that are connected no longer for want of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{State, UserKey};
use crate::reference::variants::Variant;

/// How long a server that is late takes.
pub(super) const LATE: Duration = Duration::from_millis(250);
/// Sharers are told in so many groups, one after the other.
pub(super) const GROUPS: usize = 3;
/// How long after one group the next one is told.
const STEP: Duration = Duration::from_millis(70);
/// How often presence goes out where it goes out in batches.
const BATCH: Duration = Duration::from_millis(200);

/// How often idle sessions are looked for at most.
const CHECK: Duration = Duration::from_millis(100);

/// What is still to happen.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whose presence is to be told to whom, by the time from which on it is.
    tellings: BTreeMap<Duration, BTreeSet<(UserKey, Audience)>>,
    /// When idle sessions are looked for.
    idle_check: Option<Duration>,
}

/// Who is told of a user's presence at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    /// Users of this server, by [`group`].
    Group(usize),
    /// Other homeservers.
    Servers,
}

/// The group in which a user is told of others' presence.
pub(super) fn group(viewer: UserKey) -> usize {
    viewer.0 % GROUPS
}

impl State {
    /// Lets happen what is due.
    pub(crate) fn pass(&mut self, now: Duration) {
        while let Some(due) = self.pending.tellings.first_entry().filter(|due| *due.key() <= now) {
            for (user, audience) in due.remove() {
                self.tell(user, audience);
            }
        }
        if self.pending.idle_check.is_some_and(|check| check <= now) {
            self.pending.idle_check = self.disconnect_idle(now).map(|next| next.max(now + CHECK));
        }
    }

    /// When something happens by itself.
    pub(crate) fn due(&self) -> Option<Duration> {
        let telling = self.pending.tellings.first_key_value().map(|(due, _)| *due);
        telling.into_iter().chain(self.pending.idle_check).min()
    }

    /// Tells of a user's presence that it has changed: here, and at other homeservers.
    pub(super) fn publish_presence(&mut self, now: Duration, user: UserKey) {
        if !self.may(Variant::PresenceLate) && !self.may(Variant::PresenceBatched) {
            self.show_presence(user);
            return self.announce(user);
        }
        for audience in (0..GROUPS).map(Audience::Group).chain([Audience::Servers]) {
            let due = self.telling_due(now, audience);
            self.pending.tellings.entry(due).or_default().insert((user, audience));
        }
    }

    fn telling_due(&self, now: Duration, audience: Audience) -> Duration {
        let late = match audience {
            Audience::Group(group) => LATE + STEP * u32::try_from(group).unwrap_or_default(),
            Audience::Servers => LATE,
        };
        let due = if self.may(Variant::PresenceLate) { now + late } else { now };
        if !self.may(Variant::PresenceBatched) {
            return due;
        }
        let batches = due.as_millis() / BATCH.as_millis() + 1;
        BATCH * u32::try_from(batches).unwrap_or(u32::MAX)
    }

    fn tell(&mut self, user: UserKey, audience: Audience) {
        match audience {
            Audience::Group(group) => self.show_to(user, group..=group),
            Audience::Servers => self.announce(user),
        }
    }

    /// Notes that a session has declared a set: from now on it may become idle.
    pub(super) fn mind_idling(&mut self, now: Duration) {
        if let Some(connected_for) = self.rules.limits.connected_for {
            self.pending.idle_check.get_or_insert(now + connected_for);
        }
    }

    /// Withdraws the sets of sessions that have asked nothing for too long; when the next one will have.
    fn disconnect_idle(&mut self, now: Duration) -> Option<Duration> {
        let connected_for = self.rules.limits.connected_for?;
        let mut next: Option<Duration> = None;
        for user in (0..self.users.len()).map(UserKey) {
            let mut left = false;
            let devices = self.users[user.0].devices.values_mut();
            for device in devices.filter(|device| device.declared.is_some()) {
                let until = device.last_seen + connected_for;
                if until <= now {
                    device.declared = None;
                    left = true;
                } else {
                    next = Some(next.map_or(until, |next| next.min(until)));
                }
            }
            if left {
                self.refresh_union(now, user);
            }
        }
        next
    }
}
