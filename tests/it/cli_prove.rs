//! `capcheck prove`, and the homeservers that it tries, from the command line.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::cli::{output, refused};

#[test]
fn one_fault_is_told_with_what_fails_along_and_kept_as_json() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("proof.json");
    let told = output(&["prove", "--fault", "refusal-with-200", "--json", file.to_str().unwrap()]);
    let page = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told.status.code(), Some(0), "{page}");
    assert!(page.starts_with("killed    refusal-with-200"), "{page}");
    assert!(page.contains("\n    along    upload.refusal-recognisable: "), "{page}");
    assert!(page.ends_with("\nNothing was found against the suite.\n"), "{page}");
    let proof: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(proof["findings"], Value::Array(Vec::new()));
    assert_eq!(proof["proof"]["faults"][0]["fault"], "refusal-with-200");
}

#[test]
fn a_variant_and_a_null_target_may_be_tried_alone_and_json_may_stand_on_stdout() {
    let told = output(&["prove", "--variant", "http-close", "--null", "yes", "--json", "-"]);
    let proof: Value = serde_json::from_slice(&told.stdout).expect("stdout holds JSON and nothing else");
    assert_eq!(told.status.code(), Some(0), "{proof:#}");
    assert_eq!(proof["proof"]["variants"][0]["taken"][0], "http-close");
    assert_eq!(proof["proof"]["nulls"][0]["exit"], 4);
    assert_eq!(proof["proof"]["faults"], Value::Array(Vec::new()));
}

#[test]
fn what_cannot_be_proved_is_said_before_anything_is_tried() {
    let stdout_twice = refused(&["prove", "--quick", "--json", "-", "--markdown", "-"], 2);
    assert_eq!(stdout_twice, "capcheck: --json and --markdown both go to stdout: give one of them a file");
    let nowhere = refused(&["prove", "--quick", "--json", "/nowhere/proof.json"], 2);
    assert_eq!(nowhere, "capcheck: --json /nowhere/proof.json: the directory /nowhere does not exist");
    for (option, word, nearest) in [
        ("--fault", "union-lst-declared", "union-last-declared"),
        ("--variant", "http-closed", "http-close"),
        ("--null", "slence", "silence"),
    ] {
        let told = output(&["prove", option, word]);
        let stderr = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(&format!("the nearest is {nearest:?}")), "{stderr}");
    }
}

#[test]
fn a_homeserver_that_takes_freedoms_says_what_its_target_file_needs() {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--variant", "bound-elsewhere", "--variant", "sessions-end"];
    let mut server =
        Command::new(env!("CARGO_BIN_EXE_capcheck")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.next().unwrap();
    let needed: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("refusal_status")).collect();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(listening.starts_with("listening on http://127.0.0.1:"), "{listening}");
    assert_eq!(needed[..4], ["its target file needs", "", "[limits]", "connected_timeout_s = 1"]);
    assert!(needed.contains(&"[binding]".to_owned()), "{needed:?}");
}

#[test]
fn a_freedom_that_nobody_could_see_is_refused() {
    let told = refused(&["serve", "--variant", "fed-edus-apart"], 2);
    assert!(told.contains("without --federation-listen it does nothing"), "{told}");
}
