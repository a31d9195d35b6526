//! The golden vectors: they hold, Ruma agrees with them, and a vector that is wrong is found and named.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use capcheck::spec::capability::CapabilitySet;
use capcheck::spec::requirement;
use capcheck::vectors::subject::{self, SUBJECTS, Subject};
use capcheck::vectors::{self, Case, Verdict};
use ruma_common::CanonicalJsonValue;
use serde_json::Value;

fn cases(subject: &str) -> Vec<Case> {
    vectors::carried(subject).cases().cloned().collect()
}

fn published(subject: &str) -> &'static str {
    subject::find(subject).unwrap().published
}

fn subject(name: &str) -> &'static dyn Subject {
    subject::find(name).unwrap().subject
}

/// Every case of a file, as JSON.
fn raw_cases(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let groups = document["groups"].as_array_mut().unwrap();
    groups.iter_mut().flat_map(|group| group["cases"].as_array_mut().unwrap())
}

#[test]
fn every_value_holds() {
    let summary = vectors::verify(None).unwrap();
    let differences: Vec<String> =
        summary.files.iter().flat_map(|file| &file.differences).map(ToString::to_string).collect();
    assert!(summary.holds(), "{differences:#?}");
    assert!(summary.files.iter().map(|file| file.cases).sum::<usize>() >= 200);
}

#[test]
fn the_files_in_the_repository_are_the_embedded_ones() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    assert_eq!(vectors::verify(Some(&directory)).unwrap(), vectors::verify(None).unwrap());
}

#[test]
fn what_is_generated_is_what_is_published() {
    for row in SUBJECTS {
        let document = vectors::generate(row.subject, row.source).unwrap();
        assert!(vectors::to_text(&document) == row.published, "{} is stale: generate it", row.subject.file());
    }
}

/// The bytes of a case about JSON.
fn bytes(case: &Case) -> Vec<u8> {
    match (case.input.get("json"), case.input.get("json_hex")) {
        (Some(text), None) => text.as_str().unwrap().as_bytes().to_vec(),
        (None, Some(digits)) => hex::decode(digits.as_str().unwrap()).unwrap(),
        _ => panic!("{}: neither json nor json_hex", case.id),
    }
}

#[test]
fn ruma_agrees_on_what_is_valid() {
    for case in ["canonical-json", "capability-hash"].into_iter().flat_map(cases) {
        if case.result == Verdict::Valid {
            let theirs: CanonicalJsonValue = serde_json::from_slice(&bytes(&case)).unwrap();
            assert_eq!(theirs.to_string(), case.expected.unwrap()["canonical"], "{}", case.id);
        }
    }
}

/// Ruma takes the last of two equal keys; everything else that is invalid it refuses.
#[test]
fn ruma_agrees_on_what_is_invalid() {
    let about_sets = ["not-an-object", "value-not-an-object"];
    for case in ["canonical-json", "capability-hash"].into_iter().flat_map(cases) {
        let failure = case.failure.as_deref().unwrap_or_default();
        if case.result == Verdict::Invalid && !about_sets.contains(&failure) {
            let accepts = serde_json::from_slice::<CanonicalJsonValue>(&bytes(&case)).is_ok();
            assert_eq!(accepts, failure == "duplicate-key", "{}", case.id);
        }
    }
}

/// Alters one field, a JSON pointer, in every case that has it, and checks that just those cases are named.
fn altered(name: &str, pointer: &str, alter: impl Fn(&mut Value)) {
    let mut document: Value = serde_json::from_str(published(name)).unwrap();
    let mut expected = BTreeSet::new();
    for case in raw_cases(&mut document) {
        let id = case["id"].as_str().unwrap().to_owned();
        if let Some(value) = case.pointer_mut(pointer) {
            alter(value);
            expected.insert(id);
        }
    }
    assert!(!expected.is_empty(), "no case has {pointer}");
    let bytes = serde_json::to_vec(&document).unwrap();
    let summary = vectors::verify_text(subject(name), &bytes).unwrap();
    let field = pointer[1..].replace('/', ".");
    let named = summary.differences.iter().filter(|difference| difference.field == field);
    let named: BTreeSet<String> = named.map(|difference| difference.case.clone()).collect();
    assert_eq!(named, expected, "{name} {pointer}");
}

fn to_other_text(value: &mut Value) {
    let text = value.as_str().unwrap();
    *value = if text.starts_with('x') { "y" } else { "x" }.into();
}

fn to_other_result(value: &mut Value) {
    *value = if *value == "valid" { "invalid" } else { "valid" }.into();
}

#[test]
fn an_altered_value_is_named_with_its_case_and_field() {
    for name in ["canonical-json", "capability-hash"] {
        altered(name, "/expected/canonical", to_other_text);
        altered(name, "/expected/sha256", to_other_text);
        altered(name, "/wrong/as-uploaded", to_other_text);
        altered(name, "/wrong/spaced", to_other_text);
        altered(name, "/failure", |failure| {
            *failure = if failure == "syntax" { "empty" } else { "syntax" }.into();
        });
    }
    altered("union", "/expected/sha256", to_other_text);
    altered("union", "/wrong/last-only", to_other_text);
    altered("hash-strings", "/result", to_other_result);
    altered("hash-strings", "/failure", |failure| {
        *failure = if failure == "length" { "alphabet" } else { "length" }.into();
    });
}

