//! Performs a saved failure again.

use std::time::Duration;

use crate::outcome::Stop;
use crate::spec::history::walk::Walk;
use crate::spec::history::{History, Step, Terrain};

use super::failure::Failure;
use super::perform::{Performance, Theatre, Violation, perform, terrain_of};

/// What came of performing a failure again, so many times.
#[derive(Debug, Default)]
pub struct Replayed {
    /// How often it was performed to its end, or to its violation.
    pub tried: usize,
    /// How often it failed.
    pub failed: usize,
    /// The last time that it failed.
    pub last: Option<Violation>,
    /// Why it was not performed as often as it should have been.
    pub stop: Option<Stop>,
}

/// What is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It never failed.
    Fixed,
    /// It failed each time.
    StillFailing,
    /// It failed now and then.
    Flaky,
    /// It could not be performed, and never failed as far as it was.
    Untestable,
}

impl Replayed {
    /// What is to be said of it.
    pub fn standing(&self) -> Standing {
        match (self.failed, self.stop.is_some()) {
            (0, false) => Standing::Fixed,
            (0, true) => Standing::Untestable,
            (failed, _) if failed == self.tried => Standing::StillFailing,
            _ => Standing::Flaky,
        }
    }

    fn count(&mut self, performance: Performance) {
        match (performance.violation, performance.stop) {
            (Some(violation), _) => {
                self.tried += 1;
                self.failed += 1;
                self.last = Some(violation);
            }
            (None, Some(stop)) => self.stop = Some(stop),
            (None, None) => self.tried += 1,
        }
    }
}

/// Performs a failure's history so many times, each with users of its own; ends early where it cannot be
/// performed. Effects are waited for as long as the target is granted.
pub async fn replay(theatre: &Theatre, failure: &Failure, times: usize) -> Replayed {
    let mut replayed = Replayed::default();
    if let Some(stop) = lacking(&failure.history, &terrain_of(&theatre.world)) {
        replayed.stop = Some(stop);
        return replayed;
    }
    let (run_id, settle) = (&theatre.world.run_id, theatre.world.target.limits.settle);
    for time in 0..times {
        let performed = performed(theatre, failure, &format!("{run_id}r{time}"), settle).await;
        replayed.count(performed);
        if replayed.stop.is_some() {
            break;
        }
    }
    replayed
}

/// One performance; another one with other users where a prerequisite broke.
async fn performed(theatre: &Theatre, failure: &Failure, nonce: &str, settle: Duration) -> Performance {
    let first = perform(theatre, &failure.history, nonce, settle).await;
    match (&first.violation, &first.stop) {
        (None, Some(Stop::Untestable { .. })) => {
            perform(theatre, &failure.history, &format!("{nonce}b"), settle).await
        }
        _ => first,
    }
}

/// Why a target cannot perform a history at all: it does not offer what a step takes.
fn lacking(history: &History, terrain: &Terrain) -> Option<Stop> {
    let (at, step) = first_impossible(history, terrain)?;
    let reason =
        format!("step {}, \"{step}\", takes what the target does not offer: capcheck doctor", at + 1);
    Some(Stop::Untestable { reason, exchange: None })
}

/// The first step that cannot be done where it stands, and its place: by somebody who is not there, for
/// example, or because the target does not offer what it takes.
pub(super) fn first_impossible<'h>(history: &'h History, terrain: &Terrain) -> Option<(usize, &'h Step)> {
    let mut walk = Walk::new(history.sets.clone(), *terrain);
    let mut possible = |step: &Step| match step {
        Step::One(act) => walk.act(act),
        Step::AtOnce(lanes) => {
            let mut left = lanes.clone();
            walk.at_once(&mut left);
            left == *lanes && !lanes.is_empty()
        }
    };
    history.steps.iter().enumerate().find(|(_, step)| !possible(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(tried: usize, failed: usize, stops: bool) -> Standing {
        let stop = stops.then(|| Stop::HarnessFault { reason: String::new() });
        Replayed { tried, failed, last: None, stop }.standing()
    }

    #[test]
    fn what_is_said_hangs_on_how_often_it_failed() {
        assert_eq!(standing(3, 0, false), Standing::Fixed);
        assert_eq!(standing(3, 3, false), Standing::StillFailing);
        assert_eq!(standing(3, 1, false), Standing::Flaky);
        assert_eq!(standing(0, 0, true), Standing::Untestable);
        assert_eq!(standing(2, 0, true), Standing::Untestable, "two good ones show little");
        assert_eq!(standing(2, 2, true), Standing::StillFailing);
    }
}
