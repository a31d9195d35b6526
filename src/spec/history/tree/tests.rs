use proptest::strategy::ValueTree as _;

use super::*;
use crate::spec::draw::Draw;
use crate::spec::history::draw::{Histories, Shape};
use crate::spec::history::{Act, Step, Whom};

/// Fails at a step, or does not.
type Verdict = fn(&History) -> Option<usize>;

/// Where the acts until then, step by step, first satisfy something.
fn first(history: &History, holds: impl Fn(&[&Act], &History) -> bool) -> Option<usize> {
    (0..history.steps.len()).find(|step| {
        let until = History { sets: Vec::new(), steps: history.steps[..=*step].to_vec() };
        holds(&until.acts().collect::<Vec<_>>(), history)
    })
}

fn logout_after_two_declares(history: &History) -> Option<usize> {
    first(history, |acts, _| match acts {
        [before @ .., Act::LogOut { by }] => {
            let theirs = |act: &&&Act| matches!(act, Act::Declare { by: other, .. } if other.user == by.user);
            before.iter().filter(theirs).count() >= 2
        }
        _ => false,
    })
}

fn resolved_by_another_after_a_login(history: &History) -> Option<usize> {
    first(history, |acts, _| match acts {
        [before @ .., Act::Resolve { by, of: Whom::User(of), .. }] => {
            by.user != *of && before.iter().any(|act| matches!(act, Act::LogIn { user, .. } if user == of))
        }
        _ => false,
    })
}

fn a_heavy_set_is_declared(history: &History) -> Option<usize> {
    first(history, |acts, history| match acts {
        [.., Act::Declare { set, .. }] => history.sets[*set].has_parameters() && history.sets[*set].len() > 1,
        _ => false,
    })
}

fn two_declare_at_once(history: &History) -> Option<usize> {
    history.steps.iter().position(|step| match step {
        Step::AtOnce(lanes) => {
            let declares = |lane: &&Vec<Act>| lane.iter().any(|act| matches!(act, Act::Declare { .. }));
            lanes.iter().filter(declares).count() > 1
        }
        Step::One(_) => false,
    })
}

fn a_lane_declares_twice(history: &History) -> Option<usize> {
    first(history, |acts, _| match acts {
        [.., Act::Declare { by, set }, Act::Declare { by: again, set: other }] => by == again && set != other,
        _ => false,
    })
}

fn spoiled_and_then_declared(history: &History) -> Option<usize> {
    first(history, |acts, _| match acts {
        [before @ .., Act::Declare { set, .. }] => {
            before.iter().any(|act| matches!(act, Act::UploadSpoiled { set: spoiled, .. } if spoiled == set))
        }
        _ => false,
    })
}

fn an_odd_name_is_declared(history: &History) -> Option<usize> {
    first(history, |acts, history| match acts {
        [.., Act::Declare { set, .. }] => history.sets[*set].contains("\u{e9}"),
        _ => false,
    })
}

fn another_homeserver_looks(history: &History) -> Option<usize> {
    first(history, |acts, _| {
        matches!(acts, [.., Act::RemoteRead { of, .. }] if acts.iter().any(
            |act| matches!(act, Act::Declare { by, .. } if by.user == *of)
        ))
    })
}

const VERDICTS: [(Shape, Verdict); 8] = [
    (Shape::Sequence, logout_after_two_declares),
    (Shape::Sequence, resolved_by_another_after_a_login),
    (Shape::RoundTrip, a_heavy_set_is_declared),
    (Shape::Races, two_declare_at_once),
    (Shape::Races, a_lane_declares_twice),
    (Shape::Spoiled, spoiled_and_then_declared),
    (Shape::RoundTrip, an_odd_name_is_declared),
    (Shape::Federation, another_homeserver_looks),
];

/// The first cases that fail.
fn failing(shape: Shape, fails: Verdict) -> Vec<Tree> {
    let histories = Histories { shape, terrain: Terrain::WHOLE, longest: 40 };
    let trees: Vec<Tree> = (20..400)
        .map(|case| histories.case(11, case))
        .filter(|tree| fails(tree.history()).is_some())
        .take(12)
        .collect();
    assert_eq!(trees.len(), 12, "{shape:?}");
    trees
}

