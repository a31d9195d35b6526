//! How a homeserver came to be as it is: what the diagnosis of a wrong hash looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use crate::spec::history::{DEVICES, Seat, USERS, Whom};

use super::Known;

/// What has been. It is no part of what is: any two are equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    users: [UserTrail; USERS],
    /// How often each user's hash had changed when somebody came to see it.
    since: BTreeMap<(Whom, usize), usize>,
}

/// What has been of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct UserTrail {
    /// What ended sessions had declared, in the order of their ends.
    pub(super) ghosts: Vec<Ghost>,
    /// What was in force before, in order.
    pub(super) past: Vec<Option<Known>>,
    /// Sets whose hash the user's clients have tried to write.
    pub(super) forged: BTreeSet<usize>,
    /// What ended sessions had been refused or had uploaded, and had never declared.
    pub(super) left: BTreeSet<usize>,
    pub(super) devices: [DeviceTrail; DEVICES],
    pub(super) last: Last,
    /// What was declared when the user logged out everywhere, if nothing was done since.
    leaving: Vec<usize>,
}

/// What has been of a session that lives.
#[derive(Clone, Debug, Default)]
pub(super) struct DeviceTrail {
    /// What it had declared before.
    pub(super) replaced: Vec<usize>,
    /// What it was refused since it last declared.
    pub(super) refused: BTreeSet<usize>,
    /// What it has uploaded, or claimed to, since it last declared.
    pub(super) sent: BTreeSet<usize>,
    /// What it has uploaded and not yet declared.
    fresh: BTreeSet<usize>,
}

/// A set that an ended session had declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ghost {
    pub(super) device: usize,
    pub(super) set: usize,
    pub(super) end: End,
}

/// How a session ended (protocol 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    LoggedOut,
    LoggedOutEverywhere,
    Deleted,
    LoggedInAgain,
}

/// What was last done of what bears on a user's union.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Last {
    #[default]
    Nothing,
    Declared,
    Refused,
    Uploaded,
    Status,
    Began,
    Ended,
}

impl DeviceTrail {
    pub(super) fn was_refused(&self) -> bool {
        !self.refused.is_empty()
    }
}

impl PartialEq for Trail {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Trail {}

impl Hash for Trail {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Trail {
    pub(super) fn of(&self, user: usize) -> Option<&UserTrail> {
        self.users.get(user)
    }

    /// What has been of a session, for what comes next of it.
    pub(super) fn device(&mut self, seat: Seat) -> Option<&mut DeviceTrail> {
        self.users.get_mut(seat.user)?.devices.get_mut(seat.device)
    }

    pub(super) fn is_fresh(&self, seat: Seat, set: usize) -> bool {
        let device = self.of(seat.user).and_then(|user| user.devices.get(seat.device));
        device.is_some_and(|device| device.fresh.contains(&set))
    }

    pub(super) fn leaving(&self, user: usize) -> &[usize] {
        self.of(user).map_or(&[], |user| &user.leaving)
    }

    /// Whether a user's hash is the one that was in force when this viewer came to see it.
    pub(super) fn is_new_sharer(&self, viewer: Whom, of: usize) -> bool {
        let changes = self.of(of).map(|user| user.past.len());
        changes.is_some() && self.since.get(&(viewer, of)).copied() == changes
    }

    /// Something is done that bears on a user's union.
    pub(super) fn turn(&mut self, user: usize, last: Last) {
        if let Some(user) = self.users.get_mut(user) {
            user.last = last;
            user.leaving.clear();
        }
    }

    pub(super) fn declared(&mut self, by: Seat, set: usize, before: Option<usize>) {
        self.turn(by.user, Last::Declared);
        if let Some(device) = self.device(by) {
            device.fresh.remove(&set);
            let replaced = device.replaced.drain(..).filter(|old| *old != set).chain(before).collect();
            *device =
                DeviceTrail { replaced, fresh: std::mem::take(&mut device.fresh), ..Default::default() };
        }
    }

    pub(super) fn refused(&mut self, by: Seat, set: usize) {
        self.turn(by.user, Last::Refused);
        if let Some(device) = self.device(by) {
            device.refused.insert(set);
        }
    }

    pub(super) fn uploaded(&mut self, by: Seat, set: usize, taken: bool) {
        self.turn(by.user, Last::Uploaded);
        if let Some(device) = self.device(by) {
            device.sent.insert(set);
            if taken {
                device.fresh.insert(set);
            }
        }
    }

    pub(super) fn forged(&mut self, user: usize, set: Option<usize>) {
        self.turn(user, Last::Status);
        if let Some(user) = self.users.get_mut(user) {
            user.forged.extend(set);
        }
    }

    /// Sessions end, with what they had declared.
    pub(super) fn ended(&mut self, user: usize, end: End, ended: &[(usize, Option<usize>)]) {
        self.turn(user, if end == End::LoggedInAgain { Last::Began } else { Last::Ended });
        let Some(user) = self.users.get_mut(user) else { return };
        for (device, declared) in ended {
            user.ghosts.extend(declared.map(|set| Ghost { device: *device, set, end }));
            if end == End::LoggedOutEverywhere {
                user.leaving.extend(declared);
            }
            if let Some(device) = user.devices.get_mut(*device) {
                let DeviceTrail { replaced, refused, sent, .. } = std::mem::take(device);
                let was_declared = |set: &usize| *declared == Some(*set) || replaced.contains(set);
                user.left.extend(refused.into_iter().chain(sent).filter(|set| !was_declared(set)));
            }
        }
    }

    /// Another value than this is in force from now on.
    pub(super) fn changed(&mut self, user: usize, before: Option<Known>) {
        if let Some(user) = self.users.get_mut(user) {
            user.past.push(before);
        }
    }

    /// Somebody comes to see a user.
    pub(super) fn met(&mut self, viewer: Whom, of: Whom) {
        if let Whom::User(of) = of {
            let changes = self.of(of).map_or(0, |user| user.past.len());
            self.since.insert((viewer, of), changes);
        }
    }
}
