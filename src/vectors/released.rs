//! Released versions: what they published stays as it was.
//!
//! A release copies its manifest to `vectors/released/VERSION.json`, and adds a row here. From then on its cases can be
//! superseded, but neither changed nor dropped, and its revision of the requirements is what it was.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fault::Fault;
use super::load::LoadError;
use super::manifest::{MANIFEST, Manifest, Requirements};
use super::publish::published;
use super::shelf::Shelf;
use crate::exchanges;
use crate::spec::canonical;

/// The manifests of released versions, as the program carries them: version, and text.
pub(super) const RELEASED: &[(&str, &str)] = &[];

/// What no longer is as a released version published it, in what this program's sources come to. Where they come to
/// nothing, nothing is said here.
///
/// # Errors
///
/// [`LoadError`] where a released manifest that the program carries is none.
pub fn check_released() -> Result<Vec<Fault>, LoadError> {
    let files = published(&exchanges::published()).unwrap_or_default();
    let Some(manifest) = files.iter().find(|file| file.file == MANIFEST) else { return Ok(Vec::new()) };
    let manifest = Manifest::load(MANIFEST, manifest.text.as_bytes())?;
    let (released, mut faults) = released(Shelf::Carried)?;
    faults.extend(released.iter().flat_map(|released| check(released, &manifest)));
    Ok(faults)
}

/// What a manifest promised when it was released: the part that every version of its shape has had.
#[derive(Debug, Deserialize)]
pub(super) struct Release {
    pub(super) version: String,
    requirements: Requirements,
    files: Vec<ReleasedFile>,
}

#[derive(Debug, Deserialize)]
struct ReleasedFile {
    file: String,
    #[serde(default)]
    cases: BTreeMap<String, String>,
}

/// The released manifests on a shelf, and what should be one and is none.
pub(super) fn released(shelf: Shelf<'_>) -> Result<(Vec<Release>, Vec<Fault>), LoadError> {
    let load = |file: &str, bytes: Vec<u8>| {
        let file = file.to_owned();
        canonical::parse(&bytes).map_err(|error| LoadError::Json { file: file.clone(), error })?;
        let shape = |message: String| LoadError::Shape { file: file.clone(), message };
        let release: Release = serde_json::from_slice(&bytes).map_err(|error| shape(error.to_string()))?;
        if file != format!("released/{}.json", release.version) {
            return Err(shape(format!("version is {:?}, which is not the file's name", release.version)));
        }
        Ok(release)
    };
    let (mut releases, mut faults) = (Vec::new(), Vec::new());
    for (file, bytes) in shelf.released()? {
        match bytes.and_then(|bytes| load(&file, bytes)) {
            Ok(release) => releases.push(release),
            Err(error) => faults.push(Fault::unread(&file, error)),
        }
    }
    Ok((releases, faults))
}

/// What is not as a released version published it.
pub(super) fn check(released: &Release, now: &Manifest) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (then, ours) = (&released.requirements, &now.requirements);
    if then.revision == ours.revision && then.sha256 != ours.sha256 {
        let message = format!(
            "revision {} was released in {} with the digest {}: the requirements of a revision never change, \
             give these a new one",
            then.revision, released.version, then.sha256
        );
        faults.push(Fault::of(MANIFEST, message).field("requirements.sha256"));
    }
    for entry in &released.files {
        let cases = now.file(&entry.file).and_then(|file| file.cases.as_ref());
        for (id, digest) in &entry.cases {
            let message = match cases.and_then(|cases| cases.get(id)) {
                Some(now) if now == digest => continue,
                Some(_) => {
                    "a released case never changes: restore it, and supersede it with one of another id"
                }
                None => "a released case never goes: restore it, and supersede it with one of another id",
            };
            let message = format!("not as in the released version {}: {message}", released.version);
            faults.push(Fault::of(&entry.file, message).case(id));
        }
    }
    faults
}
