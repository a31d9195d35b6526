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
    /// Whether the file could not be read, so that nothing is known of the rest of it.
    pub unreadable: bool,
}

impl Fault {
    /// Of a whole file.
    pub(super) fn of(file: &str, message: impl Into<String>) -> Self {
        let (file, message) = (file.to_owned(), message.into());
        Self { file, case: None, field: None, message, unreadable: false }
    }

    /// In a case of it.
    pub(super) fn case(self, case: &str) -> Self {
        Self { case: Some(case.to_owned()), ..self }
    }

    /// In a field of it.
    pub(super) fn field(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// Of a file that cannot be read.
    pub(super) fn unreadable(file: &str, error: LoadError) -> Self {
        let (case, message) = match error {
            LoadError::Unreadable { error, .. } => (None, format!("{error}; {RESTORE}")),
            LoadError::Json { error, .. } => (None, format!("{error}; {RESTORE}")),
            LoadError::Shape { message, .. } => (None, format!("{message}; {RESTORE}")),
            LoadError::Case { case, message, .. } => (Some(case), format!("{message}; {RESTORE}")),
        };
        Self { case, unreadable: true, ..Self::of(file, message) }
    }
}

/// What to do about a file that is not as it was published.
pub(super) const RESTORE: &str = "get the file again, or generate it again";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        for part in [&self.case, &self.field].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}
