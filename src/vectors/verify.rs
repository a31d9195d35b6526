//! Derives every value of the vectors again, and compares the files with their manifest.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::document::{Case, Document};
use super::edition;
use super::fault::{Fault, FaultKind, RESTORE};
use super::generate::derive;
use super::load::{self, LoadError, load};
use super::manifest::{MANIFEST, Manifest, case_digest, sha256};
use super::provenance;
use super::publish::EXCHANGES;
use super::released::{self, released};
use super::shelf::Shelf;
use super::subject::{SUBJECTS, Subject};
use crate::exchanges::{self, Exchanges};

/// What came of verifying a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 (hex) over it.
    pub manifest_digest: String,
    /// The released versions whose cases were looked for.
    pub released: Vec<String>,
    /// File of cases by file, as far as they could be read.
    pub files: Vec<FileSummary>,
    /// How many golden exchanges there are, if their file could be read.
    pub exchanges: Option<usize>,
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
/// A manifest of this program's version is compared with the one that the program carries.
///
/// # Errors
///
/// [`LoadError`] where there is no manifest that can be read, or the directory cannot be. Everything else that does
/// not hold is in the summary.
pub fn verify(directory: Option<&Path>) -> Result<Summary, LoadError> {
    let shelf = directory.map_or(Shelf::Carried, Shelf::Directory);
    let (manifest, bytes) = shelf.manifest()?;
    let mut faults = provenance::check(shelf, &manifest)?;
    let mut files = Vec::new();
    for row in SUBJECTS {
        let verify = |bytes: &[u8]| {
            let document = load(row.subject, bytes)?;
            Ok((verify_document(row.subject, &document)?, as_listed(row.subject, &document, &manifest)))
        };
        if let Some((file, others)) = read(shelf, &row.subject.file(), &mut faults, verify) {
            files.push(file);
            faults.extend(others);
        }
    }
    let exchanges = read(shelf, EXCHANGES, &mut faults, exchanges_of).map(|exchanges| {
        faults.extend(contradictions(&exchanges));
        exchanges.exchanges.len()
    });
    let (released, unread) = released(shelf)?;
    faults.extend(unread);
    faults.extend(released.iter().flat_map(|released| released::check(released, &manifest)));
    faults.extend(edition::check(&manifest, &bytes, |file, case| is_told(&files, &faults, file, case))?);
    let released = released.into_iter().map(|released| released.version).collect();
    Ok(Summary { manifest_digest: sha256(&bytes), manifest, released, files, exchanges, faults })
}

/// What a file comes to, if it is there; why it comes to nothing is told in place of all else that is told of it.
fn read<T>(
    shelf: Shelf<'_>,
    file: &str,
    faults: &mut Vec<Fault>,
    load: impl Fn(&[u8]) -> Result<T, LoadError>,
) -> Option<T> {
    if faults.iter().any(|fault| fault.file == file && fault.kind != FaultKind::Differs) {
        return None;
    }
    match shelf.read(file).transpose()?.and_then(|bytes| load(&bytes)) {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            faults.retain(|fault| fault.file != file);
            faults.push(Fault::unread(file, error));
            None
        }
    }
}

/// Whether something is told of a file, or of a case of it.
fn is_told(files: &[FileSummary], faults: &[Fault], file: &str, case: Option<&str>) -> bool {
    let differences = files.iter().flat_map(|file| &file.differences);
    let mut differing = differences.map(|difference| (&difference.file, Some(difference.case.as_str())));
    let mut faulty = faults.iter().map(|fault| (&fault.file, fault.case.as_deref()));
    let is_it = |(of, told): (&String, Option<&str>)| of == file && (case.is_none() || told == case);
    differing.any(is_it) || faulty.any(is_it)
}

fn exchanges_of(bytes: &[u8]) -> Result<Exchanges, LoadError> {
    let raw = load::parse(EXCHANGES, bytes)?;
    let shape = |message: String| LoadError::Shape { file: EXCHANGES.to_owned(), message };
    serde_json::from_value(raw).map_err(|error| shape(error.to_string()))
}

/// What contradicts itself in the golden exchanges.
fn contradictions(exchanges: &Exchanges) -> Vec<Fault> {
    let fault = |fault: exchanges::Fault| {
        Fault::of(EXCHANGES, fault.message).case(&fault.exchange).field(fault.field)
    };
    exchanges::check(exchanges).into_iter().map(fault).collect()
}

/// Names each case that is not the one in the manifest, unless a difference of what is derived tells all of it.
fn as_listed(subject: &dyn Subject, document: &Document, manifest: &Manifest) -> Vec<Fault> {
    let file = subject.file();
    // A file that is not listed is told of as a whole.
    let Some(entry) = manifest.file(&file) else { return Vec::new() };
    let none = Default::default();
    let listed = entry.cases.as_ref().unwrap_or(&none);
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
