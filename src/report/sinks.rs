//! The reports of a run or a test: every place is opened before it, every report is whole or not there.

use std::io;

use crate::engine::event::{Event, Reporter};
use crate::engine::result::RunResult;

use super::place::Place;
use super::spec::{Destination, Format, ReportSpec};
use super::{json, junit};

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Two reports would overwrite each other.
    #[error("two reports go to {0}: give each a place of its own")]
    SamePlace(Destination),
    /// The path cannot be opened, which is known before the run.
    #[error("cannot write the {format} report to {to}: {reason}")]
    Open {
        /// The report's format.
        format: Format,
        /// Where it should have gone.
        to: Destination,
        /// Why.
        reason: String,
    },
    /// Writing failed when the run had ended.
    #[error("cannot finish the {format} report to {to}: {source}")]
    Write {
        /// The report's format.
        format: Format,
        /// Where it should have gone.
        to: Destination,
        /// Why.
        source: io::Error,
    },
}

/// A result that can be told in every [`Format`].
pub trait Reportable {
    /// As JSON.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn json(&self, out: &mut Vec<u8>) -> io::Result<()>;

    /// As JUnit XML.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn junit(&self, out: &mut Vec<u8>) -> io::Result<()>;
}

impl Reportable for RunResult {
    fn json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        json::write(self, out)
    }

    fn junit(&self, out: &mut Vec<u8>) -> io::Result<()> {
        junit::write(self, out)
    }
}

/// Every report that was asked for, open.
#[derive(Debug, Default)]
pub struct Sinks {
    sinks: Vec<Sink>,
}

#[derive(Debug)]
struct Sink {
    spec: ReportSpec,
    place: Place,
}

impl Sinks {
    /// Opens a place for each report, before anything is sent to a target.
    pub fn open(specs: &[ReportSpec]) -> Result<Self, ReportError> {
        let mut sinks: Vec<Sink> = Vec::new();
        for spec in specs {
            let place = Place::open(&spec.to).map_err(|reason| unopened(spec, reason))?;
            if sinks.iter().any(|known| known.place.is(&place)) {
                return Err(ReportError::SamePlace(spec.to.clone()));
            }
            sinks.push(Sink { spec: spec.clone(), place });
        }
        Ok(Self { sinks })
    }

    /// Whether a report goes to stdout, which then carries nothing else.
    pub fn uses_stdout(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.place, Place::Stdout))
    }

    /// Writes every report; one that fails does not keep the others from being written.
    ///
    /// A reader of stdout who has left (`| head`) is no error.
    pub fn write(&mut self, result: &impl Reportable) -> Vec<ReportError> {
        self.sinks.iter_mut().filter_map(|sink| sink.write(result).err()).collect()
    }
}

impl Reporter for Sinks {
    /// Writes every report when the run has ended; the error names each that could not be written.
    fn on(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Finished(result) = event else { return Ok(()) };
        let errors: Vec<String> = self.write(*result).iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(()) } else { Err(io::Error::other(errors.join("; "))) }
    }
}

impl Sink {
    fn write(&mut self, result: &impl Reportable) -> Result<(), ReportError> {
        let Sink { spec, place } = self;
        let fail = |source| ReportError::Write { format: spec.format, to: spec.to.clone(), source };
        let mut bytes = Vec::new();
        match spec.format {
            Format::Json => result.json(&mut bytes),
            Format::Junit => result.junit(&mut bytes),
        }
        .map_err(fail)?;
        std::mem::replace(place, Place::Done).finish(&bytes).map_err(fail)
    }
}

fn unopened(spec: &ReportSpec, reason: String) -> ReportError {
    ReportError::Open { format: spec.format, to: spec.to.clone(), reason }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

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
