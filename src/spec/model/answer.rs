//! What a homeserver may answer, and what it answered.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;

/// What came of an act, as far as the model is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 200: it was done.
    Accepted,
    /// The refusal by which a client knows that it has to upload (draft C6).
    Refused,
    /// Another 4xx because of what was asked, status and error code; or 502 or 504 of a lookup, which tell that
    /// the remote homeserver failed (protocol 13.5).
    Rejected(u16, Option<String>),
    /// 401 `M_UNKNOWN_TOKEN`.
    DeadToken,
    /// A hash, as it is spelled: in presence, or as what the server offers.
    Hash(String),
    /// Presence without a hash.
    NoHash,
    /// No presence of that user at all.
    Unseen,
    /// A set, by the hash of what is served.
    Set(String),
    /// 200 with something else, in words.
    Odd(String),
    /// A 5xx, a time-out or a closed connection, confirmed by a repeat.
    Broken(String),
}

/// What presence carries of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Presence {
    /// No hash, or that of `{}`: nobody declared, or everybody left.
    Nothing,
    /// The hash of this union.
    Union(CapabilityHash),
}

/// What may be answered to an act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// All of them hold.
    pub rules: Vec<Rule>,
}

/// One rule about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The requirement that says so.
    pub requirement: &'static str,
    /// The answers that it lets pass.
    pub admits: Admits,
    /// Whether the homeserver has `settle_s` to come to such an answer (protocol 8.2).
    pub settles: bool,
}

/// Sets of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admits {
    /// 200.
    Accepted,
    /// The refusal of a declare.
    Refused,
    /// Anything but 200: the refusal or another 4xx.
    Declined,
    /// A 4xx because of what was sent.
    Rejected,
    /// 401 `M_UNKNOWN_TOKEN`.
    DeadToken,
    /// Presence that carries this.
    Carries(Presence),
    /// Presence that keeps the hash from its reader: 403, 404, none, or without a hash.
    Hidden,
    /// Exactly this set.
    Serves(CapabilitySet),
    /// A set that hashes to this, or a 4xx.
    NothingElseThan(CapabilityHash),
    /// A hash in due form.
    AHash,
    /// Anything but a breakdown.
    AnyAnswer,
}

impl Rule {
    /// Whether it lets an answer pass.
    pub fn admits(&self, answer: &Answer) -> bool {
        self.admits.admit(answer)
    }
}

impl Demand {
    /// The first rule that an answer breaks, of those that are not `lapsed`.
    pub fn broken_by(&self, answer: &Answer, lapsed: &BTreeSet<&'static str>) -> Option<&Rule> {
        self.rules.iter().find(|rule| !lapsed.contains(rule.requirement) && !rule.admits(answer))
    }
}

impl Admits {
    /// Whether an answer is among them.
    pub fn admit(&self, answer: &Answer) -> bool {
        match self {
            Self::Accepted => *answer == Answer::Accepted,
            Self::Refused => *answer == Answer::Refused,
            Self::Declined | Self::Rejected => answer.declines(),
            Self::DeadToken => *answer == Answer::DeadToken,
            Self::Carries(presence) => presence.is_told_by(answer),
            Self::Hidden => match answer {
                Answer::NoHash | Answer::Unseen => true,
                Answer::Rejected(status, _) => matches!(status, 403 | 404),
                _ => false,
            },
            Self::Serves(set) => matches!(answer, Answer::Set(hash) if *hash == set.hash().as_str()),
            Self::NothingElseThan(hash) => match answer {
                Answer::Set(served) => served == hash.as_str(),
                answer => answer.declines(),
            },
            Self::AHash => matches!(answer, Answer::Hash(hash) if CapabilityHash::parse(hash).is_ok()),
            Self::AnyAnswer => !matches!(answer, Answer::Broken(_)),
        }
    }
}

impl Answer {
    /// Whether it says no, because of what was asked.
    pub fn declines(&self) -> bool {
        matches!(self, Self::Refused | Self::Rejected(..))
    }
}

impl Presence {
    /// Whether an answer tells just this. Of nobody's hash a homeserver may tell by `{}`, by an event without
    /// the field, or not at all (protocol 9.2, 10.3).
    pub fn is_told_by(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Union(union), Answer::Hash(hash)) => hash == union.as_str(),
            (Self::Nothing, Answer::Hash(hash)) => hash == CapabilityHash::of(b"{}").as_str(),
            (Self::Nothing, Answer::NoHash | Answer::Unseen | Answer::Rejected(404, _)) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of answer, by a letter.
    fn answers() -> Vec<(char, Answer)> {
        let hash = |set: &CapabilitySet| set.hash().to_string();
        let (a, empty) = (CapabilitySet::of(["a"]), CapabilitySet::default());
        let rejected = |status| Answer::Rejected(status, Some("M_X".to_owned()));
        vec![
            ('a', Answer::Accepted),
            ('r', Answer::Refused),
            ('4', rejected(400)),
            ('f', rejected(404)),
            ('d', Answer::DeadToken),
            ('h', Answer::Hash(hash(&a))),
            ('e', Answer::Hash(hash(&empty))),
            ('p', Answer::Hash(format!("{}=", hash(&a)))),
            ('n', Answer::NoHash),
            ('u', Answer::Unseen),
            ('s', Answer::Set(hash(&a))),
            ('t', Answer::Set(hash(&empty))),
            ('o', Answer::Odd(String::new())),
            ('b', Answer::Broken(String::new())),
        ]
    }

    #[test]
    fn each_lets_its_answers_pass_and_no_others() {
        let a = CapabilitySet::of(["a"]);
        for (admits, passes) in [
            (Admits::Accepted, "a"),
            (Admits::Refused, "r"),
            (Admits::Declined, "r4f"),
            (Admits::Rejected, "r4f"),
            (Admits::DeadToken, "d"),
            (Admits::Carries(Presence::Union(a.hash())), "h"),
            (Admits::Carries(Presence::Nothing), "fenu"),
            (Admits::Hidden, "fnu"),
            (Admits::Serves(a.clone()), "s"),
            (Admits::NothingElseThan(a.hash()), "r4fs"),
            (Admits::AHash, "he"),
            (Admits::AnyAnswer, "ar4fdhepnusto"),
        ] {
            let rule = Rule { requirement: "x.y", admits, settles: false };
            let passed: String = answers()
                .iter()
                .filter(|(_, answer)| rule.admits(answer))
                .map(|(letter, _)| *letter)
                .collect();
            assert_eq!(passed, passes, "{:?}", rule.admits);
            let demand = Demand { rules: vec![rule.clone()] };
            for (_, answer) in answers() {
                let broken = demand.broken_by(&answer, &BTreeSet::new()).is_some();
                assert_eq!(broken, !rule.admits(&answer));
                assert_eq!(demand.broken_by(&answer, &BTreeSet::from(["x.y"])), None);
            }
        }
    }
}
