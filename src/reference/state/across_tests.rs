//! Rooms and presence across homeservers, as transitions by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ruma_signatures::Ed25519KeyPair;
use serde_json::{Value, json};

use super::tests::{set, state};
use super::{Kind, Member, Moderation, NewRoom, Session, State, Way};
use crate::reference::errors::MatrixError;
use crate::reference::federation::pdu::{Draft, Pdu, RoomVersion, Signer};

const START: Duration = Duration::ZERO;
const ROOM: &str = "!room:hs";
const FIELD: &str = "org.matrix.capability_sets";

fn signer(name: &str) -> Signer {
    let key = Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), "1".to_owned()).unwrap();
    Signer::new(name, Arc::new(key))
}

/// A homeserver that federates, with a user and a room.
fn federated(public: bool) -> (State, Session) {
    let mut state = state();
    state.federate(signer("hs"));
    let alice = state.add("alice");
    let room = NewRoom {
        id: ROOM.to_owned(),
        public,
        version: RoomVersion::V11,
        name: None,
        alias: None,
        invite: Vec::new(),
    };
    state.create_room(START, alice.user, room).unwrap();
    (state, alice)
}

fn server(user_id: &str) -> &str {
    user_id.split_once(':').unwrap().1
}

/// A member event, placed where an offered one was or anywhere.
fn member(offered: &Value, (sender, subject): (&str, &str), membership: &str) -> Pdu {
    let ids = |name: &str| serde_json::from_value(offered[name].clone()).unwrap_or_default();
    let draft = Draft {
        room_id: offered["room_id"].as_str().unwrap_or(ROOM),
        sender,
        kind: "m.room.member",
        state_key: subject,
        content: json!({ "membership": membership }),
        prev_events: ids("prev_events"),
        auth_events: ids("auth_events"),
        depth: offered["depth"].as_u64().unwrap_or(100),
        sent_ms: 1,
    };
    signer(server(sender)).sign(RoomVersion::V11, &draft).unwrap()
}

impl State {
    /// A guest joins or leaves, by the event that is offered.
    fn moves(&mut self, user: &str, kind: Kind) -> Result<super::across::Admission, MatrixError> {
        let (_, offered) = self.offer(START, ROOM, user, kind)?;
        self.admit(START, member(&offered, (user, user), kind.word()))
    }

    /// An event of a guest's homeserver comes in a transaction.
    fn receives(&mut self, (sender, subject): (&str, &str), membership: &str) -> Result<(), MatrixError> {
        self.receive_event(START, server(sender), member(&json!({}), (sender, subject), membership))
    }

    /// All that waits for a homeserver: events by their subjects and memberships, and whose presence.
    fn sent_to(&mut self, server: &str) -> (Vec<String>, Vec<String>) {
        let (mut events, mut presence) = (Vec::new(), Vec::new());
        while let Some(transaction) = self.next_transaction(START, server) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            for pdu in transaction.body["pdus"].as_array().unwrap() {
                events.push(format!("{} {}", text(&pdu["state_key"]), text(&pdu["content"]["membership"])));
            }
            for entry in transaction.body["edus"][0]["content"]["push"].as_array().into_iter().flatten() {
                presence.push(text(&entry["user_id"]));
            }
        }
        (events, presence)
    }

    fn guest_hash(&self, viewer: &Session, guest: &str) -> Option<Value> {
        self.guest_status(START, viewer.user, guest).map(|content| content[FIELD]["sha256"].clone())
    }
}

fn entry(user: &str, hash: &str) -> Value {
    json!({ "user_id": user, "presence": "online", FIELD: { "sha256": hash } })
}

