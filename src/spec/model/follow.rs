//! What comes of an act.

use crate::spec::history::{Act, Seat, Which, Whom};

use super::trail::{End, Last};
use super::{Answer, Model, Presence, Session, Upload};

impl Model {
    /// What comes of an act that was answered so. An act that was not accepted changes nothing that anybody
    /// could see (protocol 6.3, 6.4).
    pub fn follow(&mut self, act: &Act, answer: &Answer) {
        let accepted = *answer == Answer::Accepted;
        match *act {
            Act::Declare { by, set } => self.declare(by, self.place(set), answer),
            Act::Upload { by, set } => self.upload(by, self.place(set), accepted),
            Act::UploadUnder { by, claim, body } => {
                self.upload_under(by, self.place(claim), self.place(body))
            }
            Act::UploadSpoiled { by, set, .. } => {
                let set = self.place(set);
                self.trail.uploaded(by, set, false);
                self.miss(set);
            }
            Act::SetStatus { by, forged, .. } => {
                self.trail.forged(by.user, forged.map(|set| self.place(set)));
            }
            Act::Resolve { of, what, .. } => self.look_up(of, what),
            Act::RemoteResolve { of, what, .. } => self.look_up(Whom::User(of), what),
            _ if accepted => self.follow_coming_and_going(act),
            _ => {}
        }
    }

    fn follow_coming_and_going(&mut self, act: &Act) {
        match *act {
            Act::SignUp { user } => {
                if let Some(user) = self.users.get_mut(user) {
                    user.signed_up = true;
                }
                self.log_in(Seat { user, device: 0 });
            }
            Act::LogIn { user, device } => self.log_in(Seat { user, device }),
            Act::LogOut { by } => self.end(by.user, End::LoggedOut, |device| device == by.device),
            Act::LogOutEverywhere { by } => self.end(by.user, End::LoggedOutEverywhere, |_| true),
            Act::DeleteDevice { by, device } => self.end(by.user, End::Deleted, |other| other == device),
            Act::Share { host, guest } => self.share(Whom::User(host.user), Whom::User(guest.user)),
            Act::RemoteShare { host, remote } => self.share(Whom::User(host.user), Whom::Remote(remote)),
            Act::Leave { by, with } => self.part(Whom::User(by.user), with),
            Act::RemoteDeclare { remote, set } => self.announce(remote, set.map(|set| self.place(set))),
            _ => {}
        }
    }

    /// Draft C6, C8: an accepted hash is what the session has, from now on; a refused one changes nothing.
    fn declare(&mut self, by: Seat, set: usize, answer: &Answer) {
        if *answer != Answer::Accepted {
            self.trail.refused(by, set);
            return;
        }
        let Some(Session::Live(declared)) = self.session(by) else { return };
        let before = declared.replace(set);
        self.trail.declared(by, set, before.filter(|before| *before != set));
        self.refresh(by.user);
    }

    /// Draft C7: the set is known, and nothing is published (protocol 6.4).
    fn upload(&mut self, by: Seat, set: usize, accepted: bool) {
        self.trail.uploaded(by, set, accepted);
        if let (true, Some(device)) = (accepted, self.device(by)) {
            self.uploads.insert(Upload { set, by, login: device.logins });
        }
    }

    /// Protocol 6.4: a wrong claim leaves no trace; whether the body is kept under its true hash is free.
    fn upload_under(&mut self, by: Seat, claim: usize, body: usize) {
        self.trail.uploaded(by, claim, false);
        self.trail.uploaded(by, body, false);
        self.claimed.insert(claim);
        self.loose.insert(body);
    }

    /// Protocol 6.4: that a hash was asked for does not pin it.
    fn look_up(&mut self, of: Whom, what: Which) {
        let asked = self.hash_asked(of, what);
        let place = asked.and_then(|hash| self.sets.iter().position(|known| *known.hash() == hash));
        if let Some(set) = place {
            self.miss(set);
        }
    }

    fn miss(&mut self, set: usize) {
        if !self.uploads.iter().any(|upload| upload.set == set) {
            self.missed.insert(set);
        }
    }

    /// Protocol 9.1: a session starts undeclared, and takes the place of the one that was on its device.
    fn log_in(&mut self, seat: Seat) {
        self.end(seat.user, End::LoggedInAgain, |device| device == seat.device);
        let user = self.users.get_mut(seat.user);
        if let Some(device) = user.and_then(|user| user.devices.get_mut(seat.device)) {
            device.logins += 1;
            device.session = Session::Live(None);
        }
    }

    /// Protocol 9.1: these sessions end, and with each its set and no other is withdrawn.
    fn end(&mut self, user: usize, end: End, which: impl Fn(usize) -> bool) {
        let mut ended = Vec::new();
        let devices = self.users.get_mut(user).map_or(&mut [][..], |user| &mut user.devices);
        for (device, login) in devices.iter_mut().enumerate().filter(|(device, _)| which(*device)) {
            if let Session::Live(declared) = login.session {
                login.session = Session::Ended;
                ended.push((device, declared));
            }
        }
        self.trail.ended(user, end, &ended);
        self.refresh(user);
    }

    /// Draft C3: the union is made anew; the one before is superseded if it is another (protocol 2).
    fn refresh(&mut self, user: usize) {
        let declared: Vec<usize> = self.declared(user).map(|(_, set)| set).collect();
        let union = self.union(declared);
        let place = self.sets.iter().position(|known| Some(known) == union.as_ref());
        let Some(owner) = self.users.get_mut(user) else { return };
        if owner.in_force != union {
            owner.superseded = std::mem::replace(&mut owner.in_force, union);
            self.trail.changed(user, owner.superseded.clone());
            self.loose.extend(place);
            self.tell(Whom::User(user));
        }
    }

    fn session(&mut self, seat: Seat) -> Option<&mut Session> {
        let device = self.users.get_mut(seat.user)?.devices.get_mut(seat.device)?;
        Some(&mut device.session)
    }

    /// Protocol 10.2: both come to see the other.
    fn share(&mut self, one: Whom, other: Whom) {
        for (viewer, of) in [(one, other), (other, one)] {
            if self.sharing.insert((viewer, of)) {
                self.met.insert((viewer, of));
                self.trail.met(viewer, of);
            }
            self.tell(of);
        }
    }

    /// Whoever shares a room is told what is in force, if anything is (protocol 10.2).
    fn tell(&mut self, of: Whom) {
        if self.carried(of) != Presence::Nothing {
            let sharing = &self.sharing;
            self.estranged.retain(|pair| pair.1 != of || !sharing.contains(pair));
        }
    }

    fn part(&mut self, one: Whom, other: Whom) {
        for pair in [(one, other), (other, one)] {
            if self.sharing.remove(&pair) {
                self.estranged.insert(pair);
            }
        }
        if let Whom::Remote(remote) = other
            && !self.is_heard(remote)
            && let Some(remote) = self.remotes.get_mut(remote)
        {
            remote.doubtful = true;
        }
    }

    /// Draft F2: what another homeserver says of its user holds until it says otherwise (protocol 13.6).
    fn announce(&mut self, remote: usize, set: Option<usize>) {
        self.loose.extend(set);
        let Some(of) = self.remotes.get_mut(remote) else { return };
        if of.announced != set {
            of.superseded = std::mem::replace(&mut of.announced, set);
        }
        of.doubtful = false;
        self.tell(Whom::Remote(remote));
    }
}

impl Last {
    /// Whether a session ended, or began anew, last.
    pub(super) fn is_end(self) -> bool {
        matches!(self, Self::Ended | Self::Began)
    }
}
