//! How a mistaken implementation writes what it hashes.

use super::decode::{Text, encode, text_of};
use super::lenient::Value;
use super::number::Numbers;

/// How a mistaken implementation writes what it hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) order: Order,
    pub(super) escape: Escape,
    pub(super) numbers: Numbers,
    pub(super) spaced: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    CodePoint,
    Utf16,
    /// Without regard to letter case.
    Folded,
    /// Array indices first, in numeric order, as JavaScript objects have it.
    IntegersFirst,
    /// Shorter keys first, by their bytes.
    Length,
    /// Whole members as they are written.
    Members,
    AsUploaded,
    /// Sorted at the top, as uploaded below.
    TopOnly,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Escape {
    Shortest,
    NonAscii,
    Slash,
    Html,
    Del,
    LineSeparators,
    /// The ranges that Java's org.json escapes.
    Ranges,
    /// What System.Text.Json of .NET escapes.
    Web,
    /// Halves of surrogate pairs.
    Surrogates,
    /// `\u000a` for `\n`.
    Long,
    /// `\u001F` for `\u001f`.
    UpperCase,
    Nothing,
}

/// Without any mistake.
pub(super) const CANONICAL: Style =
    Style { order: Order::CodePoint, escape: Escape::Shortest, numbers: Numbers::Decimal, spaced: false };

impl Style {
    /// The value as it is written; bytes, for it may hold halves of surrogate pairs.
    pub(super) fn bytes(self, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(value, 0, &mut out);
        out
    }

    fn write(self, value: &Value, depth: usize, out: &mut Vec<u8>) {
        match value {
            Value::Word(word) => out.extend(word.bytes()),
            Value::Number(number) => out.extend(self.numbers.text(number).bytes()),
            Value::String(text) => self.write_string(text, out),
            Value::Array(items) => {
                let written = items.iter().map(|item| {
                    let mut text = Vec::new();
                    self.write(item, depth + 1, &mut text);
                    text
                });
                self.list(b'[', written, b']', out);
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                self.order.sort(&mut members, depth);
                let mut written: Vec<_> =
                    members.into_iter().map(|(key, value)| self.member(key, value, depth)).collect();
                if matches!(self.order, Order::Members) {
                    written.sort();
                }
                self.list(b'{', written.into_iter(), b'}', out);
            }
        }
    }

    fn member(self, key: &Text, value: &Value, depth: usize) -> Vec<u8> {
        let mut text = Vec::new();
        self.write_string(key, &mut text);
        text.extend(if self.spaced { ": " } else { ":" }.bytes());
        self.write(value, depth + 1, &mut text);
        text
    }

    fn list(self, open: u8, written: impl Iterator<Item = Vec<u8>>, close: u8, out: &mut Vec<u8>) {
        out.push(open);
        for (i, text) in written.enumerate() {
            if i > 0 {
                out.extend(if self.spaced { ", " } else { "," }.bytes());
            }
            out.extend(text);
        }
        out.push(close);
    }

    fn write_string(self, text: &Text, out: &mut Vec<u8>) {
        out.push(b'"');
        text.iter().for_each(|point| self.escape.write(*point, out));
        out.push(b'"');
    }
}

impl Order {
    fn sort(self, members: &mut [&(Text, Value)], depth: usize) {
        match self {
            Self::AsUploaded => {}
            Self::TopOnly if depth > 0 => {}
            Self::CodePoint | Self::TopOnly | Self::Members => members.sort_by(|(a, _), (b, _)| a.cmp(b)),
            Self::Utf16 => members.sort_by_cached_key(|(key, _)| utf16(key)),
            Self::Folded => members.sort_by_cached_key(|(key, _)| (string(key).to_lowercase(), key.clone())),
            Self::IntegersFirst => {
                members.sort_by_cached_key(|(key, _)| {
                    (array_index(&string(key)).unwrap_or(u32::MAX), key.clone())
                });
            }
            Self::Length => members.sort_by_cached_key(|(key, _)| (bytes(key).len(), key.clone())),
        }
    }
}

fn utf16(text: &Text) -> Vec<u16> {
    let units = |point: &u32| match char::from_u32(*point) {
        Some(c) => c.encode_utf16(&mut [0; 2]).to_vec(),
        None => u16::try_from(*point).into_iter().collect(),
    };
    text.iter().flat_map(units).collect()
}

fn bytes(text: &Text) -> Vec<u8> {
    let mut out = Vec::new();
    text.iter().for_each(|point| encode(*point, &mut out));
    out
}

fn string(text: &Text) -> String {
    String::from_utf8_lossy(&bytes(text)).into_owned()
}

/// The array index that JavaScript sees in a key: below 2^32 - 1, without leading zeros.
fn array_index(key: &str) -> Option<u32> {
    key.parse().ok().filter(|index: &u32| *index < u32::MAX && index.to_string() == key)
}

impl Escape {
    fn write(self, point: u32, out: &mut Vec<u8>) {
        let Some(c) = char::from_u32(point) else {
            return match self {
                Self::Surrogates => out.extend(format!("\\u{point:04x}").bytes()),
                _ => encode(point, out),
            };
        };
        let mut units = |upper: bool| {
            for unit in utf16(&vec![point]) {
                let digits = if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
                out.extend(digits.bytes());
            }
        };
        match (self, c) {
            (Self::Nothing, _) => encode(point, out),
            (Self::NonAscii, '\u{7f}'..) | (Self::Del, '\u{7f}') => units(false),
            (Self::Html, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => units(false),
            (Self::LineSeparators, '\u{2028}' | '\u{2029}') => units(false),
            (Self::Ranges, '\u{80}'..='\u{9f}' | '\u{2000}'..='\u{20ff}') => units(false),
            (Self::Web, '"' | '\'' | '+' | '<' | '>' | '&' | '`' | '\u{7f}'..) => units(true),
            (Self::Long, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r') => units(false),
            (Self::Slash, '/') => out.extend(b"\\/"),
            (_, '"' | '\\') => {
                out.push(b'\\');
                encode(point, out);
            }
            (_, '\u{8}') => out.extend(b"\\b"),
            (_, '\t') => out.extend(b"\\t"),
            (_, '\n') => out.extend(b"\\n"),
            (_, '\u{c}') => out.extend(b"\\f"),
            (_, '\r') => out.extend(b"\\r"),
            (Self::UpperCase | Self::Web, '\0'..='\u{1f}') => units(true),
            (_, '\0'..='\u{1f}') => units(false),
            _ => encode(point, out),
        }
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    CANONICAL.bytes(&Value::String(text_of(text)))
}
