//! `capcheck replay`: what is said of a saved failure, and of files that are none.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::fs;
use std::path::Path;

use capcheck::properties::failure::Failure;
use capcheck::spec::history::{Act, Seat, Step, Whom};

use super::cli::{Served, output, refused};
use super::script::failure;

const PHONE: Seat = Seat { user: 0, device: 0 };
const LAPTOP: Seat = Seat { user: 0, device: 1 };

fn read(by: Seat) -> Act {
    Act::ReadStatus { by, of: Whom::User(0) }
}

/// The laptop publishes and leaves; the phone looks.
fn leaves() -> Failure {
    let acts = [
        Act::SignUp { user: 0 },
        Act::LogIn { user: 0, device: 1 },
        Act::Upload { by: LAPTOP, set: 0 },
        Act::Declare { by: LAPTOP, set: 0 },
        Act::LogOut { by: LAPTOP },
        read(PHONE),
    ];
    failure("presence.last-leaves", acts.to_vec())
}

fn saved(directory: &Path, failure: &Failure) -> String {
    let path = directory.join("F.json");
    fs::write(&path, failure.to_json().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is said of a failure, and the exit code.
fn replayed(failure: &Failure, arguments: &[&str]) -> (String, Option<i32>) {
    let directory = tempfile::tempdir().unwrap();
    let file = saved(directory.path(), failure);
    let output = output(&[&["replay", &file], arguments].concat());
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[test]
fn without_a_url_it_is_the_built_in_homeserver_which_is_right() {
    let (page, code) = replayed(&leaves(), &["--repeat", "2"]);
    assert_eq!((page.as_str(), code), ("FIXED  presence.last-leaves  failed 0 of 2 times\n", Some(0)));
}

#[test]
fn what_fails_still_is_told_with_its_step() {
    let faulty = Served::start(&["--fault", "logout-keeps-set"]);
    let (page, code) = replayed(&leaves(), &[&faulty.url]);
    assert_eq!(code, Some(1), "{page}");
    for words in
        ["STILL FAILING  presence.last-leaves  failed 1 of 1 time\n", "  step      6. alice's phone reads"]
    {
        assert!(page.contains(words), "{words:?} is not in:\n{page}");
    }
}

#[test]
fn what_fails_otherwise_fails_still() {
    let faulty = Served::start(&["--fault", "declare-anything"]);
    let acts = vec![Act::SignUp { user: 0 }, Act::Declare { by: PHONE, set: 0 }];
    let (page, code) = replayed(&failure("union.leave", acts), &[&faulty.url]);
    assert_eq!(code, Some(1), "{page}");
    assert!(page.contains("  other     it broke upload.refuse-unknown instead\n"), "{page}");
}

#[test]
fn acts_at_once_are_to_be_performed_more_often() {
    let mut failure = leaves();
    failure.history.steps.truncate(3);
    let lanes = vec![vec![Act::Declare { by: LAPTOP, set: 0 }], vec![read(PHONE)]];
    failure.history.steps.push(Step::AtOnce(lanes));
    let (page, code) = replayed(&failure, &["--repeat", "3"]);
    assert_eq!(code, Some(0), "{page}");
    assert!(page.starts_with("FIXED") && page.contains("--repeat 20"), "{page}");
}

#[test]
fn what_the_target_does_not_offer_cannot_be_tested() {
    let alone = Served::start(&[]);
    let acts = vec![Act::SignUp { user: 0 }, Act::RemoteShare { host: PHONE, remote: 0 }];
    let (page, code) = replayed(&failure("federation.presence-out", acts), &[&alone.url]);
    assert_eq!(code, Some(3), "{page}");
    assert!(
        page.starts_with("UNTESTABLE") && page.contains("step 2, \"alice's phone makes a room"),
        "{page}"
    );
}

#[test]
fn a_file_that_holds_no_failure_is_a_usage_error_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let good = leaves().to_json().unwrap();
    for (text, words) in [
        ("", "EOF while parsing"),
        ("no", "line 1 column 2"),
        (
            &good.replace("\"schema_version\": 1", "\"schema_version\": 7"),
            "schema_version is 7, this capcheck reads 1",
        ),
        (&good.replace("\"seed\"", "\"sead\""), "unknown field `sead`"),
        (&good.replace("\"url\": null", "\"url\": \"ftp://x\""), "url: "),
        (&good.replacen("\"device\": 1", "\"device\": 4", 1), "history.steps[2]: \"alice's "),
    ] {
        let path = directory.path().join("F.json");
        fs::write(&path, text).unwrap();
        let said = refused(&["replay", path.to_str().unwrap()], 2);
        assert!(said.contains("F.json: ") && said.contains(words), "{words:?} is not in {said:?}");
    }
    assert!(refused(&["replay", "/nowhere/F.json"], 2).contains("/nowhere/F.json: "));
    let path = saved(directory.path(), &leaves());
    let gone = output(&["replay", &path, "http://127.0.0.1:1"]);
    assert_eq!(gone.status.code(), Some(4));
}
