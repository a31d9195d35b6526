//! The draft as a program: users, sessions, known sets, unions, who sees what.
//!
//! The model is the oracle of the generated [histories](super::history), and may be read as the
//! specification: small, pure, and without time. For each act it says what may be answered
//! ([`Model::demand`]), and then follows what was answered ([`Model::follow`]): where the protocol leaves a
//! choice, the homeserver has made it.
//!
//! - What there is, and the union, is [here](self); when an act [can](Model::can) be done, what may be
//!   [answered](Model::demand) to it and what [comes](Model::follow) of it have a file each.
//! - What comes of acts that overlap is in [`order`].
//! - What a wrong hash says about the mistake is in [`diagnosis`].
//! - What was in force when, for reads that may be late, is in [`timeline`].

mod answer;
mod can;
mod demand;
pub mod diagnosis;
mod follow;
pub mod order;
pub mod timeline;
mod trail;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use answer::{Admits, Answer, Demand, Presence, Rule};
use trail::Trail;

use super::capability::CapabilitySet;
use super::hash::CapabilityHash;
use super::history::{Act, DEVICES, REMOTES, Seat, USERS, Which, Whom};

/// A homeserver as the draft has it, in between two acts.
///
/// Two of them are equal if whatever is done next may be answered alike: how they came to be does not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// The sets of the history. Acts name them by their place here.
    sets: Arc<[Known]>,
    users: Vec<User>,
    remotes: Vec<Remote>,
    /// Who shares a room with whom, both ways round. Rooms are made for two, so that is all of a room.
    sharing: BTreeSet<(Whom, Whom)>,
    /// Who ever did, and may have been shown something.
    met: BTreeSet<(Whom, Whom)>,
    /// Who parted, and has not had to be told anything since: they may still hold what they were shown then.
    estranged: BTreeSet<(Whom, Whom)>,
    /// What was uploaded, by which session (draft C7).
    uploads: BTreeSet<Upload>,
    /// Sets that the homeserver may know though nobody uploaded them: unions that it made, `{}`, what other
    /// homeservers announced, bodies of uploads that claimed another hash (protocol 8.1).
    loose: BTreeSet<usize>,
    /// Sets under whose hash another was uploaded.
    claimed: BTreeSet<usize>,
    /// Sets that were looked up, or whose upload was spoiled, before they were known.
    missed: BTreeSet<usize>,
    /// How it came to be, which the diagnosis makes use of.
    trail: Trail,
}

/// A set with its hash, by which it is compared.
#[derive(Clone, Debug)]
struct Known(Arc<(CapabilitySet, CapabilityHash)>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct User {
    signed_up: bool,
    devices: [Device; DEVICES],
    /// The union of what the sessions have declared, if any has (draft C3).
    in_force: Option<Known>,
    /// What was in force before the last change.
    superseded: Option<Known>,
}

/// A device, and the session of its last login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Device {
    /// How often it was logged in on.
    logins: u32,
    session: Session,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Session {
    #[default]
    Never,
    /// It lives, and has declared this set last, if any (draft C2).
    Live(Option<usize>),
    /// It was logged out, or its device was deleted.
    Ended,
}

/// A user of another homeserver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Remote {
    announced: Option<usize>,
    superseded: Option<usize>,
    /// Whether the homeserver may have forgotten what was announced: nobody shared a room since.
    doubtful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Upload {
    set: usize,
    by: Seat,
    /// The login whose session it was.
    login: u32,
}

impl Known {
    fn new(set: CapabilitySet) -> Self {
        let hash = set.hash();
        Self(Arc::new((set, hash)))
    }

    fn set(&self) -> &CapabilitySet {
        &self.0.0
    }

    fn hash(&self) -> &CapabilityHash {
        &self.0.1
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash()
    }
}

impl Eq for Known {}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.1.hash(state);
    }
}

impl Model {
    /// A homeserver that knows none of the users; these are the sets of the history, dressed.
    pub fn new(sets: Vec<CapabilitySet>) -> Self {
        let loose = (0..sets.len()).filter(|set| sets[*set].is_empty()).collect();
        Self {
            sets: sets.into_iter().map(Known::new).collect(),
            users: vec![User::default(); USERS],
            remotes: vec![Remote::default(); REMOTES],
            sharing: BTreeSet::new(),
            met: BTreeSet::new(),
            estranged: BTreeSet::new(),
            uploads: BTreeSet::new(),
            loose,
            claimed: BTreeSet::new(),
            missed: BTreeSet::new(),
            trail: Trail::default(),
        }
    }

