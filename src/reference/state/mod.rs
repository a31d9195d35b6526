//! The homeserver's state: plain data and pure transitions. No I/O and no clock: every
//! transition that depends on time takes `now`, the time since the server started.

mod accounts;
mod across;
#[cfg(test)]
mod across_tests;
mod events;
mod membership;
mod memory;
mod offers;
mod outgoing;
mod passing;
#[cfg(test)]
mod passing_tests;
mod presence;
mod received;
mod remote;
mod rooms;
mod sessions;
mod sets;
mod sync;
#[cfg(test)]
mod tests;
mod uia;
mod union;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::arithmetic::{Arithmetic, Set};
use super::faults::{Fault, FaultSet};
use super::federation::pdu::Signer;
use super::grants::Grant;
use super::options::{Options, ServerLimits};
use super::variants::{Variant, VariantSet};

pub(crate) use accounts::NewUser;
pub(crate) use across::Visit;
pub(crate) use membership::{Kind, Member};
pub(crate) use outgoing::{MAX_DESTINATIONS, Transaction};
pub(crate) use presence::{Availability, Way};
pub(crate) use rooms::{Moderation, NewRoom};
pub(crate) use sessions::{DeviceInfo, Ending, Login, Session};
pub(crate) use sets::Undeclarable;
pub(crate) use sync::View;

/// A user, by position in the list of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UserKey(usize);

/// What the state needs to know of the options.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) server_name: String,
    pub(crate) capabilities: Vec<String>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) limits: ServerLimits,
    pub(crate) faults: FaultSet,
    pub(crate) variants: VariantSet,
    pub(crate) presence_enabled: bool,
    /// The type of the event that carries the hash.
    pub(crate) presence_event: String,
    /// The field of its content that holds the hash.
    pub(crate) presence_field: String,
    /// The type of the EDU that carries it to other homeservers.
    pub(crate) presence_edu: String,
    /// Milliseconds since the Unix epoch at which the server started.
    pub(crate) epoch_ms: u64,
}

impl Rules {
    /// The rules of a server with this name.
    pub(crate) fn new(options: &Options, server_name: &str, epoch_ms: u64) -> Self {
        Self {
            server_name: server_name.to_owned(),
            capabilities: options.capabilities.clone(),
            grants: options.grants.clone(),
            limits: options.limits.clone(),
            faults: options.faults,
            variants: options.variants,
            presence_enabled: options.presence_enabled,
            presence_event: options.binding.presence.event.clone(),
            presence_field: options.binding.presence.field.clone(),
            presence_edu: options.binding.presence.edu.clone(),
            epoch_ms,
        }
    }
}

/// All that a homeserver remembers.
#[derive(Debug)]
pub(crate) struct State {
    rules: Rules,
    /// Grows with every change that a client can see; `/sync` tokens are positions.
    position: u64,
    users: Vec<accounts::User>,
    by_localpart: HashMap<String, UserKey>,
    tokens: HashMap<String, Session>,
    rooms: HashMap<String, rooms::Room>,
    aliases: BTreeMap<String, String>,
    /// Signs events, where the server federates.
    signer: Option<Signer>,
    guests: remote::Guests,
    outgoing: outgoing::Outgoing,
    received: received::Received,
    early: received::Early,
    sets: sets::Sets,
    uia: uia::Authentications,
    nonces: BTreeMap<String, Duration>,
    touched: BTreeSet<UserKey>,
    pending: passing::Pending,
    /// What some faults remember: hashes that failed once.
    grudges: BTreeSet<(Fault, String)>,
    /// What some faults serve to everybody, and until when.
    shared_offer: Option<(Arc<Set>, Duration)>,
}

impl State {
    /// A homeserver without users.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            position: 0,
            users: Vec::new(),
            by_localpart: HashMap::new(),
            tokens: HashMap::new(),
            rooms: HashMap::new(),
            aliases: BTreeMap::new(),
            signer: None,
            guests: remote::Guests::default(),
            outgoing: outgoing::Outgoing::default(),
            received: received::Received::default(),
            early: received::Early::default(),
            sets: sets::Sets::default(),
            uia: uia::Authentications::default(),
            nonces: BTreeMap::new(),
            touched: BTreeSet::new(),
            pending: passing::Pending::default(),
            grudges: BTreeSet::new(),
            shared_offer: None,
        }
    }

    /// Makes the homeserver one that federates: from now on its rooms' events are signed.
    pub(crate) fn federate(&mut self, signer: Signer) {
        self.signer = Some(signer);
    }

    /// What signs events, where the server federates.
    pub(crate) fn signer(&self) -> Option<Signer> {
        self.signer.clone()
    }

    /// The users who have something new to see, or are gone, since the last call.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<UserKey> {
        std::mem::take(&mut self.touched)
    }

    /// The user's full ID.
    pub(crate) fn user_id(&self, user: UserKey) -> &Arc<str> {
        &self.users[user.0].id
    }

    /// The user with this full ID; IDs of other servers and unknown ones are nobody's.
    pub(crate) fn find_user(&self, user_id: &str) -> Option<UserKey> {
        let (localpart, server) = user_id.strip_prefix('@')?.split_once(':')?;
        (server == self.rules.server_name).then(|| self.by_localpart.get(localpart).copied()).flatten()
    }

    /// The user of the oldest session that lives.
    pub(crate) fn anybody(&self) -> Option<Session> {
        self.tokens.values().min_by_key(|session| session.user).cloned()
    }

    fn has(&self, fault: Fault) -> bool {
        self.rules.faults.has(fault)
    }

    fn may(&self, variant: Variant) -> bool {
        self.rules.variants.has(variant)
    }

    fn arithmetic(&self) -> Arithmetic {
        Arithmetic { faults: self.rules.faults, variants: self.rules.variants }
    }

    fn advance(&mut self) -> u64 {
        self.position += 1;
        self.position
    }
}
