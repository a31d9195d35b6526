//! What a good file of vectors is, measured: every case tells something that no neighbour tells, every flag shows
//! what it says it can show, and no two mistakes are one.

mod cases;
mod kill;
mod names;

use std::collections::HashMap;
use std::fmt;

use super::document::Document;
use super::subject::{Carried, SUBJECTS, Subject};
use super::{GenerateError, generate};
use kill::Kills;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file's name.
    pub file: String,
    /// The case, group, flag or mistake that it is about.
    pub about: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, about, message } = self;
        write!(f, "{file}: {about}: {message}")
    }
}

/// What linting a file measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The file's name.
    pub file: String,
    /// How many cases it has.
    pub cases: usize,
    /// How many mistakes it explains.
    pub mistakes: usize,
    /// How many pairs of a flag and a mistake it promises to show.
    pub pairs: usize,
    /// How many answers of mistakes differ from the right one, over all cases.
    pub kills: usize,
    /// What is wrong.
    pub complaints: Vec<Complaint>,
}

/// Lints the sources of the published files.
///
/// # Errors
///
/// [`GenerateError`] where a source comes to no file.
pub fn lint() -> Result<Vec<Measured>, GenerateError> {
    let document = |row: &Carried| Ok((row.subject, generate(row.subject, row.source)?));
    let documents: Vec<(&dyn Subject, Document)> = SUBJECTS.iter().map(document).collect::<Result<_, _>>()?;
    let mut files: Vec<Measured> = Vec::new();
    let mut ids = HashMap::new();
    for (subject, document) in &documents {
        let mut measured = lint_document(*subject, document);
        for case in document.cases() {
            if let Some(other) = ids.insert(case.id.clone(), subject.file()) {
                let (file, about) = (subject.file(), case.id.clone());
                let message = format!("id: there is one in {other}");
                measured.complaints.push(Complaint { file, about, message });
            }
        }
        files.push(measured);
    }
    Ok(files)
}

/// Lints one file.
pub fn lint_document(subject: &dyn Subject, document: &Document) -> Measured {
    let mut complaints = Complaints { file: subject.file(), list: Vec::new() };
    let pairs = document.flags.values().map(|flag| flag.shows.len()).sum();
    let kills = match Kills::of(subject, document) {
        Ok(kills) => {
            names::lint(subject, document, &mut complaints);
            cases::lint(subject, document, &mut complaints);
            kill::lint(document, &kills, &mut complaints);
            kills.count()
        }
        Err((case, error)) => {
            complaints.add(&case, error.to_string());
            0
        }
    };
    Measured {
        file: subject.file(),
        cases: document.cases().count(),
        mistakes: document.mistakes.len(),
        pairs,
        kills,
        complaints: complaints.list,
    }
}

/// Collects what is wrong with a file.
struct Complaints {
    file: String,
    list: Vec<Complaint>,
}

impl Complaints {
    fn add(&mut self, about: &str, message: impl Into<String>) {
        let (file, about) = (self.file.clone(), about.to_owned());
        self.list.push(Complaint { file, about, message: message.into() });
    }
}

#[cfg(test)]
mod tests;
