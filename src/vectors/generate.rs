//! Source to published files: everything that follows from an input is derived here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::document::{Case, Document, Flag, Group, SCHEMA_VERSION, Verdict};
use super::source::{Source, SourceCase, SourceGroup};
use super::subject::{Answer, InputError, Solution, Subject};

/// Why a source comes to no published file.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// It is no TOML, or not of the shape of a source.
    #[error("{file}: {error}")]
    Source {
        /// The file's name.
        file: String,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
    /// A case has an input that is not of the subject's shape.
    #[error("{file}: {case}: {error}")]
    Input {
        /// The file's name.
        file: String,
        /// The case's id.
        case: String,
        /// What is wrong.
        error: InputError,
    },
}

/// Derives a file from its source, the text of a TOML file.
///
/// # Errors
///
/// [`GenerateError`] where the source cannot be read, or an input is not of the subject's shape.
pub fn generate(subject: &dyn Subject, source: &str) -> Result<Document, GenerateError> {
    let file = || format!("{}.toml", subject.name());
    let unreadable = |error| GenerateError::Source { file: file(), error: Box::new(error) };
    let source: Source = toml::from_str(source).map_err(unreadable)?;
    let case = |case: &SourceCase| {
        let mut case = Case::from(case);
        derive(subject, &source.flags, &mut case).map_err(|error| GenerateError::Input {
            file: file(),
            case: case.id.clone(),
            error,
        })?;
        Ok(case)
    };
    let group = |group: &SourceGroup| {
        let SourceGroup { name, about, requirements, cases } = group.clone();
        Ok(Group { name, about, requirements, cases: cases.iter().map(case).collect::<Result<_, _>>()? })
    };
    let groups = source.groups.iter().map(group).collect::<Result<_, _>>()?;
    Ok(Document {
        subject: subject.name().to_owned(),
        schema: format!("schemas/{}.schema.json", subject.name()),
        schema_version: SCHEMA_VERSION,
        algorithm: source.algorithm,
        source: source.source,
        notes: source.notes,
        answer: subject.answer().map(str::to_owned),
        flags: source.flags.into_iter().map(|(name, flag)| (name, sorted(flag))).collect(),
        mistakes: source.mistakes,
        failures: source.failures,
        groups,
    })
}

fn sorted(mut flag: Flag) -> Flag {
    flag.shows.sort();
    flag
}

impl From<&SourceCase> for Case {
    /// With nothing derived yet.
    fn from(case: &SourceCase) -> Self {
        let input = case.input();
        let SourceCase { id, comment, flags, rule, superseded_by, .. } = case.clone();
        let (result, failure, expected) = (Verdict::Invalid, None, None);
        let (also, wrong) = (Vec::new(), BTreeMap::new());
        Self { id, comment, flags, rule, input, result, failure, expected, also, wrong, superseded_by }
    }
}

/// Derives whatever follows from a case's input and flags, in place of what is there.
///
/// # Errors
///
/// [`InputError`] where the input is not of the subject's shape.
pub(super) fn derive(
    subject: &dyn Subject,
    flags: &BTreeMap<String, Flag>,
    case: &mut Case,
) -> Result<(), InputError> {
    let solution = subject.solve(&case.input)?;
    let shown = case.flags.iter().filter_map(|flag| flags.get(flag)).flat_map(|flag| &flag.shows);
    case.wrong.clear();
    for mistake in shown {
        if let Some(answer) = mistaken(subject, mistake, &case.input, &solution)? {
            case.wrong.insert(mistake.clone(), answer.to_value());
        }
    }
    case.result = solution.result;
    case.failure = solution.failure.map(str::to_owned);
    case.expected = solution.expected;
    case.also = solution.also;
    Ok(())
}

/// The answer of a mistake, where it can be made on this input and is not right by chance.
///
/// # Errors
///
/// [`InputError`] where the input is not of the subject's shape.
pub fn mistaken(
    subject: &dyn Subject,
    mistake: &str,
    input: &Value,
    solution: &Solution<Value>,
) -> Result<Option<Answer>, InputError> {
    let answer = subject.mistaken(mistake, input)?;
    Ok(answer.filter(|answer| !is_right(subject, solution, answer)))
}

/// Whether an answer is a right one.
pub fn is_right(subject: &dyn Subject, solution: &Solution<Value>, answer: &Answer) -> bool {
    match answer {
        Answer::Refused => solution.result != Verdict::Valid,
        Answer::Taken(_) if solution.result == Verdict::Invalid => false,
        Answer::Taken(value) => match (subject.answer(), &solution.expected) {
            (Some(field), Some(expected)) => {
                expected.get(field) == Some(value) || solution.also.contains(value)
            }
            _ => true,
        },
    }
}

/// Writes JSON as it is published: ASCII, indented by two spaces, a line feed at the end.
pub fn to_text(value: &impl Serialize) -> String {
    // Nothing that is published has a key that is no string, so this cannot fail.
    ascii(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// Writes JSON as programs are asked: ASCII, in one line, without a line feed.
pub fn to_line(value: &impl Serialize) -> String {
    ascii(&serde_json::to_string(value).unwrap_or_default())
}

/// The same JSON in ASCII.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        match character {
            ' '..='~' | '\n' => out.push(character),
            // Only strings hold other characters.
            _ => out.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    out
}
