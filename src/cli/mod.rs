//! The command line: one file per command; the only place that prints or exits.

mod hash;
mod output;
mod vectors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Conformance harness for the Matrix capability API
#[derive(Debug, Parser)]
#[command(name = "capcheck", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    conformant (or: the command did what it says)
  1    non-conformant (or: the vectors, hash or check named do not hold)
  2    usage, target file, or a report path that cannot be opened
  3    incomplete: nothing failed, but something could not be tested
  4    target unreachable, not a homeserver, or without the API
  70   our own fault
  130  interrupted
  1 beats 70 beats 3.";

#[derive(Debug, Subcommand)]
enum Command {
    Hash(hash::HashArgs),
    Vectors(vectors::VectorsArgs),
}

/// Runs the command that the process arguments name.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Hash(args) => hash::run(args),
        Command::Vectors(args) => vectors::run(args),
    }
}
