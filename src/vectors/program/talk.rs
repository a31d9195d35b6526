//! The conversation with a program: a case, its answer, the next case; begun anew after every breakdown.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::TestError;
use super::answer::{self, Said};
use super::process::{Heard, LONGEST_LINE, Process};
use super::result::Outcome;

/// So many cases in a row may a program leave without a word before it has answered any.
const PATIENCE: usize = 5;

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
    silent: AtomicUsize,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk<'t> {
    talking: &'t Talking,
    known: &'t Acquaintance,
    process: Option<Process>,
}

impl<'t> Talk<'t> {
    pub(super) fn new(talking: &'t Talking, known: &'t Acquaintance) -> Self {
        Self { talking, known, process: None }
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
                .map_err(|error| TestError::Start { program: self.program(), error })?,
        };
        let reply = self.converse(process, id, line, field).await;
        match &reply {
            Reply::Broken { outcome: Outcome::Crashed | Outcome::Hung, how, stderr } => {
                self.was_silent(how, stderr)?;
            }
            _ => self.known.spoke.store(true, Ordering::Relaxed),
        }
        Ok(reply)
    }

    async fn converse(&mut self, mut process: Process, id: &str, line: &str, field: Option<&str>) -> Reply {
        let deadline = Instant::now() + self.talking.timeout;
        let heard = process.ask(format!("{line}\n").as_bytes(), self.talking.per_case, deadline).await;
        let (outcome, how, until) = match heard {
            Heard::Line(line) => match answer::read(&line, id, field) {
                Ok(said) => return self.after_answer(process, said, deadline).await,
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

    /// A program that never says a word is no program of ours: nothing would be learnt from further cases.
    fn was_silent(&self, how: &str, stderr: &str) -> Result<(), TestError> {
        if self.known.spoke.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.known.silent.fetch_add(1, Ordering::Relaxed) + 1 {
            times if times < PATIENCE => Ok(()),
            times => Err(TestError::Silent {
                program: self.program(),
                times,
                how: how.to_owned(),
                stderr: stderr.to_owned(),
            }),
        }
    }

    fn program(&self) -> String {
        self.talking.command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
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
