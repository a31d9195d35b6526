//! What acts have in common: the variables of the script, and how a question is asked.

use crate::spec::history::{Seat, words};
use crate::spec::model::{Admits, Demand, Rule};

/// Whether a declare may be accepted and may be refused.
pub(super) fn is_free(demand: &Demand) -> bool {
    let decides = |rule: &Rule| {
        matches!(
            rule.admits,
            Admits::Accepted | Admits::Refused | Admits::Declined | Admits::Rejected | Admits::DeadToken
        )
    };
    !demand.rules.iter().any(decides)
}

/// A question that is asked once, or until it is answered so.
pub(super) fn asked(question: &str, settles: bool) -> String {
    match settles {
        true => format!("settles {question}"),
        false => question.to_owned(),
    }
}

/// The variable that holds the token of a seat.
pub(super) fn variable(seat: Seat) -> String {
    format!("{}_{}", words::user(seat.user), words::device(seat.device))
}

/// The token of a seat, as a word.
pub(super) fn token(seat: Seat) -> String {
    format!("\"${}\"", variable(seat))
}

/// The device ID of a seat. Signing up makes a device of one's own; the others have the same IDs for every
/// user, since a session is known by both (protocol 2).
pub(super) fn device(seat: Seat) -> String {
    match seat.device {
        0 => format!("CAPCHECK-{}", words::user(seat.user)),
        other => format!("CAPCHECK-{}", words::device(other)),
    }
}
