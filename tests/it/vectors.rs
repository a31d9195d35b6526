//! The golden vectors: they hold, Ruma agrees with them, and a vector that is wrong is found and named.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use capcheck::spec::capability::CapabilitySet;
use capcheck::spec::{mistake, requirement};
use capcheck::vectors::{self, Answer, File, HashString, Invalid, Reading, Subject, Union, Valid};
use ruma_common::CanonicalJsonValue;
use serde_json::Value;

fn readings(subject: Subject) -> (Vec<Valid>, Vec<Invalid>) {
    let file: File<Reading> = vectors::load(subject.file_name(), subject.embedded().as_bytes()).unwrap();
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for case in file.cases {
        match case {
            Reading::Valid(case) => valid.push(case),
            Reading::Invalid(case) => invalid.push(case),
        }
    }
    (valid, invalid)
}

fn document(subject: Subject) -> Value {
    serde_json::from_str(subject.embedded()).unwrap()
}

#[test]
fn every_value_holds() {
    let summary = vectors::verify(None).unwrap();
    let differences: Vec<String> =
        summary.files.iter().flat_map(|file| &file.differences).map(ToString::to_string).collect();
    assert!(summary.holds(), "{differences:#?}");
    assert!(summary.files.iter().map(|file| file.cases).sum::<usize>() >= 80);
}

#[test]
fn the_files_in_the_repository_are_the_embedded_ones() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    assert_eq!(vectors::verify(Some(&directory)).unwrap(), vectors::verify(None).unwrap());
}

#[test]
fn ruma_agrees_on_what_is_valid() {
    for subject in [Subject::CanonicalJson, Subject::CapabilityHash] {
        for case in readings(subject).0 {
            let theirs: CanonicalJsonValue = serde_json::from_str(&case.input).unwrap();
            assert_eq!(theirs.to_string(), case.canonical, "{}", case.id);
        }
    }
}

/// Ruma takes the last of two equal keys; everything else that is invalid it refuses.
#[test]
fn ruma_agrees_on_what_is_invalid() {
    let about_sets = ["not-an-object", "value-not-an-object"];
    for subject in [Subject::CanonicalJson, Subject::CapabilityHash] {
        for case in readings(subject).1.iter().filter(|case| !about_sets.contains(&case.mistake.as_str())) {
            let accepts = serde_json::from_slice::<CanonicalJsonValue>(&case.bytes().unwrap()).is_ok();
            assert_eq!(accepts, case.mistake == "duplicate-key", "{}", case.id);
        }
    }
}

/// Alters one field in every case that has it, and checks that just those cases are named.
fn altered(subject: Subject, field: &str, alter: impl Fn(&mut Value)) {
    let mut document = document(subject);
    let mut expected = BTreeSet::new();
    for case in document["cases"].as_array_mut().unwrap() {
        if let Some(value) = field.split('.').try_fold(&mut *case, |value, key| value.get_mut(key)) {
            alter(value);
            expected.insert(case["id"].as_str().unwrap().to_owned());
        }
    }
    assert!(!expected.is_empty(), "no case has {field}");
    let bytes = serde_json::to_vec(&document).unwrap();
    let summary = vectors::verify_text(subject, &bytes).unwrap();
    let named = summary.differences.iter().filter(|difference| difference.field == field);
    let named: BTreeSet<String> = named.map(|difference| difference.case.clone()).collect();
    assert_eq!(named, expected, "{} {field}", subject.file_name());
}

fn to_other_text(value: &mut Value) {
    let text = value.as_str().unwrap();
    *value = if text.starts_with('x') { "y" } else { "x" }.into();
}

#[test]
fn an_altered_value_is_named_with_its_case_and_field() {
    for subject in [Subject::CanonicalJson, Subject::CapabilityHash] {
        altered(subject, "canonical", to_other_text);
        altered(subject, "sha256", to_other_text);
        altered(subject, "offset", |offset| *offset = (offset.as_u64().unwrap() + 1).into());
        altered(subject, "wrong.as-uploaded", to_other_text);
        altered(subject, "wrong.spaced", to_other_text);
        altered(subject, "mistake", |mistake| {
            *mistake = if mistake == "syntax" { "empty" } else { "syntax" }.into();
        });
    }
    altered(Subject::Union, "canonical", to_other_text);
    altered(Subject::Union, "sha256", to_other_text);
    altered(Subject::Union, "wrong.last-only", to_other_text);
    altered(Subject::HashStrings, "result", |result| {
        *result = if result == "valid" { "invalid" } else { "valid" }.into();
    });
    altered(Subject::HashStrings, "mistake", |mistake| {
        *mistake = if mistake == "length" { "alphabet" } else { "length" }.into();
    });
}

