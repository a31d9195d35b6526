//! One request, and what came of it.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::spec::binding::Operation;

/// How many characters of a body fit a phrase.
const DESCRIBED: usize = 160;

/// A string that must never reach a report or a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself: for the wire, and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A request to send, exactly as it is.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Path and query, already percent-encoded.
    pub path: String,
    /// The access token, sent as a bearer token.
    pub token: Option<Secret>,
    /// The value of the Authorization header, where it is no access token (X-Matrix); no secret.
    pub authorization: Option<String>,
    /// The body and its content type.
    pub body: Option<(Bytes, &'static str)>,
    /// The operation this is, where it is one.
    pub operation: Option<Operation>,
    /// How long the server is asked to hold the request (`/sync`); not counted against its deadline.
    pub long_poll: Duration,
    /// Whether the path must reach the server letter by letter, past any client that tidies it.
    pub verbatim: bool,
    /// Whether a server may well close the connection on it, as on a body that is too long to be taken.
    pub may_break: bool,
    /// Whether the server hashes a password for it, which costs a processor a good part of a second.
    pub costly: bool,
}

impl Request {
    /// A request with nothing but a method and a path.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            path: path.into(),
            token: None,
            authorization: None,
            body: None,
            operation: None,
            long_poll: Duration::ZERO,
            verbatim: false,
            may_break: false,
            costly: false,
        }
    }

    /// Sends this access token.
    pub fn token(mut self, token: &Secret) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// Sends this as the value of the Authorization header, letter by letter.
    pub fn authorization(mut self, value: impl Into<String>) -> Self {
        self.authorization = Some(value.into());
        self
    }

    /// Sends this body as `application/json`, whatever it is.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some((body.into(), "application/json"));
        self
    }

    /// Sends a JSON value.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body(value.to_string())
    }

    /// Names the operation.
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Asks the server to hold the request.
    pub fn long_poll(mut self, hold: Duration) -> Self {
        self.long_poll = hold;
        self
    }

    /// Sends the path letter by letter.
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// The path without its query, as it is sent.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The server hashes a password for it: few of those are sent at once.
    pub fn costly(mut self) -> Self {
        self.costly = true;
        self
    }

    /// That the server closes the connection on it says nothing about the server's health.
    pub fn may_break(mut self) -> Self {
        self.may_break = true;
        self
    }
}

/// An answer, as it came.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names (lower case) and values, in order; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Why no whole answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// No connection: refused, no route, no such name.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS fault: {0}")]
    Tls(String),
    /// A deadline passed.
    #[error("no {stage} within {} s", limit.as_secs_f64())]
    TimedOut {
        /// What did not come: `connection`, `answer`, `whole body`.
        stage: &'static str,
        /// The deadline.
        limit: Duration,
    },
    /// The connection closed or broke before the answer was whole.
    #[error("connection broke: {0}")]
    Closed(String),
    /// The body is longer than the harness reads.
    #[error("body longer than {limit} bytes")]
    TooLong {
        /// The bound in bytes.
        limit: usize,
    },
    /// What came is not HTTP.
    #[error("not HTTP: {0}")]
    NotHttp(String),
    /// The harness could not put the request into HTTP: its own fault, never the target's.
    #[error("cannot be sent: {0}")]
    Unsendable(String),
}

/// One request and what came of it.
#[derive(Debug)]
pub struct Exchange {
    /// What was sent, secrets and all; never shown.
    pub request: Request,
    /// What came back.
    pub result: Result<Response, NetworkFault>,
    /// When it was sent.
    pub sent_at: Instant,
    /// From the first byte sent to the last received.
    pub took: Duration,
    /// The redacted form, made when it was recorded.
    pub recorded: Recorded,
}

