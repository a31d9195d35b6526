//! Events as they cross servers (Server-Server API, "PDUs"): built, hashed, signed, named, read and checked.

use std::fmt;
use std::sync::Arc;

use ruma_common::canonical_json::redact;
use ruma_common::room_version_rules::RoomVersionRules;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use ruma_signatures::{
    Ed25519KeyPair, PublicKeyMap, PublicKeySet, Verified, hash_and_sign_event, reference_hash, sign_event,
    verify_event,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Room versions that this server makes and joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoomVersion {
    /// What a room has that asks for nothing else.
    #[default]
    V10,
    V11,
}

impl RoomVersion {
    /// Every version, the default first.
    pub(crate) const ALL: [Self; 2] = [Self::V10, Self::V11];

    /// The version with this identifier, if it is supported.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.id() == text)
    }

    /// Its identifier.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::V10 => "10",
            Self::V11 => "11",
        }
    }

    /// The content of the event that creates a room; version 11 leaves the creator to the sender.
    pub(crate) fn create_content(self, creator: &str) -> Value {
        match self {
            Self::V10 => json!({ "room_version": self.id(), "creator": creator }),
            Self::V11 => json!({ "room_version": self.id() }),
        }
    }

    const fn rules(self) -> RoomVersionRules {
        match self {
            Self::V10 => RoomVersionRules::V10,
            Self::V11 => RoomVersionRules::V11,
        }
    }
}

/// Events that an event may name as its predecessors and as its authorisation (Matrix specification, "Size limits").
const MAX_PREV_EVENTS: usize = 20;
const MAX_AUTH_EVENTS: usize = 10;
/// The longest identifier, in bytes.
const MAX_ID: usize = 255;

/// The fields of an event that this server reads, with the types that they must have.
#[derive(Clone, Debug, Deserialize)]
struct Fields {
    room_id: String,
    sender: String,
    #[serde(rename = "type")]
    kind: String,
    state_key: Option<String>,
    content: Map<String, Value>,
    depth: u64,
    origin_server_ts: u64,
    prev_events: Vec<String>,
    auth_events: Vec<String>,
}

/// An event with its name. Every field that this server reads has the type that it must have.
#[derive(Clone, Debug)]
pub(crate) struct Pdu {
    id: Arc<str>,
    version: RoomVersion,
    event: CanonicalJsonObject,
    fields: Fields,
}

/// Why something is no event, or not one to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PduError {
    /// Not Canonical JSON, too large, or a field that is missing or of another type.
    #[error("not an event: {0}")]
    Malformed(String),
    /// A signature that is missing or wrong.
    #[error("not signed as it must be: {0}")]
    Unsigned(String),
}

fn malformed(error: impl fmt::Display) -> PduError {
    PduError::Malformed(error.to_string())
}

impl Pdu {
    /// Reads an event that came from elsewhere. Nothing is verified but its shape.
    pub(crate) fn read(version: RoomVersion, event: Value) -> Result<Self, PduError> {
        match CanonicalJsonValue::try_from(event).map_err(malformed)? {
            CanonicalJsonValue::Object(event) => Self::of(version, event),
            _ => Err(malformed("no object")),
        }
    }

    fn of(version: RoomVersion, event: CanonicalJsonObject) -> Result<Self, PduError> {
        let fields = Value::from(CanonicalJsonValue::Object(event.clone()));
        let fields: Fields = serde_json::from_value(fields).map_err(malformed)?;
        if fields.prev_events.len() > MAX_PREV_EVENTS || fields.auth_events.len() > MAX_AUTH_EVENTS {
            return Err(malformed("it names too many events"));
        }
        let ids = [&fields.room_id, &fields.sender, &fields.kind].into_iter().chain(&fields.state_key);
        if ids.chain(&fields.prev_events).chain(&fields.auth_events).any(|id| id.len() > MAX_ID) {
            return Err(malformed("an identifier is too long"));
        }
        let hash = reference_hash(&event, &version.rules()).map_err(malformed)?;
        Ok(Self { id: format!("${hash}").into(), version, event, fields })
    }

