//! What a peer answers: honest by default, and otherwise what a scenario wrote.

use bytes::Bytes;

/// The answers of one peer. An honest peer answers 404 to every question that nothing was written for.
#[derive(Debug, Default)]
pub struct Script {}

/// An answer to `fed_resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200 with this body, whatever it is.
    Set(Bytes),
    /// This status, content type and body.
    Status(u16, &'static str, Bytes),
    /// Nothing, until the peer's patience is over.
    Silence,
    /// 200, and a body that never ends.
    Endless,
    /// 200, and a body that breaks off in the middle.
    BrokenOff,
    /// 307 to this path on the same peer, where the honest answer lies.
    Redirect(String),
}

impl Script {
    /// From now on this is the answer to `fed_resolve` of this user and hash.
    pub fn resolve(&self, _user_id: &str, _hash: &str, _answer: Answer) {
        todo!()
    }
}
