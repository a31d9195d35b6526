//! Writing to standard output and standard error without panics.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::report::Destination;

/// Writes to standard output and exits with `code`. A reader that left early (`| head`) has what it
/// wanted and changes nothing; any other failure to write is said on standard error, with code 2.
pub(super) fn finish(bytes: &[u8], code: ExitCode) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(2, format_args!("standard output: {error}"))
        }
        _ => code,
    }
}

/// Says one line on standard error and exits with `code`.
pub(super) fn fail(code: u8, message: impl Display) -> ExitCode {
    // Where standard error is closed too, the exit code is all that is left to say.
    let _ = writeln!(io::stderr(), "capcheck: {message}");
    ExitCode::from(code)
}

/// Where an option says that something is written to.
pub(super) fn destination(text: &str) -> Result<Destination, String> {
    match text {
        "" => Err("a file, or - for stdout".to_owned()),
        text => Ok(text.into()),
    }
}
