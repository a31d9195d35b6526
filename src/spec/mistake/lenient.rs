//! A reader that is right but for one liberty, and what it reads.
//!
//! Beyond the strict reader it takes what a server may take: a byte order mark, whole numbers in other
//! spellings, and in sets also integers of any size and duplicate keys, of which the last wins.

use super::super::canonical::MAX_DEPTH;
use super::decode::{Text, decode, text_of};
use super::number;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Any JSON value.
    Value,
    /// A capability set.
    Set,
}

/// What a reader takes that the right one refuses, or takes otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Liberty {
    None,
    /// No value at all is `null`.
    EmptyAsNull,
    /// No value at all is `{}`.
    EmptyAsObject,
    Utf16,
    Utf8Replaced,
    Utf8Unchecked,
    Latin1,
    FirstKey,
    LastKey,
    BothKeys,
    FloatKept,
    FloatsOfPython,
    NumbersOfJavaScript,
    FloatTruncated,
    LargeIntegers,
    IntegersThroughDoubles,
    MinusZeroKept,
    SurrogateReplaced,
    SurrogateKept,
    Controls,
    /// The character after an unknown backslash stands alone.
    UnknownEscapeDropped,
    /// The backslash stands, too.
    UnknownEscapeKept,
    /// What is open at the end is closed.
    Cut,
    TrailingBytes,
    Nan,
    Comments,
    OtherSpace,
    TrailingComma,
    SingleQuotes,
    UnquotedKeys,
    FoldedWords,
    LeadingZeros,
    Plus,
    /// A set is whatever it is.
    AnyTop,
    /// A set may be the list of its names.
    ListOfNames,
    AnyValues,
    /// Values that are no objects are `{}`.
    OtherValuesEmpty,
    /// Capabilities whose values are no objects are passed over.
    OtherValuesDropped,
}

/// A value as it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// `null`, `true`, `false`, and where they are taken `NaN` and `Infinity`.
    Word(String),
    Number(String),
    String(Text),
    Array(Vec<Value>),
    /// Members in the order in which their keys came first.
    Object(Vec<(Text, Value)>),
}

impl Value {
    /// How deep arrays and objects nest; none for a scalar.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Reads bytes; none where they are refused.
pub(super) fn read(bytes: &[u8], frame: Frame, liberty: Liberty) -> Option<Value> {
    let text = decode(bytes, liberty)?;
    let mut reader = Reader { text: &text, at: 0, frame, liberty };
    reader.skip_space();
    let value = match (liberty, reader.peek()) {
        (Liberty::EmptyAsNull, None) => Value::Word("null".to_owned()),
        (Liberty::EmptyAsObject, None) => Value::Object(Vec::new()),
        _ => reader.value(1)?,
    };
    reader.skip_space();
    let ends = reader.peek().is_none() || liberty == Liberty::TrailingBytes;
    match frame {
        _ if !ends => None,
        Frame::Value => Some(value),
        Frame::Set => set_of(value, liberty),
    }
}

/// What is taken for a set.
fn set_of(value: Value, liberty: Liberty) -> Option<Value> {
    let nothing = || Value::Object(Vec::new());
    let members = match (value, liberty) {
        (Value::Object(members), _) => members,
        (value, Liberty::AnyTop) => return Some(value),
        (Value::Array(names), Liberty::ListOfNames) => {
            let name = |value| if let Value::String(name) = value { Some((name, nothing())) } else { None };
            names.into_iter().map(name).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let capability = |(name, value): (Text, Value)| match (&value, liberty) {
        (Value::Object(_), _) | (_, Liberty::AnyValues) => Some(Some((name, value))),
        (_, Liberty::OtherValuesEmpty) => Some(Some((name, nothing()))),
        (_, Liberty::OtherValuesDropped) => Some(None),
        _ => None,
    };
    let members: Vec<_> = members.into_iter().map(capability).collect::<Option<_>>()?;
    Some(Value::Object(members.into_iter().flatten().collect()))
}

struct Reader<'t> {
    text: &'t [u32],
    at: usize,
    frame: Frame,
    liberty: Liberty,
}

impl Reader<'_> {
    fn takes(&self, liberty: Liberty) -> bool {
        self.liberty == liberty
    }

    /// The next character; for half of a pair some character that the grammar does not know.
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).map(|point| char::from_u32(*point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let there = self.text[self.at..].starts_with(&text_of(wanted));
        self.at += if there { wanted.len() } else { 0 };
        there
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            taken.push(c);
            self.at += 1;
        }
        taken
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '\r' => self.at += 1,
                '\u{b}' | '\u{c}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
                    if self.takes(Liberty::OtherSpace) =>
                {
                    self.at += 1;
                }
                '/' if self.takes(Liberty::Comments) && self.skip_comment() => {}
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) -> bool {
        if self.take_word("//") {
            self.take_while(|c| c != '\n');
            return true;
        }
        let end = self.text[self.at..].windows(2).skip(2).position(|pair| pair == text_of("*/"));
        match end {
            Some(end) if self.take_word("/*") => {
                self.at += end + 2;
                true
            }
            _ => false,
        }
    }

