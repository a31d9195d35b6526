//! `capcheck explore`: finds, saves and tells; and what it saves is worth.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use capcheck::properties::failure::{self, Failure};

use capcheck::reference::{Fault, FaultSet, Options};

use super::cli::{Served, capcheck, refused};
use super::support::proxy::{Proxy, Turn};
use super::support::serve;

/// A target file with which effects that never come are not waited for long.
pub(crate) fn target_file(directory: &Path, url: &str) -> String {
    let path = directory.join("target.toml");
    fs::write(&path, format!("url = \"{url}\"\n[limits]\nsettle_s = 0.5\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(directory: &Path, arguments: &[&str]) -> (Output, String) {
    let output = capcheck(arguments).current_dir(directory).output().unwrap();
    let text = [&output.stdout[..], &output.stderr].concat();
    (output, String::from_utf8(text).unwrap())
}

fn sh(directory: &Path, script: &str, url: &str) -> Option<i32> {
    let output = Command::new("sh").args([script, url]).current_dir(directory).output().unwrap();
    output.status.code()
}

#[test]
fn what_is_found_is_told_saved_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let faulty = Served::start(&["--fault", "logout-keeps-set"]);
    let target = target_file(here, &faulty.url);
    let explore = ["explore", "--target", &target, "--only", "histories", "--seed", "7", "--cases", "500"];
    let (output, page) = run(here, &explore);
    assert_eq!(output.status.code(), Some(1), "{page}");
    for words in [
        "FAILED  ",
        "must, ",
        "  history    1. alice signs up",
        "failed each time",
        "seed 7, case ",
        "FAILURE FOUND",
    ] {
        assert!(page.contains(words), "{words:?} is not in:\n{page}");
    }
    let next = format!("capcheck replay FAILURE.json --target {target}");
    assert!(page.contains(&next) && page.contains(&format!("sh FAILURE.sh {}", faulty.url)), "{page}");

    let saved = Failure::load(&here.join("FAILURE.json")).unwrap();
    assert_eq!((saved.seed, saved.url.as_deref(), saved.settle_s), (7, Some(faulty.url.as_str()), 0.5));
    assert!(["union.leave", "presence.last-leaves"].contains(&saved.requirement.as_str()), "{page}");
    assert!(saved.history.len() <= 9, "{page}");
    let validator = jsonschema::draft202012::new(&failure::schema()).unwrap();
    let text = fs::read_to_string(here.join("FAILURE.json")).unwrap();
    assert!(validator.is_valid(&serde_json::from_str(&text).unwrap()), "{text}");

    let good = Served::start(&[]);
    assert_eq!(sh(here, "FAILURE.sh", &faulty.url), Some(1));
    assert_eq!(sh(here, "FAILURE.sh", &good.url), Some(0));
    let (output, page) = run(here, &["replay", "FAILURE.json"]);
    assert_eq!(output.status.code(), Some(1), "{page}");
    assert!(page.starts_with(&format!("STILL FAILING  {}", saved.requirement)), "{page}");
    let (output, page) = run(here, &["replay", "FAILURE.json", &good.url]);
    assert_eq!(output.status.code(), Some(0), "{page}");
    assert!(page.starts_with(&format!("FIXED  {}", saved.requirement)), "{page}");

    // The same seed comes to the same history, which replaces nothing.
    let (_, page) = run(here, &explore);
    assert!(page.contains("capcheck replay FAILURE-2.json"), "{page}");
    let second = Failure::load(&here.join("FAILURE-2.json")).unwrap();
    assert_eq!((second.case, second.requirement), (saved.case, saved.requirement));
}

#[test]
fn on_the_built_in_homeserver_nothing_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (output, page) = run(directory.path(), &["explore", "--cases", "3", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{page}");
    assert!(page.contains("NOTHING FOUND  18 histories") && page.contains("properties::races"), "{page}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is saved");
}

#[test]
fn what_cannot_be_is_said_before_anything_is_asked() {
    let nobody = "http://127.0.0.1:1";
    let only = refused(&["explore", nobody, "--only", "historys"], 2);
    assert_eq!(only, "capcheck: --only \"historys\" matches no property; did you mean \"histories\"?");
    let save = refused(&["explore", nobody, "--save", "/nowhere/F.json"], 2);
    assert_eq!(save, "capcheck: --save /nowhere/F.json: the directory /nowhere does not exist");
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["--time", "60"][..], &["--cases", "0"], &["--jobs", "0"], &["--seed", "x"]] {
        let (output, page) = run(directory.path(), &[&["explore", nobody], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{page}");
    }
    let (output, page) = run(directory.path(), &["explore", nobody]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(4), &b""[..]), "{page}");
}

/// Sends Ctrl-C.
fn interrupter(child: &Child) -> impl FnOnce() + use<> {
    let id = child.id().to_string();
    move || assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success())
}

/// Whether an upload belongs to a history that is made smaller: the number of its case is followed by an s.
fn is_of_a_smaller_history(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let case =
        text.split_once("p0x0c").map(|(_, case)| case.trim_start_matches(|c: char| c.is_ascii_digit()));
    case.is_some_and(|rest| rest.starts_with('s'))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_it_and_saves_the_best_so_far() {
    let (stuck, mut is_stuck) = tokio::sync::mpsc::unbounded_channel();
    let faults = FaultSet::from_iter([Fault::LogoutKeepsSet]);
    let faulty = serve(Options { faults, ..Options::default() }).await;
    let proxy = Proxy::before(faulty, move |request| match is_of_a_smaller_history(request.body()) {
        true => {
            let _ = stuck.send(());
            Turn::Hang
        }
        false => Turn::Pass,
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let target = target_file(here, &proxy.url());
    let arguments =
        ["explore", "--target", &target, "--only", "histories", "--seed", "7", "--save", "best.json"];
    let child =
        capcheck(&arguments).current_dir(here).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let interrupts = interrupter(&child);
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let mut ended = std::pin::pin!(ended);
    // Where it ends by itself, what it says is what is wrong.
    let output = tokio::select! {
        output = &mut ended => output.unwrap(),
        Some(()) = is_stuck.recv() => {
            interrupts();
            ended.await.unwrap()
        }
    };
    let page = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(130), "{page}");
    assert!(page.contains("not confirmed: the search was interrupted"), "{page}");
    assert!(page.contains("FAILURE FOUND, NOT CONFIRMED"), "{page}");
    let saved = Failure::load(&here.join("best.json")).unwrap();
    assert_eq!((saved.confirmed.tried, saved.url.as_deref()), (0, Some(proxy.url().as_str())));
}
