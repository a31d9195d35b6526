//! `capcheck vectors lint`: whether every case tells something that no other tells.

use std::fmt::Write;
use std::process::ExitCode;

use crate::cli::output::{fail, finish};
use crate::engine::exit::{FAULT, NON_CONFORMANT};
use crate::vectors::{self, Measured};

/// Runs the command.
pub(super) fn run() -> ExitCode {
    let files = match vectors::lint() {
        Ok(files) => files,
        Err(error) => return fail(FAULT, error),
    };
    let changed = match vectors::check_released() {
        Ok(changed) => changed,
        Err(error) => return fail(FAULT, error),
    };
    let mut page = page(&files);
    for fault in &changed {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{fault}");
    }
    let holds = changed.is_empty() && files.iter().all(|file| file.complaints.is_empty());
    finish(page.as_bytes(), if holds { ExitCode::SUCCESS } else { ExitCode::from(NON_CONFORMANT) })
}

/// A line for each file, followed by what is wrong with it.
fn page(files: &[Measured]) -> String {
    let mut out = String::new();
    for Measured { file, cases, mistakes, pairs, kills, complaints } in files {
        let word =
            if complaints.is_empty() { "ok".to_owned() } else { format!("{} complaints", complaints.len()) };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{file:24} {cases:3} cases, {mistakes:2} mistakes, {pairs:3} flag-mistake pairs, {kills:5} wrong answers: {word}"
        );
        for complaint in complaints {
            let _ = writeln!(out, "  {complaint}");
        }
    }
    out
}
