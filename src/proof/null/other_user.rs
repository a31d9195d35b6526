//! A homeserver on which everybody is somebody else.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::{Value, json};

use crate::spec::binding::{Binding, Operation};
use crate::spec::capability::CapabilitySet;

use super::front::{self, Answer, Asked, Behind, Pretender};

/// Logins, rooms and sync are real; behind every operation and every presence there is one other user,
/// whoever asks and whatever stands in the path.
pub(super) fn other_user() -> Arc<dyn Pretender> {
    let set = CapabilitySet::of(["m.cap.directory.v1", "m.cap.turnserver.v1", "m.cap.voip.v1"]);
    Arc::new(OtherUser {
        field: Binding::default().presence.field,
        hash: json!({ "sha256": set.hash().as_str() }),
        set: set.canonical_bytes(),
    })
}

struct OtherUser {
    field: String,
    hash: Value,
    set: Vec<u8>,
}

impl Pretender for OtherUser {
    fn turn(&self, request: Asked, behind: Behind) -> BoxFuture<'_, Option<Answer>> {
        Box::pin(async move {
            if let Some((operation, _)) = front::operation(&request) {
                let refused = behind.who(&request).await?.err();
                return Some(refused.unwrap_or_else(|| self.of_the_other(operation)));
            }
            match (front::asks_for_status(&request), front::syncs(&request)) {
                (true, _) => self.status(behind.ask(request).await?).await,
                (_, true) => self.sync(behind.ask(request).await?).await,
                _ => behind.ask(request).await,
            }
        })
    }
}

impl OtherUser {
    fn of_the_other(&self, operation: Operation) -> Answer {
        match operation {
            Operation::ServerHash | Operation::FedServerHash => front::json(StatusCode::OK, &self.hash),
            Operation::Declare | Operation::Upload => front::json(StatusCode::OK, &json!({})),
            Operation::ServerSet | Operation::Resolve | Operation::FedServerSet | Operation::FedResolve => {
                front::answer(StatusCode::OK, "application/json", self.set.clone())
            }
        }
    }

    /// What was set is shown, so that preflight finds presence at work; the hash is the other user's, also
    /// for those who may not see anything.
    async fn status(&self, answer: Answer) -> Option<Answer> {
        let (answer, mut content) = front::read(answer).await?;
        match answer.status() {
            StatusCode::UNAUTHORIZED => return Some(answer),
            StatusCode::OK => {}
            _ => content = json!({ "presence": "online" }),
        }
        content[&self.field] = self.hash.clone();
        Some(front::json(StatusCode::OK, &content))
    }

    async fn sync(&self, answer: Answer) -> Option<Answer> {
        let (answer, mut body) = front::read(answer).await?;
        let events = body.pointer_mut("/presence/events").and_then(Value::as_array_mut);
        let Some(events) = events.filter(|_| answer.status() == StatusCode::OK) else { return Some(answer) };
        for event in events {
            event["content"][&self.field] = self.hash.clone();
        }
        Some(front::json(StatusCode::OK, &body))
    }
}
