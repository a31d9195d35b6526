//! Integration tests, in one binary.

mod provision;
mod target_file;
