//! `capcheck vectors generate`: the published files, from their sources.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::fail;
use crate::cli::runtime;
use crate::engine::exit::{FAULT, USAGE};
use crate::exchanges;
use crate::vectors::{self, PublishError};

/// Runs the command.
pub(super) fn run(directory: &Path) -> ExitCode {
    runtime::block_on(async {
        let recorded = exchanges::record().await.map_err(|error| fail(FAULT, error))?;
        match vectors::publish(directory, &recorded) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error @ PublishError::Generate(_)) => Err(fail(FAULT, error)),
            Err(error @ PublishError::Write { .. }) => Err(fail(USAGE, error)),
        }
    })
}
