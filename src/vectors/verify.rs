//! Derives every value of the vectors again, and compares the files with their manifest.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::document::{Case, Document};
use super::fault::{Fault, RESTORE};
use super::generate::derive;
use super::load::{LoadError, load};
use super::manifest::{MANIFEST, Manifest, case_digest, sha256};
use super::provenance;
use super::publish::EXCHANGES;
use super::released::{self, released};
use super::shelf::Shelf;
use super::subject::{SUBJECTS, Subject};
use crate::exchanges;

/// What came of verifying a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 (hex) over it.
    pub manifest_digest: String,
    /// The released versions whose cases were looked for.
    pub released: Vec<String>,
    /// File by file, as far as they could be read.
    pub files: Vec<FileSummary>,
    /// What else does not hold: what is not as the manifest or a released one has it, and what cannot be read.
    pub faults: Vec<Fault>,
}

/// What came of verifying a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// Its name.
    pub file: String,
    /// How many cases it has.
    pub cases: usize,
    /// How many values were derived again.
    pub values: usize,
    /// Those that came out otherwise.
    pub differences: Vec<Difference>,
}

/// A value that does not come out as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file's name.
    pub file: String,
    /// The case's id.
    pub case: String,
    /// The field, e.g. `expected.sha256` or `wrong.padded`.
    pub field: String,
    /// What the file says.
    pub expected: String,
    /// What our code derives.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, case, field, expected, actual } = self;
        write!(f, "{file}: {case}: {field}: the file has {expected}, derived again it is {actual}; {RESTORE}")
    }
}

impl Summary {
    /// Whether every value came out as its file has it, and every file is as the manifest has it.
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.files.iter().all(|file| file.differences.is_empty())
    }
}

/// Derives every value again and compares every file with the manifest: in a directory, or as the program carries them.
///
/// # Errors
///
/// [`LoadError`] where there is no manifest that can be read, or the directory cannot be. Everything else that does
/// not hold is in the summary.
pub fn verify(directory: Option<&Path>) -> Result<Summary, LoadError> {
    let shelf = directory.map_or(Shelf::Carried, Shelf::Directory);
    let Some(bytes) = shelf.read(MANIFEST)? else {
        let path = directory.unwrap_or(Path::new("")).join(MANIFEST);
        return Err(LoadError::Unreadable {
            file: path.display().to_string(),
            error: std::io::ErrorKind::NotFound.into(),
        });
    };
    let manifest = Manifest::load(MANIFEST, &bytes)?;
    let mut faults = provenance::check(shelf, &manifest)?;
    let mut files = Vec::new();
    for row in SUBJECTS {
        // A file that is not there is told of already.
        let verified = shelf.read(&row.subject.file()).transpose().map(|bytes| {
            let document = load(row.subject, &bytes?)?;
            Ok((verify_document(row.subject, &document)?, document))
        });
        match verified {
            Some(Ok((file, document))) => {
                faults.extend(as_listed(row.subject, &document, &manifest));
                files.push(file);
            }
            Some(Err(error)) => faults.push(Fault::unreadable(&row.subject.file(), error)),
            None => {}
        }
    }
    faults.extend(of_exchanges(shelf)?);
    let released = released(shelf)?;
    faults.extend(released.iter().flat_map(|(_, released)| released::check(released, &manifest)));
    let released = released.into_iter().map(|(_, released)| released.version).collect();
    Ok(Summary { manifest_digest: sha256(&bytes), manifest, released, files, faults })
}

/// What contradicts itself in the golden exchanges; that they are there is the manifest's to say.
fn of_exchanges(shelf: Shelf<'_>) -> Result<Vec<Fault>, LoadError> {
    let Some(bytes) = shelf.read(EXCHANGES)? else { return Ok(Vec::new()) };
    Ok(match serde_json::from_slice(&bytes) {
        Ok(exchanges) => {
            let fault = |fault: exchanges::Fault| {
                Fault::of(EXCHANGES, fault.message).case(&fault.exchange).field(fault.field)
            };
            exchanges::check(&exchanges).into_iter().map(fault).collect()
        }
        Err(error) => {
            let (file, message) = (EXCHANGES.to_owned(), error.to_string());
            vec![Fault::unreadable(EXCHANGES, LoadError::Shape { file, message })]
        }
    })
}

