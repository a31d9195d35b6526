//! Which scenarios run, and which requirements the run speaks of.

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use crate::scenarios::{self, Scenario};
use crate::spec::requirement::{self, Requirement};
use crate::spelling::{self, nearest};
use crate::target::features::Feature;

use super::result::Selection;
use super::verdict;

/// What will run.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub selection: Selection,
    /// The scenarios, in the order of the suite.
    pub scenarios: Vec<&'static Scenario>,
    /// The requirements of which the run speaks.
    pub requirements: Vec<&'static Requirement>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A glob that selects nothing is a mistake, and silence would hide it.
    #[error("{flag} {glob:?} matches no scenario and no requirement{}", spelling::hint(nearest))]
    NoMatch {
        /// `--only` or `--skip`.
        flag: &'static str,
        /// The glob.
        glob: String,
        /// The id that is spelled most like it.
        nearest: Option<String>,
    },
    /// The selection leaves no scenario.
    #[error(
        "the selection leaves no scenario to run: --only and --skip cancel out, or --level leaves nothing"
    )]
    Empty,
}

impl Plan {
    /// Selects by globs over scenario and requirement ids, and by level.
    ///
    /// A requirement is selected by its own id, or by a scenario that covers it; a scenario by its
    /// own id, or by a selected requirement that it covers. A property is selected by its own id alone: it
    /// would come upon the requirement by chance, and takes what has nothing to do with it.
    pub fn new(selection: Selection) -> Result<Self, PlanError> {
        let only = globs("--only", &selection.only)?;
        let skip = globs("--skip", &selection.skip)?;
        let any = |globs: &[WildMatch], id: &str| globs.iter().any(|glob| glob.matches(id));
        let named = |id: &str| only.is_empty() || any(&only, id);
        let level = |rule: &Requirement| selection.level.is_none_or(|least| rule.level >= least);
        let skipped = |rule: &Requirement| any(&skip, &rule.id) || !level(rule);

        let covers = |scenario: &Scenario, wanted: &dyn Fn(&Requirement) -> bool| {
            scenario.covers.iter().filter_map(|id| requirement::find(id)).any(wanted)
        };
        let wanted = |scenario: &&Scenario| {
            let by_rule = |rule: &Requirement| any(&only, &rule.id) && !skipped(rule);
            let by_rule = || scenario.property().is_none() && covers(scenario, &by_rule);
            let selected = named(scenario.id) || by_rule();
            selected && !any(&skip, scenario.id) && covers(scenario, &|rule| !skipped(rule))
        };
        let scenarios: Vec<&'static Scenario> = scenarios::all().filter(wanted).collect();
        let covered: BTreeSet<&str> =
            scenarios.iter().flat_map(|scenario| scenario.covers).copied().collect();
        // A scenario that was named brings its requirements; a requirement that was named stands alone.
        let by_scenario: BTreeSet<&str> = scenarios
            .iter()
            .filter(|scenario| named(scenario.id))
            .flat_map(|scenario| scenario.covers)
            .copied()
            .collect();
        let speaks_of = |rule: &&Requirement| {
            let selected = named(&rule.id) || by_scenario.contains(rule.id.as_str());
            let testable = covered.contains(rule.id.as_str()) || !is_covered(&rule.id);
            selected && testable && !skipped(rule)
        };
        let requirements: Vec<&'static Requirement> = requirement::all().iter().filter(speaks_of).collect();
        match scenarios.is_empty() && requirements.is_empty() {
            true => Err(PlanError::Empty),
            false => Ok(Self { selection, scenarios, requirements }),
        }
    }
}

impl Plan {
    /// Whether any of its scenarios needs this of the target.
    pub fn needs(&self, feature: Feature) -> bool {
        self.scenarios.iter().any(|scenario| scenario.needs.contains(&feature))
    }

    /// The requirements of which the verdict speaks.
    pub fn gating(&self) -> impl Iterator<Item = &'static Requirement> {
        self.requirements.iter().copied().filter(|rule| verdict::gates(rule, self.selection.strict))
    }
}

/// Whether any scenario of the suite covers a requirement.
fn is_covered(id: &str) -> bool {
    scenarios::all().any(|scenario| scenario.covers.contains(&id))
}

fn globs(flag: &'static str, patterns: &[String]) -> Result<Vec<WildMatch>, PlanError> {
    let ids = || scenarios::all().map(|s| s.id).chain(requirement::all().iter().map(|r| r.id.as_str()));
    patterns
        .iter()
        .map(|pattern| {
            let glob = WildMatch::new(pattern);
            match ids().any(|id| glob.matches(id)) {
                true => Ok(glob),
                false => {
                    Err(PlanError::NoMatch { flag, glob: pattern.clone(), nearest: nearest(pattern, ids()) })
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
