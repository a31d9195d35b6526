//! The story that is recorded: Alice's phone and laptop, Bob who shares a room with her, and Zoe of another homeserver.

use std::sync::Arc;

use serde_json::json;

use super::Exchange;
use super::message::message;
use super::names::{ALPHA, BETA, Names, signed};
use crate::actors::{Letter, RemoteServer, Reply, Room, Session, Stage, User};
use crate::outcome::Stop;
use crate::properties::perform::Theatre;
use crate::spec::binding::encode;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::target::provision;
use crate::wire;

/// What is on the stage, and what was recorded of it.
struct Recorder {
    stage: Arc<Stage>,
    names: Names,
    exchanges: Vec<Exchange>,
}

/// Who sends a request: the name of a session's token, or the other homeserver.
#[derive(Clone, Copy)]
enum Sender {
    Session(&'static str),
    Nobody,
    Homeserver,
    UnsignedHomeserver,
}

use Sender::{Homeserver, Nobody, UnsignedHomeserver};

const PHONE: Sender = Sender::Session("alice-phone");
const LAPTOP: Sender = Sender::Session("alice-laptop");
const BOB: Sender = Sender::Session("bob-phone");

impl Recorder {
    /// Keeps an exchange under an id.
    fn keep(
        &mut self,
        (id, comment): (&str, &str),
        sender: Sender,
        operation: &str,
        reply: &Reply,
    ) -> Result<(), Stop> {
        let exchange = reply.exchange();
        let failed = |fault: &wire::NetworkFault| Stop::HarnessFault { reason: format!("{id}: {fault}") };
        let response = exchange.result.as_ref().map_err(failed)?;
        let (id, comment) = (format!("exchange.{id}"), comment.to_owned());
        let request = self.request(sender, &exchange.request)?;
        let response = self.response(response);
        self.exchanges.push(Exchange { id, comment, operation: operation.to_owned(), request, response });
        Ok(())
    }

    fn request(&self, sender: Sender, request: &wire::Request) -> Result<String, Stop> {
        let path = self.names.in_place(&request.path);
        let body = request.body.as_ref().map(|(body, _)| self.names.in_place(&String::from_utf8_lossy(body)));
        let mut headers = vec![("Host", ALPHA.to_owned())];
        match sender {
            Sender::Session(token) => headers.push(("Authorization", format!("Bearer <{token}>"))),
            Homeserver => headers.push(("Authorization", signed(&request.method, &path, body.as_deref())?)),
            Nobody | UnsignedHomeserver => {}
        }
        if let Some((_, kind)) = &request.body {
            headers.push(("Content-Type", (*kind).to_owned()));
        }
        Ok(message(&format!("{} {path} HTTP/1.1", request.method), &headers, body.as_deref()))
    }

    fn response(&self, response: &wire::Response) -> String {
        let reason =
            ::http::StatusCode::from_u16(response.status).ok().and_then(|status| status.canonical_reason());
        let body = self.names.in_place(&String::from_utf8_lossy(&response.body));
        let kind = response.header("content-type").unwrap_or_default().to_owned();
        let first = format!("HTTP/1.1 {} {}", response.status, reason.unwrap_or_default());
        message(&first, &[("Content-Type", kind)], Some(&body))
    }

