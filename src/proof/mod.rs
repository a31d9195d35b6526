//! Shows that the suite is right: it finds every fault and blames what the fault breaks, it fails no legal
//! variant, and nothing that is no homeserver passes.
//!
//! ```text
//! trial                      (the suite, run once on a built-in homeserver: what failed, and where)
//!   |
//! attribution, freedom, null, pairs    (what had to come of it, and what came: findings)
//!   |
//! run                        (many of them, some at once: the proof)
//!   |
//! markdown, text             (the proof, as pages)
//! ```

pub mod attribution;
pub mod coverage;
pub mod freedom;
mod histories;
pub mod json;
pub mod markdown;
pub mod null;
pub mod pairs;
pub mod run;
#[cfg(test)]
mod tests;
pub mod text;
pub mod trial;
