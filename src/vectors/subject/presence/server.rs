//! A server in as little as presence needs of it: sessions, known sets, and what is declared.

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use super::mistake::Mistake;
use crate::spec::canonical::{self, Json};
use crate::spec::capability::{CapabilitySet, SetError};
use crate::spec::hash::CapabilityHash;

/// What a status carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// A hash.
    Hash(CapabilityHash),
    /// No session of the user has declared anything: none, or the hash of the empty set.
    Nothing(Nothing),
}

/// Why no session of a user has declared anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nothing {
    /// Whether the user has sessions.
    sessions: bool,
    /// Whether one had declared something before.
    before: bool,
}

/// A user and a device ID.
type Key = (String, String);

/// What a session has declared.
#[derive(Clone, Debug)]
struct Declared {
    user: String,
    set: CapabilitySet,
    /// When, as the number of the declare.
    turn: usize,
}

/// The server, right or with one mistake.
pub(super) struct Server {
    made: Option<Mistake>,
    /// Sessions whose token is alive.
    sessions: BTreeSet<Key>,
    /// Each known set, and who uploaded it.
    known: Vec<(CapabilitySet, Key)>,
    declared: BTreeMap<Key, Declared>,
    /// How many declares were accepted.
    turns: usize,
    /// Users of whom a session has declared something, ever.
    before: BTreeSet<String>,
    /// Declares that wait for their set; of [`Mistake::RefusedDeclareWaits`] alone.
    waiting: Vec<(CapabilitySet, Key)>,
    /// The names that the user has by adding and subtracting; of [`Mistake::NamesSubtracted`] alone.
    added_up: BTreeMap<String, CapabilitySet>,
    /// The hash before, by user; of the mistakes that do not let go of it.
    shown: BTreeMap<String, CapabilityHash>,
}