#[test]
fn an_altered_input_is_named() {
    let alter = |from: &str, to: &str| {
        let text = published("capability-hash");
        assert!(text.contains(from));
        let altered = text.replacen(from, to, 1);
        let summary = vectors::verify_text(subject("capability-hash"), altered.as_bytes()).unwrap();
        summary.differences.first().unwrap().to_string()
    };
    let valid = alter(r#""json": "{\"m.cap.voip.v1\":{}}""#, r#""json": "{\"m.cap.voip.v1\":}""#);
    assert!(valid.starts_with("capability-hash.json: set.one: result: the file has \"valid\""), "{valid}");
    let invalid = alter(r#""json": "[]""#, r#""json": "{}""#);
    assert!(invalid.starts_with("capability-hash.json: set.bad-array: result: "), "{invalid}");
}

#[test]
fn a_wrong_answer_that_is_missing_or_added_is_named() {
    for (change, words) in [
        ("remove", "wrong.last-only: the file has nothing, derived again it is \""),
        ("add", "wrong.padded: the file has \"x\", derived again it is nothing"),
    ] {
        let mut document: Value = serde_json::from_str(published("union")).unwrap();
        let case = raw_cases(&mut document).find(|case| case["id"] == "union.two").unwrap();
        match change {
            "remove" => drop(case["wrong"].as_object_mut().unwrap().remove("last-only")),
            _ => case["wrong"]["padded"] = "x".into(),
        }
        document["mistakes"]["padded"] = "".into();
        let bytes = serde_json::to_vec(&document).unwrap();
        let summary = vectors::verify_text(subject("union"), &bytes).unwrap();
        let told = summary.differences.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(told.len() == 1 && told[0].contains(words), "{told:?}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_names_the_place() {
    let union = subject("union");
    let text = published("union");
    let error = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        vectors::verify_text(union, text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    for (from, to, words) in [
        ("\"algorithm\"", "\"algorihtm\"", "union.json: unknown field `algorihtm`"),
        ("\"subject\": \"union\"", "\"subject\": \"onion\"", "subject is \"onion\", expected \"union\""),
        ("\"schema_version\": 2", "\"schema_version\": 3", "schema_version is 3, this suite reads 2"),
        ("\"result\"", "\"resutl\"", "union.json: union.none: unknown field `resutl`"),
        ("\"union.one\"", "\"union.none\"", "union.json: union.none: id: taken"),
        ("\"last-only\": \"j8", "\"last-one\": \"j8", "union.two: wrong: \"last-one\" is not explained"),
        ("\"sets\": []", "\"stes\": []", "union.json: union.none: input: unknown field `stes`"),
        ("\"sets\": []", "\"sets\": [], \"sets\": []", "the key \"sets\" is there twice"),
    ] {
        let error = error(from, to);
        assert!(error.contains(words), "{from} -> {to}: {error}");
    }
    let mut empty: Value = serde_json::from_str(text).unwrap();
    empty["groups"] = Value::Array(Vec::new());
    let empty = vectors::verify_text(union, empty.to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(empty, "union.json: there are no cases");
    let truncated = vectors::verify_text(union, &text.as_bytes()[..text.len() / 2]).unwrap_err().to_string();
    assert!(truncated.starts_with("union.json: line ") && truncated.contains("the text ends"), "{truncated}");
}

#[test]
fn ids_are_unique_over_all_files() {
    let mut files: HashMap<String, &str> = HashMap::new();
    for row in SUBJECTS {
        for case in cases(row.subject.name()) {
            assert_eq!(files.insert(case.id.clone(), row.subject.name()), None, "{}", case.id);
        }
    }
}

#[test]
fn unions_do_not_depend_on_order() {
    for case in cases("union") {
        let sets: Vec<_> = case.input["sets"].as_array().unwrap().iter().rev().collect();
        let sets = sets.iter().map(|set| CapabilitySet::parse(set.as_str().unwrap().as_bytes()).unwrap());
        let hash = CapabilitySet::union(&sets.collect::<Vec<_>>()).hash();
        assert_eq!(hash.as_str(), case.expected.unwrap()["sha256"], "{}", case.id);
    }
}

#[test]
fn hash_strings_hold_both_answers() {
    for result in [Verdict::Valid, Verdict::Invalid] {
        assert!(cases("hash-strings").iter().filter(|case| case.result == result).count() > 10);
    }
}

#[test]
fn uploads_cover_every_need_and_every_requirement() {
    let uploads = vectors::uploads();
    // But for the one that is long.
    let valid = cases("capability-hash").iter().filter(|case| case.result == Verdict::Valid).count();
    assert_eq!(uploads.len(), valid - 1);
    assert!(uploads.iter().all(|upload| upload.set.hash() == upload.hash));
    for (parameters, opaque_names) in [(false, false), (true, false), (false, true)] {
        let with = |u: &&vectors::Upload| (u.parameters, u.opaque_names) == (parameters, opaque_names);
        assert!(uploads.iter().filter(with).count() > 10, "{parameters} {opaque_names}");
    }
    let bad = vectors::bad_uploads();
    assert!(bad.len() > 20);
    assert!(bad.iter().all(|upload| requirement::find(upload.requirement).is_some()));
    assert!(bad.iter().all(|upload| CapabilitySet::parse(&upload.input).is_err()));
}
