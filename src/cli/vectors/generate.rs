//! `capcheck vectors generate`: the published files, from their sources.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::fail;
use crate::engine::exit::{FAULT, USAGE};
use crate::vectors::{self, PublishError};

/// Runs the command.
pub(super) fn run(directory: &Path) -> ExitCode {
    match vectors::publish(directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ PublishError::Generate(_)) => fail(FAULT, error),
        Err(error @ PublishError::Write { .. }) => fail(USAGE, error),
    }
}
