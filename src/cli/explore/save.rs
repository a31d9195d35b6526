//! Files for what was found: a failure as JSON, and as a script beside it.
//!
//! Neither replaces what is there already: then both get a number.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::files::unnamed_in;

/// More files than this of one name are no accident.
const MOST: u32 = 10_000;

/// Where failures are saved.
#[derive(Debug)]
pub(super) struct Shelf {
    directory: PathBuf,
    /// The file's name without its extension.
    stem: String,
    extension: String,
}

/// The files of a failure.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) json: PathBuf,
    /// `None` where a shell cannot do it.
    pub(super) script: Option<PathBuf>,
}

impl Shelf {
    /// Shows that files can be made there, before anything is searched; or says why not.
    pub(super) fn new(path: &Path) -> Result<Self, String> {
        let wrong = |reason: String| format!("--save {}: {reason}", path.display());
        if path.is_dir() {
            return Err(wrong("it is a directory".to_owned()));
        }
        let stem = path.file_stem().ok_or_else(|| wrong("it names no file".to_owned()))?;
        let extension = path.extension().map_or("json".into(), |extension| extension.to_string_lossy());
        if extension == "sh" {
            return Err(wrong("that is what the script beside it is called: FILE.json".to_owned()));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new(".")).to_owned();
        let shelf =
            Self { stem: stem.to_string_lossy().into_owned(), extension: extension.into_owned(), directory };
        match shelf.blank() {
            Ok(_) => Ok(shelf),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(wrong(format!("the directory {} does not exist", shelf.directory.display())))
            }
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Saves both under the first number that is free.
    pub(super) fn save(&self, json: &str, script: Option<&str>) -> io::Result<Saved> {
        let full = self.written(json)?;
        let script = script.map(|script| self.written(script)).transpose()?;
        let mut full = full;
        for number in 1..=MOST {
            let paths = [self.path(number, &self.extension), self.path(number, "sh")];
            if paths.iter().any(|path| path.symlink_metadata().is_ok()) {
                continue;
            }
            let [json, sh] = paths;
            match full.persist_noclobber(&json) {
                Ok(_) => {}
                // Somebody else was quicker.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    full = error.file;
                    continue;
                }
                Err(error) => return Err(error.error),
            }
            let script = match script {
                Some(script) => {
                    script.persist_noclobber(&sh).map_err(|error| error.error)?;
                    Some(sh)
                }
                None => None,
            };
            return Ok(Saved { json, script });
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("there are {MOST} of them already")))
    }

    fn path(&self, number: u32, extension: &str) -> PathBuf {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let name = format!("{}{number}.{extension}", self.stem);
        // Told as it was asked for, without a dot in front.
        match self.directory.as_os_str() == "." {
            true => PathBuf::from(name),
            false => self.directory.join(name),
        }
    }

    /// A file beside the others, whole before it has a name.
    fn written(&self, text: &str) -> io::Result<NamedTempFile> {
        let mut file = self.blank()?;
        file.write_all(text.as_bytes())?;
        file.flush()?;
        Ok(file)
    }

    fn blank(&self) -> io::Result<NamedTempFile> {
        unnamed_in(&self.directory, None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_that_is_there_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&directory.path().join("FAILURE.json")).unwrap();
        assert_eq!(names(directory.path()), [""; 0], "showing that it can be done leaves nothing");
        fs::write(directory.path().join("FAILURE-2.sh"), "mine").unwrap();
        let saved = [Some("one"), Some("two"), None].map(|script| shelf.save("{}\n", script).unwrap());
        let expected = [
            "FAILURE-2.sh",
            "FAILURE-3.json",
            "FAILURE-3.sh",
            "FAILURE-4.json",
            "FAILURE.json",
            "FAILURE.sh",
        ];
        assert_eq!(names(directory.path()), expected);
        assert_eq!(fs::read_to_string(directory.path().join("FAILURE-2.sh")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(saved[1].script.as_ref().unwrap()).unwrap(), "two");
        assert_eq!(fs::read_to_string(&saved[2].json).unwrap(), "{}\n");
        assert!(saved[2].script.is_none());
    }

    #[test]
    fn where_nothing_can_be_saved_is_said_at_once() {
        let directory = tempfile::tempdir().unwrap();
        for (path, reason) in [
            (directory.path().to_owned(), "it is a directory"),
            (directory.path().join("no/F.json"), "does not exist"),
            (directory.path().join("F.sh"), "that is what the script"),
        ] {
            let error = Shelf::new(&path).unwrap_err();
            assert!(error.starts_with("--save ") && error.contains(reason), "{error}");
        }
        let named = Shelf::new(&directory.path().join("bad")).unwrap().save("", Some("")).unwrap();
        assert!(named.json.ends_with("bad.json") && named.script.unwrap().ends_with("bad.sh"));
    }
}