#[test]
fn a_guest_gets_the_state_and_all_that_it_rests_on() {
    let (mut state, alice) = federated(true);
    let bob = state.add("bob");
    for _ in 0..3 {
        state.join(START, bob.user, ROOM).unwrap();
        state.leave(START, bob.user, ROOM).unwrap();
    }
    let admission = state.moves("@carol:c", Kind::Joined).unwrap();
    let named = |events: &[Value]| -> BTreeSet<String> {
        events
            .iter()
            .map(|event| Pdu::read(RoomVersion::V11, event.clone()).unwrap().id().to_string())
            .collect()
    };
    let known: BTreeSet<String> = &named(&admission.state) | &named(&admission.auth_chain);
    let rests_on = admission.state.iter().chain(&admission.auth_chain);
    let rests_on: BTreeSet<String> = rests_on
        .flat_map(|event| event["auth_events"].as_array().unwrap())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    assert!(rests_on.is_subset(&known));
    let types: BTreeSet<&str> = admission.state.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for kind in ["create", "join_rules", "power_levels", "history_visibility", "member"] {
        assert!(types.contains(format!("m.room.{kind}").as_str()), "{kind}");
    }
    let depths: BTreeSet<u64> = admission
        .state
        .iter()
        .chain(&admission.auth_chain)
        .map(|event| event["depth"].as_u64().unwrap())
        .collect();
    assert_eq!(depths.len(), known.len(), "every event is deeper than the ones before");
    assert_eq!(state.joined_members(alice.user, ROOM).unwrap().len(), 2);
    assert!(state.server_shares_room("c", alice.user) && !state.server_shares_room("c", bob.user));
    assert!(state.shares_room_with_remote(alice.user, "@carol:c"));
    state.moves("@carol:c", Kind::Left).unwrap();
    assert!(!state.server_shares_room("c", alice.user));
    assert!(!state.shares_room_with_remote(alice.user, "@carol:c"));
}

fn error<T: std::fmt::Debug>(result: Result<T, MatrixError>) -> String {
    result.unwrap_err().errcode.into_owned()
}

#[test]
fn whoever_may_not_come_does_not_get_in() {
    let (mut state, alice) = federated(false);
    assert_eq!(error(state.moves("@carol:c", Kind::Joined)), "M_FORBIDDEN");
    assert_eq!(
        error(state.admit(START, member(&json!({}), ("@carol:c", "@carol:c"), "join"))),
        "M_FORBIDDEN"
    );
    assert_eq!(error(state.offer(START, "!other:hs", "@carol:c", Kind::Joined)), "M_NOT_FOUND");
    let (invite, _) = state.draft_invite(START, alice.user, ROOM, &"@carol:c".into()).unwrap().unwrap();
    state.invite_guest(START, invite).unwrap();
    assert!(!state.shares_room_with_remote(alice.user, "@carol:c"), "only invited");
    state.moves("@carol:c", Kind::Joined).unwrap();
    let carol = Member::Guest("@carol:c".into());
    state.moderate(START, alice.user, ROOM, (carol.clone(), Moderation::Ban)).unwrap();
    assert_eq!(state.sent_to("c").0, ["@carol:c ban"], "whom it concerns is told");
    assert_eq!(error(state.moves("@carol:c", Kind::Joined)), "M_FORBIDDEN");
    state.moderate(START, alice.user, ROOM, (carol, Moderation::Unban)).unwrap();
    assert_eq!(error(state.moves("@carol:c", Kind::Joined)), "M_FORBIDDEN", "no longer invited");
    state.leave(START, alice.user, ROOM).unwrap();
    assert_eq!(error(state.offer(START, ROOM, "@carol:c", Kind::Joined)), "M_NOT_FOUND");
}

