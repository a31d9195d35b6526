//! Text to typed cases, refusing whatever is not exactly as it should be.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::file::{Case, File};
use crate::spec::canonical::{self, JsonError};

/// The version of the files that this suite reads.
const SCHEMA_VERSION: u32 = 1;

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
    /// A file that this suite does not know: it would be skipped in silence.
    #[error("{file}: not a file of vectors; the files are {known}")]
    UnknownFile {
        /// The path.
        file: String,
        /// Those that are.
        known: String,
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
        /// The case: its id, or its number where it has none.
        case: String,
        /// What the field is and what was expected.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    about: String,
    schema_version: u32,
    mistakes: BTreeMap<String, String>,
    cases: Vec<serde_json::Value>,
}

/// Reads a file of vectors. `file` is its name, for errors.
///
/// # Errors
///
/// [`LoadError`] for whatever is not JSON, does not have just the fields it must, gives two cases one
/// id, or names a mistake that the file does not explain.
pub fn load<C: Case>(file: &str, bytes: &[u8]) -> Result<File<C>, LoadError> {
    let file_name = || file.to_owned();
    canonical::parse(bytes).map_err(|error| LoadError::Json { file: file_name(), error })?;
    let shape = |message: String| LoadError::Shape { file: file_name(), message };
    let document: Document = serde_json::from_slice(bytes).map_err(|error| shape(error.to_string()))?;
    if document.schema_version != SCHEMA_VERSION {
        let found = document.schema_version;
        return Err(shape(format!("schema_version is {found}, this suite reads {SCHEMA_VERSION}")));
    }
    if document.cases.is_empty() {
        return Err(shape("there are no cases".to_owned()));
    }

    let mut ids = HashSet::new();
    let mut cases = Vec::new();
    for (i, value) in document.cases.into_iter().enumerate() {
        let id = value.get("id").and_then(serde_json::Value::as_str);
        let case = id.map_or_else(|| format!("case number {}", i + 1), str::to_owned);
        let fault = |message: String| LoadError::Case { file: file_name(), case: case.clone(), message };
        let typed: C = serde_json::from_value(value).map_err(|error| fault(error.to_string()))?;
        if !ids.insert(typed.id().to_owned()) {
            return Err(fault("the id is taken by an earlier case".to_owned()));
        }
        if let Some(name) = typed.mistakes().into_iter().find(|name| !document.mistakes.contains_key(*name)) {
            return Err(fault(format!("the mistake {name:?} is not explained under `mistakes`")));
        }
        cases.push(typed);
    }
    Ok(File { about: document.about, mistakes: document.mistakes, cases })
}
