//! Homeservers among themselves (draft F1, F2).
//!
//! The harness plays the other homeservers: beta, gamma and so on. Stories about honest homeservers
//! share two of them, which live as long as the run, and keep apart by users and rooms. A homeserver
//! that fails is met for the first time, because a target may shun it afterwards.

use super::*;

pub(super) mod failures;
mod forgeries;
pub(super) mod heard;
pub(super) mod lookup;
pub(super) mod offers;
pub(super) mod resolve;
pub(super) mod signatures;
pub(super) mod told;