/// Makes a tree as small as it gets; every history that was performed on the way.
fn shrunk(mut tree: Tree, fails: Verdict, cut: bool) -> (History, Vec<History>) {
    let (mut best, mut performed) = (tree.current(), Vec::new());
    loop {
        let now = tree.current();
        let more = match fails(&now) {
            Some(step) => {
                best = now;
                if cut {
                    tree.cut_after(step);
                    best.steps.truncate(step + 1);
                }
                tree.simplify()
            }
            None => tree.complicate(),
        };
        if !more {
            return (best, performed);
        }
        assert!(measure(tree.history()) < measure(&best), "{best:?}\n{:?}", tree.history());
        performed.push(tree.current());
    }
}

#[test]
fn candidates_can_be_performed_and_the_last_cannot_do_without_a_step() {
    for (nth, (shape, fails)) in VERDICTS.into_iter().enumerate() {
        for tree in failing(shape, fails) {
            for cut in [false, true] {
                let (least, performed) = shrunk(tree.clone(), fails, cut);
                for history in &performed {
                    assert_eq!(repaired(history.clone(), Terrain::WHOLE).0.len(), history.len());
                }
                assert!(fails(&least).is_some());
                for step in 0..least.steps.len() {
                    let mut less = least.clone();
                    less.steps.remove(step);
                    let less = repaired(less, Terrain::WHOLE).0;
                    assert!(fails(&less).is_none(), "verdict {nth}: {less:?}\nof {least:?}");
                }
            }
        }
    }
}

#[test]
fn few_candidates_are_performed() {
    for (nth, (shape, fails)) in VERDICTS.into_iter().enumerate() {
        let counts: Vec<_> = failing(shape, fails)
            .into_iter()
            .map(|tree| {
                let len = tree.history().len();
                let (least, performed) = shrunk(tree, fails, true);
                (len, least.len(), performed.len())
            })
            .collect();
        assert!(counts.iter().all(|(_, _, performed)| *performed < 60), "verdict {nth}: {counts:?}");
    }
}

/// What is left of all that fail, in words.
fn least(shape: Shape, fails: Verdict) -> BTreeSet<String> {
    let words = |history: History| {
        let sets = history.sets.iter().map(|set| String::from_utf8(set.canonical_bytes()).unwrap());
        let steps = history.steps.iter().map(ToString::to_string);
        steps.chain(sets).collect::<Vec<_>>().join("; ")
    };
    failing(shape, fails).into_iter().map(|tree| words(shrunk(tree, fails, true).0)).collect()
}

#[test]
fn what_is_left_is_the_point() {
    let same: [(Shape, Verdict, &str); 4] = [
        (
            Shape::Sequence,
            logout_after_two_declares,
            "alice signs up; alice's phone declares A; alice's phone declares A; alice's phone logs out; {}",
        ),
        (
            Shape::Races,
            two_declare_at_once,
            "alice signs up; at once: alice's phone declares A | alice's phone declares A; {}",
        ),
        (
            Shape::Federation,
            another_homeserver_looks,
            "alice signs up; alice's phone declares A; \
             zoe's homeserver looks at what it was told of alice; {}",
        ),
        (
            Shape::RoundTrip,
            an_odd_name_is_declared,
            "alice signs up; alice's phone declares A; {\"\u{e9}\":{}}",
        ),
    ];
    for (shape, fails, words) in same {
        assert_eq!(least(shape, fails).into_iter().collect::<Vec<_>>(), [words]);
    }
    let all = least(Shape::RoundTrip, a_heavy_set_is_declared);
    assert!(all.iter().all(|words| words.len() < 70), "{all:?}");
}

#[test]
fn a_history_that_does_not_fail_is_left_alone() {
    let mut tree = Histories { shape: Shape::Sequence, terrain: Terrain::WHOLE, longest: 40 }.case(1, 30);
    let before = tree.current();
    assert!(!tree.complicate());
    assert_eq!(tree.current(), before);
}

#[test]
fn nothing_is_smaller_than_one_act() {
    let history = History { sets: Vec::new(), steps: vec![Step::One(Act::SignUp { user: 0 })] };
    let mut tree = Tree::new(history, Terrain::WHOLE);
    assert!(!tree.simplify());
}

/// A target that fails now and then must not keep a search going for ever.
#[test]
fn an_end_is_come_to_whatever_fails() {
    let mut draw = Draw::new(2, "moods");
    for case in 0..60 {
        let mut tree = Histories { shape: Shape::Races, terrain: Terrain::WHOLE, longest: 40 }.case(5, case);
        let mut more = tree.simplify();
        let mut performed = 0;
        while more {
            performed += 1;
            assert!(performed < 2_000);
            more = if draw.below(3) == 0 { tree.simplify() } else { tree.complicate() };
        }
    }
}
