//! `capcheck explore`: searches for a history that a homeserver answers wrongly.

mod page;
mod save;
mod time;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use wildmatch::WildMatch;

use crate::engine::exit::{CONFORMANT, FAULT, INCOMPLETE, INTERRUPTED, NON_CONFORMANT, PREFLIGHT, USAGE};
use crate::engine::{PrepareError, Prepared, run_id};
use crate::outcome::Stop;
use crate::properties::failure::Failure;
use crate::properties::perform::Theatre;
use crate::properties::search::{Budget, News, SHRINKING, Searched, Terms, search};
use crate::properties::{self, Property, script};
use crate::report::{Style, plain};
use crate::spelling::nearest;
use crate::target::features::{Features, Standing};

use super::interrupt::Interrupt;
use super::output::{fail, finish};
use super::subject::SubjectArgs;
use super::{progress, runtime};
use page::{Found, Tally};
use save::Shelf;

/// How long is searched where nothing else is said.
const TIME: Duration = Duration::from_secs(60);

/// How long a property has its turn.
const TURN: Duration = Duration::from_secs(2);

/// How many histories a property performs in its turn at most.
const CASES: u64 = 32;

const EXIT_CODES: &str = "\
Exit codes:
  0    nothing found
  1    a failure found that came again for certain
  2    usage, target file, or nothing can be saved there
  3    a flaky failure, or a property that could not be tested
  4    target unreachable, not a homeserver, nobody can log in, or without the API
  70   our own fault
  130  interrupted: what was found by then is saved";

/// Search for a history that the homeserver answers wrongly, until one is found or the time is up
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ExploreArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// So many histories of each property at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,
    /// How long, such as 90s, 5m or 1h [default: 60s; no limit with --cases]
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    time: Option<Duration>,
    /// Draw what an earlier search drew
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only properties whose id matches; repeatable, * and ? are wild, `properties::` may be left out
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Histories at once [default: the target's limits.in_flight]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Let shoulds fail a history, too
    #[arg(long)]
    strict: bool,
    /// Where a failure is saved, with a script beside it; what is there already stays
    #[arg(long, value_name = "FILE", default_value = "FAILURE.json")]
    save: PathBuf,
}

/// Runs the command.
pub(super) fn run(args: ExploreArgs) -> ExitCode {
    runtime::block_on(explore(args))
}

async fn explore(args: ExploreArgs) -> Result<ExitCode, ExitCode> {
    let usage = |message: String| fail(USAGE, message);
    let fault = |message: String| fail(FAULT, message);
    let properties = selected(&args.only).map_err(usage)?;
    let shelf = Shelf::new(&args.save).map_err(usage)?;
    let seed = match args.seed {
        Some(seed) => seed,
        // One that JavaScript can read.
        None => getrandom::u64().map_err(|error| fault(error.to_string()))? >> 11,
    };
    let run_id = run_id::fresh().map_err(|error| fault(error.to_string()))?;
    let interrupt = Interrupt::new().map_err(|error| fault(format!("cannot wait for signals: {error}")))?;
    let mut interrupt = Box::pin(interrupt.wait());
    let subject = args.subject.subject().await.map_err(usage)?;
    let jobs = args.jobs.map_or(subject.target.limits.in_flight, usize::from);
    let prepared = tokio::select! {
        prepared = Prepared::new(subject.target.clone(), subject.second.clone(), seed, &run_id) => prepared,
        () = &mut interrupt => return Err(fail(INTERRUPTED, "interrupted")),
    };
    let answer = match prepared {
        Ok(prepared) => {
            let theatre = prepared.theatre(properties::lapsed(args.strict));
            let url = subject.url();
            let time = args.time.unwrap_or(if args.cases.is_some() { Duration::MAX } else { TIME });
            let mut exploration = Exploration::new(&theatre, &properties, prepared.features());
            exploration.conduct(Conduct { seed, jobs, time, cases: args.cases, url, shelf }, interrupt).await;
            prepared.end().await;
            Ok(exploration.told(seed, &args.subject.again()))
        }
        Err(PrepareError::Client(error)) => Err(fail(USAGE, error)),
        Err(PrepareError::Preflight(error)) => Err(fail(PREFLIGHT, plain(&error.to_string()))),
    };
    subject.end().await;
    answer
}