#[test]
fn the_other_homeservers_in_a_room_hear_of_every_member() {
    let (mut state, alice) = federated(true);
    state.moves("@bob:b", Kind::Joined).unwrap();
    assert_eq!(state.sent_to("b"), (vec![], vec!["@alice:hs".to_owned()]));
    state.moves("@carol:c", Kind::Joined).unwrap();
    assert_eq!(state.sent_to("b"), (vec!["@carol:c join".to_owned()], vec![]));
    assert_eq!(state.sent_to("c"), (vec![], vec!["@alice:hs".to_owned()]), "not its own user's event");
    state.moves("@cara:c", Kind::Joined).unwrap();
    assert_eq!(state.sent_to("c"), (vec![], vec![]), "it has been told already");
    let dave = state.add("dave");
    state.join(START, dave.user, ROOM).unwrap();
    let about_dave = (vec!["@dave:hs join".to_owned()], vec!["@dave:hs".to_owned()]);
    assert_eq!(state.sent_to("c"), about_dave);
    state.sent_to("b");
    state.moves("@bob:b", Kind::Left).unwrap();
    state.sent_to("c");
    state.put(START, &alice, &set(&["m.a"]));
    assert_eq!(state.sent_to("b"), (vec![], vec![]), "whoever has left is told nothing more");
    assert_eq!(state.sent_to("c"), (vec![], vec!["@alice:hs".to_owned()]));
    state.deactivate(START, dave.user);
    assert_eq!(state.sent_to("c").0, ["@dave:hs leave"]);
    assert!(!state.has_mail());
}

#[test]
fn of_what_waits_events_keep_their_order_and_presence_its_last_value() {
    let (mut state, alice) = federated(true);
    state.moves("@bob:b", Kind::Joined).unwrap();
    let users: Vec<Session> = (0..60).map(|n| state.add(&format!("u{n}"))).collect();
    for user in &users {
        state.join(START, user.user, ROOM).unwrap();
    }
    state.put(START, &alice, &set(&["m.a"]));
    state.put(START, &alice, &set(&["m.b"]));
    assert!(state.has_mail());
    assert_eq!(state.take_destinations(8), ["b"]);
    assert!(!state.has_mail() && state.take_destinations(8).is_empty(), "one at a time");
    let first = state.next_transaction(START, "b").unwrap();
    assert_eq!(first.body["pdus"].as_array().unwrap().len(), 50);
    assert_eq!(first.body["edus"], json!([]), "presence follows the events");
    let second = state.next_transaction(START, "b").unwrap();
    assert_ne!(first.id, second.id);
    let pdus = |transaction: &super::Transaction| transaction.body["pdus"].as_array().unwrap().clone();
    let order: Vec<Value> = [pdus(&first), pdus(&second)].concat();
    for (n, pdu) in order.iter().enumerate() {
        assert_eq!(pdu["state_key"], format!("@u{n}:hs"));
    }
    let push = second.body["edus"][0]["content"]["push"].as_array().unwrap();
    let about: Vec<_> = push.iter().filter(|entry| entry["user_id"] == "@alice:hs").collect();
    assert_eq!(about.len(), 1);
    assert_eq!(about[0][FIELD]["sha256"], *set(&["m.b"]).hash);
    assert_eq!(state.next_transaction(START, "b"), None);
    state.put(START, &alice, &set(&["m.c"]));
    assert!(state.has_mail(), "and it begins anew");
    state.give_up("b");
    assert!(!state.has_mail());
}

#[test]
fn events_that_come_in_are_weighed() {
    let (mut state, alice) = federated(true);
    state.moves("@bob:b", Kind::Joined).unwrap();
    state.moves("@carol:c", Kind::Joined).unwrap();
    let forbidden = [
        ("@eve:e", "@eve:e", "join"),
        ("@bob:b", "@carol:c", "leave"),
        ("@bob:b", "@alice:hs", "leave"),
        ("@bob:b", "@alice:hs", "ban"),
        ("@bob:b", "@ben:b", "join"),
        ("@ben:b", "@ben:b", "leave"),
        ("@ben:b", "@dora:d", "invite"),
        ("@alice:hs", "@bob:b", "ban"),
    ];
    for (sender, subject, membership) in forbidden {
        let refused = state.receives((sender, subject), membership).unwrap_err();
        assert_eq!(refused.errcode, "M_FORBIDDEN", "{sender} {subject} {membership}");
    }
    assert!(state.receives(("@bob:b", "@bob:b"), "dance").is_err());
    assert!(state.receives(("@bob:b", "@nobody:hs"), "invite").is_err());
    state.receives(("@ben:b", "@ben:b"), "join").unwrap();
    state.receives(("@bob:b", "@bob:b"), "leave").unwrap();
    assert_eq!(state.joined_members(alice.user, ROOM).unwrap().len(), 3);
    let stale = member(&json!({ "depth": 3 }), ("@bob:b", "@bob:b"), "join");
    state.receive_event(START, "b", stale).unwrap();
    assert_eq!(state.joined_members(alice.user, ROOM).unwrap().len(), 3, "it is older than the leave");
    let again = member(&json!({ "depth": 101 }), ("@bob:b", "@bob:b"), "join");
    for _ in 0..2 {
        state.receive_event(START, "b", again.clone()).unwrap();
    }
    assert_eq!(state.joined_members(alice.user, ROOM).unwrap().len(), 4);
}

