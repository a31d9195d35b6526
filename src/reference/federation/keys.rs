//! The keys of other homeservers: fetched from themselves, kept by name and key ID, while they are valid.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ruma_common::serde::Base64;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};
use ruma_signatures::verify_json;

use super::flights::Flights;
use super::outbound::{Outbound, Outgoing};
use crate::reference::faults::{Fault, FaultSet};
use crate::reference::variants::{Variant, VariantSet};

/// Homeservers whose keys are kept at once.
const SERVERS: usize = 1_000;
/// The longest key object that is read, in bytes.
const MAX_KEY_OBJECT: usize = 64 << 10;
/// Within this time, in milliseconds, one homeserver is asked for its keys so many times at most:
/// anybody can claim to be anybody, and each claim would have us ask.
const WINDOW_MS: u64 = 10_000;
const FETCHES_PER_WINDOW: u32 = 20;
/// Keys are believed for a week at most (Server-Server API, "Publishing Keys").
const LONGEST_VALIDITY_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// A public key, in bytes.
pub(crate) type PublicKey = Vec<u8>;

/// What a homeserver publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Published {
    keys: BTreeMap<String, PublicKey>,
    /// Milliseconds since the Unix epoch, after which none of the keys signs requests.
    valid_until_ms: u64,
}

/// The keys of other homeservers.
#[derive(Default)]
pub(super) struct RemoteKeys {
    known: Mutex<Known>,
    fetches: Flights<String, Result<Arc<Published>, String>>,
    faults: FaultSet,
    variants: VariantSet,
}

#[derive(Default)]
struct Known {
    published: HashMap<String, Arc<Published>>,
    /// When a homeserver's window began, and how often it was asked since.
    asked: HashMap<String, (u64, u32)>,
}

impl RemoteKeys {
    /// No keys yet.
    pub(super) fn new(faults: FaultSet, variants: VariantSet) -> Self {
        Self { faults, variants, ..Self::default() }
    }

    /// The key that a homeserver publishes under an ID and that is valid now, or why there is none. A
    /// homeserver whose keys are unknown or have expired is asked for them, and so is one that is said
    /// to have a key which it had not when it was asked last.
    pub(super) async fn find(
        &self,
        outbound: &Outbound,
        server: &str,
        key_id: &str,
        now_ms: u64,
    ) -> Result<PublicKey, String> {
        let always = self.variants.has(Variant::FedKeysFetchedAlways);
        if let Some(key) = self.remembered(server, key_id, now_ms).filter(|_| !always) {
            return Ok(key);
        }
        let published = self.fetches.join(server.to_owned(), self.fetch(outbound, server, now_ms)).await?;
        if published.valid_until_ms <= now_ms && !self.faults.has(Fault::FedExpiredKeyAccepted) {
            return Err(format!("the keys of {server} have expired"));
        }
        let key = published.keys.get(key_id).cloned();
        key.ok_or_else(|| format!("{server} publishes no key {key_id}"))
    }

    /// Every key that a homeserver is known to have.
    pub(super) fn all_of(&self, server: &str) -> Vec<PublicKey> {
        let known = self.lock();
        known
            .published
            .get(server)
            .map(|published| published.keys.values().cloned().collect())
            .unwrap_or_default()
    }

    fn remembered(&self, server: &str, key_id: &str, now_ms: u64) -> Option<PublicKey> {
        let known = self.lock();
        let valid = |published: &&Arc<Published>| published.valid_until_ms > now_ms;
        if self.faults.has(Fault::FedKeyCachedById) {
            let mut published = known.published.values().filter(valid);
            return published.find_map(|published| published.keys.get(key_id).cloned());
        }
        known.published.get(server).filter(valid)?.keys.get(key_id).cloned()
    }

