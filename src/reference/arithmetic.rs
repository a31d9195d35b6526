//! Canonical bytes, hash and union, by Ruma's Canonical JSON: nothing shared with the suite's own.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use super::errors::MatrixError;

/// A capability set with all that is derived from it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    /// Its hash.
    pub(crate) hash: String,
    /// What is served for the hash.
    pub(crate) body: Bytes,
    /// Its capabilities.
    pub(crate) members: CanonicalJsonObject,
}

impl Set {
    /// The set with these members.
    pub(crate) fn new(members: CanonicalJsonObject) -> Arc<Self> {
        let body = canonical(&members);
        Arc::new(Self { hash: hash(&body), body: body.into(), members })
    }

    /// A set of parameterless capabilities.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let empty = || CanonicalJsonValue::Object(CanonicalJsonObject::new());
        Self::new(names.into_iter().map(|name| (name.to_owned(), empty())).collect())
    }

    /// Reads an uploaded set. Ruma's reader takes duplicate keys, of which the last wins;
    /// what is served is written anew from what was read, so it hashes to what was checked.
    pub(crate) fn read(body: &[u8]) -> Result<Arc<Self>, MatrixError> {
        let value: CanonicalJsonValue =
            serde_json::from_slice(body).map_err(|error| match error.classify() {
                Category::Data => MatrixError::bad_json(format!("Not Canonical JSON: {error}")),
                _ => MatrixError::not_json(format!("Not JSON: {error}")),
            })?;
        let CanonicalJsonValue::Object(members) = value else {
            return Err(MatrixError::bad_json("A capability set is a JSON object"));
        };
        match members.iter().find(|(_, value)| !matches!(value, CanonicalJsonValue::Object(_))) {
            Some((name, _)) => Err(MatrixError::bad_json(format!("The value of {name:?} must be an object"))),
            None => Ok(Self::new(members)),
        }
    }
}

/// The Canonical JSON bytes of a set.
fn canonical(members: &CanonicalJsonObject) -> String {
    CanonicalJsonValue::Object(members.clone()).to_string()
}

/// Unpadded standard Base64 of SHA-256.
fn hash(bytes: &str) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(bytes.as_bytes()))
}

/// Whether some text can be a hash: the 43 characters that Base64 makes of 32 bytes.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 43 && STANDARD_NO_PAD.decode(text).is_ok_and(|digest| digest.len() == 32)
}

/// The union of several sets (draft C3): every capability that any of them names. Where
/// two give one capability different parameters, those whose canonical bytes are
/// greater stand, so that no order of sessions shows in the result.
pub(crate) fn union(sets: &[Arc<Set>]) -> Option<Arc<Set>> {
    let (first, rest) = sets.split_first()?;
    if rest.iter().all(|set| set.hash == first.hash) {
        return Some(first.clone());
    }
    let spelled = |parameters: &CanonicalJsonValue| parameters.to_string();
    let mut members = first.members.clone();
    for (name, parameters) in rest.iter().flat_map(|set| &set.members) {
        match members.entry(name.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(parameters.clone());
            }
            Entry::Occupied(mut entry) => {
                if spelled(entry.get()) < spelled(parameters) {
                    entry.insert(parameters.clone());
                }
            }
        }
    }
    Some(Set::new(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_hashes_come_out() {
        assert_eq!(Set::of([]).hash, "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o");
        let sample = Set::of(["m.cap.turnserver.v1", "custom.feature.v1"]);
        assert_eq!(sample.hash, "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo");
        assert_eq!(sample.body, r#"{"custom.feature.v1":{},"m.cap.turnserver.v1":{}}"#);
    }

    #[test]
    fn what_is_served_hashes_to_the_claim_whatever_the_spelling() {
        let set = Set::read(br#" { "\u0062": {"y":[2,1],"x":"\/"}, "a" :{}, "a":{"k":null} } "#).unwrap();
        assert_eq!(set.body, r#"{"a":{"k":null},"b":{"x":"/","y":[2,1]}}"#);
        assert_eq!(Set::read(&set.body).unwrap().hash, set.hash);
    }

    #[test]
    fn keys_sort_by_code_point() {
        let set = Set::read("{\"\u{1F602}\":{},\"\u{FB33}\":{}}".as_bytes()).unwrap();
        assert_eq!(set.body, "{\"\u{FB33}\":{},\"\u{1F602}\":{}}");
    }

    #[test]
    fn what_is_not_a_set_is_refused_by_its_kind() {
        let deep = format!("{{\"a\":{}{}}}", "{\"a\":".repeat(200), "1".to_owned() + &"}".repeat(200));
        let cases: [(&[u8], &str); 15] = [
            (b"", "M_NOT_JSON"),
            (b"{", "M_NOT_JSON"),
            (b"{}x", "M_NOT_JSON"),
            (b"{\"a\":\xff}", "M_NOT_JSON"),
            (b"{\0}\0", "M_NOT_JSON"),
            (br#"{"a":{"x":"\ud800"}}"#, "M_NOT_JSON"),
            (deep.as_bytes(), "M_NOT_JSON"),
            (b"[]", "M_BAD_JSON"),
            (b"null", "M_BAD_JSON"),
            (br#"{"a":1}"#, "M_BAD_JSON"),
            (br#"{"a":{"x":1.5}}"#, "M_BAD_JSON"),
            (br#"{"a":{"x":1e2}}"#, "M_BAD_JSON"),
            (br#"{"a":{"x":-0}}"#, "M_BAD_JSON"),
            (br#"{"a":{"x":9007199254740992}}"#, "M_BAD_JSON"),
            (br#"{"a":{"x":1.0}}"#, "M_BAD_JSON"),
        ];
        for (body, errcode) in cases {
            let error = Set::read(body).unwrap_err();
            assert_eq!(error.errcode, errcode, "{}: {}", String::from_utf8_lossy(body), error.message);
        }
    }

    #[test]
    fn a_hash_has_43_characters_of_the_alphabet_and_no_stray_bits() {
        assert!(is_hash("//c9BEZRxhBgCMh4n9x6JU54FmMpG95BjX+vunXewd8"));
        for text in [
            "",
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4",
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
            "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o",
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4p",
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4\0",
        ] {
            assert!(!is_hash(text), "{text:?}");
        }
    }

    #[test]
    fn a_union_knows_no_order() {
        let set = |text: &str| Set::read(text.as_bytes()).unwrap();
        let sets = [set(r#"{"a":{},"c":{"v":1}}"#), set(r#"{"b":{},"c":{"v":2}}"#), set("{}")];
        let reversed: Vec<_> = sets.iter().rev().cloned().collect();
        let union_of = |sets: &[Arc<Set>]| union(sets).unwrap();
        assert_eq!(union_of(&sets).body, r#"{"a":{},"b":{},"c":{"v":2}}"#);
        assert_eq!(union_of(&sets), union_of(&reversed));
        assert_eq!(union(&[]), None);
    }
}
