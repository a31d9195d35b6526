//! What a wrong hash in presence says about the mistake: the requirement that explains it, in words.
//!
//! Each suspect (`suspects`) is a known mistake that predicts what presence would carry; the first whose
//! prediction is what was told is it. Where a mistake against a should predicts the same as one against a must,
//! the should comes first: a must is blamed only where nothing milder explains what is seen.
//!
//! A wrong hash in `/sync`, or told to another homeserver, may be a wrong union or a good one that was told
//! wrongly. Whoever judges reads the status then, and lets the diagnosis look at that if it is wrong, too: of
//! what `/sync` shows it takes the status to be right.

mod slips;
mod suspects;
#[cfg(test)]
mod tests;

use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, DEVICES, Seat, Whom, words};
use crate::spec::mistake::MISTAKES;

use super::trail::UserTrail;
use super::{Answer, Known, Model, Presence, presence};

/// The mistake that explains a wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it breaks.
    pub requirement: &'static str,
    /// What happened, as in "as if carol's tablet had not logged out".
    pub words: String,
}

/// By which way presence was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Status,
    Sync,
    /// To another homeserver.
    Told,
}

/// Presence of a user that is not as it should be.
struct Case<'a> {
    model: &'a Model,
    user: usize,
    viewer: Whom,
    way: Way,
    trail: &'a UserTrail,
    /// What the live sessions have declared, by device.
    declared: Vec<(usize, usize)>,
    in_force: Presence,
    answer: &'a Answer,
}

/// What a mistake would make of presence.
struct Guess {
    requirement: &'static str,
    value: Presence,
    words: String,
}

/// What explains that presence is told so, which the model does not admit.
pub fn diagnose(model: &Model, act: &Act, answer: &Answer) -> Diagnosis {
    let (viewer, of, way) = match *act {
        Act::Sync { by, of } => (Whom::User(by.user), of, Way::Sync),
        Act::RemoteRead { remote, of } => (Whom::Remote(remote), Whom::User(of), Way::Told),
        Act::ReadStatus { by, of } => (Whom::User(by.user), of, Way::Status),
        _ => (Whom::User(0), Whom::User(0), Way::Status),
    };
    if !model.sees(viewer, of) {
        return say("presence.strangers", format!("{viewer} shares no room with {of}, and is shown a hash"));
    }
    match (of, of_user(of).and_then(|user| model.trail.of(user).map(|trail| (user, trail)))) {
        (Whom::User(_), Some((user, trail))) => {
            let declared = model.declared(user).collect();
            let in_force = model.in_force(user);
            Case { model, user, viewer, way, trail, declared, in_force, answer }.explain()
        }
        _ => {
            say("federation.presence-in", format!("{} is not what {of}'s homeserver announced", told(answer)))
        }
    }
}

fn of_user(of: Whom) -> Option<usize> {
    match of {
        Whom::User(user) => Some(user),
        Whom::Remote(_) => None,
    }
}

fn say(requirement: &'static str, words: impl Into<String>) -> Diagnosis {
    Diagnosis { requirement, words: words.into() }
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Hash(hash) => hash.clone(),
        Answer::Odd(value) => value.clone(),
        _ => "no hash".to_owned(),
    }
}

