//! `capcheck vectors`: the golden vectors.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{fail, finish};
use crate::vectors::{self, Summary};

/// Work with the golden vectors
#[derive(Debug, Args)]
pub(super) struct VectorsArgs {
    #[command(subcommand)]
    command: VectorsCommand,
}

#[derive(Debug, Subcommand)]
enum VectorsCommand {
    /// Derive every value of the vectors again
    ///
    /// Exits with 1 if a value comes out otherwise, and with 2 if a file cannot be read.
    Verify {
        /// The directory that holds the files; by default those that the program carries
        dir: Option<PathBuf>,
    },
}

/// Runs the command.
pub(super) fn run(args: VectorsArgs) -> ExitCode {
    let VectorsCommand::Verify { dir } = args.command;
    match vectors::verify(dir.as_deref()) {
        Ok(summary) => finish(render(&summary).as_bytes(), ExitCode::from(u8::from(!summary.holds()))),
        Err(error) => fail(2, error),
    }
}

/// A line for each file, followed by what does not hold in it.
fn render(summary: &Summary) -> String {
    let mut out = String::new();
    for file in &summary.files {
        let (name, cases, values, wrong) = (file.file, file.cases, file.values, file.differences.len());
        let word = if wrong == 0 { "ok".to_owned() } else { format!("{wrong} do not hold") };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:22} {cases:3} cases, {values:4} values: {word}");
        for difference in &file.differences {
            let _ = writeln!(out, "  {difference}");
        }
    }
    out
}
