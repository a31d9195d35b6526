//! Legal variants: whether the suite fails a homeserver for a choice that is the homeserver's to make.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::reference::{Fault, FaultSet, Named as _, Options, Variant, VariantSet};
use crate::spec::draw::Draw;
use crate::spec::requirement::{self, Level};

use super::trial::{self, Terms, Trial, TrialError};

/// How long effects may take: longer than those of any variant do.
const SETTLE: Duration = Duration::from_secs(2);

/// Freedoms that a homeserver takes at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combination {
    /// What the protocol leaves open.
    pub variants: VariantSet,
    /// Faults that break shoulds and nothing else: a homeserver with them conforms, if not strictly.
    pub lapses: FaultSet,
}

impl Combination {
    /// A homeserver that takes one freedom.
    pub fn of(variant: Variant) -> Self {
        Self { variants: VariantSet::from_iter([variant]), ..Self::default() }
    }

    /// The combination that a seed stands for: about a quarter of all freedoms, of each choice one way at
    /// most; and in every third one a few lapses.
    pub fn random(seed: u64) -> Self {
        let mut draw = Draw::new(seed, "combination");
        let mut variants: Vec<Variant> = Variant::all().filter(|_| draw.below(4) == 0).collect();
        draw.shuffle(&mut variants);
        let mut made = BTreeSet::new();
        variants.retain(|variant| variant.choice().is_none_or(|choice| made.insert(choice)));
        let lapses = match draw.below(3) {
            0 => Fault::all().filter(|fault| is_lapse(*fault)).filter(|_| draw.below(12) == 0).collect(),
            _ => FaultSet::NONE,
        };
        Self { variants: variants.into_iter().collect(), lapses }
    }

    /// All that is in either; of each choice what is in this one.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let made: BTreeSet<_> = self.variants.iter().filter_map(Variant::choice).collect();
        let open = |variant: &Variant| variant.choice().is_none_or(|choice| !made.contains(choice));
        let variants = self.variants.iter().chain(other.variants.iter().filter(open)).collect();
        Self { variants, lapses: self.lapses.iter().chain(other.lapses.iter()).collect() }
    }

    /// The shoulds that may fail with it.
    fn lets_go(&self) -> BTreeSet<&'static str> {
        let let_go = self.variants.iter().flat_map(|variant| variant.lets_go().iter().copied());
        let_go.chain(self.lapses.iter().flat_map(Fault::may_fail)).collect()
    }

    /// The ids of all that is in it.
    fn ids(&self) -> Vec<&'static str> {
        self.variants.iter().map(Variant::id).chain(self.lapses.iter().map(Fault::id)).collect()
    }
}

/// Whether a fault breaks shoulds and nothing else.
pub(super) fn is_lapse(fault: Fault) -> bool {
    fault.may_fail().all(is_should)
}

/// Whether a requirement is no must.
pub(super) fn is_should(id: &str) -> bool {
    requirement::find(id).is_some_and(|rule| rule.level < Level::Must)
}

/// What came of a combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tolerance {
    /// The ids of what the homeserver did: variants, and faults that break shoulds alone.
    pub taken: Vec<&'static str>,
    /// The seed that stands for the combination, where it was drawn.
    pub seed: Option<u64>,
    /// How many requirements passed.
    pub passed: usize,
    /// The shoulds that it lets go, and that failed.
    pub let_go: Vec<String>,
    /// What is wrong with the suite, or with the table, one line each.
    pub findings: Vec<String>,
}

impl Tolerance {
    /// What a trial says of a combination.
    pub fn of(combination: &Combination, seed: Option<u64>, trial: &Trial) -> Self {
        let may_go = combination.lets_go();
        let (let_go, wrong): (Vec<_>, Vec<_>) =
            trial.failed.iter().partition(|(id, _)| may_go.contains(id.as_str()) && is_should(id));
        let preflight = trial.preflight_error.iter().map(|error| format!("could not be tested: {error}"));
        let failed = wrong.iter().map(|(id, failure)| format!("false failure of {id}: {failure}"));
        // Where a lapse takes a should away, what rests on it may not be testable; fail it must not.
        let may_rest_on_a_lapse = !combination.lapses.is_empty();
        let untestable = trial
            .untestable
            .iter()
            .filter(|_| trial.preflight_error.is_none() && !may_rest_on_a_lapse)
            .map(|(id, reason)| format!("{id} could not be tested: {reason}"));
        let alone = seed.is_none().then_some(&may_go);
        let kept = alone
            .into_iter()
            .flatten()
            .filter(|id| !trial.failed.contains_key(**id) && !trial.does_not_apply(id))
            .map(|id| format!("says that it lets {id} go, which it does not"));
        let ours = trial.harness_faults.iter().map(|what| format!("the suite itself broke: {what}"));
        Self {
            taken: combination.ids(),
            seed,
            passed: trial.passed.len(),
            let_go: let_go.into_iter().map(|(id, _)| id.clone()).collect(),
            findings: preflight.chain(failed).chain(untestable).chain(kept).chain(ours).collect(),
        }
    }

    /// What was tried: a variant, or the seed of a combination.
    pub fn name(&self) -> String {
        match self.seed {
            None => self.taken.join(" + "),
            Some(seed) => format!("combination {seed}"),
        }
    }

    /// What the table says must come of a variant.
    pub fn expected(variant: Variant) -> Self {
        Self {
            taken: vec![variant.id()],
            seed: None,
            passed: 0,
            let_go: variant.lets_go().iter().map(|id| (*id).to_owned()).collect(),
            findings: Vec::new(),
        }
    }
}

/// Tries the suite on a variant; with a homeserver that federates, if nobody else could tell.
pub async fn tolerate(variant: Variant, seed: u64) -> Result<Tolerance, TrialError> {
    let combination = Combination::of(variant);
    let trial = on(&combination, variant.is_between_servers(), seed).await?;
    Ok(Tolerance::of(&combination, None, &trial))
}

/// Tries the suite on the combination that a seed stands for.
pub async fn tolerate_random(seed: u64) -> Result<Tolerance, TrialError> {
    let combination = Combination::random(seed);
    Ok(Tolerance::of(&combination, Some(seed), &on(&combination, true, seed).await?))
}

async fn on(combination: &Combination, federation: bool, seed: u64) -> Result<Trial, TrialError> {
    let options = Options { faults: combination.lapses, ..Options::default() }.taking(combination.variants);
    trial::on_built_in(options, Terms { federation, settle: SETTLE, seed, properties: true, strict: true })
        .await
}
