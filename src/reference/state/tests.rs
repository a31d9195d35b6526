//! The transitions by themselves: limits, expiry, and who is touched by what.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::sessions::{Ending, Login, Session};
use super::sets::Undeclarable;
use super::{Availability, Member, Moderation, NewRoom, NewUser, Rules, State, UserKey, Way};
use crate::reference::arithmetic::{Arithmetic, Set};
use crate::reference::federation::pdu::RoomVersion;
use crate::reference::options::{Options, ServerLimits};

const START: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn state_with(limits: ServerLimits) -> State {
    let options = Options { limits, ..Options::default() };
    State::new(Rules::new(&options, "hs", 1_000))
}

pub(super) fn state() -> State {
    state_with(ServerLimits::default())
}

pub(super) fn set(names: &[&str]) -> Arc<Set> {
    Arithmetic::default().of(names.iter().copied())
}

impl State {
    pub(super) fn add(&mut self, localpart: &str) -> Session {
        let user = self.create_user(NewUser { localpart, password: "pw", salt: [0; 16] }).unwrap();
        self.open(user, "D1").unwrap()
    }

    fn open(&mut self, user: UserKey, device: &str) -> Result<Session, String> {
        let token = format!("token {} {device} {}", user.0, self.position);
        let login = Login { device: device.to_owned(), display_name: None, token };
        self.log_in(START, user, login).map_err(|error| error.errcode.into_owned())
    }

    pub(super) fn put(&mut self, now: Duration, session: &Session, set: &Arc<Set>) {
        self.upload(now, session, set.clone()).unwrap();
        self.declare(now, session, &set.hash).unwrap();
    }

    pub(super) fn room(&mut self, id: &str, public: bool, users: &[&Session]) {
        let room = NewRoom {
            id: id.to_owned(),
            public,
            version: RoomVersion::V10,
            name: None,
            alias: None,
            invite: users[1..].iter().map(|session| session.user).collect(),
        };
        self.create_room(START, users[0].user, room).unwrap();
        for session in &users[1..] {
            self.join(START, session.user, id).unwrap();
        }
        self.take_touched();
    }

    fn told(&self, session: &Session) -> Option<String> {
        let content = self.presence_content(START, session.user, Way::Status);
        content["org.matrix.capability_sets"]["sha256"].as_str().map(str::to_owned)
    }
}

#[test]
fn a_set_is_known_for_ten_minutes_and_as_long_as_it_is_in_force() {
    let mut state = state();
    let (alice, bob) = (state.add("alice"), state.add("bob"));
    let (kept, lost) = (set(&["m.kept"]), set(&["m.lost"]));
    state.put(START, &alice, &kept);
    state.upload(START, &alice, lost.clone()).unwrap();
    assert_eq!(state.declare(seconds(599), &bob, &lost.hash), Ok(()));
    state.end_sessions(seconds(600), bob.user, Ending::Logout, ["D1"]);
    let carol = state.add("carol");
    assert_eq!(state.declare(seconds(601), &carol, &lost.hash), Err(Undeclarable::Unknown));
    assert_eq!(state.declare(seconds(601), &carol, &kept.hash), Ok(()));
    state.upload(seconds(700), &alice, set(&["m.sweeps"])).unwrap();
    assert!(!state.sets.knows(&lost.hash), "what nobody needs is thrown away");
    assert!(state.sets.knows(&kept.hash));
}

#[test]
fn a_superseded_union_resolves_for_a_minute() {
    let mut state = state();
    let alice = state.add("alice");
    let phone = state.open(alice.user, "PHONE").unwrap();
    state.put(START, &alice, &set(&["m.a"]));
    state.put(START, &phone, &set(&["m.b"]));
    let union = set(&["m.a", "m.b"]).hash.clone();
    assert_eq!(state.told(&alice).as_ref(), Some(&union));
    state.end_sessions(seconds(10), alice.user, Ending::Logout, ["PHONE"]);
    assert!(state.resolve(seconds(69), alice.user, &union).is_some());
    assert!(state.resolve(seconds(71), alice.user, &union).is_none());
}

#[test]
fn superseded_unions_have_a_bound() {
    let mut state = state();
    let alice = state.add("alice");
    for n in 0..40 {
        state.put(START, &alice, &set(&[&format!("m.n{n}")]));
    }
    assert_eq!(state.users[alice.user.0].superseded.len(), 16);
    for n in 0..4 {
        state.put(START, &alice, &set(&[&"x".repeat((3 << 20) + n)]));
    }
    assert_eq!(state.users[alice.user.0].superseded.len(), 1, "the last one stays, whatever its size");
}

