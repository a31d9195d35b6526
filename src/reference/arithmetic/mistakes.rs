//! How the arithmetic goes wrong: reading, uniting and spelling under faults. Every
//! function gives back what it was given when its faults are absent.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use serde_json::{Value, json};

use super::dialect::{Dialect, Ordered};
use super::{Arithmetic, Set, canonical, hash, no_parameters};
use crate::reference::faults::{Fault, FaultSet};

/// The part of a body that is read.
pub(super) fn first_value(faults: FaultSet, body: &[u8]) -> &[u8] {
    if !faults.has(Fault::UploadIgnoresTrailingBytes) {
        return body;
    }
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    match values.next() {
        Some(Ok(_)) => &body[..values.byte_offset()],
        _ => body,
    }
}

/// A set from a body that is no Canonical JSON.
pub(super) fn lenient(faults: FaultSet, body: &[u8]) -> Option<Arc<Set>> {
    if faults.has(Fault::UploadTakesFloats) {
        let value: Value = serde_json::from_slice(body).ok()?;
        let names = value.as_object()?.keys().map(|name| (name.clone(), no_parameters()));
        let (members, text) = (names.collect(), value.to_string());
        return Some(Arc::new(Set { hash: hash(text.as_bytes()), body: text.into(), members }));
    }
    if faults.has(Fault::UploadTakesNan) {
        let text = std::str::from_utf8(body).ok()?;
        let numbers = text.replace("-Infinity", "0").replace("NaN", "0");
        let members = Arithmetic::default().read(numbers.as_bytes()).ok()?.members.clone();
        return Some(Arc::new(Set { hash: hash(body), body: body.to_vec().into(), members }));
    }
    None
}

/// A set from an array of names.
pub(super) fn list(faults: FaultSet, value: &CanonicalJsonValue) -> Option<Arc<Set>> {
    let CanonicalJsonValue::Array(items) = value else { return None };
    if !faults.has(Fault::UploadTakesList) {
        return None;
    }
    let name = |item: &CanonicalJsonValue| item.as_str().map(|name| (name.to_owned(), no_parameters()));
    let members: CanonicalJsonObject = items.iter().map(name).collect::<Option<_>>()?;
    let text = value.to_string();
    Some(Arc::new(Set { hash: hash(text.as_bytes()), body: canonical(&members).into(), members }))
}

/// What becomes of a set that was read well, given the bytes it was read from.
pub(super) fn reread(faults: FaultSet, body: &[u8], set: Arc<Set>) -> Arc<Set> {
    let mut set = set;
    if let Some(dialect) = Dialect::of(faults) {
        Arc::make_mut(&mut set).hash = hash(dialect.write(body).as_bytes());
    }
    if faults.has(Fault::HashUploadedBytes) {
        Arc::make_mut(&mut set).hash = hash(body);
    }
    if faults.has(Fault::DuplicateKeysServedRaw) {
        Arc::make_mut(&mut set).body = body.to_vec().into();
    }
    if faults.has(Fault::DuplicateKeysTwoParsers)
        && let Ok(read) = serde_json::from_slice::<Ordered>(body)
    {
        Arc::make_mut(&mut set).hash = hash(read.first_wins().to_string().as_bytes());
    }
    set
}

/// A set from a body whose text is broken, under whatever hash it claims.
pub(crate) fn mended(faults: FaultSet, body: &[u8], claimed: &str) -> Option<Arc<Set>> {
    if !faults.has(Fault::UploadReplacesSurrogates) {
        return None;
    }
    let mended = without_lone_surrogates(&String::from_utf8_lossy(body));
    let set = Arithmetic::default().read(mended.as_bytes()).ok()?;
    Some(Arc::new(Set { hash: claimed.to_owned(), ..(*set).clone() }))
}

fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut at) = (String::new(), 0);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(_), _) => 6,
            _ => c.len_utf8(),
        };
        let lone = length == 6 && matches!(unit(at), Some(0xD800..=0xDFFF));
        mended.push_str(if lone { "\\ufffd" } else { &text[at..at + length] });
        at += length;
    }
    mended
}

/// The sets that are counted, of those in force in the order of declaring.
pub(super) fn counted(faults: FaultSet, sets: &[Arc<Set>]) -> &[Arc<Set>] {
    match sets.len() {
        n if n > 1 && faults.has(Fault::UnionLastDeclared) => &sets[n - 1..],
        n if n > 2 && faults.has(Fault::UnionOfTwo) => &sets[..2],
        _ => sets,
    }
}

/// What becomes of a union.
pub(super) fn united(arithmetic: Arithmetic, sets: &[Arc<Set>], union: Arc<Set>) -> Arc<Set> {
    let faults = arithmetic.faults;
    if faults.has(Fault::UnionIntersection) {
        let common = |(name, _): &(&String, _)| sets.iter().all(|set| set.members.contains_key(*name));
        let members = union.members.iter().filter(common).map(|(n, p)| (n.clone(), p.clone()));
        return arithmetic.set(members.collect());
    }
    if faults.has(Fault::UnionConflictDropped) {
        let agreed = |(name, value): &(&String, &CanonicalJsonValue)| {
            sets.iter().filter_map(|set| set.members.get(*name)).all(|other| other == *value)
        };
        let members = union.members.iter().filter(agreed).map(|(n, p)| (n.clone(), p.clone()));
        return arithmetic.set(members.collect());
    }
    if sets.len() < 2 {
        return union;
    }
    let hashed = if faults.has(Fault::UnionHashOfHashes) {
        sets.iter().map(|set| set.hash.as_str()).collect()
    } else if faults.has(Fault::UnionInOrderOfDeclaring) {
        let mut names: Vec<&String> = sets.iter().flat_map(|set| set.members.keys()).collect();
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        listed(&names, &union)
    } else if faults.has(Fault::UnionCountsTwice) {
        let mut names: Vec<&String> = sets.iter().flat_map(|set| set.members.keys()).collect();
        names.sort();
        listed(&names, &union)
    } else {
        return union;
    };
    Arc::new(Set { hash: hash(hashed.as_bytes()), ..(*union).clone() })
}

