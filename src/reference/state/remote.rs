//! Users of other homeservers, as far as they share rooms with ours.

use std::sync::Arc;
use std::time::Duration;

use super::{State, UserKey};
use crate::reference::arithmetic::Set;

impl State {
    /// Whether a homeserver has a joined user in a room where `user` is joined.
    pub(crate) fn server_shares_room(&self, _server: &str, _user: UserKey) -> bool {
        false
    }

    /// Whether a local user and one of another homeserver, by full ID, are joined in one room.
    pub(crate) fn shares_room_with_remote(&self, _viewer: UserKey, _remote: &str) -> bool {
        false
    }

    /// Keeps a set that another homeserver answered, under the hash that was computed here.
    pub(crate) fn keep_fetched(&mut self, _now: Duration, _set: Arc<Set>) {}

    /// A set that this server knows, from wherever.
    pub(crate) fn known(&self, _now: Duration, _hash: &str) -> Option<Arc<Set>> {
        None
    }

    /// Whether a user of another homeserver has ever been heard of here.
    pub(crate) fn knows_remote(&self, _user_id: &str) -> bool {
        false
    }

    /// The hash that presence last carried for a user of another homeserver.
    pub(crate) fn remote_hash(&self, _user_id: &str) -> Option<&str> {
        None
    }
}
