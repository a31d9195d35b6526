//! Every mistake yields what its name says, and a hash of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::style::CANONICAL;
use super::*;
use crate::spec::canonical::{Json, Object};

/// Two clients' sets that make every mistake show that does not need an upload's own spelling.
fn sets() -> [CapabilitySet; 2] {
    let mut parameters: Object = [
        "\u{fb33}",
        "\u{1f602}",
        "e\u{301}",
        "B",
        "a/<\u{7f}\n\u{1f}",
        "10",
        "9",
        "",
        "__proto__",
        "n\0n",
        "m\u{e9}",
        "\u{fb01}",
    ]
    .map(|key| (key.to_owned(), Json::Integer(1)))
    .into();
    let other = CapabilitySet::of(["m.cap.stickers.v1", "m.cap.turnserver.v1"]);
    let mut set = CapabilitySet::of(["m.cap.voip.v1", "m.cap.turnserver.v1"]);
    parameters.insert("null".to_owned(), Json::Null);
    parameters.insert("large".to_owned(), Json::Integer(1 << 40));
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
        // Readers' mistakes are for the readers' tests, those about several sets for the unions' vectors.
        let Some(hash) = mistake.hash_of_union(&sets).filter(|_| !mistake.is_about_unions()) else {
            continue;
        };
        // What came sorted shows nothing of the order of arrival, and a set has no integers beyond 64 bits.
        if matches!(
            mistake.name,
            "unsorted" | "unsorted-nested" | "as-uploaded" | "integer-saturated" | "integer-with-exponent"
        ) {
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
    for name in ["padded", "url-safe", "utf16-order", "folded-order", "composed", "wrapped", "by-name-only"] {
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
    let mut draw = crate::spec::draw::Draw::new(13, "styles");
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
