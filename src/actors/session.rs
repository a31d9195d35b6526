//! A session: one device of one user, and everything it can ask of its homeserver.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::outcome::{Judgement, Stop};
use crate::spec::binding::{Operation, encode};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::target::provision::Login;
use crate::wire::{Exchange, Request, Secret};

use super::settle;
use super::{Person, Reply, Stage, User};

/// One device of one user.
#[derive(Clone, Debug)]
pub struct Session {
    stage: Arc<Stage>,
    user_id: String,
    device_id: String,
    token: Option<Secret>,
    name: String,
}

impl Session {
    pub(super) fn new(stage: Arc<Stage>, login: Login, name: String) -> Self {
        stage.note_session(&login.token);
        Self { stage, user_id: login.user_id, device_id: login.device_id, token: Some(login.token), name }
    }

    /// The same client without its access token.
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The login that it came of; none without a token.
    pub(crate) fn login(&self) -> Option<Login> {
        let Self { user_id, device_id, token, .. } = self.clone();
        token.map(|token| Login { user_id, device_id, token })
    }

    /// Whether it is this one, and not another on the same device.
    pub fn is(&self, other: &Self) -> bool {
        self.token == other.token
    }

    /// The user it belongs to.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The device.
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// Asks for the hash of the server's capabilities for its own user (draft S2).
    pub async fn server_hash(&self) -> Result<Reply, Stop> {
        self.server_hash_of(&self.user_id).await
    }

    /// Asks for the hash of the server's capabilities for somebody.
    pub async fn server_hash_of(&self, user_id: &str) -> Result<Reply, Stop> {
        self.operation(Operation::ServerHash, &[("user_id", user_id)], None).await
    }

    /// Asks for the server's capabilities behind a hash (draft S4).
    pub async fn server_set(&self, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.operation(Operation::ServerSet, &[("hash", hash.as_str())], None).await
    }

    /// The same with the hash spelled into the path letter by letter.
    pub async fn server_set_spelled(&self, hash: &str) -> Result<Reply, Stop> {
        self.spelled(Operation::ServerSet, &[("hash", hash.to_owned())], None).await
    }

    /// Whether the server's capabilities for its own user come to name this one, within the time granted.
    pub async fn comes_to_be_offered(&self, capability: &str) -> Result<Judgement, Stop> {
        settle::poll(&self.stage, || async {
            let hash = self.server_hash().await?.hash_or_stop()?;
            let served = self.server_set(&hash).await?;
            let named = served.set().is_some_and(|set| set.contains(capability));
            Ok(served.judge(named, &format!("a set that names {capability}, which could leak")))
        })
        .await
    }

    /// Declares a set by its hash (draft C6, C8).
    pub async fn declare(&self, set: &CapabilitySet) -> Result<Reply, Stop> {
        self.stage.note(&format!("the set of {}", self.name), set);
        self.declare_hash(&set.hash()).await
    }

    /// Declares a hash.
    pub async fn declare_hash(&self, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.declare_body(json!({ "sha256": hash.as_str() }).to_string()).await
    }

    /// Sends this body as a declaration.
    pub async fn declare_body(&self, body: impl Into<Bytes>) -> Result<Reply, Stop> {
        self.operation(Operation::Declare, &[], Some(body.into())).await
    }

    /// Uploads a set under its hash (draft C7).
    pub async fn upload(&self, set: &CapabilitySet) -> Result<Reply, Stop> {
        self.stage.note(&format!("the set of {}", self.name), set);
        self.upload_as(&set.hash(), set.canonical_bytes()).await
    }

    /// Uploads what no server should take: the connection may well break before the answer is read.
    pub async fn upload_too_much(&self, set: &CapabilitySet) -> Result<Reply, Stop> {
        let hash = set.hash();
        let request =
            self.stage.request(Operation::Upload, &[("hash", hash.as_str())])?.body(set.canonical_bytes());
        self.stage.ask_once(self.signed(request)).await
    }

    /// Uploads any bytes under any hash.
    pub async fn upload_as(&self, hash: &CapabilityHash, body: impl Into<Bytes>) -> Result<Reply, Stop> {
        self.operation(Operation::Upload, &[("hash", hash.as_str())], Some(body.into())).await
    }

    /// Uploads any bytes under a hash spelled into the path letter by letter.
    pub async fn upload_spelled(&self, hash: &str, body: impl Into<Bytes>) -> Result<Reply, Stop> {
        self.spelled(Operation::Upload, &[("hash", hash.to_owned())], Some(body.into())).await
    }

    /// Uploads and declares; both are prerequisites.
    pub async fn publish(&self, set: &CapabilitySet) -> Result<(), Stop> {
        self.upload(set).await?.or_stop("the upload of a set")?;
        self.declare(set).await?.or_stop("the declaration of an uploaded set")?;
        Ok(())
    }

    /// Resolves a hash of a user to the set (draft C9 to C11).
    pub async fn resolve(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.resolve_of(user.id(), hash).await
    }

    /// The same for a user ID.
    pub async fn resolve_of(&self, user_id: &str, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.operation(Operation::Resolve, &[("user_id", user_id), ("hash", hash.as_str())], None).await
    }

    /// The same with the hash spelled into the path letter by letter.
    pub async fn resolve_spelled(&self, user: &dyn Person, hash: &str) -> Result<Reply, Stop> {
        let variables = [("user_id", encode(user.id())), ("hash", hash.to_owned())];
        self.spelled(Operation::Resolve, &variables, None).await
    }

    /// Whether a user's hash resolves to this set, within the time it is granted.
    pub async fn can_resolve(&self, user: &dyn Person, set: &CapabilitySet) -> Result<Judgement, Stop> {
        self.resolve_settles(user, &set.hash(), |reply| reply.serves(set)).await
    }

