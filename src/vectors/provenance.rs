//! Whether files are those that the manifest speaks of.

use super::fault::{Fault, RESTORE};
use super::load::LoadError;
use super::manifest::{FileEntry, MANIFEST, Manifest, sha256};
use super::schema;
use super::shelf::{Shelf, names};
use crate::spec::requirement;

/// What is not as the manifest has it: files, and the requirements.
///
/// # Errors
///
/// [`LoadError`] where the directory cannot be read.
pub(super) fn check(shelf: Shelf<'_>, manifest: &Manifest) -> Result<Vec<Fault>, LoadError> {
    let known = names();
    let there = shelf.files()?;
    let mut faults = Vec::from_iter(requirements(manifest));
    for file in known.iter().chain(there.difference(&known)) {
        match manifest.file(file) {
            Some(entry) if known.contains(file) => faults.extend(one(shelf, entry)),
            Some(_) => {}
            None if known.contains(file) => {
                faults
                    .push(Fault::of(MANIFEST, format!("has no entry for {file}; {RESTORE}")).field("files"));
            }
            None => {
                faults.push(Fault::of(
                    file,
                    format!("not a published file, {MANIFEST} does not list it: remove it"),
                ));
            }
        }
    }
    for entry in manifest.files.iter().filter(|entry| !known.contains(&entry.file)) {
        let message = format!("lists {:?}, which this version does not know; {RESTORE}", entry.file);
        faults.push(Fault::of(MANIFEST, message).field("files"));
    }
    if manifest.version == env!("CARGO_PKG_VERSION") {
        faults.extend(schemas(shelf)?);
    }
    Ok(faults)
}

/// A file that is listed.
fn one(shelf: Shelf<'_>, entry: &FileEntry) -> Option<Fault> {
    let FileEntry { file, sha256: listed, bytes: size, .. } = entry;
    let bytes = match shelf.read(file) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Some(Fault::of(file, format!("missing, and {MANIFEST} lists it; {RESTORE}"))),
        Err(error) => return Some(Fault::unreadable(file, error)),
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

/// Schemas of this version are those that its types come to.
fn schemas(shelf: Shelf<'_>) -> Result<Vec<Fault>, LoadError> {
    let mut faults = Vec::new();
    for (file, text) in schema::texts() {
        if shelf.read(file)?.is_some_and(|bytes| *bytes != *text.as_bytes()) {
            faults.push(Fault::of(file, format!("not the schema that the types come to; {RESTORE}")));
        }
    }
    Ok(faults)
}
