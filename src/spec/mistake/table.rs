//! The mistakes, a row each.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use serde_json::{Value, json};

use super::reader::{Decode, Duplicates, Grammar, Loose, Numbers, Reader, STRICT, Surrogates};
use super::style::{CANONICAL, Escape, Order, Style};
use super::{How, Mistake, Reading};
use crate::spec::capability::CapabilitySet;

const fn read(name: &'static str, done: &'static str, reader: Reader) -> Mistake {
    Mistake { name, done, how: How::Read(reader) }
}

const fn grammar(name: &'static str, done: &'static str, grammar: Grammar) -> Mistake {
    read(name, done, Reader { grammar, ..STRICT })
}

const fn numbers(name: &'static str, done: &'static str, numbers: Numbers) -> Mistake {
    read(name, done, Reader { numbers, ..STRICT })
}

const fn shape(name: &'static str, done: &'static str, how: fn(Loose) -> Option<Loose>) -> Mistake {
    Mistake { name, done, how: How::Shape(how) }
}

const fn refused(name: &'static str, done: &'static str, how: fn(&Loose) -> bool) -> Mistake {
    Mistake { name, done, how: How::Refused(how) }
}

const fn value(name: &'static str, done: &'static str, how: fn(Loose) -> Loose) -> Mistake {
    Mistake { name, done, how: How::Value(how) }
}

const fn ordered(name: &'static str, done: &'static str, order: Order) -> Mistake {
    Mistake { name, done, how: How::Written(Style { order, ..CANONICAL }) }
}

