//! What a homeserver may answer, and what it answered.

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
    /// Another 4xx because of what was asked: status and error code.
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
