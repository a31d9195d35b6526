//! Generated histories, act by act: the server's state goes where the suite's model goes.
//!
//! Here, and nowhere else, the model and the server meet without the suite in between, so that neither the
//! performer's nor the wire's mistakes can hide a difference.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;

use super::site::*;
use crate::reference::{Fault, FaultSet};
use crate::spec::binding::encode;
use crate::spec::capability::CapabilitySet;
use crate::spec::history::draw::{Histories, Shape};
use crate::spec::history::{Act, History, Seat, Step, Terrain, Which, Whom};
use crate::spec::model::{Answer, Model};

/// The server here has no neighbours.
const TERRAIN: Terrain = Terrain { remotes: 0, ..Terrain::WHOLE };

const NOWHERE: &str = "IWA5arJM1meg4fgKn/5a1XEdm8e4j5888haEe46jas8";

/// A session, and what its syncs showed.
struct Seated {
    session: Session,
    since: Option<String>,
    shown: BTreeMap<String, Option<String>>,
}

/// Who takes part, on a server of their own.
struct Cast {
    site: Site,
    model: Model,
    sets: Vec<CapabilitySet>,
    seats: BTreeMap<Seat, Seated>,
    rooms: Vec<(usize, usize, String)>,
}

impl Cast {
    fn new(sets: Vec<CapabilitySet>, faults: FaultSet) -> Self {
        let model = Model::new(sets.clone());
        Self { site: Site::new(faults), model, sets, seats: BTreeMap::new(), rooms: Vec::new() }
    }

    fn seat(&mut self, seat: Seat, session: Session) {
        self.seats.insert(seat, Seated { session, since: None, shown: BTreeMap::new() });
    }

    fn session(&self, seat: Seat) -> &Session {
        &self.seats[&seat].session
    }

    fn hash(&self, set: usize) -> String {
        self.sets[set].hash().to_string()
    }

    async fn upload(&self, by: Seat, claim: usize, body: Vec<u8>) -> Answer {
        answer(&self.site.upload(self.session(by), &self.hash(claim), body).await)
    }

    async fn perform(&mut self, act: &Act) -> Answer {
        match act {
            Act::SignUp { .. } | Act::LogIn { .. } => self.arrive(act),
            Act::LogOut { .. } | Act::LogOutEverywhere { .. } | Act::DeleteDevice { .. } => {
                self.go(act).await
            }
            Act::Share { .. } | Act::Leave { .. } => self.move_rooms(act).await,
            Act::Sync { by, of: Whom::User(of) } => self.sync(*by, *of).await,
            Act::ReadStatus { .. }
            | Act::Resolve { .. }
            | Act::AskServer { .. }
            | Act::UseDeadToken { .. } => self.ask(act).await,
            _ => self.say(act).await,
        }
    }

    fn arrive(&mut self, act: &Act) -> Answer {
        match *act {
            Act::SignUp { user } => {
                let session = self.site.user(&name(user));
                self.seat(Seat { user, device: 0 }, session);
            }
            Act::LogIn { user, device } => {
                // The device on which a user of the site signs up is called D1.
                let session = self.site.device(&id(user), &format!("D{}", device + 1));
                self.seat(Seat { user, device }, session);
            }
            _ => unreachable!("{act}"),
        }
        Answer::Accepted
    }

    async fn go(&self, act: &Act) -> Answer {
        let nothing = json!({});
        match *act {
            Act::LogOut { by } => answer(&self.site.post(self.session(by), "/logout", &nothing).await),
            Act::LogOutEverywhere { by } => {
                answer(&self.site.post(self.session(by), "/logout/all", &nothing).await)
            }
            Act::DeleteDevice { by, device } => {
                let path = format!("/devices/D{}", device + 1);
                match self.site.delete(self.session(by), "DELETE", &path, nothing).await {
                    200 => Answer::Accepted,
                    status => Answer::Rejected(status, None),
                }
            }
            _ => unreachable!("{act}"),
        }
    }

