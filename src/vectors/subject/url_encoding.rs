//! A path variable, percent-encoded into a path segment (protocol, section 5.2; RFC 3986, section 2).

use icu_normalizer::ComposingNormalizerBorrowed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Solution, Topic};
use crate::spec::binding::encode;

/// Texts into segments.
pub(super) struct UrlEncoding;

/// What is to stand in a path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    /// The path variable: a hash or a user ID, as a rule.
    text: String,
}

/// How it stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Segment {
    /// Percent-encoded down to RFC 3986 unreserved characters, with upper-case digits.
    segment: String,
}

impl Topic for UrlEncoding {
    type Input = Variable;
    type Expected = Segment;
    const NAME: &'static str = "url-encoding";
    const PREFIX: &'static str = "url.encode-";
    const ANSWER: Option<&'static str> = Some("segment");

    fn solve(&self, input: &Variable) -> Solution<Segment> {
        let segment = encode(&input.text);
        let also = others(&input.text, &segment).into_iter().map(Value::from).collect();
        Solution::valid(Some(Segment { segment })).or(also)
    }

    fn mistakes(&self) -> Vec<&'static str> {
        MISTAKES.iter().map(|(name, _)| *name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &Variable) -> Option<Answer> {
        let (_, make) = MISTAKES.iter().find(|(name, _)| *name == mistake)?;
        Some(Answer::Taken(make(&input.text).into()))
    }
}

/// How libraries encode a segment: what they leave raw beyond unreserved characters, all of it sub-delimiters, `:`
/// and `@` (RFC 3986, section 3.3), and which unreserved ones they escape (section 2.3).
const HABITS: [(&str, &str); 11] = [
    // Python's quote with safe="", PHP's rawurlencode, curl, Ruby's ERB, .NET's EscapeDataString: the right answer.
    ("", ""),
    // What servers should take raw (protocol, section 5.2).
    ("+:=@", ""),
    // Guava's UrlEscapers, Ktor, and what escapes just what may not stand there, as OkHttp and Ruma do.
    ("!$&'()*+,;=:@", ""),
    // JavaScript's encodeURIComponent, Dart's Uri.encodeComponent.
    ("!'()*", ""),
    // Go's url.PathEscape.
    ("$&+=:@", ""),
    // Haskell's http-types.
    ("$&+,:=@", ""),
    // Java's URLEncoder, with %20 put for each +.
    ("*", "~"),
    // .NET's WebUtility and HttpUtility, likewise.
    ("!()*", "~"),
    // PHP's urlencode and Python before 3.7, likewise.
    ("", "~"),
    // JavaScript's escape, where there is no slash.
    ("@*+", "~"),
    // Rust's percent-encoding with NON_ALPHANUMERIC.
    ("", "-._~"),
];

/// The other segments that mean the same and that senders write, each once.
fn others(text: &str, segment: &str) -> Vec<String> {
    let mut others: Vec<String> = Vec::new();
    for (raw, escaped) in HABITS {
        let upper = escape(text, |c| (is_unreserved(c) || raw.contains(c)) && !escaped.contains(c));
        let lower = lower_case_digits(&upper);
        for other in [upper, lower] {
            if other != segment && !others.contains(&other) {
                others.push(other);
            }
        }
    }
    others
}

/// The same escapes with lower-case digits (RFC 3986, section 6.2.2.1).
fn lower_case_digits(segment: &str) -> String {
    let mut pieces = segment.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |out, piece| {
        let (digits, rest) = piece.split_at(2);
        out + "%" + &digits.to_ascii_lowercase() + rest
    })
}

/// RFC 3986, section 2.3.
fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

/// Whatever is not kept stands as the escapes of its UTF-8.
fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if keep(c) { out.push(c) } else { escape_bytes(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut out) }
    }
    out
}

fn escape_bytes(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().map(|byte| format!("%{byte:02X}")));
}

