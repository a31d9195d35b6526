//! `capcheck vectors verify`: whether the vectors are those that were published, and right.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::{fail, finish};
use crate::engine::exit::{NON_CONFORMANT, USAGE};
use crate::report::escape;
use crate::vectors::{self, MANIFEST, PublicKey, SUFFIX, SignatureError, Signed, Summary};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The directory that holds the files; by default those that the program carries
    dir: Option<PathBuf>,
    /// A public key of minisign, or its file: who must have signed the manifest
    #[arg(long, value_name = "FILE|KEY", requires = "dir")]
    pubkey: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    let dir = args.dir.as_deref();
    let key = match args.pubkey.as_deref().map(PublicKey::read).transpose() {
        Ok(key) => key,
        Err(error) => return fail(USAGE, format!("--pubkey: {error}")),
    };
    let summary = match vectors::verify(dir) {
        Ok(summary) => summary,
        Err(error) => return fail(USAGE, error),
    };
    let signature = match dir.zip(key).map(|(dir, key)| signature(dir, &key)) {
        None => Ok("not checked (--pubkey)".to_owned()),
        Some(Ok((signed, key))) => Ok(good(&signed, &key)),
        Some(Err(error)) => Err(error),
    };
    finish(page(&summary, &signature).as_bytes(), code(&summary, signature.is_ok()))
}

/// The signature of the manifest in a directory.
fn signature(dir: &Path, key: &PublicKey) -> Result<(Signed, String), SignatureError> {
    let signed = vectors::verify_signed(&dir.join(MANIFEST), key)?;
    Ok((signed, key.to_string()))
}

fn good(signed: &Signed, key: &str) -> String {
    let legacy = if signed.legacy { " (legacy: not prehashed)" } else { "" };
    let comment = escape(&signed.trusted_comment.replace('\t', " "));
    format!("good{legacy}, key {key}, trusted comment: {comment}")
}

/// Unreadable beats wrong: nobody knows what else is wrong.
pub(super) fn code(summary: &Summary, signed: bool) -> ExitCode {
    if summary.faults.iter().any(|fault| fault.unreadable) {
        return ExitCode::from(USAGE);
    }
    if summary.holds() && signed { ExitCode::SUCCESS } else { ExitCode::from(NON_CONFORMANT) }
}

/// A line for each file of cases and for each of the other things that were checked, each followed by what does not
/// hold of it.
fn page(summary: &Summary, signature: &Result<String, SignatureError>) -> String {
    let mut out = values(summary);
    // Writing to a String cannot fail.
    let Summary { manifest, manifest_digest, released, .. } = summary;
    let word = match summary.faults.len() {
        0 => "ok".to_owned(),
        n => format!("{n} do not hold"),
    };
    let (files, cases) = (manifest.files.len(), manifest.cases().count());
    let _ = writeln!(out, "{MANIFEST:23} {cases:3} cases, {files:4} files: {word}");
    out += &faults(summary);
    let _ = writeln!(out, "sha256       {manifest_digest} ({MANIFEST})");
    let (version, revision) = (escape(&manifest.version), escape(&manifest.requirements.revision));
    let _ = writeln!(out, "version      {version}, requirements {revision}");
    let released = if released.is_empty() { "none".to_owned() } else { escape(&released.join(", ")) };
    let _ = writeln!(out, "released     {released}");
    let _ = match signature {
        Ok(told) => writeln!(out, "signature    {told}"),
        Err(error) => writeln!(out, "signature    {MANIFEST}{SUFFIX}: {error}"),
    };
    out
}

/// A line for each file of cases, and what is derived otherwise.
fn values(summary: &Summary) -> String {
    let mut out = String::new();
    for file in &summary.files {
        let (name, cases, values, wrong) = (&file.file, file.cases, file.values, file.differences.len());
        let word = if wrong == 0 { "ok".to_owned() } else { format!("{wrong} do not hold") };
        let _ = writeln!(out, "{name:23} {cases:3} cases, {values:4} values: {word}");
        for difference in &file.differences {
            let _ = writeln!(out, "  {}", escape(&difference.to_string()));
        }
    }
    out
}

/// A line for each thing that does not hold of the files.
pub(super) fn faults(summary: &Summary) -> String {
    summary.faults.iter().map(|fault| format!("  {}\n", escape(&fault.to_string()))).collect()
}
