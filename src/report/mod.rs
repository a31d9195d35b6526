//! Reports: one file per format. They consume events and results, and never call back.
//!
//! [`Terminal`] tells people what happens; [`Sinks`] writes what `--report` asked for, in the
//! formats of [`json`] and [`junit`]. What comes of testing a program with the vectors has a page and
//! files of its own in [`program`]. Whatever a target said is escaped before it is shown.

#[cfg(test)]
mod fixture;
pub mod json;
pub mod junit;
mod page;
mod place;
pub mod program;
mod sinks;
mod spec;
mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
mod text;

use crate::engine::result::ScenarioResult;
use crate::engine::verdict::gates;
use crate::spec::requirement;

pub(crate) use page::Page;
pub(crate) use place::Place;
pub use sinks::{ReportError, Reportable, Sinks};
pub use spec::{Destination, Format, ReportSpec, SpecError};
pub(crate) use style::Ink;
pub use style::Style;
pub use terminal::Terminal;
pub(crate) use terminal::failure::{heading, rule};
pub(crate) use text::{escape, escape_json, number, plural, shell_word, wrap};

/// Why a scenario did not pass, as the terminal tells it but without colour: its findings, or its reason.
pub fn told(scenario: &ScenarioResult, strict: bool) -> String {
    let gating = |id: &str| requirement::find(id).is_some_and(|rule| gates(rule, strict));
    match (scenario.findings.is_empty(), &scenario.reason) {
        (false, _) => terminal::failure::every(scenario, gating),
        (true, Some(reason)) => format!("{}: {}", scenario.outcome.word(), text::phrase(reason)),
        (true, None) => scenario.outcome.word().to_owned(),
    }
}

/// What a target said in one line, fit for a terminal: control characters and bidi overrides are escaped.
pub fn plain(text: &str) -> String {
    text::phrase(text)
}
