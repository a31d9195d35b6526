//! `capcheck vectors sign`: who publishes the vectors says so.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Utc;
use clap::Args;

use crate::cli::output::{fail, finish};
use crate::engine::exit::{NON_CONFORMANT, USAGE};
use crate::report::escape;
use crate::vectors::{self, LoadError, MANIFEST, SecretKey};

/// The environment variable with the password of an encrypted key.
const PASSWORD: &str = "CAPCHECK_KEY_PASSWORD";

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The secret key, a file that minisign -G made
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The directory that holds the files
    dir: PathBuf,
    /// The trusted comment, a line of text; by default the time, the suite's version and the file's name
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &SignArgs) -> ExitCode {
    let dir = args.dir.display();
    let summary = match vectors::verify(Some(&args.dir)) {
        Ok(summary) => summary,
        Err(error @ LoadError::Unreadable { .. }) => return fail(USAGE, error),
        Err(error) => return fail(NON_CONFORMANT, escape(&error.to_string())),
    };
    if !summary.manifest.is_of_this_program() {
        let version = escape(&summary.manifest.version);
        let ours = env!("CARGO_PKG_VERSION");
        let reason = format!(
            "{dir}: version {version} is not this program's ({ours}), so it is not signed: \
             nothing here knows what {version} published"
        );
        return fail(USAGE, reason);
    }
    if !summary.holds() {
        let reason =
            format!("{dir} does not hold, so it is not signed: capcheck vectors verify {dir} says why");
        return fail(NON_CONFORMANT, reason);
    }
    let key = match SecretKey::read(&args.key) {
        Ok(key) => key,
        Err(error) => return fail(USAGE, format!("--key: {error}")),
    };
    let password = match key.is_encrypted().then(|| password(&args.key)).transpose() {
        Ok(password) => password,
        Err(reason) => return fail(USAGE, reason),
    };
    let comment = args.comment.clone().unwrap_or_else(|| comment(&summary.manifest.version));
    match vectors::sign_manifest(&args.dir, &summary, &key, password, &comment) {
        Ok((path, key)) => {
            let told = format!("{}: signed; capcheck vectors verify {dir} --pubkey {key}\n", path.display());
            finish(told.as_bytes(), ExitCode::SUCCESS)
        }
        Err(error) => fail(USAGE, error),
    }
}

/// As minisign begins it, and what is signed.
fn comment(version: &str) -> String {
    format!("timestamp:{}\tcapcheck {version} {MANIFEST}", Utc::now().timestamp())
}

/// The password of a key: from the environment, or from whoever sits at the terminal.
fn password(key: &Path) -> Result<String, String> {
    match env::var(PASSWORD) {
        Ok(password) => Ok(password),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{PASSWORD}: not UTF-8")),
        Err(env::VarError::NotPresent) => {
            let asked = rpassword::prompt_password(format!("Password of {}: ", key.display()));
            asked.map_err(|error| {
                format!("{}: the key has a password, and there is no terminal to ask for it ({error}): set {PASSWORD}", key.display())
            })
        }
    }
}
