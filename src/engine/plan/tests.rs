use super::*;
use crate::spec::requirement::Level;

/// Covered by two scenarios that cover nothing else.
const OF_ALL: &str = "union.of-all";

fn select(only: &[&str], skip: &[&str], level: Option<Level>) -> Result<Plan, PlanError> {
    let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    Plan::new(Selection { only: owned(only), skip: owned(skip), level, strict: false })
}

/// The ids of the scenarios and of the requirements.
fn ids(plan: &Plan) -> (Vec<&str>, Vec<&str>) {
    let scenarios = plan.scenarios.iter().map(|scenario| scenario.id).collect();
    (scenarios, plan.requirements.iter().map(|rule| rule.id.as_str()).collect())
}

fn covering(id: &str) -> Vec<&'static str> {
    scenarios::written()
        .filter(|scenario| scenario.covers.contains(&id))
        .map(|scenario| scenario.id)
        .collect()
}

/// A scenario that covers several requirements.
fn broad() -> &'static Scenario {
    scenarios::all().find(|scenario| scenario.covers.len() > 1).unwrap()
}

#[test]
fn without_a_word_it_is_everything() {
    let plan = select(&[], &[], None).unwrap();
    assert_eq!(plan.scenarios.len(), scenarios::all().count());
    assert_eq!(plan.requirements.len(), requirement::all().len());
}

#[test]
fn a_requirement_that_is_named_brings_its_scenarios_and_stands_alone() {
    assert_eq!(ids(&select(&[OF_ALL], &[], None).unwrap()), (covering(OF_ALL), vec![OF_ALL]));
    for named in broad().covers {
        let plan = select(&[named], &[], None).unwrap();
        assert_eq!(ids(&plan), (covering(named), vec![*named]));
    }
}

#[test]
fn a_scenario_that_is_named_brings_all_its_requirements() {
    let plan = select(&[broad().id], &[], None).unwrap();
    let (scenarios, requirements) = ids(&plan);
    assert_eq!(scenarios, [broad().id]);
    assert_eq!(BTreeSet::from_iter(requirements), BTreeSet::from_iter(broad().covers.iter().copied()));
}

#[test]
fn a_property_is_brought_by_its_own_id_alone() {
    let property = &crate::properties::all()[0];
    let plan = select(&[property.id], &[], None).unwrap();
    let (scenarios, requirements) = ids(&plan);
    assert_eq!(scenarios, [property.id]);
    assert_eq!(BTreeSet::from_iter(requirements), BTreeSet::from_iter(property.covers.iter().copied()));
    let by_rule = select(&[property.covers[0]], &[], None).unwrap();
    assert!(by_rule.scenarios.iter().all(|scenario| scenario.property().is_none()));
}

#[test]
fn what_is_skipped_is_neither_run_nor_spoken_of() {
    let plan = select(&[], &[OF_ALL], None).unwrap();
    assert!(ids(&plan).0.iter().all(|id| !covering(OF_ALL).contains(id)));
    let [skipped, rest @ ..] = broad().covers else { unreachable!("it covers several") };
    let plan = select(&[broad().id], &[skipped], None).unwrap();
    let (scenarios, requirements) = ids(&plan);
    assert_eq!((scenarios, requirements.len()), (vec![broad().id], rest.len()));
    assert!(!requirements.contains(skipped));
}

/// Named and without any scenario left it would be untestable for ever, and nobody asked for that.
#[test]
fn a_requirement_whose_scenarios_are_all_skipped_is_not_spoken_of() {
    let plan = select(&["union.*"], &covering(OF_ALL), None).unwrap();
    assert!(!ids(&plan).1.contains(&OF_ALL));
    let one = select(&["union.*"], &covering(OF_ALL)[1..], None).unwrap();
    assert!(ids(&one).1.contains(&OF_ALL));
}

#[test]
fn a_level_leaves_what_binds_as_much_or_more() {
    let all = |level| select(&[], &[], Some(level)).unwrap();
    let count = |least| requirement::all().iter().filter(|rule| rule.level >= least).count();
    for level in [Level::May, Level::Should, Level::Must] {
        let plan = all(level);
        assert_eq!(plan.requirements.len(), count(level), "{level}");
        let speaks = |scenario: &&Scenario| scenario.rules().any(|rule| rule.level >= level);
        assert_eq!(plan.scenarios.len(), scenarios::all().filter(speaks).count(), "{level}");
    }
    assert!(count(Level::Must) < count(Level::Should) && count(Level::Should) < count(Level::May));
}

#[test]
fn shoulds_count_towards_the_verdict_of_a_strict_plan_alone() {
    let gating = |strict| {
        let only = vec!["union.conflict".to_owned(), OF_ALL.to_owned()];
        let plan = Plan::new(Selection { only, strict, ..Selection::default() }).unwrap();
        plan.gating().map(|rule| rule.id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(gating(false), [OF_ALL]);
    assert_eq!(gating(true), [OF_ALL, "union.conflict"]);
}

#[test]
fn a_glob_that_matches_nothing_is_refused_with_the_nearest_id() {
    let refused = |only: &[&str], skip: &[&str]| select(only, skip, None).unwrap_err().to_string();
    assert_eq!(
        refused(&["union.of-al"], &[]),
        "--only \"union.of-al\" matches no scenario and no requirement; did you mean \"union.of-all\"?"
    );
    assert_eq!(
        refused(&[OF_ALL], &["0123456789"]),
        "--skip \"0123456789\" matches no scenario and no requirement"
    );
}

#[test]
fn a_selection_that_leaves_nothing_is_refused() {
    assert_eq!(select(&[OF_ALL], &[OF_ALL], None).unwrap_err(), PlanError::Empty);
    assert_eq!(select(&["union.conflict"], &[], Some(Level::Must)).unwrap_err(), PlanError::Empty);
}
