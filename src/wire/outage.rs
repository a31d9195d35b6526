//! When a target could not be reached or broke connections off: it may have been restarted meanwhile, and
//! have forgotten what it only had in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::exchange::{Exchange, NetworkFault};

/// What any homeserver that works answers with 200, and what stands before one that does not answers
/// with something else.
pub const CONTROL: &str = "/_matrix/client/versions";

/// Faults no further apart than this are one outage.
const TOGETHER: Duration = Duration::from_secs(1);

/// How many outages are told apart; what comes after those prolongs the last.
const MOST: usize = 1000;

/// A time during which requests came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it was noticed.
    pub began: Instant,
    /// Since when nothing was answered: later than it began, where the target was there for a moment.
    pub silent_since: Instant,
    /// When the target answered again; `None` where it has not.
    pub ended: Option<Instant>,
    /// What came of the first request; redacted.
    pub what: String,
    /// How many requests came to nothing.
    pub faults: usize,
    /// Whether nobody was there for any of them: no connection came about, or a proxy said so. Whoever only
    /// breaks connections off has forgotten nothing.
    pub away: bool,
}

/// The outages of a run's targets, in order.
#[derive(Debug, Default)]
pub struct Outages {
    all: Mutex<Vec<Outage>>,
    /// Held by who waits for the end of one, so that one asks for all.
    pub(super) asking: tokio::sync::Mutex<()>,
}

impl Outages {
    /// All of them so far.
    pub fn so_far(&self) -> Vec<Outage> {
        self.lock().clone()
    }

    /// The one that lasts.
    pub fn lasting(&self) -> Option<Outage> {
        self.lock().last().filter(|outage| outage.ended.is_none()).cloned()
    }

    /// Those that there were between these two moments, or at any of the two.
    pub fn between(&self, from: Instant, until: Instant) -> Vec<Outage> {
        let meets = |outage: &&Outage| outage.began <= until && outage.ended.is_none_or(|end| end >= from);
        self.lock().iter().filter(meets).cloned().collect()
    }

    /// Learns from what came of a request.
    pub(super) fn learn(&self, exchange: &Exchange) {
        let now = exchange.sent_at + exchange.took;
        if is_outage(exchange) {
            // Where nobody listens nobody has for as long as that was tried.
            self.broken(if exchange.never_connected() { exchange.sent_at } else { now }, exchange);
        } else if exchange.result.is_ok() {
            self.answered(exchange.sent_at, now);
        }
    }

    fn broken(&self, at: Instant, exchange: &Exchange) {
        let mut all = self.lock();
        let full = all.len() >= MOST;
        let away = exchange.never_connected() || exchange.result.is_ok();
        match all.last_mut() {
            Some(last) if full || last.ended.is_none_or(|end| at <= end + TOGETHER) => {
                if last.ended.take().is_some() {
                    last.silent_since = at;
                }
                last.faults += 1;
                last.away |= away;
            }
            _ => {
                let what = exchange.describe();
                all.push(Outage { began: at, silent_since: at, ended: None, what, faults: 1, away });
            }
        }
    }

