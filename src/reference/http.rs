//! Requests and answers as the handlers see them: bytes in, bytes out, no framework types.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::errors::MatrixError;
use super::routes::Variables;
use super::state::Session;

/// How much of a body is read and thrown away so that the client gets to see an early answer.
const DRAINED: usize = 16 << 20;
/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer, before it becomes HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) content_type: &'static str,
    pub(crate) content: Content,
    /// When to come again, if the headers are to say so.
    pub(crate) retry_after: Option<HeaderValue>,
}

/// Whether an answer may say more than it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One more key would make it another answer: a set.
    Closed,
    /// Readers ignore what they do not know.
    Open,
}

impl Reply {
    /// An answer that holds these bytes, which are JSON, and nothing beside them: a set.
    pub(crate) fn bytes(status: u16, body: impl Into<Bytes>) -> Self {
        let (body, content_type) = (body.into(), "application/json");
        Self { status, body, content_type, content: Content::Closed, retry_after: None }
    }

    /// An answer that holds this value.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self { content: Content::Open, ..Self::bytes(status, value.to_string()) }
    }

    /// An answer in plain text, as no Matrix endpoint gives it.
    pub(crate) fn text(status: u16, text: &'static str) -> Self {
        Self { content_type: "text/plain", ..Self::bytes(status, Bytes::from_static(text.as_bytes())) }
    }

    /// 200 with this value.
    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(200, value)
    }

    /// 200 with `{}`.
    pub(crate) fn empty() -> Self {
        Self { content: Content::Open, ..Self::bytes(200, Bytes::from_static(b"{}")) }
    }
}

/// What a handler gives back; errors are answers, too.
pub(crate) type Answer = Result<Reply, Reply>;

/// A request that found its endpoint and, where one is needed, its session.
#[derive(Debug)]
pub(crate) struct Call {
    /// The session whose token came along, on endpoints that need one.
    pub(crate) session: Option<Session>,
    /// The path variables, decoded exactly once.
    pub(crate) variables: Variables,
    /// The query, undecoded.
    pub(crate) query: String,
    /// The body.
    pub(crate) body: Bytes,
}

impl Call {
    /// The session; an endpoint without one has been registered as open and must not ask.
    pub(crate) fn session(&self) -> Result<&Session, MatrixError> {
        self.session.as_ref().ok_or_else(|| MatrixError::missing_token("Missing access token"))
    }

    /// The value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }

    /// All values of a query parameter that may be repeated.
    pub(crate) fn queries(&self, name: &str) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(found, _)| found == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// The body as a JSON object, whatever its Content-Type says.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, MatrixError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(MatrixError::bad_json("The body must be a JSON object")),
            Err(error) => Err(MatrixError::not_json(format!("The body is not JSON: {error}"))),
        }
    }

    /// The body as a JSON object, where no body at all means an empty one.
    pub(crate) fn optional_object(&self) -> Result<Map<String, Value>, MatrixError> {
        if self.body.is_empty() { Ok(Map::new()) } else { self.object() }
    }
}

/// A string member of a request body: absent, or a string, or the client's mistake.
pub(crate) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, MatrixError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MatrixError::bad_json(format!("{name} must be a string"))),
    }
}

/// A string member that must be there.
pub(crate) fn required<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, MatrixError> {
    text(body, name)?.ok_or_else(|| MatrixError::missing_param(format!("Missing {name}")))
}

/// The access token of the Authorization header; query strings are not looked at.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// Reads a body of at most `limit` bytes. What is beyond is read and thrown away, up
/// to a bound: an answer sent while the client still writes would often be lost.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, MatrixError> {
    tokio::time::timeout(BODY_TIMEOUT, collect(body, limit))
        .await
        .unwrap_or_else(|_| Err(MatrixError::unknown("The body took too long")))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, MatrixError> {
    let mut chunks = body.into_data_stream();
    let (mut first, mut rest, mut length) = (Bytes::new(), BytesMut::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| MatrixError::not_json("The body broke off"))?;
        length += chunk.len();
        if length > limit {
            (first, rest) = (Bytes::new(), BytesMut::new());
            if length > limit + DRAINED {
                break;
            }
        } else if first.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    match length {
        _ if length > limit => Err(MatrixError::too_large(format!("The body exceeds {limit} bytes"))),
        _ if rest.is_empty() => Ok(first),
        _ => Ok([first.as_ref(), rest.as_ref()].concat().into()),
    }
}
