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
    let mut builder = tempfile::Builder::new();
    let permissions = permissions.or_else(everybodys);
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let temp = builder.prefix(".capcheck-").suffix(".tmp").tempfile_in(path.parent().unwrap_or(&parent));
    Ok((temp.map_err(|error| error.to_string())?, path))
}

/// What a new file gets, less the umask: a temporary file would be the owner's alone.
#[cfg(unix)]
fn everybodys() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o666))
}

/// Elsewhere the system decides.
#[cfg(not(unix))]
fn everybodys() -> Option<fs::Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn specs(dir: &Path, specs: &[&str]) -> Vec<ReportSpec> {
        specs.iter().map(|spec| spec.replace("DIR", dir.to_str().unwrap()).parse().unwrap()).collect()
    }

    fn refused(dir: &Path, asked: &[&str]) -> String {
        Sinks::open(&specs(dir, asked)).unwrap_err().to_string().replace(dir.to_str().unwrap(), "DIR")
    }

    fn files(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_report_is_written_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut sinks = Sinks::open(&specs(dir.path(), &["json=DIR/a.json", "junit=DIR/a.xml"])).unwrap();
        assert!(!sinks.uses_stdout());
        sinks.on(&Event::Finished(&fixture::conformant())).unwrap();
        drop(sinks);
        assert_eq!(files(dir.path()), ["a.json", "a.xml"]);
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.path().join("a.json")).unwrap()).unwrap();
        assert_eq!(json["verdict"], "conformant");
        let xml = fs::read_to_string(dir.path().join("a.xml")).unwrap();
        assert_eq!(quick_junit::Report::deserialize_from_str(&xml).unwrap().tests, 4);
    }

    #[test]
    fn what_cannot_be_opened_is_known_before_the_run() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        let cases = [
            (
                "json=DIR/no/a.json",
                "cannot write the json report to DIR/no/a.json: the directory DIR/no does not exist",
            ),
            ("junit=DIR/folder", "cannot write the junit report to DIR/folder: it is a directory"),
            (
                "json=DIR/file/a.json",
                "cannot write the json report to DIR/file/a.json: Not a directory (os error 20)",
            ),
        ];
        for (asked, message) in cases {
            assert_eq!(refused(dir.path(), &[asked]), message);
        }
        assert_eq!(files(dir.path()), ["file", "folder"], "nothing may be left behind");
    }

    #[test]
    fn two_reports_never_share_a_place() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        let same = ["json=DIR/a", "junit=DIR/folder/../a"];
        assert_eq!(
            refused(dir.path(), &same),
            "two reports go to DIR/folder/../a: give each a place of its own"
        );
        let stdout = ["json=-", "junit=-"];
        assert_eq!(refused(dir.path(), &stdout), "two reports go to stdout: give each a place of its own");
        assert!(Sinks::open(&specs(dir.path(), &["json=-", "junit=DIR/a"])).unwrap().uses_stdout());
    }

    #[test]
    fn a_run_that_never_ends_leaves_the_old_report_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("old.json"), "old").unwrap();
        drop(Sinks::open(&specs(dir.path(), &["json=DIR/old.json", "junit=DIR/new.xml"])).unwrap());
        assert_eq!(files(dir.path()), ["old.json"]);
        assert_eq!(fs::read_to_string(dir.path().join("old.json")).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.json"), dir.path().join("link.json"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        let mut sinks = Sinks::open(&specs(dir.path(), &["json=DIR/link.json"])).unwrap();
        assert!(sinks.write(&fixture::conformant()).is_empty());
        assert!(link.is_symlink() && fs::read(&real).unwrap().starts_with(b"{"));
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    /// `/dev/full` opens like any file and has never room.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_keeps_no_other_report_from_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut sinks = Sinks::open(&specs(dir.path(), &["junit=/dev/full", "json=DIR/a.json"])).unwrap();
        let errors: Vec<String> =
            sinks.write(&fixture::conformant()).iter().map(ToString::to_string).collect();
        let full = "cannot finish the junit report to /dev/full: No space left on device (os error 28)";
        assert_eq!(errors, [full]);
        assert_eq!(files(dir.path()), ["a.json"]);
        assert!(Path::new("/dev/full").exists(), "a device is written to and never replaced");
    }
}
