//! Races, each with what orders explain of it.

use crate::spec::history::{Act, Which};
use crate::spec::model::tests::{accepted, alice, bob, has, sharers};

use super::*;

/// An act that began and ended then, in milliseconds.
fn done(act: Act, (began, ended): (u64, u64), answer: Answer) -> Done {
    let (began, ended) = (Duration::from_millis(began), Duration::from_millis(ended));
    Done { act, hash: None, began, ended, answer }
}

fn ok(act: Act, when: (u64, u64)) -> Done {
    done(act, when, Answer::Accepted)
}

fn declare(device: usize, set: usize) -> Act {
    Act::Declare { by: alice(device), set }
}

fn status() -> Act {
    Act::ReadStatus { by: bob(0), of: Whom::User(0) }
}

/// Alice, whose phone and laptop have uploaded A, B and C.
fn uploaded() -> Model {
    let mut model = sharers();
    let uploads = (0..3).map(|set| Act::Upload { by: alice(0), set });
    accepted(&mut model, uploads.chain([Act::LogIn { user: 0, device: 1 }]));
    model
}

/// What comes of lanes, with a settling time of 100 ms and everything before them long settled.
fn run(world: &Model, lanes: &[Vec<Done>]) -> Result<Explained, Unexplained> {
    let mut timeline = Timeline::default();
    timeline.follow(std::slice::from_ref(world), Duration::ZERO, Duration::ZERO);
    let race = Race {
        worlds: std::slice::from_ref(world),
        lanes,
        settle: Duration::from_millis(100),
        timeline: &timeline,
        lapsed: &BTreeSet::new(),
    };
    explain(&race)
}

fn blamed(ran: Result<Explained, Unexplained>) -> (&'static str, String) {
    match ran {
        Err(Unexplained::Violated { requirement, words, .. }) => (requirement, words),
        other => panic!("nothing is blamed: {other:?}"),
    }
}

fn hash(world: &Model, sets: &[usize]) -> Answer {
    match presence_of(world, sets) {
        Presence::Union(hash) => Answer::Hash(hash.to_string()),
        Presence::Nothing => Answer::NoHash,
    }
}

fn presence_of(world: &Model, sets: &[usize]) -> Presence {
    crate::spec::model::presence(world.union(sets.iter().copied()).as_ref())
}

/// What may be in force at the end, sorted.
fn ends(explained: &Explained) -> BTreeSet<Presence> {
    explained.worlds.iter().map(|world| world.in_force(0)).collect()
}

#[test]
fn of_two_declares_of_one_session_either_stands() {
    let world = uploaded();
    let lanes = [vec![ok(declare(0, 0), (1000, 1010))], vec![ok(declare(0, 1), (1005, 1015))]];
    let explained = run(&world, &lanes).unwrap();
    let both = BTreeSet::from([presence_of(&world, &[0]), presence_of(&world, &[1])]);
    assert_eq!(ends(&explained), both);
    let left = settle(&explained.worlds, &status(), &hash(&world, &[1])).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].in_force(0), presence_of(&world, &[1]));
    // What was answered before the other began comes before it.
    let apart = [vec![ok(declare(0, 0), (1000, 1010))], vec![ok(declare(0, 1), (1011, 1015))]];
    assert_eq!(ends(&run(&world, &apart).unwrap()), BTreeSet::from([presence_of(&world, &[1])]));
}

#[test]
fn a_lost_update_is_no_end() {
    let world = uploaded();
    let lanes = [vec![ok(declare(0, 0), (1000, 1010))], vec![ok(declare(1, 1), (1005, 1015))]];
    let explained = run(&world, &lanes).unwrap();
    assert_eq!(ends(&explained), BTreeSet::from([presence_of(&world, &[0, 1])]));
    let lost = settle(&explained.worlds, &status(), &hash(&world, &[1])).unwrap_err();
    assert_eq!(lost.requirement, "union.of-all");
}

#[test]
fn a_declare_beside_the_logout_of_its_session_is_accepted_or_too_late() {
    let world = uploaded();
    for answer in [Answer::Accepted, Answer::DeadToken] {
        let lanes = [
            vec![done(declare(1, 1), (1000, 1010), answer)],
            vec![ok(Act::LogOut { by: alice(1) }, (1005, 1015))],
        ];
        assert_eq!(ends(&run(&world, &lanes).unwrap()), BTreeSet::from([Presence::Nothing]));
    }
    let early = [
        vec![done(declare(1, 1), (1000, 1004), Answer::DeadToken)],
        vec![ok(Act::LogOut { by: alice(1) }, (1005, 1015))],
    ];
    assert_eq!(blamed(run(&world, &early)).0, "auth.dead-token");
}

#[test]
fn a_declare_beside_the_upload_of_its_set_is_accepted_or_refused() {
    let world = sharers();
    let upload = |when| vec![ok(Act::Upload { by: alice(0), set: 0 }, when)];
    for answer in [Answer::Accepted, Answer::Refused] {
        let lanes = [upload((1000, 1010)), vec![done(declare(0, 0), (1005, 1015), answer.clone())]];
        let end = if answer == Answer::Accepted { vec![0] } else { vec![] };
        assert_eq!(ends(&run(&world, &lanes).unwrap()), BTreeSet::from([presence_of(&world, &end)]));
    }
    let late = [upload((1000, 1004)), vec![done(declare(0, 0), (1005, 1015), Answer::Refused)]];
    let (requirement, words) = blamed(run(&world, &late));
    assert_eq!(requirement, "upload.accept-after-upload");
    assert_eq!(
        words,
        "no order explains that alice's phone declares A and is answered the refusal; \
         from 0.0 to 4.0 ms alice's phone uploads A: 200; \
         from 5.0 to 15.0 ms alice's phone declares A: the refusal"
    );
}