    /// What resolving a user's hash comes to be answered, within the time it is granted.
    pub async fn resolve_settles(
        &self,
        user: &dyn Person,
        hash: &CapabilityHash,
        judge: impl Fn(&Reply) -> Judgement,
    ) -> Result<Judgement, Stop> {
        settle::poll(&self.stage, || async { Ok(judge(&self.resolve(user, hash).await?)) }).await
    }

    /// Resolves a hash of a user of another homeserver, which its own homeserver must ask first: the
    /// answer is granted the time that this may take, and may be that the other homeserver failed.
    pub async fn look_up(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Reply, Stop> {
        let variables = [("user_id", user.id()), ("hash", hash.as_str())];
        let patience = self.stage.world().target.limits.remote_timeout;
        let request = self.stage.request(Operation::Resolve, &variables)?.long_poll(patience);
        let _granted = self.stage.grant(patience);
        self.stage.ask_beyond(self.signed(request)).await
    }

    /// Whether looking up a user's hash comes to yield this set, within the time it is granted; a failure
    /// before may be remembered for as long as the target says.
    pub async fn can_look_up(&self, user: &dyn Person, set: &CapabilitySet) -> Result<Judgement, Stop> {
        let remembered = self.stage.world().target.limits.negative_cache;
        let first = self.look_up(user, &set.hash()).await?;
        let judgement = first.serves(set);
        if judgement.holds || first.exchange().result.is_err() {
            return Ok(judgement);
        }
        let _granted = self.stage.grant(remembered);
        settle::poll_for(&self.stage, remembered, || async {
            Ok(self.look_up(user, &set.hash()).await?.serves(set))
        })
        .await
    }

    /// Whether the token comes to be refused as dead, within the time that is granted.
    pub async fn token_dies(&self) -> Result<Judgement, Stop> {
        settle::poll(&self.stage, || async { Ok(self.server_hash().await?.says_token_dead()) }).await
    }

    /// Sets its own presence status; `content` is the whole body.
    pub async fn set_status(&self, content: &Value) -> Result<Reply, Stop> {
        let path = format!("/_matrix/client/v3/presence/{}/status", encode(&self.user_id));
        self.ask(Request::new("PUT", path).json(content)).await
    }

    /// Logs this session out.
    pub async fn log_out(&self) -> Result<(), Stop> {
        self.ask(Request::new("POST", "/_matrix/client/v3/logout").body("{}"))
            .await?
            .or_stop("logout")
            .map(drop)
    }

    /// Logs every session of the user out.
    pub async fn log_out_everywhere(&self) -> Result<(), Stop> {
        let request = Request::new("POST", "/_matrix/client/v3/logout/all").body("{}");
        self.ask(request).await?.or_stop("logout/all").map(drop)
    }

    /// Deletes one device of the user, with the password where the server asks for it.
    pub async fn delete_device(&self, user: &User, session: &Session) -> Result<(), Stop> {
        let path = format!("/_matrix/client/v3/devices/{}", encode(&session.device_id));
        self.confirmed(user, "DELETE", &path, json!({})).await
    }

    /// Deletes several devices of the user at once.
    pub async fn delete_devices(&self, user: &User, sessions: &[&Session]) -> Result<(), Stop> {
        let devices: Vec<&str> = sessions.iter().map(|session| session.device_id()).collect();
        self.confirmed(user, "POST", "/_matrix/client/v3/delete_devices", json!({ "devices": devices })).await
    }

    /// A request that user-interactive authentication may guard (Client-Server API, 5.5).
    async fn confirmed(&self, user: &User, method: &str, path: &str, mut body: Value) -> Result<(), Stop> {
        let first = self.ask(Request::new(method, path).json(&body)).await?;
        if first.exchange().status() != Some(401) {
            return first.or_stop("deleting a device").map(drop);
        }
        body["auth"] = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user.id() },
            "password": user.password()?,
            "session": first.json()["session"],
        });
        let again = self.ask(Request::new(method, path).json(&body).costly()).await?;
        again.or_stop("deleting a device with the password").map(drop)
    }

    /// Asks who this token belongs to.
    pub async fn whoami(&self) -> Result<Reply, Stop> {
        self.ask(Request::new("GET", "/_matrix/client/v3/account/whoami")).await
    }

    /// Sends a request with this session's token.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Stop> {
        self.stage.ask(self.signed(request)).await
    }

    fn signed(&self, request: Request) -> Request {
        match &self.token {
            Some(token) => request.token(token),
            None => request,
        }
    }

    /// The stage it plays on.
    pub(super) fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    async fn operation(
        &self,
        operation: Operation,
        variables: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<Reply, Stop> {
        let request = self.stage.request(operation, variables)?;
        self.ask(with_body(request, body)).await
    }

    async fn spelled(
        &self,
        operation: Operation,
        variables: &[(&str, String)],
        body: Option<Bytes>,
    ) -> Result<Reply, Stop> {
        let route = self.stage.binding().route(operation);
        let request = Request::new(&route.method, route.path_raw(variables)).operation(operation).verbatim();
        self.ask(with_body(request, body)).await
    }
}

fn with_body(request: Request, body: Option<Bytes>) -> Request {
    match body {
        Some(body) => request.body(body),
        None => request,
    }
}

/// Whether a hash is spelled as 43 characters of unpadded standard Base64.
pub(super) fn spelled_right(hash: &str, expected: &str, exchange: &Arc<Exchange>) -> Judgement {
    match CapabilityHash::parse(hash) {
        Ok(_) => Judgement::of(true, expected, hash, exchange),
        Err(error) => Judgement::of(false, expected, format!("{hash:?}: {error}"), exchange),
    }
}
