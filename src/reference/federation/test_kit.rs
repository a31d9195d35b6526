//! For tests: another homeserver, that signs what it is told to and answers what it is told to.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use ruma_signatures::{Ed25519KeyPair, sign_json};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::identity;
use crate::reference::options::{FederationOptions, TlsIdentity};

pub(in crate::reference) const KEYS: &str = "/_matrix/key/v2/server";

/// A throw-away authority, and a certificate of it for loopback.
static WORLD: LazyLock<(CertificateDer<'static>, Arc<TlsIdentity>)> = LazyLock::new(|| {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (ca.der().clone(), Arc::new(TlsIdentity { chain: vec![leaf.der().clone()], key }))
});

/// How a homeserver federates with those of a test.
pub(in crate::reference) fn options(timeout: Duration) -> FederationOptions {
    let (authority, certificate) = &*WORLD;
    FederationOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        certificate: certificate.clone(),
        trust: vec![authority.clone()],
        timeout,
    }
}

/// What another homeserver says to a request.
#[derive(Clone, Debug)]
pub(in crate::reference) enum Say {
    /// A status and a body.
    Answer(u16, String),
    /// 302 to a path of its own.
    Redirect(String),
    /// Nothing, ever.
    Silence,
    /// 200, and a body without end.
    Endless,
    /// 200, and a body without end of which there is never much.
    Trickle,
    /// 200, and a body that is cut off in the middle.
    BreakOff(String),
}

/// A request that another homeserver was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct Asked {
    pub(in crate::reference) path: String,
    pub(in crate::reference) authorization: String,
}

#[derive(Debug, Default)]
struct Script {
    says: Mutex<BTreeMap<String, Say>>,
    asked: Mutex<Vec<Asked>>,
}

/// Another homeserver.
pub(in crate::reference) struct Peer {
    pub(in crate::reference) name: String,
    pub(in crate::reference) key: Ed25519KeyPair,
    script: Arc<Script>,
    _serving: JoinSet<()>,
}

/// A fresh key with this version.
pub(in crate::reference) fn fresh_key(version: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), version.to_owned()).unwrap()
}

fn signed(object: Value, by: &str, key: &Ed25519KeyPair) -> CanonicalJsonObject {
    let CanonicalJsonValue::Object(mut object) = object.try_into().unwrap() else { unreachable!() };
    sign_json(by, key, &mut object).unwrap();
    object
}

impl Peer {
    /// One that publishes its key and knows nothing else. Ports are used again, and keys are cached by
    /// name and ID, so the key has an ID that no other has: `hint` and a number.
    pub(in crate::reference) async fn start(hint: &str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        Self::with_version(&format!("{hint}_{}", STARTED.fetch_add(1, Ordering::Relaxed))).await
    }

    /// Another one, whose key has the same ID.
    pub(in crate::reference) async fn twin(&self) -> Self {
        Self::with_version(self.key.version()).await
    }

    async fn with_version(version: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let script = Arc::new(Script::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, script.clone()));
        let peer = Self { name, key: fresh_key(version), script, _serving: serving };
        peer.publish(&peer.key, i64::MAX >> 11);
        peer
    }

    /// The ID of its key.
    pub(in crate::reference) fn key_id(&self) -> String {
        format!("ed25519:{}", self.key.version())
    }

    /// Publishes a key and no other, until a time in milliseconds since the Unix epoch.
    pub(in crate::reference) fn publish(&self, key: &Ed25519KeyPair, valid_until_ms: i64) {
        let encoded = STANDARD_NO_PAD.encode(key.public_key());
        let object = json!({
            "server_name": self.name,
            "verify_keys": { format!("ed25519:{}", key.version()): { "key": encoded } },
            "old_verify_keys": {},
            "valid_until_ts": valid_until_ms,
        });
        self.publish_object(object, key);
    }

    /// Publishes any key object, signed.
    pub(in crate::reference) fn publish_object(&self, object: Value, key: &Ed25519KeyPair) {
        let object = signed(object, &self.name, key);
        self.says(KEYS, Say::Answer(200, serde_json::to_string(&object).unwrap()));
    }

    /// What it says from now on to requests for a path, as it stands on the request line.
    pub(in crate::reference) fn says(&self, path: &str, say: Say) {
        self.script.says.lock().unwrap().insert(path.to_owned(), say);
    }

    /// What it was asked so far, its keys aside.
    pub(in crate::reference) fn asked(&self) -> Vec<Asked> {
        let asked = self.script.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.path != KEYS).cloned().collect()
    }

    /// How often it was asked for its keys.
    pub(in crate::reference) fn asked_for_keys(&self) -> usize {
        self.script.asked.lock().unwrap().iter().filter(|asked| asked.path == KEYS).count()
    }

    /// The signature of a request, by its own key and in its own name.
    pub(in crate::reference) fn signature(
        &self,
        destination: &str,
        method: &str,
        uri: &str,
        content: Option<&Value>,
    ) -> String {
        signature(&self.name, &self.key, destination, method, uri, content)
    }

    /// The Authorization header of a request.
    pub(in crate::reference) fn authorization(
        &self,
        destination: &str,
        method: &str,
        uri: &str,
        content: Option<&Value>,
    ) -> String {
        let signature = self.signature(destination, method, uri, content);
        header(&self.name, destination, &self.key_id(), &signature)
    }
}

