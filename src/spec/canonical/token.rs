//! Mistakes within one number or one string, found in the input itself.
//!
//! serde_json has rounded a number and joined surrogates by the time it calls a visitor, and
//! names neither the place nor the kind of what it refuses. So tokens are looked at before it
//! reads them; what is no token at all is left for serde_json to refuse.

use super::{JsonErrorKind, MAX_INTEGER};

/// A mistake and the byte it is at.
pub(super) type Mistake = (usize, JsonErrorKind);

/// Looks at the token that begins at `start`, if it is a number or a string.
pub(super) fn check(input: &str, start: usize) -> Result<(), Mistake> {
    match input.as_bytes().get(start) {
        Some(b'-' | b'0'..=b'9') => number(input, start),
        Some(b'"') => string(input, start),
        _ => Ok(()),
    }
}

fn number(input: &str, start: usize) -> Result<(), Mistake> {
    let rest = &input[start..];
    let end =
        rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
    let token = &rest[..end];
    if !is_number(token) {
        return Ok(());
    }
    let kind = if token.contains(['.', 'e', 'E']) {
        JsonErrorKind::Float(abridged(token))
    } else if token == "-0" {
        JsonErrorKind::NegativeZero
    } else {
        match token.parse::<i64>() {
            Ok(n) if n.abs() <= MAX_INTEGER => return Ok(()),
            _ => JsonErrorKind::IntegerOutOfRange(abridged(token)),
        }
    };
    Err((start, kind))
}

/// Whether a token is a number in the grammar of RFC 8259, section 6.
fn is_number(token: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// A number short enough for a message.
fn abridged(token: &str) -> String {
    const SHOWN: usize = 24;
    match token.get(..SHOWN) {
        Some(head) if token.len() > SHOWN => format!("{head}... ({} characters)", token.len()),
        _ => token.to_owned(),
    }
}

fn string(input: &str, start: usize) -> Result<(), Mistake> {
    let bytes = input.as_bytes();
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None | Some(b'"') => return Ok(()),
            Some(b'\\') => at += escape(input, at)?,
            Some(c @ 0..=0x1f) => return Err((at, JsonErrorKind::ControlCharacter(char::from(*c)))),
            Some(_) => at += 1,
        }
    }
}

/// The length of the escape at `at`, surrogate pairs as one; past the end where the text ends within it.
fn escape(input: &str, at: usize) -> Result<usize, Mistake> {
    match input.as_bytes().get(at + 1) {
        None => return Ok(2),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(2),
        Some(b'u') => {}
        Some(_) => return Err((at, JsonErrorKind::InvalidEscape)),
    }
    let Some(unit) = code_unit(input, at)? else { return Ok(6) };
    let lone = || (at, JsonErrorKind::LoneSurrogate(input[at..at + 6].to_owned()));
    match unit {
        0xdc00..=0xdfff => Err(lone()),
        0xd800..=0xdbff if input[at + 6..].starts_with("\\u") => match code_unit(input, at + 6)? {
            None | Some(0xdc00..=0xdfff) => Ok(12),
            Some(_) => Err(lone()),
        },
        // The text ends here, and that is what is wrong with it.
        0xd800..=0xdbff if matches!(&input[at + 6..], "" | "\\") => Ok(12),
        0xd800..=0xdbff => Err(lone()),
        _ => Ok(6),
    }
}

/// The code unit of the `\uXXXX` at `at`; none where the text ends within it.
fn code_unit(input: &str, at: usize) -> Result<Option<u32>, Mistake> {
    let digits = &input.as_bytes()[at + 2..input.len().min(at + 6)];
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err((at, JsonErrorKind::InvalidEscape));
    }
    let whole = digits.len() == 4;
    Ok(whole.then(|| digits.iter().fold(0, |unit, b| unit * 16 + char::from(*b).to_digit(16).unwrap_or(0))))
}
