//! Whoever has presence that others may see.

use std::fmt::Debug;

use super::{RemoteUser, User};

/// A user of the target, of the second homeserver, or of a homeserver of the harness.
pub trait Person: Debug + Send + Sync {
    /// The full user ID.
    fn id(&self) -> &str;

    /// The name by which reports call this user.
    fn name(&self) -> &str;
}

impl Person for User {
    fn id(&self) -> &str {
        User::id(self)
    }

    fn name(&self) -> &str {
        User::name(self)
    }
}

impl Person for RemoteUser {
    fn id(&self) -> &str {
        RemoteUser::id(self)
    }

    fn name(&self) -> &str {
        RemoteUser::name(self)
    }
}
