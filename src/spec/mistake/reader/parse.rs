//! The grammar of JSON, and what is read beyond it.

use super::{Duplicates, Grammar, Loose, Reader, Surrogates};

/// Deeper than anything that a vector holds; beyond, nothing is read.
const MAX_DEPTH: usize = 1_000;

/// Reads one value.
pub(super) fn read(reader: Reader, characters: &[u32]) -> Option<Loose> {
    let mut parser = Parser { reader, rest: characters };
    if reader.skips_mark {
        parser.skip(0xfeff);
    }
    parser.space()?;
    if parser.rest.is_empty() && parser.has(Grammar::Nothing) {
        return Some(Loose::Object(Vec::new()));
    }
    let value = parser.value(0)?;
    parser.space()?;
    (reader.ignores_trailing || parser.rest.is_empty()).then_some(value)
}

struct Parser<'t> {
    reader: Reader,
    rest: &'t [u32],
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.first().and_then(|point| char::from_u32(*point))
    }

    fn next(&mut self) -> Option<u32> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Whether this came next.
    fn skip(&mut self, point: u32) -> bool {
        let is_next = self.rest.first() == Some(&point);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn takes(&mut self, text: &str) -> bool {
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        let is_next = self.rest.starts_with(&points);
        if is_next {
            self.rest = &self.rest[points.len()..];
        }
        is_next
    }

    fn has(&self, grammar: Grammar) -> bool {
        self.reader.grammar == grammar
    }

    fn space(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\r') => drop(self.next()),
                Some('\u{b}' | '\u{c}' | '\u{a0}' | '\u{2028}' | '\u{2029}')
                    if self.has(Grammar::WhiteSpace) =>
                {
                    self.next();
                }
                Some('/') if self.has(Grammar::Comments) => self.comment()?,
                _ => return Some(()),
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        if self.takes("//") {
            while !matches!(self.peek(), None | Some('\n')) {
                self.next();
            }
            return Some(());
        }
        if !self.takes("/*") {
            return None;
        }
        while !self.takes("*/") {
            self.next()?;
        }
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Loose> {
        self.space()?;
        match self.peek()? {
            _ if depth > MAX_DEPTH => None,
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self.string('"').map(Loose::Text),
            '\'' if self.has(Grammar::SingleQuotes) => self.string('\'').map(Loose::Text),
            _ => self.word().map(Loose::Word),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Loose> {
        self.next();
        let mut members: Vec<(Vec<u32>, Loose)> = Vec::new();
        while !self.closes('}', members.is_empty())? {
            let key = self.key()?;
            self.space()?;
            if !self.takes(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            match (members.iter_mut().find(|(known, _)| *known == key), self.reader.duplicates) {
                (None, _) | (Some(_), Duplicates::Kept) => members.push((key, value)),
                (Some(_), Duplicates::Refused) => return None,
                (Some(_), Duplicates::First) => {}
                (Some((_, kept)), Duplicates::Last) => *kept = value,
                (Some((_, kept)), Duplicates::Merged) => merge(kept, value),
            }
        }
        Some(Loose::Object(members))
    }

    fn key(&mut self) -> Option<Vec<u32>> {
        match self.peek()? {
            '"' => self.string('"'),
            '\'' if self.has(Grammar::SingleQuotes) => self.string('\''),
            _ if self.has(Grammar::BareKeys) => self.bare_key(),
            _ => None,
        }
    }

    fn bare_key(&mut self) -> Option<Vec<u32>> {
        let mut key = Vec::new();
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$')) {
            key.extend(self.next());
        }
        (!key.is_empty()).then_some(key)
    }

    fn array(&mut self, depth: usize) -> Option<Loose> {
        self.next();
        let mut items = Vec::new();
        while !self.closes(']', items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Some(Loose::Array(items))
    }

    /// Whether the list ends here; otherwise the comma between two elements is behind.
    fn closes(&mut self, end: char, is_first: bool) -> Option<bool> {
        self.space()?;
        if self.skip(end.into()) {
            return Some(true);
        }
        if is_first {
            return Some(false);
        }
        if !self.takes(",") {
            return None;
        }
        self.space()?;
        Some(self.has(Grammar::TrailingCommas) && self.skip(end.into()))
    }

    fn string(&mut self, quote: char) -> Option<Vec<u32>> {
        self.next();
        let mut points = Vec::new();
        loop {
            let point = self.next()?;
            match char::from_u32(point)? {
                c if c == quote => return self.paired(&points),
                '\\' => points.push(self.escape(quote)?),
                '\0'..='\u{1f}' if !self.reader.takes_controls => return None,
                _ => points.push(point),
            }
        }
    }

    fn escape(&mut self, quote: char) -> Option<u32> {
        let c = char::from_u32(self.next()?)?;
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unit(),
            _ if self.has(Grammar::UnknownEscapes) => c,
            '\'' if quote == c => c,
            _ => return None,
        };
        Some(plain.into())
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from_u32(self.next()?)?.to_digit(16)?;
        }
        Some(unit)
    }

    /// Escaped pairs become one character; what is left of halves is as the reader has it.
    fn paired(&self, points: &[u32]) -> Option<Vec<u32>> {
        let mut out = Vec::new();
        let mut rest = points;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            match (*first, others.first(), self.reader.surrogates) {
                (high @ 0xd800..0xdc00, Some(low @ 0xdc00..0xe000), _) => {
                    out.push(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                    rest = &others[1..];
                }
                (0xd800..0xe000, _, Surrogates::Refused) => return None,
                (0xd800..0xe000, _, Surrogates::Replaced) => out.push(0xfffd),
                (point, ..) => out.push(point),
            }
        }
        Some(out)
    }

    /// A literal or a number.
    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        {
            word.push(c);
            self.next();
        }
        let lower = word.to_ascii_lowercase();
        match word.as_str() {
            "null" | "true" | "false" => Some(word),
            _ if self.has(Grammar::AnyCaseLiterals)
                && matches!(lower.as_str(), "null" | "true" | "false") =>
            {
                Some(lower)
            }
            "NaN" | "Infinity" | "-Infinity" if self.has(Grammar::NotANumber) => Some(word),
            _ => self.reader.numbers.written(&self.number(&word)?),
        }
    }

    /// The word, if it is a number, without what is read beyond the grammar.
    fn number(&self, word: &str) -> Option<String> {
        let word = match self.reader.grammar {
            Grammar::Plus => word.strip_prefix('+').unwrap_or(word),
            Grammar::Hexadecimal if word.starts_with("0x") => {
                return u32::from_str_radix(&word[2..], 16).ok().map(|number| number.to_string());
            }
            _ => word,
        };
        let (sign, mut digits) = word.strip_prefix('-').map_or(("", word), |digits| ("-", digits));
        if self.has(Grammar::LeadingZeros) {
            while digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit()) {
                digits = &digits[1..];
            }
        }
        is_number(digits).then(|| format!("{sign}{digits}"))
    }
}

/// Whether this is a number of JSON without its sign (RFC 8259, section 6).
fn is_number(text: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (integer, fraction) = match mantissa.split_once('.') {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (mantissa, None),
    };
    all_digits(integer)
        && (integer == "0" || !integer.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(all_digits)
}

/// The later value counts, but where both are objects their members become one object's.
fn merge(kept: &mut Loose, later: Loose) {
    match (kept, later) {
        (Loose::Object(members), Loose::Object(more)) => {
            for (key, value) in more {
                match members.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, kept)) => merge(kept, value),
                    None => members.push((key, value)),
                }
            }
        }
        (kept, later) => *kept = later,
    }
}
