//! What presence is expected to say of a user, and what it says.

use serde_json::Value;

use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;

/// What presence should carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// This hash.
    Hash {
        /// The hash.
        hash: CapabilityHash,
        /// Of what, for people.
        of: String,
    },
    /// No hash, or that of `{}`: nobody declared, or everybody left.
    Nothing,
}

impl Expect {
    /// The hash of one set.
    pub fn hash_of(set: &CapabilitySet) -> Self {
        Self::Hash { hash: set.hash(), of: "the declared set".to_owned() }
    }

    /// The hash of the union of several sets.
    pub fn union_of(sets: &[&CapabilitySet]) -> Self {
        if let [set] = sets {
            return Self::hash_of(set);
        }
        let union = CapabilitySet::union(sets.iter().copied());
        Self::Hash { hash: union.hash(), of: format!("the union of the {} declared sets", sets.len()) }
    }

    /// Whether a field says so.
    pub(super) fn is_met_by(&self, field: &Field) -> bool {
        match (self, field) {
            (Self::Hash { hash, .. }, Field::Hash(found)) => hash.as_str() == found,
            (Self::Nothing, Field::Absent) => true,
            (Self::Nothing, Field::Hash(found)) => *found == CapabilitySet::default().hash().as_str(),
            _ => false,
        }
    }

    /// Whether a field says so, or says nothing.
    pub(super) fn is_not_contradicted_by(&self, field: &Field) -> bool {
        *field == Field::Absent || self.is_met_by(field)
    }

    /// In words.
    pub(super) fn phrase(&self) -> String {
        match self {
            Self::Hash { hash, of } => format!("sha256 {hash} ({of})"),
            Self::Nothing => "no hash, or that of {}".to_owned(),
        }
    }
}

/// What the presence field of one event or status holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Nothing: the field is not there, or null.
    Absent,
    /// The string at `sha256`.
    Hash(String),
    /// Something that is no `{"sha256": string}`.
    Malformed(String),
}

impl Field {
    /// Whether it says that there is no hash, or carries that of one of these sets.
    pub(super) fn is_nothing_but(&self, sets: &[&CapabilitySet]) -> bool {
        let is_one = |hash: &str| sets.iter().any(|set| set.hash().as_str() == hash);
        Expect::Nothing.is_met_by(self) || matches!(self, Self::Hash(hash) if is_one(hash))
    }

    /// Reads the field of presence content.
    pub(super) fn of(content: &Value, field: &str) -> Self {
        match content.get(field) {
            None | Some(Value::Null) => Self::Absent,
            Some(value) => match value.get("sha256").and_then(Value::as_str) {
                Some(hash) => Self::Hash(hash.to_owned()),
                None => Self::Malformed(value.to_string()),
            },
        }
    }
}
