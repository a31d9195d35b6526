use std::collections::BTreeSet;

use proptest::strategy::ValueTree as _;

use super::*;
use crate::spec::capability::CapabilitySet;
use crate::spec::history::walk::repaired;
use crate::spec::history::{Act, Spoil, Step};

const CASES: u64 = 60;

/// What offers least.
const BARE: Terrain = Terrain {
    users: 1,
    devices: 1,
    login: false,
    presence: false,
    resolve: false,
    server: false,
    parameters: false,
    opaque_names: false,
    remotes: 0,
};

fn histories(shape: Shape, terrain: Terrain) -> impl Iterator<Item = History> {
    let histories = Histories { shape, terrain, longest: 40 };
    (0..CASES).map(move |case| histories.case(7, case).current())
}

fn everything() -> impl Iterator<Item = (Shape, History)> {
    Shape::ALL.into_iter().flat_map(|shape| histories(shape, Terrain::WHOLE).map(move |h| (shape, h)))
}

/// The kind of an act, without what it is about.
fn kind(act: &Act) -> String {
    let json = serde_json::to_value(act).unwrap();
    json["act"].as_str().unwrap().to_owned()
}

#[test]
fn every_history_can_be_performed() {
    for (shape, history) in everything() {
        let (repaired, _) = repaired(history.clone(), Terrain::WHOLE);
        assert_eq!((repaired.steps.len(), repaired.len()), (history.steps.len(), history.len()), "{shape:?}");
    }
}

#[test]
fn no_history_uses_what_the_terrain_lacks() {
    for shape in Shape::ALL {
        for history in histories(shape, BARE) {
            assert_eq!(repaired(history.clone(), BARE).0.len(), history.len(), "{shape:?}");
            assert!(!history.sets.iter().any(|set| set.has_parameters() || set.has_opaque_names()));
            assert!(history.len() > 2, "{shape:?}");
        }
    }
}

#[test]
fn a_case_is_the_same_whatever_else_is_drawn() {
    for shape in Shape::ALL {
        let histories = Histories { shape, terrain: Terrain::WHOLE, longest: 30 };
        let alone = histories.case(3, 17).current();
        let among: Vec<History> = (0..20).map(|case| histories.case(3, case).current()).collect();
        assert_eq!(among[17], alone);
        assert_ne!(among[16], alone);
        assert_ne!(histories.case(4, 17).current(), alone);
    }
}

#[test]
fn only_the_runner_decides() {
    let histories = Histories { shape: Shape::Races, terrain: Terrain::WHOLE, longest: 30 };
    let draw = || histories.new_tree(&mut runner(5, "anything")).unwrap().current();
    assert_eq!(draw(), draw());
}

#[test]
fn histories_grow_with_the_case_and_keep_their_bound() {
    for shape in Shape::ALL {
        let histories = Histories { shape, terrain: Terrain::WHOLE, longest: 40 };
        let lengths: Vec<usize> = (0..100).map(|case| histories.case(1, case).current().len()).collect();
        assert!(
            lengths.iter().enumerate().all(|(case, length)| *length <= 40.min(case + SHORTEST)),
            "{shape:?}"
        );
        assert!(lengths[50..].iter().any(|length| *length > 30), "{shape:?}: {lengths:?}");
        assert!(lengths[50..].iter().any(|length| *length < 25), "{shape:?}: {lengths:?}");
        let short = Histories { longest: 1, ..histories };
        assert!(short.case(1, 1).current().len() <= 1);
    }
}

#[test]
fn every_act_and_every_spoil_occurs() {
    let acts: Vec<Act> =
        everything().flat_map(|(_, history)| history.acts().cloned().collect::<Vec<_>>()).collect();
    let kinds: BTreeSet<String> = acts.iter().map(kind).collect();
    assert_eq!(kinds.len(), 22, "{kinds:?}");
    let spoils: BTreeSet<String> = acts
        .iter()
        .filter_map(|act| if let Act::UploadSpoiled { how, .. } = act { Some(how) } else { None })
        .map(|how: &Spoil| format!("{how:?}").split('(').next().unwrap().to_owned())
        .collect();
    assert_eq!(spoils.len(), 15, "{spoils:?}");
}

