//! Canonical text of what was read.

use std::fmt::Write as _;

use super::Loose;

impl Loose {
    /// The value with keys sorted by code point and the least escapes. Halves of surrogate pairs that are still there are
    /// escaped, as nothing else can be written for them.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Word(word) => out.push_str(word),
            Self::Text(points) => write_string(points, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                out.push('{');
                for (i, (key, value)) in members.into_iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl Loose {
    /// Whether it is an object of objects.
    pub(crate) fn is_set(&self) -> bool {
        matches!(self, Self::Object(members) if members.iter().all(|(_, value)| matches!(value, Self::Object(_))))
    }

    /// How deep arrays and objects nest.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Word(_) | Self::Text(_) => 0,
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Object(members) => {
                1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or_default()
            }
        }
    }

    /// The value with every value within it changed first, and then itself.
    pub(in crate::spec::mistake) fn map(self, change: &dyn Fn(Self) -> Self) -> Self {
        change(match self {
            Self::Array(items) => Self::Array(items.into_iter().map(|item| item.map(change)).collect()),
            Self::Object(members) => {
                Self::Object(members.into_iter().map(|(key, value)| (key, value.map(change))).collect())
            }
            other => other,
        })
    }

    /// The value with other words.
    pub(in crate::spec::mistake) fn map_words(self, change: impl Fn(&str) -> String) -> Self {
        self.map(&|value| if let Self::Word(word) = value { Self::Word(change(&word)) } else { value })
    }

    /// Whether a value within it, or itself, is so.
    fn any(&self, is_so: &dyn Fn(&Self) -> bool) -> bool {
        is_so(self)
            || match self {
                Self::Array(items) => items.iter().any(|item| item.any(is_so)),
                Self::Object(members) => members.iter().any(|(_, value)| value.any(is_so)),
                _ => false,
            }
    }

    /// Whether a word is so.
    pub(in crate::spec::mistake) fn any_word(&self, is_so: &dyn Fn(&str) -> bool) -> bool {
        self.any(&|value| matches!(value, Self::Word(word) if is_so(word)))
    }

    /// Whether a key is so.
    pub(in crate::spec::mistake) fn any_key(&self, is_so: &dyn Fn(&[u32]) -> bool) -> bool {
        self.any(&|value| matches!(value, Self::Object(members) if members.iter().any(|(key, _)| is_so(key))))
    }

    /// Whether a key or a string is so.
    pub(in crate::spec::mistake) fn any_text(&self, is_so: &dyn Fn(&[u32]) -> bool) -> bool {
        self.any_key(is_so) || self.any(&|value| matches!(value, Self::Text(text) if is_so(text)))
    }
}

fn write_string(points: &[u32], out: &mut String) {
    out.push('"');
    for point in points {
        // Writing to a string cannot fail.
        let _ = match (point, char::from_u32(*point)) {
            (0x22 | 0x5c, Some(c)) => write!(out, "\\{c}"),
            (0x08, _) => write!(out, "\\b"),
            (0x09, _) => write!(out, "\\t"),
            (0x0a, _) => write!(out, "\\n"),
            (0x0c, _) => write!(out, "\\f"),
            (0x0d, _) => write!(out, "\\r"),
            (..0x20, _) | (_, None) => write!(out, "\\u{point:04x}"),
            (_, Some(c)) => write!(out, "{c}"),
        };
    }
    out.push('"');
}