    async fn move_rooms(&mut self, act: &Act) -> Answer {
        match *act {
            Act::Share { host, guest } => {
                let room = self.site.room(self.session(host), &[self.session(guest)]).await;
                self.rooms.push((host.user, guest.user, room));
            }
            Act::Leave { by, with: Whom::User(with) } => {
                let theirs = |(one, other, _): &(usize, usize, String)| {
                    [(by.user, with), (with, by.user)].contains(&(*one, *other))
                };
                for (_, _, room) in self.rooms.extract_if(.., |room| theirs(room)).collect::<Vec<_>>() {
                    let path = format!("/rooms/{}/leave", encode(&room));
                    assert!(self.site.post(self.session(by), &path, &json!({})).await.is_ok());
                }
            }
            _ => unreachable!("{act}"),
        }
        Answer::Accepted
    }

    async fn say(&self, act: &Act) -> Answer {
        match *act {
            Act::Declare { by, set } => {
                let reply = self.site.declare(self.session(by), &self.hash(set)).await;
                if reply.is(404, "M_NOT_FOUND") { Answer::Refused } else { answer(&reply) }
            }
            Act::Upload { by, set } => self.upload(by, set, self.sets[set].canonical_bytes()).await,
            Act::UploadUnder { by, claim, body } => {
                self.upload(by, claim, self.sets[body].canonical_bytes()).await
            }
            Act::UploadSpoiled { by, set, how } => self.upload(by, set, how.bytes(&self.sets[set])).await,
            Act::SetStatus { by, presence, forged } => {
                let mut content = json!({ "presence": presence.word() });
                if let Some(forged) = forged {
                    content["org.matrix.capability_sets"] = json!({ "sha256": self.hash(forged) });
                }
                let session = self.session(by);
                let path = format!("{V3}/presence/{}/status", encode(&session.user));
                answer(&self.site.ask("PUT", &path, Some(&session.token), content.to_string()).await)
            }
            _ => unreachable!("{act}"),
        }
    }

    async fn ask(&self, act: &Act) -> Answer {
        match *act {
            Act::ReadStatus { by, of: Whom::User(of) } => {
                let path = format!("{V3}/presence/{}/status", encode(&id(of)));
                let reply = self.site.get(self.session(by), &path).await;
                if reply.is_ok() {
                    told(&reply.json).map_or(Answer::NoHash, Answer::Hash)
                } else {
                    answer(&reply)
                }
            }
            Act::Resolve { by, of: whom @ Whom::User(of), what } => {
                let hash = match what {
                    Which::Unknown => NOWHERE.to_owned(),
                    _ => self.model.hash_asked(whom, what).unwrap().to_string(),
                };
                let reply = self.site.resolve(self.session(by), &id(of), &hash).await;
                let set = || CapabilitySet::parse(&reply.bytes).unwrap().hash().to_string();
                if reply.is_ok() { Answer::Set(set()) } else { answer(&reply) }
            }
            Act::AskServer { by } | Act::UseDeadToken { by } => {
                let path = format!("{C}/server/users/{}", encode(&id(by.user)));
                let reply = self.site.get(self.session(by), &path).await;
                match reply.json["sha256"].as_str() {
                    Some(hash) => Answer::Hash(hash.to_owned()),
                    None => answer(&reply),
                }
            }
            _ => unreachable!("{act}"),
        }
    }

    async fn sync(&mut self, by: Seat, of: usize) -> Answer {
        let seated = self.seats.get_mut(&by).unwrap();
        let (next, shown) = self.site.sync(&seated.session, seated.since.as_deref()).await;
        seated.since = Some(next);
        seated.shown.extend(shown);
        match seated.shown.get(&id(of)) {
            None => Answer::Unseen,
            Some(None) => Answer::NoHash,
            Some(Some(hash)) => Answer::Hash(hash.clone()),
        }
    }
}

