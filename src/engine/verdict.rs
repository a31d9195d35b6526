//! From checks to outcomes, and from outcomes to the verdict.

use std::collections::BTreeMap;

use crate::outcome::{Evaluated, Outcome};
use crate::spec::requirement::{Level, Requirement};

use super::result::{RequirementResult, Tally, Verdict};

/// What one scenario came to, as far as requirements are concerned.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The scenario.
    pub id: &'static str,
    /// The requirements it covers.
    pub covers: &'static [&'static str],
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where it neither passed nor failed by a finding.
    pub reason: Option<String>,
    /// Whether it came to its last line.
    pub whole: bool,
    /// What its checks came to.
    pub evaluated: BTreeMap<&'static str, Evaluated>,
    /// Whether it is a property: which of the requirements that it covers its histories come upon is chance.
    pub by_chance: bool,
}

/// Whether a requirement gates.
pub fn gates(requirement: &Requirement, strict: bool) -> bool {
    requirement.level == Level::Must || (strict && requirement.level == Level::Should)
}

/// What came of a requirement, given every scenario that covers it.
///
/// Failed if any check failed; passed if every scenario that applies came to its end and evaluated a
/// check; not applicable if none applies; untestable otherwise.
///
/// A property can fail a requirement like any scenario. That it does not is no more than was to be expected
/// where the histories that it drew never came upon it, or where it could not be performed: then the
/// requirement is what its other scenarios make of it, and that the property was cut short is for the
/// [verdict] to tell. Where no other scenario applies, as in `--only properties::*`, what a property has
/// checked is what there is.
pub fn judge(requirement: &Requirement, strict: bool, scenarios: &[Ended]) -> RequirementResult {
    let id = requirement.id.as_str();
    let covering: Vec<&Ended> = scenarios.iter().filter(|ended| ended.covers.contains(&id)).collect();
    let (outcome, reason) = outcome(id, &covering);
    RequirementResult {
        id: requirement.id.clone(),
        level: requirement.level,
        basis: requirement.basis,
        gating: gates(requirement, strict),
        outcome,
        reason,
        scenarios: covering.iter().map(|ended| ended.id.to_owned()).collect(),
    }
}

fn outcome(id: &str, covering: &[&Ended]) -> (Outcome, Option<String>) {
    let found = |what| covering.iter().any(|ended| ended.evaluated.get(id) == Some(&what));
    if found(Evaluated::Broken) {
        return (Outcome::Failed, None);
    }
    let applying = covering.iter().filter(|ended| ended.outcome != Outcome::NotApplicable);
    let (by_chance, own): (Vec<&Ended>, Vec<&Ended>) = applying.partition(|ended| ended.by_chance);
    let open = own.iter().find(|ended| !ended.whole || !ended.evaluated.contains_key(id));
    if let Some(ended) = open {
        let why = ended.reason.clone().unwrap_or_else(|| format!("{} evaluated no check for it", ended.id));
        return (Outcome::Untestable, Some(why));
    }
    if own.is_empty() && by_chance.iter().all(|ended| !ended.evaluated.contains_key(id)) {
        return unchecked(covering, &by_chance);
    }
    if found(Evaluated::DoneWithout) {
        return (Outcome::NotApplicable, Some("optional, and the target does without it".to_owned()));
    }
    (Outcome::Passed, None)
}

/// What a requirement comes to of which nothing was checked and nothing had to be.
fn unchecked(covering: &[&Ended], by_chance: &[&Ended]) -> (Outcome, Option<String>) {
    let cut_short = by_chance.iter().find(|ended| !ended.whole);
    if let Some(ended) = cut_short {
        return (Outcome::Untestable, ended.reason.clone());
    }
    let reason = covering.iter().find_map(|ended| ended.reason.clone());
    let otherwise = if by_chance.is_empty() { NO_SCENARIO } else { NO_HISTORY };
    (Outcome::NotApplicable, reason.or_else(|| Some(otherwise.to_owned())))
}

/// Why a requirement without a scenario is not applicable.
const NO_SCENARIO: &str = "not in this version";

/// Why a requirement is not applicable that is covered by chance alone.
const NO_HISTORY: &str = "no history that was performed came upon it";

/// The answer, over gating requirements, and over properties: where one could not be performed to its end no
/// requirement tells so, and yet less was tested than was asked for.
pub fn verdict(gating: &Tally, ended: &[Ended]) -> Verdict {
    let cut_short = |ended: &Ended| {
        ended.by_chance && matches!(ended.outcome, Outcome::Untestable | Outcome::HarnessFault)
    };
    match gating {
        tally if tally.failed > 0 => Verdict::NonConformant,
        tally if tally.untestable > 0 || tally.passed == 0 => Verdict::Incomplete,
        _ if ended.iter().any(cut_short) => Verdict::Incomplete,
        _ => Verdict::Conformant,
    }
}

