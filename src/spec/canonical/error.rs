//! What is wrong with some bytes, and where.

/// A mistake in JSON, each by its own name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// No bytes, or white space alone.
    #[error("there is no JSON value")]
    Empty,
    /// A byte order mark before the text.
    #[error("a byte order mark stands before the text")]
    ByteOrderMark,
    /// UTF-16, with or without its byte order mark.
    #[error("the text is UTF-16, JSON is UTF-8")]
    Utf16,
    /// Bytes that are not UTF-8.
    #[error("the bytes are not UTF-8")]
    NotUtf8,
    /// The text ends within a value.
    #[error("the text ends before its value does")]
    UnexpectedEnd,
    /// Something other than white space after the value.
    #[error("something follows the value")]
    TrailingBytes,
    /// Arrays and objects nest deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("arrays and objects nest deeper than 127")]
    TooDeep,
    /// An object has a key twice, compared after escapes are resolved.
    #[error("the key {0:?} is there twice")]
    DuplicateKey(String),
    /// A fraction or an exponent, even where the value is whole.
    #[error("{0} has a fraction or an exponent, only integers are allowed")]
    Float(String),
    /// `-0`.
    #[error("-0 is not an integer that Canonical JSON can write")]
    NegativeZero,
    /// An integer beyond ±(2^53 - 1).
    #[error("{0} is beyond 9007199254740991 (2^53 - 1) or its negative")]
    IntegerOutOfRange(String),
    /// An escaped surrogate without its other half.
    #[error("{0} is half of a surrogate pair")]
    LoneSurrogate(String),
    /// A control character that is not escaped within a string.
    #[error("the control character U+{:04X} must be escaped", u32::from(*.0))]
    ControlCharacter(char),
    /// A backslash that begins no escape of JSON.
    #[error("a backslash begins no escape that JSON has")]
    InvalidEscape,
    /// Any other departure from the grammar of JSON, in the words of serde_json.
    #[error("{0}")]
    Syntax(String),
}

impl JsonErrorKind {
    /// The permanent name that vectors and reports use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ByteOrderMark => "byte-order-mark",
            Self::Utf16 => "utf-16",
            Self::NotUtf8 => "not-utf8",
            Self::UnexpectedEnd => "unexpected-end",
            Self::TrailingBytes => "trailing-bytes",
            Self::TooDeep => "too-deep",
            Self::DuplicateKey(_) => "duplicate-key",
            Self::Float(_) => "float",
            Self::NegativeZero => "negative-zero",
            Self::IntegerOutOfRange(_) => "integer-out-of-range",
            Self::LoneSurrogate(_) => "lone-surrogate",
            Self::ControlCharacter(_) => "control-character",
            Self::InvalidEscape => "invalid-escape",
            Self::Syntax(_) => "syntax",
        }
    }
}

/// Why some bytes cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The byte it is wrong at, from zero; the length of the input where something is missing.
    pub offset: usize,
    /// The line, from one; lines end with LF.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
}

impl JsonError {
    /// A mistake at a byte of the input, from which line and column are counted.
    pub(super) fn at(input: &[u8], offset: usize, kind: JsonErrorKind) -> Self {
        let (line, column) = line_and_column(input, offset);
        Self { kind, offset, line, column }
    }
}

/// The line and the column in characters of a byte, both from one.
pub(super) fn line_and_column(input: &[u8], offset: usize) -> (usize, usize) {
    let before = &input[..offset.min(input.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|b| **b == b'\n').count();
    (line, 1 + String::from_utf8_lossy(&before[line_start..]).chars().count())
}