    async fn fetch(&self, outbound: &Outbound, server: &str, now_ms: u64) -> Result<Arc<Published>, String> {
        let always = self.variants.has(Variant::FedKeysFetchedAlways);
        if !always && !self.lock().may_ask(server, now_ms) {
            return Err(format!("{server} has been asked for its keys too often"));
        }
        let question = Outgoing { limit: MAX_KEY_OBJECT, ..Outgoing::get(server, "/_matrix/key/v2/server") };
        let failed = |reason: &str| format!("the keys of {server} cannot be had: {reason}");
        let answer = outbound.send(question).await.map_err(|error| failed(&error.to_string()))?;
        if answer.status != 200 {
            return Err(failed(&format!("it answers {}", answer.status)));
        }
        let published = read(server, &answer.body, now_ms, self.faults).map_err(|reason| failed(&reason))?;
        let published = Arc::new(published);
        self.lock().keep(server, published.clone(), now_ms);
        Ok(published)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Counts a question to a homeserver, unless there have been too many.
    fn may_ask(&mut self, server: &str, now_ms: u64) -> bool {
        if self.asked.len() >= SERVERS {
            self.asked.retain(|_, (since, _)| *since + WINDOW_MS > now_ms);
        }
        if self.asked.len() >= 10 * SERVERS {
            return false;
        }
        let (since, count) = self.asked.entry(server.to_owned()).or_insert((now_ms, 0));
        if *since + WINDOW_MS <= now_ms {
            (*since, *count) = (now_ms, 0);
        }
        *count += 1;
        *count <= FETCHES_PER_WINDOW
    }

    fn keep(&mut self, server: &str, published: Arc<Published>, now_ms: u64) {
        if self.published.len() >= SERVERS {
            self.published.retain(|_, published| published.valid_until_ms > now_ms);
        }
        if self.published.len() >= SERVERS && !self.published.contains_key(server) {
            let first = self.published.iter().min_by_key(|(_, published)| published.valid_until_ms);
            let first = first.map(|(server, _)| server.clone()).unwrap_or_default();
            self.published.remove(&first);
        }
        self.published.insert(server.to_owned(), published);
    }
}

/// Reads a key object (Server-Server API, "Publishing Keys"), which must be about `server` and signed by
/// it. Keys under `old_verify_keys` once signed events and sign nothing any more.
fn read(server: &str, body: &[u8], now_ms: u64, faults: FaultSet) -> Result<Published, String> {
    let mut object: CanonicalJsonObject =
        serde_json::from_slice(body).map_err(|error| format!("no key object: {error}"))?;
    if object.get("server_name").and_then(CanonicalJsonValue::as_str) != Some(server) {
        return Err("it speaks of another server".to_owned());
    }
    let mut keys = keys(&object, "verify_keys");
    if let Some(CanonicalJsonValue::Object(signatures)) = object.get_mut("signatures") {
        // What others sign here is none of our business.
        signatures.retain(|signer, _| signer == server);
        if signatures.is_empty() {
            return Err("it is not signed".to_owned());
        }
    }
    let own = keys.iter().map(|(id, key)| (id.clone(), Base64::new(key.clone()))).collect();
    verify_json(&[(server.to_owned(), own)].into(), &object).map_err(|error| error.to_string())?;
    if faults.has(Fault::FedExpiredKeyAccepted) {
        keys.extend(self::keys(&object, "old_verify_keys"));
    }
    let told = object.get("valid_until_ts").and_then(|value| match value {
        CanonicalJsonValue::Integer(ms) => u64::try_from(i64::from(*ms)).ok(),
        _ => None,
    });
    let valid_until_ms = told.ok_or("it does not say until when it is valid")?;
    Ok(Published { keys, valid_until_ms: valid_until_ms.min(now_ms + LONGEST_VALIDITY_MS) })
}

/// The ed25519 keys under one name of a key object, by ID.
fn keys(object: &CanonicalJsonObject, name: &str) -> BTreeMap<String, PublicKey> {
    let listed = object.get(name).and_then(CanonicalJsonValue::as_object).into_iter().flatten();
    let read = |(id, entry): (&String, &CanonicalJsonValue)| {
        let key =
            Base64::<ruma_common::serde::base64::Standard>::parse(entry.as_object()?.get("key")?.as_str()?);
        Some((id.clone(), key.ok()?.into_inner()))
    };
    listed.filter(|(id, _)| id.starts_with("ed25519:")).filter_map(read).collect()
}
