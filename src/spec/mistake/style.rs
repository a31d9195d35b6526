//! How a mistaken implementation writes what it hashes.

use super::super::canonical::{Json, to_bytes};
use super::uploaded::Uploaded;

/// How a mistaken implementation writes what it hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) order: Order,
    pub(super) escape: Escape,
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
    /// Shorter ones first, by their bytes in UTF-8.
    Length,
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
    /// `\u000a` for `\n`.
    Long,
    /// `\u001F` for `\u001f`.
    UpperCase,
    Nothing,
}

/// Without any mistake.
pub(super) const CANONICAL: Style =
    Style { order: Order::CodePoint, escape: Escape::Shortest, spaced: false };

impl Style {
    /// The value as it is written.
    pub(super) fn text(self, value: &Uploaded) -> String {
        let mut out = String::new();
        self.write(value, 0, &mut out);
        out
    }

    fn write(self, value: &Uploaded, depth: usize, out: &mut String) {
        match value {
            Uploaded::Scalar(Json::String(text)) => self.write_string(text, out),
            Uploaded::Scalar(scalar) => {
                out.push_str(&String::from_utf8_lossy(&to_bytes(scalar)));
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
            Self::Length => members.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b))),
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
