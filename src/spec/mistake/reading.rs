//! Mistakes of readers: those that take too much, and those that take too little.

use super::decode::{Text, text_of};
use super::lenient::{Liberty, Value};
use super::style::{CANONICAL, Escape, Style};
use super::{How, Mistake, Reading};

const fn taken(name: &'static str, done: &'static str, liberty: Liberty) -> Mistake {
    Mistake { name, done, how: How::Read(liberty, CANONICAL) }
}

const fn refused(name: &'static str, done: &'static str, refuses: fn(&Reading<'_>) -> bool) -> Mistake {
    Mistake { name, done, how: How::Refuses(refuses) }
}

pub(super) static MISTAKES: &[Mistake] = &[
    taken("empty-as-null", "with no value read as null", Liberty::EmptyAsNull),
    taken("empty-as-object", "with no value read as an empty object", Liberty::EmptyAsObject),
    taken("utf-16-taken", "with UTF-16 decoded", Liberty::Utf16),
    taken("utf8-replaced", "with bytes that are not UTF-8 replaced", Liberty::Utf8Replaced),
    taken("utf8-unchecked", "with UTF-8 decoded by arithmetic alone", Liberty::Utf8Unchecked),
    taken("latin-1-taken", "with bytes that are not UTF-8 read as Latin-1", Liberty::Latin1),
    taken("first-key-wins", "with the first of two equal keys", Liberty::FirstKey),
    taken("last-key-wins", "with the last of two equal keys", Liberty::LastKey),
    taken("both-keys-kept", "with equal keys side by side", Liberty::BothKeys),
    taken("float-kept", "with other numbers than integers as they came", Liberty::FloatKept),
    taken("float-as-python", "with floats as Python writes them", Liberty::FloatsOfPython),
    taken("number-as-javascript", "with numbers as JavaScript writes them", Liberty::NumbersOfJavaScript),
    taken("float-truncated", "with floats cut to integers", Liberty::FloatTruncated),
    taken("big-integer-kept", "with integers of any size", Liberty::LargeIntegers),
    taken("integer-through-double", "with integers rounded to doubles", Liberty::IntegersThroughDoubles),
    taken("minus-zero-kept", "with -0 as it came", Liberty::MinusZeroKept),
    taken("surrogate-replaced", "with lone surrogates replaced", Liberty::SurrogateReplaced),
    Mistake {
        name: "surrogate-escaped",
        done: "with lone surrogates in escapes",
        how: How::Read(Liberty::SurrogateKept, Style { escape: Escape::Surrogates, ..CANONICAL }),
    },
    taken("surrogate-encoded", "with lone surrogates in three bytes", Liberty::SurrogateKept),
    taken("control-taken", "with control characters that stand without an escape", Liberty::Controls),
    taken(
        "unknown-escape-dropped",
        "without the backslash of unknown escapes",
        Liberty::UnknownEscapeDropped,
    ),
    taken("unknown-escape-kept", "with the backslash of unknown escapes", Liberty::UnknownEscapeKept),
    taken("cut-taken", "with all closed that is open at the end", Liberty::Cut),
    taken("trailing-ignored", "without what follows the value", Liberty::TrailingBytes),
    taken("nan-taken", "with NaN and Infinity", Liberty::Nan),
    taken("comments-taken", "with comments passed over", Liberty::Comments),
    taken("other-space-taken", "with other white space passed over", Liberty::OtherSpace),
    taken("trailing-comma-taken", "with a comma at the end of a list passed over", Liberty::TrailingComma),
    taken("single-quotes-taken", "with strings in single quotes", Liberty::SingleQuotes),
    taken("unquoted-keys-taken", "with keys without quotes", Liberty::UnquotedKeys),
    taken("folded-words-taken", "with true, false and null in any letter case", Liberty::FoldedWords),
    taken("leading-zeros-taken", "with leading zeros passed over", Liberty::LeadingZeros),
    taken("plus-taken", "with a plus sign passed over", Liberty::Plus),
    taken("any-value-taken", "with whatever it is in the place of the set", Liberty::AnyTop),
    taken("list-of-names-taken", "with a list of names read as a set", Liberty::ListOfNames),
    taken("other-values-kept", "with values that are no objects", Liberty::AnyValues),
    taken("other-values-emptied", "with {} for values that are no objects", Liberty::OtherValuesEmpty),
    taken("other-values-dropped", "without what has a value that is no object", Liberty::OtherValuesDropped),
    refused("refuses-scalars", "with scalars refused at the top", |reading| {
        !matches!(reading.value, Value::Array(_) | Value::Object(_))
    }),
    refused("refuses-empty", "with an empty set refused", |reading| reading.canonical == "{}"),
    refused("refuses-empty-keys", "with empty keys refused", |reading| {
        any(reading.value, &|value| keys(value).any(Vec::is_empty))
    }),
    refused("refuses-proto", "with the key `__proto__` refused", |reading| {
        any(reading.value, &|value| keys(value).any(|key| *key == text_of("__proto__")))
    }),
    refused("refuses-nul", "with U+0000 refused", |reading| holds(reading, |c| c == 0)),
    refused("refuses-del", "with U+007F to U+009F refused", |reading| {
        holds(reading, |c| (0x7f..=0x9f).contains(&c))
    }),
    refused("refuses-line-separators", "with U+2028 and U+2029 refused", |reading| {
        holds(reading, |c| c == 0x2028 || c == 0x2029)
    }),
    refused("refuses-noncharacters", "with noncharacters refused", |reading| {
        holds(reading, |c| c & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&c))
    }),
    refused("refuses-non-bmp", "with characters beyond U+FFFF refused", |reading| {
        holds(reading, |c| c > 0xffff)
    }),
    refused("refuses-escaped-pairs", "with escaped surrogate pairs refused", |reading| {
        let input = String::from_utf8_lossy(reading.input).to_ascii_lowercase();
        ["\\ud8", "\\ud9", "\\uda", "\\udb"].iter().any(|high| input.contains(high))
    }),
    refused("refuses-beyond-32-bits", "with integers beyond 32 bits refused", |reading| {
        any(reading.value, &|value| matches!(value, Value::Number(n) if n.parse::<i32>().is_err()))
    }),
    refused("refuses-depth-16", "with sets nested 16 deep refused", |reading| reading.value.depth() >= 16),
    refused("refuses-depth-17", "with more than 16 levels refused", |reading| reading.value.depth() > 16),
    refused("refuses-depth-65", "with more than 64 levels refused", |reading| reading.value.depth() > 64),
    refused("refuses-depth-101", "with more than 100 levels refused", |reading| reading.value.depth() > 100),
    refused("refuses-names-of-255", "with names of 255 characters refused", |reading| {
        any(reading.value, &|value| keys(value).any(|key| key.len() >= 255))
    }),
    refused("refuses-64-kib", "with bodies of 64 KiB refused", |reading| reading.input.len() >= 65_536),
];

/// Whether this is so of a value within the value, or of itself.
fn any(value: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
    wanted(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| any(item, wanted)),
            Value::Object(members) => members.iter().any(|(_, value)| any(value, wanted)),
            _ => false,
        }
}

fn keys(value: &Value) -> impl Iterator<Item = &Text> {
    let members = if let Value::Object(members) = value { members.as_slice() } else { &[] };
    members.iter().map(|(key, _)| key)
}

/// Whether a string or a key holds such a character.
fn holds(reading: &Reading<'_>, wanted: fn(u32) -> bool) -> bool {
    let held = |text: &Text| text.iter().copied().any(wanted);
    any(reading.value, &|value| match value {
        Value::String(text) => held(text),
        other => keys(other).any(held),
    })
}
