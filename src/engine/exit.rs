//! The exit codes, as `--help` and the README document them.

use super::result::{RunResult, Stopped, Verdict};

/// Conformant, or: the command did what it says.
pub const CONFORMANT: u8 = 0;
/// Non-conformant.
pub const NON_CONFORMANT: u8 = 1;
/// Usage, target file, or a report path that cannot be opened.
pub const USAGE: u8 = 2;
/// Nothing failed, but something could not be tested.
pub const INCOMPLETE: u8 = 3;
/// Target unreachable, not a homeserver, or without the API.
pub const PREFLIGHT: u8 = 4;
/// Our own fault.
pub const FAULT: u8 = 70;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a run: interrupted and preflight stand apart; then 1 beats 70 beats 3.
pub fn code(result: &RunResult) -> u8 {
    match result {
        RunResult { stopped: Some(Stopped::Interrupted), .. } => INTERRUPTED,
        RunResult { preflight_error: Some(_), .. } => PREFLIGHT,
        RunResult { verdict: Verdict::NonConformant, .. } => NON_CONFORMANT,
        RunResult { counts, .. } if counts.scenarios.harness_fault > 0 => FAULT,
        RunResult { verdict: Verdict::Incomplete, .. } => INCOMPLETE,
        RunResult { verdict: Verdict::Conformant, .. } => CONFORMANT,
    }
}

#[cfg(test)]
mod tests {
    use super::super::result::{Counts, SCHEMA_VERSION, Selection, Suite, Tally, TargetInfo};
    use super::*;

    /// A run of which no more is known than what exit codes speak of.
    fn run(verdict: Verdict, harness_fault: usize) -> RunResult {
        RunResult {
            schema_version: SCHEMA_VERSION,
            suite: Suite {
                version: String::new(),
                requirements_digest: String::new(),
                vectors_digest: String::new(),
            },
            target: TargetInfo { url: String::new(), server_name: None, features: Vec::new() },
            second: None,
            seed: 0,
            run_id: String::new(),
            selection: Selection::default(),
            started_at: String::new(),
            duration_ms: 0,
            stopped: None,
            preflight_error: None,
            notes: Vec::new(),
            observations: Vec::new(),
            verdict,
            counts: Counts { scenarios: Tally { harness_fault, ..Tally::default() }, ..Counts::default() },
            requirements: Vec::new(),
            scenarios: Vec::new(),
            endpoints: Vec::new(),
        }
    }

    #[test]
    fn a_verdict_has_its_code_and_only_a_failure_beats_a_fault_of_ours() {
        for (verdict, without, with) in [
            (Verdict::Conformant, CONFORMANT, FAULT),
            (Verdict::Incomplete, INCOMPLETE, FAULT),
            (Verdict::NonConformant, NON_CONFORMANT, NON_CONFORMANT),
        ] {
            assert_eq!((code(&run(verdict, 0)), code(&run(verdict, 2))), (without, with), "{verdict:?}");
        }
    }

    #[test]
    fn what_kept_the_run_from_its_end_comes_first() {
        let stopped = |verdict, stopped| code(&RunResult { stopped: Some(stopped), ..run(verdict, 1) });
        let unfit = || RunResult { preflight_error: Some("no".to_owned()), ..run(Verdict::Incomplete, 1) };
        assert_eq!(stopped(Verdict::NonConformant, Stopped::Interrupted), INTERRUPTED);
        assert_eq!(stopped(Verdict::NonConformant, Stopped::FailFast), NON_CONFORMANT);
        assert_eq!(code(&unfit()), PREFLIGHT);
        assert_eq!(code(&RunResult { stopped: Some(Stopped::Interrupted), ..unfit() }), INTERRUPTED);
    }
}
