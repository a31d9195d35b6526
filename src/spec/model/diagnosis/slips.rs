//! Mistakes that break but shoulds and add up: what a session was refused, or has uploaded and not declared,
//! counts as if it had declared it, or what it had declared is lost over it.
//!
//! A homeserver that makes one of them makes it with every session, so that they are suspected together, over
//! all sessions of a user; else their sum would look like a broken must.

use crate::spec::history::words;
use crate::spec::model::trail::DeviceTrail;

use super::suspects::subsets;
use super::{Case, Guess};

/// How many slips are suspected together.
const MOST: usize = 12;

/// Protocol 6.3: a refused declare leaves everything as it was.
const REFUSED: &str = "upload.refusal-keeps-previous";

/// Protocol 6.4: an upload alone changes no presence.
const PUBLISHED: &str = "upload.publishes-nothing";

/// One thing that went wrong with one session.
struct Slip {
    /// Whose; none where the session has ended.
    device: Option<usize>,
    requirement: &'static str,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// It counts that this set was declared.
    Counts(usize),
    /// What was declared before is lost: replaced by what counts by mistake, or withdrawn by a refusal.
    Lost,
}

/// What some of the slips together would show, few before many.
pub(super) fn mistaken(case: &Case<'_>) -> Vec<Guess> {
    subsets(&suspected(case)).filter_map(|slips| together(case, &slips)).collect()
}

/// What sessions were refused first, then what they have uploaded, and the same of those that ended last.
fn suspected(case: &Case<'_>) -> Vec<Slip> {
    let counts =
        |device, requirement| move |set: &usize| Slip { device, requirement, what: What::Counts(*set) };
    let mut slips = Vec::new();
    for (device, trail) in case.trail.devices.iter().enumerate() {
        slips.extend(trail.refused.iter().map(counts(Some(device), REFUSED)));
        let had = case.declared.iter().any(|(other, _)| *other == device);
        if had && !(trail.refused.is_empty() && trail.sent.is_empty()) {
            slips.push(Slip { device: Some(device), requirement: REFUSED, what: What::Lost });
        }
    }
    for (device, trail) in case.trail.devices.iter().enumerate() {
        slips.extend(trail.sent.difference(&trail.refused).map(counts(Some(device), PUBLISHED)));
    }
    slips.extend(case.trail.left.iter().map(counts(None, PUBLISHED)));
    slips.retain(|slip| !slip.changes_nothing(case));
    slips.truncate(MOST);
    slips
}

impl Slip {
    /// Whether the session has just that set anyway.
    fn changes_nothing(&self, case: &Case<'_>) -> bool {
        let has = |set| case.declared.iter().any(|now| self.device == Some(now.0) && now.1 == set);
        matches!(self.what, What::Counts(set) if has(set))
    }

    fn adds(&self) -> Option<usize> {
        match self.what {
            What::Counts(set) => Some(set),
            What::Lost => None,
        }
    }

    fn words(&self, case: &Case<'_>) -> String {
        let Some(device) = self.device else {
            return "a session that has ended still counted with what it uploaded".to_owned();
        };
        let seat = case.seat(device);
        match self.what {
            What::Counts(set) if self.requirement == REFUSED => {
                format!("{seat} had not been refused {}", words::set(set))
            }
            What::Counts(set) => format!("{seat} had declared {}, which it uploaded", words::set(set)),
            What::Lost => format!("the refusal had withdrawn what {seat} had declared"),
        }
    }
}

/// What slips show together; none where what a session had is lost and nothing says why.
fn together(case: &Case<'_>, slips: &[&Slip]) -> Option<Guess> {
    let replaced = |device| slips.iter().any(|slip| slip.device == device && slip.adds().is_some());
    let was_refused = |device: Option<usize>| {
        device.and_then(|device| case.trail.devices.get(device)).is_some_and(DeviceTrail::was_refused)
    };
    let lost = || slips.iter().filter(|slip| slip.what == What::Lost).map(|slip| slip.device);
    if !lost().all(|device| replaced(device) || was_refused(device)) {
        return None;
    }
    let kept = case.declared.iter().filter(|(device, _)| !lost().any(|lost| lost == Some(*device)));
    let value = case.union(kept.map(|(_, set)| *set).chain(slips.iter().filter_map(|slip| slip.adds())));
    let published = slips.iter().any(|slip| slip.requirement == PUBLISHED);
    let told = slips.iter().filter(|slip| slip.what != What::Lost || !replaced(slip.device));
    let words: Vec<String> = told.map(|slip| slip.words(case)).collect();
    Some(Guess {
        requirement: if published { PUBLISHED } else { REFUSED },
        value,
        words: format!("as if {}", words.join(" and ")),
    })
}
