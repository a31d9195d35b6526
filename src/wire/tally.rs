//! What a run has sent so far, endpoint by endpoint: how often, and how long the answers took.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::spec::binding::Operation;

use super::exchange::Request;

/// Path segments that differ from run to run, by how they begin: Matrix identifiers, and what preflight asks
/// for that no homeserver has.
const BEGINNINGS: [(&str, &str); 4] =
    [("@", "{userId}"), ("!", "{roomId}"), ("$", "{eventId}"), ("capcheck.", "{unknown}")];

/// And by the segment before them.
const FOLLOWING: [(&str, &str); 2] = [("devices", "{deviceId}"), ("send", "{txnId}")];

/// Where requests go that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The base URL that was asked.
    pub base: String,
    /// The HTTP method.
    pub method: String,
    /// The operation, where it is one, or else a path with `{name}` for what varies.
    pub place: Place,
    /// Whether the server was asked to hold the request, or has to ask another homeserver first.
    pub held: bool,
}

/// What is asked for at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An operation, wherever the binding has it.
    Operation(Operation),
    /// A path of Matrix.
    Path(String),
}

/// What an endpoint was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent; each repetition after a 429 is one.
    pub requests: u64,
    /// Those that were answered with 429.
    pub rate_limited: u64,
    /// From the first byte sent to the last one read, of all of them.
    pub time: Duration,
    /// That of the one that took longest.
    pub longest: Duration,
}

/// What a run has sent so far.
#[derive(Debug, Default)]
pub struct Counters {
    endpoints: Mutex<BTreeMap<Endpoint, Spent>>,
}

impl Counters {
    /// Requests sent.
    pub fn requests(&self) -> u64 {
        self.lock().values().map(|spent| spent.requests).sum()
    }

    /// Answers with status 429.
    pub fn rate_limited(&self) -> u64 {
        self.lock().values().map(|spent| spent.rate_limited).sum()
    }

    /// What every endpoint was asked.
    pub fn endpoints(&self) -> BTreeMap<Endpoint, Spent> {
        self.lock().clone()
    }

    /// Counts a request that is about to be sent.
    pub(super) fn sent(&self, endpoint: &Endpoint) {
        self.lock().entry(endpoint.clone()).or_default().requests += 1;
    }

    /// Counts what came of it.
    pub(super) fn took(&self, endpoint: &Endpoint, time: Duration, status: Option<u16>) {
        let mut endpoints = self.lock();
        let spent = endpoints.entry(endpoint.clone()).or_default();
        spent.rate_limited += u64::from(status == Some(429));
        spent.time += time;
        spent.longest = spent.longest.max(time);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Endpoint, Spent>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    /// Where a request to this base URL goes.
    pub(super) fn of(request: &Request, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            method: request.method.clone(),
            place: match request.operation {
                Some(operation) => Place::Operation(operation),
                None => Place::Path(template(&request.path)),
            },
            held: !request.long_poll.is_zero(),
        }
    }
}

/// A path without its query, and with `{name}` for every segment that differs from run to run.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let before = std::iter::once("").chain(path.split('/'));
    let segments = path.split('/').zip(before).map(|(segment, before)| {
        let plain = percent_decode_str(segment).decode_utf8_lossy();
        let begins = BEGINNINGS.iter().find(|(beginning, _)| plain.starts_with(beginning));
        let follows = FOLLOWING.iter().find(|(word, _)| *word == before);
        begins.or(follows).map_or(segment, |(_, name)| name)
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_differ_in_names_alone_are_one_endpoint() {
        for (path, expected) in [
            ("/_matrix/client/v3/sync?timeout=0&since=s17", "/_matrix/client/v3/sync"),
            ("/_matrix/client/v3/presence/%40a%3Ab/status", "/_matrix/client/v3/presence/{userId}/status"),
            ("/_matrix/client/v3/join/%21x%3Ay?via=y", "/_matrix/client/v3/join/{roomId}"),
            ("/_matrix/client/v3/devices/CAP-5e0c-17", "/_matrix/client/v3/devices/{deviceId}"),
            ("/_matrix/client/v3/devices", "/_matrix/client/v3/devices"),
            ("/_matrix/federation/v1/send/5e0c-s1-0-0", "/_matrix/federation/v1/send/{txnId}"),
            (
                "/_matrix/federation/v2/send_join/!x:y/%24z?omit_members=false",
                "/_matrix/federation/v2/send_join/{roomId}/{eventId}",
            ),
            ("/_matrix/client/unstable/capcheck.5e0c", "/_matrix/client/unstable/{unknown}"),
            ("/", "/"),
        ] {
            assert_eq!(template(path), expected);
        }
    }

    #[test]
    fn what_is_alike_is_counted_together() {
        let counters = Counters::default();
        let ask = |path: &str| Request::new("GET", path);
        let operation = || ask("/x").operation(Operation::Resolve);
        for (request, status) in [
            (ask("/users/@alice:a"), 429),
            (ask("/users/@bob:a"), 200),
            (operation(), 200),
            (operation().long_poll(Duration::from_secs(1)), 404),
        ] {
            let endpoint = Endpoint::of(&request, "http://a/");
            counters.sent(&endpoint);
            counters.took(&endpoint, Duration::from_millis(u64::from(status)), Some(status));
        }
        let ms = Duration::from_millis;
        let spent: Vec<Spent> = counters.endpoints().into_values().collect();
        let once = |time| Spent { requests: 1, rate_limited: 0, time, longest: time };
        let twice = Spent { requests: 2, rate_limited: 1, time: ms(629), longest: ms(429) };
        assert_eq!(spent, [once(ms(200)), once(ms(404)), twice]);
        assert_eq!((counters.requests(), counters.rate_limited()), (4, 1));
    }
}
