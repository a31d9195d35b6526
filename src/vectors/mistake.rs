//! The wrong answers that known mistakes give, so that a vector can say which one was made.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

use crate::spec::canonical::Json;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;

/// How a mistaken implementation writes what it hashes.
#[derive(Clone, Copy)]
struct Style {
    order: Order,
    escape: Escape,
    spaced: bool,
}

#[derive(Clone, Copy)]
enum Order {
    CodePoint,
    Utf16,
    /// Without regard to letter case.
    Folded,
    /// Array indices first, in numeric order, as JavaScript objects have it.
    IntegersFirst,
    AsUploaded,
    /// Sorted at the top, as uploaded below.
    TopOnly,
}

#[derive(Clone, Copy)]
enum Escape {
    Shortest,
    NonAscii,
    Slash,
    Html,
    Del,
    /// `\u000a` for `\n`.
    Long,
    /// `\u001F` for `\u001f`.
    UpperCase,
    Nothing,
}

const CANONICAL: Style = Style { order: Order::CodePoint, escape: Escape::Shortest, spaced: false };

const STYLES: [(&str, Style); 13] = [
    ("unsorted", Style { order: Order::AsUploaded, ..CANONICAL }),
    ("unsorted-nested", Style { order: Order::TopOnly, ..CANONICAL }),
    ("utf16-order", Style { order: Order::Utf16, ..CANONICAL }),
    ("folded-order", Style { order: Order::Folded, ..CANONICAL }),
    ("integer-keys-first", Style { order: Order::IntegersFirst, ..CANONICAL }),
    ("spaced", Style { spaced: true, ..CANONICAL }),
    ("escaped-non-ascii", Style { escape: Escape::NonAscii, ..CANONICAL }),
    ("escaped-slash", Style { escape: Escape::Slash, ..CANONICAL }),
    ("escaped-html", Style { escape: Escape::Html, ..CANONICAL }),
    ("escaped-del", Style { escape: Escape::Del, ..CANONICAL }),
    ("long-escapes", Style { escape: Escape::Long, ..CANONICAL }),
    ("upper-case-escapes", Style { escape: Escape::UpperCase, ..CANONICAL }),
    ("unescaped", Style { escape: Escape::Nothing, ..CANONICAL }),
];

/// The answer of an implementation that reads `input` right and then makes the named mistake;
/// none for a name that is not known, or an input that is not JSON.
pub(super) fn of_input(mistake: &str, input: &str, canonical: &str) -> Option<String> {
    let hash = |text: &str| CapabilityHash::of(text.as_bytes()).to_string();
    let digest = Sha256::digest(canonical);
    match mistake {
        "as-uploaded" => Some(hash(input)),
        "composed" => Some(hash(&ComposingNormalizerBorrowed::new_nfc().normalize(canonical))),
        "padded" => Some(STANDARD.encode(digest)),
        "url-safe" => Some(URL_SAFE_NO_PAD.encode(digest)),
        "hex" => Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => {
            let (_, style) = STYLES.into_iter().find(|(name, _)| *name == mistake)?;
            let uploaded: Uploaded = serde_json::from_str(input).ok()?;
            let mut text = String::new();
            style.write(&uploaded, 0, &mut text);
            Some(hash(&text))
        }
    }
}

/// The hash that an implementation with the named mistake gives for the union; none for a name that is not known.
pub(super) fn of_union(mistake: &str, sets: &[CapabilitySet]) -> Option<String> {
    let union = CapabilitySet::union(sets);
    let set = match mistake {
        "first-only" => sets.first()?.clone(),
        "last-only" => sets.last()?.clone(),
        "by-name-only" => CapabilitySet::of(union.names()),
        "intersection" => union
            .names()
            .filter(|name| sets.iter().all(|set| set.contains(name)))
            .filter_map(|name| Some((name.to_owned(), union.get(name)?.clone())))
            .collect(),
        _ => return None,
    };
    Some(STANDARD_NO_PAD.encode(Sha256::digest(set.canonical_bytes())))
}

/// A JSON value whose members stand in the order of the upload.
enum Uploaded {
    Scalar(Json),
    Array(Vec<Uploaded>),
    Object(Vec<(String, Uploaded)>),
}

