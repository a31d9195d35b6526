//! Integration tests: one binary, a module for each subject.

mod faults;
mod hash;
mod provision;
mod provision_errors;
mod support;
mod target_file;
mod vectors;
