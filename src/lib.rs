//! The reference test suite and conformance harness for the Matrix capability API.
//!
//! Data flows one way, and the modules are the flow:
//!
//! ```text
//! spec -> actors -> scenarios -> engine -> report      (what is asked, in which order, what came of it)
//!           |           |
//!         wire       outcome                           (bytes on the network; findings)
//!           |
//!   the target, or reference                           (a homeserver; the built-in one is a room of its own)
//! ```

pub mod actors;
pub mod built_in;
pub mod cli;
pub mod engine;
pub mod exchanges;
mod files;
pub mod outcome;
pub mod proof;
pub mod properties;
pub mod reference;
pub mod report;
pub mod scenarios;
pub mod spec;
mod spelling;
pub mod target;
pub mod vectors;
pub mod wire;