    /// Checks that the sender's homeserver, whose keys these are, has signed it. An event whose
    /// content does not have the hash that was signed loses what the signature does not cover
    /// (Server-Server API, "Validating hashes and signatures on received events").
    pub(crate) fn verified(self, keys: PublicKeySet) -> Result<Self, PduError> {
        let keys = PublicKeyMap::from([(self.server().to_owned(), keys)]);
        let rules = self.version.rules();
        match verify_event(&keys, &self.event, &rules) {
            Ok(Verified::All) => Ok(self),
            Ok(Verified::Signatures) => {
                let event = redact(self.event, &rules.redaction, None).map_err(malformed)?;
                Self::of(self.version, event)
            }
            Err(error) => Err(PduError::Unsigned(error.to_string())),
        }
    }

    /// The IDs of the keys with which the sender's homeserver says that it has signed.
    pub(crate) fn signing_keys(&self) -> impl Iterator<Item = &str> {
        let signatures = self.event.get("signatures").and_then(CanonicalJsonValue::as_object);
        let own = signatures.and_then(|servers| servers.get(self.server())?.as_object());
        own.into_iter().flat_map(|keys| keys.keys()).map(String::as_str)
    }

    /// Its name: `$` and the reference hash.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The version of its room.
    pub(crate) fn version(&self) -> RoomVersion {
        self.version
    }

    /// The event as it is sent.
    pub(crate) fn json(&self) -> Value {
        CanonicalJsonValue::Object(self.event.clone()).into()
    }

    pub(crate) fn room_id(&self) -> &str {
        &self.fields.room_id
    }

    pub(crate) fn sender(&self) -> &str {
        &self.fields.sender
    }

    /// The homeserver of the sender.
    pub(crate) fn server(&self) -> &str {
        server_of(&self.fields.sender)
    }

    pub(crate) fn kind(&self) -> &str {
        &self.fields.kind
    }

    pub(crate) fn state_key(&self) -> Option<&str> {
        self.fields.state_key.as_deref()
    }

    pub(crate) fn content(&self) -> &Map<String, Value> {
        &self.fields.content
    }

    /// `membership`, where the event is about one.
    pub(crate) fn membership(&self) -> Option<&str> {
        let is_membership = self.kind() == "m.room.member" && self.fields.state_key.is_some();
        is_membership.then(|| self.content().get("membership")?.as_str()).flatten()
    }

    pub(crate) fn depth(&self) -> u64 {
        self.fields.depth
    }

    pub(crate) fn sent_ms(&self) -> u64 {
        self.fields.origin_server_ts
    }

    pub(crate) fn prev_events(&self) -> &[String] {
        &self.fields.prev_events
    }

    pub(crate) fn auth_events(&self) -> &[String] {
        &self.fields.auth_events
    }
}

/// The homeserver of a user, room or alias ID.
pub(crate) fn server_of(id: &str) -> &str {
    id.split_once(':').map_or("", |(_, server)| server)
}

/// An event before it is hashed and signed.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) state_key: &'a str,
    pub(crate) content: Value,
    pub(crate) prev_events: Vec<String>,
    pub(crate) auth_events: Vec<String>,
    pub(crate) depth: u64,
    pub(crate) sent_ms: u64,
}

impl Draft<'_> {
    /// The event without hashes and signatures, as `make_join` and `make_leave` offer it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "room_id": self.room_id,
            "sender": self.sender,
            "type": self.kind,
            "state_key": self.state_key,
            "content": self.content,
            "prev_events": self.prev_events,
            "auth_events": self.auth_events,
            "depth": self.depth,
            "origin_server_ts": self.sent_ms,
        })
    }
}

/// Signs events in the name of a homeserver.
#[derive(Clone)]
pub(crate) struct Signer {
    server_name: Arc<str>,
    key: Arc<Ed25519KeyPair>,
}

impl Signer {
    /// A homeserver's signer.
    pub(crate) fn new(server_name: &str, key: Arc<Ed25519KeyPair>) -> Self {
        Self { server_name: server_name.into(), key }
    }

    /// Makes an event of a draft: content hash, signature, name.
    pub(crate) fn sign(&self, version: RoomVersion, draft: &Draft<'_>) -> Result<Pdu, PduError> {
        let CanonicalJsonValue::Object(mut event) =
            CanonicalJsonValue::try_from(draft.json()).map_err(malformed)?
        else {
            return Err(malformed("no object"));
        };
        hash_and_sign_event(&self.server_name, &*self.key, &mut event, &version.rules().redaction)
            .map_err(malformed)?;
        Pdu::of(version, event)
    }

