//! Integration tests, in one binary.

mod provision;
mod provision_errors;
mod target_file;
