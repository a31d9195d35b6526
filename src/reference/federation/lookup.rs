//! Lookups: sets of other servers' users, asked of their homeservers (draft C9 to C11, F2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Federation;
use super::capabilities::server_of;
use super::flights::Flights;
use super::outbound::{Outgoing, RemoteAnswer, RemoteError};
use crate::reference::arithmetic::{self, Set};
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Reply};
use crate::reference::server::Server;
use crate::reference::state::UserKey;
use crate::reference::variants::Variant;
use crate::spec::binding::{Operation, encode};

/// Lookups under way at once.
const AT_ONCE: usize = 64;

/// Why a lookup brought no set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum LookupError {
    /// There is none: the other homeserver says so, or it is not to be asked.
    #[error("No such set here")]
    NotFound,
    /// The other homeserver could not be asked.
    #[error("The user's homeserver cannot be asked: {0}")]
    Remote(#[from] RemoteError),
    /// It answered something else than a set.
    #[error("The user's homeserver answers {0}")]
    Status(u16),
    /// What it answered is not the set that was asked for.
    #[error("The user's homeserver answers another set than was asked for")]
    Lie,
    /// This server has too many lookups under way.
    #[error("Too many lookups are under way")]
    Busy,
}

/// Lookups under way.
pub(super) struct Lookups {
    /// By user and hash: their homeserver may serve one user's set and not another's.
    flights: Flights<(String, String), Result<Arc<Set>, LookupError>>,
    permits: Semaphore,
    /// Those that failed, and until when that is what is known.
    failures: Mutex<HashMap<(String, String), (Duration, LookupError)>>,
}

impl Lookups {
    /// How a lookup failed, where that is remembered.
    fn failed(&self, now: Duration, key: &(String, String)) -> Option<LookupError> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(key).filter(|(until, _)| *until > now).map(|(_, error)| error.clone())
    }

    /// Remembers for a while how a lookup failed, unless it was not even tried.
    fn remember(&self, now: Duration, key: (String, String), error: &LookupError, remembered: Duration) {
        if !remembered.is_zero() && *error != LookupError::Busy {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.retain(|_, (until, _)| *until > now);
            failures.insert(key, (now + remembered, error.clone()));
        }
    }
}

impl Default for Lookups {
    fn default() -> Self {
        Self { flights: Flights::default(), permits: Semaphore::new(AT_ONCE), failures: Mutex::default() }
    }
}

/// The homeserver of a user who is another one's, where there is federation.
pub(crate) fn home<'a>(server: &'a Server, user_id: &'a str) -> Option<(&'a Federation, &'a str)> {
    let remote = server_of(user_id).filter(|name| *name != server.server_name)?;
    Some((server.federation.as_deref()?, remote))
}

/// Resolves a hash of another server's user for a local one.
///
/// What is known is served. Nobody is asked for users who share no room with whom they ask about: that
/// would tell the other homeserver about them, and them about its user.
pub(crate) async fn resolve(
    server: &Server,
    federation: &Federation,
    remote: &str,
    viewer: UserKey,
    owner: &str,
    hash: &str,
) -> Answer {
    let (is_visible, known) =
        server.with(|state, now| (state.shares_room_with_remote(viewer, owner), state.known(now, hash)));
    if !is_visible && !server.has(Fault::LookupForStrangers) {
        if server.has(Fault::LookupBeforeCheck) {
            drop(federation.find(server, remote, owner, hash).await);
        }
        return failed(server, &LookupError::NotFound).await;
    }
    let asker = format!("{viewer:?} {owner} {hash}");
    let known = known.filter(|_| federation.may_serve(&asker, owner, hash));
    let lookup = async {
        match known {
            Some(set) => Ok(set),
            None => federation.find(server, remote, owner, hash).await,
        }
    };
    let found = tokio::select! {
        found = lookup => found,
        () = server.stopping() => return Err(MatrixError::stopping("Stopping").into()),
    };
    match found {
        Ok(set) => {
            federation.memory.keep(Fault::LookupCachedPerUser, asker);
            federation.memory.keep(Fault::LookupCachedPerOwner, format!("{owner} {hash}"));
            Ok(Reply::bytes(200, set.body.clone()))
        }
        Err(error) => failed(server, &error).await,
    }
}

/// The answer to the client when there is no set for it.
async fn failed(server: &Server, error: &LookupError) -> Answer {
    let message = error.to_string();
    if matches!(error, LookupError::NotFound) {
        return Err(MatrixError::not_found(message).into());
    }
    if server.has(Fault::LookupFailureHangs) {
        server.stopping().await;
    }
    if server.has(Fault::LookupFailureEmpty) {
        return Ok(Reply::empty());
    }
    let is_late = matches!(error, LookupError::Remote(RemoteError::TimedOut) | LookupError::Busy);
    Err(if server.has(Fault::LookupFailurePlainText) {
        Reply::text(502, "502 Bad Gateway")
    } else if server.has(Fault::LookupFailure500) {
        MatrixError::internal("Internal server error").into()
    } else if is_late != server.may(Variant::FedFailures504) {
        MatrixError::gateway_timeout(message).into()
    } else {
        MatrixError::bad_gateway(message).into()
    })
}