#[test]
fn a_read_shows_what_some_order_had_in_force_lately() {
    let mut world = uploaded();
    accepted(&mut world, [declare(0, 0)]);
    let lanes = |read: Answer| {
        let read = done(status(), (1012, 1014), read);
        [vec![ok(declare(0, 1), (1000, 1010))], vec![ok(declare(1, 2), (1005, 1015))], vec![read]]
    };
    for seen in [&[0][..], &[1], &[0, 2], &[1, 2]] {
        assert!(run(&world, &lanes(hash(&world, seen))).is_ok(), "{seen:?}");
    }
    assert_eq!(blamed(run(&world, &lanes(hash(&world, &[2])))).0, "union.of-all");
    // Of what was in force longer ago than that, nothing is shown.
    let late =
        [vec![ok(declare(0, 1), (1000, 1010))], vec![done(status(), (1111, 1112), hash(&world, &[0]))]];
    assert_eq!(blamed(run(&world, &late)).0, "union.redeclare-replaces");
}

#[test]
fn what_has_just_come_into_force_may_not_resolve_yet() {
    let mut world = uploaded();
    accepted(&mut world, [declare(0, 0)]);
    let resolve = Act::Resolve { by: bob(0), of: Whom::User(0), what: Which::InForce };
    let served = |set: usize| Answer::Set(world.known(set).unwrap().hash().to_string());
    let lanes = |asked: usize, answer: Answer, at: u64| {
        let hash = world.hash_asked(Whom::User(0), Which::Set(asked));
        let read = Done { hash, ..done(resolve.clone(), (at, at + 1), answer) };
        [vec![ok(declare(0, 1), (1000, 1010))], vec![read]]
    };
    let no = Answer::Rejected(404, Some("M_NOT_FOUND".to_owned()));
    for asked in [0, 1] {
        for answer in [served(asked), no.clone()] {
            assert!(run(&world, &lanes(asked, answer.clone(), 1005)).is_ok(), "{asked}: {answer:?}");
        }
        // What was asked for, and nothing else.
        for other in [1 - asked, 2] {
            assert_eq!(blamed(run(&world, &lanes(asked, served(other), 1005))).0, "resolve.verifies");
        }
    }
    assert_eq!(blamed(run(&world, &lanes(1, no, 1200))).0, "resolve.hash-and-user");
}

#[test]
fn what_resolves_is_what_was_asked_for_however_long_that_took() {
    let mut world = uploaded();
    accepted(&mut world, [declare(0, 0)]);
    let no = Answer::Rejected(404, Some("M_NOT_FOUND".to_owned()));
    let run = |asked: usize, answer: Answer| {
        let resolve = Act::Resolve { by: bob(0), of: Whom::User(0), what: Which::InForce };
        let hash = world.hash_asked(Whom::User(0), Which::Set(asked));
        // Kept waiting by a 429: when it is sent, A has been superseded twice, and that has settled.
        let read = Done { hash, ..done(resolve, (1400, 1500), answer) };
        let declares = vec![ok(declare(0, 1), (1000, 1010)), ok(declare(0, 2), (1020, 1030))];
        run(&world, &[declares, vec![read]])
    };
    let served = |set: usize| Answer::Set(world.known(set).unwrap().hash().to_string());
    assert!(run(0, served(0)).is_ok() && run(0, no.clone()).is_ok());
    assert_eq!(blamed(run(0, served(2))).0, "resolve.verifies");
    // What has been in force throughout is served.
    assert!(run(2, served(2)).is_ok());
    assert_eq!(blamed(run(2, no)).0, "resolve.hash-and-user");
}

#[test]
fn of_the_same_act_in_two_lanes_the_one_is_blamed_that_is_answered_wrongly() {
    let world = uploaded();
    let broken = done(declare(0, 0), (1000, 1010), Answer::Broken("500".to_owned()));
    let lanes = [vec![ok(declare(0, 0), (1000, 1010))], vec![ok(declare(0, 1), (1000, 1010)), broken]];
    let Err(Unexplained::Violated { lane, index, .. }) = run(&world, &lanes) else { panic!() };
    assert_eq!((lane, index), (1, 1));
}

#[test]
fn a_should_is_blamed_where_it_explains_as_much() {
    let mut world = sharers();
    accepted(&mut world, [Act::Upload { by: bob(0), set: 0 }]);
    let lanes = [
        vec![done(declare(0, 0), (1000, 1010), Answer::Refused)],
        vec![ok(
            Act::SetStatus { by: bob(0), presence: crate::spec::history::Availability::Online, forged: None },
            (1000, 1010),
        )],
    ];
    assert_eq!(blamed(run(&world, &lanes)).0, "upload.known-from-others");
}

#[test]
fn orders_that_come_to_the_same_are_searched_once() {
    let mut world = sharers();
    accepted(&mut world, (1..4).map(|device| Act::LogIn { user: 0, device }));
    let lane = |device: usize| -> Vec<Done> {
        let acts = has(alice(device), device).into_iter().cycle().take(4);
        acts.map(|act| ok(act, (1000, 1010))).collect()
    };
    let lanes: Vec<Vec<Done>> = (0..4).map(lane).collect();
    // 16 acts, of which there are 63 million orders.
    let explained = run(&world, &lanes).unwrap();
    assert_eq!(ends(&explained), BTreeSet::from([presence_of(&world, &[0, 1, 2, 3])]));
    assert!(explained.passing.contains(&(Whom::User(0), presence_of(&world, &[0, 2]))));
}