    /// Adds a signature to an invitation that another homeserver has signed.
    pub(crate) fn co_sign(&self, mut pdu: Pdu) -> Result<Pdu, PduError> {
        let rules = pdu.version.rules();
        sign_event(&self.server_name, &*self.key, &mut pdu.event, &rules.redaction).map_err(malformed)?;
        Ok(pdu)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Arc<Ed25519KeyPair> {
        Arc::new(Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), "1".to_owned()).unwrap())
    }

    fn keys(key: &Ed25519KeyPair) -> PublicKeySet {
        let public = ruma_common::serde::Base64::new(key.public_key().to_vec());
        PublicKeySet::from([("ed25519:1".to_owned(), public)])
    }

    fn join(key: &Arc<Ed25519KeyPair>, version: RoomVersion) -> Pdu {
        let draft = Draft {
            room_id: "!room:a",
            sender: "@bob:b",
            kind: "m.room.member",
            state_key: "@bob:b",
            content: json!({ "membership": "join", "displayname": "Bob" }),
            prev_events: vec!["$before".to_owned()],
            auth_events: vec!["$create".to_owned()],
            depth: 7,
            sent_ms: 1,
        };
        Signer::new("b", key.clone()).sign(version, &draft).unwrap()
    }

    #[test]
    fn what_is_signed_here_is_believed_elsewhere_and_nothing_else() {
        for version in RoomVersion::ALL {
            let (own, other) = (key(), key());
            let pdu = join(&own, version);
            assert_eq!(pdu.signing_keys().collect::<Vec<_>>(), ["ed25519:1"]);
            let read = Pdu::read(version, pdu.json()).unwrap();
            assert_eq!((read.id(), read.server(), read.depth()), (pdu.id(), "b", 7));
            assert!(read.clone().verified(keys(&own)).is_ok());
            assert!(read.clone().verified(keys(&other)).is_err(), "another key");
            assert!(read.verified(PublicKeySet::new()).is_err(), "no key");
            for (field, value) in
                [("depth", json!(8)), ("sender", json!("@eve:b")), ("room_id", json!("!x:a"))]
            {
                let mut forged = pdu.json();
                forged[field] = value;
                let forged = Pdu::read(version, forged).unwrap();
                assert_ne!(forged.id(), pdu.id());
                assert!(forged.verified(keys(&own)).is_err(), "{field}");
            }
        }
    }

    #[test]
    fn what_the_signature_does_not_cover_is_lost_when_it_was_changed() {
        for version in RoomVersion::ALL {
            let own = key();
            let pdu = join(&own, version);
            let mut changed = pdu.json();
            changed["content"]["displayname"] = json!("Eve");
            let read = Pdu::read(version, changed).unwrap().verified(keys(&own)).unwrap();
            assert_eq!(Value::Object(read.content().clone()), json!({ "membership": "join" }));
            assert_eq!(read.id(), pdu.id());
        }
    }

    #[test]
    fn a_second_signature_changes_neither_name_nor_first() {
        let (own, other) = (key(), key());
        let pdu = join(&own, RoomVersion::V10);
        let both = Signer::new("a", other).co_sign(pdu.clone()).unwrap();
        assert_eq!(both.json()["signatures"].as_object().unwrap().len(), 2);
        assert_eq!(Pdu::read(RoomVersion::V10, both.json()).unwrap().id(), pdu.id());
        assert!(both.verified(keys(&own)).is_ok());
    }

    #[test]
    fn what_has_another_shape_is_no_event() {
        let good = join(&key(), RoomVersion::V10).json();
        let long = "x".repeat(256);
        let cases = [
            ("depth", json!(-1)),
            ("depth", json!("7")),
            ("depth", json!(1.5)),
            ("content", json!([])),
            ("prev_events", json!([["$old", {}]])),
            ("prev_events", json!(vec!["$x"; 21])),
            ("auth_events", json!(vec!["$x"; 11])),
            ("auth_events", json!(null)),
            ("sender", json!(long)),
            ("state_key", json!(1)),
            ("type", json!(long)),
            ("hashes", json!("none")),
            ("signatures", json!(true)),
        ];
        for (field, value) in cases {
            let mut event = good.clone();
            event[field] = value.clone();
            let own = key();
            let refused = Pdu::read(RoomVersion::V10, event).and_then(|pdu| pdu.verified(keys(&own)));
            assert!(refused.is_err(), "{field}: {value}");
        }
        assert!(Pdu::read(RoomVersion::V10, json!([])).is_err());
        let mut large = good;
        large["content"]["displayname"] = json!("x".repeat(70_000));
        assert!(Pdu::read(RoomVersion::V10, large).unwrap().verified(keys(&key())).is_err());
    }
}
