//! `capcheck coverage`: from the draft's sentences to requirements, scenarios, faults and vectors.

use std::process::ExitCode;

use crate::engine::exit::{NON_CONFORMANT, USAGE};
use crate::proof::coverage::{self, Coverage, Tables};
use crate::report::{Destination, Place};

use super::output::{destination, fail, finish};

/// Show what rests on each sentence of the draft: requirements, scenarios, faults and vectors
///
/// Exits with 1 where something is missing: a sentence without a requirement, a requirement without a
/// scenario, a must without two faults or a should without one, arithmetic without vectors, or a
/// scenario or fault that is about nothing.
#[derive(Debug, clap::Args)]
pub(super) struct CoverageArgs {
    /// Print only what is missing
    #[arg(long)]
    gaps: bool,
    /// Write all of it as JSON; - is stdout, and then nothing else is printed there
    #[arg(long, value_name = "FILE", value_parser = destination)]
    json: Option<Destination>,
}

/// Runs the command.
pub(super) fn run(args: &CoverageArgs) -> ExitCode {
    let coverage = Coverage::of(&Tables::of_the_suite());
    let code = if coverage.gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NON_CONFORMANT) };
    let page = match args.gaps {
        true => coverage::gaps_page(&coverage),
        false => coverage::page(&coverage),
    };
    match &args.json {
        None => finish(page.as_bytes(), code),
        Some(Destination::Stdout) => finish(as_json(&coverage).as_bytes(), code),
        Some(file) => match write(file, &as_json(&coverage)) {
            Ok(()) => finish(page.as_bytes(), code),
            Err(reason) => fail(USAGE, format_args!("--json {file}: {reason}")),
        },
    }
}

fn as_json(coverage: &Coverage) -> String {
    format!("{:#}\n", serde_json::json!(coverage))
}

fn write(to: &Destination, text: &str) -> Result<(), String> {
    Place::open(to)?.finish(text.as_bytes()).map_err(|error| error.to_string())
}
