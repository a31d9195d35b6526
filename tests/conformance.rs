//! Every scenario as a test: one libtest-style line each.
//!
//! Without further words the built-in homeserver is tested. `CAPCHECK_URL` names another one,
//! `CAPCHECK_TARGET` a target file, `CAPCHECK_SECOND` that of a homeserver that it federates with;
//! `CAPCHECK_STRICT=1` lets shoulds fail a test, too. What does not
//! apply to the target is reported as ignored, with the reason; what could not be tested fails.
//!
//! Trials are built from the table of scenarios alone, so that listing touches no network; the target is
//! probed when the first trial runs. `cargo nextest` runs every trial in a process of its own.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use capcheck::built_in::{self, Pair};
use capcheck::engine::{Prepared, run_id};
use capcheck::outcome::Outcome;
use capcheck::reference::Options;
use capcheck::report;
use capcheck::scenarios::{self, Scenario};
use capcheck::target::config::Target;
use capcheck::target::file;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // A runtime of several threads: trials block on it from threads of their own.
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => panic!("no runtime: {error}"),
    };
    let stage = Arc::new(OnceCell::new());
    let trials = scenarios::all().map(|scenario| trial(scenario, &runtime, &stage)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The target, once somebody needed it; or why it cannot be tested.
type Stage = OnceCell<Result<Subject, String>>;

struct Subject {
    prepared: Prepared,
    strict: bool,
    /// The built-in homeserver, if that is tested; it lives as long as the trials.
    _servers: Option<Pair>,
}

fn trial(scenario: &'static Scenario, runtime: &Arc<Runtime>, stage: &Arc<Stage>) -> Trial {
    let (runtime, stage) = (runtime.clone(), stage.clone());
    Trial::ignorable_test(scenario.id, move || {
        runtime.block_on(async {
            let subject = stage.get_or_init(subject).await.as_ref().map_err(Failed::from)?;
            let result = subject.prepared.perform(scenario, subject.strict).await;
            match result.outcome {
                Outcome::Passed => Ok(Completion::Completed),
                Outcome::NotApplicable => Ok(Completion::ignored_with(result.reason.unwrap_or_default())),
                _ => Err(Failed::from(report::told(&result, subject.strict))),
            }
        })
    })
}

async fn subject() -> Result<Subject, String> {
    let strict = std::env::var("CAPCHECK_STRICT").is_ok_and(|value| value == "1");
    let load = |path: &str| file::load(Path::new(path)).map_err(|error| error.to_string());
    let mut second = std::env::var("CAPCHECK_SECOND").ok().map(|path| load(&path)).transpose()?;
    let (target, servers) = match (std::env::var("CAPCHECK_TARGET"), std::env::var("CAPCHECK_URL")) {
        (Ok(path), _) => (load(&path)?, None),
        (_, Ok(url)) => (Target::from_url(&url).map_err(|error| error.to_string())?, None),
        _ => {
            let pair = built_in::start_pair(Options::default()).await.map_err(|error| error.to_string())?;
            second = Some(pair.second.clone());
            (pair.target.clone(), Some(pair))
        }
    };
    let run_id = run_id::fresh().map_err(|error| error.to_string())?;
    let prepared = Prepared::new(target, second, 0, &run_id).await.map_err(|error| error.to_string())?;
    Ok(Subject { prepared, strict, _servers: servers })
}
