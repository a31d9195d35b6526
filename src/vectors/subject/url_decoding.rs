//! A path segment, decoded exactly once (protocol, section 5.2; RFC 3986, section 2.4).

use icu_normalizer::ComposingNormalizerBorrowed;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Solution, Topic, slashes};
use crate::spec::binding::encode;

/// Segments into texts.
pub(super) struct UrlDecoding;

/// What stands in a path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Segment {
    /// Between two slashes of the request line, as it came.
    segment: String,
}

/// What it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Variable {
    /// Its escapes decoded once, as UTF-8.
    text: String,
}

impl Topic for UrlDecoding {
    type Input = Segment;
    type Expected = Variable;
    const NAME: &'static str = "url-decoding";
    const PREFIX: &'static str = "url.decode-";
    const ANSWER: Option<&'static str> = Some("text");

    fn solve(&self, input: &Segment) -> Solution<Variable> {
        let segment = &input.segment;
        if escapes(segment).any(|digits| byte(digits).is_none()) {
            return Solution::invalid("malformed-escape");
        }
        let Some(text) = decode(segment) else { return Solution::invalid("not-utf8") };
        let failure = match text.as_str() {
            "" => Some("empty"),
            "." | ".." => Some("dot-segment"),
            text if text.contains(|c: char| c.is_ascii_control()) => Some("control-character"),
            _ if segment.contains(|c| !is_legal(c)) => Some("illegal-character"),
            _ if segment.contains(DELIMITERS) => Some("raw-delimiter"),
            _ => None,
        };
        let expected = Some(Variable { text });
        failure.map_or(Solution::valid(expected.clone()), |failure| Solution::either(failure, expected))
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|(name, _)| *name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Segment) -> Option<Answer> {
        let (_, make) = MISTAKES.iter().find(|(name, _)| *name == mistake)?;
        Some(make(&input.segment).map_or(Answer::Refused, |text| Answer::Taken(text.into())))
    }
}

/// What may stand in a segment (RFC 3986, section 3.3).
fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c)
}

/// Sub-delimiters that clients escape and that a server need not take raw. It need not take `=` either, nor `:` and
/// `@`, but it should; a `+` it should take, too, and must not take for a space (protocol, section 5.2).
const DELIMITERS: [char; 10] = ['!', '$', '&', '\'', '(', ')', '*', '+', ',', ';'];

/// What stands after each `%`.
fn escapes(segment: &str) -> impl Iterator<Item = &str> {
    segment.split('%').skip(1)
}

