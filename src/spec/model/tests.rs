//! The model against the protocol's own examples.

mod rules;
mod worked;

use super::*;
use crate::spec::history::Terrain;

/// A set of names.
pub(super) fn set(names: &[&str]) -> CapabilitySet {
    CapabilitySet::of(names.iter().copied())
}

/// A: a and b; B: b and c; C: d; D: `{}`; E: e; F: a and b again, with a parameter.
pub(super) fn sets() -> Vec<CapabilitySet> {
    vec![
        set(&["a", "b"]),
        set(&["b", "c"]),
        set(&["d"]),
        set(&[]),
        set(&["e"]),
        CapabilitySet::parse(br#"{"f":{"v":1}}"#).unwrap(),
    ]
}

/// Alice's session on a device.
pub(super) fn alice(device: usize) -> Seat {
    Seat { user: 0, device }
}

/// Bob's session on a device.
pub(super) fn bob(device: usize) -> Seat {
    Seat { user: 1, device }
}

/// Does an act that can be done, and to which this can be answered.
pub(super) fn answered(model: &mut Model, act: Act, answer: &Answer) {
    assert!(model.can(&act, &Terrain::WHOLE), "{act} cannot be done");
    let broken = model.demand(&act).broken_by(answer, &BTreeSet::new()).cloned();
    assert_eq!(broken, None, "{act}");
    model.follow(&act, answer);
}

/// Does acts that are all accepted.
pub(super) fn accepted(model: &mut Model, acts: impl IntoIterator<Item = Act>) {
    acts.into_iter().for_each(|act| answered(model, act, &Answer::Accepted));
}

/// Alice and Bob, who share a room.
pub(super) fn sharers() -> Model {
    let mut model = Model::new(sets());
    let acts =
        [Act::SignUp { user: 0 }, Act::SignUp { user: 1 }, Act::Share { host: alice(0), guest: bob(0) }];
    accepted(&mut model, acts);
    model
}

/// A session uploads a set and declares it.
pub(super) fn has(by: Seat, set: usize) -> [Act; 2] {
    [Act::Upload { by, set }, Act::Declare { by, set }]
}
