//! Drawn values: legal capability sets, and other spellings of the same JSON.
//!
//! Everything is picked by index from alphabets: strategies built from regular expressions are
//! fifteen times slower, and the generator would then cost more than the requests.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner, basic_result_cache};
use sha2::{Digest, Sha256};

use super::canonical::{Json, MAX_INTEGER, Object};
use super::capability::CapabilitySet;

mod spelling;

pub use spelling::spell;
pub(super) use spelling::{below, shuffle};

/// The first parts of drawn names.
const SPACES: [&str; 4] = ["m.cap", "org.example", "custom", "x"];
/// The middle parts of drawn names; few, so that drawn sets overlap.
const WORDS: [&str; 12] = [
    "voip",
    "turnserver",
    "content_repo",
    "contact-repo",
    "backfill",
    "search",
    "threads",
    "e2e",
    "stickers",
    "location",
    "polls",
    "feature",
];
/// Characters that implementations get wrong in strings: escapes, normalisation, the edges of UTF-16.
const TRICKY: [char; 24] = [
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '/',
    '<',
    '&',
    '\u{8}',
    '\t',
    '\n',
    '\u{c}',
    '\r',
    '\u{1}',
    '\u{1f}',
    '\u{7f}',
    'é',
    '\u{301}',
    '\u{2028}',
    '\u{e000}',
    '\u{fb33}',
    '\u{1f602}',
    '\u{10ffff}',
];
/// Integers at the edges where implementations round, overflow or write an exponent.
const EDGES: [i64; 9] =
    [0, 1, -1, 255, 1 << 31, -(1 << 31), 1_000_000_000_000_000, MAX_INTEGER, -MAX_INTEGER];

/// Capability names in the Common Namespaced Identifier Grammar.
pub fn names() -> impl Strategy<Value = String> + Clone {
    (any::<Index>(), any::<Index>(), 1..4_u8)
        .prop_map(|(space, word, version)| format!("{}.{}.v{version}", space.get(&SPACES), word.get(&WORDS)))
}

/// Strings of up to eight characters, most of them tricky.
fn strings() -> impl Strategy<Value = String> + Clone {
    vec(select(&TRICKY[..]), 0..8).prop_map(String::from_iter)
}

/// Parameters of a capability: an object at most four deep with at most some twenty values.
pub fn parameters() -> impl Strategy<Value = Object> + Clone {
    let leaf = prop_oneof![
        strings().prop_map(Json::String),
        select(&EDGES[..]).prop_map(Json::Integer),
        any::<bool>().prop_map(Json::Bool),
        Just(Json::Null),
    ];
    let value = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            btree_map(strings(), inner, 0..4).prop_map(Json::Object),
        ]
    });
    btree_map(strings(), value, 0..4)
}

/// Capability sets of up to eight names; every value `{}` unless `params`.
pub fn capability_set(params: bool) -> BoxedStrategy<CapabilitySet> {
    if params {
        btree_map(names(), parameters(), 0..8).prop_map(CapabilitySet::from_iter).boxed()
    } else {
        vec(names(), 0..8).prop_map(CapabilitySet::of).boxed()
    }
}

/// A source of drawn values: the same seed and scope draw the same values, whatever else is drawn elsewhere.
#[derive(Debug)]
pub struct Draw {
    runner: TestRunner,
}

impl Draw {
    /// A source for one scope, such as a scenario's id, of a run's seed.
    pub fn new(seed: u64, scope: &str) -> Self {
        Self { runner: runner(seed, scope) }
    }

    /// A legal capability set, with parameters or without.
    pub fn set(&mut self, params: bool) -> CapabilitySet {
        self.draw(&capability_set(params))
    }

    /// The same value in another legal spelling.
    pub fn spelling(&mut self, value: &Json) -> String {
        spell(value, self.runner.rng())
    }

    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        spelling::below(self.runner.rng(), n)
    }

    /// Puts the items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        spelling::shuffle(self.runner.rng(), items);
    }

    /// A value of any strategy that rejects nothing.
    fn draw<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        match strategy.new_tree(&mut self.runner) {
            Ok(tree) => tree.current(),
            Err(reason) => unreachable!("a strategy without filters rejected a value: {reason}"),
        }
    }
}

/// What strategies draw from: the same for a seed and a scope, whatever the environment says.
pub(super) fn runner(seed: u64, scope: &str) -> TestRunner {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(scope).finalize();
    TestRunner::new_with_rng(config(), TestRng::from_seed(RngAlgorithm::ChaCha, &digest))
}

