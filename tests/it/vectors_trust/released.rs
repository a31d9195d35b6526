//! What a released version published stays.

use super::*;

/// Releases what is in a directory as 0.0.9, and alters what was released.
fn release(copy: &Copy, alter: impl FnOnce(&mut Value)) {
    let mut manifest = copy.json(MANIFEST);
    manifest["version"] = "0.0.9".into();
    alter(&mut manifest);
    fs::create_dir_all(copy.file("released")).unwrap();
    fs::write(copy.file("released/0.0.9.json"), vectors::to_text(&manifest)).unwrap();
}

fn cases(manifest: &mut Value) -> &mut Value {
    let files = manifest["files"].as_array_mut().unwrap();
    &mut files.iter_mut().find(|entry| entry["file"] == UNION).unwrap()["cases"]
}

#[test]
fn what_is_as_it_was_released_holds() {
    let copy = Copy::new();
    release(&copy, |_| ());
    let page = text(&capcheck(&["vectors", "verify", copy.path().to_str().unwrap()]).stdout);
    assert!(page.contains("released     0.0.9\n"), "{page}");
    assert_eq!(copy.verify(), (0, Vec::new()));
    // Another revision may have other requirements, later versions more cases, and earlier ones another shape.
    release(&copy, |manifest| {
        manifest["schema_version"] = 1.into();
        manifest["since"] = "then".into();
        manifest["requirements"] = json!({ "revision": "2014-12-31.9", "sha256": "00".repeat(32) });
        cases(manifest).as_object_mut().unwrap().remove("union.one");
    });
    assert_eq!(copy.verify(), (0, Vec::new()));
}

#[test]
fn what_is_not_as_it_was_released_is_named() {
    told(
        |copy| release(copy, |manifest| cases(manifest)["union.one"] = "00".repeat(32).into()),
        1,
        &["union.json: union.one: not as in the released version 0.0.9: a released case never changes"],
    );
    told(
        |copy| release(copy, |manifest| cases(manifest)["union.old"] = "00".repeat(32).into()),
        1,
        &["union.json: union.old: not as in the released version 0.0.9: a released case never goes"],
    );
    told(
        |copy| release(copy, |manifest| manifest["requirements"]["sha256"] = "00".repeat(32).into()),
        1,
        &[
            "manifest.json: requirements.sha256: revision 2014-12-31.1 was released in 0.0.9 with the digest 00",
        ],
    );
    told(
        |copy| release(copy, |manifest| manifest["version"] = "0.0.8".into()),
        1,
        &["released/0.0.9.json: version is \"0.0.8\", which is not the file's name"],
    );
}

#[test]
fn what_this_version_carries_is_as_it_was_released() {
    assert_eq!(vectors::check_released().unwrap(), []);
    let archive = repository().join("released");
    let files = fs::read_dir(archive).map_or(0, |entries| entries.count());
    assert_eq!(
        vectors::verify(None).unwrap().released.len(),
        files,
        "src/vectors/released.rs has a row for each"
    );
}
