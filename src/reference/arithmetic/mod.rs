//! Canonical bytes, hash and union, by Ruma's Canonical JSON: nothing shared with the suite's own.

mod dialect;
mod intake;
mod mistakes;

use std::collections::btree_map::Entry;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use serde_json::Value;
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use self::dialect::Dialect;
use super::errors::MatrixError;
use super::faults::{Fault, FaultSet};
use super::variants::{Variant, VariantSet};

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

/// How this server computes, its faults and freedoms included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arithmetic {
    pub(crate) faults: FaultSet,
    pub(crate) variants: VariantSet,
}

impl Arithmetic {
    /// The set with these members.
    pub(crate) fn set(self, members: CanonicalJsonObject) -> Arc<Set> {
        let body = canonical(&members);
        let hash = match Dialect::of(self.faults) {
            None => hash(body.as_bytes()),
            Some(dialect) => hash(dialect.write(body.as_bytes()).as_bytes()),
        };
        Arc::new(Set { hash, body: body.into(), members })
    }

    /// A set of parameterless capabilities.
    pub(crate) fn of<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Arc<Set> {
        self.set(names.into_iter().map(|name| (name.to_owned(), no_parameters())).collect())
    }

    /// Reads an uploaded set, with what this server takes beyond that, and without what it refuses.
    pub(crate) fn read_upload(self, body: &[u8]) -> Result<Arc<Set>, MatrixError> {
        let prepared = intake::prepare(self.variants, body);
        let read = prepared.and_then(|body| self.read(&body));
        let set = read.map_err(|error| error.any_4xx(self.variants))?;
        intake::admit(self.variants, &set).map(|()| set)
    }

    /// Reads a set. Ruma's reader takes duplicate keys, of which the last wins;
    /// what is served is written anew from what was read, so it hashes to what was checked.
    pub(crate) fn read(self, body: &[u8]) -> Result<Arc<Set>, MatrixError> {
        let body = mistakes::first_value(self.faults, body);
        let value: CanonicalJsonValue = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => return mistakes::lenient(self.faults, body).ok_or_else(|| self.unreadable(&error)),
        };
        let CanonicalJsonValue::Object(members) = value else {
            let list = mistakes::list(self.faults, &value);
            return list.ok_or_else(|| MatrixError::bad_json("A capability set is a JSON object"));
        };
        let odd = members.iter().find(|(_, value)| !matches!(value, CanonicalJsonValue::Object(_)));
        if let Some((name, _)) = odd.filter(|_| !self.faults.has(Fault::UploadTakesAnyValue)) {
            return Err(MatrixError::bad_json(format!("The value of {name:?} must be an object")));
        }
        Ok(mistakes::reread(self.faults, body, self.set(members)))
    }

    /// What becomes of a set that was uploaded under a hash, read or unreadable.
    pub(crate) fn claimed(
        self,
        read: Result<Arc<Set>, MatrixError>,
        body: &[u8],
        claimed: &str,
    ) -> Result<Arc<Set>, MatrixError> {
        match read {
            Ok(set) if self.agree(&set.hash, claimed) => Ok(set),
            Ok(set) if self.faults.has(Fault::UploadUnchecked) => {
                Ok(Arc::new(Set { hash: claimed.to_owned(), ..(*set).clone() }))
            }
            Ok(_) => {
                let error = MatrixError::invalid_param("The set does not hash to the hash in the path");
                Err(error.any_4xx(self.variants))
            }
            Err(error) => mistakes::mended(self.faults, body, claimed).ok_or(error),
        }
    }

    /// Whether an upload's hash is the one it claims.
    fn agree(self, hash: &str, claimed: &str) -> bool {
        hash == claimed
            || (self.faults.has(Fault::UploadCheckIgnoresCase) && hash.eq_ignore_ascii_case(claimed))
            || (self.faults.has(Fault::UploadCheckByPrefix) && hash.get(..8) == claimed.get(..8))
            || self.faults.has(Fault::UploadMismatchSilent)
    }

    fn unreadable(self, error: &serde_json::Error) -> MatrixError {
        match error.classify() {
            Category::Data => MatrixError::bad_json(format!("Not Canonical JSON: {error}")),
            _ if self.faults.has(Fault::BadJsonCrash) => MatrixError::internal("Internal server error"),
            _ => MatrixError::not_json(format!("Not JSON: {error}")),
        }
    }

    /// The union of several sets (draft C3): every capability that any of them names. Where
    /// two give one capability different parameters, those whose canonical bytes are
    /// greater stand, so that no order of sessions shows in the result.
    pub(crate) fn union(self, sets: &[Arc<Set>]) -> Option<Arc<Set>> {
        let sets = mistakes::counted(self.faults, sets);
        let (first, rest) = sets.split_first()?;
        let alike = rest.iter().all(|set| set.hash == first.hash) && self.faults.is_empty();
        if rest.is_empty() || alike {
            return Some(first.clone());
        }
        let spelled = |parameters: &CanonicalJsonValue| parameters.to_string();
        let mut members = first.members.clone();
        for (name, parameters) in rest.iter().flat_map(|set| &set.members) {
            match members.entry(name.clone()) {
                Entry::Vacant(entry) => drop(entry.insert(parameters.clone())),
                Entry::Occupied(mut entry) => {
                    let later = self.faults.has(Fault::UnionConflictLastWins);
                    let smaller = self.variants.has(Variant::ConflictSmaller);
                    if entry.get() == parameters {
                        continue;
                    }
                    if self.variants.has(Variant::ConflictBare) {
                        entry.insert(no_parameters());
                    } else if later || (spelled(entry.get()) < spelled(parameters)) != smaller {
                        entry.insert(parameters.clone());
                    }
                }
            }
        }
        Some(mistakes::united(self, sets, self.set(members)))
    }

    /// The hash that some text of a request spells, if it does.
    pub(crate) fn hash_in_request(self, text: &str) -> Option<String> {
        let text = intake::spelled_out(self.variants, text);
        mistakes::respelled(self.faults, &text).filter(|hash| is_hash(hash))
    }

    /// How answers tell a hash (draft S3).
    pub(crate) fn hash_in_answer(self, hash: &str) -> Value {
        let mut told = mistakes::spelled(self.faults, hash);
        if let (Value::Object(algorithms), true) = (&mut told, self.variants.has(Variant::HashExtraKeys)) {
            algorithms.extend(others(hash));
        }
        told
    }
}

