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