fn name(user: usize) -> String {
    format!("h-{user}")
}

fn id(user: usize) -> String {
    format!("@{}:{HS}", name(user))
}

fn answer(reply: &Reply) -> Answer {
    let errcode = Some(reply.errcode().to_owned()).filter(|code| !code.is_empty());
    match reply.status {
        200 => Answer::Accepted,
        401 if reply.errcode() == "M_UNKNOWN_TOKEN" => Answer::DeadToken,
        status @ 400..500 => Answer::Rejected(status, errcode),
        status => Answer::Broken(status.to_string()),
    }
}

/// The first act to which the server answers what the model does not admit, and the rule that it breaks.
async fn difference(history: &History, faults: FaultSet) -> Option<String> {
    let mut cast = Cast::new(history.dressed("h"), faults);
    for step in &history.steps {
        // One lane after the other: this is about states, not about time.
        let acts: Vec<&Act> = match step {
            Step::One(act) => vec![act],
            Step::AtOnce(lanes) => lanes.iter().flatten().collect(),
        };
        for act in acts {
            if !cast.model.can(act, &TERRAIN) {
                continue;
            }
            let demand = cast.model.demand(act);
            let answer = cast.perform(act).await;
            if let Some(rule) = demand.rules.iter().find(|rule| !rule.admits(&answer)) {
                return Some(format!("{act}: {answer:?}, but {}: {:?}", rule.requirement, rule.admits));
            }
            cast.model.follow(act, &answer);
        }
    }
    None
}

fn differs(history: &History, faults: FaultSet) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(difference(history, faults))
}

fn histories(shape: Shape) -> Histories {
    Histories { shape, terrain: TERRAIN, longest: 40 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sequences_go_where_the_model_goes(history in histories(Shape::Sequence)) {
        prop_assert_eq!(differs(&history, FaultSet::NONE), None);
    }

    #[test]
    fn lanes_in_turn_go_where_the_model_goes(history in histories(Shape::Races)) {
        prop_assert_eq!(differs(&history, FaultSet::NONE), None);
    }

    #[test]
    fn the_laws_of_the_union_hold(history in histories(Shape::Algebra)) {
        prop_assert_eq!(differs(&history, FaultSet::NONE), None);
    }

    #[test]
    fn every_legal_set_comes_back(history in histories(Shape::RoundTrip)) {
        prop_assert_eq!(differs(&history, FaultSet::NONE), None);
    }

    #[test]
    fn bad_uploads_change_nothing(history in histories(Shape::Spoiled)) {
        prop_assert_eq!(differs(&history, FaultSet::NONE), None);
    }
}

/// Makes the first history that differs as small as it gets.
fn least(shape: Shape, fault: Fault) -> History {
    let faults = || [fault].into_iter().collect::<FaultSet>();
    let cases = (0..200).map(|case| histories(shape).case(1, case));
    let found = cases.into_iter().find(|tree| differs(tree.history(), faults()).is_some());
    let mut tree = found.unwrap_or_else(|| panic!("no history finds {fault}"));
    let mut best = tree.current();
    let mut more = tree.simplify();
    while more {
        more = if differs(tree.history(), faults()).is_some() {
            best = tree.current();
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    best
}

#[test]
fn faults_are_found_and_told_in_few_acts() {
    for (shape, fault, acts) in [
        // Signs up, uploads, declares, logs out, logs in elsewhere, reads.
        (Shape::Sequence, Fault::LogoutKeepsSet, 6),
        (Shape::Sequence, Fault::ReloginInherits, 5),
        (Shape::Sequence, Fault::LogoutWithdrawsAll, 6),
        (Shape::Algebra, Fault::UnionLeaveTakesShared, 7),
    ] {
        let told: Vec<String> = least(shape, fault).steps.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), acts, "{fault}: {told:#?}");
    }
}
