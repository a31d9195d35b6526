//! Mistakes of those who combine sets.

use std::collections::BTreeMap;

use super::super::canonical::{Json, to_bytes};
use super::super::capability::CapabilitySet;
use super::{How, Mistake};

const fn union(name: &'static str, done: &'static str, how: fn(&[CapabilitySet]) -> Vec<u8>) -> Mistake {
    Mistake { name, done, how: How::Union(how) }
}

pub(super) static MISTAKES: &[Mistake] = &[
    union("by-name-only", "without parameters", |sets| {
        CapabilitySet::of(CapabilitySet::union(sets).names()).canonical_bytes()
    }),
    union("first-only", "of the first set alone", |sets| of(sets.first())),
    union("last-only", "of the last set alone", |sets| of(sets.last())),
    union("largest-only", "of the largest set alone", |sets| {
        // The first of those that are equally large.
        of(sets.iter().rev().max_by_key(|set| set.len()))
    }),
    union("first-missed", "without the first set", |sets| of(sets.iter().skip(1))),
    union("last-missed", "without the last set", |sets| of(&sets[..sets.len().saturating_sub(1)])),
    union("first-two", "of the first two sets alone", |sets| of(sets.iter().take(2))),
    union("first-eight", "of the first eight sets alone", |sets| of(sets.iter().take(8))),
    union("first-32", "of the first 32 sets alone", |sets| of(sets.iter().take(32))),
    union("until-empty", "of the sets before the first empty one", |sets| {
        of(sets.iter().take_while(|set| !set.is_empty()))
    }),
    union("empty-wins", "with an empty set instead where one of them is empty", |sets| {
        if sets.iter().any(CapabilitySet::is_empty) { of(None) } else { of(sets) }
    }),
    union("intersection", "of the names that every set has", |sets| {
        by_count(sets, |count, all| count == all)
    }),
    union("symmetric-difference", "of the names that an odd number of sets has", |sets| {
        by_count(sets, |count, _| count % 2 == 1)
    }),
    union("unshared", "of the names that one set alone has", |sets| by_count(sets, |count, _| count == 1)),
    union("shared", "of the names that two sets or more have", |sets| by_count(sets, |count, _| count > 1)),
    union("difference", "of the names that the first set alone has", |sets| {
        let others = CapabilitySet::union(sets.iter().skip(1));
        let first = CapabilitySet::union(sets.first());
        those(&first, |name| !others.contains(name))
    }),
    union("counted", "with the number of sets that have it for each name", |sets| {
        let count = |name: &str| i64::try_from(count(sets, name)).unwrap_or(i64::MAX);
        let union = CapabilitySet::union(sets);
        let counts = union.names().map(|name| (name.to_owned(), Json::Integer(count(name))));
        to_bytes(&Json::Object(counts.collect()))
    }),
    union("list-of-sets", "over the list of the sets", |sets| {
        to_bytes(&Json::Array(sets.iter().map(CapabilitySet::to_json).collect()))
    }),
    union("concatenated", "over the members of each set one after the other", |sets| {
        members(sets.iter().flat_map(each_member))
    }),
    union("repeated", "with a name as often as sets have it", |sets| {
        let mut all: Vec<_> = sets.iter().flat_map(each_member).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        members(all.into_iter())
    }),
    union("appended", "with new names after those of the sets before", |sets| {
        let mut seen = std::collections::BTreeSet::new();
        members(sets.iter().flat_map(each_member).filter(|(name, _)| seen.insert(name.clone())))
    }),
    union("hash-of-hashes", "over the sets' sorted hashes", |sets| {
        let mut hashes: Vec<_> = sets.iter().map(|set| set.hash().to_string()).collect();
        hashes.sort();
        hashes.concat().into_bytes()
    }),
];

fn of<'a>(sets: impl IntoIterator<Item = &'a CapabilitySet>) -> Vec<u8> {
    CapabilitySet::union(sets).canonical_bytes()
}

fn count(sets: &[CapabilitySet], name: &str) -> usize {
    sets.iter().filter(|set| set.contains(name)).count()
}

/// The names that so many of so many sets have.
fn by_count(sets: &[CapabilitySet], wanted: fn(usize, usize) -> bool) -> Vec<u8> {
    those(&CapabilitySet::union(sets), |name| wanted(count(sets, name), sets.len()))
}

fn those(set: &CapabilitySet, wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let kept = set.names().filter(|name| wanted(name));
    let kept = kept.filter_map(|name| Some((name.to_owned(), set.get(name)?.clone())));
    kept.collect::<CapabilitySet>().canonical_bytes()
}

/// The members of a set as they are written, by name.
fn each_member(set: &CapabilitySet) -> impl Iterator<Item = (String, Vec<u8>)> + '_ {
    set.names().filter_map(|name| {
        let one = BTreeMap::from([(name.to_owned(), Json::Object(set.get(name)?.clone()))]);
        let text = to_bytes(&Json::Object(one));
        Some((name.to_owned(), text.get(1..text.len() - 1)?.to_vec()))
    })
}

fn members(members: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let members = members.map(|(_, text)| text).collect::<Vec<_>>().join(&b',');
    [b"{".as_slice(), &members, b"}"].concat()
}
