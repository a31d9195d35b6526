//! Faults: whether the suite blames what a fault breaks, and nothing else without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::reference::faults::Collateral;
use crate::reference::{Fault, FaultSet, Named as _, Options};

use super::freedom::{is_lapse, is_should};
use super::histories;
use super::trial::{self, Failure, Terms, Trial, TrialError};

/// How long effects are waited for that a fault keeps from coming.
const SETTLE: Duration = Duration::from_millis(300);

/// How long they are waited for once more before the suite is blamed: on a busy machine the first wait
/// may have been too short for what does come.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// The fault.
    pub fault: &'static str,
    /// The requirements that it says it breaks, and that failed: it is killed.
    pub killed: BTreeSet<String>,
    /// The requirements that it says it breaks, and that did not fail, with what came of them.
    pub spared: BTreeMap<String, String>,
    /// The requirements that failed with those, and why, as the table has it.
    pub collateral: BTreeMap<String, &'static str>,
    /// The requirements that fail with those at times, whether they did or not, and why.
    pub at_times: BTreeMap<String, &'static str>,
    /// The requirements that failed and that the table does not explain, with what was found.
    pub unexplained: BTreeMap<String, String>,
    /// The requirements of which the table explains why they fail, and which did not.
    pub unseen: Vec<String>,
    /// What the suite itself broke.
    pub harness_faults: Vec<String>,
}

impl Attribution {
    /// What a trial says of a fault.
    pub fn of(fault: Fault, trial: &Trial) -> Self {
        let explained = reasons(fault.collateral());
        let breaks = |id: &str| fault.breaks().contains(&id);
        let mut this = Self::nothing(fault);
        for (id, failure) in &trial.failed {
            match explained.get(id) {
                _ if breaks(id) => drop(this.killed.insert(id.clone())),
                Some(because) => drop(this.collateral.insert(id.clone(), because)),
                None if this.at_times.contains_key(id) => {}
                None => drop(this.unexplained.insert(id.clone(), failure.to_string())),
            }
        }
        let failed = |id: &str| trial.failed.contains_key(id);
        let spared = fault.breaks().iter().filter(|id| !failed(id));
        this.spared = spared.map(|id| ((*id).to_owned(), trial.said_of(id))).collect();
        let unseen = explained.keys().filter(|id| !failed(id) && !trial.does_not_apply(id));
        this.unseen = unseen.cloned().collect();
        this.harness_faults.clone_from(&trial.harness_faults);
        this
    }

    /// What a trial without properties says of a fault that takes a history, and what the properties then find.
    fn of_history(fault: Fault, mut trial: Trial, found: Option<(String, Failure)>) -> Self {
        let by_scenarios = std::mem::take(&mut trial.failed);
        // A search ends with the first that it finds, and which that is depends on the history.
        match found {
            Some((id, failure)) if fault.may_fail().any(|named| named == id) => {
                trial.failed.extend(fault.breaks().iter().map(|id| ((*id).to_owned(), failure.clone())));
            }
            found => trial.failed.extend(found),
        }
        let mut this = Self::of(fault, &trial);
        let said = |failure: Failure| format!("it takes no history to find: {failure}");
        this.unexplained.extend(by_scenarios.into_iter().map(|(id, failure)| (id, said(failure))));
        this
    }

    /// The same, and what a trial says that is not strict: no must may fail in it.
    fn and_leniently(mut self, trial: &Trial) -> Self {
        let musts = trial.failed.iter().filter(|(id, _)| !is_should(id));
        let said = |failure: &Failure| format!("shoulds alone are broken: {failure}");
        self.unexplained.extend(musts.map(|(id, failure)| (id.clone(), said(failure))));
        self.harness_faults.extend(trial.harness_faults.iter().cloned());
        self
    }