impl Server {
    pub(super) fn new(made: Option<Mistake>) -> Self {
        Self {
            made,
            sessions: BTreeSet::new(),
            known: Vec::new(),
            declared: BTreeMap::new(),
            turns: 0,
            before: BTreeSet::new(),
            waiting: Vec::new(),
            added_up: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.made == Some(mistake)
    }

    /// Takes a step, and says what the status of its user carries then.
    pub(super) fn take(&mut self, step: &Step) -> Result<Status, SetError> {
        let turns = self.turns;
        let user = match step {
            Step::Login { user, device } => {
                self.login(&self.session(user, device));
                user
            }
            Step::Upload { user, device, set } => {
                let set = CapabilitySet::parse(set.as_bytes())?;
                self.upload(&self.session(user, device), &set);
                user
            }
            Step::Declare { user, device, set } => {
                let set = CapabilitySet::parse(set.as_bytes())?;
                self.declare(&self.session(user, device), set);
                user
            }
            Step::Logout { user, device } => {
                self.logout(&self.session(user, device));
                user
            }
            Step::LogoutAll { user, device } => {
                self.logout_all(&self.session(user, device));
                user
            }
            Step::DeleteDevice { user, device, deleted } => {
                self.delete_device(&self.session(user, device), &self.session(user, deleted));
                user
            }
            Step::Status { user } => user,
        };
        Ok(self.status(user, self.turns != turns))
    }

    fn session(&self, user: &str, device: &str) -> Key {
        let device = if self.makes(Mistake::DeviceIdsFolded) {
            device.to_ascii_lowercase()
        } else {
            device.to_owned()
        };
        (user.to_owned(), device)
    }

    /// Under what the declared set of a session is kept.
    fn key(&self, session: &Key) -> Key {
        let user = if self.makes(Mistake::DeviceIdsShared) { String::new() } else { session.0.clone() };
        (user, session.1.clone())
    }

    fn login(&mut self, session: &Key) {
        self.sessions.insert(session.clone());
        if self.makes(Mistake::LoginDropsAll) {
            self.withdraw_all(&session.0);
        } else if !self.makes(Mistake::ReloginKeepsSet) {
            self.withdraw(session);
        }
    }

    fn upload(&mut self, session: &Key, set: &CapabilitySet) {
        if !self.sessions.contains(session) {
            return;
        }
        self.known.push((set.clone(), session.clone()));
        if self.makes(Mistake::UploadDeclares) {
            self.accept(session, set.clone());
        }
        let arrived = |(waiting, _): &mut (CapabilitySet, Key)| waiting == set;
        for (set, session) in self.waiting.extract_if(.., arrived).collect::<Vec<_>>() {
            if self.sessions.contains(&session) {
                self.accept(&session, set);
            }
        }
    }

    fn declare(&mut self, session: &Key, set: CapabilitySet) {
        if !self.sessions.contains(session) && !self.makes(Mistake::DeadSessionDeclares) {
            return;
        }
        if self.knows(&set, session) || self.makes(Mistake::RefusedDeclareCounts) {
            if self.makes(Mistake::KnownOnce) {
                self.known.retain(|(known, _)| *known != set);
            }
            self.accept(session, set);
        } else if self.makes(Mistake::RefusedDeclareClears) {
            self.withdraw(session);
        } else if self.makes(Mistake::RefusedDeclareWaits) {
            self.waiting.push((set, session.clone()));
        }
    }

    fn knows(&self, set: &CapabilitySet, session: &Key) -> bool {
        let told = |by: &Key| match self.made {
            Some(Mistake::KnownPerUser) => by.0 == session.0,
            Some(Mistake::KnownPerSession) => by == session,
            Some(Mistake::EmptySetRefused) => !set.is_empty(),
            _ => true,
        };
        self.known.iter().any(|(known, by)| known == set && told(by))
    }

    /// The set takes the place of what the session declared before.
    fn accept(&mut self, session: &Key, mut set: CapabilitySet) {
        self.turns += 1;
        let before = self.declared.get(&self.key(session)).map(|declared| declared.set.clone());
        match (self.made, before) {
            (Some(Mistake::RedeclareAdds), Some(before)) => set = CapabilitySet::union([&before, &set]),
            (Some(Mistake::FirstDeclareStands), Some(_)) => return,
            (Some(Mistake::EmptySetIgnored), Some(_)) if set.is_empty() => return,
            (Some(Mistake::EmptySetClears), _) if set.is_empty() => self.withdraw_all(&session.0),
            _ => {}
        }
        if self.declared.get(&self.key(session)).is_none_or(|declared| declared.set != set) {
            self.withdraw(session);
        }
        let added = self.added_up.entry(session.0.clone()).or_default();
        *added = CapabilitySet::union([&*added, &set]);
        self.before.insert(session.0.clone());
        let declared = Declared { user: session.0.clone(), set, turn: self.turns };
        self.declared.insert(self.key(session), declared);
    }

    fn logout(&mut self, session: &Key) {
        if self.end(session, Mistake::LogoutKeeps) && self.makes(Mistake::LogoutDropsAll) {
            self.withdraw_all(&session.0);
        }
    }

    fn logout_all(&mut self, asker: &Key) {
        if !self.sessions.contains(asker) {
            return;
        }
        let ends = |session: &Key| match self.made {
            _ if session.0 != asker.0 => false,
            Some(Mistake::LogoutAllEndsAsker) => session == asker,
            Some(Mistake::LogoutAllSparesAsker) => session != asker,
            _ => true,
        };
        let ending: Vec<Key> = self.sessions.iter().filter(|session| ends(session)).cloned().collect();
        for session in ending {
            self.end(&session, Mistake::LogoutAllKeeps);
        }
    }

    fn delete_device(&mut self, asker: &Key, deleted: &Key) {
        if !self.sessions.contains(asker) {
            return;
        }
        let ends = |session: &Key| match self.made {
            Some(Mistake::DeletionEndsAsker) => session == asker,
            Some(Mistake::DeletionByIdAlone) => session.1 == deleted.1,
            _ => session == deleted,
        };
        let ending: Vec<Key> = self.sessions.iter().filter(|session| ends(session)).cloned().collect();
        for session in ending {
            self.end(&session, Mistake::DeletionKeeps);
        }
    }

    /// Ends a session, if it is one; what it declared goes with it, save by a mistake of this route.
    fn end(&mut self, session: &Key, keeps: Mistake) -> bool {
        let ended = self.sessions.remove(session);
        if ended && self.makes(Mistake::ForgottenWithSession) {
            self.known.retain(|(_, by)| by != session);
        }
        if ended && !self.makes(keeps) {
            self.withdraw(session);
        }
        ended
    }

    /// What the session declared counts no longer.
    fn withdraw(&mut self, session: &Key) {
        let Some(Declared { user, set, .. }) = self.declared.remove(&self.key(session)) else { return };
        if self.makes(Mistake::SameSetLeavesTogether) {
            self.declared.retain(|_, other| other.user != user || other.set != set);
        }
        let added = self.added_up.entry(user).or_default();
        let kept = added.names().filter(|name| !set.contains(name));
        *added = kept.filter_map(|name| Some((name.to_owned(), added.get(name)?.clone()))).collect();
    }

    fn withdraw_all(&mut self, user: &str) {
        self.declared.retain(|_, declared| declared.user != user);
    }

    fn status(&mut self, user: &str, declared: bool) -> Status {
        let now = self.hash(user);
        let shown = self.shown.get(user).cloned();
        let hash = match (self.made, now) {
            (Some(Mistake::LastHashStays), None) => shown,
            (Some(Mistake::DeclareAloneRecomputes), _) if !declared => shown,
            (_, now) => now,
        };
        if let Some(hash) = hash {
            self.shown.insert(user.to_owned(), hash.clone());
            return Status::Hash(hash);
        }
        let sessions = self.sessions.iter().any(|session| session.0 == user);
        Status::Nothing(Nothing { sessions, before: self.before.contains(user) })
    }

    /// The hash of the union of what the user's sessions have declared; none if they have declared nothing.
    fn hash(&self, user: &str) -> Option<CapabilityHash> {
        let counts = |declared: &&Declared| declared.user == user || self.makes(Mistake::UsersMixed);
        let mut declared: Vec<&Declared> = self.declared.values().filter(counts).collect();
        declared.sort_by_key(|declared| declared.turn);
        let sets: Vec<&CapabilitySet> = declared.iter().map(|declared| &declared.set).collect();
        let (first, last) = (*sets.first()?, *sets.last()?);
        let union = CapabilitySet::union(sets.iter().copied());
        let bytes = match self.made {
            Some(Mistake::EmptyUnionNull) if union.is_empty() => return None,
            Some(Mistake::FirstDeclaredOnly) => first.canonical_bytes(),
            Some(Mistake::LastDeclaredOnly) => last.canonical_bytes(),
            Some(Mistake::TenSessions) => {
                CapabilitySet::union(sets.iter().copied().take(10)).canonical_bytes()
            }
            Some(Mistake::Intersection) => intersection(&union, &sets).canonical_bytes(),
            Some(Mistake::ByNameOnly) => CapabilitySet::of(union.names()).canonical_bytes(),
            Some(Mistake::NamesSubtracted) => self.added_up.get(user)?.canonical_bytes(),
            Some(Mistake::Concatenated) => sets.iter().flat_map(|set| set.canonical_bytes()).collect(),
            Some(Mistake::HashesHashed) => list_of_hashes(&sets).unwrap_or_else(|| union.canonical_bytes()),
            Some(Mistake::UnionUnsorted) => unsorted(&sets),
            _ => union.canonical_bytes(),
        };
        Some(CapabilityHash::of(&bytes))
    }
}

/// The members of the union whose names every set has.
fn intersection(union: &CapabilitySet, sets: &[&CapabilitySet]) -> CapabilitySet {
    let common = union.names().filter(|name| sets.iter().all(|set| set.contains(name)));
    common.filter_map(|name| Some((name.to_owned(), union.get(name)?.clone()))).collect()
}

/// The sets' hashes as a JSON list, sorted and each there once; none where there is but one.
fn list_of_hashes(sets: &[&CapabilitySet]) -> Option<Vec<u8>> {
    let hashes: BTreeSet<String> = sets.iter().map(|set| set.hash().to_string()).collect();
    let list = hashes.into_iter().map(Json::String).collect::<Vec<_>>();
    (list.len() > 1).then(|| canonical::to_bytes(&Json::Array(list)))
}

/// The union with its names in the order in which the sets brought them.
fn unsorted(sets: &[&CapabilitySet]) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    let mut members = Vec::new();
    for (set, name) in sets.iter().flat_map(|set| set.names().map(move |name| (set, name))) {
        if seen.insert(name) {
            let name_bytes = canonical::to_bytes(&Json::String(name.to_owned()));
            let parameters = set.get(name).cloned().unwrap_or_default();
            members.push([name_bytes, canonical::to_bytes(&Json::Object(parameters))].join(&b':'));
        }
    }
    [b"{".to_vec(), members.join(&b','), b"}".to_vec()].concat()
}
