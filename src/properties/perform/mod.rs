//! Performs a history on the target, with users of its own, and judges every answer by the model.
//!
//! - Who plays is in `cast`, what each act asks in `act`, and what its answer comes to in `came`.
//! - One act after the other is judged in `story`, by the rules of `judge`; acts that overlap in `at_once`.

mod act;
mod at_once;
mod came;
mod cast;
mod judge;
mod story;
mod terrain;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actors::{Stage, World, in_time};
use crate::outcome::{Judgement, Stop};
use crate::spec::history::History;
use crate::spec::model::Answer;
use crate::wire::{Client, Transcript};

use super::failure::Seen;
use cast::Cast;
use story::Story;

pub use terrain::terrain_of;

/// Where histories are performed.
#[derive(Clone, Debug)]
pub struct Theatre {
    /// The target, and what is known of it.
    pub world: Arc<World>,
    /// Sends requests, and records those of every performance.
    pub client: Client,
    /// The requirements that are not demanded: the target is known to break them, or nobody asks.
    pub lapsed: BTreeSet<&'static str>,
    /// Whether a race that may have come to several ends is waited for until `settle_s` has passed, so that one
    /// read decides between them; else both stay possible, and what follows is judged by either.
    pub decides: bool,
}

impl Theatre {
    /// The same with a transcript of its own, whose requests count as those of this one: of any number of
    /// performances nothing is kept then but what each of them tells.
    #[must_use]
    pub fn apart(&self) -> Self {
        let client = self.client.recording(Arc::new(self.client.transcript().part()));
        Self { client, ..self.clone() }
    }
}

/// What came of one performance.
#[derive(Debug, Default)]
pub struct Performance {
    /// The first answer that the model does not admit.
    pub violation: Option<Violation>,
    /// Why it ended before its last act.
    pub stop: Option<Stop>,
    /// The requirements of which something was checked.
    pub checked: BTreeSet<&'static str>,
    /// What was seen, in the order in which the acts ended; acts that this target takes in no form are not
    /// among it.
    pub trace: Vec<Seen>,
    /// How long it took at most until an effect could be seen.
    pub slowest: Duration,
}

impl Performance {
    /// Blacks out the run's secrets in what is told: a target may put them wherever it answers with words.
    fn redact(&mut self, transcript: &Transcript) {
        let redact = |text: &mut String| *text = transcript.redact_text(text);
        for seen in &mut self.trace {
            match &mut seen.answer {
                Answer::Rejected(_, Some(text))
                | Answer::Hash(text)
                | Answer::Set(text)
                | Answer::Odd(text)
                | Answer::Broken(text) => redact(text),
                Answer::Accepted
                | Answer::Refused
                | Answer::Rejected(_, None)
                | Answer::DeadToken
                | Answer::NoHash
                | Answer::Unseen => {}
            }
        }
        if let Some(Violation { judgement, .. }) = &mut self.violation {
            redact(&mut judgement.expected);
            redact(&mut judgement.actual);
        }
    }
}

/// An answer that the model does not admit.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The requirement that it breaks.
    pub requirement: &'static str,
    /// What was expected and what was found, with the exchange that shows it.
    pub judgement: Judgement,
    /// In which step of the history, from 0.
    pub step: usize,
}

/// Performs a history. Effects are waited for so long at most. `nonce` is in every name, is another one for every
/// performance on a homeserver, and has nothing but lower-case letters and digits.
///
/// The users are fresh, and taken back in the end. Device IDs are the same for every user, as a session is
/// known by user and device (protocol 2).
pub async fn perform(theatre: &Theatre, history: &History, nonce: &str, patience: Duration) -> Performance {
    let Theatre { world, client, .. } = theatre;
    let stage = Arc::new(Stage::new(client.clone(), world.clone()));
    let stopped = |stop| Performance { stop: Some(stop), ..Performance::default() };
    if let Err(outage) = client.outlast(world.target.limits.request_timeout).await {
        return stopped(Stop::Untestable {
            reason: format!("the target is gone: {}", outage.what),
            exchange: None,
        });
    }
    let cast = match Cast::new(stage.clone(), nonce, history).await {
        Ok(cast) => cast,
        Err(stop) => return stopped(stop),
    };
    let began = Instant::now();
    let mut story = Story::new(theatre, &cast, (history, nonce), patience);
    let stop = in_time(&[&*stage], story.play(history)).await.err();
    let mut performance = story.told();
    performance.redact(client.transcript());
    performance.stop = stop;
    if client.outages().between(began, Instant::now()).iter().any(|outage| outage.away) {
        // Who was away may have forgotten what it only had in memory.
        performance.violation = None;
        let reason = "the target was away meanwhile: was it restarted?".to_owned();
        performance.stop.get_or_insert(Stop::Untestable { reason, exchange: None });
    }
    cast.release().await;
    performance
}
