//! Which cases a program is asked.

use schemars::JsonSchema;
use serde::Serialize;
use wildmatch::WildMatch;

use crate::spec;
use crate::spelling::{self, nearest};
use crate::vectors::subject::{Answer, SUBJECTS, Solution, Subject};
use crate::vectors::{Case, Document, carried, is_right};

/// What was asked for.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Selection {
    /// Globs over ids of cases and names of subjects; empty means all of them.
    pub only: Vec<String>,
    /// Globs over what is left out.
    pub skip: Vec<String>,
    /// Flags whose cases are left out.
    pub without: Vec<String>,
    /// Whether cases of level should gate, too.
    pub strict: bool,
}

/// Why nothing can be selected so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A glob that selects nothing is a mistake, and silence would hide it.
    #[error("{option} {glob:?} matches no case and no subject{}", spelling::hint(nearest))]
    NoMatch {
        /// `--only` or `--skip`.
        option: &'static str,
        /// The glob.
        glob: String,
        /// The id that is spelled most like it.
        nearest: Option<String>,
    },
    /// No case has such a flag.
    #[error("--without {flag:?} is a flag of no case{}", spelling::hint(nearest))]
    NoFlag {
        /// The flag.
        flag: String,
        /// That which is spelled most like it.
        nearest: Option<String>,
    },
    /// Nothing is left.
    #[error("the selection leaves no case: --only, --skip and --without cancel out")]
    Empty,
}

/// Every subject with its file.
pub(super) struct Library(Vec<(&'static dyn Subject, Document)>);

/// A case with where it stands.
#[derive(Clone, Copy)]
pub(super) struct Asked<'l> {
    pub(super) subject: &'static dyn Subject,
    pub(super) document: &'l Document,
    pub(super) case: &'l Case,
}

impl Asked<'_> {
    /// Whether an answer is a right one.
    pub(super) fn is_right(&self, answer: &Answer) -> bool {
        let Case { result, expected, also, .. } = self.case;
        let (expected, also) = (expected.clone(), also.clone());
        is_right(self.subject, &Solution { result: *result, failure: None, expected, also }, answer)
    }

    /// The wrong answer that a mistake gives, if it shows here.
    pub(super) fn mistaken(&self, mistake: &str) -> Option<Answer> {
        // What was published has the shape of its subject.
        let answer = self.subject.mistaken(mistake, &self.case.input).ok().flatten();
        answer.filter(|answer| !self.is_right(answer))
    }
}

impl Library {
    pub(super) fn load() -> Self {
        Self(SUBJECTS.iter().map(|row| (row.subject, carried(row.subject.name()))).collect())
    }

    /// A mistake in a phrase, its effect and its reference: as this file tells them, or any other.
    pub(super) fn about(&self, file: &Document, mistake: &str) -> (String, String, String) {
        let files = || std::iter::once(file).chain(self.0.iter().map(|(_, document)| document));
        let phrases = files().filter_map(|document| document.mistakes.get(mistake)).map(String::as_str);
        let phrase = phrases.chain(spec::mistake::find(mistake).map(|known| known.done)).next();
        let mut flags = files().flat_map(|document| document.flags.values());
        let flag = flags.find(|flag| flag.shows.iter().any(|shown| shown == mistake));
        let (effect, reference) =
            flag.map_or_else(Default::default, |flag| (flag.effect.clone(), flag.reference.clone()));
        (phrase.unwrap_or_default().to_owned(), effect, reference)
    }

