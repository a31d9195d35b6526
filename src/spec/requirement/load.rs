//! Reads a table of sentences and requirements, and checks it.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Basis, Catalogue, Level, Requirement, Sentence};
use crate::spec::canonical::{self, Json};

/// Why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Not TOML, or not the two lists of tables.
    #[error("{0}")]
    Table(String),
    /// A row breaks a rule.
    #[error("{row}: {error}")]
    Row {
        /// Which: the id, or the number where it has none.
        row: String,
        /// What is wrong with it.
        error: RowError,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// An unknown or missing key, or a value of another type or word, in the words of the TOML reader.
    #[error("{0}")]
    Key(String),
    /// Another row before it has the same id.
    #[error("the id is taken by an earlier row")]
    DuplicateId,
    /// The id does not follow the grammar.
    #[error("the id must be {0}")]
    IdGrammar(&'static str),
    /// The revision does not follow the grammar.
    #[error("it must be the day of the draft and our count, such as 2014-12-31.1")]
    Revision,
    /// There is no rule in the rule.
    #[error("the text is empty")]
    EmptyText,
    /// `draft` and `derived` rest on a sentence.
    #[error("a requirement of basis {0} must cite a sentence of the draft")]
    NoSentence(Basis),
    /// `matrix` has a section, `profile` and `reading` have a rationale.
    #[error("a requirement of basis {0} must have a source")]
    NoSource(Basis),
    /// A sentence that the draft does not have.
    #[error("it cites sentence {0:?}, which does not exist")]
    UnknownSentence(String),
    /// What we chose for ourselves binds nobody.
    #[error("a reading is never above should")]
    ReadingAboveShould,
    /// A sentence that no requirement cites must say why.
    #[error("the sentence is neither cited by a requirement nor excluded with a reason")]
    Unmapped,
    /// A sentence is tested or excluded, not both.
    #[error("the sentence is excluded, and yet {0} cites it")]
    MappedAndExcluded(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    revision: String,
    #[serde(default)]
    sentence: Vec<toml::Table>,
    #[serde(default)]
    requirement: Vec<toml::Table>,
}

/// Reads a table of `[[sentence]]` and `[[requirement]]` and checks every rule that it must keep.
///
/// # Errors
///
/// The first rule that is broken, with the row that breaks it.
pub fn load(text: &str) -> Result<Catalogue, LoadError> {
    let tables: Tables =
        toml::from_str(text).map_err(|error| LoadError::Table(error.to_string().trim_end().to_owned()))?;
    if !is_revision(&tables.revision) {
        return Err(LoadError::Row { row: "revision".to_owned(), error: RowError::Revision });
    }
    let sentences: Vec<Sentence> = rows("sentence", tables.sentence)?;
    let requirements: Vec<Requirement> = rows("requirement", tables.requirement)?;

    check_each(&sentences, |s| &s.id, check_sentence)?;
    check_each(&requirements, |r| &r.id, |r| check_requirement(r, &sentences))?;
    check_each(&sentences, |s| &s.id, |s| check_mapping(s, &requirements))?;
    let digest = digest(&requirements);
    Ok(Catalogue { revision: tables.revision, requirements, sentences, digest })
}

/// `YYYY-MM-DD.N`.
fn is_revision(text: &str) -> bool {
    text.split_once('.').is_some_and(|(day, count)| {
        NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok()
            && count.parse::<u32>().is_ok_and(|count| count > 0)
    })
}

/// Row by row, because an error of the whole names a line and not the row.
fn rows<T: DeserializeOwned>(list: &str, tables: Vec<toml::Table>) -> Result<Vec<T>, LoadError> {
    let row = |(i, table): (usize, toml::Table)| {
        let id = table.get("id").and_then(toml::Value::as_str).map(str::to_owned);
        table.try_into().map_err(|error: toml::de::Error| LoadError::Row {
            row: id.unwrap_or_else(|| format!("{list} number {}", i + 1)),
            error: RowError::Key(error.message().to_owned()),
        })
    };
    tables.into_iter().enumerate().map(row).collect()
}

fn check_each<T>(
    rows: &[T],
    id: impl Fn(&T) -> &str,
    check: impl Fn(&T) -> Result<(), RowError>,
) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    rows.iter().try_for_each(|row| {
        let unique = if seen.insert(id(row)) { Ok(()) } else { Err(RowError::DuplicateId) };
        unique.and_then(|()| check(row)).map_err(|error| LoadError::Row { row: id(row).to_owned(), error })
    })
}

fn check_sentence(sentence: &Sentence) -> Result<(), RowError> {
    let number = sentence.id.strip_prefix(|c: char| c.is_ascii_uppercase());
    if !number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
        return Err(RowError::IdGrammar("a capital letter and a number, such as C6"));
    }
    if sentence.text.trim().is_empty() { Err(RowError::EmptyText) } else { Ok(()) }
}

fn check_requirement(requirement: &Requirement, sentences: &[Sentence]) -> Result<(), RowError> {
    let Requirement { id, level, basis, sentences: cited, source, text } = requirement;
    if !is_requirement_id(id) {
        return Err(RowError::IdGrammar("an area, a dot and words in lower case joined by hyphens"));
    }
    if text.trim().is_empty() {
        return Err(RowError::EmptyText);
    }
    if let Some(unknown) = cited.iter().find(|c| sentences.iter().all(|s| s.id != **c)) {
        return Err(RowError::UnknownSentence(unknown.clone()));
    }
    match basis {
        Basis::Draft | Basis::Derived if cited.is_empty() => Err(RowError::NoSentence(*basis)),
        Basis::Matrix | Basis::Profile | Basis::Reading
            if source.as_deref().is_none_or(|s| s.trim().is_empty()) =>
        {
            Err(RowError::NoSource(*basis))
        }
        Basis::Reading if *level > Level::Should => Err(RowError::ReadingAboveShould),
        _ => Ok(()),
    }
}

fn is_requirement_id(id: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    id.split_once('.').is_some_and(|(area, words)| {
        area.bytes().all(|b| b.is_ascii_lowercase()) && !area.is_empty() && words.split('-').all(is_word)
    })
}

fn check_mapping(sentence: &Sentence, requirements: &[Requirement]) -> Result<(), RowError> {
    let excluded = sentence.excluded.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    match requirements.iter().find(|r| r.sentences.contains(&sentence.id)) {
        Some(requirement) if excluded => Err(RowError::MappedAndExcluded(requirement.id.clone())),
        None if !excluded => Err(RowError::Unmapped),
        _ => Ok(()),
    }
}

/// SHA-256 over the Canonical JSON of the rows: the order of the file counts, its spelling does not.
/// docs/vectors.md says how to make it again.
fn digest(requirements: &[Requirement]) -> String {
    let string = |text: &str| Json::String(text.to_owned());
    let row = |r: &Requirement| {
        let members = [
            ("id", string(&r.id)),
            ("level", string(&r.level.to_string())),
            ("basis", string(&r.basis.to_string())),
            ("sentences", Json::Array(r.sentences.iter().map(|s| string(s)).collect())),
            ("source", r.source.as_deref().map_or(Json::Null, string)),
            ("text", string(&r.text)),
        ];
        Json::Object(members.map(|(key, value)| (key.to_owned(), value)).into())
    };
    let rows = Json::Array(requirements.iter().map(row).collect());
    Sha256::digest(canonical::to_bytes(&rows)).iter().map(|byte| format!("{byte:02x}")).collect()
}