/// What an implementation makes of a text.
type Make = fn(&str) -> String;

/// Every mistake, and the segment that it makes of a text.
const MISTAKES: &[(&str, Make)] = &[
    ("nothing-encoded", str::to_owned),
    ("encoded-twice", |text| encode(&encode(text))),
    ("slash-left", |text| escape(text, |c| is_unreserved(c) || c == '/')),
    ("first-slash-only", |text| match text.split_once('/') {
        Some((before, after)) => encode(before) + "%2F" + &escape(after, |c| is_unreserved(c) || c == '/'),
        None => encode(text),
    }),
    ("leading-slashes-dropped", |text| encode(text.trim_start_matches('/'))),
    ("escapes-left", escapes_left),
    ("encode-uri", |text| escape(text, |c| is_unreserved(c) || "!*'();/?:@&=+$,#".contains(c))),
    ("percent-left", |text| escape(text, |c| is_unreserved(c) || c == '%')),
    ("only-forbidden", |text| {
        escape(text, |c| !c.is_control() && c.is_ascii() && !" \"#<>?`{}/%".contains(c))
    }),
    ("non-ascii-left", |text| escape(text, |c| is_unreserved(c) || !c.is_ascii())),
    ("form-encoded", |text| {
        escape(text, |c| c.is_ascii_alphanumeric() || "*-._ ".contains(c)).replace(' ', "+")
    }),
    ("space-as-plus", |text| encode(text).replace("%20", "+")),
    ("url-safe", |text| encode(&text.replace('+', "-").replace('/', "_"))),
    ("latin-1", latin_1),
    ("percent-u", percent_u),
    ("surrogates-encoded", surrogates_encoded),
    ("composed", |text| encode(&ComposingNormalizerBorrowed::new_nfc().normalize(text))),
    ("lower-cased", |text| encode(&text.to_ascii_lowercase())),
    ("trimmed", |text| encode(text.trim_matches([' ', '\t', '\r', '\n']))),
    ("cut-at-nul", |text| encode(text.split('\0').next().unwrap_or_default())),
    ("dot-segments-removed", |text| if matches!(text, "." | "..") { String::new() } else { encode(text) }),
];

fn escapes_left(text: &str) -> String {
    let is_escape = |digits: &str| {
        digits.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    let mut pieces = text.split('%');
    let first = encode(pieces.next().unwrap_or_default());
    pieces.fold(first, |out, piece| out + if is_escape(piece) { "%" } else { "%25" } + &encode(piece))
}

fn latin_1(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match u8::try_from(u32::from(c)) {
            _ if is_unreserved(c) => out.push(c),
            Ok(byte) => escape_bytes(&[byte], &mut out),
            Err(_) => escape_bytes(b"?", &mut out),
        }
    }
    out
}

fn percent_u(text: &str) -> String {
    let mut out = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() || b"@*_+-./".contains(&byte) => {
                out.push(char::from(byte))
            }
            Ok(byte) => escape_bytes(&[byte], &mut out),
            Err(_) => out.push_str(&format!("%u{unit:04X}")),
        }
    }
    out
}

