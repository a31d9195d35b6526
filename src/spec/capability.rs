//! Capability sets and their union.

use std::collections::BTreeMap;

use super::canonical::{self, Json, JsonError, Object};
use super::hash::CapabilityHash;

/// A capability set: capability identifier to parameters (draft S5; the draft's parameters are all `{}`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapabilitySet(BTreeMap<String, Object>);

/// Whether a name follows Matrix's Common Namespaced Identifier Grammar: 1 to 255 of `a-z`, `0-9`,
/// `.`, `_` and `-`, the first of them a letter. Other names are *opaque*, and a server may refuse them.
pub fn is_identifier(name: &str) -> bool {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    name.len() <= 255 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(rest)
}

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
    #[error(
        "line {line}, column {column}: the value of capability {name:?} must be an object, it is {found}"
    )]
    ValueNotAnObject {
        /// The capability whose value is wrong.
        name: String,
        /// What was found instead.
        found: &'static str,
        /// The line where the capability stands, from one.
        line: usize,
        /// The column in characters, from one.
        column: usize,
    },
}

impl SetError {
    /// The permanent name of the mistake: that of [`JsonErrorKind`](canonical::JsonErrorKind),
    /// `not-an-object` or `value-not-an-object`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Json(error) => error.kind.name(),
            Self::NotAnObject(_) => "not-an-object",
            Self::ValueNotAnObject { .. } => "value-not-an-object",
        }
    }
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
                other => {
                    let (line, column) = canonical::place_of_member(bytes, &name).unwrap_or((1, 1));
                    Err(SetError::ValueNotAnObject { name, found: other.kind(), line, column })
                }
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

    /// The set under other names, its parameters untouched; for names that carry a run's nonce.
    /// Where two names become one, one of the two remains.
    pub fn map_names(&self, mut rename: impl FnMut(&str) -> String) -> Self {
        self.0.iter().map(|(name, parameters)| (rename(name), parameters.clone())).collect()
    }

    /// The number of capabilities.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set names nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a capability has parameters, which the draft never shows and a server may refuse.
    pub fn has_parameters(&self) -> bool {
        self.0.values().any(|parameters| !parameters.is_empty())
    }

    /// Whether a name is outside the [grammar](is_identifier), so that a server may refuse it.
    pub fn has_opaque_names(&self) -> bool {
        !self.names().all(is_identifier)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::draw;

    #[test]
    fn reads_a_set_and_hashes_it() {
        let sample = br#" {"m.cap.turnserver.v1": {}, "custom.feature.v1": {}} "#;
        let set = CapabilitySet::parse(sample).unwrap();
        assert_eq!(set, CapabilitySet::of(["custom.feature.v1", "m.cap.turnserver.v1"]));
        assert_eq!(set.canonical_bytes(), br#"{"custom.feature.v1":{},"m.cap.turnserver.v1":{}}"#);
        assert_eq!(set.hash().as_str(), "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo");
    }

    #[test]
    fn says_what_is_no_set() {
        for (input, name, words) in [
            ("[]", "not-an-object", "a capability set is a JSON object, this is an array"),
            ("null", "not-an-object", "a capability set is a JSON object, this is null"),
            (
                r#"{"a":{},"b":true}"#,
                "value-not-an-object",
                "line 1, column 9: the value of capability \"b\" must be an object, it is a boolean",
            ),
            (r#"{"a":{},"a":{}}"#, "duplicate-key", "line 1, column 9: the key \"a\" is there twice"),
        ] {
            let error = CapabilitySet::parse(input.as_bytes()).unwrap_err();
            assert_eq!((error.name(), error.to_string().as_str()), (name, words));
        }
    }

    #[test]
    fn knows_identifiers() {
        let longest = "a".repeat(255);
        for name in ["a", "m.cap.turnserver.v1", "a-b_c.9", &longest] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "A", "1a", ".a", "a b", "a/b", "é", &format!("{longest}a")] {
            assert!(!is_identifier(name), "{name}");
            assert!(CapabilitySet::of([name]).has_opaque_names());
        }
    }

    #[test]
    fn a_conflict_is_settled_without_regard_to_order() {
        let one = CapabilitySet::parse(br#"{"a":{"v":1},"b":{}}"#).unwrap();
        let two = CapabilitySet::parse(br#"{"a":{"v":2}}"#).unwrap();
        let union = CapabilitySet::union([&one, &two]);
        assert_eq!(union, CapabilitySet::union([&two, &one]));
        assert_eq!(union.canonical_bytes(), br#"{"a":{"v":2},"b":{}}"#);
        assert!(union.has_parameters() && !CapabilitySet::of(["a"]).has_parameters());
    }

    #[test]
    fn a_set_tells_what_it_holds() {
        let mut set = CapabilitySet::parse(br#"{"a":{"v":1},"b":{}}"#).unwrap();
        assert_eq!((set.len(), set.is_empty(), set.has_opaque_names()), (2, false, false));
        assert_eq!(set.get("a"), Some(&Object::from([("v".to_owned(), Json::Integer(1))])));
        assert_eq!((set.get("b"), set.get("c")), (Some(&Object::new()), None));
        assert_eq!((set.contains("b"), set.contains("c")), (true, false));
        set.insert("a", Object::new());
        assert_eq!(set, CapabilitySet::of(["b", "a"]));
        let empty = CapabilitySet::default();
        assert_eq!((empty.len(), empty.is_empty(), empty.names().next()), (0, true, None));
    }

    #[test]
    fn names_can_be_mapped() {
        let set = CapabilitySet::parse(br#"{"a":{"v":1},"b":{}}"#).unwrap();
        let mapped = set.map_names(|name| format!("{name}.x7"));
        assert_eq!(mapped.canonical_bytes(), br#"{"a.x7":{"v":1},"b.x7":{}}"#);
    }

    proptest! {
        #[test]
        fn union_is_commutative(a in draw::capability_set(true), b in draw::capability_set(true)) {
            prop_assert_eq!(CapabilitySet::union([&a, &b]), CapabilitySet::union([&b, &a]));
        }

        #[test]
        fn union_is_associative(
            a in draw::capability_set(true), b in draw::capability_set(true), c in draw::capability_set(true),
        ) {
            let left = CapabilitySet::union([&CapabilitySet::union([&a, &b]), &c]);
            let right = CapabilitySet::union([&a, &CapabilitySet::union([&b, &c])]);
            prop_assert_eq!(&left, &right);
            prop_assert_eq!(left, CapabilitySet::union([&a, &b, &c]));
        }

        #[test]
        fn union_is_idempotent_and_the_empty_set_is_its_identity(a in draw::capability_set(true)) {
            prop_assert_eq!(&CapabilitySet::union([&a, &a]), &a);
            prop_assert_eq!(&CapabilitySet::union([&a, &CapabilitySet::default()]), &a);
            prop_assert_eq!(CapabilitySet::union([]), CapabilitySet::default());
        }

        #[test]
        fn union_holds_every_name_and_no_other(a in draw::capability_set(true), b in draw::capability_set(true)) {
            let union = CapabilitySet::union([&a, &b]);
            prop_assert!(a.names().chain(b.names()).all(|name| union.contains(name)));
            prop_assert!(union.names().all(|name| a.contains(name) || b.contains(name)));
        }
    }
}
