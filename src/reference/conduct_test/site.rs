//! A homeserver without a network, and its users.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::reference::arithmetic::Arithmetic;
use crate::reference::federation::test_kit;
use crate::reference::server::{Server, router};
use crate::reference::state::{Login, NewUser};
use crate::reference::{FaultSet, Options, ServerLimits, VariantSet};
use crate::spec::binding::encode;

pub(super) const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
pub(super) const V3: &str = "/_matrix/client/v3";
pub(super) const MAX: usize = 100_000;
/// The server's name.
pub(super) const HS: &str = "hs";
/// Within which other homeservers must have answered it.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Names whose sets have hashes with these characters.
pub(super) const WITH_PLUS: &str = "r.1";
pub(super) const WITH_SLASH: &str = "r.0";
pub(super) const WITH_BOTH: &str = "r.72";

/// A homeserver in this process, and what was found of it.
pub(super) struct Site {
    pub(super) server: Arc<Server>,
    pub(super) router: Router,
    pub(super) found: RefCell<Vec<(&'static str, String, bool)>>,
    pub(super) _stop: watch::Sender<bool>,
}

#[derive(Clone)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) token: String,
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) bytes: Vec<u8>,
    pub(super) json: Value,
}

impl Reply {
    pub(super) fn errcode(&self) -> &str {
        self.json["errcode"].as_str().unwrap_or_default()
    }

    pub(super) fn is(&self, status: u16, errcode: &str) -> bool {
        self.status == status && self.errcode() == errcode
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == 200
    }

    pub(super) fn is_refused(&self) -> bool {
        (400..500).contains(&self.status) && !self.errcode().is_empty()
    }

    /// Whether this is a set that hashes to `hash`.
    pub(super) fn is_set(&self, hash: &str) -> bool {
        self.is_ok() && hash_of(&self.bytes) == hash && !has_duplicates(&self.bytes)
    }
}

/// The one way in which our sets come to have duplicate keys.
pub(super) fn has_duplicates(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).matches("\"twice\"").count() > 1
}

pub(super) fn hash_of(text: impl AsRef<[u8]>) -> String {
    Arithmetic::default().read(text.as_ref()).map(|set| set.hash.clone()).unwrap_or_default()
}

pub(super) fn raw_hash(text: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(sha2::Sha256::digest(text.as_bytes()))
}

pub(super) fn set_of(names: &[&str]) -> String {
    json!(names.iter().map(|name| (*name, json!({}))).collect::<BTreeMap<_, _>>()).to_string()
}

impl Site {
    pub(super) fn new(faults: FaultSet) -> Self {
        Self::with(Options { faults, ..Options::default() })
    }

    /// One that takes freedoms.
    pub(super) fn taking(variants: VariantSet) -> Self {
        Self::with(Options::default().taking(variants))
    }

    pub(super) fn with(options: Options) -> Self {
        let limits = ServerLimits { max_set_bytes: MAX, ..options.limits };
        let federation = Some(test_kit::options(PATIENCE));
        let options = Options { limits, federation, ..options };
        let (stop, stopped) = watch::channel(false);
        let server = Arc::new(Server::new(options, HS, stopped).unwrap());
        Self { router: router(server.clone()), server, found: RefCell::default(), _stop: stop }
    }

