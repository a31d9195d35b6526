//! Measures the release binary: `cargo bench`. It measures and asserts nothing.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often each command is run; the median is told.
const ROUNDS: usize = 11;

fn main() {
    let capcheck = Path::new(env!("CARGO_BIN_EXE_capcheck"));
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.json");
    let spec = format!("json={}", report.display());
    let runs: Vec<(Duration, Value)> = (0..ROUNDS)
        .map(|_| {
            let wall = time(capcheck, &["run", "--report", &spec]);
            let text = std::fs::read(&report).expect("the run wrote its report");
            (wall, serde_json::from_slice(&text).expect("the report is JSON"))
        })
        .collect();
    let last = &runs[ROUNDS - 1].1;
    let slowest = |run: &Value| {
        let scenarios = run["scenarios"].as_array().expect("a report holds scenarios").iter();
        scenarios.filter_map(|scenario| scenario["duration_ms"].as_u64()).max().unwrap_or_default()
    };
    let peak = peak_memory(capcheck);
    println!(
        "capcheck run           {:>6} ms wall, median of {ROUNDS}",
        millis(runs.iter().map(|run| run.0))
    );
    println!("  requests             {:>6}", last["counts"]["requests"]);
    println!("  requests per second  {:>6}", last["counts"]["requests_per_second"]);
    println!("  slowest scenario     {:>6} ms, median", median(runs.iter().map(|run| slowest(&run.1))));
    println!("  peak memory          {:>6} KiB", peak.map_or_else(|| "?".to_owned(), |kib| kib.to_string()));
    let lists = (0..ROUNDS).map(|_| time(capcheck, &["list"]));
    println!("capcheck list          {:>6} ms wall, median of {ROUNDS}", millis(lists));
    let size = std::fs::metadata(capcheck).map_or(0, |file| file.len());
    println!("binary                 {:>6} KiB", size / 1024);
}

fn time(capcheck: &Path, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    let status = Command::new(capcheck).args(arguments).stdout(Stdio::null()).status();
    let took = began.elapsed();
    assert!(status.is_ok_and(|status| status.success()), "capcheck {} failed", arguments.join(" "));
    took
}

/// The peak resident memory of a run, in KiB, where Python is there to ask the system for it.
fn peak_memory(capcheck: &Path) -> Option<u64> {
    let python = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); \
                  print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3").args(["-c", python]).arg(capcheck).arg("run").output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn millis(times: impl Iterator<Item = Duration>) -> u128 {
    median(times.map(|time| time.as_millis()))
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}
