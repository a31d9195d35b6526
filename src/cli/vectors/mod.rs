//! `capcheck vectors`: the golden vectors.

mod explain;
mod generate;
mod lint;
mod sign;
mod test;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Work with the golden vectors
#[derive(Debug, Args)]
pub(super) struct VectorsArgs {
    #[command(subcommand)]
    command: VectorsCommand,
}

#[derive(Debug, Subcommand)]
enum VectorsCommand {
    /// Write the published files, byte for byte as they are in vectors/
    ///
    /// Exits with 0 if all are written, and with 2 if one cannot be: then none is.
    Generate {
        /// The directory to write to
        dir: PathBuf,
    },
    /// Derive every value of the vectors again, and compare the files with their manifest
    ///
    /// Where the manifest is of this program's version, it is compared with the one that the program carries, too. The
    /// last line has the verdict.
    ///
    /// Exits with 0 if all holds, with 1 if something does not, and with 2 if the operating system does not give a
    /// file, or if there are no vectors in the directory.
    Verify(verify::VerifyArgs),
    /// Sign the manifest as minisign does: writes manifest.json.minisig
    ///
    /// Signs only what verifies. The password of an encrypted key is asked for on the terminal, or taken from
    /// CAPCHECK_KEY_PASSWORD.
    ///
    /// Exits with 0 if it is signed, with 1 if the vectors do not hold, and with 2 if the key does not fit, a file
    /// cannot be read or written, or the vectors are of another version than this program's.
    Sign(sign::SignArgs),
    /// Explain a case, an exchange, a subject, a mistake, a flag or a class of failure
    ///
    /// Exits with 2 if nothing is called so.
    Explain {
        /// set.empty, exchange.declare-refused, exchanges, canonical-json, utf16-order, KeyOrder, lone-surrogate, ...
        id: String,
    },
    /// Measure whether every case tells something that no other tells
    ///
    /// Exits with 1 if one does not, or if a flag, mistake or failure is not shown by any case.
    Lint,
    /// Test a program with the vectors: capcheck vectors test -- PROGRAM ARG...
    ///
    /// The program reads a case a line from its standard input, {"id", "subject", "input"} in JSON, and answers each
    /// with a line of JSON on its standard output: {"id", "result": "valid", ...}, {"id", "result": "invalid"}, or
    /// {"id", "result": "unsupported"} for a subject that it does not do. docs/vectors.md tells the rest.
    ///
    /// Exits with 0 if every answer is right, 1 if one is not, 2 if the program cannot be tested, 3 if nothing
    /// passed or a subject was answered in part, 130 if interrupted.
    Test(test::TestArgs),
}

/// Runs the command.
pub(super) fn run(args: VectorsArgs) -> ExitCode {
    match args.command {
        VectorsCommand::Generate { dir } => generate::run(&dir),
        VectorsCommand::Explain { id } => explain::run(&id),
        VectorsCommand::Lint => lint::run(),
        VectorsCommand::Test(args) => test::run(args),
        VectorsCommand::Verify(args) => verify::run(&args),
        VectorsCommand::Sign(args) => sign::run(&args),
    }
}
