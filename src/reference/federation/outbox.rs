//! What other homeservers are told: one transaction at a time for each, again and again until it is
//! taken or they have failed too often.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Federation;
use crate::reference::server::Server;
use crate::reference::state::{MAX_DESTINATIONS, Transaction};
use crate::reference::variants::Variant;
use crate::spec::binding::encode;

/// Homeservers that are told at the same time: as many as anything can wait for, so that those that
/// cannot be reached hold nobody up.
const AT_ONCE: usize = MAX_DESTINATIONS;
/// How long to wait before a transaction that was not taken is sent again; after the last, all that
/// waits for the homeserver is given up.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// How long other homeservers wait for news, under a freedom.
const LATE: Duration = Duration::from_millis(150);

/// Tells other homeservers what is new for them, until this one stops.
pub(crate) async fn deliver(server: Arc<Server>) {
    let mut sending = JoinSet::new();
    loop {
        let free = AT_ONCE - sending.len();
        if free > 0 {
            for destination in server.with(|state, _| state.take_destinations(free)) {
                sending.spawn(tell(server.clone(), destination));
            }
        }
        tokio::select! {
            () = server.mail(), if sending.len() < AT_ONCE => {}
            Some(_) = sending.join_next() => {}
            () = server.stopping() => return,
        }
    }
}

/// Tells one homeserver all that waits for it, in order.
async fn tell(server: Arc<Server>, destination: String) {
    let Some(federation) = &server.federation else { return };
    if server.may(Variant::FedPresenceLate) {
        tokio::time::sleep(LATE).await;
    }
    while let Some(transaction) = server.with(|state, now| state.next_transaction(now, &destination)) {
        if !is_taken(federation, &destination, &transaction).await {
            return server.with(|state, _| state.give_up(&destination));
        }
        if server.may(Variant::FedTransactionsTwice) {
            is_taken(federation, &destination, &transaction).await;
        }
    }
}

/// Sends one transaction until it is taken: whether it was.
async fn is_taken(federation: &Federation, destination: &str, transaction: &Transaction) -> bool {
    let path = format!("/_matrix/federation/v1/send/{}", encode(&transaction.id));
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        let answer = federation.ask(destination, "PUT", &path, Some(&transaction.body)).await;
        if answer.is_ok_and(|answer| (200..300).contains(&answer.status)) {
            return true;
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    false
}
