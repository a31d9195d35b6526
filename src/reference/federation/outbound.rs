//! Requests to other homeservers: to the host and port of their name, over TLS, bounded in time and bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::reference::faults::{Fault, FaultSet};
use crate::reference::options::FederationOptions;
use crate::reference::variants::{Variant, VariantSet};

/// The longest answer that is read: a set of 1 MiB, and a bit.
const MAX_ANSWER: usize = (1 << 20) + (64 << 10);
/// Idle connections are dropped before the other side drops them.
const POOL_IDLE: Duration = Duration::from_secs(3);

/// For how long a homeserver that failed is asked and told nothing, under a freedom. It ends before news
/// that is tried again is late: a homeserver that was merely slow must be told in time.
const BACK_OFF: Duration = Duration::from_millis(250);

/// What another homeserver answered, in full.
#[derive(Clone, Debug)]
pub(crate) struct RemoteAnswer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why another homeserver could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoteError {
    /// No such server, no connection, no TLS, no whole answer.
    #[error("{0}")]
    Unreachable(String),
    /// It took longer than is waited.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is longer than is read.
    #[error("the answer is too long")]
    TooLong,
}

/// One question to another homeserver.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<'a> {
    /// The name of the homeserver.
    pub(super) destination: &'a str,
    pub(super) method: &'a str,
    /// Path and query as they stand on the request line, percent-encoded.
    pub(super) path: &'a str,
    /// The body.
    pub(super) content: Option<&'a Value>,
    /// The Authorization header.
    pub(super) authorization: Option<String>,
    /// The longest answer that is read, in bytes.
    pub(super) limit: usize,
    /// Whether its time begins anew with each piece of the answer.
    pub(super) piecemeal: bool,
}

impl<'a> Outgoing<'a> {
    /// A question without body and signature.
    pub(super) fn get(destination: &'a str, path: &'a str) -> Self {
        let limit = MAX_ANSWER;
        Self { destination, method: "GET", path, content: None, authorization: None, limit, piecemeal: false }
    }
}

/// Sends to other homeservers.
pub(super) struct Outbound {
    client: Client,
    /// Within which a question must be answered in full.
    pub(super) timeout: Duration,
    variants: VariantSet,
    /// Homeservers that failed, and until when they are asked nothing.
    shunned: Mutex<HashMap<String, Instant>>,
}

impl Outbound {
    /// A client that trusts the authorities of `options` alone; or why there is none.
    pub(super) fn new(
        options: &FederationOptions,
        faults: FaultSet,
        variants: VariantSet,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in &options.trust {
            roots.add(authority.clone()).map_err(|error| error.to_string())?;
        }
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = super::protocols(variants);
        let redirect = match faults.has(Fault::LookupFollowsRedirects) {
            true => Policy::default(),
            false => Policy::none(),
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect)
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(if variants.has(Variant::FedHttpClose) { 0 } else { usize::MAX })
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, timeout: options.timeout, variants, shunned: Mutex::default() })
    }

    /// Sends a question and reads the whole answer, in bounded time.
    pub(super) async fn send(&self, question: Outgoing<'_>) -> Result<RemoteAnswer, RemoteError> {
        let destination = question.destination;
        if self.shuns(destination) {
            return Err(RemoteError::Unreachable("it has failed a moment ago".to_owned()));
        }
        let exchange = self.send_patiently(question);
        let answer = timeout(self.timeout, exchange).await.unwrap_or(Err(RemoteError::TimedOut));
        if answer.as_ref().map_or(true, |answer| answer.status >= 500) {
            self.shun(destination);
        }
        answer
    }

    /// Whether a homeserver is asked nothing for now.
    fn shuns(&self, destination: &str) -> bool {
        let shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        shunned.get(destination).is_some_and(|until| *until > Instant::now())
    }

    /// Asks a homeserver nothing for a while, under a freedom.
    fn shun(&self, destination: &str) {
        if self.variants.has(Variant::FedBackOff) {
            let mut shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
            shunned.retain(|_, until| *until > Instant::now());
            shunned.insert(destination.to_owned(), Instant::now() + BACK_OFF);
        }
    }

    /// The same in whatever time it takes.
    pub(super) async fn send_patiently(&self, question: Outgoing<'_>) -> Result<RemoteAnswer, RemoteError> {
        let unsendable = |_| RemoteError::Unreachable(format!("no method {:?}", question.method));
        let method = question.method.parse().map_err(unsendable)?;
        let mut request = self.client.request(method, url(question.destination, question.path)?);
        if let Some(authorization) = question.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(content) = question.content {
            request = request.header(CONTENT_TYPE, "application/json").body(content.to_string());
        }
        let within = if question.piecemeal { self.timeout } else { Duration::MAX };
        let late = |_| RemoteError::TimedOut;
        let response = timeout(within, request.send()).await.map_err(late)?;
        let mut response = response.map_err(|error| unreachable(&error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) =
            timeout(within, response.chunk()).await.map_err(late)?.map_err(|error| unreachable(&error))?
        {
            if body.len() + chunk.len() > question.limit {
                return Err(RemoteError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(RemoteAnswer { status: response.status().as_u16(), body: body.freeze() })
    }
}

/// Where a homeserver is found: at the host and port of its name, 8448 where it gives none. There is no
/// well-known file and no SRV record in the suite's world.
fn url(destination: &str, path: &str) -> Result<Url, RemoteError> {
    let odd = |_| RemoteError::Unreachable(format!("{destination:?} is no server name"));
    let name = ruma_common::ServerName::parse(destination).map_err(odd)?;
    let url = format!("https://{}:{}{path}", name.host(), name.port().unwrap_or(8448));
    Url::parse(&url).map_err(|error| RemoteError::Unreachable(error.to_string()))
}

fn unreachable(error: &reqwest::Error) -> RemoteError {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    RemoteError::Unreachable(causes.last().map(ToString::to_string).unwrap_or_default())
}
