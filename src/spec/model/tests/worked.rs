//! The worked timeline of docs/protocol.md, section 9.5, and the laws of the union.

use proptest::prelude::*;

use super::*;

/// A, B and C of the worked timeline.
fn worked() -> Model {
    let sets = vec![
        set(&["m.cap.voip.v1", "m.cap.webrtc.v1"]),
        set(&["m.cap.stickers.v1", "m.cap.voip.v1"]),
        set(&["m.cap.location.v1"]),
    ];
    let mut model = Model::new(sets);
    accepted(&mut model, [Act::SignUp { user: 0 }]);
    model
}

fn carries(model: &Model) -> String {
    match model.in_force(0) {
        Presence::Nothing => "none".to_owned(),
        Presence::Union(hash) => hash.as_str().to_owned(),
    }
}

#[test]
fn the_worked_timeline_is_as_the_protocol_has_it() {
    const A: &str = "DX230TwxZWLp/X0LMZdXrjATJycUVQ4vDy5XPCqT/+s";
    const A_B: &str = "gpngsZJB7JyXB3j4f36kMQA3NO00/L5Ulh0tfenNxnc";
    const A_B_C: &str = "3gOy1XhxEIRUFP9z4oQflEyQNfIFCyP/bKIix7pTS9M";
    const B_C: &str = "xSM1+JMsmawNZgUufTTqbCnHeJLR9aqHUWInOc6kZoY";
    const C: &str = "pORt0IlGbh43j6fJL91+/ADbgt5r1wt4a83zr9TfK+0";
    let (phone, laptop, tablet) = (alice(0), alice(1), alice(2));
    let ok = Answer::Accepted;
    let steps: [(Vec<Act>, Answer, &str); 10] = [
        (vec![Act::Declare { by: phone, set: 0 }], Answer::Refused, "none"),
        (vec![Act::Upload { by: phone, set: 0 }], ok.clone(), "none"),
        (vec![Act::Declare { by: phone, set: 0 }], ok.clone(), A),
        (vec![Act::LogIn { user: 0, device: 1 }], ok.clone(), A),
        (has(laptop, 1).to_vec(), ok.clone(), A_B),
        ([&[Act::LogIn { user: 0, device: 2 }], &has(tablet, 2)[..]].concat(), ok.clone(), A_B_C),
        (vec![Act::Declare { by: phone, set: 1 }], ok.clone(), B_C),
        (vec![Act::LogOut { by: laptop }], ok.clone(), B_C),
        (vec![Act::LogIn { user: 0, device: 0 }], ok.clone(), C),
        (vec![Act::DeleteDevice { by: phone, device: 2 }], ok, "none"),
    ];
    let mut model = worked();
    for (nth, (acts, answer, in_force)) in steps.into_iter().enumerate() {
        acts.into_iter().for_each(|act| answered(&mut model, act, &answer));
        assert_eq!(carries(&model), in_force, "step {}", nth + 2);
    }
    let superseded = model.hash_asked(Whom::User(0), Which::Superseded);
    assert_eq!(superseded.unwrap().as_str(), C);
}

#[test]
fn of_the_worked_timeline_each_step_is_by_its_requirement() {
    let mut model = worked();
    let (phone, laptop) = (alice(0), alice(1));
    let why = |model: &Model, act: &Act| model.demand(act).rules.last().unwrap().requirement;
    let declare = Act::Declare { by: phone, set: 0 };
    assert_eq!(why(&model, &declare), "upload.refusal-recognisable");
    accepted(&mut model, [Act::Upload { by: phone, set: 0 }]);
    assert_eq!(why(&model, &declare), "upload.accept-after-upload");
    accepted(&mut model, [declare, Act::LogIn { user: 0, device: 1 }]);
    accepted(&mut model, has(laptop, 1));
    assert_eq!(why(&model, &Act::Declare { by: phone, set: 1 }), "upload.known-hash");
    accepted(&mut model, [Act::LogOut { by: laptop }]);
    assert_eq!(why(&model, &Act::Declare { by: phone, set: 1 }), "upload.known-after-logout");
}

/// One session each declares the set of its number.
fn declared(sets: Vec<CapabilitySet>, order: &[usize]) -> Presence {
    let mut model = Model::new(sets);
    accepted(&mut model, [Act::SignUp { user: 0 }]);
    for device in order {
        if *device > 0 {
            accepted(&mut model, [Act::LogIn { user: 0, device: *device }]);
        }
        accepted(&mut model, has(alice(*device), *device));
    }
    model.in_force(0)
}

proptest! {
    /// Draft C3: the order of login and of declaring does not matter.
    #[test]
    fn any_order_of_the_sessions_makes_the_same_union(
        sets in prop::collection::vec(crate::spec::draw::capability_set(true), 4..=4),
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
    ) {
        // Conflicts between parameters are settled without regard to order, too.
        let union = CapabilitySet::union(&sets).hash();
        prop_assert_eq!(declared(sets, &order), Presence::Union(union));
    }
}
