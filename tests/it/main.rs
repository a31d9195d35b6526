//! Integration tests: one binary, a module for each subject.

mod hash;
mod provision;
mod provision_errors;
mod target_file;
mod vectors;
