//! What came to nothing before a request could be read, and what no peer has an answer for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How many incidents of a kind are kept; the rest are counted.
const EACH: usize = 8;
/// How many kinds are told apart.
const KINDS: usize = 256;

/// Something that came to nothing before a request could be read.
#[derive(Clone, Debug)]
pub struct Incident {
    /// When.
    pub at: Instant,
    /// At which peer.
    pub peer: String,
    /// The name that the client asked for (SNI), if it came to that.
    pub sni: Option<String>,
    /// What happened, in a line: the client does not trust the certificate, plain HTTP, a half-read body.
    pub what: String,
    /// Whether the client refused the peer's certificate.
    pub distrust: bool,
}

/// The incidents of a run.
#[derive(Debug)]
pub(super) struct Incidents {
    kept: Mutex<Kept>,
    /// How many there were.
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Kept {
    list: Vec<Incident>,
    /// The last of each kind, and how many there were.
    kinds: BTreeMap<(String, String), (Incident, usize)>,
}

impl Default for Incidents {
    fn default() -> Self {
        Self { kept: Mutex::default(), count: watch::Sender::new(0) }
    }
}

impl Incidents {
    pub(super) fn record(&self, incident: Incident) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = (incident.peer.clone(), incident.what.clone());
        if kept.kinds.len() >= KINDS && !kept.kinds.contains_key(&kind) {
            kind = (incident.peer.clone(), String::new());
        }
        let (last, count) = kept.kinds.entry(kind).or_insert_with(|| (incident.clone(), 0));
        *last = incident.clone();
        *count += 1;
        if *count <= EACH {
            kept.list.push(incident);
        }
        drop(kept);
        self.count.send_modify(|count| *count += 1);
    }

    /// The first of each kind in order, then how many more of it there were.
    pub(super) fn list(&self) -> Vec<Incident> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let more = kept.kinds.values().filter(|(_, count)| *count > EACH).map(|(last, count)| {
            let what = format!("{}; {} times in all", last.what, count);
            Incident { what, ..last.clone() }
        });
        kept.list.iter().cloned().chain(more).collect()
    }

    /// Waits until there has been an incident after the first `seen`, or for so long; how many there are.
    pub(super) async fn changed(&self, seen: usize, within: Duration) -> usize {
        let mut count = self.count.subscribe();
        // Late or not, the number is what the caller looks at.
        let _ = tokio::time::timeout(within, count.wait_for(|count| *count > seen)).await;
        *self.count.borrow()
    }
}

/// Requests that no peer has an answer for, counted.
#[derive(Debug, Default)]
pub(super) struct Unexpected(Mutex<BTreeMap<String, usize>>);

impl Unexpected {
    /// The longest request line that is kept, in characters.
    const LONGEST: usize = 512;

    pub(super) fn record(&self, method: &str, uri: &str) {
        let path = uri.split('?').next().unwrap_or(uri);
        let mut line: String = format!("{method} {path}").chars().take(Self::LONGEST).collect();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KINDS && !counts.contains_key(&line) {
            line = "other requests".to_owned();
        }
        *counts.entry(line).or_default() += 1;
    }

    pub(super) fn list(&self) -> Vec<(String, usize)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(line, count)| (line.clone(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(what: String, distrust: bool) -> Incident {
        Incident { at: Instant::now(), peer: "peer:1".to_owned(), sni: None, what, distrust }
    }

    #[test]
    fn a_flood_is_counted_and_hides_nothing_else() {
        let incidents = Incidents::default();
        for _ in 0..10_000 {
            incidents.record(incident("garbage".to_owned(), false));
        }
        incidents.record(incident("distrust".to_owned(), true));
        let list = incidents.list();
        assert_eq!(list.len(), EACH + 2);
        assert_eq!(list.iter().filter(|incident| incident.distrust).count(), 1);
        assert_eq!(list.last().unwrap().what, "garbage; 10000 times in all");
    }

    #[test]
    fn the_number_of_kinds_is_bounded() {
        let (incidents, unexpected) = (Incidents::default(), Unexpected::default());
        for number in 0..10_000 {
            incidents.record(incident(number.to_string(), false));
            unexpected.record("GET", &format!("/{number}?query"));
        }
        assert_eq!(incidents.list().len(), KINDS + EACH + 1);
        let counts = unexpected.list();
        assert_eq!(counts.len(), KINDS + 1);
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), 10_000);
        assert!(counts.contains(&("GET /7".to_owned(), 1)));
    }

    #[test]
    fn long_request_lines_are_cut() {
        let unexpected = Unexpected::default();
        unexpected.record("GET", &format!("/{}", "é".repeat(5_000)));
        assert_eq!(unexpected.list()[0].0.chars().count(), Unexpected::LONGEST);
    }
}
