use serde_json::json;

use super::*;
use crate::spec::capability::CapabilitySet;
use crate::spec::history::{Act, Seat, Spoil, Step, Whom};

const PHONE: Seat = Seat { user: 0, device: 0 };

fn failure() -> Failure {
    let sets = vec![CapabilitySet::of(["m.cap.voip.v1", "\u{202e}\"é"]), CapabilitySet::default()];
    let spoiled = Act::UploadSpoiled { by: PHONE, set: 0, how: Spoil::CutOff(3) };
    let steps = vec![
        Step::One(Act::SignUp { user: 0 }),
        Step::One(spoiled),
        Step::AtOnce(vec![
            vec![Act::Declare { by: PHONE, set: 1 }],
            vec![Act::ReadStatus { by: PHONE, of: Whom::User(0) }],
        ]),
    ];
    let seen = |answer| Seen { step: 2, lane: 1, act: 0, began_us: 12, ended_us: 3456, answer };
    Failure {
        schema_version: SCHEMA_VERSION,
        suite_version: "0.1.0".to_owned(),
        property: "properties::histories".to_owned(),
        seed: u64::MAX,
        case: 12,
        requirement: "union.leave".to_owned(),
        expected: "no hash".to_owned(),
        actual: "sha256 x".to_owned(),
        url: Some("http://127.0.0.1:8008/".to_owned()),
        settle_s: 0.25,
        found_with: 31,
        shrunk_in: 57,
        confirmed: Confirmed { tried: 2, failed: 1 },
        history: History { sets, steps },
        trace: vec![
            seen(Answer::Refused),
            seen(Answer::Rejected(400, None)),
            seen(Answer::Hash("x".to_owned())),
        ],
    }
}

fn edited(pointer: &str, value: Value) -> Result<Failure, LoadError> {
    let mut whole = serde_json::to_value(failure()).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match whole.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    Failure::parse(whole.to_string().as_bytes())
}

#[test]
fn what_is_saved_can_be_read_again() {
    for url in [None, Some("http://127.0.0.1:8008/".to_owned())] {
        let failure = Failure { url, ..failure() };
        let json = failure.to_json().unwrap();
        assert_eq!(Failure::parse(json.as_bytes()).unwrap(), failure);
        assert!(json.ends_with("}\n") && !json.contains('\u{202e}'), "{json}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_one_line() {
    let act = |act: Value| json!({ "one": act });
    for (pointer, value, words) in [
        ("/schema_version", json!(2), "schema_version is 2, this capcheck reads 1"),
        ("/schema_version", json!("1"), "invalid type: string \"1\", expected u32"),
        ("/extra", json!(1), "unknown field `extra`"),
        ("/confirmed/extra", json!(1), "unknown field `extra`"),
        ("/history/sets/0", json!("[]"), "a capability set is a JSON object"),
        ("/history/steps/0", act(json!({ "act": "sign_up", "user": 0, "now": 1 })), "unknown field `now`"),
        ("/history/steps/0", act(json!({ "act": "sleep" })), "unknown variant `sleep`"),
        ("/requirement", json!("union.leaves"), "requirement: there is no requirement \"union.leaves\""),
        ("/settle_s", json!(0.0), "settle_s: 0 is not within 0 and 600 s"),
        ("/settle_s", json!(-1.0), "settle_s: -1"),
        ("/settle_s", json!(1e300), "settle_s: 1"),
        ("/history/steps", json!([]), "history.steps: nothing happens"),
        (
            "/history/steps/0",
            act(json!({ "act": "sign_up", "user": 1 })),
            "history.steps[0]: \"bob signs up\" cannot be done there",
        ),
        (
            "/history/steps/1",
            act(json!({ "act": "declare", "by": { "user": 0, "device": 0 }, "set": 9 })),
            "history.steps[1]: \"alice's phone declares J\" cannot be done there",
        ),
        ("/history/steps/2", json!({ "at_once": [] }), "history.steps[2]"),
        (
            "/history/steps/2",
            json!({ "at_once": [[{ "act": "ask_server", "by": { "user": 3, "device": 0 } }]] }),
            "history.steps[2]",
        ),
        (
            "/history/steps/2",
            json!({ "at_once": vec![Vec::<Value>::new(); 7] }),
            "history.steps[2]: 7 lanes with 0 acts at once are more than 6 lanes or 16 acts",
        ),
        (
            "/history/steps/2",
            json!({ "at_once": [vec![json!({ "act": "sign_up", "user": 1 }); 17]] }),
            "history.steps[2]: 1 lanes with 17 acts at once are more than 6 lanes or 16 acts",
        ),
    ] {
        let error = edited(pointer, value.clone()).unwrap_err().to_string();
        assert!(error.contains(words) && error.lines().count() == 1, "{pointer} = {value}: {error}");
    }
    let error = Failure::parse(b"{\n\"schema_version\": 1,\n oh").unwrap_err().to_string();
    assert!(error.ends_with("line 3 column 2"), "{error}");
    assert!(matches!(Failure::parse(&[b' '; 1 << 20]), Err(LoadError::Form(_))));
    assert!(matches!(Failure::parse(&[b' '; (1 << 20) + 1]), Err(LoadError::TooLarge)));
    let many = json!(vec![act(json!({ "act": "sign_up", "user": 0 })); MOST_ACTS + 1]);
    let error = edited("/history/steps", many).unwrap_err().to_string();
    assert_eq!(error, "history.steps: 1001 acts are more than 1000");
    assert!(matches!(Failure::load(Path::new("/nowhere/at/all")), Err(LoadError::Read(_))));
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/failure.schema.json");
    let schema = format!("{:#}\n", schema());
    if std::env::var_os("CAPCHECK_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        published, schema,
        "run this test with CAPCHECK_BLESS=1 to write docs/failure.schema.json anew"
    );
}

#[test]
fn what_is_saved_holds_to_the_schema_and_what_was_edited_does_not() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let good = serde_json::to_value(failure()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (key, value) in [("schema_version", json!(2)), ("url", json!(1)), ("more", json!(1))] {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(!validator.is_valid(&bad), "{key}");
    }
}

#[test]
fn every_key_is_documented() {
    let page = include_str!("../../../docs/properties.md");
    let schema = schema();
    let objects = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let keys = objects.filter_map(|object| object["properties"].as_object()).flat_map(|keys| keys.keys());
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "docs/properties.md does not explain `{key}`");
    }
}
