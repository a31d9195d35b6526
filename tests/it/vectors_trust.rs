//! The published vectors are those of the manifest, as their schemas say, and signed: whatever is not is named.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use capcheck::vectors::{self, MANIFEST};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

mod edition;
mod explained;
mod released;
mod rows;
mod schemas;
mod signatures;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The published files in a directory of their own.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in names(&repository()) {
            let path = directory.path().join(&file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(repository().join(&file), path).unwrap();
        }
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.file(name)).unwrap()).unwrap()
    }

    fn alter(&self, name: &str, alter: impl FnOnce(&mut Value)) {
        let mut document = self.json(name);
        alter(&mut document);
        fs::write(self.file(name), vectors::to_text(&document)).unwrap();
    }

    /// Replaces a text that is there.
    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        fs::write(self.file(name), text.replacen(from, to, 1)).unwrap();
    }

    /// The manifest says of a file what it is now, but for its cases.
    fn enter(&self, name: &str) {
        let bytes = fs::read(self.file(name)).unwrap();
        self.alter(MANIFEST, |manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            let entry = files.iter_mut().find(|entry| entry["file"] == name).unwrap();
            entry["sha256"] = hex::encode(Sha256::digest(&bytes)).into();
            entry["bytes"] = bytes.len().into();
        });
    }

    /// The exit code of `verify`, and every line that tells of what does not hold.
    fn verify(&self) -> (i32, Vec<String>) {
        let output = capcheck(&["vectors", "verify", self.path().to_str().unwrap()]);
        let page = text(&output.stdout) + &text(&output.stderr);
        let is_told = |line: &&str| {
            line.starts_with("  ") || line.starts_with("capcheck: ") || line.contains(" not read: ")
        };
        let told = page.lines().filter(is_told);
        (output.status.code().unwrap(), told.map(|line| line.trim().to_owned()).collect())
    }
}

/// Every JSON file below a directory of vectors, but for released manifests.
fn names(directory: &Path) -> BTreeSet<String> {
    let list = |below: &str| {
        let entries = fs::read_dir(directory.join(below)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".json")).map(|name| format!("{below}{name}")).collect::<Vec<_>>()
    };
    list("").into_iter().chain(list("schemas/")).collect()
}

fn capcheck(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capcheck"));
    command.env_remove("CAPCHECK_KEY_PASSWORD").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The case with this id.
fn case<'v>(document: &'v mut Value, id: &str) -> &'v mut Value {
    let groups = document["groups"].as_array_mut().unwrap().iter_mut();
    let mut cases = groups.flat_map(|group| group["cases"].as_array_mut().unwrap());
    cases.find(|case| case["id"] == id).unwrap()
}

