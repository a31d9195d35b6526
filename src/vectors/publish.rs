//! What is published: every file of `vectors/`, made anew from its source.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::document::Document;
use super::generate::{GenerateError, generate, to_text};
use super::manifest::{FileEntry, MANIFEST, Manifest};
use super::schema;
use super::shelf::{Shelf, names, read_bounded};
use super::subject::SUBJECTS;
use crate::exchanges::Exchanges;
use crate::files::unnamed_in;

/// The file of the golden exchanges.
pub const EXCHANGES: &str = "exchanges.json";

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its path below the directory, e.g. `schemas/union.schema.json`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A source comes to no file.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A file cannot be written.
    #[error("{}: {error}", path.display())]
    Write {
        /// The file, or its directory.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

/// Every published file, the manifest last. The exchanges are those that were recorded.
///
/// # Errors
///
/// [`GenerateError`] where a source comes to no file.
pub fn published(exchanges: &Exchanges) -> Result<Vec<Published>, GenerateError> {
    let (mut files, mut entries) = (Vec::new(), Vec::new());
    let mut add = |file: String, text: String, document: Option<&Document>| {
        entries.push(FileEntry::of(&file, &text, document));
        files.push(Published { file, text });
    };
    for row in SUBJECTS {
        let document = generate(row.subject, row.source)?;
        add(row.subject.file(), to_text(&document), Some(&document));
    }
    add(EXCHANGES.to_owned(), to_text(exchanges), None);
    for (file, text) in schema::texts() {
        add(file.clone(), text.clone(), None);
    }
    files.push(Published { file: MANIFEST.to_owned(), text: to_text(&Manifest::of(entries)) });
    Ok(files)
}

/// What was written into a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many files.
    pub files: usize,
    /// How many of them were there, just so, before.
    pub unchanged: usize,
    /// JSON files in the directory that are not published: names below it, in order.
    pub strangers: Vec<String>,
}

/// Writes every published file into a directory, which is made where it is missing. No file there is replaced before
/// all of them are written, and the manifest is replaced last: what was interrupted does not verify.
///
/// # Errors
///
/// [`PublishError`] where a source comes to no file, or a file cannot be written.
pub fn publish(directory: &Path, exchanges: &Exchanges) -> Result<Written, PublishError> {
    let files = published(exchanges)?;
    // What cannot be read is not as it is to be.
    let is_there = |file: &&Published| {
        let there = read_bounded(&directory.join(&file.file)).ok().flatten();
        there.is_some_and(|bytes| bytes == file.text.as_bytes())
    };
    let unchanged = files.iter().filter(is_there).count();
    let written: Vec<(NamedTempFile, PathBuf)> =
        files.iter().map(|file| beside(&directory.join(&file.file), &file.text)).collect::<Result<_, _>>()?;
    for (file, path) in written {
        if let Err(error) = file.persist(&path) {
            return Err(PublishError::Write { path, error: error.error });
        }
    }
    let known = names();
    let there = Shelf::Directory(directory).files().unwrap_or_default();
    let strangers = there.difference(&known).cloned().collect();
    Ok(Written { files: files.len(), unchanged, strangers })
}

/// Writes a file whole, or leaves what is there.
pub(super) fn write(path: &Path, text: &str) -> Result<(), PublishError> {
    let (file, path) = beside(path, text)?;
    file.persist(&path).map(drop).map_err(|error| PublishError::Write { path, error: error.error })
}

/// Writes a text beside the file that it is to become.
fn beside(path: &Path, text: &str) -> Result<(NamedTempFile, PathBuf), PublishError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| PublishError::Write { path, error }
    };
    if path.is_dir() {
        return Err(failed(path)(io::ErrorKind::IsADirectory.into()));
    }
    if directory.is_file() {
        let error = io::Error::new(io::ErrorKind::NotADirectory, "is a file, and not a directory");
        return Err(failed(directory)(error));
    }
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let mut file = unnamed_in(directory, None).map_err(failed(directory))?;
    file.write_all(text.as_bytes()).map_err(failed(path))?;
    Ok((file, path.to_owned()))
}
