//! Integration tests: one binary, a module for each subject.

mod absent;
mod cli;
mod cli_federation;
mod cli_prove;
mod coverage;
mod docs;
mod engine;
mod faults;
mod federation;
mod hash;
mod hostile_targets;
mod lookup_breakdowns;
mod null_targets;
mod outage;
mod pace;
mod peer;
mod presence_settings;
mod proof_null;
mod provision;
mod provision_errors;
mod scenarios;
mod secrets;
mod support;
mod target_federation;
mod target_file;
mod vectors;
