//! A homeserver of the harness: what it asks of the target, and what the target sends to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::outcome::{Judgement, Stop};
use crate::spec::binding::{Operation, encode};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::wire::peer::{Arrival, Asked, Peer, PeerError};
use crate::wire::signing::{SignedRequest, XMatrix};
use crate::wire::{Client, Exchange, Received, Request};

use super::expect::Field;
use super::session::spelled_right;
use super::settle::{self, Window};
use super::{Expect, Person, RemoteUser, Reply, Stage};

/// Where transactions go, before their ID (Server-Server API, "Transactions").
const SEND: &str = "/_matrix/federation/v1/send/";

/// A homeserver of the harness, as one scenario sees it.
#[derive(Clone, Debug)]
pub struct RemoteServer {
    stage: Arc<Stage>,
    peer: Arc<Peer>,
    /// Speaks to the target's federation port, and records where the scenario records.
    client: Client,
    destination: String,
    /// In every name that the scenario makes at this homeserver.
    tag: String,
    transactions: Arc<AtomicUsize>,
}

/// A request to the target, all but its signature.
///
/// Two transactions with one URI have the same transaction ID.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The operation, where it is one.
    pub operation: Option<Operation>,
    /// The HTTP method.
    pub method: String,
    /// Path and query, percent-encoded.
    pub uri: String,
    /// The body, if there is one.
    pub content: Option<Value>,
}

impl Letter {
    /// What its signature is made over.
    pub fn to_be_signed<'l>(&'l self, origin: &'l str, destination: &'l str) -> SignedRequest<'l> {
        let Self { method, uri, content, .. } = self;
        SignedRequest { method, uri, origin, destination, content: content.as_ref() }
    }
}

impl RemoteServer {
    /// A homeserver of the harness on this stage.
    pub(crate) fn new(stage: Arc<Stage>, peer: Arc<Peer>, tag: String) -> Result<Self, Stop> {
        let link = stage.link()?;
        let client = link.client.recording(stage.client().transcript().clone());
        let destination = link.destination.clone();
        Ok(Self { stage, peer, client, destination, tag, transactions: Arc::default() })
    }

    /// Its server name.
    pub fn name(&self) -> &str {
        self.peer.name()
    }

    /// The server itself: its keys, its journal and what it answers.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The target's server name, as its signed requests have it.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// A user of this homeserver, by a name that reports use.
    pub fn user(&self, name: &'static str) -> RemoteUser {
        RemoteUser::new(self.clone(), format!("@{name}-{}:{}", self.tag, self.name()), name)
    }

    /// Speaks to the target's federation port.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What is the target's hash for this user? (Draft F2.)
    pub fn server_hash_for(&self, user_id: &str) -> Result<Letter, Stop> {
        self.question(Operation::FedServerHash, &[("user_id", user_id)])
    }

    /// What is the set behind such a hash? (Draft F2.)
    pub fn server_set(&self, hash: &CapabilityHash) -> Result<Letter, Stop> {
        self.question(Operation::FedServerSet, &[("hash", hash.as_str())])
    }

    /// What is the set behind this hash of a user? (Draft C10, F2.)
    pub fn set_of(&self, user_id: &str, hash: &CapabilityHash) -> Result<Letter, Stop> {
        self.question(Operation::FedResolve, &[("user_id", user_id), ("hash", hash.as_str())])
    }

    /// Asks for the target's hash for a user.
    pub async fn ask_server_hash_for(&self, user_id: &str) -> Result<Reply, Stop> {
        self.send(&self.server_hash_for(user_id)?).await
    }

    /// Asks for the set behind such a hash.
    pub async fn ask_server_set(&self, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.send(&self.server_set(hash)?).await
    }

