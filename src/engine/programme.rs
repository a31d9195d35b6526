//! Which scenario plays next, and which once more because the target was away while it failed.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::scenarios::Scenario;
use crate::target::features::Feature;

use super::plan::Plan;

/// How often a scenario is played that fails while the target is away. What fails every time stands:
/// a target that breaks off connections all the time cannot hide behind that.
const PERFORMANCES: usize = 3;

/// What is still to be played of a plan.
#[derive(Debug)]
pub(super) struct Programme<'p> {
    plan: &'p Plan,
    /// By their places in the plan.
    waiting: VecDeque<usize>,
    /// What failed while the target was away: after all others, when it is likely to be back.
    again: VecDeque<usize>,
    /// Of every scenario of the plan.
    performances: Vec<usize>,
}

/// A scenario whose turn it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Its place in the plan.
    pub(super) at: usize,
    pub(super) scenario: &'static Scenario,
    /// For which time it plays, from 1.
    pub(super) time: usize,
}

impl<'p> Programme<'p> {
    /// Everything, what is likely to take longest first.
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut waiting: Vec<usize> = (0..plan.scenarios.len()).collect();
        waiting.sort_by_key(|at| Reverse(duration(plan.scenarios[*at])));
        let performances = vec![0; waiting.len()];
        Self { plan, waiting: waiting.into(), again: VecDeque::new(), performances }
    }

    /// Whoever is next.
    pub(super) fn next(&mut self) -> Option<Turn> {
        let at = self.waiting.pop_front().or_else(|| self.again.pop_front())?;
        self.performances[at] += 1;
        Some(Turn { at, scenario: self.plan.scenarios[at], time: self.performances[at] })
    }

    /// Whether a scenario is to play once more, of which this performance is in doubt; then it has its turn.
    /// What once failed has to be seen in a performance without doubt, even if it passed.
    pub(super) fn repeats(&mut self, at: usize, failed: bool) -> bool {
        let performances = self.performances[at];
        let repeats = (failed || performances > 1) && performances < PERFORMANCES;
        self.again.extend(repeats.then_some(at));
        repeats
    }

    /// The scenarios that were played more than once.
    pub(super) fn repeated(&self) -> Vec<&'static str> {
        let played = self.plan.scenarios.iter().zip(&self.performances);
        played.filter(|(_, times)| **times > 1).map(|(scenario, _)| scenario.id).collect()
    }
}

/// How long a scenario is likely to take. A target may need half a minute to give another homeserver up: the
/// others play meanwhile.
fn duration(scenario: &Scenario) -> u8 {
    match scenario.needs.contains(&Feature::Federation) {
        true if scenario.covers.contains(&"federation.lookup-failure") => 2,
        true => 1,
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::result::Selection;

    #[test]
    fn what_takes_long_is_first_and_what_is_in_doubt_is_last() {
        let plan = Plan::new(Selection::default()).unwrap();
        let mut programme = Programme::of(&plan);
        let first = programme.next().unwrap();
        assert!(first.scenario.covers.contains(&"federation.lookup-failure"), "{}", first.scenario.id);
        assert!(!programme.repeats(first.at, false), "what passed stands");
        assert!(programme.repeats(first.at, true));
        let rest: Vec<Turn> = std::iter::from_fn(|| programme.next()).collect();
        assert_eq!(rest.len(), plan.scenarios.len());
        let last = rest.last().unwrap();
        assert_eq!((last.at, last.time), (first.at, 2));
        assert_eq!(programme.repeated(), [first.scenario.id]);
        assert!(programme.repeats(first.at, false), "it may have passed by chance");
        assert_eq!(programme.next().map(|turn| turn.time), Some(PERFORMANCES));
        assert!(!programme.repeats(first.at, true), "what fails every time stands");
        assert!(programme.next().is_none());
    }
}
