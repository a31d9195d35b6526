//! Histories: what users, their sessions and other homeservers do, one after the other or at once.
//!
//! A history is data. It holds no name that a homeserver ever sees: whoever performs it gives its users
//! fresh names and its sets a nonce, so that it can be performed any number of times on one homeserver.
//! What may be answered to it the [model](super::model) says.

pub mod draw;
mod parts;
mod spoil;
pub mod tree;
pub(crate) mod walk;
pub mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::capability::CapabilitySet;

/// The most users of the homeserver under test.
pub const USERS: usize = 4;

/// The most devices of a user.
pub const DEVICES: usize = 5;

/// The most users of other homeservers, each of a homeserver of its own.
pub const REMOTES: usize = 2;

/// What happens, from a homeserver that knows none of the users and none of the sets on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The sets that occur, as Canonical JSON; their names are to be prefixed with a nonce. Where two of them
    /// have the same name they have the same parameters.
    #[serde(with = "as_text")]
    #[schemars(with = "Vec<String>")]
    pub sets: Vec<CapabilitySet>,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An act that is over before the next step begins.
    One(Act),
    /// Acts at once: each lane is a sequence, and the lanes run side by side. The next step begins when all
    /// of them are over and their effects have settled.
    AtOnce(Vec<Vec<Act>>),
}

/// A session, by the user and the device that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// The user, below [`USERS`].
    pub user: usize,
    /// The device, below [`DEVICES`]; 0 is the one that signing up makes.
    pub device: usize,
}

/// Whose presence or set is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// A user of the homeserver under test, below [`USERS`].
    User(usize),
    /// A user of another homeserver, below [`REMOTES`].
    Remote(usize),
}

/// Which hash is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The union hash in force; where there is none, that of `{}`.
    InForce,
    /// The one before the last change; where there was none, nothing is asked.
    Superseded,
    /// That of a set of the history.
    Set(usize),
    /// One that nobody has.
    Unknown,
}

/// How the bytes of a good upload are spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spoil {
    /// Nothing is left.
    Empty,
    /// The last so many bytes are missing, of all but one at most.
    CutOff(usize),
    /// A byte more at the end: `}`.
    Brace,
    /// The same value twice.
    Twice,
    /// UTF-16 in little-endian order.
    Utf16,
    /// A byte that is no UTF-8, in the first name.
    BadUtf8,
    /// The set in an array.
    InArray,
    /// `null` instead of the set.
    Null,
    /// A name more whose value holds a fraction.
    Fraction,
    /// A name more whose value holds a lone surrogate.
    LoneSurrogate,
    /// A name more whose value holds `NaN`.
    NotANumber,
    /// A comma before the last brace.
    TrailingComma,
    /// The quotes of the first name missing.
    BareKey,
    /// A raw line feed within the name at this place, counted round.
    LineFeed(usize),
    /// A byte replaced, left out, added, or swapped with its neighbour: the mutation with this number, or the next
    /// one that leaves no JSON.
    Mutated(usize),
}

/// What a user says of being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// There.
    Online,
    /// Away.
    Unavailable,
    /// Not there.
    Offline,
}

