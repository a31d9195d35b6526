//! Requests and answers: what came is judged, answered by the script, and written down.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::body::{self, Body};
use super::host::Host;
use super::journal::{Arrival, Asked, SignatureFault};
use super::route;
use super::script::Answer;
use crate::wire::Answered;
use crate::wire::transcript::SHOWN;

/// The longest body that is read, in bytes.
const LONGEST: usize = 4 << 20;

const JSON: &str = "application/json";

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
pub(super) struct NoAnswer;

/// What a peer does about a request.
enum Reply {
    Whole(u16, &'static str, Bytes),
    /// To a URL.
    Redirect(String),
    Silence,
    Endless,
    Trickle,
    BrokenOff,
}

impl Reply {
    fn json(status: u16, value: &Value) -> Self {
        Self::Whole(status, JSON, value.to_string().into())
    }

    fn error(status: u16, errcode: &str, error: &str) -> Self {
        Self::json(status, &json!({ "errcode": errcode, "error": error }))
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(status, ..) => Some(*status),
            Self::Redirect(_) => Some(307),
            Self::Endless | Self::Trickle | Self::BrokenOff => Some(200),
            Self::Silence => None,
        }
    }

    /// The header that says something.
    fn header(&self) -> Option<(HeaderName, &str)> {
        match self {
            Self::Whole(_, kind, _) => Some((CONTENT_TYPE, *kind)),
            Self::Redirect(url) => Some((LOCATION, url.as_str())),
            Self::Endless | Self::Trickle | Self::BrokenOff => Some((CONTENT_TYPE, JSON)),
            Self::Silence => None,
        }
    }

    /// As it is written down.
    fn answered(&self) -> Answered {
        let (body, fault) = match self {
            Self::Whole(_, _, body) => (body.clone(), None),
            Self::Redirect(_) => (Bytes::new(), None),
            Self::Silence => (Bytes::new(), Some("the harness gives no answer")),
            Self::Endless => (Bytes::new(), Some("the harness sends a body without end")),
            Self::Trickle => (Bytes::new(), Some("the harness sends a body without end, in a trickle")),
            Self::BrokenOff => (Bytes::new(), Some("the harness breaks the body off")),
        };
        // A slice would keep the whole of a long body alive.
        let kept = if body.len() <= SHOWN { body.clone() } else { Bytes::copy_from_slice(&body[..SHOWN]) };
        let header = self.header().map(|(name, value)| (name.to_string(), value.to_owned()));
        Answered {
            status: self.status(),
            headers: header.into_iter().collect(),
            body: fault.is_none().then_some(kept),
            length: body.len(),
            fault,
        }
    }
}

/// Reads the whole of a request, and judges it; otherwise what is to be said of it.
pub(super) async fn receive(host: &Host, request: Request<Incoming>) -> Result<Arrival, Unread> {
    let (head, body) = request.into_parts();
    let body = match timeout(host.run.deadlines.body, read(body)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return Err(Unread::TooLong),
        Ok(Err(_)) => return Err(Unread::Broken("a request whose body broke off")),
        Err(_) => return Err(Unread::Broken("a request whose body took too long")),
    };
    let uri = head.uri.path_and_query().map_or("", |uri| uri.as_str()).to_owned();
    let method = head.method.as_str().to_owned();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<_> =
        head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Ok(Arrival {
        number: 0,
        at: Instant::now(),
        asked: route::asked(&host.run.config.binding, &method, &uri),
        signature: host.run.judge.judge(&host.name, (&method, &uri), &headers, &body),
        method,
        uri,
        headers,
        body,
        answered: Answered::default(),
    })
}

/// Writes a request down and answers it; an error closes the connection.
pub(super) async fn answer(
    host: &Host,
    sni: Option<&str>,
    arrival: Result<Arrival, Unread>,
) -> Result<Response<Body>, NoAnswer> {
    let mut arrival = match arrival {
        Ok(arrival) => arrival,
        Err(Unread::TooLong) => {
            host.incident(sni, "a request whose body is longer than is read", false);
            return host.send(Reply::error(413, "M_TOO_LARGE", "The body is too long")).await;
        }
        Err(Unread::Broken(what)) => {
            host.incident(sni, what, false);
            return Err(NoAnswer);
        }
    };
    let reply = host.reply(&arrival);
    arrival.answered = reply.answered();
    if !host.journal.record(arrival) {
        host.incident(sni, "a request was answered and not written down: the journal is full", false);
    }
    host.send(reply).await
}

