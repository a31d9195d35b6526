//! A failure as it is saved: the smallest history that a target answers wrongly, and how it was found.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::report;
use crate::spec::history::{History, Step, Terrain};
use crate::spec::model::Answer;
use crate::spec::requirement;

use super::replay::first_impossible;

/// The version of [`Failure`]'s JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// The longest file that is read, in bytes; what searches save has some thousands.
pub const LARGEST: u64 = 1 << 20;

/// The most acts that a saved history may have.
pub const MOST_ACTS: usize = 1_000;

/// The most lanes of acts at once, and the most acts of them all: of more, orders cannot be searched. What is
/// drawn has four lanes of three acts.
const MOST_AT_ONCE: (usize, usize) = (6, 16);

/// The longest that a target may ask to be given for an effect, in seconds.
const LONGEST_SETTLE: f64 = 600.0;

/// A history that a target answers wrongly, so that it can be performed again: `capcheck replay`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The version of this format.
    pub schema_version: u32,
    /// The version of the suite that found it.
    pub suite_version: String,
    /// The property that drew the history.
    pub property: String,
    /// The seed, and the case that it drew with it.
    pub seed: u64,
    /// Which history of that seed, from 0.
    pub case: u64,
    /// The requirement that it breaks.
    pub requirement: String,
    /// What was expected, as a phrase.
    pub expected: String,
    /// What was found, as a phrase.
    pub actual: String,
    /// The base URL of the target; `null` where it was the built-in homeserver.
    pub url: Option<String>,
    /// The time within which effects must be visible, in seconds.
    pub settle_s: f64,
    /// How many acts the history had when it was found.
    pub found_with: usize,
    /// How many histories were performed to make it smaller.
    pub shrunk_in: usize,
    /// How often the smallest history was performed again, and how often it failed again.
    pub confirmed: Confirmed,
    /// The smallest history.
    pub history: History,
    /// What was seen when it last failed, in the order in which the acts ended.
    pub trace: Vec<Seen>,
}

/// Why a file holds no failure.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It is longer than [`LARGEST`].
    #[error("more than {LARGEST} bytes, which no saved failure has")]
    TooLarge,
    /// It is no JSON, or not of this form.
    #[error("{0}")]
    Form(#[from] serde_json::Error),
    /// It is of another version.
    #[error("schema_version is {0}, this capcheck reads {SCHEMA_VERSION}")]
    Version(u32),
    /// A value is out of its bounds.
    #[error("{key}: {reason}")]
    Value {
        /// Where, as dot-separated keys.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Failure {
    /// Reads a saved failure whose history can be performed.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Self::parse(&bytes)
    }

    /// The same from bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, LoadError> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Versioned {
            schema_version: u32,
        }
        if bytes.len() as u64 > LARGEST {
            return Err(LoadError::TooLarge);
        }
        // Asked first: of another version's keys nothing is known.
        let Versioned { schema_version } = serde_json::from_slice(bytes)?;
        if schema_version != SCHEMA_VERSION {
            return Err(LoadError::Version(schema_version));
        }
        let failure: Self = serde_json::from_slice(bytes)?;
        failure.check()?;
        Ok(failure)
    }

    /// What its types do not say.
    fn check(&self) -> Result<(), LoadError> {
        let wrong = |key: &str, reason: String| Err(LoadError::Value { key: key.to_owned(), reason });
        if requirement::find(&self.requirement).is_none() {
            return wrong("requirement", format!("there is no requirement {:?}", self.requirement));
        }
        if !(self.settle_s > 0.0 && self.settle_s <= LONGEST_SETTLE) {
            return wrong("settle_s", format!("{} is not within 0 and {LONGEST_SETTLE} s", self.settle_s));
        }
        match self.history.len() {
            0 => return wrong("history.steps", "nothing happens".to_owned()),
            acts if acts > MOST_ACTS => {
                return wrong("history.steps", format!("{acts} acts are more than {MOST_ACTS}"));
            }
            _ => {}
        }
        let (most_lanes, most_acts) = MOST_AT_ONCE;
        for (at, step) in self.history.steps.iter().enumerate() {
            let Step::AtOnce(lanes) = step else { continue };
            let acts: usize = lanes.iter().map(Vec::len).sum();
            if lanes.len() > most_lanes || acts > most_acts {
                let most = format!("more than {most_lanes} lanes or {most_acts} acts");
                let found = format!("{} lanes with {acts} acts at once are {most}", lanes.len());
                return wrong(&format!("history.steps[{at}]"), found);
            }
        }
        match first_impossible(&self.history, &Terrain::WHOLE) {
            Some((at, step)) => {
                wrong(&format!("history.steps[{at}]"), format!("\"{step}\" cannot be done there"))
            }
            None => Ok(()),
        }
    }

    /// As it is saved: indented JSON with a line feed at the end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(report::escape_json(&serde_json::to_string_pretty(self)?) + "\n")
    }
}

/// The JSON Schema (draft 2020-12) of a saved failure; published as `docs/failure.schema.json`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Failure>();
    schema.insert("title".to_owned(), json!("capcheck failure"));
    if let Some(version) = schema.pointer_mut("/properties/schema_version").and_then(Value::as_object_mut) {
        version.insert("const".to_owned(), json!(SCHEMA_VERSION));
    }
    schema.to_value()
}

/// How often a failure came again. A history with acts at once is performed up to five times for each time
/// that it has to fail: a race is lost now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// How often the history was performed again.
    pub tried: usize,
    /// In how many of these performances it failed again.
    pub failed: usize,
}

impl Confirmed {
    /// How often a history has to fail again before it is believed.
    pub const CERTAIN: usize = 2;

    /// Whether it failed again as often as it takes.
    pub fn is_certain(&self) -> bool {
        self.failed >= Self::CERTAIN
    }
}

/// One act as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The step, from 0.
    pub step: usize,
    /// The lane within the step, from 0.
    pub lane: usize,
    /// The act within the lane, from 0.
    pub act: usize,
    /// When it began, in microseconds since the history did.
    pub began_us: u64,
    /// When it ended.
    pub ended_us: u64,
    /// What was answered.
    pub answer: Answer,
}

#[cfg(test)]
mod tests;
