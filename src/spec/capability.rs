//! Capability sets and their union.

use std::collections::BTreeMap;

use super::canonical::{self, Json, JsonError, Object};
use super::hash::CapabilityHash;

/// A capability set: capability identifier to parameters (draft S5; the draft's parameters are all `{}`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapabilitySet(BTreeMap<String, Object>);

/// Why some bytes are not a capability set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The bytes are not JSON that Canonical JSON can express.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The top level is not an object.
    #[error("a capability set is a JSON object, this is {0}")]
    NotAnObject(&'static str),
    /// A capability's value is not an object.
    #[error("the value of capability {name:?} must be an object, it is {found}")]
    ValueNotAnObject {
        /// The capability whose value is wrong.
        name: String,
        /// What was found instead.
        found: &'static str,
    },
}

impl CapabilitySet {
    /// Reads a set from JSON bytes, strictly.
    pub fn parse(bytes: &[u8]) -> Result<Self, SetError> {
        let members = match canonical::parse(bytes)? {
            Json::Object(members) => members,
            other => return Err(SetError::NotAnObject(other.kind())),
        };
        members
            .into_iter()
            .map(|(name, value)| match value {
                Json::Object(parameters) => Ok((name, parameters)),
                other => Err(SetError::ValueNotAnObject { name, found: other.kind() }),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A set of parameterless capabilities.
    pub fn of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().map(|name| (name.into(), Object::new())).collect()
    }

    /// The capability names, in code-point order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The parameters of a capability, if the set has it.
    pub fn get(&self, name: &str) -> Option<&Object> {
        self.0.get(name)
    }

    /// Whether the set names this capability.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a capability, replacing its parameters if it is there.
    pub fn insert(&mut self, name: impl Into<String>, parameters: Object) {
        self.0.insert(name.into(), parameters);
    }

    /// The number of capabilities.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set names nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set as a JSON value.
    pub fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|(name, p)| (name.clone(), Json::Object(p.clone()))).collect())
    }

    /// The Canonical JSON bytes, which are what is hashed.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(&self.to_json())
    }

    /// The capability hash of the set.
    pub fn hash(&self) -> CapabilityHash {
        CapabilityHash::of(&self.canonical_bytes())
    }

    /// The union of several sets (draft C3): every name that any of them holds.
    ///
    /// Where two sets give one name different parameters the greatest value stands, so
    /// that the result depends on the sets alone and not on their order.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a CapabilitySet>) -> Self {
        let mut union = Self::default();
        for (name, parameters) in sets.into_iter().flat_map(|set| &set.0) {
            let kept = union.0.entry(name.clone()).or_insert_with(|| parameters.clone());
            if *kept < *parameters {
                kept.clone_from(parameters);
            }
        }
        union
    }
}

impl FromIterator<(String, Object)> for CapabilitySet {
    fn from_iter<T: IntoIterator<Item = (String, Object)>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}
