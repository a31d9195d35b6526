//! The interface between a run and its reporters: reporters consume, and never call back.

use std::io;

use super::result::{RunResult, ScenarioResult};

/// Something happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The plan is made; nothing was sent to the target but preflight.
    Started {
        /// The target's URL.
        url: &'a str,
        /// That of the second homeserver, where there is one.
        second: Option<&'a str>,
        /// How many scenarios will run.
        scenarios: usize,
        /// The seed, as `--seed` takes it.
        seed: u64,
        /// The run id, as `--run-id` takes it.
        run_id: &'a str,
        /// Loud notes from preflight, such as TLS verification being off.
        notes: &'a [String],
    },
    /// A scenario began.
    ScenarioStarted {
        /// Its id.
        id: &'a str,
    },
    /// A scenario ended.
    ScenarioFinished(&'a ScenarioResult),
    /// The run ended, interrupted or not.
    Finished(&'a RunResult),
}

/// Turns events into one format.
pub trait Reporter: Send {
    /// Takes an event. An error is about writing the report and never about the target.
    fn on(&mut self, event: &Event<'_>) -> io::Result<()>;
}