#[test]
fn a_users_sets_are_counted_and_expire() {
    let mut state = state_with(ServerLimits { sets_per_user: 2, ..ServerLimits::default() });
    let (alice, bob) = (state.add("alice"), state.add("bob"));
    let sets = ["m.a", "m.b", "m.c"].map(|name| set(&[name]));
    state.upload(START, &alice, sets[0].clone()).unwrap();
    state.upload(START, &alice, sets[1].clone()).unwrap();
    state.upload(START, &alice, sets[1].clone()).unwrap();
    let refused = state.upload(START, &alice, sets[2].clone()).unwrap_err();
    assert_eq!(refused.errcode, "M_RESOURCE_LIMIT_EXCEEDED");
    state.upload(START, &bob, sets[2].clone()).unwrap();
    state.upload(seconds(601), &alice, sets[2].clone()).unwrap();
}

#[test]
fn all_sets_together_have_a_bound_that_sweeping_frees() {
    let mut state = state_with(ServerLimits { total_set_bytes: 20, ..ServerLimits::default() });
    let alice = state.add("alice");
    state.upload(START, &alice, set(&["m.a"])).unwrap();
    assert!(state.upload(START, &alice, set(&["m.long.name.v1"])).is_err());
    state.upload(seconds(700), &alice, set(&["m.b"])).unwrap();
}

#[test]
fn sessions_users_and_rooms_have_bounds() {
    let mut state =
        state_with(ServerLimits { sessions_per_user: 2, users: 2, rooms: 1, ..ServerLimits::default() });
    let alice = state.add("alice");
    state.open(alice.user, "D2").unwrap();
    assert_eq!(state.open(alice.user, "D3"), Err("M_RESOURCE_LIMIT_EXCEEDED".to_owned()));
    assert!(state.open(alice.user, "D2").is_ok(), "a device that exists may log in again");
    state.add("bob");
    assert!(state.create_user(NewUser { localpart: "carol", password: "", salt: [0; 16] }).is_err());
    state.room("!a:hs", true, &[&alice]);
    let another = NewRoom {
        id: "!b:hs".to_owned(),
        public: true,
        version: RoomVersion::V10,
        name: None,
        alias: None,
        invite: Vec::new(),
    };
    assert!(state.create_room(START, alice.user, another).is_err());
}

#[test]
fn a_room_that_everybody_left_is_gone_and_so_are_its_invitations() {
    let mut state = state();
    let (alice, bob) = (state.add("alice"), state.add("bob"));
    state.room("!a:hs", true, &[&alice]);
    state.invite(START, alice.user, "!a:hs", bob.user).unwrap();
    let seen = state.view(START, bob.user, None);
    assert!(seen.invited.contains_key("!a:hs"));
    state.leave(START, alice.user, "!a:hs").unwrap();
    assert!(state.rooms.is_empty());
    assert!(state.view(START, bob.user, Some(seen.position)).left.contains_key("!a:hs"));
    assert!(state.join(START, bob.user, "!a:hs").is_err());
}

#[test]
fn rooms_left_are_remembered_only_so_many() {
    let mut state = state();
    let alice = state.add("alice");
    for n in 0..100 {
        let id = format!("!{n}:hs");
        state.room(&id, true, &[&alice]);
        state.leave(START, alice.user, &id).unwrap();
    }
    assert_eq!(state.users[alice.user.0].rooms.len(), 64);
    assert!(state.users[alice.user.0].rooms.contains_key("!99:hs"));
}

#[test]
fn a_change_touches_sharers_and_nobody_else() {
    let mut state = state();
    let [alice, bob, invited, stranger] = ["alice", "bob", "invited", "stranger"].map(|name| state.add(name));
    state.room("!a:hs", true, &[&alice, &bob]);
    state.invite(START, alice.user, "!a:hs", invited.user).unwrap();
    state.room("!b:hs", true, &[&stranger, &bob]);
    state.put(START, &alice, &set(&["m.a"]));
    assert_eq!(state.take_touched(), BTreeSet::from([alice.user, bob.user]));
    state.declare(START, &alice, &set(&["m.a"]).hash).unwrap();
    assert_eq!(state.take_touched(), BTreeSet::new(), "nothing has changed");
    state.see(START, bob.user, Availability::Online);
    assert_eq!(state.take_touched(), BTreeSet::from([alice.user, bob.user, stranger.user]));
    state.see(START, bob.user, Availability::Offline);
    assert!(state.take_touched().is_empty(), "syncing as offline says nothing");
}