/// The properties that globs name, with or without what all of them begin with.
fn selected(only: &[String]) -> Result<Vec<&'static Property>, String> {
    let short = |id: &'static str| id.split_once("::").map_or(id, |(_, short)| short);
    let matches = |glob: &str, id: &'static str| {
        let glob = WildMatch::new(glob);
        glob.matches(id) || glob.matches(short(id))
    };
    for glob in only {
        let ids = || properties::all().iter().map(|property| property.id);
        if !ids().any(|id| matches(glob, id)) {
            let near = nearest(glob, ids().flat_map(|id| [id, short(id)]));
            let near = near.map_or_else(String::new, |id| format!("; did you mean {id:?}?"));
            return Err(format!("--only {glob:?} matches no property{near}"));
        }
    }
    let wanted = |property: &&Property| only.is_empty() || only.iter().any(|glob| matches(glob, property.id));
    Ok(properties::all().iter().filter(wanted).collect())
}

/// How properties take turns.
struct Conduct {
    seed: u64,
    jobs: usize,
    time: Duration,
    cases: Option<u64>,
    /// As it is saved.
    url: Option<String>,
    shelf: Shelf,
}

/// What a turn has come to so far.
#[derive(Default)]
struct Latest {
    cases: u64,
    acts: u64,
    failure: Option<Failure>,
}

/// A search over several properties.
struct Exploration<'e> {
    theatre: &'e Theatre,
    tallies: Vec<Tally>,
    found: Vec<Found>,
    /// Whether anything was our own fault.
    faulty: bool,
    interrupted: bool,
    progress: ProgressBar,
}