#[test]
fn presence_that_comes_in_is_shown_to_whom_it_concerns() {
    let (mut state, alice) = federated(true);
    let stranger = state.add("stranger");
    let (one, two) = (set(&["m.one"]).hash.clone(), set(&["m.two"]).hash.clone());
    // It may come before the room is known; it is nobody's business then.
    state.receive_presence(START, "b", &[entry("@bob:b", &one)]);
    assert_eq!(state.guest_hash(&alice, "@bob:b"), None);
    let since = state.view(START, alice.user, None).position;
    state.moves("@bob:b", Kind::Joined).unwrap();
    assert_eq!(state.guest_hash(&alice, "@bob:b"), Some(json!(one)));
    assert_eq!(state.view(START, alice.user, Some(since)).presence.len(), 1);
    assert_eq!(state.guest_hash(&stranger, "@bob:b"), None);
    state.take_touched();
    state.receive_presence(START, "b", &[json!(1), json!({}), entry("@bob:b", &two), entry("bob", &one)]);
    assert_eq!(state.take_touched(), BTreeSet::from([alice.user]));
    assert_eq!(state.guest_hash(&alice, "@bob:b"), Some(json!(two)));
    let since = state.view(START, alice.user, None).position;
    state.receive_presence(START, "b", &[entry("@bob:b", &two)]);
    assert!(state.take_touched().is_empty(), "nothing has changed");
    assert!(state.view(START, alice.user, Some(since)).presence.is_empty());
    state.receive_presence(START, "c", &[entry("@bob:b", &one), entry("@alice:hs", &one)]);
    assert_eq!(state.guest_hash(&alice, "@bob:b"), Some(json!(two)));
    assert_eq!(state.presence_content(START, alice.user, Way::Status).get(FIELD), None);
    // Who has left is forgotten.
    state.moves("@bob:b", Kind::Left).unwrap();
    state.moves("@bob:b", Kind::Joined).unwrap();
    assert_eq!(state.guest_hash(&alice, "@bob:b"), Some(Value::Null));
}

/// The room of another homeserver, as it describes it.
fn described(version: RoomVersion) -> Vec<Pdu> {
    let host = signer("b");
    let event = |kind: &str, state_key: &str, content: Value| {
        let draft = Draft {
            room_id: "!theirs:b",
            sender: "@bob:b",
            kind,
            state_key,
            content,
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
            sent_ms: 1,
        };
        host.sign(version, &draft).unwrap()
    };
    vec![
        event("m.room.create", "", version.create_content("@bob:b")),
        event("m.room.join_rules", "", json!({ "join_rule": "public" })),
        event("m.room.member", "@bob:b", json!({ "membership": "join" })),
        event("m.room.member", "@left:b", json!({ "membership": "leave" })),
        event("m.room.member", "@victim:hs", json!({ "membership": "join" })),
        event("m.room.topic", "", json!({ "topic": "whatever" })),
    ]
}

