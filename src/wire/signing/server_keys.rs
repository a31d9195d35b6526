//! A homeserver's published keys: `GET /_matrix/key/v2/server`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::key::{SigningKey, normalise, verify};
use crate::spec::canonical::{self, Json, Object};

/// The longest key object that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// The keys that a homeserver publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeys {
    /// Whose they are.
    pub server_name: String,
    /// Key ID to public key, unpadded Base64.
    pub verify_keys: BTreeMap<String, String>,
    /// Keys that have expired.
    pub old_verify_keys: BTreeMap<String, OldKey>,
    /// Until when, in milliseconds since the Unix epoch.
    pub valid_until_ts: u64,
}

/// A key that was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// The public key, unpadded Base64.
    pub key: String,
    /// When it expired, in milliseconds since the Unix epoch.
    pub expired_ts: u64,
}

/// How an answer is no key object of that server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerKeysFault {
    /// Not a key object.
    #[error("no key object: {0}")]
    Shape(String),
    /// Another server's.
    #[error("the keys are those of {found:?}, not of {expected:?}")]
    Name {
        /// The name found.
        found: String,
        /// The name expected.
        expected: String,
    },
    /// Not signed by any of its own keys.
    #[error("the key object is not signed by one of its own keys: {0}")]
    Unsigned(String),
}

impl ServerKeys {
    /// Reads the answer of a homeserver with this name, and verifies that it signed it.
    pub fn read(body: &[u8], server_name: &str) -> Result<Self, ServerKeysFault> {
        if body.len() > LONGEST {
            return Err(shape(format!("it has {} bytes", body.len())));
        }
        let mut object = match canonical::parse(body).map_err(|error| shape(error.to_string()))? {
            Json::Object(object) => object,
            other => return Err(shape(format!("it is {}", other.kind()))),
        };
        let keys = Self {
            server_name: text(&object, "server_name")?,
            verify_keys: entries(&object, "verify_keys", verify_key)?,
            old_verify_keys: match object.contains_key("old_verify_keys") {
                true => entries(&object, "old_verify_keys", old_key)?,
                false => BTreeMap::new(),
            },
            valid_until_ts: time(&object, "valid_until_ts")?,
        };
        if keys.server_name != server_name {
            let (found, expected) = (keys.server_name, server_name.to_owned());
            return Err(ServerKeysFault::Name { found, expected });
        }
        let signatures = object.remove("signatures");
        object.remove("unsigned");
        keys.verify_own(signatures.as_ref(), &canonical::to_bytes(&Json::Object(object)))?;
        Ok(keys)
    }

    /// Whether one of the keys signed these bytes under the server's own name.
    fn verify_own(&self, signatures: Option<&Json>, bytes: &[u8]) -> Result<(), ServerKeysFault> {
        let unsigned = |why: &str| ServerKeysFault::Unsigned(why.to_owned());
        let Some(Json::Object(signatures)) = signatures else { return Err(unsigned("no signatures")) };
        let Some(Json::Object(own)) = signatures.get(&self.server_name) else {
            return Err(unsigned("no signatures under its own name"));
        };
        let mut why = unsigned("no signature bears the ID of an ed25519 key that it publishes");
        for (id, key) in self.verify_keys.iter().filter(|(id, _)| is_ed25519(id)) {
            let Some(Json::String(signature)) = own.get(id) else { continue };
            match verify(key, bytes, signature) {
                Ok(()) => return Ok(()),
                Err(fault) => why = unsigned(&format!("{id}: {fault}")),
            }
        }
        Err(why)
    }

    /// The key object, signed, as its homeserver serves it.
    pub fn signed_by(&self, key: &SigningKey) -> Value {
        let current = self.verify_keys.iter().map(|(id, key)| (id.clone(), json!({ "key": key })));
        let old = self.old_verify_keys.iter().map(|(id, old)| {
            let entry = json!({ "key": old.key, "expired_ts": old.expired_ts });
            (id.clone(), entry)
        });
        let mut object = json!({
            "server_name": self.server_name,
            "verify_keys": current.collect::<serde_json::Map<_, _>>(),
            "old_verify_keys": old.collect::<serde_json::Map<_, _>>(),
            "valid_until_ts": self.valid_until_ts,
        });
        let signature = key.sign(&canonical::to_bytes(&super::json(&object)));
        object["signatures"] = json!({ &self.server_name: { key.id(): signature } });
        object
    }
}

fn shape(why: impl Into<String>) -> ServerKeysFault {
    ServerKeysFault::Shape(why.into())
}

fn text(object: &Object, name: &str) -> Result<String, ServerKeysFault> {
    match object.get(name) {
        Some(Json::String(text)) => Ok(text.clone()),
        _ => Err(shape(format!("{name} is no string"))),
    }
}

fn time(object: &Object, name: &str) -> Result<u64, ServerKeysFault> {
    match object.get(name) {
        Some(Json::Integer(time)) => u64::try_from(*time).map_err(|_| shape(format!("{name} is negative"))),
        _ => Err(shape(format!("{name} is no integer"))),
    }
}

/// An object of objects, each read by `read`.
fn entries<T>(
    object: &Object,
    name: &str,
    read: fn(&str, &Object) -> Result<T, ServerKeysFault>,
) -> Result<BTreeMap<String, T>, ServerKeysFault> {
    let Some(Json::Object(entries)) = object.get(name) else {
        return Err(shape(format!("{name} is no object")));
    };
    let entry = |(id, value): (&String, &Json)| match value {
        Json::Object(value) => Ok((id.clone(), read(id, value)?)),
        other => Err(shape(format!("{name} holds {} under {id:?}", other.kind()))),
    };
    entries.iter().map(entry).collect()
}

/// A public key; those of algorithms other than ed25519 stay as they are, and verify nothing.
fn verify_key(id: &str, entry: &Object) -> Result<String, ServerKeysFault> {
    let key = text(entry, "key")?;
    match is_ed25519(id) {
        true => normalise(&key).map_err(|fault| shape(format!("{id:?}: {fault}"))),
        false => Ok(key),
    }
}

fn old_key(id: &str, entry: &Object) -> Result<OldKey, ServerKeysFault> {
    Ok(OldKey { key: verify_key(id, entry)?, expired_ts: time(entry, "expired_ts")? })
}

fn is_ed25519(id: &str) -> bool {
    id.starts_with("ed25519:")
}
