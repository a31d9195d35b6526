//! Mistakes of those who read right and hash something else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::lenient::Value;
use super::number::Numbers;
use super::style::{CANONICAL, Escape, Order, Style, quoted};
use super::{How, Mistake, Reading};

const fn written(name: &'static str, done: &'static str, style: Style) -> Mistake {
    Mistake { name, done, how: How::Written(style) }
}

const fn ordered(name: &'static str, done: &'static str, order: Order) -> Mistake {
    written(name, done, Style { order, ..CANONICAL })
}

const fn escaped(name: &'static str, done: &'static str, escape: Escape) -> Mistake {
    written(name, done, Style { escape, ..CANONICAL })
}

const fn numbered(name: &'static str, done: &'static str, numbers: Numbers) -> Mistake {
    written(name, done, Style { numbers, ..CANONICAL })
}

const fn bytes(name: &'static str, done: &'static str, how: fn(&Reading<'_>) -> Option<Vec<u8>>) -> Mistake {
    Mistake { name, done, how: How::Bytes(how) }
}

const fn spelled(name: &'static str, done: &'static str, how: fn(&[u8]) -> String) -> Mistake {
    Mistake { name, done, how: How::Spelled(how) }
}

pub(super) static MISTAKES: &[Mistake] = &[
    spelled("padded", "padded with `=`", |digest| STANDARD.encode(digest)),
    spelled("url-safe", "in the URL-safe alphabet", |digest| URL_SAFE_NO_PAD.encode(digest)),
    spelled("url-safe-padded", "in the URL-safe alphabet and padded", |digest| URL_SAFE.encode(digest)),
    spelled("hex", "as hex instead of Base64", hex),
    spelled("base64-of-hex", "as Base64 of the hex digits", |digest| STANDARD_NO_PAD.encode(hex(digest))),
    ordered("unsorted", "with keys in the order in which they came", Order::AsUploaded),
    ordered("unsorted-nested", "with keys sorted at the top alone", Order::TopOnly),
    ordered("utf16-order", "with keys sorted by UTF-16 unit instead of code point", Order::Utf16),
    ordered("folded-order", "with keys sorted without regard to case", Order::Folded),
    ordered("integer-keys-first", "with keys that look like integers in front", Order::IntegersFirst),
    ordered("length-order", "with shorter keys in front", Order::Length),
    ordered("member-order", "with members sorted as they are written", Order::Members),
    written("spaced", "with spaces after `:` and `,`", Style { spaced: true, ..CANONICAL }),
    escaped("escaped-non-ascii", "with non-ASCII characters escaped as `\\u`", Escape::NonAscii),
    escaped("escaped-slash", "with `/` escaped as `\\/`", Escape::Slash),
    escaped("escaped-html", "with `<`, `>` and `&` escaped, as for HTML", Escape::Html),
    escaped("escaped-del", "with U+007F escaped", Escape::Del),
    escaped("escaped-line-separators", "with U+2028 and U+2029 escaped", Escape::LineSeparators),
    escaped("escaped-ranges", "with C1 controls and U+2000 to U+20FF escaped", Escape::Ranges),
    escaped("escaped-web", "with all escaped that .NET escapes", Escape::Web),
    escaped("long-escapes", "with `\\u000a` for `\\n` and its like", Escape::Long),
    escaped("upper-case-escapes", "with upper-case digits in `\\u` escapes", Escape::UpperCase),
    escaped("unescaped", "with nothing escaped inside strings", Escape::Nothing),
    numbered("integers-as-floats", "with `.0` after integers", Numbers::Float),
    numbered("fourteen-digits", "with fourteen digits of each integer", Numbers::FourteenDigits),
    numbered("wrapped-32", "with integers cut to 32 bits", Numbers::Wrapped),
    bytes("as-uploaded", "over the bytes as uploaded", |reading| Some(reading.input.to_owned())),
    bytes("composed", "with letters composed (NFC)", |reading| {
        Some(ComposingNormalizerBorrowed::new_nfc().normalize(reading.canonical).into_owned().into_bytes())
    }),
    bytes("decomposed", "with letters decomposed (NFD)", |reading| {
        Some(DecomposingNormalizerBorrowed::new_nfd().normalize(reading.canonical).into_owned().into_bytes())
    }),
    bytes("surrogates-in-utf8", "with each half of a surrogate pair in UTF-8 (CESU-8)", |reading| {
        Some(reading.canonical.chars().flat_map(cesu8).collect())
    }),
    bytes("in-utf-16", "over UTF-16 instead of UTF-8", |reading| {
        Some(reading.canonical.encode_utf16().flat_map(u16::to_le_bytes).collect())
    }),
    bytes("trailing-newline", "with a line feed at the end", |reading| {
        Some(format!("{}\n", reading.canonical).into_bytes())
    }),
    bytes("quoted", "over the JSON text as a JSON string", |reading| Some(quoted(reading.canonical))),
    bytes("wrapped", "over `{\"capabilities\": …}`", |reading| {
        Some(format!("{{\"capabilities\":{}}}", reading.canonical).into_bytes())
    }),
    bytes("names-only", "over the list of names instead of the object", |reading| {
        Some(CANONICAL.bytes(&Value::Array(names(reading.value)?)))
    }),
    bytes("names-joined", "over the names joined with commas", |reading| {
        Some(names(reading.value)?.iter().map(unquoted).collect::<Vec<_>>().join(&b','))
    }),
];

/// The bytes of a name without its quotes and escapes.
fn unquoted(name: &Value) -> Vec<u8> {
    let quoted = Style { escape: Escape::Nothing, ..CANONICAL }.bytes(name);
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_vec()
}

/// The keys of an object, sorted.
fn names(value: &Value) -> Option<Vec<Value>> {
    let Value::Object(members) = value else { return None };
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    Some(names.into_iter().map(Value::String).collect())
}

/// A character in CESU-8: what UTF-16 has as two units is written as two characters of three bytes.
fn cesu8(c: char) -> Vec<u8> {
    let mut out = Vec::new();
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units);
    match units {
        [_] => super::decode::encode(u32::from(c), &mut out),
        _ => units.iter().for_each(|unit| super::decode::encode(u32::from(*unit), &mut out)),
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    ::hex::encode(bytes)
}