    pub(super) fn check(&self, requirement: &'static str, what: &str, holds: bool) {
        self.found.borrow_mut().push((requirement, what.to_owned(), holds));
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status, bytes, json }
    }

    pub(super) fn user(&self, localpart: &str) -> Session {
        self.server
            .with(|state, _| state.create_user(NewUser { localpart, password: "pw", salt: [1; 16] }))
            .unwrap();
        self.device(&format!("@{localpart}:hs"), "D1")
    }

    pub(super) fn device(&self, user: &str, device: &str) -> Session {
        let session = self.server.with(|state, now| {
            let key = state.find_user(user).unwrap();
            let token = format!("{user}-{device}-{}", now.as_nanos());
            let login = Login { device: device.to_owned(), display_name: None, token: token.clone() };
            state.log_in(now, key, login).map(|_| token)
        });
        Session { user: user.to_owned(), token: session.unwrap() }
    }

    pub(super) async fn get(&self, session: &Session, path: &str) -> Reply {
        self.ask("GET", path, Some(&session.token), Body::empty()).await
    }

    pub(super) async fn post(&self, session: &Session, path: &str, body: &Value) -> Reply {
        self.ask("POST", &format!("{V3}{path}"), Some(&session.token), body.to_string()).await
    }

    pub(super) async fn declare(&self, session: &Session, hash: &str) -> Reply {
        self.declare_body(session, &json!({ "sha256": hash })).await
    }

    pub(super) async fn declare_body(&self, session: &Session, body: &Value) -> Reply {
        self.ask("PUT", &format!("{C}/session"), Some(&session.token), body.to_string()).await
    }

    pub(super) async fn upload(&self, session: &Session, hash: &str, body: impl Into<Body>) -> Reply {
        let path = format!("{C}/sets/{}", encode(hash));
        self.ask("PUT", &path, Some(&session.token), body).await
    }

    /// Uploads and declares a set, as a client does.
    pub(super) async fn put(&self, session: &Session, set: &str) -> bool {
        let hash = hash_of(set);
        let uploaded = self.upload(session, &hash, set.to_owned()).await.is_ok();
        uploaded & self.declare(session, &hash).await.is_ok()
    }

    pub(super) async fn resolve(&self, session: &Session, user: &str, hash: &str) -> Reply {
        self.get(session, &format!("{C}/users/{}/sets/{}", encode(user), encode(hash))).await
    }

    pub(super) async fn server_hash(&self, session: &Session) -> Value {
        self.get(session, &format!("{C}/server/users/{}", encode(&session.user))).await.json
    }

    pub(super) async fn server_set(&self, session: &Session, hash: &str) -> Reply {
        self.get(session, &format!("{C}/server/sets/{}", encode(hash))).await
    }

    pub(super) async fn status(&self, viewer: &Session, user: &str) -> Option<String> {
        let reply = self.get(viewer, &format!("{V3}/presence/{}/status", encode(user))).await;
        told(&reply.json)
    }

    /// The next token, and the last hash seen of every user in presence.
    pub(super) async fn sync(
        &self,
        session: &Session,
        since: Option<&str>,
    ) -> (String, BTreeMap<String, Option<String>>) {
        self.sync_for(session, since, 0).await
    }

    pub(super) async fn sync_for(
        &self,
        session: &Session,
        since: Option<&str>,
        timeout: u64,
    ) -> (String, BTreeMap<String, Option<String>>) {
        let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
        let path = format!("{V3}/sync?set_presence=offline&timeout={timeout}{since}");
        let reply = self.get(session, &path).await;
        let events = reply.json["presence"]["events"].as_array().cloned().unwrap_or_default();
        let seen = events
            .iter()
            .map(|event| (event["sender"].as_str().unwrap().to_owned(), told(&event["content"])));
        (reply.json["next_batch"].as_str().unwrap_or_default().to_owned(), seen.collect())
    }

    /// Several polls until a user shows up; the last hash seen of them.
    pub(super) async fn next_hash(&self, session: &Session, since: &str, user: &str) -> Option<String> {
        self.sync(session, Some(since)).await.1.get(user).cloned().flatten()
    }

    pub(super) async fn room(&self, creator: &Session, others: &[&Session]) -> String {
        let reply = self.post(creator, "/createRoom", &json!({ "preset": "public_chat" })).await;
        let room = reply.json["room_id"].as_str().unwrap().to_owned();
        for other in others {
            self.join(other, &room).await;
        }
        room
    }

    pub(super) async fn join(&self, session: &Session, room: &str) {
        assert!(self.post(session, &format!("/rooms/{}/join", encode(room)), &json!({})).await.is_ok());
    }

    /// The whole dance for the deletion of devices.
    pub(super) async fn delete(&self, session: &Session, method: &str, path: &str, mut body: Value) -> u16 {
        let path = format!("{V3}{path}");
        let asked = self.ask(method, &path, Some(&session.token), body.to_string()).await;
        assert_eq!(asked.status, 401);
        body["auth"] = json!({
            "type": "m.login.password", "session": asked.json["session"], "password": "pw",
            "identifier": { "type": "m.id.user", "user": session.user },
        });
        self.ask(method, &path, Some(&session.token), body.to_string()).await.status
    }
}

/// The hash that some presence content carries, if it is spelled as it must be.
pub(super) fn told(content: &Value) -> Option<String> {
    content["org.matrix.capability_sets"]["sha256"].as_str().map(str::to_owned)
}

pub(super) fn swapped(hash: &str) -> String {
    // The last character stays: it must be one of sixteen.
    let (rest, last) = hash.split_at(hash.len().saturating_sub(1));
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    rest.chars().map(swap).collect::<String>() + last
}
