//! How a mistaken implementation reads what it hashes: more leniently than it may, in one way or another.

mod number;
mod parse;
mod text;

pub(crate) use number::Numbers;

/// How JSON is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) decode: Decode,
    /// A byte order mark is skipped.
    pub(crate) skips_mark: bool,
    /// What follows the value is not looked at.
    pub(crate) ignores_trailing: bool,
    /// Control characters stand in strings.
    pub(crate) takes_controls: bool,
    pub(crate) grammar: Grammar,
    pub(crate) duplicates: Duplicates,
    pub(crate) numbers: Numbers,
    pub(crate) surrogates: Surrogates,
}

/// How bytes become characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decode {
    Utf8,
    /// U+FFFD for each maximal part that is not UTF-8, as the WHATWG Encoding Standard has it.
    Replaced,
    Latin1,
    /// UTF-16 by its byte order mark, or little-endian.
    Utf16,
}

/// What is read beyond the grammar of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    Json,
    /// `// ...` to the end of the line, and `/* ... */`.
    Comments,
    /// A comma before `]` or `}`.
    TrailingCommas,
    SingleQuotes,
    /// `{a:1}`: letters, digits, `_` and `$`.
    BareKeys,
    LeadingZeros,
    Plus,
    /// `\x` for `x`.
    UnknownEscapes,
    /// `NaN`, `Infinity` and `-Infinity`, which are written as they stand.
    NotANumber,
    /// `True`, `FALSE`, `Null` in any case.
    AnyCaseLiterals,
    /// What JSON5 takes for white space: U+000B, U+000C, U+00A0, U+2028 and U+2029.
    WhiteSpace,
    /// `0x1f`, which is written in decimal digits.
    Hexadecimal,
    /// Nothing at all, which is an empty object.
    Nothing,
}

/// What becomes of two equal keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    Refused,
    First,
    Last,
    /// The last counts, but two objects become one, in the same way.
    Merged,
    /// Both stay, in the order in which they came.
    Kept,
}

/// What becomes of half a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surrogates {
    Refused,
    /// U+FFFD.
    Replaced,
    /// `\ud800`, as it came.
    Escaped,
}

/// Without any mistake; what it takes is what Canonical JSON can express, without a bound on depth.
pub(crate) const STRICT: Reader = Reader {
    decode: Decode::Utf8,
    skips_mark: false,
    ignores_trailing: false,
    takes_controls: false,
    grammar: Grammar::Json,
    duplicates: Duplicates::Refused,
    numbers: Numbers::Integers,
    surrogates: Surrogates::Refused,
};

/// JSON as it stands: characters as code points, so that halves of surrogate pairs have a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loose {
    /// `null`, `true`, `false`, or a number: as it is written.
    Word(String),
    /// A string.
    Text(Vec<u32>),
    /// An array.
    Array(Vec<Loose>),
    /// An object, its members in the order in which they came.
    Object(Vec<(Vec<u32>, Loose)>),
}

impl Reader {
    /// What is read; none where it is refused.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Loose> {
        parse::read(self, &self.decode.characters(bytes)?)
    }
}

impl Decode {
    fn characters(self, bytes: &[u8]) -> Option<Vec<u32>> {
        let points = |text: &str| text.chars().map(u32::from).collect();
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(points),
            Self::Replaced => Some(points(&String::from_utf8_lossy(bytes))),
            Self::Latin1 => Some(bytes.iter().copied().map(u32::from).collect()),
            Self::Utf16 => {
                let (bytes, big) = match bytes {
                    [0xfe, 0xff, rest @ ..] => (rest, true),
                    [0xff, 0xfe, rest @ ..] => (rest, false),
                    [0, _, ..] => (bytes, true),
                    [_, 0, ..] => (bytes, false),
                    _ => return None,
                };
                let unit = |pair: &[u8]| match (pair, big) {
                    ([high, low], true) => Some(u16::from_be_bytes([*high, *low])),
                    ([low, high], false) => Some(u16::from_le_bytes([*low, *high])),
                    _ => None,
                };
                let units: Vec<u16> = bytes.chunks(2).map(unit).collect::<Option<_>>()?;
                String::from_utf16(&units).ok().as_deref().map(points)
            }
        }
    }
}

#[cfg(test)]
mod tests;
