//! `capcheck vectors verify`: derives every value of the vectors again.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::{fail, finish};
use crate::engine::exit::USAGE;
use crate::vectors::{self, Summary};

/// Runs the command.
pub(super) fn run(directory: Option<&Path>) -> ExitCode {
    match vectors::verify(directory) {
        Ok(summary) => finish(render(&summary).as_bytes(), ExitCode::from(u8::from(!summary.holds()))),
        Err(error) => fail(USAGE, error),
    }
}

/// A line for each file, followed by what does not hold in it.
fn render(summary: &Summary) -> String {
    let mut out = String::new();
    for file in &summary.files {
        let (name, cases, values, wrong) = (&file.file, file.cases, file.values, file.differences.len());
        let word = if wrong == 0 { "ok".to_owned() } else { format!("{wrong} do not hold") };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:22} {cases:3} cases, {values:4} values: {word}");
        for difference in &file.differences {
            let _ = writeln!(out, "  {difference}");
        }
    }
    out
}
