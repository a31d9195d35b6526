//! The table of variants against the protocol and the server.

use std::collections::BTreeSet;

use super::Named as _;
use super::variants::Variant;
use crate::spec::requirement::{self, Level};

/// docs/protocol.md with every run of white space one space.
fn protocol() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md");
    std::fs::read_to_string(path).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_variant_quotes_the_words_that_leave_it_free() {
    let protocol = protocol();
    let invented: Vec<Variant> =
        Variant::all().filter(|variant| !protocol.contains(variant.freedom())).collect();
    assert_eq!(invented, []);
}

#[test]
fn only_shoulds_are_let_go() {
    for variant in Variant::all() {
        for id in variant.lets_go() {
            let rule = requirement::find(id).unwrap_or_else(|| panic!("{variant} lets {id} go"));
            assert_eq!(rule.level, Level::Should, "{variant} lets {id} go");
        }
    }
}

#[test]
fn ids_are_unique() {
    let ids: BTreeSet<&str> = Variant::all().map(Variant::id).collect();
    assert_eq!(ids.len(), Variant::all().len());
    for variant in Variant::all() {
        assert_eq!(variant.id().parse(), Ok(variant));
    }
}
