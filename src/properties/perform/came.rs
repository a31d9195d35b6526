//! What came of an act: the answer as the model knows answers, and the exchange that shows it.

use std::sync::Arc;

use crate::actors::{Field, Reply, Session};
use crate::spec::hash::CapabilityHash;
use crate::spec::model::Answer;
use crate::wire::Exchange;

/// What came of an act.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) answer: Answer,
    /// The exchange that shows it, where one does.
    pub(super) exchange: Option<Arc<Exchange>>,
    /// Whether the answer is about the set behind a hash, and the hash itself was answered well.
    pub(super) is_behind: bool,
}

impl Came {
    fn of(answer: Answer, exchange: &Arc<Exchange>) -> Self {
        Self { answer, exchange: Some(exchange.clone()), is_behind: false }
    }

    /// An answer that no exchange shows.
    pub(super) fn bare(answer: Answer) -> Self {
        Self { answer, exchange: None, is_behind: false }
    }

    /// The answer of a dead token.
    pub(super) fn dead(exchange: &Arc<Exchange>) -> Self {
        Self::of(Answer::DeadToken, exchange)
    }

    /// What came of a request that asks for nothing but to be done.
    pub(super) fn done(reply: &Reply) -> Self {
        match reply.accepted() {
            true => Self::of(Answer::Accepted, reply.exchange()),
            false => Self::failed(reply),
        }
    }

    /// What came of a declare; `unusable` is the error code of one without a usable hash.
    pub(super) fn declared(reply: &Reply, unusable: Option<&str>) -> Self {
        match !reply.accepted() && reply.is_refusal(unusable).holds {
            true => Self::of(Answer::Refused, reply.exchange()),
            false => Self::done(reply),
        }
    }

    /// What a presence status carries.
    pub(super) fn status(reader: &Session, status: &Reply) -> Self {
        match (status.accepted(), status.exchange().status()) {
            (true, _) => Self::of(carried(&reader.carried_by(status)), status.exchange()),
            (false, Some(403 | 404)) if !status.unsupported() => Self::of(Answer::Unseen, status.exchange()),
            _ => Self::failed(status),
        }
    }

    /// What somebody was last shown or told of a user, if anything.
    pub(super) fn shown(last: Option<(&Field, &Arc<Exchange>)>) -> Self {
        match last {
            Some((field, exchange)) => Self::of(carried(field), exchange),
            None => Self::bare(Answer::Unseen),
        }
    }

    /// What came of a question for a set.
    pub(super) fn served(reply: &Reply) -> Self {
        match (reply.exchange().status(), reply.set()) {
            (Some(200), Some(set)) => Self::of(Answer::Set(set.hash().to_string()), reply.exchange()),
            _ => Self::failed(reply),
        }
    }

    /// The same for one that went on to another homeserver, of whose failure 502 and 504 tell (protocol 13.5).
    pub(super) fn looked_up(reply: &Reply) -> Self {
        match (reply.exchange().status(), reply.errcode()) {
            (Some(status @ (502 | 504)), Some(code)) => {
                Self::of(Answer::Rejected(status, Some(code)), reply.exchange())
            }
            _ => Self::served(reply),
        }
    }

    /// What came of a question for a hash.
    pub(super) fn offered(reply: &Reply) -> Self {
        match reply.sha256() {
            Some(hash) => Self::of(Answer::Hash(hash), reply.exchange()),
            None => Self::failed(reply),
        }
    }

    /// The same, if what was served behind the hash is what hashes to it.
    pub(super) fn behind(self, hash: &CapabilityHash, served: &Reply) -> Self {
        match Self::served(served) {
            Self { answer: Answer::Set(set), .. } if set == hash.as_str() => self,
            other => Self { is_behind: true, ..other },
        }
    }

    /// What came of a request that was not answered as it asks.
    pub(super) fn failed(reply: &Reply) -> Self {
        let exchange = reply.exchange();
        let said = || exchange.describe();
        let answer = match exchange.status() {
            _ if exchange.is_breakdown() => Answer::Broken(said()),
            Some(401) if reply.errcode().as_deref() == Some("M_UNKNOWN_TOKEN") => Answer::DeadToken,
            Some(status @ 400..500) => Answer::Rejected(status, reply.errcode()),
            _ => Answer::Odd(said()),
        };
        Self::of(answer, exchange)
    }
}

/// A presence field as an answer.
fn carried(field: &Field) -> Answer {
    match field {
        Field::Absent => Answer::NoHash,
        Field::Hash(hash) => Answer::Hash(hash.clone()),
        Field::Malformed(value) => Answer::Odd(value.clone()),
    }
}
