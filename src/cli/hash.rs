//! `capcheck hash`: a set's hash, or the bytes that are hashed.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::{fail, finish};
use crate::spec::canonical::{JsonError, JsonErrorKind};
use crate::spec::capability::{CapabilitySet, SetError};

/// Print the hash of a capability set
///
/// Reads a JSON object of capability names to objects and prints the 43 characters that stand for
/// it. Exits with 2 if the file cannot be read or holds no capability set.
#[derive(Debug, Args)]
pub(super) struct HashArgs {
    /// The file that holds the set; - is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// Write the Canonical JSON bytes that are hashed, without a line break at their end
    #[arg(long)]
    canonical: bool,
}

/// Runs the command.
pub(super) fn run(args: HashArgs) -> ExitCode {
    let is_stdin = args.file.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { args.file.display().to_string() };
    let read = if is_stdin {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(&args.file)
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) => return fail(2, format_args!("{name}: {error}")),
    };
    match CapabilitySet::parse(&bytes) {
        Ok(set) if args.canonical => finish(&set.canonical_bytes(), ExitCode::SUCCESS),
        Ok(set) => finish(format!("{}\n", set.hash()).as_bytes(), ExitCode::SUCCESS),
        Err(error) => fail(2, explain(&name, &error)),
    }
}

/// Where the mistake is, what it is, and what to do.
fn explain(name: &str, error: &SetError) -> String {
    match error {
        SetError::Json(JsonError { kind, line, column, .. }) => {
            format!("{name}:{line}:{column}: {kind}; {}", advice(kind))
        }
        SetError::NotAnObject(_) => format!("{name}:1:1: {error}; write {{\"m.cap.example.v1\": {{}}}}"),
        SetError::ValueNotAnObject { name: capability, found, line, column } => format!(
            "{name}:{line}:{column}: the value of {capability:?} must be an object, it is {found}; \
             write {{}} where there are no parameters"
        ),
    }
}

const fn advice(kind: &JsonErrorKind) -> &'static str {
    match kind {
        JsonErrorKind::Empty => "write {} for the empty set",
        JsonErrorKind::ByteOrderMark => "save the file without one",
        JsonErrorKind::Utf16 | JsonErrorKind::NotUtf8 => "save the file as UTF-8",
        JsonErrorKind::UnexpectedEnd => "is the file cut off?",
        JsonErrorKind::TrailingBytes => "keep one value per file",
        JsonErrorKind::TooDeep => "nest less deeply",
        JsonErrorKind::DuplicateKey(_) => "keep one of the two",
        JsonErrorKind::Float(_) | JsonErrorKind::NegativeZero => "write it as an integer, or as a string",
        JsonErrorKind::IntegerOutOfRange(_) => "write it as a string",
        JsonErrorKind::LoneSurrogate(_) => "write both halves, or the character itself",
        JsonErrorKind::ControlCharacter(_) => "write it as \\u and four hexadecimal digits",
        JsonErrorKind::InvalidEscape => "write \\\\ for a backslash",
        JsonErrorKind::Syntax(_) => "JSON is described in RFC 8259",
    }
}
