//! Faults that take a history: whether generated histories find what no scenario does.

use std::time::{Duration, Instant};

use crate::built_in;
use crate::engine::{PrepareError, Prepared, run_id};
use crate::properties::search::{Budget, SHRINKING, Searched, Terms, search};
use crate::properties::{self, Property};
use crate::reference::{Fault, FaultSet, Options};

use super::trial::{Failure, TrialError};

/// How long is searched.
const TIME: Duration = Duration::from_secs(60);

/// How long a property has its turn, and how many histories it performs in it.
const TURN: Budget = Budget { cases: 64, time: Duration::from_secs(2) };

/// What the properties find of a fault: the requirement, with the property and what it found; nothing where
/// the time is up.
pub(super) async fn search_for(fault: Fault, seed: u64) -> Result<Option<(String, Failure)>, TrialError> {
    let options = Options { faults: FaultSet::from_iter([fault]), ..Options::default() };
    let (target, server) = built_in::start_alone(options).await?;
    let jobs = target.limits.in_flight;
    let run_id = run_id::fresh()?;
    let prepared = match Prepared::new(target, None, seed, &run_id).await {
        Ok(prepared) => prepared,
        Err(PrepareError::Client(error)) => return Err(error.into()),
        Err(PrepareError::Preflight(_)) => return Ok(None),
    };
    // All of these faults break a must; what besides looks like the breach of a should ends a history early.
    let theatre = prepared.theatre(properties::lapsed(false));
    let offered = |property: &&Property| property.needs.iter().all(|need| prepared.features().has(*need));
    let began = Instant::now();
    let mut found = None;
    for round in 0.. {
        for property in properties::all().iter().filter(offered) {
            let nonce = format!("{run_id}p{}x{round}", property.place());
            let terms =
                Terms { seed, first: round * TURN.cases, budget: TURN, shrinking: SHRINKING, jobs, nonce };
            let searched = search(&theatre, property, &terms, &mut |_| {}).await;
            found = found.or_else(|| told(property, searched));
        }
        if found.is_some() || began.elapsed() > TIME {
            break;
        }
    }
    prepared.end().await;
    server.stop().await;
    Ok(found)
}

fn told(property: &Property, searched: Searched) -> Option<(String, Failure)> {
    let (failure, judgement) = searched.failure?;
    let first = format!("expected {}, but there was {}", judgement.expected, judgement.actual);
    Some((failure.requirement, Failure { scenarios: vec![property.id.to_owned()], first }))
}
