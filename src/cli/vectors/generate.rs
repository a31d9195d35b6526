//! `capcheck vectors generate`: the published files, from their sources.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::fail;
use crate::engine::exit::{FAULT, USAGE};
use crate::vectors;
use crate::vectors::subject::{Carried, SUBJECTS};

/// Runs the command.
pub(super) fn run(directory: &Path) -> ExitCode {
    for Carried { subject, source, .. } in SUBJECTS {
        let path = directory.join(subject.file());
        let document = match vectors::generate(*subject, source) {
            Ok(document) => document,
            Err(error) => return fail(FAULT, error),
        };
        if let Err(error) = std::fs::write(&path, vectors::to_text(&document)) {
            return fail(USAGE, format!("{}: {error}", path.display()));
        }
    }
    ExitCode::SUCCESS
}
