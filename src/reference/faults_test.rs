//! The table of faults against the protocol and the server.

use std::collections::BTreeSet;
use std::path::Path;

use super::Named as _;
use super::faults::{Fault, FaultSet};
use crate::spec::requirement::{self, Level};

#[test]
fn every_must_has_a_fault_that_breaks_it() {
    let broken: BTreeSet<&str> = Fault::all().flat_map(Fault::breaks).copied().collect();
    let unbroken: Vec<&str> = requirement::all()
        .iter()
        .filter(|row| row.level == Level::Must)
        .map(|row| row.id.as_str())
        .filter(|id| !broken.contains(id))
        .collect();
    assert_eq!(unbroken, Vec::<&str>::new());
}

#[test]
fn faults_name_requirements_and_sentences_that_exist() {
    for fault in Fault::all() {
        let mut named = BTreeSet::new();
        for id in fault.may_fail() {
            assert!(requirement::find(id).is_some(), "{fault} names {id}, which does not exist");
            assert!(named.insert(id), "{fault} names {id} twice");
        }
        let sentence = fault.sentence();
        assert!(requirement::sentence(sentence).is_some(), "{fault} cites {sentence}, which does not exist");
    }
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
        if path.file_name().unwrap().to_string_lossy().starts_with("faults") {
            continue;
        } else if path.is_dir() {
            read(&path, source);
        } else {
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
