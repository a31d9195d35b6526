use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::super::canonical::{self, Json, Object};
use super::*;

/// Two clients' sets that make every mistake show that does not need an upload's own spelling.
fn sets() -> [CapabilitySet; 2] {
    let keys = ["\u{fb33}", "\u{1f602}", "e\u{301}", "B", "a/<\u{7f}\n\u{1f}", "10", "9"];
    let mut parameters: Object = keys.map(|key| (key.to_owned(), Json::Integer(1))).into();
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
fn two_mistakes_never_yield_one_hash_where_both_show() {
    let sets = sets();
    let right = CapabilitySet::union(&sets).hash().to_string();
    let mut seen = std::collections::BTreeMap::new();
    for mistake in MISTAKES.iter() {
        let Some(hash) = mistake.hash_of_union(&sets).filter(|hash| *hash != right) else { continue };
        if let Some(other) = seen.insert(hash, mistake.name) {
            // Of two sets one is the other's rest.
            let alike = [
                ("first-only", "last-missed"),
                ("last-only", "first-missed"),
                ("last-only", "largest-only"),
                ("largest-only", "first-missed"),
                ("intersection", "shared"),
                ("symmetric-difference", "unshared"),
                ("unsorted", "as-uploaded"),
            ];
            assert!(alike.contains(&(other, mistake.name)), "{other} and {}", mistake.name);
        }
    }
    assert!(seen.len() > 30);
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
        let words: std::collections::BTreeSet<_> = MISTAKES.iter().map(|mistake| of(mistake)).collect();
        assert_eq!(words.len(), MISTAKES.len());
    }
}

/// What each mistake is set against: all else is as it should be.
#[test]
fn without_a_mistake_all_is_as_it_should_be() {
    let mut draw = super::super::draw::Draw::new(13, "styles");
    for _ in 0..100 {
        let set = draw.set(true);
        let bytes = set.canonical_bytes();
        let value = lenient::read(&bytes, Frame::Set, Liberty::None).unwrap();
        assert_eq!(CANONICAL.bytes(&value), bytes);
        let uploaded = draw.spelling(&set.to_json());
        let value = lenient::read(uploaded.as_bytes(), Frame::Set, Liberty::None).unwrap();
        assert_eq!(CANONICAL.bytes(&value), bytes);
    }
}

