//! `capcheck vectors test`: what it asks of a program, tells of it, and leaves behind.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{capcheck, refused, signal};

/// A program that answers as the published files say: rightly, or as a mistake does where it shows.
const PROGRAM: &str = r#"
import glob, json, os, signal, subprocess, sys
vectors, mistake = sys.argv[1:3]
open("started", "w").close()
answers = {}
for file in glob.glob(vectors + "/*.json"):
    document = json.load(open(file))
    field = document.get("answer")
    for case in (case for group in document.get("groups", []) for case in group["cases"]):
        answer = {"result": "invalid"}
        if case["result"] != "invalid":
            answer = {"result": "valid", **({field: case["expected"][field]} if field else {})}
        wrong = case.get("wrong", {}).get(mistake)
        if wrong in ("invalid", "valid"):
            answer = {"result": wrong}
        elif wrong is not None:
            answer = {"result": "valid", field: wrong}
        answers[case["id"]] = answer
for line in sys.stdin:
    id = json.loads(line)["id"]
    if mistake == "wait":
        child = subprocess.Popen(["sleep", "600"])
        with open("pids", "w") as pids:
            print(os.getpid(), child.pid, file=pids)
        print("waiting", file=open("fifo", "w"), flush=True)
        signal.pause()
    answer = {"result": "unsupported"} if mistake == "unsupported" else answers[id]
    print(json.dumps({"id": id, **answer}), flush=True)
"#;

/// A directory with the program.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("program.py"), PROGRAM).unwrap();
        Self(directory)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `capcheck vectors test` of the program with a mistake.
    fn command(&self, options: &[&str], mistake: &str) -> Command {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        let program = ["--", "python3", "program.py", vectors.to_str().unwrap(), mistake];
        let mut command = capcheck(&[&["vectors", "test"], options, &program].concat());
        command.current_dir(self.0.path());
        command
    }

    /// Its exit code and its page.
    fn test(&self, options: &[&str], mistake: &str) -> (i32, String) {
        let output = self.command(options, mistake).output().unwrap();
        (output.status.code().unwrap(), page(&output))
    }

    /// The one line with which it is refused before the program is started.
    fn refused(&self, options: &[&str]) -> String {
        let output = self.command(options, "").output().unwrap();
        let page = page(&output);
        assert_eq!((output.status.code(), page.lines().count()), (Some(2), 1), "{page}");
        assert!(!self.file("started").exists(), "{page}");
        page.trim_end().to_owned()
    }
}

