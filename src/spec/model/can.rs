//! When an act can be done.

use crate::spec::history::{Act, Seat, Spoil, Terrain, Which, Whom};

use super::{Model, Session, actor};

impl Model {
    /// Whether an act can be done at all: its sessions live, its users exist, its sets occur, and the target
    /// offers what it takes.
    pub fn can(&self, act: &Act, terrain: &Terrain) -> bool {
        let lives = actor(act).is_none_or(|by| fits(by, terrain) && self.is_live(by));
        lives && offers(terrain, act) && self.is_possible(act, terrain)
    }

    fn is_possible(&self, act: &Act, terrain: &Terrain) -> bool {
        match *act {
            Act::SignUp { user } => {
                let is_next = user == 0 || self.signed_up(user - 1);
                user < terrain.users && is_next && !self.signed_up(user)
            }
            Act::LogIn { user, device } => self.signed_up(user) && fits(Seat { user, device }, terrain),
            Act::Declare { set, .. } | Act::Upload { set, .. } => self.may_occur(set, terrain),
            Act::UploadUnder { claim, body, .. } => {
                let occur = self.may_occur(claim, terrain) && self.may_occur(body, terrain);
                occur && self.place(claim) != self.place(body)
            }
            Act::UploadSpoiled { set, how, .. } => {
                self.may_occur(set, terrain) && self.can_be_spoiled(set, how)
            }
            Act::DeleteDevice { by, device } => self.is_live(Seat { device, ..by }),
            Act::UseDeadToken { by } => {
                let device = self.device(by).filter(|_| fits(by, terrain));
                device.is_some_and(|device| device.session == Session::Ended)
            }
            Act::SetStatus { forged, .. } => forged.is_none_or(|set| self.may_occur(set, terrain)),
            Act::Share { host, guest } => {
                host.user != guest.user && fits(guest, terrain) && self.is_live(guest)
            }
            Act::Leave { by, with } => Whom::User(by.user) != with && self.sees(Whom::User(by.user), with),
            Act::ReadStatus { of, .. } | Act::Sync { of, .. } => self.exists(of, terrain),
            Act::Resolve { of, what, .. } => self.exists(of, terrain) && self.can_ask(of, what, terrain),
            Act::RemoteShare { remote, .. } | Act::RemoteAskServer { remote } => remote < terrain.remotes,
            Act::RemoteDeclare { remote, set } => {
                let occurs = set.is_none_or(|set| self.may_occur(set, terrain));
                remote < terrain.remotes && occurs && self.is_heard(remote)
            }
            Act::RemoteRead { remote, of } => remote < terrain.remotes && self.signed_up(of),
            Act::RemoteResolve { remote, of, what } => {
                let asks = self.signed_up(of) && self.can_ask(Whom::User(of), what, terrain);
                remote < terrain.remotes && asks
            }
            Act::LogOut { .. } | Act::LogOutEverywhere { .. } | Act::AskServer { .. } => true,
        }
    }

    fn signed_up(&self, user: usize) -> bool {
        self.users.get(user).is_some_and(|user| user.signed_up)
    }

    fn exists(&self, whom: Whom, terrain: &Terrain) -> bool {
        match whom {
            Whom::User(user) => self.signed_up(user),
            Whom::Remote(remote) => remote < terrain.remotes,
        }
    }

    /// Whether anybody hears what another homeserver announces: who shares no room with its user need not
    /// take it, and nobody could see it (protocol 13.6).
    pub(super) fn is_heard(&self, remote: usize) -> bool {
        self.sharing.iter().any(|(one, _)| *one == Whom::Remote(remote))
    }

    fn can_ask(&self, of: Whom, what: Which, terrain: &Terrain) -> bool {
        match what {
            Which::InForce | Which::Unknown => true,
            Which::Superseded => self.superseded(of).is_some(),
            Which::Set(set) => self.may_occur(set, terrain),
        }
    }

    /// Whether the target takes sets like this (protocol 4.1, 4.2).
    fn may_occur(&self, set: usize, terrain: &Terrain) -> bool {
        self.known(set).is_some_and(|known| {
            (terrain.parameters || !known.set().has_parameters())
                && (terrain.opaque_names || !known.set().has_opaque_names())
        })
    }

    /// Whether a set is one to be spoiled, and anything is wrong with it when it is spoiled so.
    fn can_be_spoiled(&self, set: usize, how: Spoil) -> bool {
        let has_names = self.known(set).is_some_and(|known| !known.set().is_empty());
        // `{}` is everybody's: whoever is not careful with it disturbs other histories.
        has_names && !matches!(how, Spoil::CutOff(0))
    }
}

fn fits(seat: Seat, terrain: &Terrain) -> bool {
    seat.user < terrain.users && seat.device < terrain.devices
}

/// Whether the target has what an act makes use of.
fn offers(terrain: &Terrain, act: &Act) -> bool {
    match act {
        Act::LogIn { .. } | Act::LogOut { .. } | Act::LogOutEverywhere { .. } | Act::DeleteDevice { .. } => {
            terrain.login
        }
        Act::UseDeadToken { .. } => terrain.login && terrain.server,
        Act::SetStatus { .. } | Act::ReadStatus { .. } | Act::Sync { .. } | Act::RemoteRead { .. } => {
            terrain.presence
        }
        Act::Resolve { .. } | Act::RemoteResolve { .. } => terrain.resolve,
        Act::AskServer { .. } => terrain.server,
        Act::SignUp { .. }
        | Act::Declare { .. }
        | Act::Upload { .. }
        | Act::UploadUnder { .. }
        | Act::UploadSpoiled { .. }
        | Act::Share { .. }
        | Act::Leave { .. }
        | Act::RemoteShare { .. }
        | Act::RemoteDeclare { .. }
        | Act::RemoteAskServer { .. } => true,
    }
}