#[test]
fn the_right_digest_is_spelled_in_each_wrong_way() {
    let of_empty = |name: &str| match find(name).unwrap().outcome(b"{}", Frame::Set) {
        Some(Outcome::Hash(hash)) => hash,
        other => panic!("{name}: {other:?}"),
    };
    let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(of_empty("hex"), hex);
    assert_eq!(STANDARD_NO_PAD.decode(of_empty("base64-of-hex")).unwrap(), hex.as_bytes());
    assert_eq!(of_empty("padded"), "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
    assert_eq!(of_empty("url-safe"), "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o");
    assert_eq!(of_empty("url-safe-padded"), "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o=");
}

/// What is hashed, or `None` where it is refused.
fn hashes(frame: Frame, name: &str, input: &[u8], expected: Option<&[u8]>) {
    let wanted = expected.map_or(Outcome::Refused, |bytes| Outcome::Hash(hash(bytes)));
    let input_text = String::from_utf8_lossy(input);
    assert_eq!(find(name).unwrap().outcome(input, frame), Some(wanted), "{name} of {input_text}");
}

#[test]
fn a_writer_hashes_what_its_name_says() {
    for (name, input, expected) in [
        ("unsorted", r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2}"#),
        ("unsorted-nested", r#"{"b":{"d":1,"c":2},"a":2}"#, r#"{"a":2,"b":{"d":1,"c":2}}"#),
        ("unsorted-nested", r#"{"a":[{"d":1,"c":2}]}"#, r#"{"a":[{"d":1,"c":2}]}"#),
        ("unsorted-nested", r#"[{"d":1,"c":2}]"#, r#"[{"d":1,"c":2}]"#),
        ("utf16-order", "{\"\u{fb33}\":1,\"\u{1f602}\":2}", "{\"\u{1f602}\":2,\"\u{fb33}\":1}"),
        ("folded-order", r#"{"B":1,"a":2}"#, r#"{"a":2,"B":1}"#),
        ("integer-keys-first", r#"{"!":0,"10":1,"9":2,"01":3}"#, r#"{"9":2,"10":1,"!":0,"01":3}"#),
        ("length-order", r#"{"aa":1,"b":2,"":3}"#, r#"{"":3,"b":2,"aa":1}"#),
        ("length-order", "{\"\u{e9}\":1,\"aa\":2,\"b\":3}", "{\"b\":3,\"aa\":2,\"\u{e9}\":1}"),
        ("member-order", r#"{"a":1,"a!":2}"#, r#"{"a!":2,"a":1}"#),
        ("member-order", r#"{"[":1,"\n":2}"#, r#"{"[":1,"\n":2}"#),
        ("spaced", "{\"a\":[1,2]}", "{\"a\": [1, 2]}"),
        ("escaped-non-ascii", "\"\u{7f}é\u{1f602}\"", r#""\u007f\u00e9\ud83d\ude02""#),
        ("escaped-slash", r#""/""#, r#""\/""#),
        ("escaped-html", "\"<\u{2028}\"", r#""\u003c\u2028""#),
        ("escaped-del", "\"\u{7f}\u{80}\"", "\"\\u007f\u{80}\""),
        ("escaped-line-separators", "\"<\u{2029}\"", r#""<\u2029""#),
        ("escaped-ranges", "\"\u{7f}\u{80}\u{20ff}\u{2100}\"", "\"\u{7f}\\u0080\\u20ff\u{2100}\""),
        ("escaped-web", "\"\\\"'+/\\\\\\u001f\\n\u{e9}\"", r#""\u0022\u0027\u002B/\\\u001F\n\u00E9""#),
        ("long-escapes", r#""\n\"""#, r#""\u000a\"""#),
        ("upper-case-escapes", r#""\u001f""#, r#""\u001F""#),
        ("unescaped", r#""a\"b""#, r#""a"b""#),
        ("integers-as-floats", "[1,\"1\"]", "[1.0,\"1\"]"),
        ("fourteen-digits", "1000000000000000", "1e+15"),
        ("wrapped-32", "4294967297", "1"),
        ("as-uploaded", "[ 1.0 ]", "[ 1.0 ]"),
        ("composed", "\"e\u{301}\"", "\"\u{e9}\""),
        ("decomposed", "\"\u{e9}\"", "\"e\u{301}\""),
        ("trailing-newline", "[]", "[]\n"),
        ("quoted", r#"{"a":"b"}"#, r#""{\"a\":\"b\"}""#),
        ("wrapped", "{}", r#"{"capabilities":{}}"#),
        ("names-only", r#"{"b":{},"a\n":{}}"#, r#"["a\n","b"]"#),
        ("names-joined", r#"{"b,c":{},"a\"":{}}"#, "a\",b,c"),
        ("arrays-sorted", r#"[[2,10],"b",["a"]]"#, r#"["b",["a"],[10,2]]"#),
        ("objects-as-arrays", r#"{"1":{},"0":{"a":2}}"#, r#"[{"a":2},[]]"#),
        ("null-dropped", r#"{"a":null,"b":[null]}"#, r#"{"b":[null]}"#),
        ("empty-dropped", r#"{"a":{"b":0},"c":1,"d":[0]}"#, r#"{"c":1,"d":[0]}"#),
        ("empty-key-dropped", r#"{"":1,"a":{"":2}}"#, r#"{"a":{}}"#),
        ("proto-dropped", r#"{"__proto__":1,"a":2}"#, r#"{"a":2}"#),
        ("cut-at-nul", r#"{"a\u0000b":"\u0000"}"#, r#"{"a":""}"#),
    ] {
        hashes(Frame::Value, name, input.as_bytes(), Some(expected.as_bytes()));
    }
    let cesu = b"\"\xed\xa0\xbd\xed\xb8\x82\"";
    hashes(Frame::Value, "surrogates-in-utf8", "\"\u{1f602}\"".as_bytes(), Some(cesu));
    hashes(Frame::Value, "in-utf-16", b"[]", Some(b"[\0]\0"));
}

#[test]
fn a_reader_takes_what_its_name_says() {
    for (name, input, expected) in [
        ("empty-as-null", " ", Some("null")),
        ("empty-as-object", "", Some("{}")),
        ("first-key-wins", r#"{"b":1,"a":2,"b":3}"#, Some(r#"{"a":2,"b":1}"#)),
        ("last-key-wins", r#"{"b":1,"a":2,"b":3}"#, Some(r#"{"a":2,"b":3}"#)),
        ("both-keys-kept", r#"{"b":1,"a":2,"\u0062":0}"#, Some(r#"{"a":2,"b":1,"b":0}"#)),
        ("float-kept", "[1.50,-0]", Some("[1.50,0]")),
        ("float-as-python", "[1.50,1]", Some("[1.5,1]")),
        ("number-as-javascript", "[1.50,1e999]", Some("[1.5,null]")),
        ("float-truncated", "-1.9", Some("-1")),
        ("big-integer-kept", "9007199254740992", Some("9007199254740992")),
        ("integer-through-double", "9007199254740993", Some("9007199254740992")),
        ("integer-through-double", "1.5", None),
        ("minus-zero-kept", "[-0,-0.0]", Some("[-0,0]")),
        ("surrogate-replaced", r#""\ud83d\ud83d\ude02""#, Some("\"\u{fffd}\u{1f602}\"")),
        ("surrogate-replaced", r#""\ude02\ud83d""#, Some("\"\u{fffd}\u{fffd}\"")),
        ("surrogate-escaped", r#"{"\uD800":1}"#, Some(r#"{"\ud800":1}"#)),
        ("control-taken", "\"a\nb\u{1}\"", Some(r#""a\nb\u0001""#)),
        ("unknown-escape-dropped", r#""\x41\u12""#, Some(r#""x41u12""#)),
        ("unknown-escape-kept", r#""\x41""#, Some(r#""\\x41""#)),
        ("unknown-escape-kept", r#""\"#, None),
        ("cut-taken", r#"[{"a":{},"b":"c"#, Some(r#"[{"a":{},"b":"c"}]"#)),
        ("cut-taken", "[1,", None),
        ("cut-taken", r#"{"a"#, None),
        ("cut-taken", "{", Some("{}")),
        ("trailing-ignored", "[] ]", Some("[]")),
        ("nan-taken", "[NaN,-Infinity,Infinity]", Some("[NaN,-Infinity,Infinity]")),
        ("comments-taken", "[1/*,*/,//\n2]//", Some("[1,2]")),
        ("comments-taken", "[1/*/,2]", None),
        ("other-space-taken", "\u{b}[\u{a0}1,\u{feff}2\u{2028}]", Some("[1,2]")),
        ("trailing-comma-taken", r#"[[1,],{"a":1,}]"#, Some(r#"[[1],{"a":1}]"#)),
        ("trailing-comma-taken", "[,]", None),
        ("single-quotes-taken", r#"{'a"':"'"}"#, Some(r#"{"a\"":"'"}"#)),
        ("unquoted-keys-taken", "{a$1 :1}", Some(r#"{"a$1":1}"#)),
        ("folded-words-taken", "[True,NULL]", Some("[true,null]")),
        ("leading-zeros-taken", "[007,-00]", Some("[7,0]")),
        ("plus-taken", "+1", Some("1")),
        ("any-value-taken", "[1]", Some("[1]")),
    ] {
        hashes(Frame::Value, name, input.as_bytes(), expected.map(str::as_bytes));
    }
    for (name, input, expected) in [
        ("utf-16-taken", &b"[\01\0]\0"[..], &b"[1]"[..]),
        ("utf8-replaced", b"\"\xff\"", "\"\u{fffd}\"".as_bytes()),
        ("utf8-unchecked", b"\"\xc0\xaf\"", b"\"/\""),
        ("latin-1-taken", b"\"\xe9\"", "\"\u{e9}\"".as_bytes()),
        ("surrogate-encoded", br#""\ud800""#, b"\"\xed\xa0\x80\""),
    ] {
        hashes(Frame::Value, name, input, Some(expected));
    }
}

#[test]
fn a_reader_of_sets_takes_what_its_name_says() {
    for (name, input, expected) in [
        ("any-value-taken", "[1]", Some("[1]")),
        ("any-value-taken", r#"{"a":1}"#, None),
        ("list-of-names-taken", r#"["b","a"]"#, Some(r#"{"a":{},"b":{}}"#)),
        ("list-of-names-taken", "[1]", None),
        ("other-values-kept", r#"{"a":true}"#, Some(r#"{"a":true}"#)),
        ("other-values-emptied", r#"{"a":true,"b":{"c":1}}"#, Some(r#"{"a":{},"b":{"c":1}}"#)),
        ("other-values-dropped", r#"{"a":true,"b":{}}"#, Some(r#"{"b":{}}"#)),
        ("other-values-dropped", "[]", None),
        ("first-key-wins", r#"{"a":{"v":1},"a":{"v":2}}"#, Some(r#"{"a":{"v":1}}"#)),
        ("number-as-javascript", r#"{"a":{"n":9007199254740993}}"#, Some(r#"{"a":{"n":9007199254740992}}"#)),
    ] {
        hashes(Frame::Set, name, input.as_bytes(), expected.map(str::as_bytes));
    }
}

#[test]
fn a_reader_refuses_what_its_name_says() {
    let (nested, deeper) = (|depth| "[".repeat(depth) + &"]".repeat(depth), "a".repeat(255));
    for (name, refused, taken) in [
        ("refuses-scalars", "1".to_owned(), "[1]".to_owned()),
        ("refuses-empty", "{ }".to_owned(), "[{}]".to_owned()),
        ("refuses-empty-keys", r#"[{"a":{"":1}}]"#.to_owned(), r#"{"a":""}"#.to_owned()),
        ("refuses-proto", r#"{"__proto__":1}"#.to_owned(), r#""__proto__""#.to_owned()),
        ("refuses-nul", r#""\u0000""#.to_owned(), r#""0""#.to_owned()),
        ("refuses-del", "\"\u{9f}\"".to_owned(), "\"\u{a0}\"".to_owned()),
        ("refuses-line-separators", r#"{"\u2028":1}"#.to_owned(), r#""\u2027""#.to_owned()),
        ("refuses-noncharacters", "\"\u{10fffe}\"".to_owned(), "\"\u{fffd}\"".to_owned()),
        ("refuses-non-bmp", "\"\u{10000}\"".to_owned(), "\"\u{ffff}\"".to_owned()),
        ("refuses-escaped-pairs", r#""\uDBFF\udfff""#.to_owned(), "\"\u{10ffff}\"".to_owned()),
        ("refuses-beyond-32-bits", "[2147483648]".to_owned(), "[-2147483648]".to_owned()),
        ("refuses-depth-16", nested(16), nested(15)),
        ("refuses-depth-17", nested(17), nested(16)),
        ("refuses-depth-65", nested(65), nested(64)),
        ("refuses-depth-101", nested(101), nested(100)),
        ("refuses-names-of-255", format!("{{\"{deeper}\":1}}"), format!("{{\"{}\":1}}", &deeper[1..])),
        ("refuses-64-kib", format!("\"{}\"", "a".repeat(65_534)), format!("\"{}\"", "a".repeat(65_533))),
    ] {
        let outcome = |input: &str| find(name).unwrap().outcome(input.as_bytes(), Frame::Value);
        assert_eq!(outcome(&refused), Some(Outcome::Refused), "{name}");
        assert_eq!(outcome(&taken), None, "{name}");
    }
}

/// Every input of the strict reader's, and its freedoms: what it refuses is refused by the lenient one, too.
#[test]
fn without_a_liberty_the_reader_takes_what_may_be_taken() {
    for (input, value, set) in [
        ("1", true, false),
        ("1.5", false, false),
        ("{\"a\":{\"n\":1.0}}", true, true),
        ("{\"a\":{\"n\":9007199254740992}}", false, true),
        ("{\"a\":{},\"a\":{}}", false, true),
        ("{\"a\":1}", true, false),
        ("\u{feff}{}", true, true),
        ("\u{feff}\u{feff}{}", false, false),
        ("[1,]", false, false),
        ("{\"a\":{}} x", false, false),
        ("", false, false),
        (" ", false, false),
        ("\"\\ud800\"", false, false),
        ("[nul]", false, false),
        ("{\"a\" {}}", false, false),
        ("[1 2]", false, false),
        ("\"", false, false),
        ("\"\\u12\"", false, false),
        ("-", false, false),
    ] {
        let taken = |frame| taken(input.as_bytes(), frame).is_some();
        assert_eq!((taken(Frame::Value), taken(Frame::Set)), (value, set), "{input}");
    }
    let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(taken(deep(127).as_bytes(), Frame::Value).is_some());
    assert!(taken(deep(128).as_bytes(), Frame::Value).is_none());
    let (last, first) = taken(br#"{"a":{"v":1},"a":{"v":2}}"#, Frame::Set).unwrap();
    assert_eq!((last.as_str(), first.as_str()), (r#"{"a":{"v":2}}"#, r#"{"a":{"v":1}}"#));
}

proptest::proptest! {
    /// The strict reader and the lenient one, written apart, agree on what is taken and what that is.
    #[test]
    fn the_two_readers_agree(text in r#"[\[\]{},: ]{0,3}("a"|"\\u0061"|true|null|-?[0-9]{1,3}|[\[\]{},:]){0,6}[\]}]{0,3}"#) {
        if let Ok(value) = canonical::parse(text.as_bytes()) {
            let bytes = canonical::to_bytes(&value);
            let read = taken(text.as_bytes(), Frame::Value).map(|(text, _)| text.into_bytes());
            proptest::prop_assert_eq!(read, Some(bytes));
        } else if !text.contains("-0") {
            proptest::prop_assert_eq!(taken(text.as_bytes(), Frame::Value), None);
        }
    }
}