#[test]
fn an_altered_input_is_named() {
    let alter = |from: &str, to: &str| {
        let text = Subject::CapabilityHash.embedded();
        assert!(text.contains(from));
        let altered = text.replacen(from, to, 1);
        let summary = vectors::verify_text(Subject::CapabilityHash, altered.as_bytes()).unwrap();
        summary.differences.first().unwrap().to_string()
    };
    let valid = alter(r#""input": "{\"m.cap.voip.v1\":{}}""#, r#""input": "{\"m.cap.voip.v1\":}""#);
    assert!(valid.starts_with("capability-hash.json: set.one: result: the file has \"valid\""), "{valid}");
    let invalid = alter(r#""input": "[]""#, r#""input": "{}""#);
    assert!(invalid.starts_with("capability-hash.json: set.bad-array: result: "), "{invalid}");
    let hex = alter(r#""input_hex": "7b"#, r#""input_hex": "7"#);
    assert!(hex.starts_with("capability-hash.json: set.bad-utf8: input: "), "{hex}");
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_names_the_place() {
    let subject = Subject::Union;
    let text = subject.embedded();
    let error = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        vectors::verify_text(subject, text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    for (from, to, words) in [
        ("\"about\"", "\"abuot\"", "union.json: unknown field `abuot`"),
        (
            "\"schema_version\": 1",
            "\"schema_version\": 2",
            "union.json: schema_version is 2, this suite reads 1",
        ),
        ("\"sha256\"", "\"sha265\"", "union.json: union.none: unknown field `sha265`"),
        ("\"union.one\"", "\"union.none\"", "union.json: union.none: the id is taken"),
        (
            "\"last-only\":",
            "\"last-one\":",
            "union.json: union.two: the mistake \"last-only\" is not explained",
        ),
        ("\"canonical\": \"{}\"", "\"canonical\": null", "union.json: union.none: invalid type: null"),
        ("\"sets\": [],", "", "union.json: union.none: missing field `sets`"),
        ("\"sets\": [],", "\"sets\": [], \"sets\": [],", "the key \"sets\" is there twice"),
    ] {
        let error = error(from, to);
        assert!(error.contains(words), "{from} -> {to}: {error}");
    }
    let empty = br#"{"about":"","schema_version":1,"mistakes":{},"cases":[]}"#;
    let empty = vectors::verify_text(subject, empty).unwrap_err().to_string();
    assert_eq!(empty, "union.json: there are no cases");
    let truncated =
        vectors::verify_text(subject, &text.as_bytes()[..text.len() / 2]).unwrap_err().to_string();
    assert!(truncated.starts_with("union.json: line ") && truncated.contains("the text ends"), "{truncated}");
}

#[test]
fn every_mistake_that_a_file_explains_is_shown_by_a_case() {
    for subject in Subject::ALL {
        let document = document(subject);
        let cases = document["cases"].as_array().unwrap();
        for mistake in document["mistakes"].as_object().unwrap().keys() {
            let shows = |case: &Value| case["mistake"] == *mistake || case["wrong"].get(mistake).is_some();
            assert!(cases.iter().any(shows), "{}: {mistake}", subject.file_name());
        }
    }
}

/// Mistakes that only failures name: no vector shows them.
const WITHOUT_A_VECTOR: [&str; 6] =
    ["url-safe-padded", "base64-of-hex", "trailing-newline", "quoted", "wrapped", "names-only"];

#[test]
fn every_known_mistake_is_shown_by_a_vector_or_excused() {
    let files: String = Subject::ALL.map(Subject::embedded).concat();
    for mistake in mistake::MISTAKES {
        let shown = files.contains(&format!("\"{}\": \"", mistake.name));
        assert_eq!(shown, !WITHOUT_A_VECTOR.contains(&mistake.name), "{}", mistake.name);
    }
}

#[test]
fn ids_are_permanent_words_and_unique_over_all_files() {
    let mut files: HashMap<String, &str> = HashMap::new();
    for subject in Subject::ALL {
        for case in document(subject)["cases"].as_array().unwrap() {
            let id = case["id"].as_str().unwrap().to_owned();
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
            assert!(id.chars().all(legal) && id.matches('.').count() == 1, "{id}");
            assert_eq!(files.insert(id.clone(), subject.file_name()), None, "{id}");
        }
    }
}

#[test]
fn unions_do_not_depend_on_order() {
    let subject = Subject::Union;
    let file: File<Union> = vectors::load(subject.file_name(), subject.embedded().as_bytes()).unwrap();
    for case in file.cases {
        let sets: Vec<_> =
            case.sets.iter().map(|set| CapabilitySet::parse(set.as_bytes()).unwrap()).collect();
        assert_eq!(CapabilitySet::union(sets.iter().rev()).hash().as_str(), case.sha256, "{}", case.id);
    }
}

#[test]
fn hash_strings_hold_both_answers() {
    let subject = Subject::HashStrings;
    let file: File<HashString> = vectors::load(subject.file_name(), subject.embedded().as_bytes()).unwrap();
    for answer in [Answer::Valid, Answer::Invalid] {
        assert!(file.cases.iter().filter(|case| case.result == answer).count() > 10);
    }
}

#[test]
fn uploads_cover_every_need_and_every_requirement() {
    let uploads = vectors::uploads();
    assert_eq!(uploads.len(), readings(Subject::CapabilityHash).0.len());
    assert!(uploads.iter().all(|upload| upload.set.hash() == upload.hash));
    for (parameters, opaque_names) in [(false, false), (true, false), (false, true)] {
        let with = |u: &&vectors::Upload| (u.parameters, u.opaque_names) == (parameters, opaque_names);
        assert!(uploads.iter().filter(with).count() > 10, "{parameters} {opaque_names}");
    }
    let bad = vectors::bad_uploads();
    assert_eq!(bad.len(), readings(Subject::CapabilityHash).1.len());
    assert!(bad.iter().all(|upload| requirement::find(upload.requirement).is_some()));
    assert!(bad.iter().all(|upload| CapabilitySet::parse(&upload.input).is_err()));
}

fn capcheck(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_capcheck")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_command_verifies_the_embedded_vectors() {
    let output = capcheck(&["vectors", "verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    assert_eq!(stdout.lines().count(), 4, "{stdout}");
    assert!(stdout.lines().all(|line| line.ends_with(": ok")), "{stdout}");
}

#[test]
fn the_command_tells_a_wrong_vector_from_a_file_that_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let file = |name: &str| directory.path().join(name);
    let run = || {
        let output = capcheck(&["vectors", "verify", path]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };

    let (code, _, stderr) = run();
    assert_eq!(code, Some(2));
    assert!(stderr.contains("canonical-json.json: No such file"), "{stderr}");

    for subject in Subject::ALL {
        fs::write(file(subject.file_name()), subject.embedded()).unwrap();
    }
    assert_eq!(run().0, Some(0));

    let right = vectors::uploads()[0].hash.as_str();
    let wrong = Subject::CapabilityHash.embedded().replacen(right, "wrong", 1);
    fs::write(file("capability-hash.json"), wrong).unwrap();
    let (code, stdout, _) = run();
    assert_eq!(code, Some(1));
    let line = format!(
        "capability-hash.json: set.empty: sha256: the file has \"wrong\", derived again it is {right:?}"
    );
    assert!(stdout.contains(&line), "{stdout}");

    fs::write(file("capability-hash.json"), "{\"about\": ").unwrap();
    let (code, _, stderr) = run();
    assert_eq!(code, Some(2));
    assert!(stderr.contains("capability-hash.json: line 1, column 11: the text ends"), "{stderr}");

    fs::write(file("capability-hash.json"), Subject::CapabilityHash.embedded()).unwrap();
    fs::write(file("unions.json"), "{}").unwrap();
    let (code, _, stderr) = run();
    assert_eq!(code, Some(2));
    assert!(stderr.contains("unions.json: not a file of vectors"), "{stderr}");
}
