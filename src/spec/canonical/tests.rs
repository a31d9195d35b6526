use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use ruma_common::CanonicalJsonValue;

use super::*;

fn object(members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn canonical(text: &str) -> String {
    String::from_utf8(to_bytes(&parse(text.as_bytes()).unwrap())).unwrap()
}

#[test]
fn reads_every_kind_of_value() {
    let read = parse(br#" {"n":null,"b":[true,false],"i":-7,"s":"x","o":{}} "#).unwrap();
    let expected = object([
        ("n", Json::Null),
        ("b", Json::Array(vec![Json::Bool(true), Json::Bool(false)])),
        ("i", Json::Integer(-7)),
        ("s", Json::String("x".into())),
        ("o", object([])),
    ]);
    assert_eq!(read, expected);
}

#[test]
fn writes_the_examples_of_the_matrix_appendix() {
    for (input, bytes) in [
        ("{}", "{}"),
        (r#"{"one": 1, "two": "Two"}"#, r#"{"one":1,"two":"Two"}"#),
        (r#"{"b": "2", "a": "1"}"#, r#"{"a":"1","b":"2"}"#),
        (r#"{"a": "日本語"}"#, r#"{"a":"日本語"}"#),
        (r#"{"本": 2, "日": 1}"#, r#"{"日":1,"本":2}"#),
        (r#"{"a": "\u65E5"}"#, r#"{"a":"日"}"#),
        (r#"{"a": null}"#, r#"{"a":null}"#),
    ] {
        assert_eq!(canonical(input), bytes);
    }
}

#[test]
fn escapes_what_it_must_and_nothing_else() {
    let all =
        r#""\u0000\u0001\u0008\u0009\u000A\u000b\u000c\u000D\u001F\u0022\u005c\/\u007f\u2028\ud83d\ude02""#;
    let bytes = "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\u{7f}\u{2028}\u{1f602}\"";
    assert_eq!(canonical(all), bytes);
}

/// Beside other characters an escape is hard to miss; alone it shows whether every string is looked at.
#[test]
fn escapes_in_a_string_of_one_character_too() {
    for (text, bytes) in [
        ("\"", r#""\"""#),
        ("\\", r#""\\""#),
        ("\0", r#""\u0000""#),
        ("\u{1f}", r#""\u001f""#),
        ("\n", r#""\n""#),
        (" ", r#"" ""#),
        ("!", r#""!""#),
    ] {
        assert_eq!(String::from_utf8(to_bytes(&Json::String(text.to_owned()))).unwrap(), bytes);
    }
}

#[test]
fn orders_keys_by_code_point() {
    assert_eq!(canonical("{\"\u{1f602}\":1,\"\u{fb33}\":2}"), "{\"\u{fb33}\":2,\"\u{1f602}\":1}");
}

#[test]
fn names_each_mistake_and_its_place() {
    for (input, name, offset) in [
        ("", "empty", 0),
        (" \n ", "empty", 3),
        ("\u{feff}{}", "byte-order-mark", 0),
        ("{\0}\0", "utf-16", 0),
        ("\0{\0}", "utf-16", 0),
        ("7\0", "utf-16", 0),
        ("\x007", "utf-16", 0),
        ("{\0}\0\n", "syntax", 1),
        ("\0{\0}\n", "syntax", 0),
        ("7\0\0\0", "trailing-bytes", 1),
        ("\"\0\"", "control-character", 1),
        ("\0\0\0{", "syntax", 0),
        ("{\"a\":1", "unexpected-end", 6),
        ("[1,", "unexpected-end", 3),
        ("\"\\u12", "unexpected-end", 5),
        ("\"\\ud800", "unexpected-end", 7),
        ("\"\\ud800\\", "unexpected-end", 8),
        ("tru", "unexpected-end", 3),
        ("-", "unexpected-end", 1),
        ("{} x", "trailing-bytes", 3),
        ("{}{}", "trailing-bytes", 2),
        ("1 2", "trailing-bytes", 2),
        ("1x", "trailing-bytes", 1),
        ("{}\0", "trailing-bytes", 2),
        (r#"{"a":1,"a":2}"#, "duplicate-key", 7),
        (r#"{"a":1, "\u0061":2}"#, "duplicate-key", 8),
        (r#"{"😂":1,"\uD83d\uDE02":2}"#, "duplicate-key", 10),
        (r#"[{"x":{"a":1,"b":2,"a":1}}]"#, "duplicate-key", 19),
        ("1.0", "float", 0),
        ("[ 1.5]", "float", 2),
        ("[0,-0.0]", "float", 3),
        (r#"{"a": 1e2}"#, "float", 6),
        (r#"[{"a":1.5}]"#, "float", 6),
        (r#"[{"a":[{"b": -0}]}]"#, "negative-zero", 13),
        (r#"[{"a": "\ud800"}]"#, "lone-surrogate", 8),
        ("1E+400", "float", 0),
        ("-0", "negative-zero", 0),
        ("[-0]", "negative-zero", 1),
        ("9007199254740992", "integer-out-of-range", 0),
        ("-9007199254740992", "integer-out-of-range", 0),
        ("[18446744073709551616]", "integer-out-of-range", 1),
        (r#"["\ud800"]"#, "lone-surrogate", 2),
        (r#"["a\udc00"]"#, "lone-surrogate", 3),
        (r#"["\ude02\ud83d"]"#, "lone-surrogate", 2),
        (r#"["\ud83d\ud83d\ude02"]"#, "lone-surrogate", 2),
        (r#"["\ud83dx"]"#, "lone-surrogate", 2),
        (r#"["\ud83d\n"]"#, "lone-surrogate", 2),
        (r#"{"\udead":1}"#, "lone-surrogate", 2),
        ("\"a\tb\"", "control-character", 2),
        ("{\"a\n\":1}", "control-character", 3),
        (r#""\x""#, "invalid-escape", 1),
        (r#""\u12g4""#, "invalid-escape", 1),
        (r#""\u+123""#, "invalid-escape", 1),
        (r#""\ud83d\u12g4""#, "invalid-escape", 7),
        ("[1,]", "syntax", 3),
        ("{\"a\" 1}", "syntax", 5),
        ("{1:2}", "syntax", 1),
        ("{'a':1}", "syntax", 1),
        ("01", "syntax", 1),
        ("-x", "syntax", 1),
        ("+1", "syntax", 0),
        ("1.x", "syntax", 2),
        ("nul\n", "syntax", 3),
        ("NaN", "syntax", 0),
        ("[1 2]", "syntax", 3),
        ("// {}", "syntax", 0),
    ] {
        let error = parse(input.as_bytes()).unwrap_err();
        assert_eq!((error.kind.name(), error.offset), (name, offset), "{input:?}: {error}");
    }
}

#[test]
fn names_bytes_that_are_no_text() {
    for (input, name, offset) in [
        (&b"\xff\xfe{\0}\0"[..], "utf-16", 0),
        (b"\xfe\xff\0{\0}", "utf-16", 0),
        (b"\"ab\xff\"", "not-utf8", 3),
        (b"\"\xed\xa0\x80\"", "not-utf8", 1),
        (b"\"\xc0\xaf\"", "not-utf8", 1),
        (b"\"\xe6\x97", "not-utf8", 1),
    ] {
        let error = parse(input).unwrap_err();
        assert_eq!((error.kind.name(), error.offset), (name, offset), "{error}");
    }
}

#[test]
fn counts_lines_and_characters() {
    let error = parse("{\n  \"日本\": 1,\n  \"語\": 1.5\n}".as_bytes()).unwrap_err();
    assert_eq!((error.line, error.column), (3, 8));
    assert_eq!(
        error.to_string(),
        "line 3, column 8: 1.5 has a fraction or an exponent, only integers are allowed"
    );
}

#[test]
fn finds_a_member_of_the_outermost_object() {
    let input = "{\n \"é\": {\"b\": 1},  \"\\u0062\": [2], \"c\": 3}".as_bytes();
    assert_eq!(place_of_member(input, "é"), Some((2, 2)));
    assert_eq!(place_of_member(input, "b"), Some((2, 18)));
    assert_eq!(place_of_member(input, "c"), Some((2, 33)));
    assert_eq!(place_of_member(input, "d"), None);
    assert_eq!(place_of_member(b"[1]", "d"), None);
}

#[test]
fn a_number_of_any_length_is_named_and_abridged() {
    let digits = "9".repeat(500);
    for (number, name) in [(digits.clone(), "integer-out-of-range"), (format!("{digits}e400"), "float")] {
        let error = parse(number.as_bytes()).unwrap_err();
        assert_eq!(error.kind.name(), name);
        assert!(error.to_string().len() < 150, "{error}");
    }
}

#[test]
fn a_number_is_abridged_only_where_it_is_long() {
    let named = |number: &str| match parse(number.as_bytes()).unwrap_err().kind {
        JsonErrorKind::IntegerOutOfRange(named) => named,
        other => panic!("{other:?}"),
    };
    let shown = "123456789012345678901234";
    assert_eq!(named("12345678901234567890"), "12345678901234567890");
    assert_eq!(named(shown), shown);
    assert_eq!(named(&format!("{shown}5")), format!("{shown}... (25 characters)"));
}

#[test]
fn the_bounds_of_integers_are_within() {
    assert_eq!(parse(b"9007199254740991"), Ok(Json::Integer(MAX_INTEGER)));
    assert_eq!(parse(b"-9007199254740991"), Ok(Json::Integer(-MAX_INTEGER)));
    assert_eq!(parse(b"0"), Ok(Json::Integer(0)));
}

#[test]
fn nests_to_127_and_no_deeper() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| "{\"a\":".repeat(depth - 1) + "{}" + &"}".repeat(depth - 1);
    for nest in [arrays(127), objects(127)] {
        assert_eq!(canonical(&nest), nest);
    }
    for (nest, offset) in [(arrays(128), 127), (objects(128), 127 * 5), (arrays(1_000_000), 127)] {
        let error = parse(nest.as_bytes()).unwrap_err();
        assert_eq!((error.kind, error.offset), (JsonErrorKind::TooDeep, offset));
    }
}

/// A dependency that switches serde_json's `arbitrary_precision` on would hand numbers to visitors
/// as maps, and this reader would refuse every number.
#[test]
fn serde_json_does_not_keep_arbitrary_precision() {
    let digits = "100000000000000000000000000000001";
    let number: serde_json::Value = serde_json::from_str(digits).unwrap();
    assert_ne!(number.to_string(), digits);
}

fn text() -> impl Strategy<Value = String> {
    let tricky =
        ['a', 'b', '"', '\\', '/', '\0', '\n', '\u{1f}', '\u{7f}', 'é', '\u{301}', '\u{2028}', '\u{fb33}'];
    let tricky = tricky.into_iter().chain(['\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{1f602}', '\u{10ffff}']);
    vec(select(tricky.collect::<Vec<_>>()), 0..6).prop_map(String::from_iter)
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Json::Integer),
        text().prop_map(Json::String),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::Array),
            btree_map(text(), inner, 0..5).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn reading_the_canonical_bytes_gives_the_value_back(value in json()) {
        let bytes = to_bytes(&value);
        prop_assert_eq!(parse(&bytes), Ok(value));
    }

    #[test]
    fn ruma_agrees(value in json()) {
        let bytes = to_bytes(&value);
        let theirs: CanonicalJsonValue = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(theirs.to_string().into_bytes(), bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }

    /// What is refused is refused by serde_json too, or for one of the reasons that are ours.
    #[test]
    fn serde_json_agrees_on_the_grammar(
        pieces in vec(select(vec!["{", "}", "[", "]", ",", ":", " ", "\"a\"", "\"", "\\", "u00", "\\ud83d", "\\ude02",
            "-", "0", "1", ".", "e", "null", "true", "\t", "é"]), 0..12),
    ) {
        let input = pieces.concat();
        let theirs = serde_json::from_str::<serde_json::Value>(&input);
        match parse(input.as_bytes()) {
            Ok(value) => {
                let bytes = to_bytes(&value);
                prop_assert_eq!(theirs.unwrap(), serde_json::from_slice::<serde_json::Value>(&bytes).unwrap());
            }
            Err(error) => {
                let ours = matches!(error.kind.name(), "duplicate-key" | "float" | "negative-zero" | "integer-out-of-range");
                prop_assert!(ours || theirs.is_err(), "{}", error);
                prop_assert!(error.offset <= input.len());
            }
        }
    }
}
