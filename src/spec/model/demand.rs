//! What may be answered: the protocol's rules, act by act.
//!
//! A rule is a must exactly where the protocol says must. Where the protocol is silent, or leaves a choice, the
//! one rule is that the homeserver does not break down.

use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, Seat, Which, Whom};

use super::{Admits, Demand, Known, Model, Presence, Rule, Session, Upload};

/// A rule that holds at once.
fn rule(requirement: &'static str, admits: Admits) -> Rule {
    Rule { requirement, admits, settles: false }
}

/// A rule that the homeserver has time to come to (protocol 8.2).
fn settling(requirement: &'static str, admits: Admits) -> Rule {
    Rule { requirement, admits, settles: true }
}

impl Model {
    /// What the protocol lets a homeserver answer to an act, each rule with its requirement. Nothing is
    /// demanded where Matrix alone speaks: of logins and rooms.
    pub fn demand(&self, act: &Act) -> Demand {
        let rules = match *act {
            Act::Declare { by, set } => self.of_declare(by, set),
            Act::Upload { set, .. } => vec![rule(self.why_taken(set), Admits::Accepted)],
            // 6.4: what does not hash to the claim is a 4xx.
            Act::UploadUnder { .. } => vec![rule("upload.mismatch-refused", Admits::Rejected)],
            // 4.4: and never a 5xx, a hang or a closed connection.
            Act::UploadSpoiled { .. } => vec![rule("upload.bad-input", Admits::Rejected)],
            // 5.3: logout and deletion end a token; that a new login does is a should, and not asked.
            Act::UseDeadToken { .. } => vec![settling("auth.dead-token", Admits::DeadToken)],
            // 10.4: the field is ignored, or the request refused.
            Act::SetStatus { forged: Some(_), .. } => vec![rule("presence.not-writable", Admits::AnyAnswer)],
            Act::SetStatus { forged: None, .. } => vec![rule("presence.survives-status", Admits::AnyAnswer)],
            Act::ReadStatus { by, of } => self.of_status(Whom::User(by.user), of),
            Act::Sync { by, of } => self.of_sync(Whom::User(by.user), of),
            Act::Resolve { by, of: of @ Whom::User(_), what } => {
                self.of_resolve(Whom::User(by.user), of, what, &CLIENTS)
            }
            Act::Resolve { by, of: of @ Whom::Remote(_), what } => self.of_lookup(by, of, what),
            // S2 to S5: one's own user ID yields a hash; 6.2: another one whenever the server offers another set.
            Act::AskServer { .. } => vec![rule("server.hash", Admits::AHash)],
            Act::RemoteRead { remote, of } => self.of_told(remote, of),
            Act::RemoteResolve { remote, of, what } => {
                self.of_resolve(Whom::Remote(remote), Whom::User(of), what, &SERVERS)
            }
            Act::RemoteAskServer { .. } => vec![rule("federation.hash", Admits::AHash)],
            Act::SignUp { .. }
            | Act::LogIn { .. }
            | Act::LogOut { .. }
            | Act::LogOutEverywhere { .. }
            | Act::DeleteDevice { .. }
            | Act::Share { .. }
            | Act::Leave { .. }
            | Act::RemoteShare { .. }
            | Act::RemoteDeclare { .. } => Vec::new(),
        };
        Demand { rules }
    }

    /// Draft C6 to C8, protocol 6.3 and 8.1: a set that was uploaded is known, one that nobody uploaded is not.
    fn of_declare(&self, by: Seat, set: usize) -> Vec<Rule> {
        let set = self.place(set);
        if let Some(why) = self.why_known(by, set) {
            return vec![rule(why, Admits::Accepted)];
        }
        // 8.1: unions, `{}` and what came from elsewhere may be known, or not.
        if self.loose.contains(&set) {
            return vec![rule("upload.refusal-recognisable", Admits::AnyAnswer)];
        }
        let mut rules = vec![rule("upload.refuse-unknown", Admits::AnyAnswer)];
        if self.claimed.contains(&set) {
            rules.push(rule("upload.mismatch-not-stored", Admits::Declined));
        }
        rules.push(rule("upload.refuse-unknown", Admits::Declined));
        rules.push(rule("upload.refusal-recognisable", Admits::Refused));
        rules
    }