/// The byte of the two digits at the beginning.
fn byte(digits: &str) -> Option<u8> {
    let digits = digits.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// The bytes that a segment stands for; none where an escape is malformed.
fn bytes(segment: &str) -> Option<Vec<u8>> {
    escapes(segment).all(|digits| byte(digits).is_some()).then(|| percent_decode_str(segment).collect())
}

/// The text that a segment stands for; none where there is none.
fn decode(segment: &str) -> Option<String> {
    String::from_utf8(bytes(segment)?).ok()
}

/// What an implementation makes of a segment; none where it refuses it.
type Make = fn(&str) -> Option<String>;

/// Every mistake, and the text that it makes of a segment.
const MISTAKES: &[(&str, Make)] = &[
    ("not-decoded", |segment| Some(segment.to_owned())),
    ("decoded-twice", |segment| decode(&decode(segment)?)),
    ("raw-refused", |segment| {
        decode(segment).filter(|_| segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)))
    }),
    ("plus-as-space", |segment| decode(&segment.replace('+', " "))),
    ("slash-left", |segment| decode(&without(segment, |digits| byte(digits) == Some(b'/')))),
    ("lower-case-escapes-kept", |segment| {
        decode(&without(segment, |digits| {
            byte(digits).is_some() && digits[..2].contains(|c: char| c.is_ascii_lowercase())
        }))
    }),
    ("malformed-kept", |segment| decode(&without(segment, |digits| byte(digits).is_none()))),
    ("percent-u", |segment| decode(&percent_u(segment)?)),
    ("semicolon-cuts", |segment| decode(segment.split(';').next()?)),
    ("slash-splits", |segment| Some(decode(segment)?.split('/').next()?.to_owned())),
    ("slashes-merged", |segment| Some(slashes::merged(&decode(segment)?))),
    ("dot-segments-resolved", |segment| Some(dot_segments_resolved(&decode(segment)?))),
    ("cut-at-nul", |segment| Some(decode(segment)?.split('\0').next()?.to_owned())),
    ("trimmed", |segment| Some(decode(segment)?.trim_matches([' ', '\t', '\r', '\n']).to_owned())),
    ("lower-cased", |segment| Some(decode(segment)?.to_ascii_lowercase())),
    ("composed", |segment| {
        Some(ComposingNormalizerBorrowed::new_nfc().normalize(&decode(segment)?).into_owned())
    }),
    ("byte-order-mark-dropped", |segment| {
        let text = decode(segment)?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }),
    ("latin-1", |segment| Some(latin_1(&bytes(segment)?))),
    ("latin-1-where-not-utf8", |segment| decode(segment).or_else(|| Some(latin_1(&bytes(segment)?)))),
    ("replaced-where-not-utf8", |segment| Some(String::from_utf8_lossy(&bytes(segment)?).into_owned())),
    ("dropped-where-not-utf8", |segment| {
        Some(bytes(segment)?.utf8_chunks().map(|chunk| chunk.valid()).collect())
    }),
    ("overlong-taken", |segment| loosely(&bytes(segment)?, |number, _| !is_surrogate(number))),
    ("modified-utf-8", |segment| {
        loosely(&bytes(segment)?, |number, more| {
            number >= NEEDED[more] || (number == 0 && more == 1) || is_surrogate(number)
        })
    }),
    ("four-bytes-refused", |segment| decode(segment).filter(|text| text.chars().all(|c| c <= '\u{ffff}'))),
    ("leading-slashes-dropped", |segment| Some(decode(segment)?.trim_start_matches('/').to_owned())),
];

/// The segment with `%25` for the `%` of such escapes, so that they come out as they stand.
fn without(segment: &str, such: impl Fn(&str) -> bool) -> String {
    let first = segment.split('%').next().unwrap_or_default().to_owned();
    escapes(segment).fold(first, |out, digits| out + if such(digits) { "%25" } else { "%" } + digits)
}

/// The segment with `%uXXXX` read as the UTF-16 unit that JavaScript's `escape` writes so.
fn percent_u(segment: &str) -> Option<String> {
    let mut out = String::new();
    let mut units = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let digits = rest.strip_prefix("%u").and_then(|rest| rest.get(..4));
        let unit = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(unit) = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            units.push(unit);
            rest = &rest[6..];
        } else {
            out.push_str(&encode(&String::from_utf16(&units).ok()?));
            units.clear();
            let next = rest.chars().next()?;
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Some(out + &encode(&String::from_utf16(&units).ok()?))
}

