//! A directory that says it is of this program's version is what that version publishes, whatever its manifest says.

use super::*;

/// The manifest says of a file of cases what it is now, with its cases: nothing contradicts itself any more.
fn enter_whole(copy: &Copy, name: &str) {
    copy.enter(name);
    let subject = vectors::subject::find(name.strip_suffix(".json").unwrap()).unwrap().subject;
    let document = vectors::load(subject, &fs::read(copy.file(name)).unwrap()).unwrap();
    let digest = |case: &vectors::Case| (case.id.clone(), Value::from(vectors::case_digest(case)));
    copy.alter(MANIFEST, |manifest| {
        let entries = manifest["files"].as_array_mut().unwrap();
        let entry = entries.iter_mut().find(|entry| entry["file"] == name).unwrap();
        entry["cases"] = Value::Object(document.cases().map(digest).collect());
    });
}

fn alter(copy: &Copy, alter: impl FnOnce(&mut Vec<Value>)) {
    copy.alter(UNION, |document| alter(document["groups"][0]["cases"].as_array_mut().unwrap()));
    enter_whole(copy, UNION);
}

fn ours(message: &str) -> String {
    message.replace("capcheck", concat!("capcheck ", env!("CARGO_PKG_VERSION")))
}

#[test]
fn what_was_altered_with_its_manifest_is_named() {
    let exchange = |copy: &Copy| {
        copy.replace("exchanges.json", "200 OK", "201 OK");
        copy.enter("exchanges.json");
    };
    told(exchange, 1, &[&ours("exchanges.json: differs from that of capcheck; get the file again")]);
    let schema = |copy: &Copy| {
        copy.replace("schemas/union.schema.json", "\"minItems\": 1", "\"minItems\": 0");
        copy.enter("schemas/union.schema.json");
    };
    told(schema, 1, &[&ours("schemas/union.schema.json: differs from that of capcheck")]);
    let comment = |cases: &mut Vec<Value>| cases[0]["comment"] = "another".into();
    told(|copy| alter(copy, comment), 1, &[&ours("union.json: differs from that of capcheck")]);
    let added = |cases: &mut Vec<Value>| {
        let mut new = cases[0].clone();
        new["id"] = "union.x".into();
        cases.push(new);
    };
    told(|copy| alter(copy, added), 1, &[&ours("union.json: union.x: this case is not in capcheck")]);
    let dropped = |cases: &mut Vec<Value>| cases.retain(|case| case["id"] != "union.one");
    told(
        |copy| alter(copy, dropped),
        1,
        &[&ours("union.json: union.one: capcheck has this case, and it is not here")],
    );
    let exchanged = |cases: &mut Vec<Value>| {
        let (first, second) = (cases[0]["id"].clone(), cases[1]["id"].clone());
        (cases[0]["id"], cases[1]["id"]) = (second, first);
    };
    let told_of = |id: &str| ours(&format!("union.json: {id}: not the case of this id in capcheck"));
    let ids =
        vectors::carried("union").groups[0].cases.iter().map(|case| case.id.clone()).collect::<Vec<_>>();
    told(|copy| alter(copy, exchanged), 1, &[&told_of(&ids[0]), &told_of(&ids[1])]);
    told(
        |copy| copy.alter(MANIFEST, |manifest| manifest["generator"] = "another".into()),
        1,
        &[&ours("manifest.json: differs from that of capcheck")],
    );
}

/// Of another version nobody here knows what it published: that is said, and that it holds is not signed.
#[test]
fn another_version_holds_and_is_not_signed() {
    let copy = Copy::new();
    copy.alter(MANIFEST, |manifest| manifest["version"] = "9.9.9".into());
    copy.alter(UNION, |document| case(document, "union.one")["comment"] = "told better".into());
    enter_whole(&copy, UNION);
    let directory = copy.path().to_str().unwrap();
    let output = capcheck(&["vectors", "verify", directory]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{page}");
    let note = format!("note         version 9.9.9 is not this program's ({}): ", env!("CARGO_PKG_VERSION"));
    assert!(page.contains(&note), "{page}");
    assert!(page.lines().last().unwrap().ends_with(" files, of another version (9.9.9)"), "{page}");
    let output = capcheck(&["vectors", "sign", "--key", "/nowhere", directory]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains(": version 9.9.9 is not this program's"), "{output:?}");
    assert!(!copy.file("manifest.json.minisig").exists());
}

/// It may have published other files, but none elsewhere.
#[test]
fn another_version_may_have_other_files() {
    let add = |copy: &Copy, name: &str, text: &str| {
        copy.alter(MANIFEST, |manifest| {
            manifest["version"] = "9.9.9".into();
            let sha256 = hex::encode(Sha256::digest(text));
            let entry = json!({ "file": name, "sha256": sha256, "bytes": text.len() });
            manifest["files"].as_array_mut().unwrap().push(entry);
        });
        fs::write(copy.file("more.json"), "{}").unwrap();
    };
    told(|copy| add(copy, "more.json", "{}"), 0, &[]);
    told(|copy| add(copy, "more.json", "[]"), 1, &["more.json: its SHA-256 is "]);
    let outside = "manifest.json: files: lists \"../more.json\", which is no name of a published file";
    let unlisted = "more.json: not a published file";
    told(|copy| add(copy, "../more.json", "{}"), 1, &[outside, unlisted]);
}
