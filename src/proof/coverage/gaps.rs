//! What is missing between a sentence of the draft and the vectors.

use std::fmt;

use serde::Serialize;

use crate::spec::requirement::{Level, Requirement};

use super::{Link, Tables, naming};

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What is missing.
    pub kind: GapKind,
    /// Where: the id of a sentence, a requirement, a scenario or a fault.
    pub of: String,
    /// What there is instead.
    pub found: String,
}

/// What can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// No requirement rests on a sentence, and nothing says why.
    SentenceWithoutRequirement,
    /// No scenario checks a requirement.
    RequirementWithoutScenario,
    /// Fewer than two faults break a must.
    MustWithoutTwoFaults,
    /// No fault breaks a should.
    ShouldWithoutFault,
    /// No vector pins a requirement that says what is computed.
    ArithmeticWithoutVectors,
    /// A scenario checks no requirement that there is.
    ScenarioCoveringNothing,
    /// A fault breaks no requirement that a scenario checks.
    FaultBreakingNothing,
}

impl GapKind {
    /// Every kind, in the order of pages.
    pub const ALL: [Self; 7] = [
        Self::SentenceWithoutRequirement,
        Self::RequirementWithoutScenario,
        Self::MustWithoutTwoFaults,
        Self::ShouldWithoutFault,
        Self::ArithmeticWithoutVectors,
        Self::ScenarioCoveringNothing,
        Self::FaultBreakingNothing,
    ];

    /// What is missing, in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SentenceWithoutRequirement => "sentences on which no requirement rests, without a reason",
            Self::RequirementWithoutScenario => "requirements that no scenario checks",
            Self::MustWithoutTwoFaults => "musts that fewer than two faults break",
            Self::ShouldWithoutFault => "shoulds that no fault breaks",
            Self::ArithmeticWithoutVectors => "requirements of what is computed that no vector pins",
            Self::ScenarioCoveringNothing => "scenarios that check no requirement",
            Self::FaultBreakingNothing => "faults that break nothing that a scenario checks",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.found)
    }
}

/// All that is missing, kind by kind.
pub(super) fn find(tables: &Tables<'_>) -> Vec<Gap> {
    GapKind::ALL.into_iter().flat_map(|kind| of_kind(kind, tables)).collect()
}

fn of_kind(kind: GapKind, tables: &Tables<'_>) -> Vec<Gap> {
    let gap = |of: &str, found: String| Gap { kind, of: of.to_owned(), found };
    let rules = || tables.requirements.iter();
    let none = |rule: &Requirement, what: &str| gap(&rule.id, format!("no {what}"));
    let broken_by = |rule: &Requirement| naming(&tables.faults, &rule.id).count();
    let checked = |id: &str| naming(&tables.scenarios, id).next().is_some();
    let exists = |id: &str| rules().any(|rule| rule.id == id);
    let names = |link: &Link<'_>| match link.requirements {
        [] => "names no requirement".to_owned(),
        ids => format!("names only {}", ids.join(", ")),
    };
    match kind {
        GapKind::SentenceWithoutRequirement => tables
            .sentences
            .iter()
            .filter(|sentence| sentence.excluded.as_deref().is_none_or(|why| why.trim().is_empty()))
            .filter(|sentence| rules().all(|rule| !rule.sentences.contains(&sentence.id)))
            .map(|sentence| gap(&sentence.id, format!("\"{}\"", sentence.text.trim())))
            .collect(),
        GapKind::RequirementWithoutScenario => {
            rules().filter(|rule| !checked(&rule.id)).map(|rule| none(rule, "scenario")).collect()
        }
        GapKind::MustWithoutTwoFaults => rules()
            .filter(|rule| rule.level == Level::Must && broken_by(rule) < 2)
            .map(|rule| match naming(&tables.faults, &rule.id).next() {
                Some(fault) => gap(&rule.id, format!("only {}", fault.id)),
                None => none(rule, "fault"),
            })
            .collect(),
        GapKind::ShouldWithoutFault => rules()
            .filter(|rule| rule.level == Level::Should && broken_by(rule) == 0)
            .map(|rule| none(rule, "fault"))
            .collect(),
        GapKind::ArithmeticWithoutVectors => rules()
            .filter(|rule| tables.arithmetic.contains(&rule.id.as_str()))
            .filter(|rule| {
                tables.vectors.iter().all(|pin| pin.requirement != rule.id || pin.cases.is_empty())
            })
            .map(|rule| none(rule, "vector"))
            .collect(),
        GapKind::ScenarioCoveringNothing => {
            idle(&tables.scenarios, exists).map(|s| gap(s.id, names(s))).collect()
        }
        GapKind::FaultBreakingNothing => idle(&tables.faults, |id| exists(id) && checked(id))
            .map(|fault| gap(fault.id, names(fault)))
            .collect(),
    }
}

/// Those that name nothing that counts.
fn idle<'l>(links: &'l [Link<'l>], counts: impl Fn(&str) -> bool) -> impl Iterator<Item = &'l Link<'l>> {
    links.iter().filter(move |link| !link.requirements.iter().any(|id| counts(id)))
}

#[cfg(test)]
mod tests;