fn dot_segments_resolved(text: &str) -> String {
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn is_surrogate(number: u32) -> bool {
    (0xd800..0xe000).contains(&number)
}

/// The least number that needs so many continuation bytes.
const NEEDED: [u32; 4] = [0, 0x80, 0x800, 0x1_0000];

/// UTF-8 that is read by its lead bytes, as long as each number, with its count of continuation bytes, is taken;
/// surrogates make pairs.
fn loosely(bytes: &[u8], taken: impl Fn(u32, usize) -> bool) -> Option<String> {
    let mut units = Vec::new();
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let (more, high) = match first {
            0..=0x7f => (0, *first),
            0xc0..=0xdf => (1, first & 0x1f),
            0xe0..=0xef => (2, first & 0x0f),
            0xf0..=0xf7 => (3, first & 0x07),
            _ => return None,
        };
        let (continued, left) = tail.split_at_checked(more)?;
        if continued.iter().any(|byte| byte & 0xc0 != 0x80) {
            return None;
        }
        let number =
            continued.iter().fold(u32::from(high), |number, byte| number << 6 | u32::from(byte & 0x3f));
        if !taken(number, more) {
            return None;
        }
        match char::from_u32(number) {
            Some(c) => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            None => units.push(u16::try_from(number).ok()?),
        }
        rest = left;
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_does_what_its_name_says() {
        for (name, segment, text) in [
            ("not-decoded", "%2F", Some("%2F")),
            ("decoded-twice", "%252F", Some("/")),
            ("decoded-twice", "%25", None),
            ("raw-refused", "%40a~", Some("@a~")),
            ("raw-refused", "@a", None),
            ("plus-as-space", "a+b%2B", Some("a b+")),
            ("slash-left", "%2F%2f%2B", Some("%2F%2f+")),
            ("lower-case-escapes-kept", "%2f%2F%40", Some("%2f/@")),
            ("malformed-kept", "%zz%2F%2", Some("%zz/%2")),
            ("malformed-kept", "%FF", None),
            ("percent-u", "%u00e9%uD83D%uDE02%2F", Some("\u{e9}\u{1f602}/")),
            ("percent-u", "%uD83D", None),
            ("percent-u", "%u00g0", None),
            ("semicolon-cuts", "a;b%3B", Some("a")),
            ("semicolon-cuts", "a%3Bb", Some("a;b")),
            ("slash-splits", "a%2Fb", Some("a")),
            ("slashes-merged", "a%2F%2F%2Fb", Some("a/b")),
            ("dot-segments-resolved", "a%2F..%2Fb%2F.", Some("b")),
            ("dot-segments-resolved", "..", Some("")),
            ("cut-at-nul", "a%00b", Some("a")),
            ("trimmed", "%20a%20b%0A", Some("a b")),
            ("lower-cased", "%41%C3%89", Some("a\u{c9}")),
            ("composed", "e%CC%81", Some("\u{e9}")),
            ("byte-order-mark-dropped", "%EF%BB%BFa", Some("a")),
            ("latin-1", "%C3%A9", Some("\u{c3}\u{a9}")),
            ("latin-1-where-not-utf8", "%C3%A9", Some("\u{e9}")),
            ("latin-1-where-not-utf8", "%E9", Some("\u{e9}")),
            ("replaced-where-not-utf8", "a%FF%E2%82b", Some("a\u{fffd}\u{fffd}b")),
            ("dropped-where-not-utf8", "a%FFb", Some("ab")),
            ("overlong-taken", "%C0%AF%F0%9F%98%82", Some("/\u{1f602}")),
            ("overlong-taken", "%ED%A0%BD%ED%B8%82", None),
            ("modified-utf-8", "%ED%A0%BD%ED%B8%82", Some("\u{1f602}")),
            ("modified-utf-8", "%ED%A0%BD", None),
            ("modified-utf-8", "%C0%AF", None),
            ("modified-utf-8", "a%C0%80", Some("a\0")),
            ("modified-utf-8", "%C1%80", None),
            ("four-bytes-refused", "%F0%9F%98%82", None),
            ("four-bytes-refused", "%E5%B1%B1", Some("\u{5c71}")),
            ("leading-slashes-dropped", "%2F%2Fa%2F", Some("a/")),
            ("modified-utf-8", "%F7%BF%BF%BF", None),
        ] {
            let answer = UrlDecoding.mistaken(name, &Segment { segment: segment.to_owned() });
            let expected = text.map_or(Answer::Refused, |text| Answer::Taken(text.into()));
            assert_eq!(answer, Some(expected), "{name}: {segment}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut draw = crate::spec::draw::Draw::new(7, "segments");
        for _ in 0..100 {
            let text = String::from_utf8(draw.set(true).canonical_bytes()).unwrap();
            assert_eq!(decode(&encode(&text)), Some(text));
        }
    }

    /// What a mistake is set against: it is one thing that it does otherwise.
    #[test]
    fn where_there_is_nothing_to_decode_mistakes_decode_nothing() {
        for (name, make) in MISTAKES {
            assert_eq!(make("abc123"), Some("abc123".to_owned()), "{name}");
        }
    }
}