#[test]
fn a_room_elsewhere_is_entered_as_its_homeserver_describes_it() {
    let mut state = state();
    state.federate(signer("hs"));
    let (alice, victim) = (state.add("alice"), state.add("victim"));
    let join = || member(&json!({ "room_id": "!theirs:b", "depth": 9 }), ("@alice:hs", "@alice:hs"), "join");
    let enter = |state: &mut State, described: Vec<Pdu>| {
        state.enter(START, alice.user, join(), RoomVersion::V11, described).map_err(|error| error.status)
    };
    assert_eq!(enter(&mut state, Vec::new()), Err(502));
    assert_eq!(enter(&mut state, described(RoomVersion::V10)), Err(502), "another version than was said");
    assert!(state.rooms.is_empty());
    enter(&mut state, described(RoomVersion::V11)).unwrap();
    let members = state.joined_members(alice.user, "!theirs:b").unwrap();
    assert_eq!(members, ["@alice:hs".into(), "@bob:b".into()]);
    assert!(state.joined_rooms(victim.user).is_empty(), "nobody else can say where our users are");
    assert_eq!(state.sent_to("b"), (vec![], vec!["@alice:hs".to_owned()]));
    // Others of ours join what is known here, and their homeserver tells the others.
    state.join(START, victim.user, "!theirs:b").unwrap();
    assert_eq!(state.sent_to("b"), (vec!["@victim:hs join".to_owned()], vec!["@victim:hs".to_owned()]));
    assert!(state.offer(START, "!theirs:b", "@carol:c", Kind::Joined).is_err(), "it is not ours to offer");
    for user in [&alice, &victim] {
        state.leave(START, user.user, "!theirs:b").unwrap();
    }
    assert_eq!(state.sent_to("b").0, ["@alice:hs leave", "@victim:hs leave"]);
    assert!(state.rooms.is_empty() && !state.knows_remote("@bob:b"));
}

#[test]
fn an_invitation_from_elsewhere_is_a_room_that_nobody_is_in() {
    let mut state = state();
    state.federate(signer("hs"));
    let (alice, ben) = (state.add("alice"), state.add("ben"));
    let invite = |to: &str| member(&json!({ "room_id": "!theirs:b" }), ("@bob:b", to), "invite");
    let shown = [
        json!({ "type": "m.room.name", "state_key": "", "sender": "@bob:b", "content": { "name": "Theirs" } }),
        json!({ "type": "m.room.name", "state_key": 1 }),
        json!("nonsense"),
    ];
    for user in ["@alice:hs", "@ben:hs"] {
        state.receive_invite(START, invite(user), RoomVersion::V11, &shown).unwrap();
    }
    assert!(state.receive_invite(START, invite("@nobody:hs"), RoomVersion::V11, &shown).is_err());
    let seen = state.view(START, alice.user, None);
    assert!(seen.invited["!theirs:b"].to_string().contains("Theirs"));
    assert!(state.is_invited_elsewhere(alice.user, "!theirs:b"));
    assert!(!state.shares_room_with_remote(alice.user, "@bob:b"));
    assert!(state.join(START, alice.user, "!theirs:b").is_err(), "not without its homeserver");
    assert_eq!(state.begin_visit(alice.user, "!theirs:b", Vec::new()).unwrap().hosts, ["b"]);
    state.leave(START, ben.user, "!theirs:b").unwrap();
    assert!(!state.has_mail(), "whoever is not in a room says nothing in it");
    let join = member(&json!({ "room_id": "!theirs:b" }), ("@alice:hs", "@alice:hs"), "join");
    state.enter(START, alice.user, join, RoomVersion::V11, described(RoomVersion::V11)).unwrap();
    assert!(state.shares_room_with_remote(alice.user, "@bob:b"));
    state.leave(START, alice.user, "!theirs:b").unwrap();
    assert!(state.rooms.is_empty());
}

#[test]
fn events_that_come_before_the_answer_are_kept_for_it() {
    let mut state = state();
    let event = json!({ "room_id": "!theirs:b" });
    assert!(!state.keep_early("!theirs:b", "b", &event), "nobody is on the way there");
    state.expect_early("!theirs:b");
    let kept = (0..200).filter(|_| state.keep_early("!theirs:b", "b", &event)).count();
    assert_eq!(state.take_early("!theirs:b").len(), kept);
    assert_eq!(kept, 100);
    assert!(!state.keep_early("!theirs:b", "b", &event));
}
