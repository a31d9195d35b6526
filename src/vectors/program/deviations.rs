//! What a program is known to get wrong: a list that its people keep, each entry with its reason.

use serde::Deserialize;
use wildmatch::WildMatch;

use super::result::{CaseResult, DeviationResult, Manner};
use super::select::Library;
use crate::spelling::{hint, nearest};

/// Known deviations, in the order of their file.
#[derive(Clone, Debug, Default)]
pub struct Deviations(Vec<Deviation>);

/// Cases that are failed in the same way for the same reason.
#[derive(Clone, Debug)]
struct Deviation {
    cases: Vec<String>,
    way: Way,
    reason: String,
}

/// How they are failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// With the answer that this mistake gives.
    Mistake(String),
    /// In this manner; [`Manner::Other`] is an answer that no mistake gives.
    Manner(Manner),
}

/// Why a list of deviations cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviationsError {
    /// It is no TOML.
    #[error("{file}: {error}")]
    Toml {
        /// The file.
        file: String,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
    /// An entry has not the keys it must.
    #[error("{file}: deviation {entry}: {message}")]
    Shape {
        /// The file.
        file: String,
        /// Which entry, counted from 1.
        entry: usize,
        /// Which key, and what is wrong with it.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    deviation: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    cases: Vec<String>,
    mistake: Option<String>,
    outcome: Option<Manner>,
    reason: String,
}

impl Deviations {
    /// Reads a list, the text of a TOML file that is called `file`.
    ///
    /// # Errors
    ///
    /// [`DeviationsError`] for what is no TOML, an entry without cases, without a reason or with both or neither
    /// of `mistake` and `outcome`, a glob that matches no case, and a mistake that none of its cases lists.
    pub fn parse(file: &str, text: &str) -> Result<Self, DeviationsError> {
        let toml = |error| DeviationsError::Toml { file: file.to_owned(), error: Box::new(error) };
        let read: File = toml::from_str(text).map_err(toml)?;
        let library = Library::load();
        let deviation = |(i, table): (usize, toml::Table)| {
            let shape = |message| DeviationsError::Shape { file: file.to_owned(), entry: i + 1, message };
            let entry = Entry::deserialize(table)
                .map_err(|error| shape(error.to_string().trim().replace('\n', " ")))?;
            entry.checked(&library).map_err(shape)
        };
        read.deviation.into_iter().enumerate().map(deviation).collect::<Result<_, _>>().map(Self)
    }

    /// Marks the failures that were to be expected, and says what became of each deviation.
    ///
    /// Where several expect one failure, the first has it.
    pub(super) fn settle(&self, library: &Library, results: &mut [CaseResult]) -> Vec<DeviationResult> {
        for result in results.iter_mut().filter(|result| result.outcome.is_failure()) {
            let expected = self.0.iter().find(|deviation| deviation.expects(result));
            result.deviation = expected.map(|deviation| deviation.reason.clone());
        }
        self.0.iter().map(|deviation| deviation.told(library, results)).collect()
    }
}

impl Entry {
    fn checked(self, library: &Library) -> Result<Deviation, String> {
        let Self { cases, mistake, outcome, reason } = self;
        let way = match (mistake, outcome) {
            (Some(mistake), None) => Way::Mistake(mistake),
            (None, Some(manner)) => Way::Manner(manner),
            _ => return Err("mistake, outcome: one of them is needed, and no more".to_owned()),
        };
        if cases.is_empty() {
            return Err("cases: there is none".to_owned());
        }
        if reason.trim().is_empty() {
            return Err("reason: it is empty".to_owned());
        }
        let ids = || library.cases().map(|asked| asked.case.id.as_str());
        for glob in &cases {
            let matcher = WildMatch::new(glob);
            if !ids().any(|id| matcher.matches(id)) {
                return Err(format!("cases: {glob:?} matches no case{}", hint(&nearest(glob, ids()))));
            }
        }
        let deviation = Deviation { cases, way, reason };
        if let Way::Mistake(name) = &deviation.way {
            let shown = || library.cases().filter(|asked| deviation.is_about(&asked.case.id));
            if !shown().any(|asked| asked.mistaken(name).is_some()) {
                let names = shown().flat_map(|asked| asked.subject.mistakes());
                let near = hint(&nearest(name, names));
                return Err(format!("mistake: none of its cases shows {name:?}{near}"));
            }
        }
        Ok(deviation)
    }
}

impl Deviation {
    fn is_about(&self, id: &str) -> bool {
        self.cases.iter().any(|glob| WildMatch::new(glob).matches(id))
    }

    fn is_way_of(&self, result: &CaseResult) -> bool {
        match &self.way {
            Way::Mistake(name) => result.mistakes.contains(name),
            Way::Manner(Manner::Other) => result.manner == Some(Manner::Other) && result.mistakes.is_empty(),
            Way::Manner(manner) => result.manner == Some(*manner),
        }
    }

    fn expects(&self, result: &CaseResult) -> bool {
        self.is_about(&result.id) && self.is_way_of(result)
    }

    fn told(&self, library: &Library, results: &[CaseResult]) -> DeviationResult {
        let ids = |results: &[&CaseResult]| results.iter().map(|result| result.id.clone()).collect();
        let occurred: Vec<&CaseResult> = results.iter().filter(|result| self.expects(result)).collect();
        let stale = |glob: &&String| {
            let matcher = WildMatch::new(glob);
            let occurred = occurred.iter().any(|result| matcher.matches(&result.id));
            let tried = |id: &str| results.iter().any(|result| result.id == id);
            let cases = library.cases().filter(|asked| asked.case.superseded_by.is_none());
            !occurred
                && cases.filter(|asked| matcher.matches(&asked.case.id)).all(|asked| tried(&asked.case.id))
        };
        DeviationResult {
            cases: self.cases.clone(),
            deviates: self.way.word(),
            reason: self.reason.clone(),
            stale: self.cases.iter().filter(stale).cloned().collect(),
            occurred: ids(&occurred),
        }
    }
}

impl Way {
    fn word(&self) -> String {
        match self {
            Self::Mistake(name) => name.clone(),
            Self::Manner(manner) => manner.word().to_owned(),
        }
    }
}
