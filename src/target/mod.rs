//! Who is under test: the target file, how users come into being, and what the target offers.

mod absence;
pub mod config;
pub mod features;
pub mod federation;
pub mod file;
pub mod keys;
pub mod pair;
pub mod patience;
pub mod preflight;
pub mod provision;
pub mod room;
pub mod template;
pub mod url;
