//! Each leniency reads what it says, and the strict reader reads what Canonical JSON can express.

use super::super::{How, find};
use super::*;
use crate::spec::{canonical, draw::Draw};

impl Reader {
    /// The canonical text of what is read.
    fn text(self, bytes: &[u8]) -> Option<String> {
        self.read(bytes).map(|value| value.text())
    }
}

#[test]
fn the_strict_reader_reads_what_canonical_json_can_express() {
    let mut draw = Draw::new(7, "readers");
    for _ in 0..100 {
        let bytes = draw.set(true).canonical_bytes();
        assert_eq!(STRICT.text(&bytes).unwrap().into_bytes(), bytes);
    }
    for text in [r#"[1,-1,true,null,"\ud83d\ude02\n\u001f\/"," "]"#, "{\"b\":[],\"a\":{}}", " 0 "] {
        let ours = canonical::to_bytes(&canonical::parse(text.as_bytes()).unwrap());
        assert_eq!(STRICT.text(text.as_bytes()).unwrap().into_bytes(), ours, "{text}");
    }
    for text in [
        "",
        " ",
        "[",
        "[1",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "'a'",
        "01",
        "+1",
        "-",
        "1.",
        "1.5",
        "1e2",
        "-0",
        "nul",
        "NaN",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\n\"",
        "\"",
        "1 1",
        "9007199254740992",
        "{\"a\":1,\"\\u0061\":2}",
        "\u{feff}1",
        "// x\n1",
    ] {
        assert_eq!(STRICT.read(text.as_bytes()), None, "{text}");
        assert!(canonical::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn each_mistake_reads_what_its_name_says() {
    for (name, input, expected) in [
        ("duplicates-kept", &br#"{"b":1,"a":2,"\u0062":0}"#[..], r#"{"a":2,"b":1,"b":0}"#),
        ("duplicates-merged", br#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (
            "duplicates-merged",
            br#"{"a":{"b":{"c":1},"d":1},"a":{"b":{"e":2},"d":2}}"#,
            r#"{"a":{"b":{"c":1,"e":2},"d":2}}"#,
        ),
        ("float-kept", b"[1.50,1e2,-0,9007199254740993]", "[1.5,100.0,0,9007199254740993]"),
        ("through-double", b"[1.50,1e2,-0,9007199254740993]", "[1.5,100,0,9007199254740992]"),
        ("number-as-spelled", b"[1.50,1e2,-0]", "[1.50,1e2,-0]"),
        ("float-truncated", b"[1.9,-1.9,1e2,-0.5]", "[1,-1,100,0]"),
        ("surrogate-replaced", br#"["\ud800","\udc00x"]"#, "[\"\u{fffd}\",\"\u{fffd}x\"]"),
        ("surrogate-escaped", br#"["\uD800"]"#, r#"["\ud800"]"#),
        ("utf8-replaced", b"\"\xff\xe2\x82x\"", "\"\u{fffd}\u{fffd}x\""),
        ("latin-1", b"\"\xe9\"", "\"\u{e9}\""),
        ("utf-16-taken", b"\xff\xfe1\0", "1"),
        ("utf-16-taken", b"\0[\0]", "[]"),
        ("control-taken", b"\"a\nb\"", r#""a\nb""#),
        ("trailing-ignored", b"{} x", "{}"),
        ("comments-taken", b"/* a */[1, // b\n2]", "[1,2]"),
        ("trailing-comma-taken", br#"[1,{"a":1,},]"#, r#"[1,{"a":1}]"#),
        ("single-quotes-taken", b"{'a':'it\\'s'}", r#"{"a":"it's"}"#),
        ("bare-keys-taken", b"{a_1:1}", r#"{"a_1":1}"#),
        ("leading-zero-taken", b"[007,-01,0]", "[7,-1,0]"),
        ("plus-taken", b"[+1]", "[1]"),
        ("unknown-escape-taken", br#"["\x"]"#, r#"["x"]"#),
        ("nan-taken", b"[NaN,-Infinity]", "[NaN,-Infinity]"),
        ("white-space-taken", "\u{a0}[\u{c}1\u{2028}]\u{b}".as_bytes(), "[1]"),
        ("hexadecimal-taken", b"[0x1F,0xa]", "[31,10]"),
        ("nothing-taken", b" \n", "{}"),
        ("any-case-literals-taken", b"[True,NULL]", "[true,null]"),
    ] {
        let How::Read(reader) = find(name).unwrap().how else { panic!("{name} is no reader") };
        assert_eq!(reader.text(input).as_deref(), Some(expected), "{name}");
        assert_eq!(STRICT.read(input), None, "{name}");
    }
}

#[test]
fn whole_numbers_are_read_in_any_spelling_digit_by_digit() {
    let whole = |spelled: &str| Reader { numbers: Numbers::Whole, ..STRICT }.text(spelled.as_bytes());
    for (spelled, integer) in [
        ("1.0", "1"),
        ("1e2", "100"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("10e-1", "1"),
        ("1.50e1", "15"),
        ("9007199254740991.0", "9007199254740991"),
        ("9.007199254740991e15", "9007199254740991"),
        ("-1E+1", "-10"),
        ("9007199254740993.0", "9007199254740993"),
        ("1e16", "10000000000000000"),
        ("-0.00120e4", "-12"),
        ("18446744073709551616", "18446744073709551616"),
    ] {
        assert_eq!(whole(spelled).as_deref(), Some(integer), "{spelled}");
    }
    for spelled in ["1.5", "15e-1", "1.00000000000000001", "1e-400", "1e999999999999999999999"] {
        assert_eq!(whole(spelled), None, "{spelled}");
    }
}

#[test]
fn rounded_numbers_are_whole_doubles_in_full() {
    let rounded = |spelled: &str| Reader { numbers: Numbers::Rounded, ..STRICT }.text(spelled.as_bytes());
    for (spelled, integer) in [
        ("9007199254740993", "9007199254740992"),
        ("-9007199254740993.0", "-9007199254740992"),
        ("18446744073709551617", "18446744073709551616"),
        ("-0.0", "0"),
        ("1e2", "100"),
    ] {
        assert_eq!(rounded(spelled).as_deref(), Some(integer), "{spelled}");
    }
    for spelled in ["1.5", "1e400", &"9".repeat(400)] {
        assert_eq!(rounded(spelled), None, "{spelled}");
    }
}
