//! The report for people: what happened as it happens, then a page that is understood within a minute.

pub(crate) mod failure;
mod progress;
mod summary;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};

use indicatif::ProgressDrawTarget;

use crate::engine::event::{Event, Reporter};
use crate::engine::result::{RunResult, ScenarioResult};
use crate::outcome::Outcome;

use super::page::Page;
use super::style::{Ink, Style};
use super::text;
use progress::Progress;

/// Writes plain lines while scenarios end and a page when the run does.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    style: Style,
    again: Option<String>,
    progress: Progress,
    /// What the run's own names hold.
    run_id: String,
    /// Why scenarios ended without an answer, as far as it was told: the causes.
    obstacles: HashSet<(Outcome, String)>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("style", &self.style)
            .field("again", &self.again)
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// A report on this stream. Colours are written as the style says, whatever the stream is.
    pub fn new(out: Box<dyn Write + Send>, style: Style) -> Self {
        let (progress, run_id, obstacles) = Default::default();
        Self { out, style, again: None, progress, run_id, obstacles }
    }

    /// The command that repeats the run, `capcheck run` and how the target was named; what selects
    /// scenarios and the seed are added to it. Without it, `capcheck run URL` is shown.
    pub fn again(mut self, command: impl Into<String>) -> Self {
        self.again = Some(command.into());
        self
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.progress.aside(|| out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    fn started(
        &mut self,
        (url, second): (&str, Option<&str>),
        scenarios: usize,
        seed: u64,
        run_id: &str,
        notes: &[String],
    ) -> io::Result<()> {
        self.run_id = run_id.to_owned();
        let mut page = Page::new(self.style);
        let what = text::plural(scenarios, "scenario");
        let (url, run_id) = (text::escape(url), text::escape(run_id));
        let second = second.map(|url| format!(" and {}", text::escape(url))).unwrap_or_default();
        page.paragraph(
            0,
            Ink::Strong,
            &what,
            &format!(" against {url}{second}, seed {seed}, run id {run_id}"),
        );
        for note in notes {
            page.paragraph(0, Ink::Warn, "note:", &format!(" {}", text::phrase(note)));
        }
        self.write(&page.finish())?;
        if self.style.progress {
            self.progress = Progress::over(scenarios, ProgressDrawTarget::stderr());
        }
        Ok(())
    }

    fn ended(&mut self, scenario: &ScenarioResult) -> io::Result<()> {
        self.progress.finished(scenario.outcome);
        if !self.is_news(scenario) && !self.style.verbose {
            return Ok(());
        }
        let (ink, word) = match scenario.outcome {
            Outcome::Passed => (Ink::Good, "pass"),
            Outcome::Failed => (Ink::Bad, "fail"),
            Outcome::Untestable => (Ink::Warn, "untestable"),
            Outcome::NotApplicable => (Ink::Dim, "n/a "),
            Outcome::HarnessFault => (Ink::Warn, "harness fault"),
        };
        let (id, took) = (text::escape(&scenario.id), text::duration(scenario.duration_ms));
        let asked = match self.style.verbose {
            true => format!(", {}", text::plural(scenario.requests, "request")),
            false => String::new(),
        };
        let row = format!("  {id}  {took}{asked}  {}", why(scenario));
        let row = text::fit(row.trim_end(), self.style.width.saturating_sub(word.len()));
        self.write(&format!("{}{row}\n", self.style.paint(ink, word)))
    }

    /// What does not apply is none, nor is an obstacle met before: the page at the end groups both by cause.
    fn is_news(&mut self, scenario: &ScenarioResult) -> bool {
        match scenario.outcome {
            Outcome::Passed | Outcome::NotApplicable => false,
            Outcome::Failed => true,
            Outcome::Untestable | Outcome::HarnessFault => {
                let reason = scenario.reason.as_deref().unwrap_or_default();
                self.obstacles.insert((scenario.outcome, text::cause(reason, &self.run_id)))
            }
        }
    }

    fn page(&self, result: &RunResult) -> String {
        let again = match &self.again {
            Some(command) => command.clone(),
            None => format!("capcheck run {}", text::shell_word(&text::escape(&result.target.url))),
        };
        let mut page = Page::new(self.style);
        page.row("");
        if result.preflight_error.is_none() {
            failure::section(&mut page, result);
            summary::unanswered(&mut page, result);
            summary::not_applicable(&mut page, result);
            summary::observations(&mut page, result);
            summary::table(&mut page, result);
        }
        summary::verdict(&mut page, result, &again);
        page.finish()
    }
}

/// The reason, or the requirements that broke.
fn why(scenario: &ScenarioResult) -> String {
    let mut broken: Vec<&str> = scenario.findings.iter().map(|f| f.requirement.as_str()).collect();
    broken.dedup();
    text::escape(&scenario.reason.clone().unwrap_or_else(|| broken.join(" ")))
}

impl Reporter for Terminal {
    fn on(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started { url, second, scenarios, seed, run_id, notes } => {
                self.started((url, *second), *scenarios, *seed, run_id, notes)
            }
            Event::ScenarioStarted { id } => {
                self.progress.started(id);
                Ok(())
            }
            Event::ScenarioFinished(scenario) => self.ended(scenario),
            Event::Finished(result) => {
                self.progress.clear();
                let page = self.page(result);
                self.write(&page)
            }
        }
    }
}
