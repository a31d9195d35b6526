//! Pairs of faults: whether one hides the other, and both the homeserver from the verdict.

use std::time::Duration;

use serde::Serialize;

use crate::engine::exit;
use crate::reference::{Fault, FaultSet, Named as _, Options};
use crate::spec::draw::Draw;
use crate::spec::requirement::{self, Level};

use super::trial::{self, Terms, Trial, TrialError};

/// How long effects are waited for that faults keep from coming.
const SETTLE: Duration = Duration::from_millis(300);

/// What came of two faults at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Couple {
    /// The faults.
    pub faults: [&'static str; 2],
    /// Those of which nothing that they break failed: the other one hides them, until it is mended.
    pub masked: Vec<&'static str>,
    /// What is wrong with the suite, one line each.
    pub findings: Vec<String>,
}

/// Pairs of different faults that break musts, drawn by a seed.
pub fn draw(count: usize, seed: u64) -> Vec<[Fault; 2]> {
    let mut draw = Draw::new(seed, "pairs");
    let faults: Vec<Fault> =
        Fault::all().filter(|fault| breaks_a_must(*fault) && !fault.takes_a_history()).collect();
    let mut pair = || {
        let one = draw.below(faults.len());
        let other = (one + 1 + draw.below(faults.len() - 1)) % faults.len();
        [faults[one], faults[other]]
    };
    (0..count).map(|_| pair()).collect()
}

fn breaks_a_must(fault: Fault) -> bool {
    let is_must = |id: &str| requirement::find(id).is_some_and(|rule| rule.level == Level::Must);
    fault.breaks().iter().any(|id| is_must(id))
}

impl Couple {
    /// What a trial says of two faults. That each hides the other is as bad as that neither is found: whoever
    /// made both mistakes is told of none.
    pub fn of(faults: [Fault; 2], trial: &Trial) -> Self {
        let is_seen = |fault: &&Fault| fault.breaks().iter().any(|id| trial.failed.contains_key(*id));
        let masked: Vec<&'static str> =
            faults.iter().filter(|fault| !is_seen(fault)).map(|fault| fault.id()).collect();
        let conforms = (trial.exit == exit::CONFORMANT).then(|| "conforms with both".to_owned());
        let hidden = (masked.len() == 2).then(|| "nothing that either breaks failed".to_owned());
        let ours = trial.harness_faults.iter().map(|what| format!("the suite itself broke: {what}"));
        let findings = conforms.into_iter().chain(hidden).chain(ours).collect();
        Self { faults: faults.map(Fault::id), masked, findings }
    }
}

/// Tries the suite on two faults at once.
pub async fn couple(faults: [Fault; 2], seed: u64) -> Result<Couple, TrialError> {
    let options = Options { faults: FaultSet::from_iter(faults), ..Options::default() };
    let federation = faults.iter().any(|fault| fault.is_between_servers());
    let trial = trial::on_built_in(
        options,
        Terms { federation, settle: SETTLE, seed, properties: true, strict: true },
    )
    .await?;
    Ok(Couple::of(faults, &trial))
}