    /// Every case, in the order of the files.
    pub(super) fn cases(&self) -> impl Iterator<Item = Asked<'_>> {
        self.0.iter().flat_map(|(subject, document)| {
            document.cases().map(move |case| Asked { subject: *subject, document, case })
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .map(|(subject, _)| subject.name())
            .chain(self.cases().map(|asked| asked.case.id.as_str()))
    }

    /// The cases of a selection, in the order of the files.
    ///
    /// A case that another supersedes is asked only by its very id.
    pub(super) fn select(&self, selection: &Selection) -> Result<Vec<Asked<'_>>, SelectError> {
        let only = self.globs("--only", &selection.only)?;
        let skip = self.globs("--skip", &selection.skip)?;
        self.each_flag_is_known(&selection.without)?;
        let any = |globs: &[WildMatch], asked: &Asked<'_>| {
            globs.iter().any(|glob| glob.matches(&asked.case.id) || glob.matches(asked.subject.name()))
        };
        let wanted = |asked: &Asked<'_>| {
            let case = asked.case;
            (only.is_empty() || any(&only, asked))
                && !any(&skip, asked)
                && !case.flags.iter().any(|flag| selection.without.contains(flag))
                && (case.superseded_by.is_none() || selection.only.contains(&case.id))
        };
        match self.cases().filter(wanted).collect::<Vec<_>>() {
            cases if cases.is_empty() => Err(SelectError::Empty),
            cases => Ok(cases),
        }
    }

    fn globs(&self, option: &'static str, patterns: &[String]) -> Result<Vec<WildMatch>, SelectError> {
        let glob = |pattern: &String| {
            let glob = WildMatch::new(pattern);
            match self.names().any(|name| glob.matches(name)) {
                true => Ok(glob),
                false => {
                    let nearest = nearest(pattern, self.names());
                    Err(SelectError::NoMatch { option, glob: pattern.clone(), nearest })
                }
            }
        };
        patterns.iter().map(glob).collect()
    }

    fn each_flag_is_known(&self, flags: &[String]) -> Result<(), SelectError> {
        let known = || self.0.iter().flat_map(|(_, document)| document.flags.keys()).map(String::as_str);
        match flags.iter().find(|flag| !known().any(|name| name == *flag)) {
            Some(flag) => {
                let nearest = nearest(flag, known());
                Err(SelectError::NoFlag { flag: flag.clone(), nearest })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(selection: Selection) -> Result<Vec<String>, String> {
        let library = Library::load();
        let ids = |cases: Vec<Asked<'_>>| cases.iter().map(|asked| asked.case.id.clone()).collect();
        library.select(&selection).map(ids).map_err(|error| error.to_string())
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn globs_speak_of_cases_and_of_subjects() {
        let only = |globs: &[&str]| ids(Selection { only: words(globs), ..Selection::default() }).unwrap();
        assert_eq!(only(&["canonical.null"]), ["canonical.null"]);
        assert_eq!(only(&["union"]), only(&["union.*"]));
        let all = only(&[]);
        assert_eq!(only(&["*"]), all);
        let skip = Selection { skip: words(&["hash-strings"]), ..Selection::default() };
        let less = ids(skip).unwrap();
        assert_eq!(less.len() + only(&["hash.*"]).len(), all.len());
    }

    #[test]
    fn flags_leave_out_their_cases() {
        let without = Selection { without: words(&["Parameters"]), ..Selection::default() };
        let less = ids(without).unwrap();
        let library = Library::load();
        let flagged = |asked: &Asked<'_>| asked.case.flags.iter().any(|flag| flag == "Parameters");
        assert!(library.cases().any(|asked| flagged(&asked)));
        assert!(library.cases().all(|asked| flagged(&asked) != less.contains(&asked.case.id)));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let refused = |selection| ids(selection).unwrap_err();
        let only = Selection { only: words(&["canonical.nul"]), ..Selection::default() };
        assert_eq!(
            refused(only),
            "--only \"canonical.nul\" matches no case and no subject; did you mean \"canonical.null\"?"
        );
        let skip = Selection { skip: words(&["zzz"]), ..Selection::default() };
        assert_eq!(refused(skip), "--skip \"zzz\" matches no case and no subject");
        let without = Selection { without: words(&["parameter"]), ..Selection::default() };
        assert_eq!(
            refused(without),
            "--without \"parameter\" is a flag of no case; did you mean \"Parameters\"?"
        );
        let nothing =
            Selection { only: words(&["union"]), skip: words(&["union.*"]), ..Selection::default() };
        assert_eq!(refused(nothing), SelectError::Empty.to_string());
    }
}
