//! The draft as data and as arithmetic; no I/O.
//!
//! Everything that the suite believes lives here: the [requirements](requirement),
//! what a [capability set](capability) is, its [canonical bytes](canonical), its
//! [hash], and how operations [map to HTTP](binding).

pub mod binding;
pub mod canonical;
pub mod capability;
pub mod draw;
pub mod hash;
pub mod history;
pub mod mistake;
pub mod model;
pub mod requirement;
