//! The union of several sets, and its hash.

use schemars::JsonSchema;
use serde::Deserialize;

use super::json::Hashed;
use super::{Answer, Solution, Topic};
use crate::spec::capability::CapabilitySet;
use crate::spec::mistake::{self, MISTAKES};

/// The union of capability sets.
pub(super) struct Union;

/// The sets.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sets {
    /// Each as it was uploaded.
    sets: Vec<String>,
}

impl Sets {
    fn parsed(&self) -> Option<Vec<CapabilitySet>> {
        self.sets.iter().map(|set| CapabilitySet::parse(set.as_bytes()).ok()).collect()
    }
}

impl Topic for Union {
    type Input = Sets;
    type Expected = Hashed;
    const NAME: &'static str = "union";
    const PREFIX: &'static str = "union.";
    const ANSWER: Option<&'static str> = Some("sha256");

    fn solve(&self, input: &Sets) -> Solution<Hashed> {
        match input.parsed() {
            Some(sets) => Solution::valid(Some(Hashed::of(&CapabilitySet::union(&sets).to_json()))),
            None => Solution::invalid("not-a-set"),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|mistake| mistake.name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Sets) -> Option<Answer> {
        let hash = mistake::find(mistake)?.hash_of_union(&input.parsed()?)?;
        Some(Answer::Taken(hash.into()))
    }
}