    /// What the table says must come of it.
    pub fn expected(fault: Fault) -> Self {
        let killed = fault.breaks().iter().map(|id| (*id).to_owned()).collect();
        Self { killed, collateral: reasons(fault.collateral()), ..Self::nothing(fault) }
    }

    fn nothing(fault: Fault) -> Self {
        Self {
            fault: fault.id(),
            killed: BTreeSet::new(),
            spared: BTreeMap::new(),
            collateral: BTreeMap::new(),
            at_times: reasons(fault.collateral_at_times()),
            unexplained: BTreeMap::new(),
            unseen: Vec::new(),
            harness_faults: Vec::new(),
        }
    }

    /// Whether the suite found the fault by nothing that it breaks.
    pub fn survived(&self) -> bool {
        self.killed.is_empty()
    }

    /// What is wrong with the suite, or with the table, one line each.
    pub fn findings(&self) -> Vec<String> {
        let survived = self.survived().then(|| "survived: nothing that it breaks failed".to_owned());
        let spared = self.spared.iter().map(|(id, said)| format!("breaks {id}, which did not fail: {said}"));
        let unexplained =
            self.unexplained.iter().map(|(id, found)| format!("does not explain why {id} fails: {found}"));
        let unseen = self.unseen.iter().map(|id| format!("explains why {id} fails, which it does not"));
        let ours = self.harness_faults.iter().map(|what| format!("the suite itself broke: {what}"));
        survived.into_iter().chain(spared).chain(unexplained).chain(unseen).chain(ours).collect()
    }

    /// Of two trials of one fault what both say against the suite: the second had more patience, and what
    /// failed in either did fail.
    fn confirmed_by(self, again: Self) -> Self {
        let Self { mut killed, at_times, spared, collateral, unexplained, unseen, harness_faults, .. } =
            again;
        killed.extend(self.killed);
        let mut ours = self.harness_faults;
        ours.extend(harness_faults);
        Self {
            fault: self.fault,
            spared: spared.into_iter().filter(|(id, _)| self.spared.contains_key(id)).collect(),
            collateral: self.collateral.into_iter().chain(collateral).collect(),
            unexplained: unexplained
                .into_iter()
                .filter(|(id, _)| self.unexplained.contains_key(id))
                .collect(),
            unseen: unseen.into_iter().filter(|id| self.unseen.contains(id)).collect(),
            killed,
            at_times,
            harness_faults: ours,
        }
    }
}

/// Why each requirement fails along.
fn reasons(collateral: &'static [Collateral]) -> BTreeMap<String, &'static str> {
    let each =
        |along: &'static Collateral| along.requirements.iter().map(|id| ((*id).to_owned(), along.because));
    collateral.iter().flat_map(each).collect()
}

/// Tries the suite on a fault; once more, and with more patience, before anything is held against it. Where it
/// breaks shoulds alone, a run that is not strict must not fail.
pub async fn attribute(fault: Fault, seed: u64) -> Result<Attribution, TrialError> {
    let options = || Options { faults: FaultSet::from_iter([fault]), ..Options::default() };
    let (federation, properties) = (fault.is_between_servers(), !fault.takes_a_history());
    let terms = Terms { federation, settle: SETTLE, seed, properties, strict: true };
    let patient = Terms { settle: PATIENCE, ..terms };
    if fault.takes_a_history() {
        let trial = trial::on_built_in(options(), patient).await?;
        return Ok(Attribution::of_history(fault, trial, histories::search_for(fault, seed).await?));
    }
    let mut attribution = Attribution::of(fault, &trial::on_built_in(options(), terms).await?);
    if !attribution.findings().is_empty() {
        let again = Attribution::of(fault, &trial::on_built_in(options(), patient).await?);
        attribution = attribution.confirmed_by(again);
    }
    if is_lapse(fault) {
        let lenient = Terms { strict: false, ..patient };
        attribution = attribution.and_leniently(&trial::on_built_in(options(), lenient).await?);
    }
    Ok(attribution)
}
