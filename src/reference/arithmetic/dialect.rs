//! JSON as other libraries write it, for faults that hash what such a library wrote.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::reference::faults::{Fault, FaultSet};

/// How a JSON text is written before it is hashed. The default is Canonical JSON's way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dialect {
    order: Order,
    spaces: bool,
    newline: bool,
    composed: bool,
    collated: bool,
    escapes: Option<Fault>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    CodePoint,
    Utf16,
    Collated,
    AsRead,
    AsReadBelowTop,
}

impl Dialect {
    /// The dialect that some faults make a server speak; none where it writes Canonical JSON.
    pub(super) fn of(faults: FaultSet) -> Option<Self> {
        if faults.is_empty() {
            return None;
        }
        let orders = [
            (Fault::HashUtf16Order, Order::Utf16),
            (Fault::HashBmpCollation, Order::Collated),
            (Fault::HashUnsorted, Order::AsRead),
            (Fault::HashNestedUnsorted, Order::AsReadBelowTop),
        ];
        let escapes = [
            Fault::HashEscapesNonAscii,
            Fault::HashEscapesSlash,
            Fault::HashEscapesHtml,
            Fault::HashLongEscapes,
        ];
        let dialect = Self {
            order: orders
                .iter()
                .find(|(fault, _)| faults.has(*fault))
                .map(|(_, order)| *order)
                .unwrap_or_default(),
            spaces: faults.has(Fault::HashSpaces),
            newline: faults.has(Fault::HashNewline),
            composed: faults.has(Fault::HashNfc),
            collated: faults.has(Fault::HashCollationMerges),
            escapes: escapes.into_iter().find(|fault| faults.has(*fault)),
        };
        let canonical = dialect.order == Order::CodePoint
            && !(dialect.spaces || dialect.newline || dialect.composed || dialect.collated)
            && dialect.escapes.is_none();
        (!canonical).then_some(dialect)
    }

    /// Some JSON text, written anew in this dialect; text that is not JSON stays as it is.
    pub(super) fn write(self, json: &[u8]) -> String {
        let Ok(value) = serde_json::from_slice::<Ordered>(json) else {
            return String::from_utf8_lossy(json).into_owned();
        };
        let mut text = String::new();
        self.value(&value, 0, &mut text);
        if self.newline {
            text.push('\n');
        }
        text
    }

    fn value(self, value: &Ordered, depth: usize, text: &mut String) {
        let (comma, colon) = if self.spaces { (", ", ": ") } else { (",", ":") };
        match value {
            Ordered::Scalar(Value::String(string)) => self.string(string, text),
            Ordered::Scalar(scalar) => text.push_str(&scalar.to_string()),
            Ordered::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if index > 0 { comma } else { "" });
                    self.value(item, depth + 1, text);
                }
                text.push(']');
            }
            Ordered::Object(members) => {
                text.push('{');
                for (index, (key, member)) in self.sorted(members, depth).into_iter().enumerate() {
                    text.push_str(if index > 0 { comma } else { "" });
                    self.string(key, text);
                    text.push_str(colon);
                    self.value(member, depth + 1, text);
                }
                text.push('}');
            }
        }
    }

    fn sorted(self, members: &[(String, Ordered)], depth: usize) -> Vec<&(String, Ordered)> {
        // Of equal keys the last stands, as it does in what is served.
        let mut known = BTreeSet::new();
        let mut members: Vec<_> = members.iter().rev().filter(|(key, _)| known.insert(key)).collect();
        members.reverse();
        match self.order {
            Order::Collated => members.sort_by_key(|(key, _)| key.chars().map(weight).collect::<String>()),
            Order::Utf16 => members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16())),
            Order::AsRead => {}
            Order::AsReadBelowTop if depth > 0 => {}
            Order::CodePoint | Order::AsReadBelowTop => members.sort_by(|a, b| a.0.cmp(&b.0)),
        }
        if self.collated {
            let mut seen = BTreeSet::new();
            members.retain(|(key, _)| seen.insert(compose(key)));
        }
        members
    }

    fn string(self, string: &str, text: &mut String) {
        let string = if self.composed { compose(string) } else { string.to_owned() };
        let canonical = Value::String(string).to_string();
        match self.escapes {
            None => text.push_str(&canonical),
            Some(Fault::HashLongEscapes) => {
                let short = [
                    ("\\b", "\\u0008"),
                    ("\\t", "\\u0009"),
                    ("\\n", "\\u000a"),
                    ("\\f", "\\u000c"),
                    ("\\r", "\\u000d"),
                ];
                // Backslashes of the text itself are hidden from the replacements.
                let hidden = canonical.replace("\\\\", "\0");
                let long = short.iter().fold(hidden, |text, (short, long)| text.replace(short, long));
                text.push_str(&long.replace('\0', "\\\\"));
            }
            Some(fault) => canonical.chars().for_each(|c| match (fault, c) {
                (Fault::HashEscapesSlash, '/') => text.push_str("\\/"),
                (Fault::HashEscapesHtml, '<' | '>' | '&') => escape(c, text),
                (Fault::HashEscapesNonAscii, c) if !c.is_ascii() => escape(c, text),
                _ => text.push(c),
            }),
        }
    }
}

