//! Whether a request is signed as it should be, by the keys that the peers were told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::journal::SignatureFault;
use crate::spec::canonical;
use crate::wire::signing::{KeyFault, ServerKeys, SignedRequest, XMatrix, verify};

/// How many Authorization headers are looked at: a server may send one for each of its keys.
const HEADERS: usize = 8;

/// The homeservers whose keys are known, by name.
#[derive(Debug, Default)]
pub(super) struct Judge(Mutex<BTreeMap<String, Arc<ServerKeys>>>);

impl Judge {
    /// From now on these are the keys of that server.
    pub(super) fn introduce(&self, keys: ServerKeys) {
        let name = keys.server_name.clone();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(keys));
    }

    fn keys_of(&self, origin: &str) -> Option<Arc<ServerKeys>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }

    /// Whose signature the request to `destination` bears. Of several headers one that holds is enough;
    /// where none does, the fault is that of the first.
    pub(super) fn judge(
        &self,
        destination: &str,
        (method, uri): (&str, &str),
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<String, SignatureFault> {
        let content = content(body);
        let mut first = None;
        for (_, value) in headers.iter().filter(|(name, _)| name == "authorization").take(HEADERS) {
            let held = XMatrix::parse(value)
                .map_err(|fault| SignatureFault::Header(fault.to_string()))
                .and_then(|header| {
                    let content = content.as_ref().map_err(|fault| SignatureFault::Broken(fault.clone()))?;
                    self.holds(destination, (method, uri), header, content.as_ref())
                });
            match held {
                Ok(origin) => return Ok(origin),
                Err(fault) => first.get_or_insert(fault),
            };
        }
        Err(first.unwrap_or(SignatureFault::Missing))
    }

    fn holds(
        &self,
        me: &str,
        (method, uri): (&str, &str),
        header: XMatrix,
        content: Option<&Value>,
    ) -> Result<String, SignatureFault> {
        let XMatrix { origin, destination, key, sig } = header;
        // Without one it is an older sender's; what is signed names the destination in any case.
        if let Some(other) = destination.filter(|destination| destination != me) {
            return Err(SignatureFault::Destination(other));
        }
        let Some(keys) = self.keys_of(&origin) else { return Err(SignatureFault::Origin(origin)) };
        let Some(public) = keys.verify_keys.get(&key).filter(|_| key.starts_with("ed25519:")) else {
            return Err(SignatureFault::Key(key));
        };
        let signed = SignedRequest { method, uri, origin: &origin, destination: me, content };
        let broken = |fault: KeyFault| SignatureFault::Broken(fault.to_string());
        verify(public, &signed.bytes(), &sig).map_err(broken)?;
        Ok(origin)
    }
}

/// The body as it is signed; the fault where no signature can cover it.
fn content(body: &[u8]) -> Result<Option<Value>, String> {
    if body.is_empty() {
        return Ok(None);
    }
    let unsigned = |why: String| format!("the body is nothing that can be signed: {why}");
    canonical::parse(body).map_err(|error| unsigned(error.to_string()))?;
    serde_json::from_slice(body).map(Some).map_err(|error| unsigned(error.to_string()))
}
