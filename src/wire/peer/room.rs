//! Sharing a room with a homeserver: make_join and send_join, make_leave and send_leave
//! (Server-Server API, "Joining Rooms" and "Leaving Rooms").

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ruma_common::room_version_rules::RoomVersionRules;
use ruma_common::{AnyKeyName, CanonicalJsonObject, CanonicalJsonValue, RoomVersionId, SigningKeyAlgorithm};
use ruma_common::{SigningKeyId, canonical_json::to_canonical_value};
use ruma_signatures::{KeyPair, Signature, hash_and_sign_event, reference_hash};
use serde_json::Value;

use super::Peer;
use super::host::milliseconds;
use crate::spec::binding::encode;
use crate::wire::signing::SigningKey;
use crate::wire::{Client, Exchange, Request};

/// The room versions whose events can be hashed and signed: all that demand Canonical JSON.
const VERSIONS: [RoomVersionId; 7] = [
    RoomVersionId::V6,
    RoomVersionId::V7,
    RoomVersionId::V8,
    RoomVersionId::V9,
    RoomVersionId::V10,
    RoomVersionId::V11,
    RoomVersionId::V12,
];

/// Why a peer's user is not in a room, or still is.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct RoomFault {
    /// One line.
    pub reason: String,
    /// The exchange that shows it.
    pub exchange: Option<Arc<Exchange>>,
}

/// What a peer's user does to a room.
#[derive(Clone, Copy)]
enum Change {
    Join,
    Leave,
}

impl Change {
    /// As `membership` has it, and the paths.
    fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Leave => "leave",
        }
    }

    /// What asks for the template.
    fn make(self, room_id: &str, user_id: &str) -> String {
        let (word, room_id, user_id) = (self.word(), encode(room_id), encode(user_id));
        let path = format!("/_matrix/federation/v1/make_{word}/{room_id}/{user_id}");
        match self {
            Self::Join => {
                let versions: Vec<_> = VERSIONS.iter().map(|version| format!("ver={version}")).collect();
                format!("{path}?{}", versions.join("&"))
            }
            Self::Leave => path,
        }
    }

    /// Where the finished event goes.
    fn send(self, room_id: &str, event_id: &str) -> String {
        let (word, room_id, event_id) = (self.word(), encode(room_id), encode(event_id));
        let path = format!("/_matrix/federation/v2/send_{word}/{room_id}/{event_id}");
        match self {
            Self::Join => format!("{path}?omit_members=false"),
            Self::Leave => path,
        }
    }
}

impl Peer {
    /// Joins a room of the destination by make_join and send_join (v2); `client` speaks to its federation port.
    pub async fn join(
        &self,
        client: &Client,
        destination: &str,
        room_id: &str,
        user_id: &str,
    ) -> Result<(), RoomFault> {
        self.change(Change::Join, client, destination, (room_id, user_id)).await
    }

    /// Leaves a room by make_leave and send_leave.
    pub async fn leave(
        &self,
        client: &Client,
        destination: &str,
        room_id: &str,
        user_id: &str,
    ) -> Result<(), RoomFault> {
        self.change(Change::Leave, client, destination, (room_id, user_id)).await
    }

    async fn change(
        &self,
        change: Change,
        client: &Client,
        destination: &str,
        (room_id, user_id): (&str, &str),
    ) -> Result<(), RoomFault> {
        let word = change.word();
        let ask = self.request(destination, "GET", &change.make(room_id, user_id), None);
        let (answer, exchange) = send(client, ask, &format!("make_{word}")).await?;
        let finished = self.finish(change, answer, (room_id, user_id));
        let (event_id, event) = finished.map_err(|why| {
            let reason = format!("make_{word} gave no template that can be used: {why}");
            RoomFault { reason, exchange: Some(exchange) }
        })?;
        let tell = self.request(destination, "PUT", &change.send(room_id, &event_id), Some(&event));
        send(client, tell, &format!("send_{word}")).await.map(drop)
    }

