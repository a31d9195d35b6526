//! What happens by itself: when presence is told that is told late, and when idle sessions are disconnected.

use std::sync::Arc;
use std::time::Duration;

use super::passing::{GROUPS, group};
use super::tests::set;
use super::{Rules, Session, State, UserKey, Way};
use crate::reference::arithmetic::Set;
use crate::reference::options::Options;
use crate::reference::variants::Variant;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn state(variants: &[Variant]) -> State {
    let options = Options::default().taking(variants.iter().copied().collect());
    State::new(Rules::new(&options, "hs", 1_000))
}

/// A user with viewers of every group, all in one room.
fn company(state: &mut State) -> (Session, Vec<Session>) {
    let alice = state.add("alice");
    let viewers: Vec<Session> = (0..GROUPS).map(|n| state.add(&format!("viewer{n}"))).collect();
    let all: Vec<&Session> = std::iter::once(&alice).chain(&viewers).collect();
    state.room("!a:hs", true, &all);
    (alice, viewers)
}

/// Which viewers have news of a user since a position.
fn told(state: &State, viewers: &[Session], since: u64) -> Vec<usize> {
    let has_news = |viewer: &Session| !state.view(ms(0), viewer.user, Some(since)).presence.is_empty();
    viewers.iter().filter(|viewer| has_news(viewer)).map(|viewer| group(viewer.user)).collect()
}

fn hash(state: &State, now: Duration, user: UserKey, way: Way) -> Option<String> {
    let content = state.presence_content(now, user, way);
    content["org.matrix.capability_sets"]["sha256"].as_str().map(str::to_owned)
}

fn two_sets() -> [Arc<Set>; 2] {
    [set(&["m.one"]), set(&["m.two"])]
}

#[test]
fn presence_goes_out_at_once_unless_it_may_not() {
    let mut state = state(&[]);
    let (alice, viewers) = company(&mut state);
    let since = state.position;
    state.put(ms(1_000), &alice, &two_sets()[0]);
    assert_eq!(told(&state, &viewers, since).len(), GROUPS);
    assert_eq!(state.due(), None);
}

#[test]
fn late_presence_reaches_one_group_after_the_other_and_wakes_whom_it_reaches() {
    let mut state = state(&[Variant::PresenceLate]);
    let (alice, viewers) = company(&mut state);
    let since = state.position;
    state.put(ms(1_000), &alice, &two_sets()[0]);
    state.take_touched();
    let mut seen = Vec::new();
    while let Some(due) = state.due() {
        assert!(due >= ms(1_250), "{due:?}");
        state.pass(due);
        assert!(state.take_touched().contains(&viewers[0].user));
        seen.push(told(&state, &viewers, since).len());
    }
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn whoever_asks_in_between_is_still_told() {
    let mut state = state(&[Variant::PresenceLate]);
    let (alice, viewers) = company(&mut state);
    state.put(ms(1_000), &alice, &two_sets()[0]);
    // The first group has been told; a position that the others get now lies before what they are told.
    state.pass(ms(1_250));
    let between = state.view(ms(1_250), viewers[0].user, None).position;
    state.pass(ms(5_000));
    assert_eq!(told(&state, &viewers, between).len(), GROUPS - 1);
}

#[test]
fn batches_go_out_together_and_on_the_tick() {
    let mut state = state(&[Variant::PresenceBatched]);
    let (alice, viewers) = company(&mut state);
    let since = state.position;
    let [one, two] = two_sets();
    state.put(ms(1_010), &alice, &one);
    state.put(ms(1_190), &alice, &two);
    state.pass(ms(1_199));
    assert!(told(&state, &viewers, since).is_empty());
    assert_eq!(state.due(), Some(ms(1_200)));
    state.pass(ms(1_200));
    assert_eq!(told(&state, &viewers, since).len(), GROUPS);
    assert_eq!(state.due(), None);
}

/// What a way tells of a second declaration at two times after it: 0 nothing, 1 the first set, 2 the second.
fn second_of_two(variant: Option<Variant>, way: Way) -> [usize; 2] {
    let mut state = state(variant.as_slice());
    let alice = state.add("alice");
    let sets = two_sets();
    state.put(ms(1_000), &alice, &sets[0]);
    state.put(ms(5_000), &alice, &sets[1]);
    [ms(5_249), ms(5_250)].map(|now| {
        let told = hash(&state, now, alice.user, way);
        sets.iter().position(|set| Some(&set.hash) == told.as_ref()).map_or(0, |at| at + 1)
    })
}

#[test]
fn who_may_read_an_old_hash_reads_the_one_before_for_a_while() {
    for (variant, late) in [
        (Variant::StatusLate, Way::Status),
        (Variant::OwnStatusLate, Way::OwnStatus),
        (Variant::PresenceLate, Way::InitialSync),
    ] {
        for way in [Way::Status, Way::OwnStatus, Way::InitialSync, Way::IncrementalSync, Way::Federation] {
            assert_eq!(second_of_two(None, way), [2, 2], "{way:?}");
            let expected = if way == late { [1, 2] } else { [2, 2] };
            assert_eq!(second_of_two(Some(variant), way), expected, "{variant}, {way:?}");
        }
    }
}

#[test]
fn what_came_after_nothing_is_nothing_for_a_while() {
    let mut state = state(&[Variant::StatusLate]);
    let alice = state.add("alice");
    let [one, two] = two_sets();
    state.put(ms(1_000), &alice, &one);
    state.withdraw(ms(5_000), alice.user, |_| true);
    state.put(ms(9_000), &alice, &two);
    assert_eq!(hash(&state, ms(9_100), alice.user, Way::Status), None);
}

#[test]
fn a_young_union_may_not_resolve_yet_while_the_one_before_does() {
    for (variant, young) in [(None, true), (Some(Variant::ResolveLate), false)] {
        let mut state = state(variant.as_slice());
        let alice = state.add("alice");
        let [one, two] = two_sets();
        state.put(ms(1_000), &alice, &one);
        assert!(state.resolve(ms(1_250), alice.user, &one.hash).is_some());
        state.put(ms(5_000), &alice, &two);
        state.users[alice.user.0].uploads.clear();
        assert_eq!(state.resolve(ms(5_249), alice.user, &two.hash).is_some(), young, "{variant:?}");
        assert!(state.resolve(ms(5_249), alice.user, &one.hash).is_some());
        assert!(state.resolve(ms(5_250), alice.user, &two.hash).is_some());
    }
}

#[test]
fn idle_sessions_are_disconnected_and_those_that_ask_are_not() {
    for (variant, stays) in [(None, true), (Some(Variant::SessionsEnd), false)] {
        let mut state = state(variant.as_slice());
        let alice = state.add("alice");
        let set = &two_sets()[0];
        state.put(ms(1_000), &alice, set);
        let token = state.users[alice.user.0].devices["D1"].token.clone();
        for now in [1_000, 2_000, 3_000] {
            state.pass(ms(now));
            assert_eq!(state.session(ms(now), &token), Some(alice.clone()));
        }
        state.pass(ms(4_400));
        assert!(hash(&state, ms(4_400), alice.user, Way::Status).is_some());
        state.pass(ms(4_600));
        assert_eq!(hash(&state, ms(4_600), alice.user, Way::Status).is_some(), stays, "{variant:?}");
        assert_eq!(state.due(), None);
        // The session itself goes on, and is connected again as soon as it declares.
        let session = state.session(ms(5_000), &token).unwrap();
        assert_eq!(state.declare(ms(5_000), &session, &set.hash), Ok(()));
        assert!(hash(&state, ms(5_000), alice.user, Way::Status).is_some());
    }
}