/// Counts outcomes.
pub fn tally(outcomes: impl IntoIterator<Item = Outcome>) -> Tally {
    let mut tally = Tally::default();
    for outcome in outcomes {
        tally.total += 1;
        *match outcome {
            Outcome::Passed => &mut tally.passed,
            Outcome::Failed => &mut tally.failed,
            Outcome::Untestable => &mut tally.untestable,
            Outcome::NotApplicable => &mut tally.not_applicable,
            Outcome::HarnessFault => &mut tally.harness_fault,
        } += 1;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::requirement::Basis;

    const COVERS: &[&str] = &["upload.refuse-unknown"];

    fn rule(level: Level) -> Requirement {
        Requirement {
            id: COVERS[0].to_owned(),
            level,
            basis: Basis::Draft,
            sentences: vec!["C6".to_owned()],
            source: None,
            text: String::new(),
        }
    }

    fn ended(outcome: Outcome, whole: bool, evaluated: Option<Evaluated>) -> Ended {
        let evaluated = evaluated.map(|e| (COVERS[0], e)).into_iter().collect();
        let reason = Some("why".to_owned());
        Ended { id: "upload::x", covers: COVERS, outcome, reason, whole, evaluated, by_chance: false }
    }

    /// The same of a property.
    fn drawn(outcome: Outcome, whole: bool, evaluated: Option<Evaluated>) -> Ended {
        Ended { id: "properties::x", by_chance: true, ..ended(outcome, whole, evaluated) }
    }

    fn judged(scenarios: &[Ended]) -> Outcome {
        judge(&rule(Level::Must), false, scenarios).outcome
    }

    #[test]
    fn one_failed_check_fails_the_requirement_whatever_the_rest_did() {
        let passed = ended(Outcome::Passed, true, Some(Evaluated::Held));
        let failed = ended(Outcome::Failed, false, Some(Evaluated::Broken));
        let broken = ended(Outcome::Untestable, false, None);
        assert_eq!(judged(&[passed, broken, failed]), Outcome::Failed);
    }

    #[test]
    fn every_applicable_scenario_must_end_and_have_checked() {
        let passed = ended(Outcome::Passed, true, Some(Evaluated::Held));
        let silent = ended(Outcome::Passed, true, None);
        let stopped = ended(Outcome::Untestable, false, Some(Evaluated::Held));
        let other = ended(Outcome::NotApplicable, false, None);
        assert_eq!(judged(&[passed.clone(), other.clone()]), Outcome::Passed);
        assert_eq!(judged(&[passed.clone(), silent]), Outcome::Untestable);
        assert_eq!(judged(&[passed, stopped]), Outcome::Untestable);
        assert_eq!(judged(&[other]), Outcome::NotApplicable);
        assert_eq!(judged(&[]), Outcome::NotApplicable);
    }

    /// Whatever else the property does, another scenario has shown it or not.
    #[test]
    fn a_property_that_finds_nothing_changes_nothing_of_what_scenarios_show() {
        let properties = [
            drawn(Outcome::Passed, true, None),
            drawn(Outcome::Passed, true, Some(Evaluated::Held)),
            drawn(Outcome::Untestable, false, None),
            drawn(Outcome::Untestable, false, Some(Evaluated::Held)),
            drawn(Outcome::HarnessFault, false, None),
            drawn(Outcome::NotApplicable, false, None),
        ];
        for scenario in [
            ended(Outcome::Passed, true, Some(Evaluated::Held)),
            ended(Outcome::Untestable, false, None),
            ended(Outcome::Failed, true, Some(Evaluated::Broken)),
        ] {
            for property in &properties {
                let together = judged(&[scenario.clone(), property.clone()]);
                assert_eq!(together, judged(std::slice::from_ref(&scenario)), "{property:?}");
            }
        }
        let passed = ended(Outcome::Passed, true, Some(Evaluated::Held));
        let found = drawn(Outcome::Failed, true, Some(Evaluated::Broken));
        assert_eq!(judged(&[passed, found]), Outcome::Failed);
    }

    #[test]
    fn where_properties_are_all_there_is_what_they_checked_counts() {
        let silent = || drawn(Outcome::Passed, true, None);
        let held = || drawn(Outcome::Passed, true, Some(Evaluated::Held));
        let cut_short = || drawn(Outcome::Untestable, false, None);
        let absent = || ended(Outcome::NotApplicable, false, None);
        assert_eq!(judged(&[silent(), held(), cut_short()]), Outcome::Passed);
        assert_eq!(judged(&[absent(), held()]), Outcome::Passed);
        assert_eq!(judged(&[silent(), cut_short()]), Outcome::Untestable);
        assert_eq!(judged(&[silent()]), Outcome::NotApplicable);
        let reason = |scenarios: &[Ended]| judge(&rule(Level::Must), false, scenarios).reason;
        assert_eq!(reason(&[Ended { reason: None, ..silent() }]).unwrap(), NO_HISTORY);
        assert_eq!(reason(&[cut_short()]).unwrap(), "why");
    }

    #[test]
    fn a_fault_of_ours_is_never_a_pass_and_never_a_failure() {
        let fault = ended(Outcome::HarnessFault, false, Some(Evaluated::Held));
        assert_eq!(judged(&[fault]), Outcome::Untestable);
    }

    #[test]
    fn what_could_not_be_tested_says_why() {
        let reason = |scenarios: &[Ended]| judge(&rule(Level::Must), false, scenarios).reason;
        let silent = Ended { reason: None, ..ended(Outcome::Passed, true, None) };
        assert_eq!(reason(&[silent]).unwrap(), "upload::x evaluated no check for it");
        assert_eq!(reason(&[ended(Outcome::Untestable, false, None)]).unwrap(), "why");
        assert_eq!(reason(&[ended(Outcome::NotApplicable, false, None)]).unwrap(), "why");
        assert_eq!(reason(&[]).unwrap(), NO_SCENARIO);
        let passed = ended(Outcome::Passed, true, Some(Evaluated::Held));
        assert_eq!(reason(&[passed]), None);
    }

    #[test]
    fn only_scenarios_that_cover_a_requirement_speak_of_it() {
        let elsewhere = Ended { covers: &["union.of-all"], ..ended(Outcome::Untestable, false, None) };
        let passed = ended(Outcome::Passed, true, Some(Evaluated::Held));
        let result = judge(&rule(Level::Must), false, &[elsewhere, passed]);
        assert_eq!((result.outcome, result.scenarios), (Outcome::Passed, vec!["upload::x".to_owned()]));
    }

    #[test]
    fn optional_behaviour_that_is_absent_is_not_applicable() {
        let without = ended(Outcome::Passed, true, Some(Evaluated::DoneWithout));
        assert_eq!(judge(&rule(Level::May), true, &[without]).outcome, Outcome::NotApplicable);
    }

    #[test]
    fn shoulds_gate_only_when_strict() {
        assert!(gates(&rule(Level::Must), false));
        assert!(!gates(&rule(Level::Should), false));
        assert!(gates(&rule(Level::Should), true));
        assert!(!gates(&rule(Level::May), true));
    }

    #[test]
    fn a_tally_counts_each_outcome_under_its_own_name() {
        use Outcome::{Failed, HarnessFault, NotApplicable, Passed, Untestable};
        let outcomes = [(Passed, 1), (Failed, 2), (Untestable, 3), (NotApplicable, 4), (HarnessFault, 5)];
        let counted = tally(outcomes.into_iter().flat_map(|(outcome, n)| std::iter::repeat_n(outcome, n)));
        let expected =
            Tally { total: 15, passed: 1, failed: 2, untestable: 3, not_applicable: 4, harness_fault: 5 };
        assert_eq!(counted, expected);
    }

    #[test]
    fn verdicts() {
        use Outcome::{Failed, NotApplicable, Passed, Untestable};
        let of = |outcomes: &[Outcome]| verdict(&tally(outcomes.iter().copied()), &[]);
        assert_eq!(of(&[Passed, NotApplicable]), Verdict::Conformant);
        assert_eq!(of(&[Passed, Untestable, Failed]), Verdict::NonConformant);
        assert_eq!(of(&[Passed, Untestable]), Verdict::Incomplete);
        assert_eq!(of(&[NotApplicable]), Verdict::Incomplete);
        assert_eq!(of(&[]), Verdict::Incomplete);
    }

    /// No requirement says so, and green it must not be.
    #[test]
    fn a_property_that_could_not_be_performed_leaves_a_run_incomplete() {
        use Outcome::{Failed, HarnessFault, NotApplicable, Passed, Untestable};
        let of = |gating, property| verdict(&tally([gating]), &[drawn(property, false, None)]);
        assert_eq!(of(Passed, Untestable), Verdict::Incomplete);
        assert_eq!(of(Passed, HarnessFault), Verdict::Incomplete);
        assert_eq!(of(Passed, NotApplicable), Verdict::Conformant);
        assert_eq!(of(Passed, Failed), Verdict::Conformant, "what it found gates nothing");
        assert_eq!(of(Failed, Untestable), Verdict::NonConformant);
        let scenario = [ended(Untestable, false, None)];
        assert_eq!(verdict(&tally([Passed]), &scenario), Verdict::Conformant);
    }
}
