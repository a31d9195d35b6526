//! Other legal spellings of a JSON value: RFC 8259 leaves member order, white space and escapes to the writer.

use proptest::prelude::Rng;

use super::Json;

/// A number below `n`; 0 where `n` is 0. The bias of the remainder is below 2^-32 for the sizes drawn here.
pub(in crate::spec) fn below(rng: &mut impl Rng, n: usize) -> usize {
    let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
    usize::try_from(rng.next_u64() % n).unwrap_or(0)
}

/// Fisher and Yates's shuffle.
pub(in crate::spec) fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

/// Writes the same value in another legal spelling: members shuffled, white space between tokens,
/// characters escaped that need not be (`\/`, `\u0061`, surrogate pairs in either letter case).
pub fn spell(value: &Json, rng: &mut impl Rng) -> String {
    let mut out = String::new();
    Speller { rng, out: &mut out }.token(value);
    out
}

struct Speller<'a, R> {
    rng: &'a mut R,
    out: &'a mut String,
}

impl<R: Rng> Speller<'_, R> {
    /// A value with white space around it.
    fn token(&mut self, value: &Json) {
        self.space();
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(b) => self.out.push_str(&b.to_string()),
            Json::Integer(n) => self.out.push_str(&n.to_string()),
            Json::String(s) => self.string(s),
            Json::Array(items) => self.list('[', items.iter(), ']', |me, item| me.token(item)),
            Json::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                shuffle(self.rng, &mut members);
                self.list('{', members.into_iter(), '}', |me, (key, value)| {
                    me.space();
                    me.string(key);
                    me.space();
                    me.out.push(':');
                    me.token(value);
                });
            }
        }
        self.space();
    }

    fn list<T>(
        &mut self,
        open: char,
        items: impl Iterator<Item = T>,
        close: char,
        item: impl Fn(&mut Self, T),
    ) {
        self.out.push(open);
        for (i, each) in items.enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            item(self, each);
        }
        self.space();
        self.out.push(close);
    }

    fn space(&mut self) {
        const SPACES: [&str; 8] = ["", "", "", "", " ", "\n", "\t", "\r\n "];
        self.out.push_str(SPACES[below(self.rng, SPACES.len())]);
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match (c, below(self.rng, 4)) {
                (_, 0) => self.units(c, false),
                (_, 1) => self.units(c, true),
                ('/', 2) => self.out.push_str("\\/"),
                ('"' | '\\', _) => self.out.extend(['\\', c]),
                ('\u{8}', _) => self.out.push_str("\\b"),
                ('\t', _) => self.out.push_str("\\t"),
                ('\n', _) => self.out.push_str("\\n"),
                ('\u{c}', _) => self.out.push_str("\\f"),
                ('\r', _) => self.out.push_str("\\r"),
                ('\0'..='\u{1f}', _) => self.units(c, false),
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// A character as one or two escaped UTF-16 code units.
    fn units(&mut self, c: char, upper: bool) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            self.out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
        }
    }
}
