//! `capcheck vectors test`: tests a program with the vectors.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::interrupt::Interrupt;
use crate::cli::output::fail;
use crate::cli::{progress, runtime};
use crate::engine::exit::{CONFORMANT, FAULT, INCOMPLETE, INTERRUPTED, NON_CONFORMANT, USAGE};
use crate::report::{ReportSpec, Sinks, Style, program};
use crate::vectors;
use crate::vectors::program::{CaseResult, Conformance, Deviations, ProgramResult, Selection, Talking, Test};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    /// Only cases and subjects whose name matches; repeatable, * and ? are wild
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Not these; repeatable
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// No case with this flag, such as Parameters; repeatable
    #[arg(long, value_name = "FLAG")]
    without: Vec<String>,
    /// Let cases of level should gate, too
    #[arg(long)]
    strict: bool,
    /// What the program is known to get wrong, with reasons (TOML)
    #[arg(long, value_name = "FILE")]
    deviations: Option<PathBuf>,
    /// Start the program for each case, for one line in and one line out
    #[arg(long)]
    per_case: bool,
    /// How long the program has for each case, in seconds
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Processes at once [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Write a report besides: json=FILE or junit=FILE, - for stdout; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportSpec>,
    /// Tell every case
    #[arg(long, short)]
    verbose: bool,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// Reads a number of seconds, which may have a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.001..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds from 0.001 to 3600".to_owned())
}

/// Runs the command.
pub(super) fn run(args: TestArgs) -> ExitCode {
    runtime::block_on(test(args))
}

async fn test(args: TestArgs) -> Result<ExitCode, ExitCode> {
    let usage = |message: String| fail(USAGE, message);
    let deviations = args.deviations.as_deref().map(deviations).transpose().map_err(usage)?;
    let selection =
        Selection { only: args.only, skip: args.skip, without: args.without, strict: args.strict };
    let default_jobs = || std::thread::available_parallelism().map_or(2, usize::from);
    let talking = Talking {
        command: args.program,
        per_case: args.per_case,
        timeout: args.timeout,
        jobs: args.jobs.map_or_else(default_jobs, usize::from),
    };
    let test = Test::new(talking, selection, deviations.unwrap_or_default())
        .map_err(|error| usage(error.to_string()))?;
    // Opened before the program is started: a report that cannot be written must not cost a test.
    let mut sinks = Sinks::open(&args.report).map_err(|error| usage(error.to_string()))?;
    let interrupt =
        Interrupt::new().map_err(|error| fail(FAULT, format!("cannot wait for signals: {error}")))?;
    let progress = progress::bar("{spinner} {elapsed} {pos} of {len} cases{msg}");
    progress.set_length(test.cases() as u64);
    let failed = Cell::new(0);
    let told = |case: &CaseResult| {
        if case.outcome.is_failure() {
            failed.set(failed.get() + 1);
            progress.set_message(format!(", {} not passed", failed.get()));
        }
        progress.inc(1);
    };
    let result = test.run(interrupt.wait(), told).await;
    progress.finish_and_clear();
    let result = result.map_err(|error| usage(crate::report::plain(&error.to_string())))?;
    let page = tell(&result, sinks.uses_stdout(), args.verbose);
    let unwritten = sinks.write(&result);
    let complaints: Vec<String> =
        page.err().into_iter().chain(unwritten.iter().map(ToString::to_string)).collect();
    for complaint in &complaints {
        fail(USAGE, complaint);
    }
    // A report that was asked for and is not there must not look like a success.
    let code = code(&result);
    Ok(ExitCode::from(if code == CONFORMANT && !complaints.is_empty() { USAGE } else { code }))
}

/// Reads the list of deviations.
fn deviations(path: &Path) -> Result<Deviations, String> {
    let file = path.display().to_string();
    let bytes = vectors::read_bounded(path).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("{file}: No such file"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{file}: it is no text"))?;
    Deviations::parse(&file, &text).map_err(|error| error.to_string().trim_end().to_owned())
}

/// The page for people: on stdout, unless a report has that. A reader who left changes nothing.
fn tell(result: &ProgramResult, stdout_is_taken: bool, verbose: bool) -> Result<(), String> {
    let env = |name: &str| std::env::var(name).ok();
    let (mut out, is_tty): (Box<dyn Write>, bool) = match stdout_is_taken {
        true => (Box::new(io::stderr()), io::stderr().is_terminal()),
        false => (Box::new(io::stdout()), io::stdout().is_terminal()),
    };
    let page = program::page(result, Style::resolve(is_tty, env).verbose(verbose));
    match out.write_all(page.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

fn code(result: &ProgramResult) -> u8 {
    match result.verdict {
        _ if result.interrupted => INTERRUPTED,
        Conformance::Conformant | Conformance::AsExpected => CONFORMANT,
        Conformance::NonConformant => NON_CONFORMANT,
        Conformance::Incomplete => INCOMPLETE,
    }
}
