//! What a peer answers: honest by default, and otherwise what a scenario wrote.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// The answers of one peer. An honest peer answers 404 to every question that nothing was written for.
#[derive(Debug, Default)]
pub struct Script(Mutex<BTreeMap<(String, String), Answer>>);

/// An answer to `fed_resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200 with this body, whatever it is.
    Set(Bytes),
    /// This status, content type and body.
    Status(u16, &'static str, Bytes),
    /// Nothing, until the peer's patience is over or the asker has gone.
    Silence,
    /// 200, and a body that never ends: some 32 MiB at once, and then a little now and then until the
    /// peer's patience is over or the asker has gone.
    Endless,
    /// 200, and a body that never ends nor grows long: a little of it, again and again.
    Trickle,
    /// 200, and a body that breaks off in the middle.
    BrokenOff,
    /// 307 to an absolute URL on the same peer, where this body is served to whoever follows
    /// ([`Asked::Redirected`](super::Asked::Redirected)).
    Redirect(Bytes),
}

impl Script {
    /// From now on this is the answer to `fed_resolve` of this user and hash.
    pub fn resolve(&self, user_id: &str, hash: &str, answer: Answer) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert((user_id.to_owned(), hash.to_owned()), answer);
    }

    /// What was written for this user and hash.
    pub(super) fn answer(&self, user_id: &str, hash: &str) -> Option<Answer> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(&(user_id.to_owned(), hash.to_owned())).cloned()
    }
}
