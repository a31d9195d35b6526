//! `capcheck run`: tests a homeserver and says what came of it.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::engine::exit::{self, FAULT, USAGE};
use crate::engine::plan::Plan;
use crate::engine::result::Selection;
use crate::engine::{self, Options, Request, Told, run_id};
use crate::report::{ReportSpec, Sinks, Style, Terminal};
use crate::spec::requirement::Level;

use super::interrupt::Interrupt;
use super::output::fail;
use super::runtime;
use super::subject::SubjectArgs;

/// Test a homeserver and say what came of it
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Only scenarios and requirements whose id matches; repeatable, * and ? are wild
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Not these; repeatable
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Only requirements of this level and above
    #[arg(long, value_name = "LEVEL", value_parser = level())]
    level: Option<Level>,
    /// Let shoulds gate, too
    #[arg(long)]
    strict: bool,
    /// Write a report besides: json=FILE or junit=FILE, - for stdout; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportSpec>,
    /// Which exchanges the JSON report holds
    #[arg(long, value_name = "WHICH", default_value = "failed")]
    transcripts: Transcripts,
    /// Scenarios at once [default: the target's limits.in_flight]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// End after the first scenario that failed
    #[arg(long)]
    fail_fast: bool,
    /// Repeat the shapes, sizes and order of an earlier run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Repeat the names of an earlier run, on a server that has not seen them
    #[arg(long, value_name = "ID", value_parser = run_id::parse)]
    run_id: Option<String>,
    /// Tell scenarios that passed, too, and every failure in full
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Transcripts {
    /// Those of scenarios that did not pass
    Failed,
    /// All of them
    All,
}

/// The words for levels.
fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(["may", "should", "must"]).map(|word| match word.as_str() {
        "may" => Level::May,
        "should" => Level::Should,
        _ => Level::Must,
    })
}

/// Runs the command.
pub(super) fn run(args: RunArgs) -> ExitCode {
    runtime::block_on(test(args))
}

async fn test(args: RunArgs) -> Result<ExitCode, ExitCode> {
    let usage = |message: String| fail(USAGE, message);
    let fault = |message: String| fail(FAULT, message);
    let selection = Selection {
        only: args.only.clone(),
        skip: args.skip.clone(),
        level: args.level,
        strict: args.strict,
    };
    let plan = Plan::new(selection).map_err(|error| usage(error.to_string()))?;
    // Opened before anything is sent: a report that cannot be written must not cost a run.
    let mut sinks = Sinks::open(&args.report).map_err(|error| usage(error.to_string()))?;
    let (seed, run_id) = nonces(&args).map_err(|error| fault(error.to_string()))?;
    let interrupt = Interrupt::new().map_err(|error| fault(format!("cannot wait for signals: {error}")))?;
    let subject = args.subject.subject().await.map_err(usage)?;
    let options = Options {
        jobs: args.jobs.map_or(subject.target.limits.in_flight, usize::from),
        fail_fast: args.fail_fast,
        all_transcripts: matches!(args.transcripts, Transcripts::All),
    };
    let (target, second) = (subject.target.clone(), subject.second.clone());
    let request = Request { target, second, plan, options, seed, run_id };
    let mut terminal = terminal(&args, sinks.uses_stdout());
    let told = engine::run(request, &mut terminal, interrupt.wait()).await;
    subject.end().await;
    let Told { result, report_error } = told.map_err(|error| usage(error.to_string()))?;
    let unwritten = sinks.write(&result);
    let pipe_closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    let page =
        report_error.filter(|error| !pipe_closed(error)).map(|error| format!("standard output: {error}"));
    let complaints: Vec<String> = page.into_iter().chain(unwritten.iter().map(ToString::to_string)).collect();
    for complaint in &complaints {
        fail(USAGE, complaint);
    }
    // A report that was asked for and is not there must not look like a success.
    let code = exit::code(&result);
    Ok(ExitCode::from(if code == exit::CONFORMANT && !complaints.is_empty() { USAGE } else { code }))
}

/// A seed that JavaScript can read and a run id, both from the operating system unless given.
fn nonces(args: &RunArgs) -> Result<(u64, String), getrandom::Error> {
    let seed = match args.seed {
        Some(seed) => seed,
        None => getrandom::u64()? >> 11,
    };
    let run_id = match &args.run_id {
        Some(run_id) => run_id.clone(),
        None => run_id::fresh()?,
    };
    Ok((seed, run_id))
}

/// The page for people: on stdout, unless a report has that.
fn terminal(args: &RunArgs, stdout_is_taken: bool) -> Terminal {
    let env = |name: &str| std::env::var(name).ok();
    let (out, is_tty): (Box<dyn Write + Send>, bool) = match stdout_is_taken {
        true => (Box::new(io::stderr()), io::stderr().is_terminal()),
        false => (Box::new(io::stdout()), io::stdout().is_terminal()),
    };
    let mut style = Style::resolve(is_tty, env).verbose(args.verbose);
    style.progress &= io::stderr().is_terminal();
    Terminal::new(out, style).again(format!("capcheck run{}", args.subject.again()))
}