#[test]
fn races_meet_in_two_to_four_lanes_of_one_to_three_acts() {
    let mut sizes = BTreeSet::new();
    let mut meetings = BTreeSet::new();
    for history in histories(Shape::Races, Terrain::WHOLE) {
        for step in &history.steps {
            if let Step::AtOnce(lanes) = step {
                sizes.extend(lanes.iter().map(|lane| (lanes.len(), lane.len())));
                for (one, other) in lanes.iter().zip(&lanes[1..]) {
                    let pairs = one.iter().flat_map(|a| other.iter().map(|b| [kind(a), kind(b)]));
                    meetings.extend(pairs.map(|mut pair| {
                        pair.sort();
                        pair.join(" ")
                    }));
                }
            }
        }
    }
    assert!(sizes.iter().all(|(lanes, acts)| (2..=4).contains(lanes) && (1..=3).contains(acts)), "{sizes:?}");
    assert_eq!(sizes.len(), 9, "{sizes:?}");
    for meeting in
        ["declare declare", "upload upload", "declare log_out", "declare log_in", "declare delete_device"]
    {
        assert!(meetings.contains(meeting), "{meeting} in {meetings:?}");
    }
}

#[test]
fn sets_overlap_and_a_name_always_has_the_same_parameters() {
    let mut relations = BTreeSet::new();
    for (_, history) in everything() {
        assert!((3..=6).contains(&history.sets.len()));
        assert!(history.sets.iter().filter(|set| set.is_empty()).count() <= 1);
        for one in &history.sets {
            for other in &history.sets {
                assert!(one.names().all(|name| other.get(name).is_none_or(|p| Some(p) == one.get(name))));
            }
        }
        for pair in history.sets.windows(2).filter(|pair| pair.iter().all(|set| !set.is_empty())) {
            let both = pair[0].names().filter(|name| pair[1].contains(name)).count();
            relations.insert((both == 0, both == pair[0].len(), both == pair[1].len()));
        }
        relations.extend(history.sets.iter().any(CapabilitySet::is_empty).then_some((true, true, true)));
    }
    // Apart, overlapping, a part of, with more, equal, and one of them empty.
    assert_eq!(relations.len(), 6, "{relations:?}");
}

#[test]
fn names_probe_the_canonical_form() {
    let histories = || histories(Shape::RoundTrip, Terrain::WHOLE);
    let names: BTreeSet<String> = histories()
        .flat_map(|h| h.sets.iter().flat_map(CapabilitySet::names).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for name in ["\"", "\\", "\u{e9}", "e\u{301}", "\u{fb33}", "\u{1f602}", "a\":{},\"b"] {
        assert!(names.contains(name), "{name:?}");
    }
    let one_set =
        |names: [&str; 2]| histories().any(|h| h.sets.iter().any(|s| names.iter().all(|n| s.contains(n))));
    assert!(one_set(["\u{fb33}", "\u{1f602}"]) || one_set(["\u{e9}", "e\u{301}"]));
    assert!(histories().flat_map(|h| h.sets).filter(CapabilitySet::has_parameters).count() > 50);
}

#[test]
fn a_tree_can_go_to_another_thread() {
    fn is_send<T: Send + Clone + 'static>() {}
    is_send::<Tree>();
}

/// A user of the suite who has a seed and a case must be able to draw them again.
#[test]
fn what_a_seed_draws_is_stable() {
    let histories = Histories { shape: Shape::Sequence, terrain: Terrain::WHOLE, longest: 40 };
    let history = histories.case(1, 0).current();
    let told: Vec<String> = history.steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "alice signs up",
            "bob signs up",
            "bob logs in on the laptop",
            "bob's laptop uploads F",
            "bob's laptop declares F",
            "alice's phone uploads F",
            "alice's phone declares F",
            "bob's phone reads bob's status",
            "bob's phone resolves the hash in force of bob",
            "alice's phone resolves the hash in force of bob",
        ]
    );
}
