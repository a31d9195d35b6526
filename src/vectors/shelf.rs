//! Where published files stand: in the program, or in a directory.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::load::LoadError;
use super::manifest::{self, MANIFEST, Manifest};
use super::publish::EXCHANGES;
use super::released::RELEASED;
use super::schema;
use super::subject::SUBJECTS;
use crate::exchanges;

/// No published file is nearly as large, in MiB.
const LIMIT: u64 = 16;

/// The directory of released manifests, below that of the files.
const ARCHIVE: &str = "released";

/// A file's bytes, or why they cannot be read.
type Contents = Result<Vec<u8>, LoadError>;

/// A place where published files stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shelf<'d> {
    /// Those that the program carries.
    Carried,
    /// Those in a directory.
    Directory(&'d Path),
}

/// The names of all files that this version publishes, but for the manifest.
pub(super) fn names() -> BTreeSet<String> {
    let of_cases = SUBJECTS.iter().map(|row| row.subject.file());
    let others = [EXCHANGES.to_owned()];
    of_cases.chain(others).chain(schema::texts().iter().map(|(file, _)| file.clone())).collect()
}

impl Shelf<'_> {
    /// A file's bytes; none where it is not there.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unreadable`], also for a file that is larger than any that is published.
    pub(super) fn read(self, file: &str) -> Result<Option<Cow<'static, [u8]>>, LoadError> {
        match self {
            Self::Carried => Ok(carried(file)),
            Self::Directory(directory) => {
                read_bounded(&directory.join(file)).map(|bytes| bytes.map(Cow::Owned))
            }
        }
    }

    /// JSON files in the directory, but for manifests: names below it, in order.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unreadable`]
    pub(super) fn files(self) -> Result<BTreeSet<String>, LoadError> {
        let Self::Directory(directory) = self else { return Ok(names()) };
        let mut files = json_files(directory)?;
        files.remove(MANIFEST);
        if directory.join("schemas").is_dir() {
            files
                .extend(json_files(&directory.join("schemas"))?.iter().map(|name| format!("schemas/{name}")));
        }
        Ok(files)
    }

    /// Its manifest, which every directory of vectors has.
    ///
    /// # Errors
    ///
    /// [`LoadError`], which names the directory.
    pub(super) fn manifest(self) -> Result<(Manifest, Cow<'static, [u8]>), LoadError> {
        let Self::Directory(directory) = self else {
            let bytes = manifest::PUBLISHED.as_bytes();
            return Ok((Manifest::load(MANIFEST, bytes)?, Cow::Borrowed(bytes)));
        };
        is_directory(directory)?;
        let path = directory.join(MANIFEST);
        let bytes = read_bounded(&path)?.ok_or_else(|| {
            let message = format!("no {MANIFEST}, so these are no vectors");
            let error = io::Error::new(io::ErrorKind::NotFound, message);
            LoadError::Unreadable { file: directory.display().to_string(), error }
        })?;
        Ok((Manifest::load(&path.display().to_string(), &bytes)?, Cow::Owned(bytes)))
    }

    /// The manifests of released versions: file name, and bytes.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unreadable`] where the directory cannot be read; each file may have its own error.
    pub(super) fn released(self) -> Result<Vec<(String, Contents)>, LoadError> {
        let Self::Directory(directory) = self else {
            let file = |(version, text): &(&str, &str)| {
                (format!("{ARCHIVE}/{version}.json"), Ok(text.as_bytes().to_vec()))
            };
            return Ok(RELEASED.iter().map(file).collect());
        };
        let archive = directory.join(ARCHIVE);
        if !archive.is_dir() {
            return Ok(Vec::new());
        }
        let read = |name: String| {
            let bytes = read_bounded(&archive.join(&name)).map(Option::unwrap_or_default);
            (format!("{ARCHIVE}/{name}"), bytes)
        };
        Ok(json_files(&archive)?.into_iter().map(read).collect())
    }
}

fn carried(file: &str) -> Option<Cow<'static, [u8]>> {
    if let Some(row) = SUBJECTS.iter().find(|row| row.subject.file() == file) {
        return Some(Cow::Borrowed(row.published.as_bytes()));
    }
    if file == EXCHANGES {
        return Some(Cow::Borrowed(exchanges::PUBLISHED.as_bytes()));
    }
    let (_, text) = schema::texts().iter().find(|(name, _)| name == file)?;
    Some(Cow::Borrowed(text.as_bytes()))
}

/// Says of what is no directory what it is instead.
fn is_directory(path: &Path) -> Result<(), LoadError> {
    let error = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => io::Error::new(io::ErrorKind::NotADirectory, "is a file, and not a directory"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            io::Error::new(io::ErrorKind::NotFound, "there is no such directory")
        }
        Err(error) => error,
    };
    Err(LoadError::Unreadable { file: path.display().to_string(), error })
}

/// A file's bytes; none where it is not there.
pub(crate) fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, LoadError> {
    let failed = |error| LoadError::Unreadable { file: path.display().to_string(), error };
    // Asked before it is opened: a pipe would be waited for.
    let file = fs::metadata(path).and_then(|metadata| match metadata.file_type() {
        kind if kind.is_file() => File::open(path),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::other("no regular file")),
    });
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take((LIMIT << 20) + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LIMIT << 20 {
        let message = format!("larger than {LIMIT} MiB, which no such file is");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, message)));
    }
    Ok(Some(bytes))
}

fn json_files(directory: &Path) -> Result<BTreeSet<String>, LoadError> {
    let failed = |error| LoadError::Unreadable { file: directory.display().to_string(), error };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            names.insert(name);
        }
    }
    Ok(names)
}
