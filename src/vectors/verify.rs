//! Derives every value of the vectors again.

use std::fmt;
use std::path::Path;

use super::file::{Answer, Case, File, HashString, Invalid, Reading, Subject, Union, Valid};
use super::load::{LoadError, load};
use crate::spec::canonical::{self, Json};
use crate::spec::capability::{CapabilitySet, SetError};
use crate::spec::hash::{CapabilityHash, HashError};
use crate::spec::mistake;

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
    pub file: &'static str,
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
    pub file: &'static str,
    /// The case's id.
    pub case: String,
    /// The field, e.g. `sha256` or `wrong.padded`.
    pub field: String,
    /// What the file says.
    pub expected: String,
    /// What our code derives.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, case, field, expected, actual } = self;
        write!(f, "{file}: {case}: {field}: the file has {expected:?}, derived again it is {actual:?}")
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
    let file = |subject: Subject| match directory {
        None => verify_text(subject, subject.embedded().as_bytes()),
        Some(directory) => {
            let path = directory.join(subject.file_name());
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            verify_text(subject, &bytes)
        }
    };
    Subject::ALL.into_iter().map(file).collect::<Result<_, _>>().map(|files| Summary { files })
}

fn unreadable(path: &Path, error: std::io::Error) -> LoadError {
    LoadError::Unreadable { file: path.display().to_string(), error }
}

/// A file of vectors with a typo in its name must not go unverified in silence.
fn refuse_unknown_files(directory: &Path) -> Result<(), LoadError> {
    let known = Subject::ALL.map(Subject::file_name);
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
pub fn verify_text(subject: Subject, bytes: &[u8]) -> Result<FileSummary, LoadError> {
    match subject {
        Subject::CanonicalJson => each(subject, bytes, |case, check| reading(case, any_value, check)),
        Subject::CapabilityHash => each(subject, bytes, |case, check| reading(case, set, check)),
        Subject::Union => each(subject, bytes, union),
        Subject::HashStrings => each(subject, bytes, hash_string),
    }
}

/// Collects what is compared within a case.
struct Check<'a> {
    case: String,
    summary: &'a mut FileSummary,
}

impl Check<'_> {
    fn equal(&mut self, field: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) {
        let (expected, actual) = (expected.into(), actual.into());
        self.summary.values += 1;
        if expected != actual {
            let (file, case) = (self.summary.file, self.case.clone());
            self.summary.differences.push(Difference { file, case, field: field.into(), expected, actual });
        }
    }
}

fn each<C: Case>(
    subject: Subject,
    bytes: &[u8],
    verify: impl Fn(&C, &mut Check<'_>),
) -> Result<FileSummary, LoadError> {
    let file: File<C> = load(subject.file_name(), bytes)?;
    let mut summary = FileSummary {
        file: subject.file_name(),
        cases: file.cases.len(),
        values: 0,
        differences: Vec::new(),
    };
    for case in &file.cases {
        verify(case, &mut Check { case: case.id().to_owned(), summary: &mut summary });
    }
    Ok(summary)
}

/// How a subject reads its inputs.
type Read = fn(&[u8]) -> Result<Json, SetError>;

fn any_value(bytes: &[u8]) -> Result<Json, SetError> {
    canonical::parse(bytes).map_err(SetError::Json)
}

fn set(bytes: &[u8]) -> Result<Json, SetError> {
    CapabilitySet::parse(bytes).map(|set| set.to_json())
}

fn reading(case: &Reading, read: Read, check: &mut Check<'_>) {
    match case {
        Reading::Valid(case) => valid(case, read, check),
        Reading::Invalid(case) => invalid(case, read, check),
    }
}

fn valid(case: &Valid, read: Read, check: &mut Check<'_>) {
    let value = match read(case.input.as_bytes()) {
        Ok(value) => value,
        Err(error) => return check.equal("result", "valid", format!("invalid: {error}")),
    };
    let canonical = String::from_utf8_lossy(&canonical::to_bytes(&value)).into_owned();
    check.equal("canonical", &case.canonical, &canonical);
    check.equal("sha256", &case.sha256, CapabilityHash::of(canonical.as_bytes()).as_str());
    for (name, hash) in &case.wrong {
        let derived = mistake::find(name).and_then(|m| m.hash_of_text(&case.input, &canonical));
        wrong(name, hash, derived, &case.sha256, check);
    }
}

/// A wrong answer is the one that its mistake gives, and differs from the right one.
fn wrong(name: &str, hash: &str, derived: Option<String>, right: &str, check: &mut Check<'_>) {
    let derived = match derived {
        Some(derived) if derived == right => "the right answer, which shows nothing".to_owned(),
        Some(derived) => derived,
        None => "no mistake that this suite knows".to_owned(),
    };
    check.equal(format!("wrong.{name}"), hash, derived);
}

fn invalid(case: &Invalid, read: Read, check: &mut Check<'_>) {
    let Some(bytes) = case.bytes() else {
        return check.equal("input", "either input or input_hex", "neither, both, or no hexadecimal");
    };
    let (name, offset) = match read(&bytes) {
        Ok(_) => return check.equal("result", "invalid", "valid"),
        Err(error) => match &error {
            SetError::Json(place) => (error.name(), Some(place.offset)),
            _ => (error.name(), None),
        },
    };
    let place = |offset: Option<usize>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    check.equal("mistake", &case.mistake, name);
    check.equal("offset", place(case.offset), place(offset));
}

fn union(case: &Union, check: &mut Check<'_>) {
    let mut sets = Vec::new();
    for (i, text) in case.sets.iter().enumerate() {
        match CapabilitySet::parse(text.as_bytes()) {
            Ok(set) => sets.push(set),
            Err(error) => return check.equal(format!("sets[{i}]"), "a capability set", error.to_string()),
        }
    }
    let union = CapabilitySet::union(&sets);
    check.equal("canonical", &case.canonical, String::from_utf8_lossy(&union.canonical_bytes()));
    check.equal("sha256", &case.sha256, union.hash().as_str());
    for (name, hash) in &case.wrong {
        let derived = mistake::find(name).and_then(|m| m.hash_of_union(&sets));
        wrong(name, hash, derived, &case.sha256, check);
    }
}

fn hash_string(case: &HashString, check: &mut Check<'_>) {
    let mistake = match CapabilityHash::parse(&case.text) {
        Ok(_) => "none",
        Err(HashError::Length(_)) => "length",
        Err(HashError::Alphabet { .. }) => "alphabet",
        Err(HashError::LastCharacter(_)) => "last-character",
    };
    let answer = if mistake == "none" { Answer::Valid } else { Answer::Invalid };
    let word = |answer| if answer == Answer::Valid { "valid" } else { "invalid" };
    check.equal("result", word(case.result), word(answer));
    check.equal("mistake", case.mistake.as_deref().unwrap_or("none"), mistake);
}
