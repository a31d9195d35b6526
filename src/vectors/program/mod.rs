//! Testing a program with the vectors: any implementation, in any language, without a server.
//!
//! The program is talked to over its standard input and output, one case after the other, so that a crash
//! or a hang is put down to the right one. Its answers are judged, and what it gets wrong is
//! put down to mistakes, unless its people [know of it](Deviations).

mod answer;
mod deviations;
mod diagnosis;
mod judge;
mod process;
mod result;
mod select;
mod talk;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use futures_util::future::try_join_all;
use serde_json::json;

pub use deviations::{Deviations, DeviationsError};
pub use result::{
    CaseResult, Conformance, Counts, Departure, DeviationResult, Manner, MistakeResult, Outcome,
    ProgramResult, REPORT_VERSION, SubjectResult, Suite,
};
pub use select::{SelectError, Selection};
pub use talk::Talking;

use select::{Asked, Library};
use talk::{Acquaintance, Talk};

/// Why a program cannot be tested.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is nothing to ask it.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// It cannot be started.
    #[error("cannot start {program:?}: {error}{}", way_to_start(error))]
    Start {
        /// The program.
        program: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// It has never answered.
    #[error(
        "{program:?} gave no answer to any of {times} cases, the last time because {how}; an answer is a line of \
         JSON for each case and nothing else, flushed before the next case is read{}",
        last_words(stderr)
    )]
    Silent {
        /// The program.
        program: String,
        /// How many cases it left unanswered.
        times: usize,
        /// What it did last.
        how: String,
        /// The last lines of its standard error.
        stderr: String,
    },
}

/// What helps where a script was given for a program.
fn way_to_start(error: &std::io::Error) -> &'static str {
    /// What Unix says of a file that no program can be made of.
    const ENOEXEC: i32 = 8;
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "; make it executable, or give its interpreter first",
        _ if error.raw_os_error() == Some(ENOEXEC) => "; it has no #! line: give its interpreter first",
        _ => "",
    }
}

fn last_words(stderr: &str) -> String {
    match stderr.lines().last() {
        Some(line) => format!("; it says on standard error: {line}"),
        None => String::new(),
    }
}

/// A test that can be made.
pub struct Test {
    library: Library,
    selection: Selection,
    deviations: Deviations,
    talking: Talking,
}

impl Test {
    /// A test of a program by a selection of cases.
    ///
    /// # Errors
    ///
    /// [`SelectError`] where the selection names what is not there, or leaves nothing.
    pub fn new(talking: Talking, selection: Selection, deviations: Deviations) -> Result<Self, SelectError> {
        let library = Library::load();
        library.select(&selection)?;
        Ok(Self { library, selection, deviations, talking })
    }

    /// How many cases will be asked.
    pub fn cases(&self) -> usize {
        self.library.select(&self.selection).map_or(0, |asked| asked.len())
    }

    /// Makes the test, which ends early when `interrupt` does, and tells of each case as it was tried. No process of
    /// the program's group is left behind.
    ///
    /// # Errors
    ///
    /// [`TestError`] where the program cannot be started, or says nothing at all.
    pub async fn run(
        &self,
        interrupt: impl Future<Output = ()>,
        told: impl Fn(&CaseResult),
    ) -> Result<ProgramResult, TestError> {
        let asked = self.library.select(&self.selection)?;
        let (started_at, clock) = (Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true), Instant::now());
        let results = Mutex::new(Vec::with_capacity(asked.len()));
        let keep = |place: usize, result: CaseResult| {
            told(&result);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        };
        let known = Acquaintance::default();
        let interrupted = tokio::select! {
            biased;
            () = interrupt => true,
            done = self.ask_all(&asked, &known, &keep) => done.map(|()| false)?,
        };
        if let Some(error) = known.was_silent(&self.talking).filter(|_| !interrupted) {
            return Err(error);
        }
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(place, _)| *place);
        let (places, mut cases): (Vec<usize>, Vec<CaseResult>) = results.into_iter().unzip();
        let deviations = self.deviations.settle(&self.library, &mut cases);
        let tried: Vec<(Asked<'_>, CaseResult)> =
            places.iter().map(|place| asked[*place]).zip(cases).collect();
        let mistakes = diagnosis::diagnose(&self.library, &tried);
        let cases: Vec<CaseResult> = tried.into_iter().map(|(_, case)| case).collect();
        let counts = Counts::of(asked.len(), cases.iter());
        let subjects = by_subject(&asked, &cases);
        Ok(ProgramResult {
            schema_version: REPORT_VERSION,
            suite: Suite::current(),
            program: self.talking.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            per_case: self.talking.per_case,
            timeout_s: self.talking.timeout.as_secs_f64(),
            selection: self.selection.clone(),
            started_at,
            duration_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
            interrupted,
            gave_up: known.gave_up(),
            verdict: verdict(&counts, &subjects, &deviations, &cases),
            counts,
            subjects,
            mistakes,
            deviations,
            cases,
        })
    }

    /// Asks every case, in as many conversations as there may be processes: each has every n-th case.
    async fn ask_all(
        &self,
        asked: &[Asked<'_>],
        known: &Acquaintance,
        keep: &impl Fn(usize, CaseResult),
    ) -> Result<(), TestError> {
        let jobs = self.talking.jobs.clamp(1, asked.len().max(1));
        let conversation = |first: usize| async move {
            let mut talk = Talk::new(&self.talking, known);
            for (place, asked) in asked.iter().enumerate().skip(first).step_by(jobs) {
                let reply = talk.ask(&asked.case.id, &question(asked), asked.subject.answer()).await?;
                keep(place, judge::judge(asked, reply, self.selection.strict));
                if talk.gives_up() {
                    break;
                }
            }
            talk.end().await;
            Ok(())
        };
        try_join_all((0..jobs).map(conversation)).await.map(drop)
    }
}

/// The line that asks a case.
fn question(asked: &Asked<'_>) -> String {
    let (id, subject, input) = (&asked.case.id, asked.subject.name(), &asked.case.input);
    super::to_line(&json!({ "id": id, "subject": subject, "input": input }))
}

fn by_subject(asked: &[Asked<'_>], cases: &[CaseResult]) -> Vec<SubjectResult> {
    let mut names: Vec<&str> = asked.iter().map(|asked| asked.subject.name()).collect();
    names.dedup();
    let counts = |name: &str| {
        let selected = asked.iter().filter(|asked| asked.subject.name() == name).count();
        Counts::of(selected, cases.iter().filter(|case| case.subject == name))
    };
    names.into_iter().map(|name| SubjectResult { subject: name.to_owned(), counts: counts(name) }).collect()
}

fn verdict(
    counts: &Counts,
    subjects: &[SubjectResult],
    deviations: &[DeviationResult],
    cases: &[CaseResult],
) -> Conformance {
    let failed = cases.iter().any(|case| case.is_unexpected() && case.gates);
    let stale = deviations.iter().any(|deviation| !deviation.stale.is_empty());
    let partial = subjects.iter().any(SubjectResult::is_partial);
    match () {
        () if failed || stale => Conformance::NonConformant,
        () if counts.passed == 0 || counts.untried() > 0 || partial => Conformance::Incomplete,
        () if counts.expected > 0 => Conformance::AsExpected,
        () => Conformance::Conformant,
    }
}
