//! `capcheck init`: a commented target file on stdout.

use std::io::{self, Write as _};
use std::process::ExitCode;

use url::Url;

use crate::target::template;
use crate::target::url::base_url;

/// What `capcheck init` takes.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The client-server base URL of the homeserver under test
    #[arg(default_value = "http://127.0.0.1:8008", value_parser = base_url)]
    url: Url,
}

/// Prints a target file in which every key is explained.
pub(super) fn run(args: &InitArgs) -> ExitCode {
    match io::stdout().lock().write_all(template::target_file(&args.url).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("capcheck: cannot write the target file: {error}");
            ExitCode::from(2)
        }
    }
}