/// The JSON text of a union's members, with these names in this order.
fn listed(names: &[&String], union: &Set) -> String {
    let member = |name: &&String| format!("{}:{}", json!(name), union.members[*name]);
    format!("{{{}}}", names.iter().map(member).collect::<Vec<_>>().join(","))
}

/// How the text of a request is understood before it is looked at as a hash.
pub(super) fn respelled(faults: FaultSet, text: &str) -> Option<String> {
    let text: Cow<'_, str> = if faults.has(Fault::HashPadded) || faults.has(Fault::HashPaddedInPresence) {
        text.trim_end_matches('=').into()
    } else if faults.has(Fault::HashUrlSafe) {
        text.replace('-', "+").replace('_', "/").into()
    } else if faults.has(Fault::HashHex) && text.len() == 64 {
        let digits = (0..64).step_by(2).map(|at| text.get(at..at + 2));
        let bytes = digits.map(|two| u8::from_str_radix(two?, 16).ok()).collect::<Option<Vec<u8>>>()?;
        STANDARD_NO_PAD.encode(bytes).into()
    } else {
        text.into()
    };
    Some(text.into_owned())
}

/// How an answer tells a hash.
pub(super) fn spelled(faults: FaultSet, hash: &str) -> Value {
    let text: Cow<'_, str> = if faults.has(Fault::HashPadded) {
        format!("{hash}=").into()
    } else if faults.has(Fault::HashUrlSafe) {
        hash.replace('+', "-").replace('/', "_").into()
    } else if faults.has(Fault::HashHex) {
        let bytes = STANDARD_NO_PAD.decode(hash).unwrap_or_default();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    } else {
        hash.into()
    };
    if faults.has(Fault::HashBareString) {
        json!(text)
    } else if faults.has(Fault::HashOtherKey) {
        json!({ "sha-256": text })
    } else {
        json!({ "sha256": text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fault: Fault) -> Arithmetic {
        Arithmetic { faults: [fault].into_iter().collect(), ..Arithmetic::default() }
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_not() {
        assert_eq!(without_lone_surrogates(r#"a\ud800é\ud83d\ude02\u0061"#), r#"a\ufffdé\ud83d\ude02\u0061"#);
        assert_eq!(without_lone_surrogates(r"\ude02"), r"\ufffd");
    }

    #[test]
    fn faulty_unions_differ_only_where_the_fault_shows() {
        let honest = Arithmetic::default();
        let [ab, bc] = [honest.of(["a", "b"]), honest.of(["b", "c"])];
        let [z, a] = [honest.of(["z"]), honest.of(["a"])];
        let differs = |fault: Fault, sets: &[Arc<Set>]| {
            with(fault).union(sets).map(|s| s.hash.clone()) != honest.union(sets).map(|s| s.hash.clone())
        };
        assert!(differs(Fault::UnionIntersection, &[ab.clone(), bc.clone()]));
        assert!(differs(Fault::UnionLastDeclared, &[ab.clone(), bc.clone()]));
        assert!(differs(Fault::UnionHashOfHashes, &[ab.clone(), bc.clone()]));
        assert!(differs(Fault::UnionCountsTwice, &[ab.clone(), bc.clone()]));
        assert!(!differs(Fault::UnionCountsTwice, &[a.clone(), z.clone()]));
        assert!(differs(Fault::UnionInOrderOfDeclaring, &[z.clone(), a.clone()]));
        assert!(!differs(Fault::UnionInOrderOfDeclaring, &[a.clone(), z.clone()]));
        assert!(!differs(Fault::UnionOfTwo, &[a.clone(), z.clone()]));
        assert!(differs(Fault::UnionOfTwo, &[a, z, bc]));
        assert!(!differs(Fault::UnionIntersection, &[ab]));
    }

    #[test]
    fn the_two_parsers_disagree_about_duplicates_alone() {
        let body = br#"{"b":{"x":1},"b":{"x":2},"a":{}}"#;
        let set = with(Fault::DuplicateKeysTwoParsers).read(body).unwrap();
        let first = Arithmetic::default().read(br#"{"a":{},"b":{"x":1}}"#).unwrap();
        assert_eq!(set.hash, first.hash);
        assert_eq!(set.body, r#"{"a":{},"b":{"x":2}}"#);
        assert_eq!(with(Fault::DuplicateKeysTwoParsers).read(&first.body).unwrap(), first);
    }

    #[test]
    fn spellings_are_understood_by_the_server_that_uses_them() {
        let hash = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o";
        for fault in [Fault::HashPadded, Fault::HashUrlSafe, Fault::HashHex] {
            let told = with(fault).hash_in_answer(hash);
            let told = told["sha256"].as_str().unwrap();
            assert_ne!(told, hash);
            assert_eq!(with(fault).hash_in_request(told).as_deref(), Some(hash));
            assert_eq!(Arithmetic::default().hash_in_request(told), None);
        }
    }
}