    /// The requirement by which a set is known to this session's declares.
    fn why_known(&self, by: Seat, set: usize) -> Option<&'static str> {
        let uploads = || self.uploads.iter().filter(|upload| upload.set == set);
        let own = |upload: &&Upload| upload.by.user == by.user;
        let lives = |upload: &&Upload| self.is_live_upload(upload);
        if self.trail.is_fresh(by, set) {
            // C8: "then be able to send the hash as normal".
            Some("upload.accept-after-upload")
        } else if uploads().filter(own).any(|upload| lives(&upload)) {
            Some("upload.known-hash")
        } else if uploads().any(|upload| own(&upload)) {
            Some("upload.known-after-logout")
        } else {
            uploads().next().map(|_| "upload.known-from-others")
        }
    }

    fn is_live_upload(&self, upload: &Upload) -> bool {
        let device = self.device(upload.by);
        device.is_some_and(|d| d.logins == upload.login && matches!(d.session, Session::Live(_)))
    }

    /// The requirement by which a good upload is taken (draft C7, protocol 6.4).
    fn why_taken(&self, set: usize) -> &'static str {
        let set = self.place(set);
        if self.uploads.iter().any(|upload| upload.set == set) {
            "upload.idempotent"
        } else if self.claimed.contains(&set) || self.missed.contains(&set) {
            "upload.no-pinning"
        } else if self.known(set).is_some_and(|known| known.set().is_empty()) {
            "union.empty-set"
        } else {
            "upload.accept-after-upload"
        }
    }

    /// Draft C4, protocol 10.1 and 10.2.
    fn of_status(&self, viewer: Whom, of: Whom) -> Vec<Rule> {
        if !self.sees(viewer, of) {
            return vec![settling("presence.strangers", Admits::Hidden)];
        }
        vec![match of {
            Whom::User(user) => settling("presence.status", Admits::Carries(self.in_force(user))),
            Whom::Remote(remote) => self.of_heard(remote, Admits::Carries(self.carried(of))),
        }]
    }

    /// Draft C4 and C5, protocol 10.2. What somebody was shown while they shared a room they need not be told
    /// to forget, so that of those who have parted nothing can be said; of those who never met, nothing is shown.
    fn of_sync(&self, viewer: Whom, of: Whom) -> Vec<Rule> {
        if viewer == of {
            return vec![rule("presence.own-sessions", Admits::AnyAnswer)];
        }
        if !self.sees(viewer, of) {
            let hidden = if self.met.contains(&(viewer, of)) { Admits::AnyAnswer } else { Admits::Hidden };
            return vec![rule("presence.strangers", hidden)];
        }
        vec![match of {
            Whom::User(_) => settling("presence.sync", self.of_last_told(viewer, of)),
            Whom::Remote(remote) => self.of_heard(remote, self.of_last_told(viewer, of)),
        }]
    }

    /// What was last told to somebody who sees: what is in force. Who parted and came back when there was nothing
    /// to tell need not have been told that (protocol 10.2).
    fn of_last_told(&self, viewer: Whom, of: Whom) -> Admits {
        match self.carried(of) {
            Presence::Nothing if self.estranged.contains(&(viewer, of)) => Admits::AnyAnswer,
            carried => Admits::Carries(carried),
        }
    }

    /// Draft F2, protocol 13.6: what another homeserver announces reaches those who share a room with its user.
    fn of_heard(&self, remote: usize, last_told: Admits) -> Rule {
        let is_sure = self.remotes.get(remote).is_some_and(|remote| !remote.doubtful);
        settling("federation.presence-in", if is_sure { last_told } else { Admits::AnyAnswer })
    }

    /// Draft F2, protocol 13.6: a homeserver that shares a room is told; what else it was told is its memory.
    fn of_told(&self, remote: usize, of: usize) -> Vec<Rule> {
        let (viewer, of) = (Whom::Remote(remote), Whom::User(of));
        let told = if self.sees(viewer, of) { self.of_last_told(viewer, of) } else { Admits::AnyAnswer };
        vec![settling("federation.presence-out", told)]
    }

    /// Draft C9 to C11, protocol 11.
    fn of_resolve(&self, viewer: Whom, of: Whom, what: Which, words: &Resolving) -> Vec<Rule> {
        let Some(asked) = self.hash_asked(of, what) else {
            return vec![rule("resolve.unknown", Admits::Declined)];
        };
        let mut rules = vec![self.of_served(&asked)];
        if !self.sees(viewer, of) {
            rules.push(settling(words.strangers, Admits::Declined));
        } else if let Some(union) = self.union_of(of).filter(|union| *union.hash() == asked) {
            rules.push(settling(words.union(self.is_made(of)), Admits::Serves(union.set().clone())));
        } else if let Some(union) = self.superseded(of).filter(|union| *union.hash() == asked) {
            rules.push(settling("resolve.superseded", Admits::Serves(union.set().clone())));
        }
        rules
    }

    /// What is served hashes to what was asked; of what nobody knows, nothing is (protocol 11).
    fn of_served(&self, asked: &CapabilityHash) -> Rule {
        match self.sets.iter().position(|known| known.hash() == asked) {
            Some(set) if !self.may_be_known(set) => {
                let claimed = self.claimed.contains(&set);
                let why = if claimed { "upload.mismatch-not-stored" } else { "resolve.unknown" };
                rule(why, Admits::Declined)
            }
            _ => rule("resolve.verifies", Admits::NothingElseThan(asked.clone())),
        }
    }

    fn may_be_known(&self, set: usize) -> bool {
        self.loose.contains(&set) || self.uploads.iter().any(|upload| upload.set == set)
    }

    /// Draft C9 and F2, protocol 13.5: who shares a room with the remote user is served what that user's
    /// homeserver serves; nobody else.
    fn of_lookup(&self, by: Seat, of: Whom, what: Which) -> Vec<Rule> {
        let Some(asked) = self.hash_asked(of, what) else {
            return vec![rule("federation.lookup-failure", Admits::Declined)];
        };
        let verified = rule("federation.lookup-verified", Admits::NothingElseThan(asked.clone()));
        let announced = self.union_of(of).filter(|union| *union.hash() == asked);
        let mut rules = vec![verified];
        if !self.sees(Whom::User(by.user), of) {
            rules.push(settling("federation.lookup-private", Admits::Declined));
        } else if let Some(announced) = announced {
            rules.push(settling("federation.lookup", Admits::Serves(announced.set().clone())));
        }
        rules
    }

    fn union_of(&self, of: Whom) -> Option<&Known> {
        match of {
            Whom::User(user) => self.users.get(user)?.in_force.as_ref(),
            Whom::Remote(remote) => self.known(self.remotes.get(remote)?.announced?),
        }
    }

    /// Whether the union is one that the server made: no session declared just it.
    fn is_made(&self, of: Whom) -> bool {
        let Whom::User(user) = of else { return false };
        let union = self.union_of(of);
        self.declared(user).all(|(_, set)| self.known(set) != union)
    }
}

/// The requirements of a way of resolving.
struct Resolving {
    single: &'static str,
    made: &'static str,
    strangers: &'static str,
}

impl Resolving {
    fn union(&self, is_made: bool) -> &'static str {
        if is_made { self.made } else { self.single }
    }
}

const CLIENTS: Resolving =
    Resolving { single: "resolve.hash-and-user", made: "union.resolvable", strangers: "resolve.strangers" };

const SERVERS: Resolving = Resolving {
    single: "federation.resolve",
    made: "federation.resolve",
    strangers: "federation.resolve-private",
};
