//! How mistaken servers read a body: each function gives what they take it for, or none where it makes no difference.

use serde::de::IgnoredAny;

use crate::spec::canonical::{self, Json, MAX_INTEGER, Object};
use crate::spec::capability::CapabilitySet;

/// Integers beyond 2^53 - 1 as the nearest double, written in full.
pub(super) fn rounded(body: &[u8]) -> Option<Vec<u8>> {
    tokens(body, |token| {
        beyond(token).then(|| token.parse::<f64>().ok())?.map(|double| format!("{double:.0}"))
    })
}

/// Integers beyond 2^53 - 1 as that.
pub(super) fn clamped(body: &[u8]) -> Option<Vec<u8>> {
    let nearest = |token: &str| if token.starts_with('-') { -MAX_INTEGER } else { MAX_INTEGER };
    tokens(body, |token| beyond(token).then(|| nearest(token).to_string()))
}

/// Integers beyond 64 bits as their lowest 64 bits, in two's complement.
pub(super) fn wrapped(body: &[u8]) -> Option<Vec<u8>> {
    #[expect(clippy::cast_possible_truncation, reason = "that is the mistake")]
    let low = |integer: i128| (integer as i64).to_string();
    tokens(body, |token| token.parse().ok().map(low).filter(|low| low != token))
}

/// Numbers with a fraction without it.
pub(super) fn fractions_cut(body: &[u8]) -> Option<Vec<u8>> {
    tokens(body, |token| is_number(token).then(|| token.split_once('.'))?.map(|(whole, _)| whole.to_owned()))
}

/// `NaN` and the infinities as null.
pub(super) fn nan_as_null(body: &[u8]) -> Option<Vec<u8>> {
    tokens(body, |token| matches!(token, "NaN" | "Infinity" | "-Infinity").then(|| "null".to_owned()))
}

/// The canonical text with every number that has a fraction or an exponent as it came.
pub(super) fn with_floats_kept(body: &[u8]) -> Option<Vec<u8>> {
    // As strings, marked by a character that no body has, they pass the reader.
    let mark = |token: &str| format!("\"\u{e000}{token}\u{e000}\"");
    let marked =
        tokens(body, |token| (is_number(token) && token.contains(['.', 'e', 'E'])).then(|| mark(token)))?;
    let text = String::from_utf8(canonical::to_bytes(&canonical::parse(&marked).ok()?)).ok()?;
    Some(text.replace("\"\u{e000}", "").replace("\u{e000}\"", "").into_bytes())
}

/// The first value, whatever follows it.
pub(super) fn first_value(body: &[u8]) -> Option<Vec<u8>> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, rest) = body.split_at_checked(values.byte_offset())?;
    rest.iter().any(|byte| !byte.is_ascii_whitespace()).then(|| value.to_vec())
}

/// UTF-16, by its byte order mark or where its first zero byte stands.
pub(super) fn from_utf16(body: &[u8]) -> Option<Vec<u8>> {
    let (big, text) = match body {
        [0xfe, 0xff, text @ ..] => (true, text),
        [0xff, 0xfe, text @ ..] => (false, text),
        [0, _, ..] => (true, body),
        [_, 0, ..] => (false, body),
        _ => return None,
    };
    let unit = |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let (pairs, _) = text.as_chunks();
    String::from_utf16(&pairs.iter().map(unit).collect::<Vec<_>>()).ok().map(String::into_bytes)
}

/// Bytes that are not UTF-8 as U+FFFD.
pub(super) fn with_replacements(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body).is_err().then(|| String::from_utf8_lossy(body).into_owned().into_bytes())
}

/// Escapes of half a surrogate pair as U+FFFD.
pub(super) fn with_surrogates_replaced(body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = std::str::from_utf8(body).ok()?;
    let mut out = String::new();
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, replaced) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            _ => (2, false),
        };
        let (escape, after) = rest.split_at_checked(escape)?;
        out.push_str(if replaced { "\\ufffd" } else { escape });
        rest = after;
    }
    out.push_str(rest);
    (out.as_bytes() != body).then(|| out.into_bytes())
}

/// No value, or null, as the empty set.
pub(super) fn nothing_as_empty(body: &[u8]) -> Option<Vec<u8>> {
    matches!(body.trim_ascii(), b"" | b"null").then(|| b"{}".to_vec())
}

/// `[]` as `{}`.
pub(super) fn arrays_as_objects(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.contains("[]").then(|| text.replace("[]", "{}").into_bytes())
}

/// The set without any member that is null, at every depth.
pub(super) fn without_nulls(body: &[u8]) -> Option<Vec<u8>> {
    let set = CapabilitySet::parse(body).ok()?.to_json();
    Some(canonical::to_bytes(&pruned(set.clone()))).filter(|bytes| *bytes != canonical::to_bytes(&set))
}

fn pruned(value: Json) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.into_iter().map(pruned).collect()),
        Json::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| *value != Json::Null);
            Json::Object(members.map(|(key, value)| (key, pruned(value))).collect::<Object>())
        }
        scalar => scalar,
    }
}

/// The UTF-16 unit that a text begins with an escape of.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn is_number(token: &str) -> bool {
    token.strip_prefix('-').unwrap_or(token).starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a token is an integer beyond 2^53 - 1.
fn beyond(token: &str) -> bool {
    token.parse::<i128>().is_ok_and(|integer| integer.abs() > MAX_INTEGER.into())
}

/// The text with some of the tokens outside strings replaced; none where none is.
fn tokens(body: &[u8], replaced: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut rest = std::str::from_utf8(body).ok()?;
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => end_of_string(rest),
            _ if is_of_token(first) => rest.find(|c| !is_of_token(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        let replacement = if is_of_token(first) { replaced(token) } else { None };
        out.push_str(replacement.as_deref().unwrap_or(token));
        rest = after;
    }
    (out.as_bytes() != body).then(|| out.into_bytes())
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')
}

/// Where the string ends that a text begins with.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
