//! Text to a typed document, refusing whatever is not exactly as it should be.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::document::{Case, Document, SCHEMA_VERSION};
use super::subject::Subject;
use crate::spec::canonical::{self, JsonError};

/// Why a file of vectors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file, or its directory, cannot be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// The path.
        file: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// Not JSON: truncated, perhaps.
    #[error("{file}: {error}")]
    Json {
        /// The file's name.
        file: String,
        /// The mistake and its place.
        error: JsonError,
    },
    /// JSON with a missing, unknown or mistyped field outside the cases.
    #[error("{file}: {message}")]
    Shape {
        /// The file's name.
        file: String,
        /// What the field is and what was expected.
        message: String,
    },
    /// A case with a missing, unknown or mistyped field, or an id that is taken.
    #[error("{file}: {case}: {message}")]
    Case {
        /// The file's name.
        file: String,
        /// The case: its id, or its place where it has none.
        case: String,
        /// What the field is and what was expected.
        message: String,
    },
}

/// Reads a published file of a subject.
///
/// # Errors
///
/// [`LoadError`] for whatever is not JSON, is about another subject, does not have just the fields it must, gives two
/// cases one id, or names a flag, mistake or failure that the file does not explain.
pub fn load(subject: &dyn Subject, bytes: &[u8]) -> Result<Document, LoadError> {
    let file = subject.file();
    let shape = |message: String| LoadError::Shape { file: file.clone(), message };
    let raw = parse(&file, bytes)?;
    each_case_is_typed(&file, &raw)?;
    let document: Document = serde_json::from_value(raw).map_err(|error| shape(error.to_string()))?;
    if document.subject != subject.name() {
        return Err(shape(format!("subject is {:?}, expected {:?}", document.subject, subject.name())));
    }
    if document.cases().next().is_none() {
        return Err(shape("there are no cases".to_owned()));
    }
    each_case_is_explained(subject, &document)?;
    Ok(document)
}

/// Reads JSON of a version that this suite knows.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Value, LoadError> {
    canonical::parse(bytes).map_err(|error| LoadError::Json { file: file.to_owned(), error })?;
    let shape = |message: String| LoadError::Shape { file: file.to_owned(), message };
    let raw: Value = serde_json::from_slice(bytes).map_err(|error| shape(error.to_string()))?;
    // Told before the shape: another version may well have another.
    match raw.get("schema_version").and_then(Value::as_u64) {
        Some(version) if version != u64::from(SCHEMA_VERSION) => {
            Err(shape(format!("schema_version is {version}, this suite reads {SCHEMA_VERSION}")))
        }
        _ => Ok(raw),
    }
}

/// Reads the cases one by one, so that an error names the case.
fn each_case_is_typed(file: &str, raw: &Value) -> Result<(), LoadError> {
    for (g, group) in list(raw, "groups").iter().enumerate() {
        for (c, value) in list(group, "cases").iter().enumerate() {
            if let Err(error) = Case::deserialize(value) {
                let id = value.get("id").and_then(Value::as_str);
                let case = id.map_or_else(|| format!("groups[{g}].cases[{c}]"), str::to_owned);
                return Err(LoadError::Case { file: file.to_owned(), case, message: error.to_string() });
            }
        }
    }
    Ok(())
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn each_case_is_explained(subject: &dyn Subject, document: &Document) -> Result<(), LoadError> {
    let mut ids = HashSet::new();
    for case in document.cases() {
        let fault =
            |message: String| Err(LoadError::Case { file: subject.file(), case: case.id.clone(), message });
        if !case.id.starts_with(subject.prefix()) {
            return fault(format!("id: must begin with {:?}", subject.prefix()));
        }
        if !ids.insert(&case.id) {
            return fault("id: taken by an earlier case".to_owned());
        }
        if let Some(flag) = case.flags.iter().find(|flag| !document.flags.contains_key(*flag)) {
            return fault(format!("flags: {flag:?} is not explained under `flags`"));
        }
        if let Some(name) = case.wrong.keys().find(|name| !document.mistakes.contains_key(*name)) {
            return fault(format!("wrong: {name:?} is not explained under `mistakes`"));
        }
        if let Some(failure) = case.failure.iter().find(|failure| !document.failures.contains_key(*failure)) {
            return fault(format!("failure: {failure:?} is not explained under `failures`"));
        }
    }
    Ok(())
}