fn no_parameters() -> CanonicalJsonValue {
    CanonicalJsonValue::Object(CanonicalJsonObject::new())
}

/// The Canonical JSON bytes of a set.
fn canonical(members: &CanonicalJsonObject) -> String {
    // Serialising the map spares the copy that a `CanonicalJsonValue` would need; keys and
    // values are written by the same serialiser.
    serde_json::to_string(members).unwrap_or_default()
}

/// Unpadded standard Base64 of SHA-256.
pub(crate) fn hash(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(bytes))
}

/// Hashes of other algorithms, one of them of the very form of this one; readers ignore them.
fn others(hash: &str) -> [(String, Value); 3] {
    let another = self::hash(hash.as_bytes());
    [("org.example.digest", another.into()), ("sha512", "0".repeat(86).into()), ("md5", Value::Null)]
        .map(|(name, value)| (name.to_owned(), value))
}

/// Whether some text can be a hash: the 43 characters that Base64 makes of 32 bytes.
fn is_hash(text: &str) -> bool {
    text.len() == 43 && STANDARD_NO_PAD.decode(text).is_ok_and(|digest| digest.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn honest() -> Arithmetic {
        Arithmetic::default()
    }

    fn set(text: &str) -> Arc<Set> {
        honest().read(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_published_hashes_come_out() {
        assert_eq!(honest().of([]).hash, "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o");
        let sample = honest().of(["m.cap.turnserver.v1", "custom.feature.v1"]);
        assert_eq!(sample.hash, "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo");
        assert_eq!(sample.body, r#"{"custom.feature.v1":{},"m.cap.turnserver.v1":{}}"#);
    }

    #[test]
    fn what_is_served_hashes_to_the_claim_whatever_the_spelling() {
        let set = set(r#" { "\u0062": {"y":[2,1],"x":"\/"}, "a" :{}, "a":{"k":null} } "#);
        assert_eq!(set.body, r#"{"a":{"k":null},"b":{"x":"/","y":[2,1]}}"#);
        assert_eq!(honest().read(&set.body).unwrap().hash, set.hash);
    }

    #[test]
    fn the_bytes_are_those_of_rumas_canonical_json() {
        let text = "{\"\u{1F602}\":{\"\\u0001\":\"\\b\\u007f\u{2028}\"},\"\u{FB33}\":{\"e\u{301}\":[1,-2]}}";
        let value: CanonicalJsonValue = serde_json::from_str(text).unwrap();
        assert_eq!(set(text).body, value.to_string());
    }

    #[test]
    fn keys_sort_by_code_point() {
        let set = set("{\"\u{1F602}\":{},\"\u{FB33}\":{}}");
        assert_eq!(set.body, "{\"\u{FB33}\":{},\"\u{1F602}\":{}}");
    }

    #[test]
    fn what_is_not_a_set_is_refused_by_its_kind() {
        let deep = format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(200), "}".repeat(200));
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
            let error = honest().read(body).unwrap_err();
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
        let sets = [set(r#"{"a":{},"c":{"v":1}}"#), set(r#"{"b":{},"c":{"v":2}}"#), set("{}")];
        let reversed: Vec<_> = sets.iter().rev().cloned().collect();
        let union = |sets: &[Arc<Set>]| honest().union(sets).unwrap();
        assert_eq!(union(&sets).body, r#"{"a":{},"b":{},"c":{"v":2}}"#);
        assert_eq!(union(&sets), union(&reversed));
        assert_eq!(honest().union(&[]), None);
    }
}
