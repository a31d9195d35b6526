//! What people write: `vectors/source`, from which the published files are generated.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::Flag;

/// The source of one file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What is computed, in a sentence.
    pub algorithm: String,
    /// The texts that say so.
    pub source: Vec<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// The flags, by name.
    #[serde(default)]
    pub flags: BTreeMap<String, Flag>,
    /// The mistakes, each in a phrase.
    #[serde(default)]
    pub mistakes: BTreeMap<String, String>,
    /// The classes of failure, each in a phrase.
    #[serde(default)]
    pub failures: BTreeMap<String, String>,
    /// The cases.
    #[serde(rename = "group")]
    pub groups: Vec<SourceGroup>,
}

/// Cases that belong together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceGroup {
    /// A word.
    pub name: String,
    /// What they have in common.
    pub about: String,
    /// The requirements that all of them pin, by id.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The cases.
    #[serde(rename = "case")]
    pub cases: Vec<SourceCase>,
}

/// A case without what is derived from its input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCase {
    /// The permanent id.
    pub id: String,
    /// What the case shows, in a phrase.
    pub comment: String,
    /// What it is about.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The rule that tells it from its neighbours, where no mistake does.
    pub rule: Option<String>,
    /// The input; texts in it may be [made](SourceCase::input) instead of written.
    input: Value,
    /// The case that says better what this one meant to say.
    pub superseded_by: Option<String>,
}

impl SourceCase {
    /// The input with every text that is made put in place: `{repeat, times}` is a text repeated, `{concat}` joins
    /// parts, and `{series, from, to}` stands for as many elements, each with its number for `#`.
    pub fn input(&self) -> Value {
        made(&self.input)
    }
}

/// A text that is made.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Made {
    Repeat { repeat: String, times: usize },
    Series { series: String, from: u32, to: u32 },
    Concat { concat: Vec<Value> },
}

impl Made {
    fn read(value: &Value) -> Option<Self> {
        value.is_object().then(|| Self::deserialize(value).ok()).flatten()
    }

    /// Several texts for a series, one for the others.
    fn texts(self) -> Vec<String> {
        match self {
            Self::Repeat { repeat, times } => vec![repeat.repeat(times)],
            Self::Series { series, from, to } => {
                (from..=to).map(|number| series.replace('#', &number.to_string())).collect()
            }
            Self::Concat { concat } => vec![concat.iter().map(part).collect()],
        }
    }
}

/// A part of what is joined.
fn part(value: &Value) -> String {
    match Made::read(value) {
        Some(made) => made.texts().join(","),
        None => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn made(value: &Value) -> Value {
    if let Some(made) = Made::read(value) {
        return Value::from(made.texts().join(","));
    }
    match value {
        Value::Array(items) => Value::Array(items.iter().flat_map(elements).collect()),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| (key.clone(), made(value));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// What an element of a list stands for.
fn elements(value: &Value) -> Vec<Value> {
    match Made::read(value) {
        Some(made) => made.texts().into_iter().map(Value::from).collect(),
        None => vec![made(value)],
    }
}
