//! Who this homeserver is to others: its key, the object that publishes it, and requests signed with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use ruma_signatures::sign_json;
use serde_json::{Value, json};

use super::Federation;

/// For how long others may believe the key object, in milliseconds.
const VALID_FOR_MS: u64 = 24 * 60 * 60 * 1_000;

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
    pub(super) fn key_id(&self) -> String {
        format!("ed25519:{}", self.key.version())
    }

    /// The object that publishes the key, signed with it (Server-Server API, "Publishing Keys").
    pub(super) fn key_object(&self, now_ms: u64) -> Result<Value, Unsignable> {
        let key = STANDARD_NO_PAD.encode(self.key.public_key());
        self.signed(json!({
            "server_name": self.server_name,
            "verify_keys": { self.key_id(): { "key": key } },
            "old_verify_keys": {},
            "valid_until_ts": now_ms + VALID_FOR_MS,
        }))
    }

    /// The Authorization header of a request.
    pub(in crate::reference) fn authorization(
        &self,
        destination: &str,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Result<String, Unsignable> {
        let content = content.cloned().map(CanonicalJsonValue::try_from).transpose();
        let content = content.map_err(|error| Unsignable(error.to_string()))?;
        let (origin, key_id) = (&self.server_name, self.key_id());
        let request = request(method, path, origin, destination, content);
        let signed = self.signed_object(request)?;
        let signature = signed
            .get("signatures")
            .and_then(|servers| servers.as_object()?.get(origin)?.as_object()?.get(&key_id)?.as_str())
            .ok_or_else(|| Unsignable("no signature came out".to_owned()))?;
        Ok(format!(
            r#"X-Matrix origin="{origin}",destination="{destination}",key="{key_id}",sig="{signature}""#
        ))
    }

    /// An object with this homeserver's signature.
    fn signed(&self, object: Value) -> Result<Value, Unsignable> {
        match CanonicalJsonValue::try_from(object) {
            Ok(CanonicalJsonValue::Object(object)) => {
                Ok(CanonicalJsonValue::Object(self.signed_object(object)?).into())
            }
            Ok(_) => Err(Unsignable("no object".to_owned())),
            Err(error) => Err(Unsignable(error.to_string())),
        }
    }

    fn signed_object(&self, mut object: CanonicalJsonObject) -> Result<CanonicalJsonObject, Unsignable> {
        match sign_json(&self.server_name, &*self.key, &mut object) {
            Ok(()) => Ok(object),
            Err(error) => Err(Unsignable(error.to_string())),
        }
    }
}