    /// An answer to what was sent before says nothing about what came after.
    fn answered(&self, sent_at: Instant, now: Instant) {
        if let Some(last) = self.lock().last_mut().filter(|last| last.ended.is_none())
            && sent_at >= last.began
        {
            last.ended = Some(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Outage>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request came to nothing because nobody is there. Silence is no outage: who is slow has
/// forgotten nothing.
fn is_outage(exchange: &Exchange) -> bool {
    let broken_off = matches!(exchange.result, Err(NetworkFault::Closed(_))) && !exchange.request.may_break;
    let behind_a_proxy = exchange.request.path == CONTROL && !matches!(exchange.status(), Some(200 | 429));
    exchange.never_connected() || broken_off || behind_a_proxy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::{Request, Response};
    use crate::wire::{TlsTrust, Transcript};

    type Came = Result<u16, NetworkFault>;

    fn exchange(request: Request, came: Came) -> std::sync::Arc<Exchange> {
        let answer = |status| Response { status, headers: Vec::new(), body: Default::default() };
        let base = "http://127.0.0.1:9".parse().unwrap();
        Transcript::default().record(request, came.map(answer), Instant::now(), &base, &TlsTrust::System)
    }

    fn get(path: &str) -> Request {
        Request::new("GET", path)
    }

    fn refused() -> Came {
        Err(NetworkFault::Connect("refused".to_owned()))
    }

    fn closed() -> Came {
        Err(NetworkFault::Closed("reset".to_owned()))
    }

    #[test]
    fn nobody_there_is_an_outage_and_a_bad_answer_is_none() {
        let late = |stage| Err(NetworkFault::TimedOut { stage, limit: Duration::ZERO });
        for (request, came, is) in [
            (get("/"), refused(), true),
            (get("/"), closed(), true),
            (get("/"), late("connection"), true),
            (get("/"), late("answer"), false),
            (get("/"), Err(NetworkFault::TooLong { limit: 1 }), false),
            (get("/"), Ok(502), false),
            (get(CONTROL), Ok(502), true),
            (get(CONTROL), Ok(429), false),
            (get(CONTROL), Ok(200), false),
            (get("/").may_break(), closed(), false),
            (get("/").may_break(), refused(), true),
        ] {
            assert_eq!(is_outage(&exchange(request, came.clone())), is, "{came:?}");
        }
    }

    #[test]
    fn an_outage_lasts_until_what_was_sent_after_its_beginning_is_answered() {
        let outages = Outages::default();
        let (before, early) = (Instant::now(), exchange(get("/"), Ok(200)));
        outages.learn(&exchange(get("/"), closed()));
        assert!(outages.lasting().is_some());
        outages.learn(&early);
        assert!(outages.lasting().is_some(), "it was sent before");
        let late = NetworkFault::TimedOut { stage: "answer", limit: Duration::ZERO };
        outages.learn(&exchange(get("/"), Err(late)));
        assert!(outages.lasting().is_some(), "silence is no answer");
        outages.learn(&exchange(get("/"), Ok(500)));
        assert_eq!(outages.lasting(), None);
        let [outage] = outages.so_far().try_into().unwrap();
        assert!(!outage.away, "a connection was broken off, and nothing else");
        assert_eq!((outage.faults, outage.what.as_str()), (1, "connection broke: reset"));
        let (began, ended) = (outage.began, outage.ended.unwrap());
        let any_between = |from, until| !outages.between(from, until).is_empty();
        assert!(any_between(began, began) && any_between(ended, ended));
        assert!(any_between(before, ended + TOGETHER), "around all of it");
        let moment = Duration::from_nanos(1);
        assert!(!any_between(before - moment, before.min(began - moment)));
        assert!(!any_between(ended + moment, ended + TOGETHER));
    }

    #[test]
    fn faults_that_follow_each_other_are_one_outage_and_others_are_not() {
        let outages = Outages::default();
        let fault = exchange(get("/"), refused());
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        outages.broken(at(0), &fault);
        outages.answered(at(10), at(20));
        outages.broken(at(500), &fault);
        outages.broken(at(505), &fault);
        let silent = outages.lasting().unwrap().silent_since;
        assert_eq!(silent, at(500), "it was there in between");
        outages.answered(at(510), at(520));
        outages.broken(at(5000), &fault);
        assert!(outages.so_far().iter().all(|outage| outage.away));
        let told: Vec<_> = outages.so_far().iter().map(|o| (o.began, o.ended, o.faults)).collect();
        assert_eq!(told, [(at(0), Some(at(520)), 3), (at(5000), None, 1)]);
        for n in 2..2 * MOST as u64 {
            outages.answered(at(10_000 * n - 1), at(10_000 * n - 1));
            outages.broken(at(10_000 * n + 5000), &fault);
        }
        assert_eq!(outages.so_far().len(), MOST);
    }
}