const fn escaped(name: &'static str, done: &'static str, escape: Escape) -> Mistake {
    Mistake { name, done, how: How::Written(Style { escape, ..CANONICAL }) }
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
    spelled("hex", "as hex instead of Base64", |digest| hex::encode(digest)),
    spelled("base64-of-hex", "as Base64 of the hex digits", |digest| {
        STANDARD_NO_PAD.encode(hex::encode(digest))
    }),
    ordered("unsorted", "with keys in the order in which they came", Order::AsUploaded),
    ordered("unsorted-nested", "with keys sorted at the top alone", Order::TopOnly),
    ordered("utf16-order", "with keys sorted by UTF-16 unit instead of code point", Order::Utf16),
    ordered("folded-order", "with keys sorted without regard to case", Order::Folded),
    ordered("integer-keys-first", "with keys that look like integers in front", Order::IntegersFirst),
    ordered("length-order", "with shorter keys in front", Order::Length),
    Mistake {
        name: "spaced",
        done: "with spaces after `:` and `,`",
        how: How::Written(Style { spaced: true, ..CANONICAL }),
    },
    escaped("escaped-non-ascii", "with non-ASCII characters escaped as `\\u`", Escape::NonAscii),
    escaped("escaped-slash", "with `/` escaped as `\\/`", Escape::Slash),
    escaped("escaped-html", "with `<`, `>` and `&` escaped, as for HTML", Escape::Html),
    escaped("escaped-del", "with U+007F escaped", Escape::Del),
    escaped("long-escapes", "with `\\u000a` for `\\n` and its like", Escape::Long),
    escaped("upper-case-escapes", "with upper-case digits in `\\u` escapes", Escape::UpperCase),
    escaped("unescaped", "with nothing escaped inside strings", Escape::Nothing),
    text("as-uploaded", "over the bytes as uploaded", |reading| Some(reading.input.to_owned())),
    text("composed", "with letters composed (NFC)", |reading| {
        Some(ComposingNormalizerBorrowed::new_nfc().normalize(reading.canonical).into_owned())
    }),
    text("decomposed", "with letters decomposed (NFD)", |reading| {
        Some(DecomposingNormalizerBorrowed::new_nfd().normalize(reading.canonical).into_owned())
    }),
    text("compatibility-composed", "with letters composed for compatibility (NFKC)", |reading| {
        Some(ComposingNormalizerBorrowed::new_nfkc().normalize(reading.canonical).into_owned())
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
    text("names-joined", "over the names joined by commas", |reading| {
        let set = CapabilitySet::parse(reading.canonical.as_bytes()).ok()?;
        Some(set.names().collect::<Vec<_>>().join(","))
    }),
    Mistake { name: "cesu-8", done: "in CESU-8", how: How::Encoded(cesu_8) },
    value("nulls-dropped", "without members that are null", |value| {
        without_members(value, |_, value| is_null(value))
    }),
    value("empty-key-dropped", "without members whose key is empty", |value| {
        without_members(value, |key, _| key.is_empty())
    }),
    value("proto-dropped", "without members called `__proto__`", |value| {
        without_members(value, |key, _| key.iter().copied().eq("__proto__".chars().map(u32::from)))
    }),
    value("empty-object-as-array", "with `[]` for `{}`", |value| {
        value.map(&|value| match value {
            Loose::Object(members) if members.is_empty() => Loose::Array(Vec::new()),
            other => other,
        })
    }),
    value("nul-ends-string", "with strings cut at U+0000", |value| {
        let cut = |text: Vec<u32>| text.into_iter().take_while(|point| *point != 0).collect();
        value.map(&|value| match value {
            Loose::Text(text) => Loose::Text(cut(text)),
            Loose::Object(members) => {
                Loose::Object(members.into_iter().map(|(key, value)| (cut(key), value)).collect())
            }
            other => other,
        })
    }),
    value("integer-wrapped", "with integers wrapped to 32 bits", |value| {
        value.map_words(|word| if is_integer(word) { lowest_bits(word).to_string() } else { word.to_owned() })
    }),
    value("integer-as-float", "with `.0` behind integers", |value| {
        value.map_words(|word| if is_integer(word) { format!("{word}.0") } else { word.to_owned() })
    }),
    value("integer-saturated", "with integers cut to 64 bits", |value| {
        value.map_words(|word| {
            let nearest = if word.starts_with('-') { i64::MIN } else { i64::MAX };
            if is_integer(word) { word.parse().unwrap_or(nearest).to_string() } else { word.to_owned() }
        })
    }),
    value("integer-with-exponent", "with an exponent behind integers beyond 64 bits", |value| {
        value.map_words(|word| match word.parse::<f64>() {
            Ok(double) if is_integer(word) && word.parse::<i64>().is_err() && double.is_finite() => {
                format!("{double:e}").replace('e', "e+")
            }
            _ => word.to_owned(),
        })
    }),
    refused("depth-refused", "refused for nesting sixteen deep", |value| value.depth() >= 16),
    refused("non-bmp-refused", "refused for a character beyond U+FFFF", |value| {
        value.any_text(&|text| text.iter().any(|point| *point > 0xffff))
    }),
    refused("empty-key-refused", "refused for an empty key", |value| value.any_key(&<[u32]>::is_empty)),
    refused("large-integer-refused", "refused for an integer beyond 32 bits", |value| {
        value.any_word(&|word| is_integer(word) && word.parse::<i32>().is_err())
    }),
    numbers("float-kept", "with fractions and exponents as Python writes them", Numbers::Python),
    numbers("through-double", "with numbers read as doubles", Numbers::Doubles),
    numbers("number-as-spelled", "with numbers as they were spelled", Numbers::Spelled),
    numbers("float-truncated", "with fractions cut off", Numbers::Truncated),
    read(
        "duplicates-merged",
        "with two objects of one key made one",
        Reader { duplicates: Duplicates::Merged, ..STRICT },
    ),
    read(
        "duplicates-kept",
        "with one key as often as it came",
        Reader { duplicates: Duplicates::Kept, ..STRICT },
    ),
    read(
        "surrogate-replaced",
        "with U+FFFD for half a surrogate pair",
        Reader { surrogates: Surrogates::Replaced, ..STRICT },
    ),
    read(
        "surrogate-escaped",
        "with half a surrogate pair as an escape",
        Reader { surrogates: Surrogates::Escaped, ..STRICT },
    ),
    read("utf8-replaced", "with U+FFFD for what is not UTF-8", Reader { decode: Decode::Replaced, ..STRICT }),
    read("latin-1", "read as Latin-1", Reader { decode: Decode::Latin1, ..STRICT }),
    read("utf-16-taken", "read as UTF-16", Reader { decode: Decode::Utf16, ..STRICT }),
    read("control-taken", "with raw control characters", Reader { takes_controls: true, ..STRICT }),
    read("trailing-ignored", "without what follows the value", Reader { ignores_trailing: true, ..STRICT }),
    grammar("comments-taken", "read with comments", Grammar::Comments),
    grammar("trailing-comma-taken", "read with a comma before the end", Grammar::TrailingCommas),
    grammar("single-quotes-taken", "read with single quotes", Grammar::SingleQuotes),
    grammar("bare-keys-taken", "read with keys without quotes", Grammar::BareKeys),
    grammar("leading-zero-taken", "read with leading zeros", Grammar::LeadingZeros),
    grammar("plus-taken", "read with a plus before a number", Grammar::Plus),
    grammar("unknown-escape-taken", "read with escapes that JSON does not have", Grammar::UnknownEscapes),
    grammar("nan-taken", "read with NaN and Infinity", Grammar::NotANumber),
    grammar("white-space-taken", "read with the white space of JSON5", Grammar::WhiteSpace),
    grammar("hexadecimal-taken", "read with hexadecimal numbers", Grammar::Hexadecimal),
    grammar("nothing-taken", "with `{}` for nothing", Grammar::Nothing),
    grammar("any-case-literals-taken", "read with `True` for `true`", Grammar::AnyCaseLiterals),
    shape("any-json-taken", "of JSON that is no object", Some),
    shape("list-taken", "of a list of names", |value| match value {
        Loose::Array(items) => {
            let name = |item| {
                if let Loose::Text(name) = item { Some((name, Loose::Object(Vec::new()))) } else { None }
            };
            items.into_iter().map(name).collect::<Option<_>>().map(Loose::Object)
        }
        _ => None,
    }),
    shape("values-emptied", "with `{}` for every value that is no object", |value| match value {
        Loose::Object(members) => {
            let empty = |value| if let Loose::Object(_) = value { value } else { Loose::Object(Vec::new()) };
            Some(Loose::Object(members.into_iter().map(|(key, value)| (key, empty(value))).collect()))
        }
        _ => None,
    }),
    union("by-name-only", "without parameters", |sets| CapabilitySet::of(CapabilitySet::union(sets).names())),
    union("first-only", "of the first set alone", |sets| sets.first().cloned().unwrap_or_default()),
    union("last-only", "of the last set alone", |sets| sets.last().cloned().unwrap_or_default()),
    union("largest-only", "of the set with the most names alone", |sets| {
        // The first of equally large ones.
        sets.iter().rev().max_by_key(|set| set.len()).cloned().unwrap_or_default()
    }),
    union("first-two-only", "of the first two sets alone", |sets| {
        CapabilitySet::union(&sets[..sets.len().min(2)])
    }),
    union("first-eight-only", "of the first eight sets alone", |sets| {
        CapabilitySet::union(&sets[..sets.len().min(8)])
    }),
    union("intersection", "of the names that every set has", |sets| {
        named(sets, |name| sets.iter().all(|set| set.contains(name)))
    }),
    union("symmetric-difference", "of the names that an odd number of sets has", |sets| {
        named(sets, |name| sets.iter().filter(|set| set.contains(name)).count() % 2 == 1)
    }),
    union("collated", "of names of which no two differ in letter case or normalisation alone", |sets| {
        let collated = |name: &str| ComposingNormalizerBorrowed::new_nfc().normalize(name).to_lowercase();
        let union = CapabilitySet::union(sets);
        let mut seen = BTreeSet::new();
        let names = sets.iter().flat_map(CapabilitySet::names).filter(|name| seen.insert(collated(name)));
        names.filter_map(|name| Some((name.to_owned(), union.get(name)?.clone()))).collect()
    }),
    union("empty-set-clears", "of the sets after the last empty one alone", |sets| {
        let after = sets.iter().rposition(CapabilitySet::is_empty).map_or(0, |last| last + 1);
        CapabilitySet::union(&sets[after..])
    }),
];

/// The part of the union whose names are so.
fn named(sets: &[CapabilitySet], keeps: impl Fn(&str) -> bool) -> CapabilitySet {
    let union = CapabilitySet::union(sets);
    let kept = union.names().filter(|name| keeps(name));
    kept.filter_map(|name| Some((name.to_owned(), union.get(name)?.clone()))).collect()
}

fn is_integer(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The lowest 32 bits of an integer, in two's complement.
fn lowest_bits(integer: &str) -> i32 {
    let digits = integer.bytes().filter(u8::is_ascii_digit);
    let bits = digits.fold(0_i32, |bits, digit| bits.wrapping_mul(10).wrapping_add(i32::from(digit - b'0')));
    if integer.starts_with('-') { bits.wrapping_neg() } else { bits }
}

fn is_null(value: &Loose) -> bool {
    matches!(value, Loose::Word(word) if word == "null")
}

fn without_members(value: Loose, drops: fn(&[u32], &Loose) -> bool) -> Loose {
    value.map(&|value| match value {
        Loose::Object(members) => {
            Loose::Object(members.into_iter().filter(|(key, value)| !drops(key, value)).collect())
        }
        other => other,
    })
}

/// UTF-8 in which each half of a surrogate pair is written by itself, in three bytes (Unicode Technical Report 26).
fn cesu_8(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for character in text.chars() {
        if u32::from(character) <= 0xffff {
            bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            bytes.extend([0xe0 | high >> 4, 0x80 | (high & 0xf) << 2 | low >> 6, 0x80 | low & 0x3f]);
        }
    }
    bytes
}
