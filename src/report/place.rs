//! Where something is written: opened before the work begins, and whole or not there when it ends.
//!
//! A file is written beside its path and takes the path's place in one step when it is complete: a run
//! that is interrupted, or a disk that fills up, leaves the old file or the new one and never half of
//! either. What is no regular file (`/dev/null`, a pipe) is opened before the run and written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::spec::Destination;
use crate::files::unnamed_in;

/// Where the bytes go until the report is whole.
#[derive(Debug)]
pub(crate) enum Place {
    Stdout,
    /// A pipe or a device.
    Stream(File),
    /// A file beside the path, and the path it will be.
    Beside(NamedTempFile, PathBuf),
    /// Written already.
    Done,
}

impl Place {
    /// Opens it, or says why it cannot be written to.
    pub(crate) fn open(to: &Destination) -> Result<Self, String> {
        let Destination::File(path) = to else { return Ok(Self::Stdout) };
        if path.is_dir() {
            return Err("it is a directory".to_owned());
        }
        let existing = match OpenOptions::new().write(true).open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.to_string()),
        };
        match existing.map(|file| file.metadata().map(|meta| (file, meta))).transpose() {
            Ok(Some((file, meta))) if !meta.is_file() => Ok(Self::Stream(file)),
            Ok(existing) => {
                let permissions = existing.map(|(_, meta)| meta.permissions());
                beside(path, permissions).map(|(temp, path)| Self::Beside(temp, path))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether both are one place.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stdout, Self::Stdout) => true,
            (Self::Beside(_, one), Self::Beside(_, two)) => one == two,
            _ => false,
        }
    }

    /// Writes all there is to write. A reader of stdout who has left (`| head`) is no error.
    pub(crate) fn finish(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                match out.write_all(bytes).and_then(|()| out.flush()) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    written => written,
                }
            }
            Self::Stream(mut file) => file.write_all(bytes).and_then(|()| file.flush()),
            Self::Beside(mut temp, path) => {
                temp.write_all(bytes)?;
                temp.persist(path).map(drop).map_err(|error| error.error)
            }
            Self::Done => Ok(()),
        }
    }
}

/// A temporary file beside the path, and the path with its links followed, so that a link stays one.
fn beside(path: &Path, permissions: Option<fs::Permissions>) -> Result<(NamedTempFile, PathBuf), String> {
    let name = path.file_name().ok_or("it names no file")?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("the directory {} does not exist", parent.display()),
        _ => error.to_string(),
    })?;
    let path = path.canonicalize().unwrap_or_else(|_| parent.join(name));
    let temp = unnamed_in(path.parent().unwrap_or(&parent), permissions);
    Ok((temp.map_err(|error| error.to_string())?, path))
}
