//! The command line: one file per command; the only place that prints or exits.

mod coverage;
mod doctor;
mod explain;
mod explore;
mod federation_ca;
mod hash;
mod init;
mod interrupt;
mod list;
mod output;
mod progress;
mod prove;
mod replay;
mod run;
mod runtime;
mod serve;
mod subject;
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
  0    conformant (or: nothing found, fixed; the command did what it says)
  1    non-conformant (or: a failure found or still there; the vectors, the hash or the proof do not hold,
       or there are gaps)
  2    usage, target file, or a report path that cannot be opened
  3    incomplete: nothing failed for certain, but something is flaky or could not be tested
  4    target unreachable, not a homeserver, nobody can log in, or without the API
  70   our own fault
  130  interrupted
  1 beats 70 beats 3.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Test a homeserver; without a URL, the built-in one
    Run(run::RunArgs),
    /// Search for a history that the homeserver answers wrongly; without a URL, on the built-in one
    Explore(explore::ExploreArgs),
    /// Perform a saved failure again
    Replay(replay::ReplayArgs),
    /// Preflight alone: what it offers, what would be untestable, and why
    Doctor(doctor::DoctorArgs),
    /// Print a commented target file
    Init(init::InitArgs),
    /// List requirements and scenarios
    List(list::ListArgs),
    /// Explain a requirement, a scenario or a sentence of the draft
    Explain(explain::ExplainArgs),
    /// Print the capability hash of a set, or the bytes that are hashed
    Hash(hash::HashArgs),
    /// Work with the golden vectors
    Vectors(vectors::VectorsArgs),
    /// Show that the suite is right, on homeservers of which is known what must come of it
    Prove(prove::ProveArgs),
    /// Show what rests on each sentence of the draft: requirements, scenarios, faults and vectors
    Coverage(coverage::CoverageArgs),
    /// Run the built-in homeserver on its own
    Serve(serve::ServeArgs),
    /// Make a certificate authority for federation, which homeservers under test can trust
    FederationCa(federation_ca::FederationCaArgs),
}

/// Runs the command that the process arguments name.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Explore(args) => explore::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Init(args) => init::run(&args),
        Command::List(args) => list::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Hash(args) => hash::run(args),
        Command::Vectors(args) => vectors::run(args),
        Command::Prove(args) => prove::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::FederationCa(args) => federation_ca::run(&args),
    }
}
