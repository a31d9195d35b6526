//! A failure as it is saved: the smallest history that a target answers wrongly, and how it was found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::history::History;
use crate::spec::model::Answer;

/// The version of [`Failure`]'s JSON.
pub const SCHEMA_VERSION: u32 = 1;

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
    /// The base URL of the target.
    pub url: String,
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

/// How often a failure came again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// How often the history was performed again.
    pub tried: usize,
    /// How often it failed again.
    pub failed: usize,
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
