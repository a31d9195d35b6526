//! The reports of a run: every place is opened before it, every report is whole or not there.

use std::io;

use crate::engine::event::{Event, Reporter};
use crate::engine::result::RunResult;

use super::place::Place;
use super::spec::{Destination, Format, ReportSpec};
use super::{json, junit};

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Two reports would overwrite each other.
    #[error("two reports go to {0}: give each a place of its own")]
    SamePlace(Destination),
    /// The path cannot be opened, which is known before the run.
    #[error("cannot write the {format} report to {to}: {reason}")]
    Open {
        /// The report's format.
        format: Format,
        /// Where it should have gone.
        to: Destination,
        /// Why.
        reason: String,
    },
    /// Writing failed when the run had ended.
    #[error("cannot finish the {format} report to {to}: {source}")]
    Write {
        /// The report's format.
        format: Format,
        /// Where it should have gone.
        to: Destination,
        /// Why.
        source: io::Error,
    },
}

/// Every report that was asked for, open.
#[derive(Debug, Default)]
pub struct Sinks {
    sinks: Vec<Sink>,
}

#[derive(Debug)]
struct Sink {
    spec: ReportSpec,
    place: Place,
}

impl Sinks {
    /// Opens a place for each report, before anything is sent to a target.
    pub fn open(specs: &[ReportSpec]) -> Result<Self, ReportError> {
        let mut sinks: Vec<Sink> = Vec::new();
        for spec in specs {
            let place = Place::open(&spec.to).map_err(|reason| unopened(spec, reason))?;
            if sinks.iter().any(|known| known.place.is(&place)) {
                return Err(ReportError::SamePlace(spec.to.clone()));
            }
            sinks.push(Sink { spec: spec.clone(), place });
        }
        Ok(Self { sinks })
    }

    /// Whether a report goes to stdout, which then carries nothing else.
    pub fn uses_stdout(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.place, Place::Stdout))
    }

    /// Writes every report; one that fails does not keep the others from being written.
    ///
    /// A reader of stdout who has left (`| head`) is no error.
    pub fn write(&mut self, result: &RunResult) -> Vec<ReportError> {
        self.sinks.iter_mut().filter_map(|sink| sink.write(result).err()).collect()
    }
}

impl Reporter for Sinks {
    /// Writes every report when the run has ended; the error names each that could not be written.
    fn on(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Finished(result) = event else { return Ok(()) };
        let errors: Vec<String> = self.write(result).iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(()) } else { Err(io::Error::other(errors.join("; "))) }
    }
}

impl Sink {
    fn write(&mut self, result: &RunResult) -> Result<(), ReportError> {
        let Sink { spec, place } = self;
        let fail = |source| ReportError::Write { format: spec.format, to: spec.to.clone(), source };
        let mut bytes = Vec::new();
        match spec.format {
            Format::Json => json::write(result, &mut bytes),
            Format::Junit => junit::write(result, &mut bytes),
        }
        .map_err(fail)?;
        std::mem::replace(place, Place::Done).finish(&bytes).map_err(fail)
    }
}

fn unopened(spec: &ReportSpec, reason: String) -> ReportError {
    ReportError::Open { format: spec.format, to: spec.to.clone(), reason }
}
