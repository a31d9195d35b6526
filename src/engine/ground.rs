//! What a property rests on: whatever it covers the other scenarios have shown before it plays.

use std::collections::BTreeSet;

use crate::outcome::{Evaluated, Stop};
use crate::scenarios::Scenario;
use crate::spec::requirement::{self, Level};

use super::verdict::Ended;

/// What is known of a target when a scenario begins, as far as the scenario rests on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// Why there is nothing to be found out by it.
    pub(super) given_way: Option<Stop>,
    /// The requirements that its histories do not demand: those that do not gate, because a history ends with
    /// the first that it breaks, and those that are known to be broken.
    pub(super) lapsed: BTreeSet<&'static str>,
}

impl Ground {
    /// The ground of a scenario, when these have ended; only properties rest on anything.
    ///
    /// Where a must is broken of an area that a property touches, its histories would find that again and again
    /// and nothing else, or something that comes of it. What could not be tested is no reason: the property may
    /// well test it.
    pub(super) fn of<'e>(
        scenario: &Scenario,
        gating: &BTreeSet<&'static str>,
        ended: impl Iterator<Item = &'e Ended>,
    ) -> Self {
        if scenario.property().is_none() {
            return Self::default();
        }
        let checks = ended.flat_map(|ended| &ended.evaluated);
        let broken: BTreeSet<&str> =
            checks.filter(|(_, came)| **came == Evaluated::Broken).map(|(id, _)| *id).collect();
        let is_must = |id: &str| requirement::find(id).is_some_and(|rule| rule.level == Level::Must);
        let touches = |id: &str| scenario.covers.iter().any(|covered| area(covered) == area(id));
        let given_way = broken.iter().find(|id| is_must(id) && touches(id));
        let given_way = given_way.map(|id| Stop::NotApplicable {
            reason: format!("rests on {id}, which failed; capcheck explore searches all the same"),
        });
        let demanded = |id: &&&str| gating.contains(**id) && !broken.contains(**id);
        Self { given_way, lapsed: scenario.covers.iter().filter(|id| !demanded(id)).copied().collect() }
    }
}

/// The area that a requirement is of.
fn area(id: &str) -> &str {
    id.split_once('.').map_or(id, |(area, _)| area)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::outcome::Outcome;
    use crate::scenarios;

    fn property() -> &'static Scenario {
        scenarios::all().find(|scenario| scenario.property().is_some()).unwrap()
    }

    /// What the property covers, at this level.
    fn covered(level: Level) -> &'static str {
        property().rules().find(|rule| rule.level == level).unwrap().id.as_str()
    }

    fn ended(id: &'static str, came: Evaluated) -> Ended {
        Ended {
            id: "union::x",
            covers: &[],
            outcome: Outcome::Passed,
            reason: None,
            whole: true,
            evaluated: BTreeMap::from([(id, came)]),
            by_chance: false,
        }
    }

    /// The ground after one scenario, in a run in which all musts gate and shoulds if it is strict.
    fn after(id: &'static str, came: Evaluated, strict: bool) -> Ground {
        let gates = |level| level == Level::Must || strict;
        let gating = property().rules().filter(|rule| gates(rule.level)).map(|rule| rule.id.as_str());
        Ground::of(property(), &gating.collect(), [ended(id, came)].iter())
    }

    #[test]
    fn a_broken_must_gives_way_and_a_broken_should_lapses() {
        let (must, should) = (covered(Level::Must), covered(Level::Should));
        let Some(Stop::NotApplicable { reason }) = after(must, Evaluated::Broken, true).given_way else {
            panic!("nothing is to be found out")
        };
        let said = format!("rests on {must}, which failed; capcheck explore searches all the same");
        assert_eq!(reason, said);
        let lapsed = after(should, Evaluated::Broken, true);
        assert!(lapsed.given_way.is_none());
        assert_eq!(lapsed.lapsed, BTreeSet::from([should]));
    }

    #[test]
    fn a_broken_must_that_it_does_not_name_gives_way_where_the_area_is_the_same() {
        let named = |id: &str| property().covers.contains(&id);
        let musts = requirement::all().iter().filter(|rule| rule.level == Level::Must);
        let beside = musts.map(|rule| rule.id.as_str()).find(|id| area(id) == "union" && !named(id)).unwrap();
        assert!(after(beside, Evaluated::Broken, true).given_way.is_some());
    }

    #[test]
    fn what_does_not_gate_is_not_demanded() {
        let ground = after(covered(Level::Must), Evaluated::Held, false);
        assert!(ground.given_way.is_none());
        let shoulds = property().rules().filter(|rule| rule.level < Level::Must);
        assert_eq!(ground.lapsed, shoulds.map(|rule| rule.id.as_str()).collect());
        assert!(after(covered(Level::Must), Evaluated::Held, true).lapsed.is_empty());
    }

    #[test]
    fn what_it_does_not_cover_is_nothing_to_it() {
        let mut ids = requirement::all().iter().map(|rule| rule.id.as_str());
        let touched: BTreeSet<&str> = property().covers.iter().map(|id| area(id)).collect();
        let elsewhere = ids.find(|id| !touched.contains(area(id))).unwrap();
        let ground = after(elsewhere, Evaluated::Broken, true);
        assert!(ground.given_way.is_none() && ground.lapsed.is_empty());
    }

    #[test]
    fn a_scenario_rests_on_nothing() {
        let scenario = scenarios::written().next().unwrap();
        let ground =
            Ground::of(scenario, &BTreeSet::new(), [ended(scenario.covers[0], Evaluated::Broken)].iter());
        assert!(ground.given_way.is_none() && ground.lapsed.is_empty());
    }
}
