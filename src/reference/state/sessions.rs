//! Sessions: one device of one user, from login to logout.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{State, UserKey};
use crate::reference::arithmetic::Set;
use crate::reference::errors::MatrixError;
use crate::reference::faults::{Fault, FaultSet};

/// A session: a device of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user: UserKey,
    pub(crate) device: Arc<str>,
    /// Which login on the device it is.
    pub(super) login: u64,
}

/// What the server keeps of a device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) login: u64,
    pub(super) token: String,
    pub(super) display_name: Option<String>,
    pub(super) last_seen: Duration,
    /// The set in force (draft C2); `None` until the session declares one.
    pub(super) declared: Option<Arc<Set>>,
    /// The position at which it was declared: sessions have an order.
    pub(super) declared_at: u64,
    /// Whether it has synced; only a fault asks.
    pub(super) polled: bool,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Logout,
    LogoutEverywhere,
    Deletion,
    DeletionOfMany,
}

impl Ending {
    /// Whether the token outlives the session: never, but for faults.
    fn spares_token(self, faults: &FaultSet) -> bool {
        match self {
            Self::Logout | Self::LogoutEverywhere => faults.has(Fault::AuthDeadTokenLives),
            Self::Deletion | Self::DeletionOfMany => faults.has(Fault::AuthDeletionKeepsToken),
        }
    }

    /// Whether the set of the nth session outlives it: never, but for faults.
    fn spares_set(self, faults: &FaultSet, nth: usize) -> bool {
        match self {
            Self::Logout => faults.has(Fault::LogoutKeepsSet),
            Self::LogoutEverywhere => faults.has(Fault::LogoutAllKeepsSets),
            Self::Deletion => faults.has(Fault::DeletionKeepsSet),
            Self::DeletionOfMany => faults.has(Fault::DeletionOfManyWithdrawsOne) && nth > 0,
        }
    }
}

/// What makes a session.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) device: String,
    pub(crate) display_name: Option<String>,
    /// A fresh access token.
    pub(crate) token: String,
}

/// A device as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceInfo {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) last_seen_ms: u64,
}

impl State {
    /// Opens a session. On a device that exists the old token dies and the session starts undeclared.
    pub(crate) fn log_in(
        &mut self,
        now: Duration,
        user: UserKey,
        login: Login,
    ) -> Result<Session, MatrixError> {
        let devices = &self.users[user.0].devices;
        if !devices.contains_key(&login.device) && devices.len() >= self.rules.limits.sessions_per_user {
            return Err(MatrixError::limit_exceeded("This user has too many sessions"));
        }
        let number = self.advance();
        let session = Session { user, device: login.device.as_str().into(), login: number };
        let device = Device {
            login: number,
            token: login.token.clone(),
            display_name: login.display_name,
            last_seen: now,
            declared: None,
            declared_at: 0,
            polled: false,
        };
        let inherits = self.has(Fault::ReloginInherits);
        if self.has(Fault::LoginStartsOver) {
            self.users[user.0].devices.values_mut().for_each(|device| device.declared = None);
        }
        let mut unnoticed = false;
        if let Some(old) = self.users[user.0].devices.insert(login.device, device) {
            if !self.has(Fault::AuthReplacedTokenLives) {
                self.tokens.remove(&old.token);
            }
            if let Some(set) = &old.declared {
                self.release(user, set);
            }
            if let Some(new) = self.users[user.0].devices.get_mut(&*session.device).filter(|_| inherits) {
                new.declared = old.declared;
            }
            unnoticed = self.has(Fault::ReloginUnnoticed);
            self.touched.insert(user);
        } else if let Some(set) = self.revived(user, &session.device)
            && let Some(new) = self.users[user.0].devices.get_mut(&*session.device)
        {
            new.declared = Some(set);
        }
        self.tokens.insert(login.token, session.clone());
        if !unnoticed {
            self.refresh_union(now, user);
        }
        Ok(session)
    }

    /// Counts a session as connected from now on, under a fault that waits for its first sync.
    pub(crate) fn connect(&mut self, now: Duration, session: &Session) {
        let device = self.users[session.user.0].devices.get_mut(&*session.device);
        if device.is_some_and(|device| !std::mem::replace(&mut device.polled, true)) {
            self.refresh_union(now, session.user);
        }
    }

    /// The session of an access token.
    pub(crate) fn session(&mut self, now: Duration, token: &str) -> Option<Session> {
        let session = self.tokens.get(token)?.clone();
        if let Some(device) = self.users[session.user.0].devices.get_mut(&*session.device) {
            device.last_seen = now;
        }
        Some(session)
    }

    /// Whether a session has neither ended nor been replaced by a new login on its device.
    pub(crate) fn is_live(&self, session: &Session) -> bool {
        self.users[session.user.0].devices.get(&*session.device).is_some_and(|d| d.login == session.login)
    }

    /// Ends some of a user's sessions; those that do not exist are ignored.
    pub(crate) fn end_sessions<'a>(
        &mut self,
        now: Duration,
        user: UserKey,
        ending: Ending,
        devices: impl IntoIterator<Item = &'a str>,
    ) {
        let mut withdrawn = Vec::new();
        for (nth, id) in devices.into_iter().enumerate() {
            let Some(device) = self.users[user.0].devices.remove(id) else { continue };
            if !ending.spares_token(&self.rules.faults) {
                self.tokens.remove(&device.token);
            }
            if self.has(Fault::KnownUntilLogout) {
                self.forget_uploads_of(user, device.login);
            }
            let outlives =
                device.declared.as_ref().is_some_and(|set| self.set_outlives(user, ending, id, set));
            match device.declared {
                Some(set) if outlives || ending.spares_set(&self.rules.faults, nth) => {
                    self.users[user.0].ghosts.push(set)
                }
                Some(set) => withdrawn.push(set),
                None => {}
            }
            self.touched.insert(user);
            if ending == Ending::Logout && self.has(Fault::LogoutByDeviceId) {
                self.withdraw_everywhere(now, id);
            }
        }
        if ending == Ending::Logout && self.has(Fault::LogoutWithdrawsAll) {
            self.users[user.0].devices.values_mut().for_each(|device| device.declared = None);
        }
        self.refresh_union_without(now, user, &withdrawn);
    }

    /// Withdraws the sets of all devices with one ID, whoever's they are, under a fault that does.
    fn withdraw_everywhere(&mut self, now: Duration, id: &str) {
        for user in (0..self.users.len()).map(UserKey) {
            if let Some(device) = self.users[user.0].devices.get_mut(id) {
                device.declared = None;
                self.refresh_union(now, user);
            }
        }
    }

    /// Ends all of a user's sessions.
    pub(crate) fn log_out_everywhere(&mut self, now: Duration, user: UserKey) {
        let devices: BTreeSet<String> = self.users[user.0].devices.keys().cloned().collect();
        self.end_sessions(now, user, Ending::LogoutEverywhere, devices.iter().map(String::as_str));
    }

    /// A user's devices.
    pub(crate) fn devices(&self, user: UserKey) -> Vec<DeviceInfo> {
        let info = |(id, device): (&String, &Device)| DeviceInfo {
            id: id.clone(),
            display_name: device.display_name.clone(),
            last_seen_ms: self.timestamp(device.last_seen),
        };
        self.users[user.0].devices.iter().map(info).collect()
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn timestamp(&self, now: Duration) -> u64 {
        self.rules.epoch_ms + u64::try_from(now.as_millis()).unwrap_or(u64::MAX / 2)
    }
}
