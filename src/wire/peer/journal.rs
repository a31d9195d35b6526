//! What a peer was asked.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;

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
    /// The status of the answer; `None` where the script gives none.
    pub status: Option<u16>,
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

/// The journal of one peer, in the order of arrival.
#[derive(Debug, Default)]
pub struct Journal {}

impl Journal {
    /// Everything so far.
    pub fn arrivals(&self) -> Vec<Arc<Arrival>> {
        todo!()
    }

    /// Waits until something has arrived after the first `seen` requests, or for so long.
    pub async fn changed(&self, _seen: usize, _within: std::time::Duration) {
        todo!()
    }

    /// Every entry about a user in the presence EDUs so far (each transaction ID once), in order, with the request it came in.
    pub fn pushes(&self, _user_id: &str) -> Vec<(Arc<Arrival>, Value)> {
        todo!()
    }
}
