//! The manifest: what is published, and the digest of every file and case.

use std::sync::LazyLock;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::{Case, Document, SCHEMA_VERSION};
use super::load::{self, LoadError};
use crate::spec::{canonical, requirement};

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";

/// The published manifest, as the program carries it.
pub(super) const PUBLISHED: &str = include_str!("../../vectors/manifest.json");

/// `manifest.json`: what a version of the suite publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `capcheck`.
    pub suite: String,
    /// The version of the suite.
    #[schemars(regex(pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+"))]
    pub version: String,
    /// The program that wrote the files, and its version.
    #[schemars(length(min = 1))]
    pub generator: String,
    /// The version of the files' shapes.
    pub schema_version: u32,
    /// The requirements that the cases speak of.
    pub requirements: Requirements,
    /// Every published file but this one, in the order of names.
    #[schemars(length(min = 1))]
    pub files: Vec<FileEntry>,
}

/// Which requirements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// The day of the draft and the project's count, e.g. `2014-12-31.1`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\.[1-9][0-9]*$"))]
    pub revision: String,
    /// SHA-256 (hex) over the Canonical JSON of the rows.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its path, from the directory of the manifest.
    #[schemars(regex(pattern = "^([a-z-]+|schemas/[a-z-]+\\.schema)\\.json$"))]
    pub file: String,
    /// SHA-256 (hex) over its bytes.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// How many they are.
    #[schemars(range(min = 1))]
    pub bytes: u64,
    /// For a file of cases: by id, in the order of the file, SHA-256 (hex) over the Canonical JSON of the object of
    /// `id`, `input` and `result`, and of `failure`, `expected` and `also` where the case has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minProperties" = 1,
        "additionalProperties" = { "type": "string", "pattern": "^[0-9a-f]{64}$" }
    ))]
    pub cases: Option<IndexMap<String, String>>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// [`LoadError`] for what is no JSON, or has another shape or version.
    pub fn load(file: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        load::parse(file, bytes)?;
        let shape =
            |error: serde_json::Error| LoadError::Shape { file: file.to_owned(), message: error.to_string() };
        let manifest: Self = serde_json::from_slice(bytes).map_err(shape)?;
        match manifest.suite.as_str() {
            "capcheck" => Ok(manifest),
            other => {
                let message = format!("suite is {other:?}, expected \"capcheck\"");
                Err(LoadError::Shape { file: file.to_owned(), message })
            }
        }
    }

    /// The manifest of this version of the suite.
    pub fn of(mut files: Vec<FileEntry>) -> Self {
        files.sort_by(|a, b| a.file.cmp(&b.file));
        let version = env!("CARGO_PKG_VERSION");
        Self {
            suite: "capcheck".to_owned(),
            version: version.to_owned(),
            generator: format!("capcheck {version}"),
            schema_version: SCHEMA_VERSION,
            requirements: Requirements {
                revision: requirement::revision().to_owned(),
                sha256: requirement::digest().to_owned(),
            },
            files,
        }
    }

    /// Whether it is of the version that this program carries.
    pub fn is_of_this_program(&self) -> bool {
        self.version == env!("CARGO_PKG_VERSION")
    }

    /// What it says of a file.
    pub fn file(&self, file: &str) -> Option<&FileEntry> {
        self.files.iter().find(|entry| entry.file == file)
    }

    /// Every case's id and digest.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &str)> {
        let cases = self.files.iter().filter_map(|file| file.cases.as_ref()).flatten();
        cases.map(|(id, digest)| (id.as_str(), digest.as_str()))
    }
}

impl FileEntry {
    /// The entry of a file with this text, and these cases if it is one of cases.
    pub fn of(file: &str, text: &str, document: Option<&Document>) -> Self {
        Self {
            file: file.to_owned(),
            sha256: sha256(text.as_bytes()),
            bytes: text.len() as u64,
            cases: document
                .map(|document| document.cases().map(|case| (case.id.clone(), case_digest(case))).collect()),
        }
    }
}

/// SHA-256 (hex) over what never changes of a case: id, input and what is to be made of it. Its comment, flags and
/// wrong answers may still be told better.
pub fn case_digest(case: &Case) -> String {
    // A case has no key that is no string, and no number but small integers, so none of this can fail.
    let mut members = serde_json::to_value(case).unwrap_or_default();
    if let Value::Object(members) = &mut members {
        members.retain(|key, _| {
            matches!(key.as_str(), "id" | "input" | "result" | "failure" | "expected" | "also")
        });
    }
    let canonical = canonical::parse(members.to_string().as_bytes()).map(|json| canonical::to_bytes(&json));
    sha256(&canonical.unwrap_or_default())
}

/// SHA-256 (hex) over the bytes of the manifest that the program carries: equal for two reports exactly if the same
/// vectors stood behind them.
pub fn manifest_digest() -> &'static str {
    static DIGEST: LazyLock<String> = LazyLock::new(|| sha256(PUBLISHED.as_bytes()));
    &DIGEST
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
