//! `capcheck hash`: the hash of a set, the bytes behind it, and what is said of a file that holds none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn capcheck() -> Command {
    Command::new(env!("CARGO_BIN_EXE_capcheck"))
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = capcheck();
    command.arg("hash").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

const SAMPLE: &[u8] = br#"{ "m.cap.turnserver.v1": {}, "custom.feature.v1": {} }"#;

#[test]
fn prints_the_hash_of_a_file_or_of_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("set.json");
    fs::write(&file, SAMPLE).unwrap();
    let expected = b"eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo\n";
    for output in [
        capcheck().arg("hash").arg(&file).output().unwrap(),
        with_input(&[], SAMPLE),
        with_input(&["-"], SAMPLE),
    ] {
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &expected[..]));
    }
}

#[test]
fn writes_the_bytes_that_are_hashed_and_nothing_else() {
    let output = with_input(&["--canonical"], SAMPLE);
    assert_eq!(output.stdout, br#"{"custom.feature.v1":{},"m.cap.turnserver.v1":{}}"#);
}

#[test]
fn says_in_one_line_what_is_wrong_where_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    for (input, words) in [
        (&b"{\n  \"a\": {},\n  \"a\": {}\n}"[..], "set.json:3:3: the key \"a\" is there twice; keep one"),
        (b"{\"a\":{\"v\":1.0}}", "set.json:1:11: 1.0 has a fraction or an exponent"),
        (b"{\"a\":true}", "set.json:1:2: the value of \"a\" must be an object, it is a boolean; write {}"),
        (b"[]", "set.json:1:1: a capability set is a JSON object, this is an array; write {"),
        (b"", "set.json:1:1: there is no JSON value; write {}"),
        (b"{\"a\xff\":{}}", "set.json:1:4: the bytes are not UTF-8; save the file as UTF-8"),
    ] {
        let file = directory.path().join("set.json");
        fs::write(&file, input).unwrap();
        let output = capcheck().arg("hash").arg(&file).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
        assert!(stderr.contains(words) && output.stdout.is_empty(), "{stderr}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = capcheck().args(["hash", "no/such/set.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("capcheck: no/such/set.json: "));
}

#[test]
fn a_reader_that_left_early_is_no_fault() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("set.json");
    fs::write(&file, SAMPLE).unwrap();
    let child = capcheck().arg("hash").arg(&file).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