impl<'e> Exploration<'e> {
    fn new(theatre: &'e Theatre, properties: &[&'static Property], features: &Features) -> Self {
        let tallies = properties.iter().map(|&property| {
            let obstacle = obstacle(features, property);
            let untested = matches!(obstacle, Some((true, _)));
            let stopped = obstacle.map(|(_, reason)| reason);
            Tally { property, cases: 0, acts: 0, took: Duration::ZERO, stopped, untested }
        });
        let tallies = tallies.collect();
        let (found, progress) = (Vec::new(), progress::bar("{spinner} {elapsed} {pos} histories, {msg}"));
        Self { theatre, tallies, found, faulty: false, interrupted: false, progress }
    }

    /// Lets properties take turns until a failure is certain, the time is up, or somebody interrupts.
    async fn conduct(&mut self, conduct: Conduct, mut interrupt: Pin<Box<impl Future<Output = ()>>>) {
        let began = Instant::now();
        let left = |began: Instant| conduct.time.saturating_sub(began.elapsed());
        for round in 0u64.. {
            let mut performed = false;
            for at in 0..self.tallies.len() {
                let tally = &self.tallies[at];
                let cases = conduct.cases.map_or(CASES, |all| all.saturating_sub(tally.cases).min(CASES));
                if tally.stopped.is_some() || cases == 0 {
                    continue;
                }
                if left(began).is_zero() {
                    return;
                }
                performed = true;
                let budget = Budget { cases, time: left(began).min(TURN) };
                if self.turn(at, round, budget, &conduct, &mut interrupt).await {
                    return;
                }
            }
            if !performed {
                return;
            }
        }
    }

    /// One turn of a property; whether the search is over.
    async fn turn(
        &mut self,
        at: usize,
        round: u64,
        budget: Budget,
        conduct: &Conduct,
        interrupt: &mut Pin<Box<impl Future<Output = ()>>>,
    ) -> bool {
        let Tally { property, cases: first, .. } = self.tallies[at];
        let nonce = format!("{}p{}x{round}", self.theatre.world.run_id, property.place());
        let Conduct { seed, jobs, .. } = *conduct;
        let terms = Terms { seed, first, budget, shrinking: SHRINKING, jobs, nonce };
        let latest: Arc<Mutex<Latest>> = Arc::default();
        let began = Instant::now();
        let searched = {
            let mut tell = self.teller(at, &latest);
            tokio::select! {
                searched = search(self.theatre, property, &terms, &mut tell) => Some(searched),
                () = interrupt => None,
            }
        };
        let Some(searched) = searched else {
            self.interrupted = true;
            let Latest { cases, acts, failure } =
                std::mem::take(&mut *latest.lock().unwrap_or_else(PoisonError::into_inner));
            self.tallies[at].cases += cases;
            self.tallies[at].acts += acts;
            self.tallies[at].stopped = Some("interrupted".to_owned());
            if let Some(failure) = failure {
                self.keep(failure, true, conduct);
            }
            return true;
        };
        let tally = &mut self.tallies[at];
        tally.took += began.elapsed();
        self.count(at, searched, conduct)
    }

    /// Tells the progress bar, and keeps what there is so far.
    fn teller(&self, at: usize, latest: &Arc<Mutex<Latest>>) -> impl FnMut(News<'_>) + Send + use<> {
        let (progress, latest) = (self.progress.clone(), latest.clone());
        let id = self.tallies[at].property.id;
        let before: u64 = self.tallies.iter().map(|tally| tally.cases).sum();
        move |news| {
            let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
            match news {
                News::Performed { cases, acts } => {
                    (latest.cases, latest.acts) = (cases, acts);
                    progress.set_position(before + cases);
                    progress.set_message(id);
                }
                News::Smaller(failure) => {
                    progress.set_message(format!("{id} failed; {} acts", failure.history.len()));
                    latest.failure = Some(failure.clone());
                }
            }
        }
    }

    /// Counts what a turn came to; whether the search is over.
    fn count(&mut self, at: usize, searched: Searched, conduct: &Conduct) -> bool {
        let tally = &mut self.tallies[at];
        tally.cases += searched.cases;
        tally.acts += searched.acts;
        match searched.stop {
            Some(Stop::HarnessFault { reason }) => {
                self.faulty = true;
                tally.stopped = Some(format!("our own fault: {reason}"));
            }
            Some(Stop::Untestable { reason, .. }) => {
                tally.untested = true;
                tally.stopped = Some(format!("untestable: {reason}"));
            }
            Some(Stop::NotApplicable { reason }) => tally.stopped = Some(format!("not applicable: {reason}")),
            None => {}
        }
        let Some((failure, _)) = searched.failure else { return false };
        // One that is flaky would be found again and again.
        self.tallies[at].stopped = Some("a failure".to_owned());
        self.keep(failure, false, conduct);
        self.found.last().is_some_and(Found::is_confirmed)
    }

    /// Saves a failure.
    fn keep(&mut self, failure: Failure, cut_short: bool, conduct: &Conduct) {
        let binding = &self.theatre.world.target.binding;
        let failure = Failure { url: conduct.url.clone(), ..failure };
        let script = script::script(&failure, binding);
        let saved = match failure.to_json() {
            Ok(json) => conduct.shelf.save(&json, script.as_deref()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        self.found.push(Found { failure, saved, cut_short });
    }

    /// Tells all of it, and what the exit code says.
    fn told(self, seed: u64, again: &str) -> ExitCode {
        self.progress.finish_and_clear();
        let env = |name: &str| std::env::var(name).ok();
        let style = Style::resolve(io::stdout().is_terminal(), env);
        let page = page::page(style, seed, &self.tallies, &self.found, (self.interrupted, again));
        let unsaved = self.found.iter().any(|found| found.saved.is_err());
        let code = match () {
            () if self.interrupted => INTERRUPTED,
            () if self.found.iter().any(Found::is_confirmed) => NON_CONFORMANT,
            () if self.faulty || unsaved => FAULT,
            () if self.tallies.iter().any(|tally| tally.untested) || !self.found.is_empty() => INCOMPLETE,
            () if self.tallies.iter().all(|tally| tally.cases == 0) => INCOMPLETE,
            () => CONFORMANT,
        };
        finish(page.as_bytes(), ExitCode::from(code))
    }
}

/// Why a property cannot be searched, and whether that is for the target to mend.
fn obstacle(features: &Features, property: &Property) -> Option<(bool, String)> {
    let of = |standing| match standing {
        Standing::Available => None,
        Standing::NotApplicable(reason) => Some((false, format!("not applicable: {reason}"))),
        Standing::Broken(reason) => Some((true, format!("untestable: {reason}"))),
    };
    // What does not apply need not work.
    property.needs.iter().filter_map(|need| of(features.standing(*need))).min_by_key(|(broken, _)| *broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(only: &[&str]) -> Result<Vec<&'static str>, String> {
        let only: Vec<String> = only.iter().map(|glob| (*glob).to_owned()).collect();
        Ok(selected(&only)?.into_iter().map(|property| property.id).collect())
    }

    #[test]
    fn properties_are_named_with_or_without_their_prefix() {
        assert_eq!(ids(&[]).unwrap().len(), properties::all().len());
        let one = Ok(vec!["properties::histories"]);
        assert_eq!((ids(&["histories"]), ids(&["properties::histories"])), (one.clone(), one));
        assert_eq!(ids(&["r*"]).unwrap(), ["properties::races", "properties::round_trip"]);
        assert_eq!(ids(&["races", "hist*", "races"]).unwrap().len(), 2);
        let error = ids(&["histories", "historys"]).unwrap_err();
        assert_eq!(error, "--only \"historys\" matches no property; did you mean \"histories\"?");
        assert_eq!(ids(&["zzz"]).unwrap_err(), "--only \"zzz\" matches no property");
    }

    #[test]
    fn only_musts_fail_unless_it_is_strict() {
        assert!(
            properties::lapsed(false).contains("union.undeclared")
                && !properties::lapsed(true).contains("union.undeclared")
        );
        assert!(properties::lapsed(true).contains("presence.own-sessions"));
        assert!(!properties::lapsed(false).contains("union.leave"));
    }
}