/// Why a request could not be read.
pub(super) enum Unread {
    TooLong,
    Broken(&'static str),
}

impl Host {
    /// What an honest homeserver answers, and to `fed_resolve` whatever the script says.
    fn reply(&self, arrival: &Arrival) -> Reply {
        let Arrival { asked, signature, method, uri, .. } = arrival;
        let origin = match (asked, signature) {
            (Asked::Keys | Asked::Version | Asked::Redirected { .. } | Asked::Other, _) => "",
            (_, Ok(origin)) => origin,
            (_, Err(fault)) => return unauthorised(fault),
        };
        match asked {
            Asked::Keys => Reply::Whole(200, JSON, self.published.clone()),
            Asked::Version => {
                let version = env!("CARGO_PKG_VERSION");
                Reply::json(200, &json!({ "server": { "name": "capcheck", "version": version } }))
            }
            Asked::Transaction { .. } => match serde_json::from_slice(&arrival.body) {
                Ok(Value::Object(_)) => Reply::json(200, &json!({ "pdus": {} })),
                _ => Reply::error(400, "M_NOT_JSON", "A transaction is a JSON object"),
            },
            Asked::ServerHash { user_id } => match user_id.split_once(':') {
                Some((_, server)) if server == origin => {
                    Reply::json(200, &json!({ "sha256": self.set.hash().as_str() }))
                }
                _ => not_found("Not a user of the asking server"),
            },
            Asked::ServerSet { hash } if hash == self.set.hash().as_str() => {
                Reply::Whole(200, JSON, self.set.canonical_bytes().into())
            }
            Asked::ServerSet { .. } => not_found("No such set"),
            Asked::Resolve { user_id, hash } => self.resolve(user_id, hash),
            Asked::Redirected { user_id, hash } => match self.script.answer(user_id, hash) {
                Some(Answer::Redirect(set)) => Reply::Whole(200, JSON, set),
                _ => not_found("Nothing was redirected here"),
            },
            Asked::Other => {
                self.run.unexpected.record(method, uri);
                Reply::error(404, "M_UNRECOGNIZED", "Unrecognized request")
            }
        }
    }

    fn resolve(&self, user_id: &str, hash: &str) -> Reply {
        match self.script.answer(user_id, hash) {
            None => not_found("No such user or set"),
            Some(Answer::Set(set)) => Reply::Whole(200, JSON, set),
            Some(Answer::Status(status, kind, body)) => Reply::Whole(status, kind, body),
            Some(Answer::Silence) => Reply::Silence,
            Some(Answer::Endless) => Reply::Endless,
            Some(Answer::Trickle) => Reply::Trickle,
            Some(Answer::BrokenOff) => Reply::BrokenOff,
            Some(Answer::Redirect(_)) => {
                Reply::Redirect(format!("https://{}{}", self.name, route::redirected(user_id, hash)))
            }
        }
    }

    async fn send(&self, reply: Reply) -> Result<Response<Body>, NoAnswer> {
        let hold = self.run.config.hold;
        let status = reply.status().and_then(|status| StatusCode::from_u16(status).ok());
        let answer = Response::builder().status(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        let answer =
            reply.header().into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
        let answer = match reply {
            Reply::Whole(_, _, body) => answer.body(body::whole(body)),
            Reply::Redirect(_) => answer.body(body::whole(Bytes::new())),
            Reply::Endless => answer.body(body::endless(hold)),
            Reply::Trickle => answer.body(body::trickle(hold)),
            Reply::BrokenOff => answer.header(CONTENT_LENGTH, body::PROMISED).body(body::broken_off()),
            Reply::Silence => {
                // hyper drops this future, and so ends the wait, when the client goes away.
                let _ = timeout(hold, std::future::pending::<()>()).await;
                return Err(NoAnswer);
            }
        };
        // A script whose content type is no header value.
        answer.map_err(|_| NoAnswer)
    }
}

fn unauthorised(fault: &SignatureFault) -> Reply {
    Reply::error(401, "M_UNAUTHORIZED", &format!("Refused: {fault}"))
}

fn not_found(error: &str) -> Reply {
    Reply::error(404, "M_NOT_FOUND", error)
}

/// The whole body; `None` where it is longer than is read.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if whole.len() + data.len() > LONGEST {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}
