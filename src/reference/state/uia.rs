//! User-interactive authentication: what has been proven so far, and for which request.

use std::collections::BTreeMap;
use std::time::Duration;

use super::State;

/// How long a user may take.
const EXPIRES: Duration = Duration::from_secs(600);

/// Authentications under way, by session ID.
#[derive(Debug, Default)]
pub(super) struct Authentications(BTreeMap<String, Pending>);

#[derive(Debug)]
struct Pending {
    /// The request it is for: proof for one request is none for another.
    purpose: String,
    completed: Vec<&'static str>,
    until: Duration,
}

impl State {
    /// Begins an authentication under a fresh session ID.
    pub(crate) fn begin_authentication(&mut self, now: Duration, id: String, purpose: &str) {
        let pending = &mut self.uia.0;
        if pending.len() >= self.rules.limits.authentications {
            pending.retain(|_, pending| pending.until > now);
            let oldest = pending.iter().min_by_key(|(_, pending)| pending.until).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest.filter(|_| pending.len() >= self.rules.limits.authentications) {
                pending.remove(&oldest);
            }
        }
        let new = Pending { purpose: purpose.to_owned(), completed: Vec::new(), until: now + EXPIRES };
        self.uia.0.insert(id, new);
    }

    /// Whether a session ID belongs to an authentication under way for this purpose.
    pub(crate) fn is_authenticating(&self, now: Duration, id: &str, purpose: &str) -> bool {
        self.uia.0.get(id).is_some_and(|pending| pending.purpose == purpose && pending.until > now)
    }

    /// Notes a stage as completed and gives all that are; none where the session is unknown.
    pub(crate) fn complete_stage(&mut self, id: &str, stage: &'static str) -> Vec<&'static str> {
        let Some(pending) = self.uia.0.get_mut(id) else { return Vec::new() };
        if !pending.completed.contains(&stage) {
            pending.completed.push(stage);
        }
        pending.completed.clone()
    }

    /// The stages that an authentication has completed.
    pub(crate) fn completed_stages(&self, id: &str) -> Vec<&'static str> {
        self.uia.0.get(id).map(|pending| pending.completed.clone()).unwrap_or_default()
    }

    /// Ends an authentication: its proof is used up.
    pub(crate) fn end_authentication(&mut self, id: &str) {
        self.uia.0.remove(id);
    }
}
