//! The command line: what it says and how it exits.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use insta_cmd::assert_cmd_snapshot;
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::proxy::{Proxy, Turn, is_capability};

pub(crate) fn capcheck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capcheck"));
    command.args(arguments).env_remove("CAPCHECK_REGISTRATION").env("NO_COLOR", "1").env("COLUMNS", "100");
    command
}

pub(crate) fn output(arguments: &[&str]) -> Output {
    capcheck(arguments).output().unwrap()
}

/// What a command that fails at once says: one line, and nothing on stdout.
pub(crate) fn refused(arguments: &[&str], code: i32) -> String {
    let output = output(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!((output.stdout.as_slice(), stderr.lines().count()), (&b""[..], 1), "{stderr}");
    stderr.trim_end().to_owned()
}

/// The JSON report of a run, which stands alone on stdout, and the exit code.
fn report(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = output(&[&["run", "--report", "json=-"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout).expect("stdout holds JSON and nothing else");
    (report, output.status.code())
}

/// `capcheck serve` on a free port, until it is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = capcheck(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next()).unwrap();
        Self { url: url.to_owned(), child, stdout }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A few scenarios of several areas, for what does not depend on which.
const FEW: [&str; 6] = ["--only", "union::of_*", "--only", "resolve::yields*", "--only", "server::*"];

#[test]
fn help_says_what_every_command_does() {
    for command in [
        "",
        "run",
        "explore",
        "replay",
        "doctor",
        "init",
        "list",
        "explain",
        "hash",
        "vectors",
        "vectors verify",
        "coverage",
        "prove",
        "serve",
        "federation-ca",
    ] {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let name = format!("help_{}", command.replace(' ', "_"));
        assert_cmd_snapshot!(name.trim_end_matches('_'), capcheck(&words));
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = String::from_utf8(output(&["--help"]).stdout).unwrap();
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "70 ", "130 "] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(code)), "{code} is not in:\n{help}");
    }
}

#[test]
fn a_flag_that_does_not_exist_is_a_usage_error() {
    for arguments in
        [&["run", "--stric"][..], &["run", "--jobs", "0"], &["run", "--level", "most"], &["rum"], &[]]
    {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let stderr = String::from_utf8(output(&["run", "--stric"]).stderr).unwrap();
    assert!(stderr.contains("--strict"), "{stderr}");
}

#[test]
fn a_glob_that_matches_nothing_names_the_nearest_id() {
    assert_eq!(
        refused(&["run", "--only", "union.of-al"], 2),
        "capcheck: --only \"union.of-al\" matches no scenario and no requirement; did you mean \"union.of-all\"?"
    );
    let line = refused(&["run", "--skip", "nothing-like-this"], 2);
    assert!(line.starts_with("capcheck: --skip \"nothing-like-this\" matches no scenario"), "{line}");
}

#[test]
fn a_target_file_with_a_typo_is_told_with_place_and_spelling() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("capcheck.toml");
    fs::write(&file, "url = \"http://127.0.0.1:1\"\n\n[limits]\nsettel_s = 3\n").unwrap();
    let path = file.to_str().unwrap();
    for command in ["run", "doctor"] {
        let output = output(&[command, "--target", path]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{stderr}");
        assert!(stderr.contains(&format!("{path}:4:1")) && stderr.contains("settle_s"), "{stderr}");
    }
    assert!(refused(&["run", "--target", "no/such.toml"], 2).contains("no/such.toml"));
}

#[test]
fn a_report_that_cannot_be_written_costs_no_run() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    for path in [format!("{folder}/no/report.json"), folder.to_owned(), "/proc/capcheck.json".to_owned()] {
        // Nothing listens there: had anything been sent, the code would be 4.
        let line = refused(&["run", "http://127.0.0.1:1", "--report", &format!("json={path}")], 2);
        assert!(line.starts_with(&format!("capcheck: cannot write the json report to {path}: ")), "{line}");
    }
    assert!(fs::read_dir(folder).unwrap().next().is_none(), "nothing is left behind");
}

/// The outcomes by id, without what differs from run to run.
fn outcomes(report: &Value) -> BTreeMap<String, String> {
    let listed = ["requirements", "scenarios"].into_iter().flat_map(|list| report[list].as_array().unwrap());
    listed.map(|item| (item["id"].to_string(), item["outcome"].to_string())).collect()
}

#[test]
fn json_stands_alone_on_stdout() {
    let (report, code) = report(&FEW);
    assert_eq!((code, &report["verdict"]), (Some(0), &"conformant".into()));
    assert_eq!(report["schema_version"], 1);
    assert!(report["counts"]["gating"]["passed"].as_u64().unwrap() > 3);
}

#[test]
fn one_job_and_many_come_to_the_same() {
    let (one, code_of_one) = report(&[&FEW[..], &["--jobs", "1"]].concat());
    let (many, code_of_many) = report(&[&FEW[..], &["--jobs", "64"]].concat());
    assert_eq!((code_of_one, code_of_many), (Some(0), Some(0)));
    assert_eq!(outcomes(&one), outcomes(&many));
}

