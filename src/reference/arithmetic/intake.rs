//! What this server takes of what it need not take, and what it refuses of what it need not refuse.

use std::borrow::Cow;

use ruma_common::CanonicalJsonValue;

use super::Set;
use super::dialect::Ordered;
use crate::reference::errors::MatrixError;
use crate::reference::variants::{Variant, VariantSet};

/// How deep sets may be nested under `nesting-refused`.
const DEPTH: usize = 16;
/// The greatest integer of Canonical JSON.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// An uploaded body as the strict reader gets to see it.
pub(super) fn prepare(variants: VariantSet, body: &[u8]) -> Result<Cow<'_, [u8]>, MatrixError> {
    let body = match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if variants.has(Variant::BomTaken) => rest,
        _ => body,
    };
    let body: Cow<'_, [u8]> = match variants.has(Variant::IntegersTaken) {
        true => plain_integers(body).into(),
        false => body.into(),
    };
    let judges = [Variant::NestingRefused, Variant::DuplicatesRefused, Variant::DuplicatesFirst];
    let read = judges.into_iter().any(|variant| variants.has(variant)).then(|| serde_json::from_slice(&body));
    // What cannot be read is the reader's to refuse.
    let Some(Ok::<Ordered, _>(read)) = read else { return Ok(body) };
    if variants.has(Variant::NestingRefused) && read.depth() > DEPTH {
        return Err(MatrixError::bad_json(format!("A set may be nested {DEPTH} deep")));
    }
    if variants.has(Variant::DuplicatesRefused) && read.has_duplicates() {
        return Err(MatrixError::bad_json("An object has a key twice"));
    }
    Ok(match variants.has(Variant::DuplicatesFirst) {
        true => read.first_wins().to_string().into_bytes().into(),
        false => body,
    })
}

/// Whether a set that was read is of the kind that this server takes.
pub(super) fn admit(variants: VariantSet, set: &Set) -> Result<(), MatrixError> {
    let odd = |(name, _): &(&String, _)| variants.has(Variant::NamesRefused) && !is_identifier(name);
    if let Some((name, _)) = set.members.iter().find(odd) {
        return Err(MatrixError::bad_json(format!("{name:?} is no identifier")));
    }
    let has_parameters = |value: &CanonicalJsonValue| value.as_object().is_none_or(|value| !value.is_empty());
    match variants.has(Variant::ParametersRefused) && set.members.values().any(has_parameters) {
        true => Err(MatrixError::bad_json("Capabilities have no parameters here")),
        false => Ok(()),
    }
}

/// The grammar of Matrix's Common Namespaced Identifiers.
fn is_identifier(name: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
    name.len() <= 255 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(allowed)
}

/// The text of a request's hash, in the usual spelling if it has one that this server takes.
pub(super) fn spelled_out(variants: VariantSet, text: &str) -> Cow<'_, str> {
    let text = match text.strip_suffix('=') {
        Some(unpadded) if variants.has(Variant::PaddedTaken) && unpadded.len() == 43 => unpadded,
        _ => text,
    };
    match variants.has(Variant::UrlSafeTaken) && !text.contains(['+', '/']) {
        true => text.replace('-', "+").replace('_', "/").into(),
        false => text.into(),
    }
}

/// JSON text in which whatever is an integer of Canonical JSON is spelled like one: by its letters, since
/// floating-point numbers would round what is none.
fn plain_integers(json: &[u8]) -> Vec<u8> {
    let (mut text, mut rest, mut in_string) = (Vec::with_capacity(json.len()), json, false);
    while let [first, after @ ..] = rest {
        let length = match first {
            b'\\' if in_string && !after.is_empty() => 2,
            b'-' | b'0'..=b'9' if !in_string => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())
            }
            _ => 1,
        };
        in_string ^= *first == b'"';
        let (token, beyond) = rest.split_at(length);
        match (!in_string).then(|| integer(token)).flatten() {
            Some(plain) => text.extend(plain.into_bytes()),
            None => text.extend(token),
        }
        rest = beyond;
    }
    text
}

/// The plain spelling of a JSON number that is an integer and spelled otherwise.
fn integer(token: &[u8]) -> Option<String> {
    let token = std::str::from_utf8(token).ok()?;
    let (sign, number) = token.strip_prefix('-').map_or(("", token), |number| ("-", number));
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let leads = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leads || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // How many zeros follow the digits that count; fewer than none means a fraction.
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let zeros = i64::from(exponent) - i64::try_from(fraction.len()).ok()? + dropped;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| zeros + significant.len() <= 16)?;
    let value: u64 = format!("{significant}{}", "0".repeat(zeros)).parse().ok()?;
    (value <= MAX_INTEGER).then(|| format!("{sign}{value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &str) -> String {
        String::from_utf8(plain_integers(json.as_bytes())).unwrap()
    }

    #[test]
    fn integers_are_spelled_plainly_and_nothing_else_is_touched() {
        for (odd, plain) in [
            ("-0", "0"),
            ("0.0", "0"),
            ("-0e9", "0"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("-1.50E+1", "-15"),
            ("1200e-2", "12"),
            ("0.012e3", "12"),
            ("9007199254740991.000", "9007199254740991"),
            ("90071992547409910e-1", "9007199254740991"),
            ("17", "17"),
            ("-17", "-17"),
        ] {
            assert_eq!(
                rewritten(&format!(r#"{{"a":[{odd} ,{odd}]}}"#)),
                format!(r#"{{"a":[{plain} ,{plain}]}}"#)
            );
        }
        for other in [
            "1.5",
            "12e-1",
            "1e-1",
            "9007199254740993.0",
            "4503599627370497.25",
            "1e16",
            "1e999999999",
            "1e99999999999",
            "01",
            "01.0",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "-",
            "1-1",
            "1.0.0",
            "1ee2",
            "+1.0",
        ] {
            assert_eq!(rewritten(other), other);
        }
    }

    #[test]
    fn numbers_within_strings_are_text() {
        let text = r#"{"1.0":{"x\"1.0":"\\","y":"1e2 \\\" -0"}}"#;
        assert_eq!(rewritten(text), text);
        assert_eq!(rewritten(r#"{"\\":1.0}"#), r#"{"\\":1}"#);
        assert_eq!(rewritten("\"\\"), "\"\\");
    }

    #[test]
    fn a_hash_has_the_spellings_that_are_taken_and_no_mixture() {
        let usual = "//c9BEZRxhBgCMh4n9x6JU54FmMpG95BjX+vunXewd8";
        let url_safe = "__c9BEZRxhBgCMh4n9x6JU54FmMpG95BjX-vunXewd8";
        let taking = |variants: &[Variant]| variants.iter().copied().collect::<VariantSet>();
        let [padded, safe] = [taking(&[Variant::PaddedTaken]), taking(&[Variant::UrlSafeTaken])];
        let both = taking(&[Variant::PaddedTaken, Variant::UrlSafeTaken]);
        let spelled = |variants, text: &str| spelled_out(variants, text) == usual;
        assert!(spelled(padded, &format!("{usual}=")) && spelled(both, &format!("{url_safe}=")));
        assert!(spelled(safe, url_safe) && spelled(both, url_safe) && spelled(both, usual));
        assert!(!spelled(safe, &format!("{url_safe}=")) && !spelled(padded, url_safe));
        assert!(!spelled(padded, &format!("{usual}==")));
        assert!(!spelled(both, &url_safe.replacen("__", "_/", 1)));
    }
}
