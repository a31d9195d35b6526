//! What a peer was asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use crate::wire::Answered;

/// How many requests a journal holds.
const LONGEST: usize = 20_000;
/// How many bytes of requests it holds.
const HEAVIEST: usize = 64 << 20;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Position in the peer's journal, from 0.
    pub number: usize,
    /// When its last byte was read.
    pub at: Instant,
    /// The HTTP method.
    pub method: String,
    /// Path and query as on the request line.
    pub uri: String,
    /// Headers, names in lower case; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What it asks.
    pub asked: Asked,
    /// Whose signature it bears, or why it bears none that holds. Requests for keys need none.
    pub signature: Result<String, SignatureFault>,
    /// What it is answered.
    pub answered: Answered,
}

impl Arrival {
    /// What it takes to keep it, nearly.
    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let answered = self.answered.body.as_ref().map_or(0, Bytes::len);
        self.uri.len() + headers + self.body.len() + answered
    }
}

/// What a request asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `GET /_matrix/key/v2/server`.
    Keys,
    /// `GET /_matrix/federation/v1/version`.
    Version,
    /// `PUT /_matrix/federation/v1/send/{txnId}`.
    Transaction {
        /// The transaction ID.
        id: String,
    },
    /// `fed_server_hash`.
    ServerHash {
        /// For whom.
        user_id: String,
    },
    /// `fed_server_set`.
    ServerSet {
        /// Which.
        hash: String,
    },
    /// `fed_resolve`.
    Resolve {
        /// Whose.
        user_id: String,
        /// Which.
        hash: String,
    },
    /// The place to which a scripted redirect led, signed or not.
    Redirected {
        /// Whose set was asked for at first.
        user_id: String,
        /// Which.
        hash: String,
    },
    /// Anything else; answered 404 `M_UNRECOGNIZED`.
    Other,
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// No Authorization header.
    #[error("it is not signed")]
    Missing,
    /// A header that cannot be read.
    #[error("its X-Matrix header cannot be read: {0}")]
    Header(String),
    /// For another server than the peer.
    #[error("it is signed for {0:?}")]
    Destination(String),
    /// The peer does not know the keys of the origin.
    #[error("it is signed as {0:?}, which is not the target")]
    Origin(String),
    /// A key ID that the origin does not publish.
    #[error("it is signed with the key {0:?}, which its server does not publish")]
    Key(String),
    /// It does not verify.
    #[error("its signature does not verify: {0}")]
    Broken(String),
}

/// The journal of one peer, in the order of arrival.
#[derive(Debug)]
pub struct Journal {
    /// The EDU type in which presence travels.
    edu: String,
    kept: Mutex<Kept>,
    /// How many requests have arrived.
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Kept {
    arrivals: Vec<Arc<Arrival>>,
    bytes: usize,
    /// Whether a request came that could not be kept.
    has_overflown: bool,
    /// Origin and ID of the transactions so far.
    transactions: BTreeSet<(String, String)>,
    pushes: Vec<(Arc<Arrival>, Value)>,
}

impl Journal {
    /// An empty journal, for presence in EDUs of this type.
    pub(super) fn new(edu: &str) -> Self {
        Self { edu: edu.to_owned(), kept: Mutex::default(), count: watch::Sender::new(0) }
    }

