//! `capcheck replay`: performs a saved failure again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::engine::exit::{CONFORMANT, FAULT, INCOMPLETE, INTERRUPTED, NON_CONFORMANT, PREFLIGHT, USAGE};
use crate::engine::{PrepareError, Prepared, run_id};
use crate::outcome::Stop;
use crate::properties;
use crate::properties::failure::Failure;
use crate::properties::replay::{Replayed, Standing, replay};
use crate::report::{plain, plural};
use crate::spec::history::Step;
use crate::target::url::base_url;

use super::interrupt::Interrupt;
use super::output::{fail, finish};
use super::runtime;
use super::subject::SubjectArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0    FIXED: it did not fail
  1    STILL FAILING: it failed each time
  2    usage, target file, or the file holds no failure that can be performed
  3    FLAKY: it failed now and then; or it could not be performed
  4    target unreachable, not a homeserver, nobody can log in, or without the API
  70   our own fault
  130  interrupted";

/// Perform a saved failure again
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ReplayArgs {
    /// What `capcheck explore` saved
    #[arg(value_name = "FAILURE.json")]
    file: PathBuf,
    #[command(flatten)]
    subject: SubjectArgs,
    /// How often; acts at once may fail now and then, and want 20 or more
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
}

/// Runs the command.
pub(super) fn run(args: ReplayArgs) -> ExitCode {
    runtime::block_on(again(args))
}

async fn again(args: ReplayArgs) -> Result<ExitCode, ExitCode> {
    let usage = |message: String| fail(USAGE, message);
    let fault = |message: String| fail(FAULT, message);
    let ReplayArgs { file, subject, repeat } = args;
    let of_file = |error: &dyn std::fmt::Display| usage(plain(&format!("{}: {error}", file.display())));
    let failure = Failure::load(&file).map_err(|error| of_file(&error))?;
    let url = failure.url.as_deref().map(base_url).transpose();
    let url = url.map_err(|error| of_file(&format!("url: {error}")))?;
    let interrupt = Interrupt::new().map_err(|error| fault(format!("cannot wait for signals: {error}")))?;
    let mut interrupt = Box::pin(interrupt.wait());
    let run_id = run_id::fresh().map_err(|error| fault(error.to_string()))?;
    let described = subject.has_target_file();
    let subject = subject.or(url).subject().await.map_err(usage)?;
    let mut target = subject.target.clone();
    if !described {
        // What a target file said when it was found.
        target.limits.settle = Duration::from_secs_f64(failure.settle_s);
    }
    let prepared = tokio::select! {
        prepared = Prepared::new(target, subject.second.clone(), failure.seed, &run_id) => prepared,
        () = &mut interrupt => return Err(fail(INTERRUPTED, "interrupted")),
    };
    let answer = match prepared {
        Ok(prepared) => {
            let theatre = prepared.theatre(demanded(&failure));
            let replayed = tokio::select! {
                replayed = replay(&theatre, &failure, usize::from(repeat)) => Some(replayed),
                () = &mut interrupt => None,
            };
            prepared.end().await;
            match replayed {
                Some(replayed) => Ok(told(&failure, &replayed)),
                None => Err(fail(INTERRUPTED, "interrupted")),
            }
        }
        Err(PrepareError::Client(error)) => Err(fail(USAGE, error)),
        Err(PrepareError::Preflight(error)) => Err(fail(PREFLIGHT, plain(&error.to_string()))),
    };
    subject.end().await;
    answer
}

/// What is not demanded: of all that is no must only what was found broken is.
fn demanded(failure: &Failure) -> BTreeSet<&'static str> {
    let mut lapsed = properties::lapsed(false);
    lapsed.remove(failure.requirement.as_str());
    lapsed
}

/// Says what came of it.
fn told(failure: &Failure, replayed: &Replayed) -> ExitCode {
    let (word, code) = match replayed.standing() {
        Standing::Fixed => ("FIXED", CONFORMANT),
        Standing::StillFailing => ("STILL FAILING", NON_CONFORMANT),
        Standing::Flaky => ("FLAKY", INCOMPLETE),
        Standing::Untestable => match &replayed.stop {
            Some(Stop::HarnessFault { .. }) => ("OUR OWN FAULT", FAULT),
            _ => ("UNTESTABLE", INCOMPLETE),
        },
    };
    finish(page(failure, replayed, word).as_bytes(), ExitCode::from(code))
}

fn page(failure: &Failure, replayed: &Replayed, word: &str) -> String {
    let Replayed { tried, failed, last, stop } = replayed;
    let requirement = &failure.requirement;
    let mut page = format!("{word}  {requirement}  failed {failed} of {}\n", plural(*tried, "time"));
    if let Some(violation) = last {
        if violation.requirement != requirement {
            let _ = writeln!(page, "  other     it broke {} instead", violation.requirement);
        }
        let step = failure.history.steps.get(violation.step);
        let words = step.map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "  step      {}. {words}", violation.step + 1);
        let _ = writeln!(page, "  expected  {}", plain(&violation.judgement.expected));
        let _ = writeln!(page, "  actual    {}", plain(&violation.judgement.actual));
    }
    if let Some(
        Stop::Untestable { reason, .. } | Stop::NotApplicable { reason } | Stop::HarnessFault { reason },
    ) = stop
    {
        let _ = writeln!(page, "  ended     {}", plain(reason));
    }
    let races = failure.history.steps.iter().any(|step| matches!(step, Step::AtOnce(_)));
    if races && *failed == 0 && *tried < 20 {
        page += "  note      of acts at once a few good ones show little: --repeat 20\n";
    }
    page
}