fn page(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

#[test]
fn a_right_program_conforms() {
    let (code, page) = Bench::new().test(&[], "");
    assert_eq!(code, 0, "{page}");
    assert!(page.contains("\nCONFORMANT  ") && !page.contains("FAILED"), "{page}");
}

#[test]
fn a_wrong_program_is_told_its_mistake_in_every_report() {
    let bench = Bench::new();
    let reports = ["--report", "json=report.json", "--report", "junit=report.xml"];
    for mistake in ["utf16-order", "padded", "as-uploaded", "plus-as-space", "last-only", "deletion-keeps"] {
        let (code, page) = bench.test(&reports, mistake);
        assert_eq!(code, 1, "{mistake}: {page}");
        assert!(page.contains(&format!(": {mistake}: ")), "{mistake}: {page}");
        let report: Value = serde_json::from_slice(&fs::read(bench.file("report.json")).unwrap()).unwrap();
        assert_eq!(
            (&report["verdict"], &report["mistakes"][0]["mistake"]),
            (&"non_conformant".into(), &mistake.into())
        );
        let junit = fs::read_to_string(bench.file("report.xml")).unwrap();
        let junit = quick_junit::Report::deserialize_from_str(&junit).unwrap();
        assert_eq!(u64::try_from(junit.failures).ok(), report["counts"]["failed"].as_u64());
        assert!(junit.failures > 0 && junit.errors == 0);
    }
}

#[test]
fn a_report_can_have_the_standard_output_to_itself() {
    let output = Bench::new().command(&["--only", "union", "--report", "json=-"], "").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["counts"]["passed"], report["counts"]["selected"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("CONFORMANT"));
}

#[test]
fn what_a_program_does_not_do_is_nothing_shown() {
    let (code, page) = Bench::new().test(&[], "unsupported");
    assert_eq!(code, 3, "{page}");
    assert!(page.contains("INCOMPLETE") && page.contains("No case passed"), "{page}");
}

#[test]
fn deviations_are_expected_until_they_are_gone() {
    let bench = Bench::new();
    let list =
        "[[deviation]]\ncases = [\"*\"]\nmistake = \"utf16-order\"\nreason = \"sorted by its UTF-16\"\n";
    fs::write(bench.file("list.toml"), list).unwrap();
    let (code, page) = bench.test(&["--deviations", "list.toml"], "utf16-order");
    assert_eq!(code, 0, "{page}");
    assert!(page.contains("AS EXPECTED") && page.contains("sorted by its UTF-16"), "{page}");
    let (code, page) = bench.test(&["--deviations", "list.toml"], "");
    assert_eq!(code, 1, "{page}");
    assert!(page.contains("STALE"), "{page}");
}

#[test]
fn what_cannot_be_asked_is_told_before_the_program_is_started() {
    let bench = Bench::new();
    fs::write(bench.file("list.toml"), "[[deviation]]\ncases = [\"*\"]\noutcome = \"late\"\nreason = \"r\"")
        .unwrap();
    for (options, says) in [
        (&["--only", "canonical.nul"][..], "did you mean \"canonical.null\"?"),
        (&["--skip", "onion"], "did you mean \"union\"?"),
        (&["--without", "Parameter"], "did you mean \"Parameters\"?"),
        (&["--only", "union", "--skip", "union"], "leaves no case"),
        (&["--deviations", "none.toml"], "none.toml: No such file"),
        (&["--deviations", "list.toml"], "list.toml: deviation 1: "),
        (&["--deviations", "."], ".: is a directory"),
        (&["--report", "json=no/such/report"], "no/such/report"),
    ] {
        let line = bench.refused(options);
        assert!(line.contains(says), "{options:?}: {line}");
    }
}

#[test]
fn a_program_that_cannot_be_tested_is_one_line() {
    let line = refused(&["vectors", "test", "--", "/no/such/program"], 2);
    assert!(line.contains("cannot start \"/no/such/program\": No such file"), "{line}");
    let line = refused(&["vectors", "test", "--", "false"], 2);
    assert!(line.contains("\"false\" gave no answer to any of 5 cases"), "{line}");
}

#[test]
fn the_example_in_plain_python_is_wrong_as_its_list_says() {
    let adapters = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/adapters/python-stdlib");
    let (program, list) = (format!("{adapters}.py"), format!("{adapters}.deviations.toml"));
    let test = ["vectors", "test", "--strict", "--deviations", &list, "--", "python3", &program];
    let output = capcheck(&test).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", page(&output));
}

/// Whether a process that was killed goes, which takes the system a moment.
#[cfg(target_os = "linux")]
fn goes(pid: &str) -> bool {
    let asked = Instant::now();
    while lives(pid) && asked.elapsed() < Duration::from_secs(30) {
        thread::yield_now();
    }
    !lives(pid)
}

/// Whether a process is there and does anything.
#[cfg(target_os = "linux")]
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_tells_what_is_known_and_leaves_no_process() {
    let bench = Bench::new();
    let made = Command::new("mkfifo").arg(bench.file("fifo")).status().unwrap();
    assert!(made.success());
    let child = bench
        .command(&["--jobs", "1", "--report", "json=report.json"], "wait")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, waits) = mpsc::channel();
    let fifo = bench.file("fifo");
    thread::spawn(move || tell.send(fs::read_to_string(fifo)));
    assert_eq!(waits.recv_timeout(Duration::from_secs(60)).unwrap().unwrap(), "waiting\n");
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", page(&output));
    assert!(page(&output).contains("It was interrupted."), "{}", page(&output));
    let report: Value = serde_json::from_slice(&fs::read(bench.file("report.json")).unwrap()).unwrap();
    assert_eq!((&report["interrupted"], &report["verdict"]), (&true.into(), &"incomplete".into()));
    let pids = fs::read_to_string(bench.file("pids")).unwrap();
    assert!(pids.split_whitespace().count() == 2 && pids.split_whitespace().all(goes), "{pids}");
}
