//! A homeserver that computes nothing: what is uploaded is stored under whatever hash it claims, and the
//! hash that was declared last is what presence carries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::spec::binding::{Binding, Operation};
use crate::spec::capability::CapabilitySet;

use super::front::{self, Answer, Asked, Behind, Pretender};

/// How many sets it keeps; beyond, it takes no more.
const MOST: usize = 10_000;

/// The homeserver.
pub(super) fn store() -> Arc<dyn Pretender> {
    Arc::new(Store { binding: Binding::default(), kept: Mutex::default() })
}

struct Store {
    binding: Binding,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Bodies, by the hash that they were said to have.
    sets: HashMap<String, Bytes>,
    /// The hashes that a user has ever declared, the last one last.
    declared: HashMap<String, Vec<String>>,
    declarations: u64,
}

impl Pretender for Store {
    fn turn(&self, request: Asked, behind: Behind) -> BoxFuture<'_, Option<Answer>> {
        Box::pin(async move {
            match front::operation(&request) {
                Some((Operation::Declare, _)) => self.declare(request, behind).await,
                Some((Operation::Upload, hash)) => self.upload(&request, &hash, behind).await,
                Some((Operation::Resolve, user_and_hash)) => {
                    self.resolve(&request, &user_and_hash, behind).await
                }
                // What the server itself can do is the business of the one behind.
                Some(_) => behind.ask(request).await,
                None => self.with_presence(request, behind).await,
            }
        })
    }
}

impl Store {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn upload(&self, request: &Asked, hash: &str, behind: Behind) -> Option<Answer> {
        if let Err(refused) = behind.who(request).await? {
            return Some(refused);
        }
        let Some(hash) = decoded(hash) else { return Some(not_found()) };
        let mut kept = self.kept();
        if kept.sets.len() < MOST {
            kept.sets.insert(hash, request.body().clone());
        }
        Some(front::json(StatusCode::OK, &json!({})))
    }

    async fn declare(&self, request: Asked, behind: Behind) -> Option<Answer> {
        let user = match behind.who(&request).await? {
            Ok(user) => user,
            Err(refused) => return Some(refused),
        };
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let Some(hash) = body["sha256"].as_str() else {
            return Some(front::error(StatusCode::BAD_REQUEST, "M_BAD_JSON"));
        };
        let number = {
            let mut kept = self.kept();
            if !kept.sets.contains_key(hash) {
                return Some(not_found());
            }
            kept.declared.entry(user).or_default().push(hash.to_owned());
            kept.declarations += 1;
            kept.declarations
        };
        self.stir(&request, number, behind).await?;
        Some(front::json(StatusCode::OK, &json!({})))
    }

    /// Makes the homeserver behind tell everybody of a change, which is then told with the hash in its place.
    async fn stir(&self, request: &Asked, number: u64, behind: Behind) -> Option<()> {
        let set = CapabilitySet::of([format!("org.capcheck.null.{number}")]);
        let (upload, declare) =
            (self.binding.route(Operation::Upload), self.binding.route(Operation::Declare));
        let hash = set.hash();
        let path = upload.path(&[("hash", hash.as_str())]);
        behind.ask_as(request, &upload.method, &path, set.canonical_bytes().into()).await?;
        let body = json!({ "sha256": hash.as_str() }).to_string();
        behind.ask_as(request, &declare.method, &declare.path(&[]), body.into()).await?;
        Some(())
    }

    async fn resolve(&self, request: &Asked, user_and_hash: &str, behind: Behind) -> Option<Answer> {
        if let Err(refused) = behind.who(request).await? {
            return Some(refused);
        }
        let asked = match user_and_hash.split('/').collect::<Vec<_>>().as_slice() {
            [user, "sets", hash] => decoded(user).zip(decoded(hash)),
            _ => None,
        };
        let set = asked.and_then(|(user, hash)| {
            let kept = self.kept();
            kept.declared.get(&user)?.contains(&hash).then(|| kept.sets.get(&hash).cloned())?
        });
        Some(set.map_or_else(not_found, |set| front::answer(StatusCode::OK, "application/json", set)))
    }

    /// Everything else, with the declared hash in the place of the real one wherever presence is shown.
    async fn with_presence(&self, request: Asked, behind: Behind) -> Option<Answer> {
        let (status, syncs) = (front::asks_for_status(&request), front::syncs(&request));
        let about = request.uri().path().split('/').nth(5).and_then(decoded).unwrap_or_default();
        let answer = behind.ask(request).await?;
        if !(status || syncs) || answer.status() != StatusCode::OK {
            return Some(answer);
        }
        let (_, mut body) = front::read(answer).await?;
        if status {
            self.put(&mut body, &about);
        }
        let events = body.pointer_mut("/presence/events").and_then(Value::as_array_mut);
        for event in events.into_iter().flatten() {
            let sender = event["sender"].as_str().unwrap_or_default().to_owned();
            self.put(&mut event["content"], &sender);
        }
        Some(front::json(StatusCode::OK, &body))
    }

    fn put(&self, content: &mut Value, user: &str) {
        if let Some(hash) = self.kept().declared.get(user).and_then(|hashes| hashes.last()) {
            content[&self.binding.presence.field] = json!({ "sha256": hash });
        }
    }
}

fn not_found() -> Answer {
    front::error(StatusCode::NOT_FOUND, "M_NOT_FOUND")
}

/// A path variable, decoded once; nothing where it is not text.
fn decoded(variable: &str) -> Option<String> {
    percent_decode_str(variable).decode_utf8().ok().map(|text| text.into_owned())
}