    /// Everything so far.
    pub fn arrivals(&self) -> Vec<Arc<Arrival>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).arrivals.clone()
    }

    /// How many requests have arrived so far.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Whether everything that came was kept, so that what is not here did not come.
    pub fn is_whole(&self) -> bool {
        !self.kept.lock().unwrap_or_else(PoisonError::into_inner).has_overflown
    }

    /// Waits until something has arrived after the first `seen` requests, or for so long.
    pub async fn changed(&self, seen: usize, within: Duration) {
        let mut count = self.count.subscribe();
        // Late or not, the caller looks for itself.
        let _ = tokio::time::timeout(within, count.wait_for(|count| *count > seen)).await;
    }

    /// Every entry about a user in the presence EDUs so far (each transaction ID once), in order, with the request it came in.
    ///
    /// Transactions whose signature does not hold are refused, and their entries are not among these.
    pub fn pushes(&self, user_id: &str) -> Vec<(Arc<Arrival>, Value)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let about = |entry: &Value| entry.get("user_id").and_then(Value::as_str) == Some(user_id);
        kept.pushes.iter().filter(|(_, entry)| about(entry)).cloned().collect()
    }

    /// Writes a request down, and gives it its number; `false` where the journal is full.
    pub(super) fn record(&self, mut arrival: Arrival) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.bytes.saturating_add(arrival.bytes());
        if kept.arrivals.len() >= LONGEST || bytes > HEAVIEST {
            kept.has_overflown = true;
            return false;
        }
        kept.bytes = bytes;
        arrival.number = kept.arrivals.len();
        let arrival = Arc::new(arrival);
        kept.arrivals.push(arrival.clone());
        if let (Asked::Transaction { id }, Ok(origin)) = (&arrival.asked, &arrival.signature)
            && kept.transactions.insert((origin.clone(), id.clone()))
        {
            let entries = self.entries(&arrival.body);
            kept.pushes.extend(entries.into_iter().map(|entry| (arrival.clone(), entry)));
        }
        let count = kept.arrivals.len();
        drop(kept);
        self.count.send_modify(|known| *known = count.max(*known));
        true
    }

    /// The `push` entries of a transaction's presence EDUs.
    fn entries(&self, body: &[u8]) -> Vec<Value> {
        let Ok(transaction) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let presence = list(&transaction["edus"]).into_iter().filter(|edu| edu["edu_type"] == *self.edu);
        presence.flat_map(|edu| list(&edu["content"]["push"])).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transaction(origin: &str, id: &str, body: &Value) -> Arrival {
        Arrival {
            number: 0,
            at: Instant::now(),
            method: "PUT".to_owned(),
            uri: format!("/_matrix/federation/v1/send/{id}"),
            headers: Vec::new(),
            body: body.to_string().into(),
            asked: Asked::Transaction { id: id.to_owned() },
            signature: Ok(origin.to_owned()),
            answered: Answered::default(),
        }
    }

    fn presence(entries: &Value) -> Value {
        json!({ "edus": [
            { "edu_type": "m.typing", "content": { "push": [{ "user_id": "@a:b", "n": 0 }] } },
            { "edu_type": "m.presence", "content": { "push": entries } },
        ] })
    }

    fn numbers(journal: &Journal) -> Vec<Value> {
        journal.pushes("@a:b").into_iter().map(|(_, entry)| entry["n"].clone()).collect()
    }

    #[test]
    fn a_transaction_is_processed_once_and_all_its_entries_count() {
        let journal = Journal::new("m.presence");
        let entry = |n: u32| json!({ "user_id": "@a:b", "n": n });
        let first = presence(&json!([entry(1), { "user_id": "@c:b", "n": 9 }, 7, entry(2)]));
        journal.record(transaction("b", "1", &first));
        journal.record(transaction("b", "1", &first));
        journal.record(transaction("other", "1", &presence(&json!([entry(3)]))));
        journal.record(transaction("b", "2", &presence(&json!([entry(4)]))));
        let refused = Arrival {
            signature: Err(SignatureFault::Missing),
            ..transaction("b", "3", &presence(&json!([entry(5)])))
        };
        journal.record(refused);
        assert_eq!(numbers(&journal), [1, 2, 3, 4]);
        let order: Vec<_> = journal.arrivals().iter().map(|arrival| arrival.number).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_no_transaction_pushes_nothing() {
        let journal = Journal::new("m.presence");
        for (id, body) in [json!(7), json!({ "edus": {} }), json!({ "edus": [null] }), presence(&json!("x"))]
            .iter()
            .enumerate()
        {
            journal.record(transaction("b", &id.to_string(), body));
        }
        assert_eq!((journal.arrivals().len(), numbers(&journal).len()), (4, 0));
    }

    #[test]
    fn a_journal_is_bounded() {
        let journal = Journal::new("m.presence");
        let heavy = Bytes::from(vec![b' '; 4 << 20]);
        let kept = |body: &Bytes| Arrival { body: body.clone(), ..transaction("b", "x", &json!({})) };
        assert!((0..15).all(|_| journal.record(kept(&heavy))));
        assert!(journal.is_whole());
        assert!((0..).take(LONGEST).any(|_| !journal.record(kept(&heavy))));
        assert!(!journal.is_whole());
        let light = Journal::new("m.presence");
        assert!((0..LONGEST).all(|_| light.record(kept(&Bytes::new()))));
        assert!(!light.record(kept(&Bytes::new())));
    }
}
