//! Whether a directory that says it is of this program's version is what that version publishes.
//!
//! Whoever alters a file can alter the manifest with it. So a manifest of this version is held against the one that the
//! program carries.

use indexmap::{IndexMap, IndexSet};

use super::fault::{Fault, RESTORE};
use super::load::LoadError;
use super::manifest::{FileEntry, MANIFEST, Manifest, PUBLISHED};

/// What is not as this version publishes it, but for what is told already: of a file, and of a case of it.
///
/// # Errors
///
/// [`LoadError`] where the manifest that the program carries is none.
pub(super) fn check(
    manifest: &Manifest,
    bytes: &[u8],
    is_told: impl Fn(&str, Option<&str>) -> bool,
) -> Result<Vec<Fault>, LoadError> {
    if !manifest.is_of_this_program() || bytes == PUBLISHED.as_bytes() {
        return Ok(Vec::new());
    }
    let ours = Manifest::load(MANIFEST, PUBLISHED.as_bytes())?;
    let differs = || format!("differs from that of {}; {RESTORE}", ours.generator);
    let mut faults = Vec::new();
    for entry in &ours.files {
        // That there is no entry is told already.
        let Some(theirs) = manifest.file(&entry.file).filter(|theirs| *theirs != entry) else { continue };
        let mut cases = cases(entry, theirs, &ours.generator);
        cases.retain(|fault| !is_told(&fault.file, fault.case.as_deref()));
        if cases.is_empty() && !is_told(&entry.file, None) {
            cases.push(Fault::of(&entry.file, differs()));
        }
        faults.extend(cases);
    }
    let entries_are_ours = ours.files.iter().all(|entry| manifest.file(&entry.file) == Some(entry));
    if entries_are_ours && !is_told(MANIFEST, None) {
        faults.push(Fault::of(MANIFEST, differs()));
    }
    Ok(faults)
}

/// Which cases of a file are others than ours.
fn cases(ours: &FileEntry, theirs: &FileEntry, program: &str) -> Vec<Fault> {
    let in_entry =
        |entry: &FileEntry, id: &str| entry.cases.as_ref().and_then(|cases| cases.get(id)).cloned();
    let ids: IndexSet<&String> =
        [theirs, ours].into_iter().flat_map(|entry| &entry.cases).flat_map(IndexMap::keys).collect();
    let told = ids.into_iter().filter_map(|id| {
        let message = match (in_entry(ours, id), in_entry(theirs, id)) {
            (Some(our), Some(their)) if our == their => return None,
            (Some(_), Some(_)) => format!("not the case of this id in {program}"),
            (Some(_), None) => format!("{program} has this case, and it is not here"),
            (None, _) => format!("this case is not in {program}"),
        };
        Some(Fault::of(&ours.file, format!("{message}; {RESTORE}")).case(id))
    });
    told.collect()
}