    /// What presence carries of a user: the hash of the union of all that the user's connected sessions
    /// declared (draft C3, C4). `{}` adds nothing to it and is not nothing (protocol 9.2).
    pub fn in_force(&self, user: usize) -> Presence {
        self.users.get(user).map_or(Presence::Nothing, |user| presence(user.in_force.as_ref()))
    }

    /// The same of anybody: of a user of another homeserver, what that announced last (draft F2).
    pub fn carried(&self, of: Whom) -> Presence {
        match of {
            Whom::User(user) => self.in_force(user),
            Whom::Remote(remote) => {
                presence(self.remotes.get(remote).and_then(|remote| self.known(remote.announced?)))
            }
        }
    }

    /// What else may be seen of a user until the last act has settled: who logs out everywhere may log out
    /// one session after the other.
    pub fn recently(&self, user: usize) -> Vec<Presence> {
        let leaving = self.trail.leaving(user);
        let some = |mask: usize| (0..leaving.len()).filter(move |nth| mask >> nth & 1 == 1);
        (1..1usize << leaving.len())
            .map(|mask| presence(self.union(some(mask).map(|nth| leaving[nth])).as_ref()))
            .collect()
    }

    /// The hash that is asked for; none where there is nothing to ask for.
    pub fn hash_asked(&self, of: Whom, what: Which) -> Option<CapabilityHash> {
        match what {
            Which::InForce => Some(match self.carried(of) {
                Presence::Nothing => CapabilitySet::default().hash(),
                Presence::Union(hash) => hash,
            }),
            Which::Superseded => self.superseded(of).map(|known| known.hash().clone()),
            Which::Set(set) => self.known(set).map(|known| known.hash().clone()),
            Which::Unknown => None,
        }
    }

    /// Whether a user may see another one: the same, or both joined in one room (draft C5, protocol 10.2).
    pub fn sees(&self, viewer: Whom, of: Whom) -> bool {
        viewer == of || self.sharing.contains(&(viewer, of))
    }

    fn known(&self, set: usize) -> Option<&Known> {
        self.sets.get(set)
    }

    fn superseded(&self, of: Whom) -> Option<&Known> {
        match of {
            Whom::User(user) => self.users.get(user)?.superseded.as_ref(),
            Whom::Remote(remote) => self.known(self.remotes.get(remote)?.superseded?),
        }
    }

    fn device(&self, seat: Seat) -> Option<&Device> {
        self.users.get(seat.user)?.devices.get(seat.device)
    }

    fn is_live(&self, seat: Seat) -> bool {
        self.device(seat).is_some_and(|device| matches!(device.session, Session::Live(_)))
    }

    /// What a user's sessions have declared, by device (protocol 9.1: whoever has not is not connected).
    fn declared(&self, user: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let devices = self.users.get(user).map_or(&[][..], |user| &user.devices);
        devices.iter().enumerate().filter_map(|(device, login)| match login.session {
            Session::Live(declared) => Some((device, declared?)),
            Session::Never | Session::Ended => None,
        })
    }

    /// The union of some sets of the history, if there are any (draft C3).
    fn union(&self, sets: impl IntoIterator<Item = usize>) -> Option<Known> {
        let sets: Vec<&Known> = sets.into_iter().filter_map(|set| self.known(set)).collect();
        match sets.as_slice() {
            [] => None,
            [one] => Some((*one).clone()),
            several => Some(Known::new(CapabilitySet::union(several.iter().map(|known| known.set())))),
        }
    }

    /// The place of a set among those of the history: the first of those that are equal.
    fn place(&self, set: usize) -> usize {
        let known = self.known(set);
        self.sets.iter().position(|other| Some(other) == known).unwrap_or(set)
    }
}

fn presence(known: Option<&Known>) -> Presence {
    known.map_or(Presence::Nothing, |known| Presence::Union(known.hash().clone()))
}

/// The session that does an act, if a session of the homeserver under test does that lives.
fn actor(act: &Act) -> Option<Seat> {
    act.by().filter(|_| !matches!(act, Act::UseDeadToken { .. }))
}

#[cfg(test)]
mod tests;
