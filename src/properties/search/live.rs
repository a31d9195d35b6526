//! Histories as they are drawn for a target, and performed on it.

use std::time::{Duration, Instant};

use crate::outcome::Stop;
use crate::properties::Property;
use crate::properties::failure::{Confirmed, Failure, SCHEMA_VERSION};
use crate::properties::perform::{Performance, Theatre, perform, terrain_of};
use crate::spec::history::History;
use crate::spec::history::draw::Histories;
use crate::spec::history::tree::Tree;

use super::Company;

/// Draws what a target can perform, and has it performed.
#[derive(Clone, Debug)]
pub(super) struct Live {
    theatre: Theatre,
    histories: Histories,
    seed: u64,
}

impl Live {
    pub(super) fn new(theatre: &Theatre, property: &Property, seed: u64) -> Self {
        let terrain = terrain_of(&theatre.world);
        let histories = Histories { shape: property.shape, terrain, longest: property.longest };
        Self { theatre: theatre.clone(), histories, seed }
    }

    /// A failure of which nothing has been found yet.
    pub(super) fn blank(&self, property: &Property, seed: u64) -> Failure {
        let target = &self.theatre.world.target;
        Failure {
            schema_version: SCHEMA_VERSION,
            suite_version: env!("CARGO_PKG_VERSION").to_owned(),
            property: property.id.to_owned(),
            seed,
            case: 0,
            requirement: String::new(),
            expected: String::new(),
            actual: String::new(),
            url: Some(target.url.to_string()),
            settle_s: target.limits.settle.as_secs_f64(),
            found_with: 0,
            shrunk_in: 0,
            confirmed: Confirmed::default(),
            history: History::default(),
            trace: Vec::new(),
        }
    }
}

impl Company for Live {
    type Tree = Tree;

    fn draw(&self, case: u64) -> Tree {
        self.histories.case(self.seed, case)
    }

    /// What is recorded is forgotten with the performance, but for the exchange that shows a violation.
    async fn perform(
        &self,
        history: &History,
        nonce: &str,
        patience: Option<Duration>,
        decides: bool,
    ) -> Performance {
        let theatre = Theatre { decides, ..self.theatre.apart() };
        let settle = self.theatre.world.target.limits.settle;
        let patience = patience.map_or(settle, |patience| patience.min(settle));
        let began = Instant::now();
        let mut performance = perform(&theatre, history, nonce, patience).await;
        // It may have been restarted, and have forgotten what it only had in memory.
        if let Some(outage) = theatre.client.outages().between(began, Instant::now()).first()
            && let Some(violation) = performance.violation.take()
        {
            let reason = format!("the target could not be reached meanwhile: {}", outage.what);
            performance.stop = Some(Stop::Untestable { reason, exchange: violation.judgement.exchange });
        }
        performance
    }
}