/// Something that somebody does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A user comes into being, with a session on device 0.
    SignUp {
        /// Who.
        user: usize,
    },
    /// A login: on a device whose session lives, that session ends (`union.relogin`).
    LogIn {
        /// Who.
        user: usize,
        /// On which device.
        device: usize,
    },
    /// A session declares a set by hash (draft C2, C6, C8).
    Declare {
        /// Which session.
        by: Seat,
        /// Which set.
        set: usize,
    },
    /// A session uploads a set (draft C7).
    Upload {
        /// Which session.
        by: Seat,
        /// Which set.
        set: usize,
    },
    /// A session uploads a set under the hash of another one.
    UploadUnder {
        /// Which session.
        by: Seat,
        /// Whose hash it claims.
        claim: usize,
        /// What it sends.
        body: usize,
    },
    /// A session uploads bytes that are no set, under the hash of the set that they were made of.
    UploadSpoiled {
        /// Which session.
        by: Seat,
        /// Which set.
        set: usize,
        /// What is wrong with the bytes.
        how: Spoil,
    },
    /// A session logs out.
    LogOut {
        /// Which session.
        by: Seat,
    },
    /// A session logs all sessions of its user out.
    LogOutEverywhere {
        /// Which session.
        by: Seat,
    },
    /// A session deletes a device of its user, its own perhaps.
    DeleteDevice {
        /// Which session.
        by: Seat,
        /// Which device.
        device: usize,
    },
    /// The token of a session that has ended asks for the server's hash.
    UseDeadToken {
        /// Which session it was.
        by: Seat,
    },
    /// A session sets its user's presence, and tries to set the hash besides.
    SetStatus {
        /// Which session.
        by: Seat,
        /// What it says.
        presence: Availability,
        /// The set whose hash it tries to write.
        forged: Option<usize>,
    },
    /// A session makes a room, which another user's joins.
    Share {
        /// Who makes it.
        host: Seat,
        /// Who joins it.
        guest: Seat,
    },
    /// A session leaves all rooms that its user shares with another one.
    Leave {
        /// Which session.
        by: Seat,
        /// The other one.
        with: Whom,
    },
    /// A session reads somebody's presence status (draft C4).
    ReadStatus {
        /// Which session.
        by: Seat,
        /// Whose.
        of: Whom,
    },
    /// A session syncs, and looks at what it was last shown of somebody (draft C5).
    Sync {
        /// Which session.
        by: Seat,
        /// Of whom.
        of: Whom,
    },
    /// A session resolves a hash of somebody to the set (draft C9 to C11).
    Resolve {
        /// Which session.
        by: Seat,
        /// Whose hash.
        of: Whom,
        /// Which hash.
        what: Which,
    },
    /// A session asks for the server's hash and for the set behind it (draft S1 to S5).
    AskServer {
        /// Which session.
        by: Seat,
    },
    /// A user of another homeserver joins a room that a session makes.
    RemoteShare {
        /// Who makes it.
        host: Seat,
        /// Who joins it.
        remote: usize,
    },
    /// The other homeserver announces a set of its user in presence, or that there is none any more.
    RemoteDeclare {
        /// Whose.
        remote: usize,
        /// Which set.
        set: Option<usize>,
    },
    /// What the other homeserver was last told of a user is looked at.
    RemoteRead {
        /// By whose homeserver.
        remote: usize,
        /// Of whom.
        of: usize,
    },
    /// The other homeserver resolves a hash of a user to the set (draft C10, F2).
    RemoteResolve {
        /// Whose homeserver.
        remote: usize,
        /// Whose hash.
        of: usize,
        /// Which hash.
        what: Which,
    },
    /// The other homeserver asks for the hash that its user is offered, and for the set behind it (draft F2).
    RemoteAskServer {
        /// Whose.
        remote: usize,
    },
}

/// What a homeserver offers that histories can make use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of the target by itself")]
pub struct Terrain {
    /// How many users a history may have, [`USERS`] at most.
    pub users: usize,
    /// How many devices a user may have, [`DEVICES`] at most.
    pub devices: usize,
    /// Whether sessions can be opened and ended at will.
    pub login: bool,
    /// Whether presence can be read.
    pub presence: bool,
    /// Whether hashes can be resolved.
    pub resolve: bool,
    /// Whether the server tells what it offers.
    pub server: bool,
    /// Whether capabilities may have parameters.
    pub parameters: bool,
    /// Whether capabilities may have names outside the grammar.
    pub opaque_names: bool,
    /// How many other homeservers take part, [`REMOTES`] at most.
    pub remotes: usize,
}

impl Terrain {
    /// Everything.
    pub const WHOLE: Self = Self {
        users: USERS,
        devices: DEVICES,
        login: true,
        presence: true,
        resolve: true,
        server: true,
        parameters: true,
        opaque_names: true,
        remotes: REMOTES,
    };
}

impl History {
    /// How many acts it has.
    pub fn len(&self) -> usize {
        self.acts().count()
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.acts().next().is_none()
    }

    /// All acts, those at once lane by lane.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.steps.iter().flat_map(|step| {
            let (one, lanes): (&[Act], &[Vec<Act>]) = match step {
                Step::One(act) => (std::slice::from_ref(act), &[]),
                Step::AtOnce(lanes) => (&[], lanes),
            };
            one.iter().chain(lanes.iter().flatten())
        })
    }

    /// Its sets as a homeserver meets them: under names that begin with a nonce, so that none of them is known.
    /// The prefix changes nothing in the order of the names. `{}` stays what it is.
    pub fn dressed(&self, nonce: &str) -> Vec<CapabilitySet> {
        let dress = |set: &CapabilitySet| set.map_names(|name| format!("org.capcheck.{nonce}.{name}"));
        self.sets.iter().map(dress).collect()
    }
}

/// Sets as texts of Canonical JSON, because serde's numbers and keys are not ours.
mod as_text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::CapabilitySet;

    pub(super) fn serialize<S: Serializer>(sets: &[CapabilitySet], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(sets.iter().map(|set| String::from_utf8_lossy(&set.canonical_bytes()).into_owned()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<CapabilitySet>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| CapabilitySet::parse(text.as_bytes()).map_err(D::Error::custom)).collect()
    }
}
