//! X-Matrix: how homeservers sign requests to each other (Server-Server API, "Request Authentication").
//!
//! The suite's own arithmetic over ed25519-dalek and `spec::canonical`; the built-in homeserver has
//! another, so that the two are never compared with themselves.

mod header;
mod key;
mod server_keys;
mod spelling;

pub use header::{HeaderFault, XMatrix};
pub use key::{KeyFault, SigningKey, verify};
pub use server_keys::{OldKey, ServerKeys, ServerKeysFault};
pub use spelling::Spelling;

use serde_json::Value;

use crate::spec::canonical::{self, Json, MAX_INTEGER, Object};

/// What an X-Matrix signature is made over.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedRequest<'r> {
    /// The HTTP method, upper case.
    pub method: &'r str,
    /// Path and query exactly as on the request line, still percent-encoded.
    pub uri: &'r str,
    /// The server name of the sender.
    pub origin: &'r str,
    /// The server name of the receiver.
    pub destination: &'r str,
    /// The parsed body, if there is one.
    pub content: Option<&'r Value>,
}

impl SignedRequest<'_> {
    /// The canonical bytes that are signed. Numbers that Canonical JSON has no form for stand as
    /// `null`, so that no signature of a content that holds one is ever good.
    pub fn bytes(&self) -> Vec<u8> {
        let text = |text: &str| Json::String(text.to_owned());
        let mut object = Object::from([
            ("method".to_owned(), text(self.method)),
            ("uri".to_owned(), text(self.uri)),
            ("origin".to_owned(), text(self.origin)),
            ("destination".to_owned(), text(self.destination)),
        ]);
        if let Some(content) = self.content {
            object.insert("content".to_owned(), json(content));
        }
        canonical::to_bytes(&Json::Object(object))
    }

    /// The header of an honest homeserver.
    pub fn signed_by(&self, key: &SigningKey) -> XMatrix {
        XMatrix {
            origin: self.origin.to_owned(),
            destination: Some(self.destination.to_owned()),
            key: key.id().to_owned(),
            sig: key.sign(&self.bytes()),
        }
    }
}

/// The value as Canonical JSON has it.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-MAX_INTEGER..=MAX_INTEGER).contains(&integer) => Json::Integer(integer),
            _ => Json::Null,
        },
        Value::String(text) => Json::String(text.clone()),
        Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests;