fn escape(c: char, text: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

/// What a character sorts as where all that lie beyond the Basic Multilingual Plane weigh the same.
fn weight(c: char) -> char {
    if c > '\u{ffff}' { '\u{fffd}' } else { c }
}

/// Letter, combining mark, and the character that normalisation (NFC) makes of them:
/// Latin letters with the commonest marks, which is as far as tests go.
const COMPOSED: &str = "a\u{300}à a\u{301}á a\u{302}â a\u{303}ã a\u{308}ä a\u{30a}å c\u{327}ç e\u{300}è e\u{301}é \
    e\u{302}ê e\u{308}ë i\u{300}ì i\u{301}í i\u{302}î i\u{308}ï n\u{303}ñ o\u{300}ò o\u{301}ó o\u{302}ô o\u{303}õ \
    o\u{308}ö u\u{300}ù u\u{301}ú u\u{302}û u\u{308}ü y\u{301}ý A\u{301}Á A\u{308}Ä A\u{30a}Å C\u{327}Ç E\u{301}É \
    N\u{303}Ñ O\u{308}Ö U\u{308}Ü";

fn compose(text: &str) -> String {
    // The Angstrom and Ohm signs are canonical copies of letters.
    let text = text.replace('\u{212B}', "Å").replace('\u{2126}', "Ω");
    COMPOSED.split_whitespace().fold(text, |text, row| {
        let mut row = row.chars();
        match (row.next(), row.next(), row.next()) {
            (Some(letter), Some(mark), Some(composed)) => {
                text.replace(&format!("{letter}{mark}"), composed.encode_utf8(&mut [0; 4]))
            }
            _ => text,
        }
    })
}

/// A JSON value that keeps the order of its members, and every one of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ordered {
    Scalar(Value),
    Array(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl Ordered {
    /// The value as a plain one in which the first of equal keys has won.
    pub(super) fn first_wins(&self) -> Value {
        match self {
            Self::Scalar(scalar) => scalar.clone(),
            Self::Array(items) => items.iter().map(Self::first_wins).collect(),
            Self::Object(members) => {
                members.iter().rev().map(|(key, value)| (key.clone(), value.first_wins())).collect()
            }
        }
    }

    /// How many arrays and objects stand in one another.
    pub(super) fn depth(&self) -> usize {
        let within: Box<dyn Iterator<Item = &Self>> = match self {
            Self::Scalar(_) => return 0,
            Self::Array(items) => Box::new(items.iter()),
            Self::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
        };
        1 + within.map(Self::depth).max().unwrap_or(0)
    }

    /// Whether any object has a key twice.
    pub(super) fn has_duplicates(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Array(items) => items.iter().any(Self::has_duplicates),
            Self::Object(members) => {
                let keys: BTreeSet<&String> = members.iter().map(|(key, _)| key).collect();
                keys.len() < members.len() || members.iter().any(|(_, value)| value.has_duplicates())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Ordered::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ordered, A::Error> {
        let mut read = Vec::new();
        while let Some(member) = members.next_entry()? {
            read.push(member);
        }
        Ok(Ordered::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fault: Fault, text: &str) -> String {
        Dialect::of([fault].into_iter().collect()).unwrap().write(text.as_bytes())
    }

    #[test]
    fn each_dialect_writes_as_its_library_does() {
        let nested = r#"{"b":{"z":1,"y":[{"d":1,"c":2}]},"a":{}}"#;
        assert_eq!(written(Fault::HashUnsorted, nested), nested);
        assert_eq!(written(Fault::HashNestedUnsorted, nested), r#"{"a":{},"b":{"z":1,"y":[{"d":1,"c":2}]}}"#);
        assert_eq!(
            written(Fault::HashSpaces, r#"{"b":{"x":[1,2]},"a":{}}"#),
            r#"{"a": {}, "b": {"x": [1, 2]}}"#
        );
        assert_eq!(written(Fault::HashNewline, "{}"), "{}\n");
        assert_eq!(written(Fault::HashEscapesSlash, r#"{"a/b":{}}"#), r#"{"a\/b":{}}"#);
        assert_eq!(written(Fault::HashEscapesHtml, r#"{"a":{"x":"<&"}}"#), r#"{"a":{"x":"\u003c\u0026"}}"#);
        assert_eq!(written(Fault::HashEscapesNonAscii, r#"{"é😂":{}}"#), r#"{"\u00e9\ud83d\ude02":{}}"#);
        assert_eq!(written(Fault::HashLongEscapes, r#"{"a\n\\n":{}}"#), r#"{"a\u000a\\n":{}}"#);
        assert_eq!(written(Fault::HashNfc, "{\"e\u{301}\":{}}"), "{\"é\":{}}");
        let by_unit = written(Fault::HashUtf16Order, "{\"\u{FB33}\":{},\"\u{1F602}\":{}}");
        assert_eq!(by_unit, "{\"\u{1F602}\":{},\"\u{FB33}\":{}}");
    }

    #[test]
    fn faults_of_other_kinds_leave_the_text_alone() {
        assert!(Dialect::of(FaultSet::NONE).is_none());
        assert!(Dialect::of([Fault::HashPadded].into_iter().collect()).is_none());
    }
}
