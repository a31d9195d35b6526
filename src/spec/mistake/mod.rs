//! The mistakes that implementers make with the hash, and the wrong hash that each yields.
//!
//! Vectors name them, and a failure that shows a wrong hash says which one was made.

mod style;
mod uploaded;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::capability::CapabilitySet;
use super::hash::CapabilityHash;
use style::{CANONICAL, Escape, Order, Style};
use uploaded::Uploaded;

/// A mistake: its permanent name, what was done, and how it comes to its wrong hash.
#[derive(Debug)]
pub struct Mistake {
    /// A permanent word, as vectors name it.
    pub name: &'static str,
    /// What was done instead, as in "the union of A and B, but …".
    pub done: &'static str,
    how: How,
}

/// Where an implementation leaves the right path.
#[derive(Debug)]
enum How {
    /// It writes the value in another style.
    Written(Style),
    /// It hashes another text.
    Text(fn(&Reading<'_>) -> Option<String>),
    /// It spells the right digest otherwise.
    Spelled(fn(&[u8]) -> String),
    /// It takes another set for the union.
    Union(fn(&[CapabilitySet]) -> CapabilitySet),
}

/// What an implementation has in hand when it has read its input right.
struct Reading<'a> {
    input: &'a str,
    canonical: &'a str,
}

const fn written(name: &'static str, done: &'static str, style: Style) -> Mistake {
    Mistake { name, done, how: How::Written(style) }
}

const fn text(name: &'static str, done: &'static str, how: fn(&Reading<'_>) -> Option<String>) -> Mistake {
    Mistake { name, done, how: How::Text(how) }
}

const fn spelled(name: &'static str, done: &'static str, how: fn(&[u8]) -> String) -> Mistake {
    Mistake { name, done, how: How::Spelled(how) }
}

const fn union(
    name: &'static str,
    done: &'static str,
    how: fn(&[CapabilitySet]) -> CapabilitySet,
) -> Mistake {
    Mistake { name, done, how: How::Union(how) }
}

/// Every mistake that is told by the hash that it yields.
pub const MISTAKES: &[Mistake] = &[
    spelled("padded", "padded with `=`", |digest| STANDARD.encode(digest)),
    spelled("url-safe", "in the URL-safe alphabet", |digest| URL_SAFE_NO_PAD.encode(digest)),
    spelled("url-safe-padded", "in the URL-safe alphabet and padded", |digest| URL_SAFE.encode(digest)),
    spelled("hex", "as hex instead of Base64", hex),
    spelled("base64-of-hex", "as Base64 of the hex digits", |digest| STANDARD_NO_PAD.encode(hex(digest))),
    written(
        "unsorted",
        "with keys in the order in which they came",
        Style { order: Order::AsUploaded, ..CANONICAL },
    ),
    written(
        "unsorted-nested",
        "with keys sorted at the top alone",
        Style { order: Order::TopOnly, ..CANONICAL },
    ),
    written(
        "utf16-order",
        "with keys sorted by UTF-16 unit instead of code point",
        Style { order: Order::Utf16, ..CANONICAL },
    ),
    written(
        "folded-order",
        "with keys sorted without regard to case",
        Style { order: Order::Folded, ..CANONICAL },
    ),
    written(
        "integer-keys-first",
        "with keys that look like integers in front",
        Style { order: Order::IntegersFirst, ..CANONICAL },
    ),
    written("spaced", "with spaces after `:` and `,`", Style { spaced: true, ..CANONICAL }),
    written(
        "escaped-non-ascii",
        "with non-ASCII characters escaped as `\\u`",
        Style { escape: Escape::NonAscii, ..CANONICAL },
    ),
    written("escaped-slash", "with `/` escaped as `\\/`", Style { escape: Escape::Slash, ..CANONICAL }),
    written(
        "escaped-html",
        "with `<`, `>` and `&` escaped, as for HTML",
        Style { escape: Escape::Html, ..CANONICAL },
    ),
    written("escaped-del", "with U+007F escaped", Style { escape: Escape::Del, ..CANONICAL }),
    written(
        "long-escapes",
        "with `\\u000a` for `\\n` and its like",
        Style { escape: Escape::Long, ..CANONICAL },
    ),
    written(
        "upper-case-escapes",
        "with upper-case digits in `\\u` escapes",
        Style { escape: Escape::UpperCase, ..CANONICAL },
    ),
    written(
        "unescaped",
        "with nothing escaped inside strings",
        Style { escape: Escape::Nothing, ..CANONICAL },
    ),
    text("as-uploaded", "over the bytes as uploaded", |reading| Some(reading.input.to_owned())),
    text("composed", "with letters composed (NFC)", |reading| {
        Some(ComposingNormalizerBorrowed::new_nfc().normalize(reading.canonical).into_owned())
    }),
    text("trailing-newline", "with a line feed at the end", |reading| {
        Some(format!("{}\n", reading.canonical))
    }),
    text("quoted", "over the JSON text as a JSON string", |reading| {
        Some(Value::from(reading.canonical).to_string())
    }),
    text("wrapped", "over `{\"capabilities\": …}`", |reading| {
        Some(format!("{{\"capabilities\":{}}}", reading.canonical))
    }),
    text("names-only", "over the list of names instead of the object", |reading| {
        let set = CapabilitySet::parse(reading.canonical.as_bytes()).ok()?;
        Some(json!(set.names().collect::<Vec<_>>()).to_string())
    }),
    union("by-name-only", "without parameters", |sets| CapabilitySet::of(CapabilitySet::union(sets).names())),
    union("first-only", "of the first set alone", |sets| sets.first().cloned().unwrap_or_default()),
    union("last-only", "of the last set alone", |sets| sets.last().cloned().unwrap_or_default()),
    union("intersection", "of the names that every set has", |sets| {
        let union = CapabilitySet::union(sets);
        let common = union.names().filter(|name| sets.iter().all(|set| set.contains(name)));
        common.filter_map(|name| Some((name.to_owned(), union.get(name)?.clone()))).collect()
    }),
];

impl Mistake {
    /// What an implementation that makes this mistake says of JSON that it read right; none where
    /// the mistake cannot be made there. `canonical` is the canonical form of `input`.
    pub fn hash_of_text(&self, input: &str, canonical: &str) -> Option<String> {
        let hash = |text: &str| CapabilityHash::of(text.as_bytes()).to_string();
        match self.how {
            How::Written(style) => {
                serde_json::from_str::<Uploaded>(input).ok().map(|value| hash(&style.text(&value)))
            }
            How::Text(text) => text(&Reading { input, canonical }).as_deref().map(hash),
            How::Spelled(spell) => Some(spell(&Sha256::digest(canonical))),
            How::Union(_) => None,
        }
    }

    /// How an implementation that makes this mistake writes this JSON; none where it writes JSON rightly.
    pub fn written(&self, input: &str) -> Option<String> {
        let How::Written(style) = self.how else { return None };
        serde_json::from_str::<Uploaded>(input).ok().map(|value| style.text(&value))
    }

    /// The same for the union of sets.
    pub fn hash_of_union(&self, sets: &[CapabilitySet]) -> Option<String> {
        if let How::Union(mistaken) = self.how {
            return Some(mistaken(sets).hash().to_string());
        }
        let bytes = CapabilitySet::union(sets).canonical_bytes();
        let canonical = std::str::from_utf8(&bytes).ok()?;
        self.hash_of_text(canonical, canonical)
    }
}

/// The mistake with this name.
pub fn find(name: &str) -> Option<&'static Mistake> {
    MISTAKES.iter().find(|mistake| mistake.name == name)
}

/// What was done to this set to arrive at this hash, if it is a known mistake.
///
/// Mistakes that show in the spelling of an upload alone cannot be told here.
pub fn recognise(set: &CapabilitySet, hash: &str) -> Option<&'static str> {
    let right = set.hash();
    let yields =
        |mistake: &&Mistake| mistake.hash_of_union(std::slice::from_ref(set)).as_deref() == Some(hash);
    if right.as_str() == hash { None } else { MISTAKES.iter().find(yields).map(|mistake| mistake.done) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::canonical::{Json, Object};
    use super::*;

    /// Two clients' sets that make every mistake show that does not need an upload's own spelling.
    fn sets() -> [CapabilitySet; 2] {
        let mut parameters: Object =
            ["\u{fb33}", "\u{1f602}", "e\u{301}", "B", "a/<\u{7f}\n\u{1f}", "10", "9"]
                .map(|key| (key.to_owned(), Json::Integer(1)))
                .into();
        let other = CapabilitySet::of(["m.cap.stickers.v1", "m.cap.turnserver.v1"]);
        let mut set = CapabilitySet::of(["m.cap.voip.v1", "m.cap.turnserver.v1"]);
        // Salted until the hash holds a character that the alphabets spell differently.
        for salt in 0..256 {
            set.insert("m.cap.tricky", parameters.clone());
            if !CapabilitySet::union([&other, &set]).hash().is_url_plain() {
                break;
            }
            parameters.insert(format!("{salt}"), Json::Null);
        }
        [other, set]
    }

    #[test]
    fn every_mistake_yields_a_hash_of_its_own() {
        let sets = sets();
        let right = CapabilitySet::union(&sets).hash().to_string();
        let mut seen = std::collections::BTreeMap::from([(right.clone(), "no mistake")]);
        for mistake in MISTAKES {
            let hash = mistake.hash_of_union(&sets).unwrap();
            // What came sorted shows nothing of the order of arrival.
            if matches!(mistake.name, "unsorted" | "unsorted-nested" | "as-uploaded") {
                assert_eq!(hash, right, "{}", mistake.name);
                continue;
            }
            assert_eq!(seen.insert(hash, mistake.name), None, "{}", mistake.name);
        }
    }

    #[test]
    fn a_mistake_is_recognised_by_the_hash_it_yields() {
        let [_, set] = sets();
        assert_eq!(recognise(&set, set.hash().as_str()), None);
        for name in
            ["padded", "url-safe", "utf16-order", "folded-order", "composed", "wrapped", "by-name-only"]
        {
            let mistake = find(name).unwrap();
            let hash = mistake.hash_of_union(std::slice::from_ref(&set)).unwrap();
            assert_eq!(recognise(&set, &hash), Some(mistake.done), "{name}");
        }
    }

    #[test]
    fn names_and_phrases_are_each_given_once() {
        for of in [|mistake: &Mistake| mistake.name, |mistake: &Mistake| mistake.done] {
            let words: std::collections::BTreeSet<_> = MISTAKES.iter().map(of).collect();
            assert_eq!(words.len(), MISTAKES.len());
        }
    }

    /// What each mistake is set against: all else in a style is as it should be.
    #[test]
    fn a_style_without_a_mistake_is_canonical() {
        let mut draw = super::super::draw::Draw::new(13, "styles");
        for _ in 0..100 {
            let bytes = draw.set(true).canonical_bytes();
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(CANONICAL.text(&serde_json::from_str(&text).unwrap()), text);
        }
    }

    #[test]
    fn the_right_digest_is_spelled_in_each_wrong_way() {
        let of_empty = |name: &str| find(name).unwrap().hash_of_text("{}", "{}").unwrap();
        let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(of_empty("hex"), hex);
        assert_eq!(STANDARD_NO_PAD.decode(of_empty("base64-of-hex")).unwrap(), hex.as_bytes());
        assert_eq!(of_empty("padded"), "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
        assert_eq!(of_empty("url-safe"), "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o");
        assert_eq!(of_empty("url-safe-padded"), "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o=");
    }

    #[test]
    fn a_style_writes_what_its_name_says() {
        for (name, input, expected) in [
            ("unsorted", r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2}"#),
            ("unsorted-nested", r#"{"b":{"d":1,"c":2},"a":2}"#, r#"{"a":2,"b":{"d":1,"c":2}}"#),
            ("unsorted-nested", r#"{"a":[{"d":1,"c":2}]}"#, r#"{"a":[{"d":1,"c":2}]}"#),
            ("unsorted-nested", r#"[{"d":1,"c":2}]"#, r#"[{"d":1,"c":2}]"#),
            ("utf16-order", "{\"\u{fb33}\":1,\"\u{1f602}\":2}", "{\"\u{1f602}\":2,\"\u{fb33}\":1}"),
            ("folded-order", r#"{"B":1,"a":2}"#, r#"{"a":2,"B":1}"#),
            ("integer-keys-first", r#"{"!":0,"10":1,"9":2,"01":3}"#, r#"{"9":2,"10":1,"!":0,"01":3}"#),
            ("spaced", "{\"a\":[1,2]}", "{\"a\": [1, 2]}"),
            ("escaped-non-ascii", "\"é\u{1f602}\"", r#""\u00e9\ud83d\ude02""#),
            ("escaped-slash", r#""/""#, r#""\/""#),
            ("escaped-html", "\"<\u{2028}\"", r#""\u003c\u2028""#),
            ("escaped-del", "\"\u{7f}\"", r#""\u007f""#),
            ("long-escapes", r#""\n\"""#, r#""\u000a\"""#),
            ("upper-case-escapes", r#""\u001f""#, r#""\u001F""#),
            ("unescaped", r#""a\"b""#, r#""a"b""#),
        ] {
            let How::Written(style) = find(name).unwrap().how else { panic!("{name} is no style") };
            assert_eq!(style.text(&serde_json::from_str(input).unwrap()), expected, "{name}");
        }
    }
}
