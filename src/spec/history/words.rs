//! Histories in words, as reports and scripts tell them.

use std::fmt::{self, Display, Formatter};

use super::{Act, Availability, CapabilitySet, History, Seat, Step, Which, Whom};

/// What users are called.
const USERS: [&str; super::USERS] = ["alice", "bob", "carol", "dan"];

/// What users of other homeservers are called.
const REMOTES: [&str; super::REMOTES] = ["zoe", "yves"];

/// What devices are called.
const DEVICES: [&str; super::DEVICES] = ["phone", "laptop", "tablet", "watch", "desktop"];

/// What a user is called.
pub fn user(user: usize) -> &'static str {
    USERS.get(user).copied().unwrap_or("somebody")
}

/// What a user of another homeserver is called.
pub fn remote(remote: usize) -> &'static str {
    REMOTES.get(remote).copied().unwrap_or("somebody elsewhere")
}

/// What a device is called.
pub fn device(device: usize) -> &'static str {
    DEVICES.get(device).copied().unwrap_or("device")
}

/// What a set is called: A, B, C and so on.
pub fn set(set: usize) -> char {
    u8::try_from(set).ok().filter(|set| *set < 26).map_or('?', |set| char::from(b'A' + set))
}

impl Display for Seat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}'s {}", user(self.user), device(self.device))
    }
}

impl Display for Whom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User(whose) => user(*whose),
            Self::Remote(whose) => remote(*whose),
        })
    }
}

impl Display for Which {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::InForce => f.write_str("the hash in force"),
            Self::Superseded => f.write_str("the hash before the last change"),
            Self::Set(which) => write!(f, "the hash of {}", set(*which)),
            Self::Unknown => f.write_str("a hash that nobody has"),
        }
    }
}

impl Display for Availability {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Availability {
    /// The word that Matrix has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Unavailable => "unavailable",
            Self::Offline => "offline",
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignUp { user: who } => write!(f, "{} signs up", user(*who)),
            Self::LogIn { user: who, device: on } => {
                write!(f, "{} logs in on the {}", user(*who), device(*on))
            }
            Self::Declare { by, set: which } => write!(f, "{by} declares {}", set(*which)),
            Self::Upload { by, set: which } => write!(f, "{by} uploads {}", set(*which)),
            Self::UploadUnder { by, claim, body } => {
                write!(f, "{by} uploads {} under the hash of {}", set(*body), set(*claim))
            }
            Self::UploadSpoiled { by, set: which, how } => {
                write!(f, "{by} uploads {} spoiled ({how:?})", set(*which))
            }
            Self::LogOut { by } => write!(f, "{by} logs out"),
            Self::LogOutEverywhere { by } => write!(f, "{by} logs out everywhere"),
            Self::DeleteDevice { by, device: which } => {
                write!(f, "{by} deletes {}'s {}", user(by.user), device(*which))
            }
            Self::UseDeadToken { by } => write!(f, "the dead token of {by} asks"),
            Self::SetStatus { by, presence, forged: None } => write!(f, "{by} sets {presence}"),
            Self::SetStatus { by, presence, forged: Some(forged) } => {
                write!(f, "{by} sets {presence}, and tries to write the hash of {}", set(*forged))
            }
            Self::Share { host, guest } => write!(f, "{host} makes a room, {guest} joins"),
            Self::Leave { by, with } => write!(f, "{by} leaves every room with {with}"),
            Self::ReadStatus { by, of } => write!(f, "{by} reads {of}'s status"),
            Self::Sync { by, of } => write!(f, "{by} syncs and looks for {of}"),
            Self::Resolve { by, of, what } => write!(f, "{by} resolves {what} of {of}"),
            Self::AskServer { by } => write!(f, "{by} asks what the server offers"),
            Self::RemoteShare { host, remote: who } => {
                write!(f, "{host} makes a room, {} joins", remote(*who))
            }
            Self::RemoteDeclare { remote: who, set: Some(which) } => {
                write!(f, "{}'s homeserver announces {}", remote(*who), set(*which))
            }
            Self::RemoteDeclare { remote: who, set: None } => {
                write!(f, "{}'s homeserver announces no hash", remote(*who))
            }
            Self::RemoteRead { remote: who, of } => {
                write!(f, "{}'s homeserver looks at what it was told of {}", remote(*who), user(*of))
            }
            Self::RemoteResolve { remote: who, of, what } => {
                write!(f, "{}'s homeserver resolves {what} of {}", remote(*who), user(*of))
            }
            Self::RemoteAskServer { remote: who } => {
                write!(f, "{}'s homeserver asks what the server offers", remote(*who))
            }
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lane = |lane: &Vec<Act>| lane.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then ");
        match self {
            Self::One(act) => act.fmt(f),
            Self::AtOnce(lanes) => {
                write!(f, "at once: {}", lanes.iter().map(lane).collect::<Vec<_>>().join(" | "))
            }
        }
    }
}

impl History {
    /// Its sets, each as in `A = {"m.cap.voip.v1":{}}`.
    pub fn told_sets(&self) -> impl Iterator<Item = String> {
        let text = |set: &CapabilitySet| String::from_utf8_lossy(&set.canonical_bytes()).into_owned();
        self.sets.iter().enumerate().map(move |(at, it)| format!("{} = {}", set(at), text(it)))
    }

    /// Its steps, numbered from 1.
    pub fn told_steps(&self) -> impl Iterator<Item = String> {
        self.steps.iter().zip(1..).map(|(step, number)| format!("{number}. {step}"))
    }
}