fn surrogates_encoded(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c <= '\u{ffff}' {
            out.push_str(&encode(c.encode_utf8(&mut [0; 4])));
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            // A surrogate has sixteen bits, and three bytes of UTF-8 hold as many.
            escape_bytes(
                &[0xe0 | high >> 4, 0x80 | (high & 0xf) << 2 | low >> 6, 0x80 | low & 0x3f],
                &mut out,
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistaken(name: &str, text: &str) -> String {
        match UrlEncoding.mistaken(name, &Variable { text: text.to_owned() }).unwrap() {
            Answer::Taken(segment) => segment.as_str().unwrap().to_owned(),
            Answer::Refused => panic!("{name} refuses {text:?}"),
        }
    }

    #[test]
    fn each_mistake_does_what_its_name_says() {
        for (name, text, segment) in [
            ("nothing-encoded", "a/%", "a/%"),
            ("encoded-twice", "/", "%252F"),
            ("slash-left", "+/", "%2B/"),
            ("first-slash-only", "a/b/c+", "a%2Fb/c%2B"),
            ("leading-slashes-dropped", "//a/b", "a%2Fb"),
            ("escapes-left", "%2F/%%2", "%2F%2F%25%252"),
            ("encode-uri", "+/?#[ %~", "+/?#%5B%20%25~"),
            ("percent-left", "%2F/", "%2F%2F"),
            ("only-forbidden", "@[a|b]:/%", "@[a|b]:%2F%25"),
            ("only-forbidden", "\u{7f}\u{e9}", "%7F%C3%A9"),
            ("non-ascii-left", "\u{e9}/", "\u{e9}%2F"),
            ("form-encoded", "a b*~+", "a+b*%7E%2B"),
            ("space-as-plus", "a b*~+", "a+b%2A~%2B"),
            ("url-safe", "+/=", "-_%3D"),
            ("latin-1", "\u{e9}\u{100}~", "%E9%3F~"),
            ("percent-u", "@\u{e9}\u{1f602}/~", "@%E9%uD83D%uDE02/%7E"),
            ("surrogates-encoded", "\u{e9}\u{1f602}", "%C3%A9%ED%A0%BD%ED%B8%82"),
            ("composed", "e\u{301}", "%C3%A9"),
            ("lower-cased", "A\u{c9}", "a%C3%89"),
            ("trimmed", " a b\n", "a%20b"),
            ("cut-at-nul", "a\0b", "a"),
            ("dot-segments-removed", "..", ""),
            ("dot-segments-removed", "...", "..."),
        ] {
            assert_eq!(mistaken(name, text), segment, "{name}: {text:?}");
        }
    }

    #[test]
    fn what_may_stand_raw_may_be_left_and_digits_may_be_small() {
        assert_eq!(others("a", "a"), [""; 0]);
        assert_eq!(others("/+", &encode("/+")), ["%2f%2b", "%2F+", "%2f+"]);
        assert_eq!(others("..", ".."), ["%2E%2E", "%2e%2e"]);
        assert_eq!(others("!$", &encode("!$")), ["!$", "!%24", "%21$"]);
        assert_eq!(others("~*", &encode("~*")), ["~%2a", "~*", "%7E*", "%7e*", "%7E%2A", "%7e%2a"]);
    }

    /// No mistake is a segment that RFC 3986 allows and that decodes to the text, on any case.
    #[test]
    fn no_legal_segment_is_called_wrong() {
        let is_segment = |segment: &str| {
            let mut pieces = segment.split('%');
            let raw = |text: &str| text.chars().all(|c| is_unreserved(c) || "!$&'()*+,;=:@".contains(c));
            pieces.next().is_some_and(raw)
                && pieces.all(|piece| {
                    let digits =
                        piece.get(..2).is_some_and(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
                    digits && raw(&piece[2..])
                })
        };
        for case in crate::vectors::carried("url-encoding").cases() {
            let text = case.input["text"].as_str().unwrap();
            for (mistake, _) in MISTAKES {
                let segment = mistaken(mistake, text);
                let decoded = percent_encoding::percent_decode_str(&segment).decode_utf8();
                if is_segment(&segment) && decoded.is_ok_and(|decoded| decoded == text) {
                    let right = segment == encode(text) || others(text, &encode(text)).contains(&segment);
                    assert!(right, "{}: {mistake}: {segment}", case.id);
                }
            }
        }
    }

    /// What a mistake is set against: it is one thing that it does otherwise.
    #[test]
    fn where_there_is_nothing_to_encode_mistakes_encode_nothing() {
        for (name, _) in MISTAKES {
            assert_eq!(mistaken(name, "abc123"), "abc123", "{name}");
        }
    }
}
