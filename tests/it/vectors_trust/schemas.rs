//! The schemas take what is published, and nothing that was altered.

use super::*;

use jsonschema::Validator;

/// Every schema, by the name of its file.
fn schemas() -> Vec<(String, Validator)> {
    let schema = |(file, schema): (String, Value)| {
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{file}: {error}"));
        let name = file.strip_prefix("schemas/").and_then(|file| file.strip_suffix(".schema.json")).unwrap();
        (format!("{name}.json"), jsonschema::draft202012::new(&schema).unwrap())
    };
    vectors::schemas().into_iter().map(schema).collect()
}

fn published(name: &str) -> Value {
    serde_json::from_slice(&fs::read(repository().join(name)).unwrap()).unwrap()
}

fn schema(name: &str) -> Validator {
    schemas().into_iter().find(|(file, _)| file == name).unwrap().1
}

#[test]
fn every_published_file_is_as_its_schema_says() {
    for (name, schema) in schemas() {
        let errors: Vec<String> = schema
            .iter_errors(&published(&name))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

/// The pointers of all objects whose keys are fixed: maps from names are not.
fn objects(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
    let is_map =
        ["flags", "mistakes", "failures", "wrong", "cases", "keys"].iter().any(|key| pointer.ends_with(key));
    match value {
        Value::Object(members) => {
            if !is_map {
                pointers.push(pointer.to_owned());
            }
            members.iter().for_each(|(key, value)| objects(value, &format!("{pointer}/{key}"), pointers));
        }
        // The first tells as much as all.
        Value::Array(items) => {
            items.iter().take(1).for_each(|item| objects(item, &format!("{pointer}/0"), pointers))
        }
        _ => {}
    }
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    for (name, schema) in schemas() {
        let document = published(&name);
        let mut pointers = Vec::new();
        objects(&document, "", &mut pointers);
        assert!(pointers.len() >= 2, "{name}: {pointers:?}");
        for pointer in pointers {
            // The keys of x-matrix-verifying are by server name and key id.
            if pointer.contains("/keys/") {
                continue;
            }
            let mut altered = document.clone();
            altered.pointer_mut(&pointer).unwrap()["surplus"] = json!(null);
            assert!(!schema.is_valid(&altered), "{name}: {pointer}/surplus");
        }
    }
}

/// Every key of these objects, without which they are not whole.
#[test]
fn a_missing_key_is_refused() {
    for (name, schema) in
        schemas().into_iter().filter(|(name, _)| !["manifest.json", "exchanges.json"].contains(&&**name))
    {
        for (pointer, optional) in [
            ("", &[] as &[&str]),
            ("/groups/0", &["requirements"]),
            ("/groups/0/cases/0", &["rule", "also", "wrong", "superseded_by", "failure"]),
        ] {
            let document = published(&name);
            for key in document.pointer(pointer).unwrap().as_object().unwrap().keys() {
                let mut altered = document.clone();
                altered.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
                let expected = optional.contains(&key.as_str());
                let needs_failure =
                    key == "failure" && document.pointer(pointer).unwrap()["result"] != "valid";
                assert_eq!(schema.is_valid(&altered), expected && !needs_failure, "{name}: {pointer}/{key}");
            }
        }
    }
}

/// Alters a case of a file.
fn altered(name: &str, id: &str, alter: impl FnOnce(&mut Value)) -> bool {
    let mut document = published(name);
    alter(case(&mut document, id));
    schema(name).is_valid(&document)
}

#[test]
fn an_altered_case_is_refused() {
    let hash = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o";
    let alterations: &[(&str, Value)] = &[
        ("id", json!("onion.one")),
        ("id", json!("union.One")),
        ("id", json!("union.")),
        ("id", json!(1)),
        ("comment", json!("")),
        ("comment", json!(null)),
        ("flags", json!("Union")),
        ("flags", json!(["union"])),
        ("flags", json!(["Union", "Union"])),
        ("rule", json!(null)),
        ("input", json!({ "sets": [1] })),
        ("input", json!({})),
        ("result", json!("maybe")),
        ("result", json!("invalid")),
        ("result", json!("either")),
        ("failure", json!("not-a-set")),
        ("expected", json!({ "canonical": "{}", "sha256": "x" })),
        ("expected", json!({ "canonical": "{}", "sha256": format!("{hash}=") })),
        ("expected", json!({ "sha256": hash })),
        ("expected", json!(hash)),
        ("also", json!([])),
        ("also", json!(["x"])),
        ("also", json!([hash, hash])),
        ("wrong", json!({})),
        ("wrong", json!({ "First": hash })),
        ("wrong", json!({ "first-only": null })),
        ("superseded_by", json!("set.one")),
        ("superseded_by", json!(null)),
    ];
    for (key, value) in alterations {
        assert!(!altered(UNION, "union.one", |case| case[*key] = value.clone()), "{key}: {value}");
    }
    // And what is right is taken: the alterations above are not refused for another reason.
    for (key, value) in
        [("also", json!([hash])), ("wrong", json!({ "first-only": "short" })), ("rule", json!("a"))]
    {
        assert!(altered(UNION, "union.one", |case| case[key] = value.clone()), "{key}: {value}");
    }
}

#[test]
fn a_verdict_demands_what_follows_from_it_and_no_more() {
    let with = |result: &str, failure: bool, expected: bool| {
        altered(UNION, "union.one", |case| {
            case["result"] = result.into();
            if failure {
                case["failure"] = "not-a-set".into();
            }
            if !expected {
                case.as_object_mut().unwrap().remove("expected");
            }
        })
    };
    for (result, failure, expected) in
        [("valid", false, true), ("invalid", true, false), ("either", true, true)]
    {
        for (f, e) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(with(result, f, e), (f, e) == (failure, expected), "{result}, {f}, {e}");
        }
    }
}

#[test]
fn a_subject_whose_verdict_is_the_answer_computes_nothing() {
    let (name, mut document) = ("hash-strings.json", published("hash-strings.json"));
    let first = document["groups"][0]["cases"][0]["id"].as_str().unwrap().to_owned();
    for (key, value) in [
        ("expected", json!({})),
        ("expected", json!(null)),
        ("also", json!(["valid"])),
        ("wrong", json!({ "padded": "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o" })),
    ] {
        assert!(!altered(name, &first, |case| case[key] = value.clone()), "{key}: {value}");
    }
    assert!(altered(name, &first, |case| case["wrong"] = json!({ "padded": "invalid" })));
    document["answer"] = "text".into();
    assert!(!schema(name).is_valid(&document));
}

#[test]
fn an_altered_file_is_refused() {
    let flag = "/flags/Union";
    for (name, pointer, value) in [
        (UNION, "/subject", json!("onion")),
        (UNION, "/schema", json!("union.schema.json")),
        (UNION, "/schema_version", json!(3)),
        (UNION, "/algorithm", json!("")),
        (UNION, "/source", json!([])),
        (UNION, "/notes", json!([1])),
        (UNION, "/answer", json!("canonical")),
        (UNION, "/mistakes", json!({ "First": "x" })),
        (UNION, "/failures", json!({ "Not": "x" })),
        (UNION, "/groups", json!([])),
        (UNION, "/groups/0/name", json!("Two Words")),
        (UNION, "/groups/0/about", json!("")),
        (UNION, "/groups/0/requirements", json!([])),
        (UNION, "/groups/0/requirements", json!(["union"])),
        (UNION, "/groups/0/cases", json!([])),
        (UNION, "/flags", json!({ "union": published(UNION).pointer(flag) })),
        (UNION, "/flags/Union/level", json!("may")),
        (UNION, "/flags/Union/bug_type", json!("")),
        (UNION, "/flags/Union/shows", json!(["last-only", "last-only"])),
        (MANIFEST, "/suite", json!("other")),
        (MANIFEST, "/version", json!("one")),
        (MANIFEST, "/schema_version", json!("2")),
        (MANIFEST, "/requirements/revision", json!("2014")),
        (MANIFEST, "/requirements/sha256", json!("AB".repeat(32))),
        (MANIFEST, "/files", json!([])),
        (MANIFEST, "/files/0/file", json!("../x.json")),
        (MANIFEST, "/files/0/sha256", json!("ab")),
        (MANIFEST, "/files/0/bytes", json!(0)),
        (MANIFEST, "/files/0/cases", json!({})),
        (MANIFEST, "/files/0/cases", json!({ "a.b": 1 })),
        ("exchanges.json", "/subject", json!("exchange")),
        ("exchanges.json", "/schema_version", json!(1)),
        ("exchanges.json", "/exchanges/0/id", json!("set.one")),
        ("exchanges.json", "/exchanges/0/request", json!(null)),
    ] {
        let mut altered = published(name);
        *altered.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = value.clone();
        assert!(!schema(name).is_valid(&altered), "{name}: {pointer}: {value}");
    }
    let mut free = published(UNION);
    free["flags"]["Union"]["freedom"] = json!(false);
    assert!(!schema(UNION).is_valid(&free), "what is not a freedom says nothing of it");
}