#[test]
fn what_is_generated_is_what_is_published_and_nothing_besides() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/directory");
    let output = capcheck(&["vectors", "generate", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(names(&path), names(&repository()));
    for name in names(&path) {
        let [ours, published] =
            [&path, &repository()].map(|directory| fs::read(directory.join(&name)).unwrap());
        assert!(ours == published, "{name} is stale: cargo run -- vectors generate vectors");
    }
    // What it says: how many were other before, and what is not of the suite.
    let files = names(&path).len();
    assert_eq!(text(&output.stdout), format!("{}: {files} files, 0 as they were\n", path.display()));
    fs::write(path.join(UNION), "{}").unwrap();
    fs::write(path.join("unions.json"), "{}").unwrap();
    let again = text(&capcheck(&["vectors", "generate", path.to_str().unwrap()]).stdout);
    let lines = [
        format!("{}: {files} files, {} as they were", path.display(), files - 1),
        "  unions.json: not a file of this suite, left as it is".to_owned(),
    ];
    assert!(again.lines().eq(lines), "{again}");
    let file = path.join(UNION);
    let output = capcheck(&["vectors", "generate", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let line = format!("capcheck: {}: is a file, and not a directory\n", file.display());
    assert_eq!(text(&output.stderr), line);
}

#[test]
fn what_cannot_be_generated_whole_leaves_everything_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for obstacle in ["schemas", MANIFEST] {
        match obstacle {
            "schemas" => fs::write(path.join(obstacle), "a file").unwrap(),
            _ => fs::create_dir(path.join(obstacle)).unwrap(),
        }
        let output = capcheck(&["vectors", "generate", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let stderr = text(&output.stderr);
        assert!(stderr.contains(path.join(obstacle).to_str().unwrap()), "{stderr}");
        let left: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == obstacle || name == "schemas"), "{left:?}");
        if obstacle == "schemas" {
            fs::remove_file(path.join(obstacle)).unwrap();
        }
    }
}

#[test]
fn the_page_says_what_was_checked() {
    let output = capcheck(&["vectors", "verify", Copy::new().path().to_str().unwrap()]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{page}");
    let digest = hex::encode(Sha256::digest(fs::read(repository().join(MANIFEST)).unwrap()));
    assert_eq!(vectors::manifest_digest(), digest);
    for line in [
        format!("sha256       {digest} (manifest.json)"),
        format!("version      {}, requirements 2014-12-31.", env!("CARGO_PKG_VERSION")),
        "signature    not checked (--pubkey)".to_owned(),
    ] {
        assert!(page.contains(&line), "{line}\n{page}");
    }
    assert!(page.contains(" exchanges\n"), "{page}");
    let cases: usize = vectors::verify(None).unwrap().files.iter().map(|file| file.cases).sum();
    assert!(page.ends_with(&format!("\nHOLDS: {cases} cases in 10 files\n")), "{page}");
    assert_eq!(text(&capcheck(&["vectors", "verify"]).stdout), page);
}

/// Alters the files, and checks the exit code and that just these lines tell of it, by what each holds.
fn told(alter: impl FnOnce(&Copy), code: i32, lines: &[&str]) {
    let copy = Copy::new();
    alter(&copy);
    let (exit, told) = copy.verify();
    let is_told = |line: &&str| told.iter().any(|told| told.contains(*line));
    assert!(told.len() == lines.len() && lines.iter().all(is_told), "{lines:#?}\n{told:#?}");
    assert_eq!(exit, code, "{told:#?}");
}

const UNION: &str = "union.json";

#[test]
fn a_file_that_is_not_the_listed_one_is_named() {
    let again = "get the file again, or generate it again";
    told(
        |copy| fs::remove_file(copy.file(UNION)).unwrap(),
        1,
        &["union.json              not read: missing, and manifest.json lists it; get the file again"],
    );
    told(
        |copy| fs::write(copy.file("unions.json"), "{}").unwrap(),
        1,
        &["unions.json: not a published file, manifest.json does not list it: remove it"],
    );
    let shorter = format!(
        "bytes long, manifest.json has {}; {again}",
        fs::metadata(repository().join(UNION)).unwrap().len()
    );
    told(|copy| copy.replace(UNION, "\n}\n", "\n}"), 1, &[&shorter]);
    told(
        |copy| copy.replace("exchanges.json", "HTTP/1.1", "HTTP/1.0"),
        1,
        &["exchanges.json: its SHA-256 is "],
    );
    let schema = "schemas/union.schema.json";
    told(
        |copy| copy.replace(schema, "\"minItems\": 1", "\"minItems\": 0"),
        1,
        &["schemas/union.schema.json: its SHA-256 is "],
    );
}

#[test]
fn a_case_that_is_not_the_listed_one_is_named_with_its_field() {
    let sum = "union.json: its SHA-256 is ";
    let size = "union.json: it is ";
    told(
        |copy| {
            copy.alter(UNION, |document| {
                let hash = &mut case(document, "union.two")["expected"]["sha256"];
                *hash = hash.as_str().unwrap().replace(|c: char| c.is_ascii_lowercase(), "x").into();
            })
        },
        1,
        &[sum, "union.json: union.two: expected.sha256: the file has \"Z"],
    );
    // Another input with the answers of another input: each value holds, and the case is another.
    let other = |copy: &Copy| {
        copy.alter(UNION, |document| {
            let mut one = case(document, "union.one").clone();
            one["id"] = "union.none".into();
            *case(document, "union.none") = one;
        })
    };
    told(
        other,
        1,
        &[size, "union.json: union.none: input: not the one that manifest.json has the digest of"],
    );
    let added = |copy: &Copy| {
        copy.alter(UNION, |document| {
            let mut new = case(document, "union.one").clone();
            new["id"] = "union.new".into();
            document["groups"][0]["cases"].as_array_mut().unwrap().push(new);
        })
    };
    let line =
        "union.json: union.new: id: not in manifest.json, so it was added by hand: add it to the source";
    told(added, 1, &[size, line]);
    // And where the manifest's entry of the file was made to fit.
    told(
        |copy| {
            added(copy);
            copy.enter(UNION);
        },
        1,
        &[line],
    );
    let dropped = |document: &mut Value| {
        document["groups"][0]["cases"].as_array_mut().unwrap().retain(|case| case["id"] != "union.one");
    };
    told(
        |copy| copy.alter(UNION, dropped),
        1,
        &[size, "union.json: union.one: id: in manifest.json, and not in the file; get the file again"],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_place() {
    let half = |copy: &Copy, name: &str| {
        let bytes = fs::read(copy.file(name)).unwrap();
        fs::write(copy.file(name), &bytes[..bytes.len() / 2]).unwrap();
    };
    told(|copy| half(copy, UNION), 1, &["union.json              not read: line "]);
    told(|copy| half(copy, "exchanges.json"), 1, &["exchanges.json          not read: line "]);
    told(|copy| half(copy, MANIFEST), 1, &["manifest.json           not read: /"]);
    told(|copy| half(copy, MANIFEST), 1, &["/manifest.json: line "]);
    let none = ": no manifest.json, so these are no vectors";
    told(|copy| fs::remove_file(copy.file(MANIFEST)).unwrap(), 2, &[none]);
    let version = ("\"schema_version\": 2", "\"schema_version\": 3");
    let words = "schema_version is 3, this suite reads 2";
    told(
        |copy| copy.replace(UNION, version.0, version.1),
        1,
        &[&format!("union.json              not read: {words}; get the file again")],
    );
    told(|copy| copy.replace(MANIFEST, version.0, version.1), 1, &[&format!("manifest.json: {words}")]);
    told(
        |copy| copy.replace(MANIFEST, "\"suite\"", "\"siute\""),
        1,
        &["manifest.json: unknown field `siute`"],
    );
    told(
        |copy| copy.replace(UNION, "\"sets\": []", "\"stes\": []"),
        1,
        &["not read: union.none: input: unknown field `stes`"],
    );
    told(
        |copy| copy.replace(UNION, "\"union.none\"", "\"onion.none\""),
        1,
        &["not read: onion.none: id: must begin with \"union.\""],
    );
    let nowhere = capcheck(&["vectors", "verify", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert_eq!(text(&nowhere.stderr), "capcheck: /nowhere: there is no such directory\n");
    let file = repository().join(UNION);
    let file = capcheck(&["vectors", "verify", file.to_str().unwrap()]);
    assert_eq!(file.status.code(), Some(2));
    assert!(text(&file.stderr).ends_with("union.json: is a file, and not a directory\n"), "{file:?}");
}

#[test]
fn a_manifest_that_speaks_of_other_files_or_requirements_is_told() {
    told(
        |copy| {
            copy.alter(MANIFEST, |manifest| {
                manifest["files"].as_array_mut().unwrap().push(json!({
                    "file": "../secret.json", "sha256": "00".repeat(32), "bytes": 1,
                }));
            })
        },
        1,
        &["manifest.json: files: lists \"../secret.json\", which this version does not know"],
    );
    told(
        |copy| {
            copy.alter(MANIFEST, |manifest| {
                manifest["files"].as_array_mut().unwrap().retain(|entry| entry["file"] != "exchanges.json");
            })
        },
        1,
        &["manifest.json: files: has no entry for exchanges.json"],
    );
    told(
        |copy| copy.alter(MANIFEST, |manifest| manifest["requirements"]["sha256"] = "00".repeat(32).into()),
        1,
        &["manifest.json: requirements.sha256: 00"],
    );
}
