//! Requests to other homeservers: to the host and port of their name, over TLS, bounded in time and bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Url};
use ruma_common::CanonicalJsonValue;
use ruma_signatures::{Ed25519KeyPair, sign_json};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use crate::reference::options::FederationOptions;

/// The longest answer that is read: a set of 1 MiB, and a bit.
const MAX_ANSWER: usize = (1 << 20) + (64 << 10);
/// Idle connections are dropped before the other side drops them.
const POOL_IDLE: Duration = Duration::from_secs(3);

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

/// Sends to other homeservers.
pub(super) struct Outbound {
    client: Client,
    server_name: String,
    timeout: Duration,
}

impl Outbound {
    /// A client that trusts the authorities of `options` alone; or why there is none.
    pub(super) fn new(options: &FederationOptions, server_name: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in &options.trust {
            roots.add(authority.clone()).map_err(|error| error.to_string())?;
        }
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, server_name: server_name.to_owned(), timeout: options.timeout })
    }

    /// The Authorization header of a request (Server-Server API, "Request Authentication").
    pub(super) fn authorization(
        &self,
        key: &Ed25519KeyPair,
        destination: &str,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Result<String, RemoteError> {
        let origin = &self.server_name;
        let mut signed =
            json!({ "method": method, "uri": path, "origin": origin, "destination": destination });
        if let Some(content) = content {
            signed["content"] = content.clone();
        }
        let unsignable = |reason: String| RemoteError::Unreachable(format!("cannot sign: {reason}"));
        let signed = CanonicalJsonValue::try_from(signed).map_err(|error| unsignable(error.to_string()))?;
        let CanonicalJsonValue::Object(mut signed) = signed else {
            return Err(unsignable("no object".to_owned()));
        };
        sign_json(origin, key, &mut signed).map_err(|error| unsignable(error.to_string()))?;
        let key_id = format!("ed25519:{}", key.version());
        let signature = signed
            .get("signatures")
            .and_then(|servers| servers.as_object()?.get(origin)?.as_object()?.get(&key_id)?.as_str())
            .ok_or_else(|| unsignable("no signature".to_owned()))?;
        Ok(format!(
            r#"X-Matrix origin="{origin}",destination="{destination}",key="{key_id}",sig="{signature}""#
        ))
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(
        &self,
        destination: &str,
        method: &str,
        path: &str,
        authorization: Option<String>,
        content: Option<&Value>,
    ) -> Result<RemoteAnswer, RemoteError> {
        let exchange = async {
            let method = method.parse().map_err(|_| RemoteError::Unreachable("no such method".to_owned()))?;
            let mut request = self.client.request(method, url(destination, path)?);
            if let Some(authorization) = authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some(content) = content {
                request = request.header(CONTENT_TYPE, "application/json").body(content.to_string());
            }
            let mut response = request.send().await.map_err(|error| unreachable(&error))?;
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
                if body.len() + chunk.len() > MAX_ANSWER {
                    return Err(RemoteError::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(RemoteAnswer { status: response.status().as_u16(), body: body.freeze() })
        };
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(RemoteError::TimedOut))
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
