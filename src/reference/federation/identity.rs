//! Who this homeserver is to others: its key, the object that publishes it, and requests signed with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use ruma_signatures::{Ed25519KeyPair, sign_json};
use serde_json::{Map, Value, json};

use super::Federation;
use crate::reference::variants::Variant;

/// For how long others may believe the key object, in milliseconds.
const VALID_FOR_MS: u64 = 24 * 60 * 60 * 1_000;
/// The same under a freedom.
const BRIEFLY_MS: u64 = 1_000;

/// What cannot be signed: a number that Canonical JSON does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot sign: {0}")]
pub(in crate::reference) struct Unsignable(String);

/// The object that is signed for a request (Server-Server API, "Request Authentication"): what stands on
/// the request line, who asks whom, and the body, where there is one.
pub(super) fn request(
    method: &str,
    uri: &str,
    origin: &str,
    destination: &str,
    content: Option<CanonicalJsonValue>,
) -> CanonicalJsonObject {
    let members = [("method", method), ("uri", uri), ("origin", origin), ("destination", destination)];
    let members = members.map(|(name, text)| (name.to_owned(), CanonicalJsonValue::String(text.to_owned())));
    members.into_iter().chain(content.map(|content| ("content".to_owned(), content))).collect()
}

impl Federation {
    /// The ID of the key.
    #[cfg(test)]
    pub(super) fn key_id(&self) -> String {
        key_id(&self.key)
    }

    /// The keys that may sign requests: one, or under a freedom two.
    fn signing_keys(&self) -> Vec<&Ed25519KeyPair> {
        std::iter::once(&*self.key).chain(&self.spare).collect()
    }

    /// The object that publishes the key, signed with it (Server-Server API, "Publishing Keys").
    pub(super) fn key_object(&self, now_ms: u64) -> Result<Value, Unsignable> {
        let valid_for = if self.may(Variant::FedKeysBrief) { BRIEFLY_MS } else { VALID_FOR_MS };
        let keys = self.signing_keys();
        let encoded = |key: &Ed25519KeyPair| STANDARD_NO_PAD.encode(key.public_key());
        let published = keys.iter().map(|key| (key_id(key), json!({ "key": encoded(key) })));
        let mut object = json!({
            "server_name": self.server_name,
            "verify_keys": published.collect::<Map<_, _>>(),
            "old_verify_keys": {},
            "valid_until_ts": now_ms + valid_for,
        });
        if let Some(spare) = &self.spare {
            let retired = json!({ "key": encoded(spare), "expired_ts": now_ms - VALID_FOR_MS });
            object["old_verify_keys"] = json!({ "ed25519:retired": retired });
            object["org.capcheck.note"] = json!({ "a": [1, "b"] });
        }
        let CanonicalJsonValue::Object(mut object) = canonical(object)? else {
            return Err(Unsignable("no object".to_owned()));
        };
        for key in keys {
            object = self.signed_object(key, object)?;
        }
        Ok(CanonicalJsonValue::Object(object).into())
    }

    /// The Authorization header of a request.
    pub(in crate::reference) fn authorization(
        &self,
        destination: &str,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Result<String, Unsignable> {
        let content = content.cloned().map(canonical).transpose()?;
        let (nth, keys, origin) = (self.nth(), self.signing_keys(), &self.server_name);
        let key = keys[nth % keys.len()];
        let key_id = key_id(key);
        let request = request(method, path, origin, destination, content);
        let signed = self.signed_object(key, request)?;
        let signature = signed
            .get("signatures")
            .and_then(|servers| servers.as_object()?.get(origin)?.as_object()?.get(&key_id)?.as_str())
            .ok_or_else(|| Unsignable("no signature came out".to_owned()))?;
        if self.may(Variant::FedHeaderSpelled) {
            return Ok(spelled(nth, [origin, destination, &key_id, signature]));
        }
        Ok(format!(
            r#"X-Matrix origin="{origin}",destination="{destination}",key="{key_id}",sig="{signature}""#
        ))
    }

    /// An object with one more signature of this homeserver.
    fn signed_object(
        &self,
        key: &Ed25519KeyPair,
        mut object: CanonicalJsonObject,
    ) -> Result<CanonicalJsonObject, Unsignable> {
        match sign_json(&self.server_name, key, &mut object) {
            Ok(()) => Ok(object),
            Err(error) => Err(Unsignable(error.to_string())),
        }
    }
}

fn key_id(key: &Ed25519KeyPair) -> String {
    format!("ed25519:{}", key.version())
}

fn canonical(value: Value) -> Result<CanonicalJsonValue, Unsignable> {
    CanonicalJsonValue::try_from(value).map_err(|error| Unsignable(error.to_string()))
}

/// The nth header in one of its unusual spellings (RFC 9110, sections 5.6 and 11.4).
fn spelled(nth: usize, [origin, destination, key, sig]: [&str; 4]) -> String {
    let escaped = |text: &str| text.replace(':', r"\:");
    match nth % 3 {
        0 => format!(
            "x-matrix   SIG=\"{sig}\" ,\tKey=\"{key}\", DESTINATION=\"{destination}\",origin=\"{origin}\""
        ),
        1 => {
            let note = r#"org.capcheck.note="a,b=\"c\"""#;
            format!(
                r#"X-Matrix key="{key}",{note},origin="{origin}",sig="{sig}",destination="{destination}""#
            )
        }
        _ => {
            let [origin, destination, key] = [origin, destination, key].map(escaped);
            format!(r#"X-MATRIX origin="{origin}", destination="{destination}", key="{key}", sig="{sig}""#)
        }
    }
}