/// Every field by name: `Config::default()` would let `PROPTEST_*` variables change what a seed draws.
fn config() -> Config {
    Config {
        cases: 1,
        max_local_rejects: 0,
        max_global_rejects: 0,
        max_flat_map_regens: 0,
        failure_persistence: None,
        source_file: None,
        test_name: None,
        max_shrink_time: 0,
        max_shrink_iters: 0,
        max_default_size_range: 16,
        result_cache: basic_result_cache,
        verbose: 0,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Random,
        _non_exhaustive: (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::canonical;
    use crate::spec::capability::is_identifier;

    fn draws(seed: u64, scope: &str) -> (Vec<CapabilitySet>, String, Vec<usize>) {
        let mut draw = Draw::new(seed, scope);
        let sets: Vec<_> = (0..8).map(|i| draw.set(i % 2 == 0)).collect();
        let spelling = draw.spelling(&CapabilitySet::union(&sets).to_json());
        let mut order: Vec<usize> = (0..20).collect();
        draw.shuffle(&mut order);
        (sets, spelling, order)
    }

    #[test]
    fn seed_and_scope_fix_what_is_drawn() {
        assert_eq!(draws(1, "union::order"), draws(1, "union::order"));
        assert_ne!(draws(1, "union::order"), draws(2, "union::order"));
        assert_ne!(draws(1, "union::order"), draws(1, "union::leave"));
    }

    /// The seed in a report must draw the same in the next build; a change here is a change for users.
    #[test]
    fn what_a_seed_draws_is_stable() {
        let mut draw = Draw::new(7, "stable");
        let drawn: Vec<usize> = (0..6).map(|_| draw.below(1000)).collect();
        assert_eq!(drawn, [384, 750, 486, 87, 828, 144]);
        let names = [
            "custom.turnserver.v3",
            "m.cap.contact-repo.v1",
            "m.cap.threads.v3",
            "org.example.threads.v2",
            "x.search.v1",
        ];
        assert_eq!(draw.set(false), CapabilitySet::of(names));
    }

    #[test]
    fn a_draw_can_go_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<Draw>();
    }

    #[test]
    fn drawn_sets_are_varied_and_legal() {
        let mut draw = Draw::new(3, "varied");
        let sets: Vec<CapabilitySet> = (0..200).map(|_| draw.set(true)).collect();
        assert!(sets.iter().any(CapabilitySet::is_empty));
        assert!(sets.iter().filter(|set| set.has_parameters()).count() > 100);
        assert!(sets.iter().flat_map(CapabilitySet::names).all(is_identifier));
        assert!((0..200).all(|_| !draw.set(false).has_parameters()));
    }

    #[test]
    fn below_reaches_every_number_and_no_further() {
        let mut draw = Draw::new(5, "below");
        let mut seen = [0; 7];
        (0..700).for_each(|_| seen[draw.below(7)] += 1);
        assert!(seen.iter().all(|count| (50..150).contains(count)), "{seen:?}");
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.below(1), 0);
    }

    #[test]
    fn a_shuffle_keeps_the_items() {
        let mut items: Vec<usize> = (0..50).collect();
        Draw::new(5, "shuffle").shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_shuffle_reaches_every_order_alike() {
        let mut draw = Draw::new(6, "orders");
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..600 {
            let mut items = [1, 2, 3];
            draw.shuffle(&mut items);
            *seen.entry(items).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|count| (50..150).contains(count)), "{seen:?}");
    }

    #[test]
    fn drawn_integers_are_those_that_implementations_round_or_overflow() {
        fn integers(value: &Json) -> Vec<i64> {
            match value {
                Json::Integer(n) => vec![*n],
                Json::Array(items) => items.iter().flat_map(integers).collect(),
                Json::Object(members) => members.values().flat_map(integers).collect(),
                _ => Vec::new(),
            }
        }
        let mut draw = Draw::new(8, "integers");
        let drawn: std::collections::BTreeSet<i64> =
            (0..200).flat_map(|_| integers(&draw.set(true).to_json())).collect();
        let (word, double) = (2_147_483_648, 9_007_199_254_740_991);
        let edges = [-double, -word, -1, 0, 1, 255, word, 1_000_000_000_000_000, double];
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), edges);
    }

    #[test]
    fn every_spelling_reads_as_the_value() {
        let mut draw = Draw::new(9, "spelling");
        let mut differing = 0;
        for _ in 0..300 {
            let value = draw.set(true).to_json();
            let spelling = draw.spelling(&value);
            assert_eq!(canonical::parse(spelling.as_bytes()), Ok(value.clone()), "{spelling}");
            differing += usize::from(spelling.as_bytes() != canonical::to_bytes(&value));
        }
        assert!(differing > 250, "only {differing} spellings differ from the canonical one");
    }

    #[test]
    fn spellings_use_every_freedom() {
        let value = canonical::parse(
            "{\"/\":{},\"\u{1f602}\":{},\"c\":[\"\\b\\t\\n\\f\\r\u{7f}\"],\"d\":true}".as_bytes(),
        )
        .unwrap();
        let mut draw = Draw::new(11, "freedoms");
        let spellings: Vec<String> = (0..100).map(|_| draw.spelling(&value)).collect();
        for freedom in [
            "\\/",
            "\\ud83d\\ude02",
            "\\uD83D\\uDE02",
            "\\u000a",
            "\\b",
            "\\t",
            "\\n",
            "\\f",
            "\\r",
            "\\u0063",
            "\t",
            "\r\n",
            "\u{7f}",
            "\\u007f",
        ] {
            assert!(spellings.iter().any(|s| s.contains(freedom)), "no spelling has {freedom:?}");
        }
        assert!(spellings.iter().any(|s| s.find("true") < s.find('[')), "no spelling reorders members");
    }
}
