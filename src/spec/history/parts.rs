//! What an act names: users, devices, sets, other homeservers.

use super::{Act, Seat, Step, Which, Whom};

/// Something that an act names, to be read or to be replaced.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A user.
    User(&'a mut usize),
    /// A session.
    Seat(&'a mut Seat),
    /// A device of this user.
    Device(usize, &'a mut usize),
    /// A set.
    Set(&'a mut usize),
    /// A user of another homeserver.
    Remote(&'a mut usize),
}

/// Shows all that an act names, in the order in which it names it.
pub(super) fn parts(act: &mut Act, see: &mut impl FnMut(Part<'_>)) {
    match act {
        Act::SignUp { user } => see(Part::User(user)),
        Act::LogIn { user, device } => {
            see(Part::Device(*user, device));
            see(Part::User(user));
        }
        Act::Declare { by, set } | Act::Upload { by, set } | Act::UploadSpoiled { by, set, .. } => {
            see(Part::Seat(by));
            see(Part::Set(set));
        }
        Act::UploadUnder { by, claim, body } => {
            see(Part::Seat(by));
            see(Part::Set(claim));
            see(Part::Set(body));
        }
        Act::LogOut { by }
        | Act::LogOutEverywhere { by }
        | Act::UseDeadToken { by }
        | Act::AskServer { by } => see(Part::Seat(by)),
        Act::DeleteDevice { by, device } => {
            see(Part::Device(by.user, device));
            see(Part::Seat(by));
        }
        Act::SetStatus { by, forged, .. } => {
            see(Part::Seat(by));
            forged.iter_mut().for_each(|set| see(Part::Set(set)));
        }
        Act::Share { host, guest } => {
            see(Part::Seat(host));
            see(Part::Seat(guest));
        }
        Act::Leave { by, with: of } | Act::ReadStatus { by, of } | Act::Sync { by, of } => {
            see(Part::Seat(by));
            whom(of, see);
        }
        Act::Resolve { by, of, what } => {
            see(Part::Seat(by));
            whom(of, see);
            which(what, see);
        }
        Act::RemoteShare { host, remote } => {
            see(Part::Seat(host));
            see(Part::Remote(remote));
        }
        Act::RemoteDeclare { remote, set } => {
            see(Part::Remote(remote));
            set.iter_mut().for_each(|set| see(Part::Set(set)));
        }
        Act::RemoteRead { remote, of } => {
            see(Part::Remote(remote));
            see(Part::User(of));
        }
        Act::RemoteResolve { remote, of, what } => {
            see(Part::Remote(remote));
            see(Part::User(of));
            which(what, see);
        }
        Act::RemoteAskServer { remote } => see(Part::Remote(remote)),
    }
}

fn whom(whom: &mut Whom, see: &mut impl FnMut(Part<'_>)) {
    match whom {
        Whom::User(user) => see(Part::User(user)),
        Whom::Remote(remote) => see(Part::Remote(remote)),
    }
}

fn which(which: &mut Which, see: &mut impl FnMut(Part<'_>)) {
    if let Which::Set(set) = which {
        see(Part::Set(set));
    }
}

/// Whether any of what an act names is of this kind.
pub(super) fn names(act: &Act, mut which: impl FnMut(Part<'_>) -> bool) -> bool {
    let mut found = false;
    parts(&mut act.clone(), &mut |part| found |= which(part));
    found
}

impl Act {
    /// Whether it only looks: nothing that anybody can see is different after it.
    pub fn is_look(&self) -> bool {
        matches!(
            self,
            Self::UseDeadToken { .. }
                | Self::ReadStatus { .. }
                | Self::Sync { .. }
                | Self::Resolve { .. }
                | Self::AskServer { .. }
                | Self::RemoteRead { .. }
                | Self::RemoteResolve { .. }
                | Self::RemoteAskServer { .. }
        )
    }

    /// The session that it makes, if it makes one.
    pub(super) fn opens(&self) -> Option<Seat> {
        match *self {
            Self::SignUp { user } => Some(Seat { user, device: 0 }),
            Self::LogIn { user, device } => Some(Seat { user, device }),
            _ => None,
        }
    }

    /// Whether a session of before it ends by it; the one that it makes in its place is another.
    pub(super) fn ends(&self, seat: Seat) -> bool {
        match *self {
            Self::LogIn { user, device } => seat == Seat { user, device },
            Self::LogOut { by } => seat == by,
            Self::LogOutEverywhere { by } => seat.user == by.user,
            Self::DeleteDevice { by, device } => seat == Seat { device, ..by },
            _ => false,
        }
    }

    /// The session that does it, if a session of the homeserver under test does.
    pub fn by(&self) -> Option<Seat> {
        match *self {
            Self::Declare { by, .. }
            | Self::Upload { by, .. }
            | Self::UploadUnder { by, .. }
            | Self::UploadSpoiled { by, .. }
            | Self::LogOut { by }
            | Self::LogOutEverywhere { by }
            | Self::DeleteDevice { by, .. }
            | Self::UseDeadToken { by }
            | Self::SetStatus { by, .. }
            | Self::Share { host: by, .. }
            | Self::Leave { by, .. }
            | Self::ReadStatus { by, .. }
            | Self::Sync { by, .. }
            | Self::Resolve { by, .. }
            | Self::AskServer { by }
            | Self::RemoteShare { host: by, .. } => Some(by),
            Self::SignUp { .. }
            | Self::LogIn { .. }
            | Self::RemoteDeclare { .. }
            | Self::RemoteRead { .. }
            | Self::RemoteResolve { .. }
            | Self::RemoteAskServer { .. } => None,
        }
    }
}

impl Step {
    /// Its acts, lane by lane.
    pub(super) fn acts_mut(&mut self) -> impl Iterator<Item = &mut Act> {
        let (one, lanes): (&mut [Act], &mut [Vec<Act>]) = match self {
            Self::One(act) => (std::slice::from_mut(act), &mut []),
            Self::AtOnce(lanes) => (&mut [], lanes),
        };
        one.iter_mut().chain(lanes.iter_mut().flatten())
    }
}