impl<'de> Deserialize<'de> for Uploaded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Uploaded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value without floats")
            }

            fn visit_unit<E>(self) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Bool(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Integer(value)))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Uploaded, E> {
                i64::try_from(value).map_err(E::custom).and_then(|value| self.visit_i64(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::String(value.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Uploaded, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = elements.next_element()? {
                    items.push(item);
                }
                Ok(Uploaded::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Uploaded, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry()? {
                    members.push(member);
                }
                Ok(Uploaded::Object(members))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl Style {
    fn write(self, value: &Uploaded, depth: usize, out: &mut String) {
        match value {
            Uploaded::Scalar(Json::String(text)) => self.write_string(text, out),
            Uploaded::Scalar(scalar) => {
                out.push_str(&String::from_utf8_lossy(&crate::spec::canonical::to_bytes(scalar)));
            }
            Uploaded::Array(items) => {
                self.list('[', items, ']', out, |item, out| self.write(item, depth + 1, out));
            }
            Uploaded::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                self.order.sort(&mut members, depth);
                self.list('{', &members, '}', out, |(key, value), out| {
                    self.write_string(key, out);
                    out.push_str(if self.spaced { ": " } else { ":" });
                    self.write(value, depth + 1, out);
                });
            }
        }
    }

    fn list<T>(
        self,
        open: char,
        items: &[T],
        close: char,
        out: &mut String,
        write: impl Fn(&T, &mut String),
    ) {
        out.push(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(if self.spaced { ", " } else { "," });
            }
            write(item, out);
        }
        out.push(close);
    }

    fn write_string(self, text: &str, out: &mut String) {
        out.push('"');
        text.chars().for_each(|c| self.escape.write(c, out));
        out.push('"');
    }
}

impl Order {
    fn sort(self, members: &mut [&(String, Uploaded)], depth: usize) {
        match self {
            Self::AsUploaded => {}
            Self::TopOnly if depth > 0 => {}
            Self::CodePoint | Self::TopOnly => members.sort_by(|(a, _), (b, _)| a.cmp(b)),
            Self::Utf16 => members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16())),
            Self::Folded => members.sort_by_cached_key(|(key, _)| (key.to_lowercase(), key.clone())),
            Self::IntegersFirst => {
                members.sort_by_cached_key(|(key, _)| (array_index(key).unwrap_or(u32::MAX), key.clone()));
            }
        }
    }
}

/// The array index that JavaScript sees in a key: below 2^32 - 1, without leading zeros.
fn array_index(key: &str) -> Option<u32> {
    key.parse().ok().filter(|index: &u32| *index < u32::MAX && index.to_string() == key)
}

impl Escape {
    fn write(self, c: char, out: &mut String) {
        let units = |out: &mut String| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        };
        match (self, c) {
            (Self::Nothing, _) => out.push(c),
            (Self::NonAscii, '\u{7f}'..) | (Self::Del, '\u{7f}') => units(out),
            (Self::Slash, '/') => out.push_str("\\/"),
            (Self::Html, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => units(out),
            (Self::Long, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r') => units(out),
            (_, '"' | '\\') => out.extend(['\\', c]),
            (_, '\u{8}') => out.push_str("\\b"),
            (_, '\t') => out.push_str("\\t"),
            (_, '\n') => out.push_str("\\n"),
            (_, '\u{c}') => out.push_str("\\f"),
            (_, '\r') => out.push_str("\\r"),
            (Self::UpperCase, '\0'..='\u{1f}') => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            (_, '\0'..='\u{1f}') => units(out),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Subject;

    #[test]
    fn every_style_is_shown_by_a_vector() {
        let files = Subject::CanonicalJson.embedded().to_owned() + Subject::CapabilityHash.embedded();
        for (name, _) in STYLES {
            assert!(files.contains(&format!("\"{name}\": \"")), "{name}");
        }
    }

    #[test]
    fn a_style_writes_what_its_name_says() {
        let written = |name: &str, input: &str| {
            let (_, style) = STYLES.into_iter().find(|(n, _)| *n == name).unwrap();
            let mut out = String::new();
            style.write(&serde_json::from_str(input).unwrap(), 0, &mut out);
            out
        };
        for (name, input, expected) in [
            ("unsorted", r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2}"#),
            ("unsorted-nested", r#"{"b":{"d":1,"c":2},"a":2}"#, r#"{"a":2,"b":{"d":1,"c":2}}"#),
            ("utf16-order", "{\"\u{fb33}\":1,\"\u{1f602}\":2}", "{\"\u{1f602}\":2,\"\u{fb33}\":1}"),
            ("folded-order", r#"{"B":1,"a":2}"#, r#"{"a":2,"B":1}"#),
            ("integer-keys-first", r#"{"!":0,"10":1,"9":2,"01":3}"#, r#"{"9":2,"10":1,"!":0,"01":3}"#),
            ("spaced", "{\"a\":[1,2]}", "{\"a\": [1, 2]}"),
            ("escaped-non-ascii", "\"é\u{1f602}\"", r#""\u00e9\ud83d\ude02""#),
            ("escaped-slash", r#""/""#, r#""\/""#),
            ("escaped-html", "\"<\u{2028}\"", r#""\u003c\u2028""#),
            ("escaped-del", "\"\u{7f}\"", r#""\u007f""#),
            ("long-escapes", r#""\n\"""#, r#""\u000a\"""#),
            ("upper-case-escapes", r#""\u001f""#, r#""\u001F""#),
            ("unescaped", r#""a\"b""#, r#""a"b""#),
        ] {
            assert_eq!(written(name, input), expected, "{name}");
        }
    }
}
