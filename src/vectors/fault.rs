//! What does not hold of published files.

use std::fmt;

use super::load::LoadError;

/// Something that is not as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// The case's id, if it is about one.
    pub case: Option<String>,
    /// The field, if it is about one.
    pub field: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
    /// How much of the file it leaves unknown.
    pub kind: FaultKind,
}

/// How much of a file a fault leaves unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing: something in the file, or about it, is not as it was published.
    Differs,
    /// All that is in it: it is missing, or no file of vectors.
    NotRead,
    /// All that is in it, and whether it is there as it should be: the operating system does not give it.
    Unreadable,
}

impl Fault {
    /// Of a whole file.
    pub(super) fn of(file: &str, message: impl Into<String>) -> Self {
        let (file, message) = (file.to_owned(), message.into());
        Self { file, case: None, field: None, message, kind: FaultKind::Differs }
    }

    /// In a case of it.
    pub(super) fn case(self, case: &str) -> Self {
        Self { case: Some(case.to_owned()), ..self }
    }

    /// In a field of it.
    pub(super) fn field(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// Of a file that is not there, though it must be.
    pub(super) fn missing(file: &str, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::NotRead, ..Self::of(file, message) }
    }

    /// Of a file that cannot be read, or not as what it should be.
    pub(super) fn unread(file: &str, error: LoadError) -> Self {
        let (kind, case, message) = match error {
            // Another copy would be no easier to read.
            LoadError::Unreadable { error, .. } => (FaultKind::Unreadable, None, error.to_string()),
            LoadError::Json { error, .. } => (FaultKind::NotRead, None, format!("{error}; {RESTORE}")),
            LoadError::Shape { message, .. } => (FaultKind::NotRead, None, format!("{message}; {RESTORE}")),
            LoadError::Case { case, message, .. } => {
                (FaultKind::NotRead, Some(case), format!("{message}; {RESTORE}"))
            }
        };
        Self { case, kind, ..Self::of(file, message) }
    }

    /// What it is, without the file's name.
    pub fn told(&self) -> String {
        let parts = [&self.case, &self.field].into_iter().flatten().chain([&self.message]);
        parts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }
}

/// What to do about a file that is not as it was published.
pub(super) const RESTORE: &str = "get the file again, or generate it again";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.told())
    }
}