    async fn user(&mut self, name: &'static str) -> Result<(provision::Lease, User), Stop> {
        let cast = provision::Cast { ordinary: 1, ..provision::Cast::default() };
        let lease = self.stage.world().provisioner.lease(self.stage.client(), cast).await?;
        let account = lease.ordinary.first().cloned();
        let account =
            account.ok_or_else(|| Stop::HarnessFault { reason: "no user was leased".to_owned() })?;
        let user = User::new(self.stage.clone(), account, name);
        self.names.put(&format!("@{name}:{ALPHA}"), user.id());
        Ok((lease, user))
    }
}

/// Performs the story, and what was recorded of it.
pub(super) async fn tell(theatre: &Theatre) -> Result<Vec<Exchange>, Stop> {
    let stage = Arc::new(Stage::new(theatre.client.clone(), theatre.world.clone()));
    let mut recorder = Recorder { stage, names: Names::default(), exchanges: Vec::new() };
    // Held until the end.
    let (_alice, alice) = recorder.user("alice").await?;
    let (_bob, bob) = recorder.user("bob").await?;
    let (phone, bob) = (alice.session(), bob.session());
    offers(&mut recorder, &bob).await?;
    dance(&mut recorder, &phone).await?;
    refusals(&mut recorder, &phone).await?;
    let stranger = bob.status_of(&alice).await?;
    let comment = "nobody is told who shares no room with her";
    recorder.keep(("presence-stranger", comment), BOB, "presence", &stranger)?;
    let room = Room::shared_by(&phone, &[&bob]).await?;
    lookups(&mut recorder, &alice, &bob).await?;
    between_homeservers(&mut recorder, &alice, &bob, &room).await?;
    departures(&mut recorder, &alice, &bob).await?;
    Ok(recorder.exchanges)
}

fn voip() -> CapabilitySet {
    CapabilitySet::of(["m.cap.voip.v1", "m.cap.webrtc.v1"])
}

fn turn() -> CapabilitySet {
    CapabilitySet::of(["m.cap.turnserver.v1", "custom.feature.v1"])
}

fn unknown() -> CapabilityHash {
    CapabilitySet::of(["m.cap.unknown.v1"]).hash()
}

async fn offers(recorder: &mut Recorder, bob: &Session) -> Result<(), Stop> {
    let hash = bob.server_hash().await?;
    recorder.keep(("server-hash", "what may I use here? (S2, S3)"), BOB, "server_hash", &hash)?;
    let anonymous = bob.without_token().server_hash().await?;
    let comment = "what this server offers depends on who asks";
    recorder.keep(("server-hash-without-token", comment), Nobody, "server_hash", &anonymous)?;
    let set = bob.server_set(&hash.hash_or_stop()?).await?;
    recorder.keep(("server-set", "and what is that? (S4, S5)"), BOB, "server_set", &set)?;
    let none = bob.server_set(&unknown()).await?;
    recorder.keep(
        ("server-set-unknown", "a hash that this server does not have"),
        BOB,
        "server_set",
        &none,
    )?;
    let malformed = bob.server_set_spelled("fD876SFrt3sugh23FWEjio3").await?;
    let comment = "the draft's own sample, which is no hash";
    recorder.keep(("server-set-malformed", comment), BOB, "server_set", &malformed)
}

/// Declare, be refused, upload, declare again (C2, C6 to C8).
async fn dance(recorder: &mut Recorder, phone: &Session) -> Result<(), Stop> {
    let refused = phone.declare(&voip()).await?;
    recorder.keep(
        ("declare-refused", "the set is unknown: upload it first (C6)"),
        PHONE,
        "declare",
        &refused,
    )?;
    let body = r#"{"m.cap.webrtc.v1": {}, "m.cap.voip.v1": {}}"#;
    let uploaded = phone.upload_as(&voip().hash(), body).await?;
    recorder.keep(("upload", "in any spelling of its JSON (C7)"), PHONE, "upload", &uploaded)?;
    let accepted = phone.declare(&voip()).await?;
    recorder.keep(("declare", "now it is known (C8)"), PHONE, "declare", &accepted)
}

async fn refusals(recorder: &mut Recorder, phone: &Session) -> Result<(), Stop> {
    let mismatch = phone.upload_as(&unknown(), r#"{"m.cap.voip.v1":{}}"#).await?;
    recorder.keep(
        ("upload-mismatch", "the body hashes to something else (C7)"),
        PHONE,
        "upload",
        &mismatch,
    )?;
    let broken = phone.upload_as(&voip().hash(), r#"{"m.cap.voip.v1":"#).await?;
    recorder.keep(("upload-not-json", "a body that is cut off"), PHONE, "upload", &broken)?;
    let list = phone.upload_as(&voip().hash(), r#"["m.cap.voip.v1"]"#).await?;
    recorder.keep(("upload-no-set", "JSON that is no object"), PHONE, "upload", &list)?;
    let short =
        phone.upload_spelled(&encode(&voip().hash().as_str()[..42]), r#"{"m.cap.voip.v1":{}}"#).await?;
    recorder.keep(("upload-malformed", "a hash of 42 characters in the path"), PHONE, "upload", &short)?;
    let other = phone.declare_body(r#"{"md5": "eF1okTENbecNNxAsGl/GrFQkPhEzmOVQGJI9MKmUPQo"}"#).await?;
    recorder.keep(
        ("declare-without-sha256", "no hash that this server knows (S3)"),
        PHONE,
        "declare",
        &other,
    )?;
    let anonymous = phone.without_token().declare(&voip()).await?;
    recorder.keep(
        ("declare-without-token", "nobody is asked who is not signed in"),
        Nobody,
        "declare",
        &anonymous,
    )
}

async fn lookups(recorder: &mut Recorder, alice: &User, bob: &Session) -> Result<(), Stop> {
    let one = bob.status_of(alice).await?;
    recorder.keep(
        ("presence", "one client: the very hash that it declared (C4, C5)"),
        BOB,
        "presence",
        &one,
    )?;
    let laptop = alice.log_in("laptop").await?;
    laptop.publish(&turn()).await?;
    let union = CapabilitySet::union([&voip(), &turn()]);
    let both = bob.status_of(alice).await?;
    recorder.keep(("presence-union", "two clients: the hash of their union (C3)"), BOB, "presence", &both)?;
    let resolved = bob.resolve(alice, &union.hash()).await?;
    recorder.keep(
        ("resolve", "the union resolves, though nobody uploaded it (C9 to C11)"),
        BOB,
        "resolve",
        &resolved,
    )?;
    let missing = bob.resolve(alice, &unknown()).await?;
    recorder.keep(("resolve-unknown", "a hash that she never had"), BOB, "resolve", &missing)?;
    laptop.log_out().await?;
    let dead = laptop.declare(&turn()).await?;
    recorder.keep(("declare-dead-token", "the session has ended"), LAPTOP, "declare", &dead)
}

/// Zoe's homeserver asks, and tells (F2, C4).
async fn between_homeservers(
    recorder: &mut Recorder,
    alice: &User,
    bob: &Session,
    room: &Room,
) -> Result<(), Stop> {
    let peer = recorder.stage.link()?.peers.honest(0).await?;
    let beta = RemoteServer::new(recorder.stage.clone(), peer, "exchanges".to_owned())?;
    let zoe = beta.user("zoe");
    recorder.names.put(&format!("@zoe:{BETA}"), zoe.id());
    recorder.names.put(BETA, beta.name());
    let hash = beta.ask_server_hash_for(zoe.id()).await?;
    let comment = "what may users of another homeserver use here?";
    recorder.keep(("fed-server-hash", comment), Homeserver, "fed_server_hash", &hash)?;
    let other = beta.ask_server_hash_for(alice.id()).await?;
    let comment = "a homeserver speaks for its own users only";
    recorder.keep(("fed-server-hash-other", comment), Homeserver, "fed_server_hash", &other)?;
    let set = beta.ask_server_set(&hash.hash_or_stop()?).await?;
    recorder.keep(("fed-server-set", "and what is that?"), Homeserver, "fed_server_set", &set)?;
    let none = beta.ask_server_set(&unknown()).await?;
    let comment = "a hash that the answering server does not have";
    recorder.keep(("fed-server-set-unknown", comment), Homeserver, "fed_server_set", &none)?;
    let private = beta.resolve(alice, &voip().hash()).await?;
    let comment = "no user of the asking homeserver shares a room with her";
    recorder.keep(("fed-resolve-private", comment), Homeserver, "fed_resolve", &private)?;
    zoe.join(room).await?;
    let resolved = beta.resolve(alice, &voip().hash()).await?;
    let comment = "a user of the asking homeserver shares a room with her";
    recorder.keep(("fed-resolve", comment), Homeserver, "fed_resolve", &resolved)?;
    let unsigned = beta.send_as(&beta.set_of(alice.id(), &voip().hash())?, None).await?;
    recorder.keep(("fed-resolve-unsigned", "no signature"), UnsignedHomeserver, "fed_resolve", &unsigned)?;
    let letter = letter(&beta, &zoe.entry(&turn()));
    let unsigned = beta.send_as(&letter, None).await?;
    let comment = "whoever tells has to sign";
    recorder.keep(("presence-edu-unsigned", comment), UnsignedHomeserver, "presence_edu", &unsigned)?;
    let told = beta.send(&letter).await?;
    let comment = "another homeserver tells the hash of its user's union";
    recorder.keep(("presence-edu", comment), Homeserver, "presence_edu", &told)?;
    zoe.can_answer(&turn());
    let looked_up = bob.look_up(&zoe, &turn().hash()).await?;
    let comment = "of a user elsewhere: the homeserver asks hers with fed_resolve";
    recorder.keep(("resolve-remote", comment), BOB, "resolve", &looked_up)
}

/// A transaction whose ID and time are always the same.
fn letter(beta: &RemoteServer, entry: &serde_json::Value) -> Letter {
    let content = json!({
        "origin": beta.name(),
        "origin_server_ts": 1_417_392_000_000_u64,
        "pdus": [],
        "edus": [beta.presence(std::slice::from_ref(entry))],
    });
    Letter {
        operation: None,
        method: "PUT".to_owned(),
        uri: "/_matrix/federation/v1/send/1".to_owned(),
        content: Some(content),
    }
}

/// The last session leaves, and the hash with it.
async fn departures(recorder: &mut Recorder, alice: &User, bob: &Session) -> Result<(), Stop> {
    alice.session().log_out().await?;
    let gone = bob.status_of(alice).await?;
    recorder.keep(("presence-gone", "her last client has left (C3)"), BOB, "presence", &gone)
}