impl Case<'_> {
    fn explain(&self) -> Diagnosis {
        match self.answer {
            Answer::Odd(value) => say("hash.shape", format!("{value} is no object with a hash")),
            Answer::Hash(hash) if CapabilityHash::parse(hash).is_err() => self.misspelled(hash),
            _ if self.way == Way::Told => {
                let owner = words::user(self.user);
                say(
                    "federation.presence-out",
                    format!("{}'s homeserver was last told {} of {owner}", self.viewer, told(self.answer)),
                )
            }
            Answer::Hash(hash) => self.suspect().unwrap_or_else(|| self.of_unknown(hash)),
            _ => self.suspect().unwrap_or_else(|| self.missing()),
        }
    }

    /// The first suspect that predicts what was told.
    fn suspect(&self) -> Option<Diagnosis> {
        let guesses = suspects::of(self.way).iter().flat_map(|suspect| suspect(self));
        let mut wrong = guesses.filter(|guess| guess.value != self.in_force);
        let found = wrong.find(|guess| guess.value.is_told_by(self.answer))?;
        Some(say(found.requirement, found.words))
    }

    fn misspelled(&self, hash: &str) -> Diagnosis {
        let how = self.arithmetic(hash).map_or("in another spelling", |(_, done)| done);
        say("hash.unpadded-base64", format!("the hash is told {how}"))
    }

    fn missing(&self) -> Diagnosis {
        let owner = words::user(self.user);
        match self.way {
            Way::Sync if self.model.trail.is_new_sharer(self.viewer, self.user) => say(
                "presence.new-sharer",
                format!("{} was not told of {owner} when they came to share a room", self.viewer),
            ),
            Way::Sync => say("presence.sync", format!("/sync shows no hash of {owner}, who has one")),
            _ => say("presence.status", format!("{owner}'s status carries no hash, though one is in force")),
        }
    }

    /// A hash that no suspect predicts: the arithmetic, or nothing that is known.
    fn of_unknown(&self, hash: &str) -> Diagnosis {
        let owner = words::user(self.user);
        if let Some((name, done)) = self.arithmetic(hash) {
            return say(by_name(name), format!("the hash of {owner}'s union, but {done}"));
        }
        let set = self.model.sets.iter().position(|known| known.hash().as_str() == hash);
        if let (None, Some(device)) = (set, self.undeclared().next()) {
            let seat = self.seat(device);
            return say(
                "union.undeclared",
                format!("as if {seat}, which has declared nothing, had some set"),
            );
        }
        match (self.declared.len(), set) {
            (0, _) if self.trail.ghosts.is_empty() => say(
                "union.undeclared",
                format!("{owner}'s sessions have declared nothing, and there is a hash"),
            ),
            (0, _) => say(
                "presence.last-leaves",
                format!("all of {owner}'s sessions have ended, and there is a hash"),
            ),
            (1, Some(set)) => {
                say("union.single", format!("{owner}'s one session has not declared {}", words::set(set)))
            }
            (1, None) => {
                say("hash.sha256-canonical-json", format!("it is the hash of nothing that {owner} declared"))
            }
            (sessions, _) => {
                say("union.of-all", format!("it is not the union of {owner}'s {sessions} sessions' sets"))
            }
        }
    }

    /// The mistake in the arithmetic that yields a hash, its name and what was done.
    fn arithmetic(&self, hash: &str) -> Option<(&'static str, &'static str)> {
        let sets: Vec<CapabilitySet> =
            self.declared.iter().filter_map(|(_, set)| Some(self.model.known(*set)?.set().clone())).collect();
        let yields =
            |mistake: &&crate::spec::mistake::Mistake| mistake.hash_of_union(&sets).as_deref() == Some(hash);
        MISTAKES.iter().find(yields).map(|mistake| (mistake.name, mistake.done))
    }

    fn seat(&self, device: usize) -> Seat {
        Seat { user: self.user, device }
    }

    /// What presence would carry if these sets were all that is declared.
    fn union(&self, sets: impl IntoIterator<Item = usize>) -> Presence {
        presence(self.model.union(sets).as_ref())
    }

    /// The devices whose sessions live and have declared nothing.
    fn undeclared(&self) -> impl Iterator<Item = usize> + '_ {
        let declared = |device: usize| self.declared.iter().any(|(other, _)| *other == device);
        (0..DEVICES).filter(move |device| self.model.is_live(self.seat(*device)) && !declared(*device))
    }

    fn live(&self) -> impl Iterator<Item = usize> + '_ {
        self.declared.iter().map(|(_, set)| *set)
    }

    /// The union with a set more.
    fn with(&self, more: usize) -> Presence {
        self.union(self.live().chain([more]))
    }

    /// The union with another set in the place of a session's, or none.
    fn instead(&self, device: usize, set: Option<usize>) -> Presence {
        let others = self.declared.iter().filter(|(other, _)| *other != device).map(|(_, set)| *set);
        self.union(others.chain(set))
    }

    fn set(&self, set: usize) -> Option<&CapabilitySet> {
        self.model.known(set).map(Known::set)
    }

    fn is_empty(&self, set: usize) -> bool {
        self.set(set).is_some_and(CapabilitySet::is_empty)
    }
}

/// The requirement that a mistake in the arithmetic breaks.
fn by_name(mistake: &str) -> &'static str {
    match mistake {
        "utf16-order" => "hash.code-point-order",
        "composed" => "hash.no-normalisation",
        "by-name-only" | "first-only" | "last-only" | "intersection" => "union.of-all",
        _ => "hash.sha256-canonical-json",
    }
}
