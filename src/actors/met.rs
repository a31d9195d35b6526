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
        let before = server.peer().journal().arrivals().len();
        self.add(Acquaintance { server: server.clone(), before, names });
    }

    fn add(&self, acquaintance: Acquaintance) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(acquaintance);
    }

    /// Forgets them all, so that those end that nobody else holds; `shown` puts what the target sent them
    /// into the transcript first.
    pub(crate) fn part(&self, shown: bool) {
        let met = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !shown {
            return;
        }
        let mut arrivals: Vec<_> = met.iter().flat_map(Acquaintance::arrivals).collect();
        arrivals.sort_by_key(|(_, arrival)| arrival.at);
        for (server, arrival) in arrivals.into_iter().take(MOST) {
            server.shown(&arrival);
        }
    }
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
