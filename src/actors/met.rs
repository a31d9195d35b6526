//! The harness's homeservers that a scenario has met, and what the target sent to them meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::percent_decode_str;

use crate::wire::peer::Arrival;

use super::RemoteServer;

/// How many requests of the target are shown unless a check points at more.
const MOST: usize = 200;

/// The harness's homeservers that one scenario has met; it outlives the scenario, however that ends.
#[derive(Debug, Default)]
pub struct Met(Mutex<Vec<Acquaintance>>);

#[derive(Debug)]
struct Acquaintance {
    server: RemoteServer,
    /// How many requests had come before the scenario met it.
    before: usize,
    /// What a request names where it concerns the scenario; every request does where there are none.
    names: Vec<String>,
}

impl Met {
    /// Remembers a homeserver that is there for the scenario alone.
    pub(crate) fn alone(&self, server: &RemoteServer) {
        self.add(Acquaintance { server: server.clone(), before: 0, names: Vec::new() });
    }

    /// Remembers a homeserver that others use, too: what concerns the scenario names one of these.
    pub(crate) fn among_others(&self, server: &RemoteServer, names: Vec<String>) {
        let before = server.peer().journal().count();
        self.add(Acquaintance { server: server.clone(), before, names });
    }

    fn add(&self, acquaintance: Acquaintance) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(acquaintance);
    }

    /// Forgets them all, so that those end that nobody else holds, and says how many requests the target
    /// sent them; `shown` puts the first of those into the transcript.
    pub(crate) fn part(&self, shown: bool) -> usize {
        let met = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let arrivals = once(met.iter().flat_map(Acquaintance::arrivals).collect());
        for (server, arrival) in arrivals.iter().take(if shown { MOST } else { 0 }) {
            server.shown(arrival);
        }
        arrivals.len()
    }
}

/// What came, in order and each once, though a scenario may meet a homeserver twice.
fn once<S>(mut arrivals: Vec<(S, Arc<Arrival>)>) -> Vec<(S, Arc<Arrival>)> {
    arrivals.sort_by_key(|(_, arrival)| arrival.at);
    arrivals.dedup_by(|(_, one), (_, other)| Arc::ptr_eq(one, other));
    arrivals
}

impl Acquaintance {
    /// What came and concerns the scenario.
    fn arrivals(&self) -> impl Iterator<Item = (&RemoteServer, Arc<Arrival>)> {
        let arrivals = self.server.peer().journal().arrivals().into_iter().skip(self.before);
        let concern = arrivals.filter(|arrival| self.names.is_empty() || names_any(arrival, &self.names));
        concern.map(|arrival| (&self.server, arrival))
    }
}

/// Whether a request names one of these in its URI or in its body.
fn names_any(arrival: &Arrival, names: &[String]) -> bool {
    let uri = percent_decode_str(&arrival.uri).decode_utf8_lossy();
    let body = String::from_utf8_lossy(&arrival.body);
    names.iter().any(|name| uri.contains(name) || body.contains(name))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::wire::Answered;
    use crate::wire::peer::{Asked, SignatureFault};

    fn arrival(at: Instant, uri: &str, body: &'static str) -> Arc<Arrival> {
        Arc::new(Arrival {
            number: 0,
            at,
            method: "GET".to_owned(),
            uri: uri.to_owned(),
            headers: Vec::new(),
            body: body.into(),
            asked: Asked::Other,
            signature: Err(SignatureFault::Missing),
            answered: Answered::default(),
        })
    }

    #[test]
    fn a_request_names_a_user_in_its_uri_or_in_its_body() {
        let names = ["run-s1-".to_owned(), "@alice:target".to_owned()];
        let names_one = |uri, body| names_any(&arrival(Instant::now(), uri, body), &names);
        assert!(names_one("/users/%40zoe-run-s1-0%3Apeer", ""));
        assert!(names_one("/users/%40alice%3Atarget", ""));
        assert!(names_one("/send/1", r#"{ "user_id": "@alice:target" }"#));
        assert!(!names_one("/users/%40zoe-run-s12-0%3Apeer", r#"{ "user_id": "@alice:elsewhere" }"#));
    }

    #[test]
    fn what_came_is_told_in_order_and_each_once() {
        let start = Instant::now();
        let after = |at| (at, arrival(start + Duration::from_millis(at), "/", ""));
        let mut arrivals: Vec<_> = (0..300).rev().map(after).collect();
        arrivals.extend(arrivals.clone());
        assert!(once(arrivals).iter().map(|(at, _)| *at).eq(0..300));
    }
}
