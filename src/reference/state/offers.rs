//! What the server offers its users (draft S1 to S5).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Session, State, UserKey};
use crate::reference::arithmetic::{self, Set};
use crate::reference::faults::Fault;
use crate::reference::grants::Grant;
use crate::reference::variants::Variant;

impl State {
    /// The set of server capabilities for a new user (draft S2, S5).
    pub(super) fn offer_to(&self, localpart: &str) -> Arc<Set> {
        let mut names: Vec<String> = self.rules.capabilities.clone();
        let granted = self.rules.grants.iter().filter(|grant| self.is_granted(grant, localpart));
        names.extend(granted.map(|grant| grant.capability.clone()));
        if self.has(Fault::GatingPerUser) {
            names.push(format!("m.cap.user.{localpart}.v1"));
        }
        if self.has(Fault::ServerNameFreeForm) {
            names.push("Custom Feature (beta)".to_owned());
        }
        let set = self.arithmetic().of(names.iter().map(String::as_str));
        if self.has(Fault::ServerSetStaleHash) {
            let early = self.arithmetic().of(names.iter().skip(1).map(String::as_str));
            return Arc::new(Set { hash: early.hash.clone(), ..(*set).clone() });
        }
        set
    }

    fn is_granted(&self, grant: &Grant, localpart: &str) -> bool {
        if self.has(Fault::GatingOff) {
            false
        } else if self.has(Fault::GatingEverybody) {
            true
        } else if self.has(Fault::GatingLookAlike) {
            localpart.contains(grant.users.trim_matches('*'))
        } else if self.has(Fault::GatingOneSeat) {
            let taken = self.users.iter().any(|user| user.server_set.members.contains_key(&grant.capability));
            grant.covers(localpart) && !taken
        } else {
            grant.covers(localpart)
        }
    }

    /// What the server offers a user, as it tells one session (draft S2, S3).
    pub(crate) fn server_set(&mut self, now: Duration, session: &Session, user: UserKey) -> Arc<Set> {
        let set = self.offered(user);
        if self.has(Fault::ServerHashMapOrder) {
            return self.disordered(session, &set);
        }
        if self.has(Fault::HashVolatile) {
            return self.renumbered(user, &set);
        }
        let kept = [
            (Fault::GatingCachedFirst, Duration::MAX),
            (Fault::GatingCachedBriefly, Duration::from_millis(200)),
        ];
        match kept.into_iter().find(|(fault, _)| self.has(*fault)) {
            None => set,
            Some((_, kept)) => match &self.shared_offer {
                Some((shared, until)) if *until > now => shared.clone(),
                _ => {
                    self.shared_offer = Some((set.clone(), now.saturating_add(kept)));
                    set
                }
            },
        }
    }

    /// What the server offers a user, whoever asks.
    pub(crate) fn offered(&self, user: UserKey) -> Arc<Set> {
        self.users[user.0].server_set.clone()
    }

    /// The set under a hash that depends on the session: of its members in the order in which the worker
    /// that serves the user's nth session happens to have them.
    fn disordered(&self, session: &Session, set: &Set) -> Arc<Set> {
        let logins = self.users[session.user.0].devices.values().map(|device| device.login);
        let nth = logins.filter(|login| *login < session.login).count();
        let mut members: Vec<String> =
            set.members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let count = members.len();
        if count > 1 {
            members.rotate_left(1 + nth % (count - 1));
        }
        let hash = arithmetic::hash(format!("{{{}}}", members.join(",")).as_bytes());
        Arc::new(Set { hash, ..set.clone() })
    }

    /// The set with a counter among a capability's parameters.
    fn renumbered(&mut self, user: UserKey, set: &Set) -> Arc<Set> {
        let mut members = set.members.clone();
        let counter = json!({ "generation": self.advance() });
        if let (Some(first), Ok(counter)) = (members.values_mut().next(), counter.try_into()) {
            *first = counter;
        }
        let set = self.arithmetic().set(members);
        self.users[user.0].server_set = set.clone();
        set
    }

    /// The set behind a server hash, for a user (draft S4, S5). A hash that belongs to
    /// users with other entitlements is unknown to this one.
    pub(crate) fn server_set_by_hash(
        &self,
        now: Duration,
        session: &Session,
        hash: &str,
    ) -> Option<Arc<Set>> {
        let own = &self.users[session.user.0].server_set;
        let disordered = || self.disordered(session, own).hash == hash;
        if own.hash == hash
            || (self.has(Fault::ServerHashMapOrder) && disordered())
            || self.has(Fault::ServerSetAnyHash)
        {
            return Some(own.clone());
        }
        let is_shared = self.has(Fault::GatingCachedFirst) || self.has(Fault::GatingCachedBriefly);
        let is_served =
            is_shared || self.has(Fault::ServerOtherUserServed) || self.may(Variant::EntitledSetServed);
        let mut offered = self.users.iter().map(|user| &user.server_set).filter(|_| is_served);
        match offered.find(|set| set.hash == hash) {
            Some(set) => Some(set.clone()),
            None => self.may(Variant::ServerServesClients).then(|| self.known_set(now, hash)).flatten(),
        }
    }
}