    /// A value, the outermost at depth 1.
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_space();
        match self.peek()? {
            '{' | '[' if depth > MAX_DEPTH => None,
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self.string().map(Value::String),
            '\'' if self.takes(Liberty::SingleQuotes) => self.string().map(Value::String),
            '-' if self.takes(Liberty::Nan) && self.take_word("-Infinity") => {
                Some(Value::Word("-Infinity".to_owned()))
            }
            'a'..='z' | 'A'..='Z' => self.word(),
            _ => {
                let token = self.take_while(|c| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
                number::read(&token, self.frame, self.liberty).map(Value::Number)
            }
        }
    }

    fn word(&mut self) -> Option<Value> {
        let word = self.take_while(|c| c.is_ascii_alphabetic());
        let word = if self.takes(Liberty::FoldedWords) { word.to_ascii_lowercase() } else { word };
        let known = match word.as_str() {
            "null" | "true" | "false" => true,
            "NaN" | "Infinity" => self.takes(Liberty::Nan),
            _ => false,
        };
        known.then_some(Value::Word(word))
    }

    /// Whether a list ends here: by its bracket, or with the text.
    fn closes(&mut self, bracket: char) -> bool {
        self.skip_space();
        self.take(bracket) || self.takes(Liberty::Cut) && self.peek().is_none()
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take('[');
        if self.closes(']') {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends_after_an_element(']')? {
                return Some(Value::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members = Vec::new();
        self.take('{');
        if self.closes('}') {
            return Some(Value::Object(members));
        }
        loop {
            self.skip_space();
            let key = self.key()?;
            self.skip_space();
            if !self.take(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            self.keep(&mut members, key, value)?;
            if self.ends_after_an_element('}')? {
                return Some(Value::Object(members));
            }
        }
    }

    /// Whether a list ends behind an element; if not, a comma is taken. None where neither stands there.
    fn ends_after_an_element(&mut self, bracket: char) -> Option<bool> {
        if self.closes(bracket) {
            return Some(true);
        }
        if !self.take(',') {
            return None;
        }
        self.skip_space();
        Some(self.takes(Liberty::TrailingComma) && self.take(bracket))
    }

    fn keep(&self, members: &mut Vec<(Text, Value)>, key: Text, value: Value) -> Option<()> {
        let there = members.iter_mut().find(|(other, _)| *other == key);
        match (there, self.liberty, self.frame) {
            (None, ..) | (_, Liberty::BothKeys, _) => members.push((key, value)),
            (Some(_), Liberty::FirstKey, _) => {}
            (Some((_, there)), Liberty::LastKey, _) | (Some((_, there)), _, Frame::Set) => *there = value,
            (Some(_), _, Frame::Value) => return None,
        }
        Some(())
    }

    fn key(&mut self) -> Option<Text> {
        match self.peek()? {
            '"' => self.string(),
            '\'' if self.takes(Liberty::SingleQuotes) => self.string(),
            'a'..='z' | 'A'..='Z' | '_' | '$' if self.takes(Liberty::UnquotedKeys) => {
                let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                Some(text_of(&self.take_while(identifier)))
            }
            _ => None,
        }
    }

    /// A string in whatever quotes it begins with.
    fn string(&mut self) -> Option<Text> {
        let quote = self.next()?;
        let mut text = Text::new();
        loop {
            match self.next() {
                None => return self.takes(Liberty::Cut).then_some(text),
                Some(point) if point == quote => return Some(text),
                Some(BACKSLASH) => self.escape(&mut text)?,
                Some(..0x20) if !self.takes(Liberty::Controls) => return None,
                Some(point) => text.push(point),
            }
        }
    }

    fn next(&mut self) -> Option<u32> {
        let point = self.text.get(self.at).copied();
        self.at += usize::from(point.is_some());
        point
    }

    /// What stands behind a backslash.
    fn escape(&mut self, text: &mut Text) -> Option<()> {
        let character = self.next()?;
        let meant = match char::from_u32(character) {
            Some('"' | '\\' | '/') => character,
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => 0x0a,
            Some('r') => 0x0d,
            Some('t') => 0x09,
            Some('u') if self.unit().is_some() => {
                let unit = self.unit()?;
                self.at += 4;
                self.pair(unit)?
            }
            _ if self.takes(Liberty::UnknownEscapeDropped) => character,
            _ if self.takes(Liberty::UnknownEscapeKept) => {
                text.push(BACKSLASH);
                character
            }
            _ => return None,
        };
        text.push(meant);
        Some(())
    }

    /// The code unit of the four hexadecimal digits here.
    fn unit(&self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let digit = |point: &u32| char::from_u32(*point)?.to_digit(16);
        digits.iter().try_fold(0, |unit, point| Some(unit * 16 + digit(point)?))
    }

    /// The character that begins with this unit, whose second half may stand here.
    fn pair(&mut self, unit: u32) -> Option<u32> {
        if !(0xd800..=0xdfff).contains(&unit) {
            return Some(unit);
        }
        let start = self.at;
        if unit < 0xdc00
            && self.take_word("\\u")
            && let Some(low @ 0xdc00..=0xdfff) = self.unit()
        {
            self.at += 4;
            return Some(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        }
        self.at = start;
        match self.liberty {
            Liberty::SurrogateReplaced => Some(u32::from(char::REPLACEMENT_CHARACTER)),
            Liberty::SurrogateKept => Some(unit),
            _ => None,
        }
    }
}

const BACKSLASH: u32 = 0x5c;
