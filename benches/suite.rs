//! Measures the release binary: `cargo bench`. It measures and asserts nothing.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use capcheck::built_in;
use capcheck::engine::Prepared;
use capcheck::properties::search::{Budget, News, SHRINKING, Terms, search};
use capcheck::properties::{self, Property};
use capcheck::reference::{Fault, FaultSet, Options};
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
    histories();
    let size = std::fs::metadata(capcheck).map_or(0, |file| file.len());
    println!("binary                 {:>6} KiB", size / 1024);
}

/// How many histories of each property are performed for the speed.
const CASES: u64 = 400;

/// How many acts a history has at least that is made smaller.
const LONG: usize = 40;

/// How fast generated histories are performed, and made smaller, against the built-in homeserver.
fn histories() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (mut acts, mut took) = (0, Duration::ZERO);
    for property in properties::all() {
        let (performed, within) = runtime.block_on(perform(property));
        if performed > 0 {
            let name = property.id.split_once("::").map_or(property.id, |(_, name)| name);
            println!("explore {name:<15}{:>6} acts per second", per_second(performed, within));
            (acts, took) = (acts + performed, took + within);
        }
    }
    println!("explore                {:>6} acts per second", per_second(acts, took));
    match runtime.block_on(shrink()) {
        Some((of, to, tries, within)) => println!(
            "shrinking              {:>6} ms from {of} acts to {to}, in {tries} performances",
            within.as_millis()
        ),
        None => println!("shrinking                   ? no history as long failed"),
    }
}

/// Performs histories of a property, as many at once as a search does; the acts, and the time.
async fn perform(property: &Property) -> (u64, Duration) {
    let (target, server) = built_in::start_alone(Options::default()).await.expect("a homeserver");
    let jobs = target.limits.in_flight;
    let prepared = Prepared::new(target, None, 1, "bench").await.expect("a target");
    let mut acts = 0;
    let began = Instant::now();
    if property.needs.iter().all(|need| prepared.features().has(*need)) {
        let budget = Budget { cases: CASES, time: Duration::MAX };
        let terms =
            Terms { seed: 1, first: 0, budget, shrinking: SHRINKING, jobs, nonce: "bench".to_owned() };
        acts = search(&prepared.theatre(Default::default()), property, &terms, &mut |_| {}).await.acts;
    }
    let took = began.elapsed();
    prepared.end().await;
    server.stop().await;
    (acts, took)
}

/// Makes the first long history smaller that a faulty homeserver answers wrongly: from how many acts to how
/// many, in how many performances, and in what time from its failure until it is confirmed.
async fn shrink() -> Option<(usize, usize, usize, Duration)> {
    let options = Options { faults: FaultSet::from_iter([Fault::RefusalRemembered]), ..Options::default() };
    let (target, server) = built_in::start_alone(options).await.expect("a homeserver");
    let prepared = Prepared::new(target, None, 1, "bench").await.expect("a target");
    let theatre = prepared.theatre(Default::default());
    let property = properties::find("properties::histories")?;
    let mut found = None;
    for case in 0..10_000 {
        let budget = Budget { cases: 1, time: Duration::MAX };
        let nonce = format!("bench{case}");
        let terms = Terms { seed: 1, first: case, budget, shrinking: SHRINKING, jobs: 1, nonce };
        let mut failed = None;
        let mut tell = |news: News<'_>| match news {
            News::Smaller(_) => drop(failed.get_or_insert_with(Instant::now)),
            News::Performed { .. } => {}
        };
        let searched = search(&theatre, property, &terms, &mut tell).await;
        if let (Some((failure, _)), Some(failed)) = (searched.failure, failed)
            && failure.found_with >= LONG
        {
            found = Some((failure.found_with, failure.history.len(), failure.shrunk_in, failed.elapsed()));
            break;
        }
    }
    prepared.end().await;
    server.stop().await;
    found
}

fn per_second(count: u64, took: Duration) -> u64 {
    (count as f64 / took.as_secs_f64()) as u64
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