impl Federation {
    /// Whether a known set is served without asking: always, but for faults.
    fn may_serve(&self, asker: &str, owner: &str, hash: &str) -> bool {
        let memory = &self.memory;
        let owned = format!("{owner} {hash}");
        !memory.faults.has(Fault::LookupUncached)
            && (!memory.faults.has(Fault::LookupCachedPerUser)
                || memory.holds(Fault::LookupCachedPerUser, asker))
            && (!memory.faults.has(Fault::LookupCachedPerOwner)
                || memory.holds(Fault::LookupCachedPerOwner, owned))
    }

    /// Asks, together with whoever asks the same at this moment.
    async fn find(
        &self,
        server: &Server,
        remote: &str,
        owner: &str,
        hash: &str,
    ) -> Result<Arc<Set>, LookupError> {
        let key = (owner.to_owned(), hash.to_owned());
        let grudge = format!("{owner} {hash}");
        let pinned = [Fault::LookupLieRemembered, Fault::Lookup404Remembered];
        if pinned.into_iter().any(|fault| self.memory.holds(fault, &grudge)) {
            return Err(LookupError::NotFound);
        }
        let is_seen = || server.with(|state, _| state.remote_hash(owner).is_some_and(|seen| seen == hash));
        if server.has(Fault::LookupNever) || (server.has(Fault::LookupSeenOnly) && !is_seen()) {
            return Err(LookupError::NotFound);
        }
        if let Some(error) = server.with(|_, now| self.lookups.failed(now, &key)) {
            return Err(error);
        }
        let asking = self.fetch(server, remote, owner, hash);
        let found = match self.may(Variant::FedLookupsRepeated) {
            true => asking.await,
            false => self.lookups.flights.join(key.clone(), asking).await,
        };
        if let Err(error) = &found {
            let remembered = server.options.limits.failed_lookup_for;
            server.with(|_, now| self.lookups.remember(now, key, error, remembered));
        }
        match &found {
            Err(LookupError::NotFound) => self.memory.keep(Fault::Lookup404Remembered, grudge),
            Err(LookupError::Lie) => self.memory.keep(Fault::LookupLieRemembered, grudge),
            _ => {}
        }
        found
    }

    async fn fetch(
        &self,
        server: &Server,
        remote: &str,
        owner: &str,
        hash: &str,
    ) -> Result<Arc<Set>, LookupError> {
        let permit = tokio::time::timeout(self.outbound.timeout, self.lookups.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Err(LookupError::Busy) };
        let answer = self.question(server, remote, owner, hash).await?;
        match answer.status {
            200 => {}
            404 if !self.may(Variant::Fed404As502) => return Err(LookupError::NotFound),
            status => return Err(LookupError::Status(status)),
        }
        let claimed = |set: Arc<Set>| Arc::new(Set { hash: hash.to_owned(), ..(*set).clone() });
        let set = server.arithmetic.read(&answer.body).map_err(|_| LookupError::Lie)?;
        let is_honest = match server.has(Fault::LookupVerifiesRawBytes) {
            true => arithmetic::hash(&answer.body) == hash,
            false => set.hash == hash,
        };
        let kept = match () {
            () if is_honest => set.clone(),
            () if server.has(Fault::LookupUnverified) || server.has(Fault::LookupKeepsClaim) => claimed(set),
            () => return Err(LookupError::Lie),
        };
        server.with(|state, now| state.keep_fetched(now, kept.clone()));
        match is_honest || server.has(Fault::LookupUnverified) {
            true => Ok(kept),
            false => Err(LookupError::Lie),
        }
    }

    /// Puts the question to the other homeserver.
    async fn question(
        &self,
        server: &Server,
        remote: &str,
        owner: &str,
        hash: &str,
    ) -> Result<RemoteAnswer, RemoteError> {
        let route = server.options.binding.route(Operation::FedResolve);
        let path = match server.has(Fault::LookupRawPath) {
            true => route.path_raw(&[("user_id", encode(owner)), ("hash", hash.to_owned())]),
            false => route.path(&[("user_id", owner), ("hash", hash)]),
        };
        let question = Outgoing { method: &route.method, ..Outgoing::get(remote, &path) };
        if server.has(Fault::LookupUnsigned) {
            self.outbound.send(question).await
        } else if server.has(Fault::LookupShort) {
            let authorization = self.authorization(remote, &route.method, &path, None).ok();
            self.outbound.send(Outgoing { authorization, limit: 64 << 10, ..question }).await
        } else if server.has(Fault::LookupEndless) || server.has(Fault::LookupTrickle) {
            let authorization = self.authorization(remote, &route.method, &path, None).ok();
            let piecemeal = server.has(Fault::LookupTrickle);
            let limit = if piecemeal { question.limit } else { usize::MAX };
            let patient = Outgoing { authorization, limit, piecemeal, ..question };
            self.outbound.send_patiently(patient).await
        } else {
            self.ask(remote, &route.method, &path, None).await
        }
    }
}
