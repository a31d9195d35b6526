//! Derives every value of the vectors again.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::document::{Case, Document};
use super::generate::derive;
use super::load::{LoadError, load};
use super::subject::{Carried, SUBJECTS, Subject};

/// What came of verifying a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// File by file.
    pub files: Vec<FileSummary>,
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
        write!(f, "{file}: {case}: {field}: the file has {expected}, derived again it is {actual}")
    }
}

impl Summary {
    /// Whether every value came out as its file has it.
    pub fn holds(&self) -> bool {
        self.files.iter().all(|file| file.differences.is_empty())
    }
}

/// Derives every value again: of the files in a directory, or of those that the binary carries.
///
/// # Errors
///
/// [`LoadError`] where a file is missing, unknown, unreadable, truncated or malformed. Values that
/// come out otherwise are no error but [differences](FileSummary::differences).
pub fn verify(directory: Option<&Path>) -> Result<Summary, LoadError> {
    if let Some(directory) = directory {
        refuse_unknown_files(directory)?;
    }
    let file = |carried: &Carried| match directory {
        None => verify_text(carried.subject, carried.published.as_bytes()),
        Some(directory) => {
            let path = directory.join(carried.subject.file());
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            verify_text(carried.subject, &bytes)
        }
    };
    SUBJECTS.iter().map(file).collect::<Result<_, _>>().map(|files| Summary { files })
}

fn unreadable(path: &Path, error: std::io::Error) -> LoadError {
    LoadError::Unreadable { file: path.display().to_string(), error }
}

/// A file of vectors with a typo in its name must not go unverified in silence.
fn refuse_unknown_files(directory: &Path) -> Result<(), LoadError> {
    let known: Vec<String> = SUBJECTS.iter().map(|carried| carried.subject.file()).collect();
    for entry in std::fs::read_dir(directory).map_err(|error| unreadable(directory, error))? {
        let path = entry.map_err(|error| unreadable(directory, error))?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && !known.iter().any(|name| path.ends_with(name)) {
            let file = path.display().to_string();
            return Err(LoadError::UnknownFile { file, known: known.join(", ") });
        }
    }
    Ok(())
}

/// Derives every value of one file again.
///
/// # Errors
///
/// As [`verify`].
pub fn verify_text(subject: &dyn Subject, bytes: &[u8]) -> Result<FileSummary, LoadError> {
    let document = load(subject, bytes)?;
    let mut summary = FileSummary {
        file: subject.file(),
        cases: document.cases().count(),
        values: 0,
        differences: Vec::new(),
    };
    for case in document.cases() {
        compare(case, &derived(subject, &document, case)?, &mut summary);
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
