//! What commands run on that wait for others.

use std::process::ExitCode;

use super::output::fail;
use crate::engine::exit::FAULT;

/// Runs a command to its end, on as many threads as there are processors. Either of its results is the exit
/// code; an error ends it early.
pub(super) fn block_on(command: impl Future<Output = Result<ExitCode, ExitCode>>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command).unwrap_or_else(|code| code),
        Err(error) => fail(FAULT, format_args!("cannot start: {error}")),
    }
}
