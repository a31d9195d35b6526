//! `capcheck prove`: shows that the suite is right.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::exit::{FAULT, INTERRUPTED, NON_CONFORMANT, USAGE};
use crate::proof::null::NullTarget;
use crate::proof::run::{self, Done, Proof, Scope};
use crate::proof::{json, markdown, pairs, text};
use crate::reference::{Fault, Named as _, Variant};
use crate::report::{Destination, Place};

use super::interrupt::Interrupt;
use super::output::{destination, fail};
use super::runtime;

/// Run the suite on every fault, legal variant and null target, and say what it missed or got wrong
#[derive(Debug, clap::Args)]
pub(super) struct ProveArgs {
    /// What fits into a minute: no faults between homeservers, no combinations
    #[arg(long)]
    quick: bool,
    /// This fault alone, and what else is named; repeatable
    #[arg(long, value_name = "ID", conflicts_with = "quick")]
    fault: Vec<Fault>,
    /// This variant alone, and what else is named; repeatable
    #[arg(long, value_name = "ID", conflicts_with = "quick")]
    variant: Vec<Variant>,
    /// This null target alone, and what else is named; repeatable
    #[arg(long, value_name = "ID", conflicts_with = "quick", value_parser = <&NullTarget>::find)]
    null: Vec<&'static NullTarget>,
    /// So many random combinations of variants [default: 200 of everything, else none]
    #[arg(long, value_name = "N")]
    combinations: Option<u16>,
    /// So many random pairs of faults besides, to see whether one hides the other
    #[arg(long, value_name = "N", default_value_t = 0)]
    pairs: u16,
    /// Fixes combinations, pairs, and what the suite draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Homeservers at once [default: three a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Write all of it as JSON, - for stdout
    #[arg(long, value_name = "FILE", value_parser = destination)]
    json: Option<Destination>,
    /// Write the kill matrix as Markdown, - for stdout
    #[arg(long, value_name = "FILE", value_parser = destination)]
    markdown: Option<Destination>,
    /// Tell what fails along with each fault, and why
    #[arg(long, short)]
    verbose: bool,
}

impl ProveArgs {
    fn scope(&self) -> Scope {
        let jobs = self.jobs.map_or_else(default_jobs, usize::from);
        let named = !(self.fault.is_empty() && self.variant.is_empty() && self.null.is_empty());
        let mut scope = match (self.quick, named) {
            (true, _) => Scope::quick(self.seed, jobs),
            (false, true) => Scope { seed: self.seed, jobs, ..Scope::default() },
            (false, false) => Scope::whole(self.seed, jobs),
        };
        if named {
            (scope.faults, scope.variants) = (self.fault.clone(), self.variant.clone());
            scope.nulls.clone_from(&self.null);
        }
        if let Some(count) = self.combinations {
            scope.combinations = run::seeds(self.seed, u64::from(count));
        }
        scope.pairs = pairs::draw(usize::from(self.pairs), self.seed);
        scope
    }
}

/// Trials wait as much as they compute.
fn default_jobs() -> usize {
    3 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs the command.
pub(super) fn run(args: &ProveArgs) -> ExitCode {
    runtime::block_on(prove(args))
}

async fn prove(args: &ProveArgs) -> Result<ExitCode, ExitCode> {
    let fault = |message: String| fail(FAULT, message);
    // Opened before anything is tried: a report that cannot be written must not cost a proof.
    let json = open("--json", args.json.as_ref())?;
    let markdown = open("--markdown", args.markdown.as_ref())?;
    let has_stdout = |place: &Option<Place>| matches!(place, Some(Place::Stdout));
    if has_stdout(&json) && has_stdout(&markdown) {
        return Err(fail(USAGE, "--json and --markdown both go to stdout: give one of them a file"));
    }
    let mut page = Page::new(has_stdout(&json) || has_stdout(&markdown));
    let interrupt = Interrupt::new().map_err(|error| fault(format!("cannot wait for signals: {error}")))?;
    let scope = args.scope();
    let full = args.verbose || !args.fault.is_empty();
    let progress = progress(scope.trials());
    let tell = |done: &Done| {
        progress.suspend(|| page.put(&text::line(done, full)));
        progress.inc(1);
    };
    let proof = run::prove(scope, tell, interrupt.wait()).await.map_err(|error| fault(error.to_string()))?;
    progress.finish_and_clear();
    page.put(&format!("\n{}", text::summary(&proof)));
    let written = [(json, json::write(&proof, args.seed)), (markdown, markdown::page(&proof))];
    for (place, bytes) in written {
        if let Some(Err(error)) = place.map(|place| place.finish(bytes.as_bytes())) {
            return Err(fail(USAGE, format_args!("the proof cannot be written: {error}")));
        }
    }
    Ok(ExitCode::from(code(&proof)))
}

fn code(proof: &Proof) -> u8 {
    match proof {
        Proof { interrupted: true, .. } => INTERRUPTED,
        proof if proof.findings().is_empty() => 0,
        _ => NON_CONFORMANT,
    }
}

fn open(flag: &str, to: Option<&Destination>) -> Result<Option<Place>, ExitCode> {
    let place = |to| Place::open(to).map_err(|reason| fail(USAGE, format_args!("{flag} {to}: {reason}")));
    to.map(place).transpose()
}

/// On standard error, where somebody looks at it.
fn progress(trials: usize) -> ProgressBar {
    let target = match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(trials as u64), target);
    match ProgressStyle::with_template("{bar:30} {pos}/{len}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// Where people read: standard output, unless a report has that. A reader who left changes nothing.
struct Page(Box<dyn Write>);

impl Page {
    fn new(stdout_is_taken: bool) -> Self {
        match stdout_is_taken {
            true => Self(Box::new(io::stderr())),
            false => Self(Box::new(io::stdout())),
        }
    }

    fn put(&mut self, words: &str) {
        let _ = self.0.write_all(words.as_bytes()).and_then(|()| self.0.flush());
    }
}
