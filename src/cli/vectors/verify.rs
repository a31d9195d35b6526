//! `capcheck vectors verify`: whether the vectors are those that were published, and right.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::{fail, finish};
use crate::engine::exit::{CONFORMANT, NON_CONFORMANT, USAGE};
use crate::report::escape;
use crate::vectors::subject::SUBJECTS;
use crate::vectors::{
    self, EXCHANGES, Fault, FaultKind, LoadError, MANIFEST, PublicKey, SUFFIX, SignatureError, Signed,
    Summary,
};

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
        Err(error) => return fail(USAGE, format!("--pubkey: {}", escape(&error.to_string()))),
    };
    let summary = match vectors::verify(dir) {
        Ok(summary) => summary,
        Err(error) => return unread(&error),
    };
    let signature = match dir.zip(key).map(|(dir, key)| signature(dir, &key)) {
        None => Ok("not checked (--pubkey)".to_owned()),
        Some(Ok((signed, key))) => Ok(good(&signed, &key)),
        Some(Err(error)) => Err(error),
    };
    finish(page(&summary, &signature).as_bytes(), ExitCode::from(code(&summary, &signature)))
}

/// Without a manifest nothing else can be verified.
fn unread(error: &LoadError) -> ExitCode {
    let told = escape(&error.to_string());
    if let LoadError::Unreadable { .. } = error {
        return fail(USAGE, told);
    }
    let page = format!("{MANIFEST:23} not read: {told}\nDOES NOT HOLD: {MANIFEST} not read\n");
    finish(page.as_bytes(), ExitCode::from(NON_CONFORMANT))
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

/// What the operating system does not give beats what is wrong: nobody knows what else is.
fn code(summary: &Summary, signature: &Result<String, SignatureError>) -> u8 {
    let unreadable = summary.faults.iter().any(|fault| fault.kind == FaultKind::Unreadable);
    match signature {
        _ if unreadable => USAGE,
        Err(SignatureError::Unreadable(_)) => USAGE,
        Ok(_) if summary.holds() => CONFORMANT,
        _ => NON_CONFORMANT,
    }
}

/// A line for each file but schemas and for each of the other things that were checked, each followed by what does not
/// hold of it; the verdict last.
fn page(summary: &Summary, signature: &Result<String, SignatureError>) -> String {
    let mut out = values(summary);
    // Writing to a String cannot fail.
    let Summary { manifest, manifest_digest, released, .. } = summary;
    let others: Vec<&Fault> = summary.faults.iter().filter(|fault| !has_row(fault)).collect();
    let word = match others.len() {
        0 => "ok".to_owned(),
        n => format!("{n} do not hold"),
    };
    let (files, cases) = (manifest.files.len(), manifest.cases().count());
    let _ = writeln!(out, "{MANIFEST:23} {cases:3} cases, {files:4} files: {word}");
    for fault in &others {
        let _ = writeln!(out, "  {}", escape(&fault.to_string()));
    }
    let _ = writeln!(out, "sha256       {manifest_digest} ({MANIFEST})");
    let (version, revision) = (escape(&manifest.version), escape(&manifest.requirements.revision));
    let _ = writeln!(out, "version      {version}, requirements {revision}");
    if !manifest.is_of_this_program() {
        let ours = env!("CARGO_PKG_VERSION");
        let _ = writeln!(
            out,
            "note         version {version} is not this program's ({ours}): values are derived again, cases and files \
             are compared with this manifest, and not with what was published"
        );
    }
    let released = if released.is_empty() { "none".to_owned() } else { escape(&released.join(", ")) };
    let _ = writeln!(out, "released     {released}");
    let _ = match signature {
        Ok(told) => writeln!(out, "signature    {told}"),
        Err(error) => writeln!(out, "signature    {MANIFEST}{SUFFIX}: {}", escape(&error.to_string())),
    };
    let _ = writeln!(out, "{}", verdict(summary, others.len(), signature.is_ok()));
    out
}

/// Everything in a line.
fn verdict(summary: &Summary, others: usize, signed: bool) -> String {
    if summary.holds() && signed {
        let cases: usize = summary.files.iter().map(|file| file.cases).sum();
        let version = match summary.manifest.is_of_this_program() {
            true => String::new(),
            false => format!(", of another version ({})", escape(&summary.manifest.version)),
        };
        return format!("HOLDS: {cases} cases in {} files{version}", summary.files.len());
    }
    let values: usize = summary.files.iter().map(|file| file.differences.len()).sum();
    let unread = summary.faults.len() - others;
    let counted = [(values, "value"), (unread, "file not read"), (others, "fault of files or manifest")];
    let mut told: Vec<String> = Vec::new();
    for (count, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
        told.push(count_of(count, what));
    }
    if !signed {
        told.push("the signature".to_owned());
    }
    format!("DOES NOT HOLD: {}", told.join(", "))
}

/// `1 file not read`, `2 files not read`.
fn count_of(count: usize, what: &str) -> String {
    let (noun, rest) = what.split_once(' ').map_or((what, String::new()), |(a, b)| (a, format!(" {b}")));
    format!("{count} {noun}{}{rest}", if count == 1 { "" } else { "s" })
}

/// Whether it is told in the row of its file: why there is nothing else to tell of it.
fn has_row(fault: &Fault) -> bool {
    fault.kind != FaultKind::Differs && rows().any(|file| file == fault.file)
}

/// The files with a row of their own.
fn rows() -> impl Iterator<Item = String> {
    SUBJECTS.iter().map(|row| row.subject.file()).chain([EXCHANGES.to_owned()])
}

/// A line for each file of cases and that of exchanges, and what is derived otherwise.
fn values(summary: &Summary) -> String {
    let mut out = String::new();
    for name in rows() {
        if let Some(fault) = summary.faults.iter().find(|fault| fault.file == name && has_row(fault)) {
            let _ = writeln!(out, "{name:23} not read: {}", escape(&fault.told()));
        }
        if let Some(exchanges) = summary.exchanges.filter(|_| name == EXCHANGES) {
            let _ = writeln!(out, "{name:23} {exchanges:3} exchanges");
        }
        let Some(file) = summary.files.iter().find(|file| file.file == name) else { continue };
        let (cases, values, wrong) = (file.cases, file.values, file.differences.len());
        let word = if wrong == 0 { "ok".to_owned() } else { format!("{wrong} do not hold") };
        let _ = writeln!(out, "{name:23} {cases:3} cases, {values:4} values: {word}");
        for difference in &file.differences {
            let _ = writeln!(out, "  {}", escape(&difference.to_string()));
        }
    }
    out
}
