//! Which endpoints a run asked, and how long that took.

use std::cmp::Reverse;
use std::time::Duration;

use crate::actors::World;
use crate::wire::{Counters, Endpoint, Place, Spent};

use super::result::EndpointResult;

/// Every endpoint that was asked, that which took longest in all first.
pub(super) fn told(counters: &Counters, world: &World) -> Vec<EndpointResult> {
    let mut rows: Vec<_> = counters.endpoints().into_iter().collect();
    rows.sort_by_key(|(_, spent)| Reverse(spent.time));
    rows.into_iter().map(|(endpoint, spent)| row(endpoint, spent, world)).collect()
}

fn row(endpoint: Endpoint, spent: Spent, world: &World) -> EndpointResult {
    let Endpoint { base, method, place, held } = endpoint;
    let second = world.second.as_ref().map(|(_, second)| &second.target);
    let asked = second.filter(|second| second.url.as_str() == base).unwrap_or(&world.target);
    let (path, operation) = match place {
        Place::Path(path) => (path, None),
        Place::Operation(operation) => (asked.binding.route(operation).template.clone(), Some(operation)),
    };
    EndpointResult {
        base,
        method,
        path,
        operation: operation.map(|operation| operation.name().to_owned()),
        held,
        requests: spent.requests,
        rate_limited: spent.rate_limited,
        total_ms: millis(spent.time),
        longest_ms: millis(spent.longest),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
