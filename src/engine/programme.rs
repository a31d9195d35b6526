//! Which scenario plays next, and which once more because the target was away while it played.
//!
//! Properties play when all others have ended: they rest on what those show.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::outcome::Outcome;
use crate::scenarios::Scenario;
use crate::target::features::Feature;

use super::plan::Plan;

/// How often a scenario is played at most whose performances are in doubt. What fails every time stands:
/// a target that breaks off connections all the time cannot hide behind that. The last time it plays alone,
/// so that it fails by its own doing and not by that of one beside it.
const PERFORMANCES: usize = 3;

/// What makes a performance doubtful.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt {
    /// Connections were refused or broken off meanwhile: what failed may have failed for that.
    pub(super) broken_off: bool,
    /// Nobody was there for a while: the target may have been restarted, and be silent because it has
    /// forgotten.
    pub(super) away: bool,
}

/// What is still to be played of a plan.
#[derive(Debug)]
pub(super) struct Programme<'p> {
    plan: &'p Plan,
    /// By their places in the plan.
    waiting: VecDeque<usize>,
    /// What is in doubt because the target was away: after all others, when it is likely to be back.
    again: VecDeque<usize>,
    /// The properties of the plan, until all others have ended.
    second_act: VecDeque<usize>,
    /// Of every scenario of the plan.
    performances: Vec<usize>,
    /// Whether what plays now plays alone.
    alone: bool,
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
        let is_property = |at: &usize| plan.scenarios[*at].property().is_some();
        let (second_act, mut waiting): (Vec<usize>, Vec<usize>) =
            (0..plan.scenarios.len()).partition(is_property);
        waiting.sort_by_key(|at| Reverse(duration(plan.scenarios[*at])));
        let performances = vec![0; plan.scenarios.len()];
        let (waiting, second_act) = (waiting.into(), second_act.into());
        Self { plan, waiting, again: VecDeque::new(), second_act, performances, alone: false }
    }

    /// Whoever is next beside so many that play; nobody, where one of them has to play alone or ends an act.
    pub(super) fn next(&mut self, playing: usize) -> Option<Turn> {
        if playing == 0 && self.waiting.is_empty() && self.again.is_empty() {
            self.waiting = std::mem::take(&mut self.second_act);
        }
        let once_more = self.waiting.is_empty();
        let at = *self.waiting.front().or(self.again.front())?;
        let alone = self.performances[at] + 1 == PERFORMANCES;
        if playing > 0 && (alone || self.alone) {
            return None;
        }
        if once_more {
            self.again.pop_front()
        } else {
            self.waiting.pop_front()
        };
        self.alone = alone;
        self.performances[at] += 1;
        Some(Turn { at, scenario: self.plan.scenarios[at], time: self.performances[at] })
    }

    /// Whether a scenario is to play once more; then it has its turn. What was cut short stays so, as a target
    /// that goes down under test should be looked at.
    pub(super) fn repeats(&mut self, at: usize, outcome: Outcome, doubt: Doubt) -> bool {
        let performances = self.performances[at];
        let doubtful = match outcome {
            Outcome::Failed => doubt.broken_off,
            // What was in doubt once has to be seen in a performance without any.
            _ if performances > 1 => doubt.broken_off,
            Outcome::Passed => doubt.away,
            _ => false,
        };
        let repeats = doubtful && performances < PERFORMANCES;
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

    const NONE: Doubt = Doubt { broken_off: false, away: false };
    const BROKEN: Doubt = Doubt { broken_off: true, away: false };
    const AWAY: Doubt = Doubt { broken_off: true, away: true };

    #[test]
    fn what_takes_long_is_first_and_what_is_in_doubt_is_last_and_in_the_end_alone() {
        let plan = Plan::new(Selection { skip: vec!["properties::*".to_owned()], ..Selection::default() });
        let plan = plan.unwrap();
        let mut programme = Programme::of(&plan);
        let first = programme.next(0).unwrap();
        assert!(first.scenario.covers.contains(&"federation.lookup-failure"), "{}", first.scenario.id);
        assert!(programme.repeats(first.at, Outcome::Failed, BROKEN));
        let rest: Vec<Turn> = std::iter::from_fn(|| programme.next(1)).collect();
        assert_eq!(rest.len(), plan.scenarios.len());
        let last = rest.last().unwrap();
        assert_eq!((last.at, last.time), (first.at, 2));
        assert_eq!(programme.repeated(), [first.scenario.id]);
        assert!(programme.repeats(rest[0].at, Outcome::Failed, BROKEN));
        assert!(programme.repeats(first.at, Outcome::Passed, BROKEN), "it may have passed by chance");
        assert_eq!(programme.next(1).map(|turn| turn.at), Some(rest[0].at));
        assert!(programme.next(1).is_none(), "the last time is not beside another");
        assert_eq!(programme.next(0).map(|turn| (turn.at, turn.time)), Some((first.at, PERFORMANCES)));
        assert!(programme.repeats(rest[0].at, Outcome::Failed, BROKEN));
        assert!(programme.next(1).is_none(), "nor is another beside it");
        assert!(!programme.repeats(first.at, Outcome::Failed, AWAY), "what fails every time stands");
        assert_eq!(programme.next(0).map(|turn| turn.at), Some(rest[0].at));
        assert!(programme.next(0).is_none());
    }

    #[test]
    fn properties_play_when_all_others_have_ended() {
        let plan = Plan::new(Selection::default()).unwrap();
        let mut programme = Programme::of(&plan);
        let first: Vec<Turn> = std::iter::from_fn(|| programme.next(1)).collect();
        assert!(first.iter().all(|turn| turn.scenario.property().is_none()));
        assert!(programme.repeats(first[0].at, Outcome::Failed, BROKEN));
        assert_eq!(programme.next(1).map(|turn| turn.at), Some(first[0].at));
        assert!(programme.next(1).is_none(), "somebody still plays");
        let second: Vec<Turn> =
            programme.next(0).into_iter().chain(std::iter::from_fn(|| programme.next(1))).collect();
        let ids: Vec<&str> = second.iter().map(|turn| turn.scenario.id).collect();
        assert_eq!(ids, crate::properties::all().iter().map(|property| property.id).collect::<Vec<_>>());
        assert!(programme.next(0).is_none());
    }

    #[test]
    fn what_a_restart_may_have_made_is_in_doubt() {
        let plan = Plan::new(Selection::default()).unwrap();
        for (outcome, doubt, repeats) in [
            (Outcome::Failed, NONE, false),
            (Outcome::Failed, BROKEN, true),
            (Outcome::Passed, BROKEN, false),
            (Outcome::Passed, AWAY, true),
            (Outcome::Untestable, AWAY, false),
        ] {
            let mut programme = Programme::of(&plan);
            let at = programme.next(0).unwrap().at;
            assert_eq!(programme.repeats(at, outcome, doubt), repeats, "{outcome:?} {doubt:?}");
        }
    }
}
