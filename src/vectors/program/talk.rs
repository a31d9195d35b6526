//! The conversation with a program: a case, its answer, the next case; begun anew after every breakdown.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::TestError;
use super::answer::{self, Said};
use super::process::{Heard, LONGEST_LINE, Process};
use super::result::Outcome;

/// So many cases may a program leave without an answer before it has given any, and so many in a row may hang.
pub(super) const PATIENCE: usize = 5;

/// How a program is talked to.
#[derive(Clone, Debug)]
pub struct Talking {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Whether it is started for each case, which is then all that it is asked.
    pub per_case: bool,
    /// How long it has for each case.
    pub timeout: Duration,
    /// How many processes there are at once.
    pub jobs: usize,
}

impl Talking {
    fn program(&self) -> String {
        self.command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What became of a case.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer that can be judged.
    Said(Said),
    /// None: it crashed, hung, or said what cannot be understood.
    Broken {
        /// Which of them.
        outcome: Outcome,
        /// How.
        how: String,
        /// The last lines of its standard error.
        stderr: String,
    },
}

/// What is known of a program from all conversations with it.
#[derive(Debug, Default)]
pub(super) struct Acquaintance {
    spoke: AtomicBool,
    silence: Mutex<Silence>,
    gave_up: AtomicBool,
}

/// The cases that got no answer.
#[derive(Clone, Debug, Default)]
struct Silence {
    times: usize,
    how: String,
    stderr: String,
}

impl Acquaintance {
    /// Whether a conversation was given up.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }

    /// Why a program cannot be judged that was asked, and never gave an answer.
    pub(super) fn was_silent(&self, talking: &Talking) -> Option<TestError> {
        let Silence { times, how, stderr } =
            self.silence.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let silent = times > 0 && !self.spoke.load(Ordering::Relaxed);
        silent.then(|| TestError::Silent { program: talking.program(), times, how, stderr })
    }

    /// A case has got no answer; how often that has happened.
    fn hear_nothing(&self, how: &str, stderr: &str) -> usize {
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        let times = silence.times + 1;
        *silence = Silence { times, how: how.to_owned(), stderr: stderr.to_owned() };
        times
    }
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk<'t> {
    talking: &'t Talking,
    known: &'t Acquaintance,
    process: Option<Process>,
    /// How many cases have hung in a row.
    hung: usize,
}

impl<'t> Talk<'t> {
    pub(super) fn new(talking: &'t Talking, known: &'t Acquaintance) -> Self {
        Self { talking, known, process: None, hung: 0 }
    }

    /// Whether so many cases have hung in a row that the others are not worth their time.
    pub(super) fn gives_up(&self) -> bool {
        let gives_up = self.hung >= PATIENCE;
        self.known.gave_up.fetch_or(gives_up, Ordering::Relaxed);
        gives_up
    }

    /// Sends a case, a line without its line feed, and awaits the answer.
    pub(super) async fn ask(
        &mut self,
        id: &str,
        line: &str,
        field: Option<&str>,
    ) -> Result<Reply, TestError> {
        let process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.talking.command)
                .map_err(|error| TestError::Start { program: self.talking.program(), error })?,
        };
        let reply = self.converse(process, id, line, field).await;
        let Reply::Broken { outcome, how, stderr } = &reply else {
            self.hung = 0;
            return Ok(reply);
        };
        self.hung = if *outcome == Outcome::Hung { self.hung + 1 } else { 0 };
        // One that never answers is no program of ours: nothing would be learnt from further cases.
        match self.known.hear_nothing(how, stderr) {
            times if times < PATIENCE => Ok(reply),
            _ => self.known.was_silent(self.talking).map_or(Ok(reply), Err),
        }
    }

    async fn converse(&mut self, mut process: Process, id: &str, line: &str, field: Option<&str>) -> Reply {
        let deadline = Instant::now() + self.talking.timeout;
        let heard = process.ask(format!("{line}\n").as_bytes(), self.talking.per_case, deadline).await;
        let (outcome, how, until) = match heard {
            Heard::Line(line) => match answer::read(&line, id, field) {
                Ok(said) => {
                    self.known.spoke.store(true, Ordering::Relaxed);
                    return self.after_answer(process, said, deadline).await;
                }
                Err(what) => (Outcome::Garbled, format!("it answered {what}"), Instant::now()),
            },
            Heard::TooLong => {
                let how = format!("it answered more than {LONGEST_LINE} bytes without a line feed");
                (Outcome::Garbled, how, Instant::now())
            }
            Heard::Ended => (Outcome::Crashed, String::new(), deadline),
            Heard::Nothing { begun, deaf } => (Outcome::Hung, self.silence(begun, deaf), Instant::now()),
        };
        let (status, stderr) = process.post_mortem(until).await;
        let how = if outcome == Outcome::Crashed { self.death(status) } else { how };
        Reply::Broken { outcome, how, stderr }
    }

    /// A program that answers every case goes on; one that answers one has to end.
    async fn after_answer(&mut self, process: Process, said: Said, deadline: Instant) -> Reply {
        if !self.talking.per_case {
            self.process = Some(process);
            return Reply::Said(said);
        }
        let broken =
            |outcome, how: &str| Reply::Broken { outcome, how: how.to_owned(), stderr: String::new() };
        match process.end(deadline).await {
            None => broken(Outcome::Hung, "it answered, and did not end when its input had"),
            Some(status) if was_killed(status) => {
                broken(Outcome::Crashed, &format!("it answered, and then ended with {}", words(status)))
            }
            Some(_) => Reply::Said(said),
        }
    }

    /// Lets the program end when there is no case left.
    pub(super) async fn end(self) {
        if let Some(process) = self.process {
            process.end(Instant::now() + self.talking.timeout).await;
        }
    }

    fn silence(&self, begun: usize, deaf: bool) -> String {
        let seconds = self.talking.timeout.as_secs_f64();
        let silence = match (begun, deaf) {
            (0, false) => "it said nothing".to_owned(),
            (0, true) => "it had closed its input, and said nothing".to_owned(),
            (begun, _) => format!("it said {begun} bytes and no line feed"),
        };
        format!("{silence} within {seconds} s")
    }

    fn death(&self, status: Option<ExitStatus>) -> String {
        match status {
            None => "it closed its output without an answer".to_owned(),
            Some(status) if status.success() && !self.talking.per_case => {
                "it ended without an answer, with exit status 0; \
                 one that ends after each case is tested with --per-case"
                    .to_owned()
            }
            Some(status) => format!("it ended without an answer, with {}", words(status)),
        }
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status).is_some()
}

#[cfg(not(unix))]
fn was_killed(_: ExitStatus) -> bool {
    false
}

fn words(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}