/// The header in its usual spelling.
pub(in crate::reference) fn header(origin: &str, destination: &str, key: &str, signature: &str) -> String {
    format!(r#"X-Matrix origin="{origin}",destination="{destination}",key="{key}",sig="{signature}""#)
}

/// The signature of a request, by anybody's key in anybody's name.
pub(in crate::reference) fn signature(
    origin: &str,
    key: &Ed25519KeyPair,
    destination: &str,
    method: &str,
    uri: &str,
    content: Option<&Value>,
) -> String {
    let content = content.cloned().map(|content| content.try_into().unwrap());
    let mut object = identity::request(method, uri, origin, destination, content);
    sign_json(origin, key, &mut object).unwrap();
    let object = Value::from(CanonicalJsonValue::Object(object));
    let signature = &object["signatures"][origin][format!("ed25519:{}", key.version())];
    signature.as_str().unwrap().to_owned()
}

async fn serve(listener: TcpListener, script: Arc<Script>) {
    let (_, identity) = &*WORLD;
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, script) = (tls.clone(), script.clone());
        connections.spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let answer = service_fn(move |request| {
                let script = script.clone();
                async move { Ok::<_, Infallible>(script.answer(&request).await) }
            });
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
        });
    }
}

impl Script {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let path = request.uri().path_and_query().unwrap().as_str().to_owned();
        let authorization = request.headers().get("authorization");
        let authorization = authorization.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let say = self.says.lock().unwrap().get(&path).cloned();
        let is_transaction = path.starts_with("/_matrix/federation/v1/send/");
        self.asked.lock().unwrap().push(Asked { path, authorization });
        let response = Response::builder();
        match say {
            // Transactions are taken, whatever they are called.
            None if is_transaction => response.body("{}".into()).unwrap(),
            None => {
                let body = json!({ "errcode": "M_NOT_FOUND", "error": "Not here" }).to_string();
                response.status(404).body(body.into()).unwrap()
            }
            Some(Say::Answer(status, body)) => response.status(status).body(body.into()).unwrap(),
            Some(Say::Redirect(to)) => {
                response.status(302).header("location", to).body(Body::empty()).unwrap()
            }
            Some(Say::Silence) => std::future::pending().await,
            Some(Say::Endless) => response.body(endless(64 << 10)).unwrap(),
            Some(Say::Trickle) => response.body(endless(1)).unwrap(),
            Some(Say::BreakOff(body)) => response.body(broken(body)).unwrap(),
        }
    }
}

/// As much as a test can take in, bit by bit.
fn endless(piece: usize) -> Body {
    let chunk = Bytes::from(vec![b' '; piece]);
    Body::from_stream(stream::unfold((), move |()| {
        let chunk = chunk.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Some((Ok::<_, Infallible>(chunk), ()))
        }
    }))
}

/// A body after which the connection breaks.
fn broken(body: String) -> Body {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(stream::iter([Ok(Bytes::from(body)), Err(broken)]))
}
