//! `capcheck vectors generate`: the published files, from their sources.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::{fail, finish};
use crate::cli::runtime;
use crate::engine::exit::{FAULT, USAGE};
use crate::exchanges;
use crate::report::escape;
use crate::vectors::{self, PublishError, Written};

/// Runs the command.
pub(super) fn run(directory: &Path) -> ExitCode {
    runtime::block_on(async {
        let recorded = exchanges::record().await.map_err(|error| fail(FAULT, error))?;
        match vectors::publish(directory, &recorded) {
            Ok(written) => Ok(finish(page(directory, &written).as_bytes(), ExitCode::SUCCESS)),
            Err(error @ PublishError::Generate(_)) => Err(fail(FAULT, error)),
            Err(error @ PublishError::Write { .. }) => Err(fail(USAGE, error)),
        }
    })
}

/// What was written, and what else is there.
fn page(directory: &Path, written: &Written) -> String {
    let Written { files, unchanged, strangers } = written;
    let mut out = format!("{}: {files} files, {unchanged} as they were\n", directory.display());
    for name in strangers {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {}: not a file of this suite, left as it is", escape(name));
    }
    out
}
