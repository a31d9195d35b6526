//! Shows that the suite is right: it finds every fault and blames what the fault breaks, it fails no legal
//! variant, and nothing that is no homeserver passes.
//!
//! ```text
//! trial                      (the suite, run once on a built-in homeserver: what failed, and where)
//!   |
//! attribution, freedom, null (what had to come of it, and what came: findings)
//!   |
//! matrix                     (all of it as a page or as JSON)
//! ```

pub mod attribution;
pub mod null;
pub mod trial;