    /// Resolves a hash of a user to the set.
    pub async fn resolve(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Reply, Stop> {
        self.send(&self.set_of(user.id(), hash)?).await
    }

    /// Whether a user's hash comes to resolve to this set, within the time it is granted.
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

    fn question(&self, operation: Operation, variables: &[(&str, &str)]) -> Result<Letter, Stop> {
        let Request { method, path, .. } = self.stage.request(operation, variables)?;
        Ok(Letter { operation: Some(operation), method, uri: path, content: None })
    }

    /// A transaction of one presence EDU with these entries, still to be signed.
    pub fn transaction(&self, entries: &[Value]) -> Letter {
        self.transaction_of(&[self.presence(entries)])
    }

    /// A presence EDU with these entries.
    pub fn presence(&self, entries: &[Value]) -> Value {
        json!({ "edu_type": self.stage.binding().presence.edu, "content": { "push": entries } })
    }

    /// A transaction of these EDUs, still to be signed.
    pub fn transaction_of(&self, edus: &[Value]) -> Letter {
        let number = self.transactions.fetch_add(1, Relaxed);
        let id = format!("{}-{number}", self.tag);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let content = json!({
            "origin": self.name(),
            "origin_server_ts": u64::try_from(now.as_millis()).unwrap_or_default(),
            "pdus": [],
            "edus": edus,
        });
        Letter {
            operation: None,
            method: "PUT".to_owned(),
            uri: format!("{SEND}{}", encode(&id)),
            content: Some(content),
        }
    }

    /// The presence entry that declares a set for a user, be it one of its own or not.
    pub fn entry_about(&self, user: &dyn Person, set: &CapabilitySet) -> Value {
        self.presence_entry(user.id(), Some(&json!({ "sha256": set.hash().as_str() })))
    }

    /// The presence entry that says of a user, be it one of its own or not, that there is no hash.
    pub fn entry_without(&self, user: &dyn Person) -> Value {
        self.presence_entry(user.id(), None)
    }

    /// A presence entry with this field, or without.
    pub(super) fn presence_entry(&self, user_id: &str, field: Option<&Value>) -> Value {
        // All that the specification requires of an entry, so that strict readers take it, too.
        let mut entry = json!({ "user_id": user_id, "presence": "online", "last_active_ago": 0 });
        if let Some(field) = field {
            entry[&self.stage.binding().presence.field] = field.clone();
        }
        entry
    }

    /// Remembers whose set this is.
    pub(super) fn note(&self, whose: &str, set: &CapabilitySet) {
        self.stage.note(whose, set);
    }

    /// Tells the target these presence entries; that it takes them is a prerequisite.
    pub async fn tell(&self, entries: &[Value]) -> Result<(), Stop> {
        self.send(&self.transaction(entries)).await?.or_stop("a transaction with presence").map(drop)
    }

    /// The signature that a letter should bear.
    pub fn signature(&self, letter: &Letter) -> XMatrix {
        letter.to_be_signed(self.name(), &self.destination).signed_by(self.peer.key())
    }

    /// Signs and sends.
    pub async fn send(&self, letter: &Letter) -> Result<Reply, Stop> {
        self.ask(self.signed(letter)).await
    }

    /// Sends with this Authorization header, or without one.
    pub async fn send_as(&self, letter: &Letter, authorization: Option<String>) -> Result<Reply, Stop> {
        self.ask(Request { authorization, ..self.signed(letter) }).await
    }

    fn signed(&self, letter: &Letter) -> Request {
        let Letter { operation, method, uri, content } = letter;
        let request = self.peer.request(&self.destination, method, uri, content.as_ref());
        Request { operation: *operation, ..request }
    }

    async fn ask(&self, request: Request) -> Result<Reply, Stop> {
        let _turn = match request.path.starts_with(SEND) {
            true => Some(self.peer.turn().await),
            false => None,
        };
        self.stage.ask_through(&self.client, request).await
    }

    /// What it was last told of a user, with the request that told it.
    pub fn last_told(&self, user: &dyn Person) -> Result<Option<(Field, Arc<Exchange>)>, Stop> {
        self.knows_all()?;
        let told = self.peer.journal().pushes(user.id()).pop();
        Ok(told.map(|(arrival, entry)| {
            (Field::of(&entry, &self.stage.binding().presence.field), self.shown(&arrival))
        }))
    }

    /// Whether the latest that it was told of a user comes to be this, within the time granted.
    pub async fn is_told(&self, user: &dyn Person, expect: &Expect) -> Result<Judgement, Stop> {
        let window = Window::open(&self.stage);
        let journal = self.peer.journal();
        loop {
            let (left, seen) = (window.left(), journal.count());
            let judgement = self.told_last(user, expect);
            if judgement.holds {
                return Ok(judgement);
            }
            if left.is_zero() {
                return self.knows_all().map(|()| judgement);
            }
            journal.changed(seen, left).await;
        }
    }

    fn told_last(&self, user: &dyn Person, expect: &Expect) -> Judgement {
        let expected = format!("{} is told of {}: {}", self.name(), user.name(), expect.phrase());
        let Some((arrival, entry)) = self.peer.journal().pushes(user.id()).pop() else {
            return unshown(*expect == Expect::Nothing, expected, "it was told nothing of that user");
        };
        let field = Field::of(&entry, &self.stage.binding().presence.field);
        let actual = format!("last told: {}", self.stage.phrase(&field));
        Judgement::of(expect.is_met_by(&field), expected, actual, &self.shown(&arrival))
    }

    /// Whether all that it was told of a user was told as it should be: signed, and with a hash that is
    /// spelled right or none.
    pub fn was_told_in_due_form(&self, user: &dyn Person) -> Judgement {
        let expected =
            format!("presence of {} signed by the target, each hash of 43 characters or absent", user.name());
        let pushes = self.peer.journal().pushes(user.id());
        let judged = pushes.iter().map(|(arrival, entry)| self.due_form(arrival, entry, &expected));
        let nothing = || unshown(false, expected.clone(), "it was told nothing of that user");
        // The first that is wrong, or any.
        judged.reduce(|worst, next| if worst.holds { next } else { worst }).unwrap_or_else(nothing)
    }

    fn due_form(&self, arrival: &Arc<Arrival>, entry: &Value, expected: &str) -> Judgement {
        let exchange = self.shown(arrival);
        let signed = self.is_signed(arrival, expected);
        signed.and(|| match Field::of(entry, &self.stage.binding().presence.field) {
            Field::Absent => Judgement::of(true, expected, "that", &exchange),
            Field::Hash(hash) => spelled_right(&hash, expected, &exchange),
            malformed => Judgement::of(false, expected, self.stage.phrase(&malformed), &exchange),
        })
    }

    /// Whether it has answered the target's question for a hash at most once, whichever of these users it
    /// was about; a question that it refused may come again.
    pub fn answered_once_at_most(
        &self,
        users: &[&RemoteUser],
        hash: &CapabilityHash,
    ) -> Result<Judgement, Stop> {
        let mut arrivals = Vec::new();
        for user in users {
            arrivals.extend(self.questions(*user, hash)?);
        }
        arrivals.retain(|arrival| arrival.answered.status == Some(200));
        let expected = format!("{} is asked once at most for {hash}", self.name());
        let actual = format!("it was asked {}", often(arrivals.len()));
        let last = arrivals.iter().max_by_key(|arrival| arrival.number);
        Ok(self.evident(arrivals.len() <= 1, expected, &actual, last))
    }

    /// Whether the target has not asked it for a hash of a user.
    pub fn was_not_asked(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Judgement, Stop> {
        let arrivals = self.questions(user, hash)?;
        let expected = format!("{} is not asked for {hash} of {}", self.name(), user.name());
        let actual = format!("it was asked {}", often(arrivals.len()));
        Ok(self.evident(arrivals.is_empty(), expected, &actual, arrivals.last()))
    }

    /// Whether the target has asked it for a hash of a user, and signed the question.
    pub fn was_asked_with_signature(
        &self,
        user: &dyn Person,
        hash: &CapabilityHash,
    ) -> Result<Judgement, Stop> {
        let expected =
            format!("{} is asked for {hash} of {}, signed by the target", self.name(), user.name());
        Ok(match self.questions(user, hash)?.last() {
            Some(arrival) => self.is_signed(arrival, &expected),
            None => unshown(false, expected, "it was not asked"),
        })
    }

    /// Whether the target has not gone where its question for a hash of a user was redirected.
    pub fn was_not_followed(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Judgement, Stop> {
        let asked = Asked::Redirected { user_id: user.id().to_owned(), hash: hash.to_string() };
        let arrivals = self.arrivals(&asked)?;
        let expected = "no request where the redirect points".to_owned();
        let actual = format!("{} requests", arrivals.len());
        Ok(self.evident(arrivals.is_empty(), expected, &actual, arrivals.last()))
    }

    fn questions(&self, user: &dyn Person, hash: &CapabilityHash) -> Result<Vec<Arc<Arrival>>, Stop> {
        self.arrivals(&Asked::Resolve { user_id: user.id().to_owned(), hash: hash.to_string() })
    }

    fn arrivals(&self, asked: &Asked) -> Result<Vec<Arc<Arrival>>, Stop> {
        self.knows_all()?;
        Ok(self.peer.journal().arrivals().into_iter().filter(|arrival| arrival.asked == *asked).collect())
    }

    /// That it knows all that it was sent is a prerequisite for saying what did not come.
    fn knows_all(&self) -> Result<(), Stop> {
        let reason = || format!("{} was sent more than the harness keeps", self.name());
        let is_whole = self.peer.journal().is_whole();
        is_whole.then_some(()).ok_or_else(|| Stop::Untestable { reason: reason(), exchange: None })
    }

    /// A judgement about what came, shown by one of the requests where there is one.
    fn evident(
        &self,
        holds: bool,
        expected: String,
        actual: &str,
        arrival: Option<&Arc<Arrival>>,
    ) -> Judgement {
        match arrival {
            Some(arrival) => Judgement::of(holds, expected, actual, &self.shown(arrival)),
            None => unshown(holds, expected, actual),
        }
    }

    fn is_signed(&self, arrival: &Arc<Arrival>, expected: &str) -> Judgement {
        let actual = match &arrival.signature {
            Ok(origin) if *origin == self.destination => {
                return Judgement::of(true, expected, "that", &self.shown(arrival));
            }
            Ok(origin) => format!("it is signed by {origin:?}"),
            Err(fault) => fault.to_string(),
        };
        Judgement::of(false, expected, actual, &self.shown(arrival))
    }

    /// A request that the target sent, in the scenario's transcript.
    pub(super) fn shown(&self, arrival: &Arrival) -> Arc<Exchange> {
        self.client.transcript().receive(&Received {
            by: self.name(),
            at: arrival.at,
            method: &arrival.method,
            uri: &arrival.uri,
            headers: &arrival.headers,
            body: &arrival.body,
            answered: &arrival.answered,
        })
    }
}

/// How often, in words.
fn often(times: usize) -> String {
    match times {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}

/// A judgement about what did not come.
fn unshown(holds: bool, expected: String, actual: &str) -> Judgement {
    Judgement { holds, expected, actual: actual.to_owned(), exchange: None, of_the_session: false }
}

impl From<PeerError> for Stop {
    fn from(error: PeerError) -> Self {
        Self::Untestable { reason: error.to_string(), exchange: None }
    }
}
