//! Whether files are those that the manifest speaks of.

use std::collections::BTreeSet;

use super::fault::{Fault, RESTORE};
use super::load::LoadError;
use super::manifest::{FileEntry, MANIFEST, Manifest, sha256};
use super::shelf::{Shelf, names};
use crate::spec::requirement;

/// What is not as the manifest has it: files, and the requirements.
///
/// # Errors
///
/// [`LoadError`] where the directory cannot be read.
pub(super) fn check(shelf: Shelf<'_>, manifest: &Manifest) -> Result<Vec<Fault>, LoadError> {
    let expected = expected(manifest);
    let there = shelf.files()?;
    let mut faults = Vec::from_iter(requirements(manifest));
    for file in &expected {
        match manifest.file(file) {
            Some(entry) => faults.extend(one(shelf, entry)),
            None => {
                let message = format!("has no entry for {file}; {RESTORE}");
                faults.push(Fault::of(MANIFEST, message).field("files"));
            }
        }
    }
    for file in there.difference(&expected).filter(|file| manifest.file(file).is_none()) {
        let message = format!("not a published file, {MANIFEST} does not list it: remove it");
        faults.push(Fault::of(file, message));
    }
    for entry in manifest.files.iter().filter(|entry| !expected.contains(&entry.file)) {
        let reason = match manifest.is_of_this_program() {
            true => "which this version does not know",
            false => "which is no name of a published file",
        };
        faults
            .push(Fault::of(MANIFEST, format!("lists {:?}, {reason}; {RESTORE}", entry.file)).field("files"));
    }
    Ok(faults)
}

/// The files that must be there: those of this version, or what the manifest of another one lists.
fn expected(manifest: &Manifest) -> BTreeSet<String> {
    match manifest.is_of_this_program() {
        true => names(),
        false => manifest.files.iter().map(|entry| entry.file.clone()).filter(|file| is_name(file)).collect(),
    }
}

/// Whether a published file may be called so: none lies outside of the directory.
fn is_name(file: &str) -> bool {
    let stem = match file.strip_prefix("schemas/") {
        Some(schema) => schema.strip_suffix(".schema.json"),
        None => file.strip_suffix(".json").filter(|_| file != MANIFEST),
    };
    stem.is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
}

/// A file that is listed.
fn one(shelf: Shelf<'_>, entry: &FileEntry) -> Option<Fault> {
    let FileEntry { file, sha256: listed, bytes: size, .. } = entry;
    let bytes = match shelf.read(file) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            return Some(Fault::missing(file, format!("missing, and {MANIFEST} lists it; {RESTORE}")));
        }
        Err(error) => return Some(Fault::unread(file, error)),
    };
    let found = sha256(&bytes);
    if bytes.len() as u64 != *size {
        let message = format!("it is {} bytes long, {MANIFEST} has {size}; {RESTORE}", bytes.len());
        return Some(Fault::of(file, message));
    }
    (found != *listed)
        .then(|| Fault::of(file, format!("its SHA-256 is {found}, {MANIFEST} has {listed}; {RESTORE}")))
}

/// The requirements of a revision are the same everywhere.
fn requirements(manifest: &Manifest) -> Option<Fault> {
    let theirs = &manifest.requirements;
    let differ = theirs.revision == requirement::revision() && theirs.sha256 != requirement::digest();
    let message = format!(
        "{}, but revision {} has the digest {}; {RESTORE}",
        theirs.sha256,
        theirs.revision,
        requirement::digest()
    );
    differ.then(|| Fault::of(MANIFEST, message).field("requirements.sha256"))
}
