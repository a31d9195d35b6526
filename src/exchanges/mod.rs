//! Golden exchanges: for each operation what goes over the wire and what comes back, recorded off the built-in
//! homeserver and published as `vectors/exchanges.json`.
//!
//! What differs from run to run is put in place of what was recorded: server names, user IDs, access tokens, and
//! the signatures that depend on them. Everything else stands as it was sent and answered.

mod message;
mod names;
mod story;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::built_in::{self, BuiltInError};
use crate::engine::{PrepareError, Prepared};
use crate::outcome::Stop;
use crate::reference::Options;
use crate::vectors::SCHEMA_VERSION;

pub use message::{Fault, check};

/// The published file as the program carries it.
pub const PUBLISHED: &str = include_str!("../../vectors/exchanges.json");

/// The published file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchanges {
    /// `exchanges`.
    pub subject: String,
    /// Where the schema of the file lies, from the directory of the file.
    pub schema: String,
    /// The version of the published files' shapes.
    pub schema_version: u32,
    /// The texts that say how the operations are spelled.
    pub source: Vec<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// The exchanges, in the order in which they took place.
    pub exchanges: Vec<Exchange>,
}

/// A request and its answer, as bytes of HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its name. An exchange is an illustration: other versions may record it otherwise.
    #[schemars(regex(pattern = "^exchange\\.[a-z0-9-]+$"))]
    pub id: String,
    /// What it shows, in a phrase.
    pub comment: String,
    /// The operation, as target files name it.
    pub operation: String,
    /// The request: request line, the headers that matter, an empty line, the body; lines end with CR LF.
    pub request: String,
    /// The answer: status line, the headers that matter, an empty line, the body.
    pub response: String,
}

/// The published exchanges, as the program carries them.
///
/// # Panics
///
/// Where the embedded file is none, which its tests rule out.
pub fn published() -> Exchanges {
    serde_json::from_str(PUBLISHED).unwrap_or_else(|error| panic!("embedded exchanges: {error}"))
}

/// Why nothing could be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no homeserver to record.
    #[error(transparent)]
    BuiltIn(#[from] BuiltInError),
    /// It is not fit to be recorded.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The story could not be told to its end.
    #[error("recording the exchanges: {0}")]
    Story(String),
}

impl From<Stop> for RecordError {
    fn from(stop: Stop) -> Self {
        let (Stop::Untestable { reason, .. }
        | Stop::NotApplicable { reason }
        | Stop::HarnessFault { reason }) = stop;
        Self::Story(reason)
    }
}

/// Records every exchange anew. The same on every machine and at any time.
///
/// # Errors
///
/// [`RecordError`] where the built-in homeserver does not start, or does not answer as it must for the story to go on.
pub async fn record() -> Result<Exchanges, RecordError> {
    let (target, server) = built_in::start(Options::default()).await?;
    let prepared = Prepared::new(target, None, 1, "exchanges").await?;
    let exchanges = story::tell(&prepared.theatre(Default::default())).await;
    prepared.end().await;
    server.stop().await;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Ok(Exchanges {
        subject: "exchanges".to_owned(),
        schema: "schemas/exchanges.schema.json".to_owned(),
        schema_version: SCHEMA_VERSION,
        source: texts(&["docs/protocol.md, sections 5 to 7 and 13", "RFC 9112"]),
        notes: texts(&[
            "Recorded off the reference homeserver. Server names, user IDs, access tokens, transaction IDs and times are \
             put in place of those of the recording; the X-Matrix signatures are made with the key of the examples in \
             the Matrix specification, whose public half is XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI, under the key \
             ID ed25519:1 of beta.example.",
            "Only the headers that matter are there. Of an error only status and errcode are for comparing; its text is \
             for people.",
            "A set in an answer may be spelled otherwise, as any JSON: compare it parsed.",
        ]),
        exchanges: exchanges?,
    })
}

#[cfg(test)]
mod tests;
