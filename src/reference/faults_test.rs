//! The table of faults against the protocol and the server.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Fault, FaultSet};

/// The musts outside federation. With `crate::spec::requirement` loaded from its file this
/// list comes from there.
const MUSTS: &str = "hash.shape hash.sha256-canonical-json hash.unpadded-base64 hash.code-point-order \
    hash.no-normalisation hash.order-free hash.stable auth.required auth.dead-token server.hash server.set \
    server.unknown-hash server.malformed-hash gating.differs gating.every-entitled gating.no-leak \
    upload.refuse-unknown upload.refusal-recognisable upload.accept-after-upload upload.known-hash \
    upload.mismatch-refused upload.mismatch-not-stored upload.no-pinning upload.idempotent upload.bad-input \
    upload.duplicate-keys upload.too-large-harmless upload.other-algorithm union.single union.of-all \
    union.order-free union.idempotent union.redeclare-replaces union.leave union.relogin union.per-user \
    union.empty-set union.resolvable presence.status presence.sync presence.change presence.new-sharer \
    presence.strangers presence.survives-status presence.not-writable presence.last-leaves \
    resolve.hash-and-user resolve.verifies resolve.encoding resolve.unknown";

#[test]
fn every_must_has_a_fault_that_breaks_it() {
    let broken: BTreeSet<&str> = Fault::all().flat_map(|fault| fault.breaks()).copied().collect();
    let unbroken: Vec<&str> = MUSTS.split_whitespace().filter(|must| !broken.contains(must)).collect();
    assert_eq!(unbroken, Vec::<&str>::new());
}

#[test]
fn ids_are_unique_kebab_words() {
    let ids: BTreeSet<&str> = Fault::all().map(Fault::id).collect();
    assert_eq!(ids.len(), Fault::all().len());
    let odd: Vec<_> = ids
        .iter()
        .filter(|id| !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn every_fault_is_decided_somewhere_in_the_server() {
    let mut source = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference"), &mut source);
    let undecided: Vec<String> = Fault::all()
        .map(|fault| format!("{fault:?}"))
        .filter(|name| {
            !source.contains(&format!("Fault::{name})")) && !source.contains(&format!("Fault::{name},"))
        })
        .collect();
    assert_eq!(undecided, Vec::<String>::new());
}

/// The sources of the server without its tests and the table itself.
fn read(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, source);
        } else if !path.file_name().unwrap().to_string_lossy().starts_with("faults") {
            let text = std::fs::read_to_string(&path).unwrap();
            source.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
}

#[test]
fn a_set_holds_what_was_put_in_and_nothing_else() {
    for fault in Fault::all() {
        let set: FaultSet = [fault].into_iter().collect();
        let held: Vec<Fault> = Fault::all().filter(|other| set.has(*other)).collect();
        assert_eq!(held, [fault]);
        assert_eq!(fault.id().parse(), Ok(fault));
    }
    assert!(FaultSet::default().is_empty());
}

#[test]
fn a_misspelled_id_is_answered_with_the_nearest() {
    let error = "union-lst-declared".parse::<Fault>().unwrap_err();
    assert_eq!(error.nearest, "union-last-declared");
}
