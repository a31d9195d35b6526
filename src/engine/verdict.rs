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
}

/// Whether a requirement gates.
pub fn gates(requirement: &Requirement, strict: bool) -> bool {
    requirement.level == Level::Must || (strict && requirement.level == Level::Should)
}

/// What came of a requirement, given every scenario that covers it.
///
/// Failed if any check failed; passed if every scenario that applies came to its end and evaluated a
/// check; not applicable if none applies; untestable otherwise.
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
    let applying: Vec<&&Ended> =
        covering.iter().filter(|ended| ended.outcome != Outcome::NotApplicable).collect();
    if applying.is_empty() {
        let reason = covering.iter().find_map(|ended| ended.reason.clone());
        return (Outcome::NotApplicable, reason.or_else(|| Some(NO_SCENARIO.to_owned())));
    }
    let open = applying.iter().find(|ended| !ended.whole || !ended.evaluated.contains_key(id));
    if let Some(ended) = open {
        let why = ended.reason.clone().unwrap_or_else(|| format!("{} evaluated no check for it", ended.id));
        return (Outcome::Untestable, Some(why));
    }
    if found(Evaluated::DoneWithout) {
        return (Outcome::NotApplicable, Some("optional, and the target does without it".to_owned()));
    }
    (Outcome::Passed, None)
}

/// Why a requirement without a scenario is not applicable.
const NO_SCENARIO: &str = "not in this version";

/// The answer, over gating requirements alone.
pub fn verdict(gating: &Tally) -> Verdict {
    match gating {
        tally if tally.failed > 0 => Verdict::NonConformant,
        tally if tally.untestable > 0 || tally.passed == 0 => Verdict::Incomplete,
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
        Ended { id: "upload::x", covers: COVERS, outcome, reason: Some("why".to_owned()), whole, evaluated }
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
        let of = |outcomes: &[Outcome]| verdict(&tally(outcomes.iter().copied()));
        assert_eq!(of(&[Passed, NotApplicable]), Verdict::Conformant);
        assert_eq!(of(&[Passed, Untestable, Failed]), Verdict::NonConformant);
        assert_eq!(of(&[Passed, Untestable]), Verdict::Incomplete);
        assert_eq!(of(&[NotApplicable]), Verdict::Incomplete);
        assert_eq!(of(&[]), Verdict::Incomplete);
    }
}