    /// The finished event of a template, and its ID.
    fn finish(
        &self,
        change: Change,
        mut answer: Value,
        (room_id, user_id): (&str, &str),
    ) -> Result<(String, Value), String> {
        let version = answer["room_version"].as_str().unwrap_or("1");
        let rules =
            rules(version).ok_or_else(|| format!("the room version {version:?} is not one of ours"))?;
        let Ok(CanonicalJsonValue::Object(mut event)) = to_canonical_value(answer["event"].take()) else {
            return Err("its event is no object of Canonical JSON".to_owned());
        };
        self.complete(change, &mut event, (room_id, user_id))?;
        let signed = hash_and_sign_event(self.name(), &EventKey(self.key()), &mut event, &rules.redaction);
        signed.map_err(|error| error.to_string())?;
        let hash = reference_hash(&event, &rules).map_err(|error| error.to_string())?;
        Ok((format!("${hash}"), CanonicalJsonValue::Object(event).into()))
    }

    /// Completes a template, which must be what was asked for.
    fn complete(
        &self,
        change: Change,
        event: &mut CanonicalJsonObject,
        (room_id, user_id): (&str, &str),
    ) -> Result<(), String> {
        let text = |text: &str| CanonicalJsonValue::String(text.to_owned());
        let asked =
            [("type", "m.room.member"), ("room_id", room_id), ("sender", user_id), ("state_key", user_id)];
        for (name, wanted) in asked {
            let found = event.entry(name.to_owned()).or_insert_with(|| text(wanted));
            if *found != text(wanted) {
                return Err(format!("its {name} is {found}, not {wanted:?}"));
            }
        }
        // Another server's hashes and signatures would be no good, and an ID is not part of such an event.
        for name in ["event_id", "hashes", "signatures", "unsigned"] {
            event.remove(name);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now =
            milliseconds(now).try_into().map_err(|_| "the clock is beyond Canonical JSON".to_owned())?;
        event.insert("origin".to_owned(), text(self.name()));
        event.insert("origin_server_ts".to_owned(), CanonicalJsonValue::Integer(now));
        let content = event
            .entry("content".to_owned())
            .or_insert_with(|| CanonicalJsonValue::Object(CanonicalJsonObject::new()));
        let CanonicalJsonValue::Object(content) = content else {
            return Err("its content is no object".to_owned());
        };
        content.insert("membership".to_owned(), text(change.word()));
        Ok(())
    }
}

/// The rules of a room version that the harness can sign for.
fn rules(version: &str) -> Option<RoomVersionRules> {
    VERSIONS.iter().find(|known| known.as_str() == version)?.rules()
}

/// Sends a request; the JSON object of its answer, which must be 200.
async fn send(client: &Client, request: Request, what: &str) -> Result<(Value, Arc<Exchange>), RoomFault> {
    let exchange = client.send(request).await;
    let answer = exchange.result.as_ref().ok().filter(|answer| answer.status == 200);
    let body = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok());
    match body {
        Some(body @ Value::Object(_)) => Ok((body, exchange)),
        _ => {
            let mut reason = format!("{what} was answered {}", exchange.describe());
            if exchange.errcode().as_deref() == Some("M_INCOMPATIBLE_ROOM_VERSION") {
                let [oldest, .., newest] = &VERSIONS;
                reason += &format!(
                    ". The harness joins rooms of the versions {oldest} to {newest} (room_version in the target file)"
                );
            }
            Err(RoomFault { reason, exchange: Some(exchange) })
        }
    }
}

/// A peer's key as Ruma signs events with it.
struct EventKey<'k>(&'k SigningKey);

impl KeyPair for EventKey<'_> {
    fn sign(&self, message: &[u8]) -> Signature {
        let id = self.0.id();
        let name = <&AnyKeyName>::from(id.strip_prefix("ed25519:").unwrap_or(id));
        let id = SigningKeyId::from_parts(SigningKeyAlgorithm::Ed25519, name);
        Signature::new(id, self.0.sign_raw(message).to_vec())
    }
}
