//! Which of two histories is the smaller one.

use std::collections::BTreeMap;

use crate::spec::canonical::{self, Json};
use crate::spec::capability::is_identifier;
use crate::spec::history::{Act, Availability, History, Seat, Spoil, Step};

/// How large a history is: the first difference decides.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Measure {
    acts: usize,
    /// Over all steps of acts at once.
    lanes: usize,
    /// By how many acts each could still be [simpler].
    detours: usize,
    sets: usize,
    /// Over all sets.
    names: usize,
    /// The bytes of all parameters, once each.
    parameters: usize,
    /// The characters of all names, once each; those outside the grammar count more.
    spelling: usize,
}

/// Measures a history.
pub(super) fn measure(history: &History) -> Measure {
    let all: BTreeMap<_, _> = history
        .sets
        .iter()
        .flat_map(|set| set.names().filter_map(|name| Some((name, set.get(name)?))))
        .collect();
    let bytes = |parameters: &&_| canonical::to_bytes(&Json::Object(Clone::clone(*parameters))).len();
    let lanes = |step: &Step| if let Step::AtOnce(lanes) = step { lanes.len() } else { 0 };
    Measure {
        acts: history.len(),
        lanes: history.steps.iter().map(lanes).sum(),
        detours: history.acts().map(|act| std::iter::successors(simpler(act), simpler).count()).sum(),
        sets: history.sets.len(),
        names: history.sets.iter().map(crate::spec::capability::CapabilitySet::len).sum(),
        parameters: all.values().map(bytes).sum(),
        spelling: all.keys().map(|name| spelling(name)).sum(),
    }
}

fn spelling(name: &str) -> usize {
    name.chars().count() + if is_identifier(name) { 0 } else { 100 }
}

/// The act that does much the same in a simpler way, if there is one.
pub(super) fn simpler(act: &Act) -> Option<Act> {
    Some(match *act {
        Act::SetStatus { by, presence, forged: Some(_) } => Act::SetStatus { by, presence, forged: None },
        Act::SetStatus { by, presence, forged: None } if presence != Availability::Online => {
            Act::SetStatus { by, presence: Availability::Online, forged: None }
        }
        Act::LogOutEverywhere { by } => Act::LogOut { by },
        Act::DeleteDevice { by, device } => Act::LogOut { by: Seat { device, ..by } },
        Act::UploadSpoiled { by, set, how } => {
            let how = match how {
                Spoil::CutOff(n) if n > 1 => Spoil::CutOff(1),
                Spoil::LineFeed(n) if n > 0 => Spoil::LineFeed(0),
                Spoil::Mutated(0) => Spoil::Brace,
                Spoil::Mutated(n) => Spoil::Mutated(n / 2),
                _ => return None,
            };
            Act::UploadSpoiled { by, set, how }
        }
        Act::Sync { by, of } => Act::ReadStatus { by, of },
        _ => return None,
    })
}