/// A request that the target sent to a homeserver of the harness.
#[derive(Clone, Debug)]
pub struct Received<'r> {
    /// The server name of the homeserver that received it.
    pub by: &'r str,
    /// When its last byte was read.
    pub at: Instant,
    /// The HTTP method.
    pub method: &'r str,
    /// Path and query as on the request line.
    pub uri: &'r str,
    /// Headers, names in lower case.
    pub headers: &'r [(String, String)],
    /// The body.
    pub body: &'r Bytes,
    /// What it was answered.
    pub answered: &'r Answered,
}

/// What a homeserver of the harness answered, as far as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The status; `None` where there is no answer.
    pub status: Option<u16>,
    /// The headers that say something, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body; `None` where it is not sent whole.
    pub body: Option<Bytes>,
    /// How long the whole body is, in bytes.
    pub length: usize,
    /// What is done instead of sending a whole answer.
    pub fault: Option<&'static str>,
}

impl Exchange {
    /// The status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|r| r.status)
    }

    /// The body as JSON, read as tolerantly as clients do, whatever the status.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.result.as_ref().ok()?.body).ok()
    }

    /// The `errcode` of a Matrix error, if the body is one.
    pub fn errcode(&self) -> Option<String> {
        self.status().filter(|status| *status >= 400)?;
        Some(self.json()?.get("errcode")?.as_str()?.to_owned())
    }

    /// Whether the target says that it knows no such operation.
    pub fn is_unrecognized(&self) -> bool {
        matches!(self.status(), Some(404 | 405)) && self.errcode().as_deref() == Some("M_UNRECOGNIZED")
    }

    /// Whether the target broke down: a 5xx, or no whole answer.
    pub fn is_breakdown(&self) -> bool {
        self.status().is_none_or(|status| status >= 500)
    }

    /// Whether there was not even a connection, and so nothing was asked.
    pub fn never_connected(&self) -> bool {
        matches!(
            self.result,
            Err(NetworkFault::Connect(_)
                | NetworkFault::Tls(_)
                | NetworkFault::TimedOut { stage: "connection", .. })
        )
    }

    /// Whether the access token was refused as missing or dead.
    pub fn is_token_refused(&self) -> bool {
        self.status() == Some(401)
            && matches!(self.errcode().as_deref(), Some("M_MISSING_TOKEN" | "M_UNKNOWN_TOKEN"))
    }

    /// What came back, in a phrase; redacted.
    pub fn describe(&self) -> String {
        let Some(status) = self.recorded.status else {
            return self.recorded.fault.clone().unwrap_or_default();
        };
        match self.errcode() {
            Some(errcode) => format!("{status} {errcode}"),
            None => {
                let body = self.recorded.response_body.as_deref().unwrap_or_default();
                let head: String = body.chars().take(DESCRIBED).collect();
                let cut = if head.len() < body.len() { "…" } else { "" };
                format!("{status} {}{cut}", one_line(&head)).trim_end().to_owned()
            }
        }
    }
}

/// What a target said, fit to stand in a line: a run of space is one space, and nothing steers a terminal.
fn one_line(text: &str) -> String {
    let plain = |word: &str| word.replace(char::is_control, "\u{fffd}");
    text.split_whitespace().map(plain).collect::<Vec<_>>().join(" ")
}

/// An exchange as reports show it: redacted, text only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recorded {
    /// Position in the scenario, from 1, in the order in which requests were sent.
    pub number: usize,
    /// The HTTP method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Request headers the harness set; the token is redacted.
    pub request_headers: Vec<(String, String)>,
    /// The request body, cut and redacted.
    pub request_body: Option<String>,
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// Response headers.
    pub response_headers: Vec<(String, String)>,
    /// The response body, cut and redacted.
    pub response_body: Option<String>,
    /// Why no whole answer came.
    pub fault: Option<String>,
    /// Milliseconds from the start of the scenario.
    pub at_ms: u64,
    /// Milliseconds it took.
    pub took_ms: u64,
    /// A curl command that sends the same request, with `$TOKEN` for the access token.
    pub curl: Option<String>,
    /// The server name of the harness's own homeserver that received the request, where it was the
    /// target that sent it.
    pub received_by: Option<String>,
}