/// Names each case that is not the one in the manifest, unless a difference of what is derived tells all of it.
fn as_listed(subject: &dyn Subject, document: &Document, manifest: &Manifest) -> Vec<Fault> {
    let file = subject.file();
    let none = Default::default();
    let listed = manifest.file(&file).and_then(|entry| entry.cases.as_ref()).unwrap_or(&none);
    let fault = |id: &str, field: &str, message: String| Fault::of(&file, message).case(id).field(field);
    let mut faults = Vec::new();
    for case in document.cases() {
        let ours = || derived(subject, document, case).map(|derived| case_digest(&derived));
        match listed.get(&case.id) {
            None => faults.push(fault(
                &case.id,
                "id",
                format!("not in {MANIFEST}, so it was added by hand: add it to the source and generate the file again"),
            )),
            Some(digest) if *digest == case_digest(case) || ours().is_ok_and(|ours| ours == *digest) => {}
            Some(_) => faults.push(fault(
                &case.id,
                "input",
                format!("not the one that {MANIFEST} has the digest of; {RESTORE}"),
            )),
        }
    }
    let gone = |id: &&String| document.cases().all(|case| case.id != **id);
    let missing = |id: &String| fault(id, "id", format!("in {MANIFEST}, and not in the file; {RESTORE}"));
    faults.extend(listed.keys().filter(gone).map(missing));
    faults
}

/// Derives every value of one file again.
///
/// # Errors
///
/// As [`verify`].
pub fn verify_text(subject: &dyn Subject, bytes: &[u8]) -> Result<FileSummary, LoadError> {
    verify_document(subject, &load(subject, bytes)?)
}

fn verify_document(subject: &dyn Subject, document: &Document) -> Result<FileSummary, LoadError> {
    let mut summary = FileSummary {
        file: subject.file(),
        cases: document.cases().count(),
        values: 0,
        differences: Vec::new(),
    };
    for case in document.cases() {
        compare(case, &derived(subject, document, case)?, &mut summary);
    }
    Ok(summary)
}

fn derived(subject: &dyn Subject, document: &Document, case: &Case) -> Result<Case, LoadError> {
    let mut derived = case.clone();
    derive(subject, &document.flags, &mut derived).map_err(|error| LoadError::Case {
        file: subject.file(),
        case: case.id.clone(),
        message: error.to_string(),
    })?;
    Ok(derived)
}

/// Compares whatever is derived, and names each field that differs.
fn compare(case: &Case, derived: &Case, summary: &mut FileSummary) {
    let mut equal = |field: String, expected: Option<&Value>, actual: Option<&Value>| {
        summary.values += 1;
        if expected != actual {
            let word = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            let (expected, actual) = (word(expected), word(actual));
            let (file, case) = (summary.file.clone(), case.id.clone());
            summary.differences.push(Difference { file, case, field, expected, actual });
        }
    };
    let (file, ours) = (value(case), value(derived));
    for field in ["result", "failure", "also"] {
        if file.get(field).is_some() || ours.get(field).is_some() {
            equal(field.to_owned(), file.get(field), ours.get(field));
        }
    }
    for field in ["expected", "wrong"] {
        let of = |case: &Value| case.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
        let (file, ours) = (of(&file), of(&ours));
        for key in file.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            equal(format!("{field}.{key}"), file.get(key), ours.get(key));
        }
    }
}

fn value(case: &impl Serialize) -> Value {
    // A case has no key that is no string, so this cannot fail.
    serde_json::to_value(case).unwrap_or_default()
}
