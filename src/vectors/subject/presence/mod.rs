//! Histories of logins, declares and logouts, and what presence carries after each step.

mod mistake;
mod server;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Solution, Topic};
use crate::spec::capability::{CapabilitySet, SetError};
use mistake::Mistake;
use server::{Server, Status};

/// What presence carries.
pub(super) struct Presence;

/// A history: it begins with a server that has no sessions and knows no set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    /// The steps, one after another; each has come to its end before the next begins.
    steps: Vec<Step>,
}

/// A request. Unless it is a login, one with the token of a session that is no more is refused and changes nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
enum Step {
    /// The user logs in on a device, new or not.
    Login {
        /// Whose status is looked at afterwards.
        user: String,
        /// The device's ID.
        device: String,
    },
    /// The session uploads a set under its right hash.
    Upload {
        /// Whose status is looked at afterwards.
        user: String,
        /// The device's ID.
        device: String,
        /// The body: JSON text, in any spelling.
        set: String,
    },
    /// The session declares the hash of a set. It is refused if nobody uploaded the set before.
    Declare {
        /// Whose status is looked at afterwards.
        user: String,
        /// The device's ID.
        device: String,
        /// A set that has this hash: JSON text, in any spelling.
        set: String,
    },
    /// The session logs out.
    Logout {
        /// Whose status is looked at afterwards.
        user: String,
        /// The device's ID.
        device: String,
    },
    /// The session logs the user out everywhere.
    LogoutAll {
        /// Whose status is looked at afterwards.
        user: String,
        /// The device's ID.
        device: String,
    },
    /// The session deletes a device of the user.
    DeleteDevice {
        /// Whose status is looked at afterwards.
        user: String,
        /// The ID of the session's device.
        device: String,
        /// The ID of the device that is deleted.
        deleted: String,
    },
    /// Nothing: the status is looked at.
    Status {
        /// Whose.
        user: String,
    },
}

/// What presence carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Statuses {
    /// For each step the hash in the status of the step's user afterwards, or null where there is none.
    statuses: Vec<Option<String>>,
}

impl Topic for Presence {
    type Input = History;
    type Expected = Statuses;
    const NAME: &'static str = "presence";
    const PREFIX: &'static str = "presence.";
    const ANSWER: Option<&'static str> = Some("statuses");

    fn solve(&self, input: &History) -> Solution<Statuses> {
        match follow(input, None) {
            Ok(statuses) => {
                let expected = Statuses { statuses: hashes(&statuses, &[]) };
                Solution::valid(Some(expected)).or(alternatives(&statuses))
            }
            Err(_) => Solution::invalid("not-a-set"),
        }
    }

    fn mistakes(&self) -> Vec<&'static str> {
        Mistake::ALL.iter().map(|(name, _)| *name).collect()
    }

    fn mistaken(&self, mistake: &str, input: &History) -> Option<Answer> {
        let statuses = follow(input, Some(Mistake::find(mistake)?)).ok()?;
        Some(Answer::Taken(hashes(&statuses, &[]).into()))
    }
}

/// The status of each step's user after it.
fn follow(history: &History, made: Option<Mistake>) -> Result<Vec<Status>, SetError> {
    let mut server = Server::new(made);
    history.steps.iter().map(|step| server.take(step)).collect()
}

/// The hashes in presence; the hash of the empty set where nothing is declared and one of these reasons holds.
fn hashes(statuses: &[Status], empty: &[server::Nothing]) -> Vec<Option<String>> {
    let hash = |status: &Status| match status {
        Status::Hash(hash) => Some(hash.to_string()),
        Status::Nothing(why) => empty.contains(why).then(|| CapabilitySet::default().hash().to_string()),
    };
    statuses.iter().map(hash).collect()
}

/// The other right answers: where nothing is declared, none or the hash of the empty set is free, chosen alike
/// wherever the reason is the same. Counted in binary, the first reason of the history being the lowest digit.
fn alternatives(statuses: &[Status]) -> Vec<Value> {
    let mut reasons = Vec::new();
    for status in statuses {
        match status {
            Status::Nothing(why) if !reasons.contains(why) => reasons.push(*why),
            _ => {}
        }
    }
    let chosen = |choice: u32| {
        let bit = |(bit, why): (u32, &server::Nothing)| (choice >> bit & 1 == 1).then_some(*why);
        (0..).zip(&reasons).filter_map(bit).collect::<Vec<_>>()
    };
    (1..1u32 << reasons.len()).map(|choice| hashes(statuses, &chosen(choice)).into()).collect()
}
