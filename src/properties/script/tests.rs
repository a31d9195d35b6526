use super::*;
use crate::properties::failure::{Confirmed, Failure, SCHEMA_VERSION};
use crate::spec::history::{Seat, Which};

fn failure(history: History) -> Failure {
    Failure {
        schema_version: SCHEMA_VERSION,
        suite_version: "0.0.0".to_owned(),
        property: "properties::histories".to_owned(),
        seed: 7,
        case: 3,
        requirement: "union.leave".to_owned(),
        expected: "alice's status carries no hash".to_owned(),
        actual: "sha256 x\n' \u{202e}; touch /tmp/owned".to_owned(),
        url: Some("http://127.0.0.1:8008/it's".to_owned()),
        settle_s: 1.5,
        found_with: 12,
        shrunk_in: 30,
        confirmed: Confirmed { tried: 2, failed: 2 },
        history,
        trace: Vec::new(),
    }
}

const PHONE: Seat = Seat { user: 0, device: 0 };

fn declares_and_leaves() -> Vec<Step> {
    let acts = [
        Act::SignUp { user: 0 },
        Act::LogIn { user: 0, device: 1 },
        Act::Upload { by: PHONE, set: 0 },
        Act::Declare { by: PHONE, set: 0 },
        Act::ReadStatus { by: PHONE, of: Whom::User(0) },
        Act::LogOut { by: PHONE },
        Act::ReadStatus { by: Seat { device: 1, ..PHONE }, of: Whom::User(0) },
    ];
    acts.map(Step::One).to_vec()
}

#[test]
fn a_script_reads_like_the_history() {
    let sets = vec![CapabilitySet::of(["m.cap.voip.v1", "it's"])];
    let history = History { sets, steps: declares_and_leaves() };
    let script = script(&failure(history), &Binding::default()).unwrap();
    let (head, rest) = script.split_once(PRELUDE).unwrap();
    insta::assert_snapshot!(format!("{head}[...]\n{rest}"));
}

#[test]
fn what_a_shell_cannot_do_has_no_script() {
    let remote = Step::One(Act::RemoteShare { host: PHONE, remote: 0 });
    let at_once = Step::AtOnce(vec![vec![Act::LogOut { by: PHONE }], vec![Act::AskServer { by: PHONE }]]);
    let of_remote = Step::One(Act::Resolve { by: PHONE, of: Whom::Remote(0), what: Which::InForce });
    for step in [remote, at_once, of_remote] {
        let steps = vec![Step::One(Act::SignUp { user: 0 }), step];
        assert_eq!(script(&failure(History { sets: Vec::new(), steps }), &Binding::default()), None);
    }
}

#[test]
fn the_binding_is_the_targets() {
    let mut binding = Binding::default();
    let route =
        |text, operation: Operation| crate::spec::binding::Route::parse(text, operation.variables()).unwrap();
    binding.set_route(Operation::Declare, route("POST /it's/here", Operation::Declare));
    binding.presence.field = "caps".to_owned();
    let sets = vec![CapabilitySet::of(["a"])];
    let script = script(&failure(History { sets, steps: declares_and_leaves() }), &binding).unwrap();
    assert!(script.contains(r#"as "$1" 'POST' '/it'\''s/here' "{\"sha256\":\"$2\"}""#), "{script}");
    assert!(script.contains("presence_field='caps'\n"));
}

#[test]
fn too_many_sets_to_combine_have_no_script() {
    let sets: Vec<_> = (0..=MOST_SETS).map(|at| CapabilitySet::of([format!("m.x{at}")])).collect();
    assert_eq!(script(&failure(History { sets, steps: declares_and_leaves() }), &Binding::default()), None);
}