/// What a request says, with everything that carries the run id or a hash of it left out.
fn shape(exchange: &Value) -> (String, usize, usize) {
    let url = exchange["url"].as_str().unwrap();
    let body = exchange["request_body"].as_str().unwrap_or_default();
    // A capability name stands for itself: its word and number are drawn, its salt is not.
    let names = body.matches("org.capcheck.").count();
    (exchange["method"].as_str().unwrap().to_owned(), url.matches('/').count(), names)
}

#[test]
fn a_seed_repeats_shapes_sizes_and_outcomes() {
    let runs = [["--seed", "7"], ["--seed", "7"], ["--seed", "8"]].map(|seed| {
        let arguments =
            [&["--jobs", "1", "--transcripts", "all", "--only", "union::of_many*"][..], &seed].concat();
        let (report, code) = report(&arguments);
        assert_eq!(code, Some(0));
        let exchanges = report["scenarios"][0]["exchanges"].as_array().unwrap().clone();
        let uploads =
            exchanges.iter().filter(|e| e["url"].as_str().unwrap().contains("capability_sets/sets/"));
        (outcomes(&report), uploads.map(shape).collect::<Vec<_>>(), report["run_id"].clone())
    });
    let [(first, shapes, id), (again, same, other_id), (_, others, _)] = runs;
    assert_eq!((&first, &shapes), (&again, &same));
    assert_ne!(id, other_id, "names are never repeated");
    assert_ne!(shapes, others, "another seed draws other sets");
}

#[test]
fn a_server_that_was_used_before_or_is_used_by_others_comes_to_the_same() {
    let served = Served::start(&[]);
    let selection = [&FEW[..], &[served.url.as_str()]].concat();
    let (first, code) = report(&selection);
    assert_eq!(code, Some(0));
    let (second, again) = report(&selection);
    assert_eq!((again, outcomes(&second)), (Some(0), outcomes(&first)));
    let both = std::thread::scope(|scope| {
        [scope.spawn(|| report(&selection)), scope.spawn(|| report(&selection))]
            .map(|run| run.join().unwrap())
    });
    for (report, code) in both {
        assert_eq!((code, outcomes(&report)), (Some(0), outcomes(&first)));
    }
}

#[test]
fn a_reader_that_left_early_is_no_fault() {
    for arguments in [
        &["run", "--only", "union::of_one*"][..],
        &["run", "--only", "union::of_one*", "--report", "json=-"],
        &["list"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = capcheck(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("pipe"), "{arguments:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_run_and_keeps_what_is_known() {
    // Uploads hang once preflight is over: `{}` and preflight's own sets are let through.
    let (stuck, mut is_stuck) = tokio::sync::mpsc::unbounded_channel();
    let proxy = Proxy::start(move |request| {
        let upload =
            is_capability(request) && request.method() == "PUT" && request.uri().path().contains("/sets/");
        match upload && !request.body().windows(9).any(|w| w == b"preflight") && request.body().len() > 2 {
            true => {
                let _ = stuck.send(());
                Turn::Hang
            }
            false => Turn::Pass,
        }
    })
    .await;
    for name in ["-INT", "-TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let (json, junit) = (at("report.json"), at("report.xml"));
        let reports = [format!("json={}", json.display()), format!("junit={}", junit.display())];
        let url = proxy.url();
        let words = ["run", &url, "--report", &reports[0], "--report", &reports[1]];
        let child = capcheck(&[&words[..], &FEW].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        is_stuck.recv().await.unwrap();
        signal(&child, name);
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(String::from_utf8(output.stdout).unwrap().to_lowercase().contains("interrupted"));
        let report: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
        assert_eq!((&report["stopped"], &report["verdict"]), (&"interrupted".into(), &"incomplete".into()));
        let union = report["scenarios"]
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["id"] == "union::of_one_client_is_its_set");
        assert_eq!(
            (&union.unwrap()["outcome"], &union.unwrap()["reason"]),
            (&"untestable".into(), &"interrupted".into())
        );
        assert!(fs::read_to_string(&junit).unwrap().contains("interrupted"));
        while is_stuck.try_recv().is_ok() {}
    }
}

#[test]
fn serve_says_one_line_and_ends_well() {
    for name in ["-TERM", "-INT"] {
        let mut served = Served::start(&[]);
        signal(&served.child, name);
        assert_eq!(served.child.wait().unwrap().code(), Some(0), "{name}");
        let mut rest = String::new();
        served.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line is all");
    }
}

#[test]
fn an_address_in_use_is_a_usage_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = refused(&["serve", "--listen", &address], 2);
    assert!(line.contains(&address) && line.contains("in use"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_a_homeserver_from_what_is_none() {
    let healthy = output(&["doctor"]);
    let page = String::from_utf8(healthy.stdout).unwrap();
    assert_eq!(healthy.status.code(), Some(0));
    assert!(
        page.contains("is a homeserver") && page.contains("can run") && !page.contains("BROKEN"),
        "{page}"
    );

    let site = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("<html>")).mount(&site).await;
    let url = site.uri();
    let line = tokio::task::spawn_blocking(move || refused(&["doctor", &url], 4)).await.unwrap();
    assert!(line.contains("is not a homeserver"), "{line}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = refused(&["doctor", &format!("http://{free}")], 4);
    assert!(line.contains("is unreachable"), "{line}");
}