#[test]
fn only_the_joined_share_a_room() {
    let mut state = state();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| state.add(name));
    state.room("!a:hs", false, &[&alice, &bob]);
    assert!(state.shares_room(bob.user, alice.user));
    assert!(state.join(START, carol.user, "!a:hs").is_err(), "not invited");
    state.invite(START, alice.user, "!a:hs", carol.user).unwrap();
    assert!(!state.shares_room(carol.user, alice.user));
    state.join(START, carol.user, "!a:hs").unwrap();
    assert!(state.shares_room(carol.user, alice.user));
    state.moderate(START, alice.user, "!a:hs", (Member::Local(carol.user), Moderation::Ban)).unwrap();
    assert!(!state.shares_room(carol.user, alice.user));
    assert!(state.join(START, carol.user, "!a:hs").is_err(), "banned");
    assert!(state.moderate(START, bob.user, "!a:hs", (Member::Local(alice.user), Moderation::Kick)).is_err());
    state.leave(START, bob.user, "!a:hs").unwrap();
    assert!(!state.shares_room(alice.user, bob.user));
}

#[test]
fn whoever_begins_to_share_a_room_sees_the_present_value() {
    let mut state = state();
    let (alice, bob) = (state.add("alice"), state.add("bob"));
    state.room("!a:hs", true, &[&alice]);
    state.put(START, &alice, &set(&["m.a"]));
    let before = state.view(START, bob.user, None).position;
    state.join(START, bob.user, "!a:hs").unwrap();
    let view = state.view(START, bob.user, Some(before));
    let hash = &view.presence.iter().find(|event| event["sender"] == "@alice:hs").unwrap()["content"];
    assert_eq!(hash["org.matrix.capability_sets"]["sha256"], *set(&["m.a"]).hash);
    assert!(view.joined.contains_key("!a:hs"));
    assert!(state.view(START, bob.user, Some(view.position)).is_empty());
}

#[test]
fn a_position_from_before_a_restart_is_none() {
    let mut state = state();
    let alice = state.add("alice");
    state.room("!a:hs", true, &[&alice]);
    let view = state.view(START, alice.user, Some(1_000_000));
    assert!(view.joined["!a:hs"]["state"]["events"].as_array().is_some_and(|events| events.len() == 5));
}

#[test]
fn a_deactivated_user_leaves_nothing_but_the_name() {
    let mut state = state();
    let (alice, bob) = (state.add("alice"), state.add("bob"));
    state.room("!a:hs", true, &[&alice, &bob]);
    state.put(START, &alice, &set(&["m.a"]));
    state.deactivate(START, alice.user);
    assert_eq!(state.told(&alice), None);
    assert!(!state.shares_room(alice.user, bob.user));
    assert!(state.tokens.values().all(|session| session.user != alice.user));
    assert_eq!(state.authenticate("alice", "pw").unwrap_err().errcode, "M_FORBIDDEN");
    assert_eq!(state.check_localpart("alice").unwrap_err().errcode, "M_USER_IN_USE");
}

#[test]
fn a_nonce_is_good_once_and_for_a_minute() {
    let mut state = state();
    state.add_nonce(START, "one".to_owned());
    state.add_nonce(START, "two".to_owned());
    assert!(state.take_nonce(seconds(59), "one"));
    assert!(!state.take_nonce(seconds(59), "one"));
    assert!(!state.take_nonce(seconds(61), "two"));
}

#[test]
fn authentications_expire_and_are_counted() {
    let mut state = state_with(ServerLimits { authentications: 2, ..ServerLimits::default() });
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        state.begin_authentication(seconds(n as u64), id.to_owned(), "register");
    }
    assert!(!state.is_authenticating(seconds(3), "a", "register"), "the oldest made way");
    assert!(state.is_authenticating(seconds(3), "b", "register"));
    assert!(!state.is_authenticating(seconds(3), "b", "delete"), "proof for one request is none for another");
    assert!(!state.is_authenticating(seconds(700), "b", "register"));
}

#[test]
fn without_presence_nothing_is_told() {
    let options = Options { presence_enabled: false, ..Options::default() };
    let mut state = State::new(Rules::new(&options, "hs", 0));
    let alice = state.add("alice");
    state.put(START, &alice, &set(&["m.a"]));
    state.set_presence(START, alice.user, Availability::Online, None);
    assert_eq!(state.told(&alice), None);
    assert!(state.view(START, alice.user, Some(0)).is_empty());
}
