//! The readers of what others wrote: nothing makes them panic, and what they read they write back.
//!
//! The same functions are fuzzed (`tests/fuzz`).

mod bodies;

use std::path::Path;

use capcheck::spec::canonical;
use capcheck::spec::capability::CapabilitySet;
use capcheck::spec::draw;
use capcheck::spec::history::draw::{Histories, Shape};
use capcheck::spec::history::{Act, Terrain};
use proptest::prelude::*;

/// The pieces of the three languages, so that drawn bytes get past the first character.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\\ude02",
    "\\n",
    "\"a\"",
    "\"b\":{}",
    "null",
    "true",
    "-",
    "0",
    "1",
    "9007199254740991",
    "9007199254740992",
    "1e5",
    "0.5",
    "-0",
    " ",
    "\n",
    "\u{feff}",
    "\u{e9}",
    "\u{1f602}",
    "\u{0}",
    "X-Matrix ",
    "x-matrix\t",
    "origin=",
    "destination=",
    "key=",
    "sig=",
    "signature=",
    "\"hs\"",
    "ed25519:1",
    "a=b",
    "=",
    "\t",
    "url",
    " = ",
    "\"http://localhost:1\"",
    "\n[users]\n",
    "how",
    "\"tokens\"",
    "\n[federation]\n",
    "\n[binding]\n",
    "settle_s",
    "declare",
    "\"PUT /a/{hash}\"",
    "''",
    "\"\"\"",
    "[[",
    "]]",
    "#",
    "1979-05-27",
    "0x1f",
    "inf",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => text(), 1 => proptest::collection::vec(any::<u8>(), 0..64)]
}

/// A seed with some of its bytes replaced, as good inputs go bad.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (proptest::sample::select(seeds), changes).prop_map(|(mut seed, changes)| {
        for (at, byte) in changes.into_iter().filter(|_| !seed.is_empty()).collect::<Vec<_>>() {
            let at = at.index(seed.len());
            seed[at] = byte;
        }
        seed
    })
}

#[expect(clippy::unwrap_used, reason = "without its seeds a test has nothing to say")]
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parsers/seeds").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let seeds: Vec<_> = files.collect();
    assert!(seeds.len() > 3, "{target}");
    seeds
}

#[test]
fn every_seed_is_read() {
    for (target, body) in [
        ("strict_json", bodies::strict_json as fn(&[u8])),
        ("x_matrix", bodies::x_matrix),
        ("target_file", bodies::target_file),
    ] {
        seeds(target).iter().for_each(|seed| body(seed));
    }
}

fn spoiled() -> impl Strategy<Value = (CapabilitySet, Vec<u8>)> {
    let histories = Histories { shape: Shape::Spoiled, terrain: Terrain::WHOLE, longest: 30 };
    histories.prop_filter_map("nothing is spoiled", |history| {
        history.acts().find_map(|act| match act {
            Act::UploadSpoiled { set, how, .. } => {
                let set = &history.sets[*set];
                Some((set.clone(), how.bytes(set)))
            }
            _ => None,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_json_takes_anything(bytes in bytes()) {
        bodies::strict_json(&bytes);
    }

    #[test]
    fn strict_json_takes_seeds_gone_bad(bytes in mutated(seeds("strict_json"))) {
        bodies::strict_json(&bytes);
    }

    #[test]
    fn x_matrix_takes_anything(bytes in bytes()) {
        bodies::x_matrix(&bytes);
    }

    #[test]
    fn x_matrix_takes_seeds_gone_bad(bytes in mutated(seeds("x_matrix"))) {
        bodies::x_matrix(&bytes);
    }

    #[test]
    fn the_target_file_takes_anything(bytes in bytes()) {
        bodies::target_file(&bytes);
    }

    #[test]
    fn the_target_file_takes_seeds_gone_bad(bytes in mutated(seeds("target_file"))) {
        bodies::target_file(&bytes);
    }

    /// The sets of histories come back from their canonical form, and from any other spelling.
    #[test]
    fn the_sets_of_histories_have_one_canonical_form(
        history in Histories { shape: Shape::RoundTrip, terrain: Terrain::WHOLE, longest: 8 },
        seed in any::<u64>(),
    ) {
        let mut draw = draw::Draw::new(seed, "spelling");
        for set in history.dressed("n") {
            let bytes = set.canonical_bytes();
            bodies::strict_json(&bytes);
            prop_assert_eq!(CapabilitySet::parse(&bytes), Ok(set.clone()));
            let spelling = draw.spelling(&set.to_json());
            prop_assert_eq!(canonical::parse(spelling.as_bytes()), Ok(set.to_json()));
        }
    }

    /// What is spoiled for a homeserver is spoiled for the suite, too.
    #[test]
    fn spoiled_sets_are_no_sets((set, bytes) in spoiled()) {
        bodies::strict_json(&bytes);
        prop_assert!(CapabilitySet::parse(&bytes).is_err(), "{:?}", set);
    }
}
