//! Good bytes, spoiled: what no homeserver may take for a set (protocol 4.4).

use crate::spec::canonical::{self, Json, JsonErrorKind};
use crate::spec::capability::CapabilitySet;

use super::Spoil;

/// The name that is added where a name more is needed; no drawn name begins so.
const ADDED: &str = "capcheck.spoilt";

impl Spoil {
    /// One of each kind, mutations aside; numbers are 0.
    pub const KINDS: [Self; 14] = [
        Self::Empty,
        Self::CutOff(0),
        Self::Brace,
        Self::Twice,
        Self::Utf16,
        Self::BadUtf8,
        Self::InArray,
        Self::Null,
        Self::Fraction,
        Self::LoneSurrogate,
        Self::NotANumber,
        Self::TrailingComma,
        Self::BareKey,
        Self::LineFeed(0),
    ];

    /// The canonical bytes of a set, spoiled so.
    pub fn bytes(self, set: &CapabilitySet) -> Vec<u8> {
        let good = set.canonical_bytes();
        let inner = good.get(1..good.len() - 1).unwrap_or_default();
        match self {
            Self::Empty => Vec::new(),
            Self::CutOff(missing) => good[..good.len() - missing.clamp(1, good.len() - 1)].to_vec(),
            Self::Brace => [&good[..], b"}"].concat(),
            Self::Twice => [&good[..], &good[..]].concat(),
            Self::Utf16 => String::from_utf8_lossy(&good).encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::BadUtf8 => with_name(set, 0, |name| [b"\"\xff", &name[1..]].concat()),
            Self::InArray => [b"[", &good[..], b"]"].concat(),
            Self::Null => b"null".to_vec(),
            Self::Fraction => with_value(inner, r#"{"n":1.5}"#),
            Self::LoneSurrogate => with_value(inner, r#"{"s":"\ud800"}"#),
            Self::NotANumber => with_value(inner, r#"{"n":NaN}"#),
            Self::TrailingComma => [b"{", inner, b",}"].concat(),
            Self::BareKey => with_name(set, 0, |name| name[1..name.len() - 1].to_vec()),
            Self::LineFeed(at) => with_name(set, at, |name| [b"\"\n", &name[1..]].concat()),
            Self::Mutated(number) => mutated(&good, number),
        }
    }
}

/// How many mutations are gone through from one that leaves JSON; every third leaves none.
const TRIES: usize = 1_000;

/// What a mutation puts in: marks of JSON, characters that need an escape, and bytes that are no UTF-8.
const ALPHABET: [u8; 16] = *b"{}[]\":,\\0e/\x00\x01\n\x1f\xff";

/// The mutation with this number, or the next one whose result is no JSON at all.
fn mutated(good: &[u8], number: usize) -> Vec<u8> {
    let mutations = (0..TRIES).map(|more| mutation(good, number.wrapping_add(more)));
    mutations.into_iter().find(|bytes| is_no_json(bytes)).unwrap_or_default()
}

/// Changes a byte at one of the marks that part names and values, so that one number changes the same in all
/// dresses of a set.
fn mutation(good: &[u8], number: usize) -> Vec<u8> {
    let marks: Vec<usize> = (0..good.len()).filter(|at| b"{}[]\":,".contains(&good[*at])).collect();
    let (kind, number) = (number % 5, number / 5);
    let at = marks.get(number % marks.len().max(1)).copied().unwrap_or_default();
    let byte = ALPHABET[number / marks.len().max(1) % ALPHABET.len()];
    let mut bytes = good.to_vec();
    match kind {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => bytes.insert(at + 1, byte),
        3 => drop(bytes.remove(at)),
        _ => bytes.swap(at, (at + 1) % good.len()),
    }
    bytes
}

/// Whether bytes break the grammar of JSON or are no UTF-8. Numbers, depth and keys that are there twice are
/// another matter: readers differ there, and may (protocol 4.4).
fn is_no_json(bytes: &[u8]) -> bool {
    use JsonErrorKind::{ControlCharacter, InvalidEscape, NotUtf8, Syntax, TrailingBytes, UnexpectedEnd};
    let is_grammar = |kind: &JsonErrorKind| {
        matches!(
            kind,
            NotUtf8 | UnexpectedEnd | TrailingBytes | ControlCharacter(_) | InvalidEscape | Syntax(_)
        )
    };
    canonical::parse(bytes).is_err_and(|error| is_grammar(&error.kind))
}

/// The set with this done to a name, quotes and all; to one more where there is none.
fn with_name(set: &CapabilitySet, at: usize, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let names: Vec<&str> = if set.is_empty() { vec![ADDED] } else { set.names().collect() };
    let member = |(place, name): (usize, &&str)| {
        let quoted = canonical::to_bytes(&Json::String((*name).to_owned()));
        let quoted = if place == at % names.len() { change(&quoted) } else { quoted };
        let value = Json::Object(set.get(name).cloned().unwrap_or_default());
        [&quoted[..], b":", &canonical::to_bytes(&value)].concat()
    };
    let members: Vec<Vec<u8>> = names.iter().enumerate().map(member).collect();
    [&b"{"[..], &members.join(&b','), b"}"].concat()
}

/// The members of a set, and one more before them with this value.
fn with_value(inner: &[u8], value: &str) -> Vec<u8> {
    let comma = if inner.is_empty() { "" } else { "," };
    [format!(r#"{{"{ADDED}":{value}{comma}"#).as_bytes(), inner, b"}"].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Besides the kinds, numbers that are none of theirs.
    const NUMBERED: [Spoil; 3] = [Spoil::CutOff(5), Spoil::CutOff(usize::MAX), Spoil::LineFeed(1)];

    #[test]
    fn what_is_spoiled_is_no_set() {
        let sets = [
            CapabilitySet::default(),
            CapabilitySet::of(["m.cap.voip.v1"]),
            CapabilitySet::of(["a", "b\"/é"]),
        ];
        for set in &sets {
            for how in Spoil::KINDS.into_iter().chain(NUMBERED) {
                let bytes = how.bytes(set);
                let text = String::from_utf8_lossy(&bytes);
                assert!(CapabilitySet::parse(&bytes).is_err(), "{how:?} of {set:?}: {text}");
            }
        }
    }

    #[test]
    fn every_mutation_leaves_no_json_and_they_are_many() {
        for set in [CapabilitySet::default(), CapabilitySet::of(["a", "b\"/é"])] {
            let all: BTreeSet<Vec<u8>> =
                (0..2_000).map(|number| Spoil::Mutated(number).bytes(&set)).collect();
            for bytes in &all {
                assert!(is_no_json(bytes), "{}", String::from_utf8_lossy(bytes));
                assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_err());
            }
            assert!(all.len() > 50, "{}", all.len());
        }
        assert!(!Spoil::Mutated(usize::MAX).bytes(&CapabilitySet::of(["a"])).is_empty());
    }

    /// Names differ from one performance to the next.
    #[test]
    fn a_mutation_is_the_same_in_every_dress() {
        let bytes = |name: &str| Spoil::Mutated(11).bytes(&CapabilitySet::of([name]));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(bytes("long")).replace("long", "x"), text(bytes("x")));
    }

    #[test]
    fn no_more_is_spoiled_than_is_said() {
        let set = CapabilitySet::of(["a", "b"]);
        for (how, expected) in [
            (Spoil::CutOff(2), r#"{"a":{},"b":{"#),
            (Spoil::CutOff(99), "{"),
            (Spoil::Fraction, r#"{"capcheck.spoilt":{"n":1.5},"a":{},"b":{}}"#),
            (Spoil::TrailingComma, r#"{"a":{},"b":{},}"#),
            (Spoil::BareKey, r#"{a:{},"b":{}}"#),
            (Spoil::LineFeed(3), "{\"a\":{},\"\nb\":{}}"),
        ] {
            assert_eq!(String::from_utf8_lossy(&how.bytes(&set)), expected);
        }
    }
}
