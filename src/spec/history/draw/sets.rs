//! The sets of a history: few names, so that they overlap on purpose.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::Shape;
use crate::spec::canonical::Object;
use crate::spec::capability::CapabilitySet;
use crate::spec::draw::{below, names, parameters, shuffle};
use crate::spec::history::Terrain;

/// Names outside the grammar: what JSON escapes, what Unicode normalises or orders in two ways, and what falls
/// together if somebody writes JSON by hand.
const OPAQUE: [&str; 18] = [
    "\"",
    "\\",
    "\\\"",
    "/",
    "",
    " ",
    "\u{e9}",
    "e\u{301}",
    "\u{fb33}",
    "\u{1f602}",
    "\u{1f}\u{7f}\u{2028}",
    "a\":{},\"b",
    "a\\\":{},\\\"b",
    "a,b",
    "A",
    "a",
    "{}",
    "%2F+",
];

/// How a set comes of those before it.
#[derive(Clone, Copy)]
enum Kind {
    /// Any names.
    Any,
    /// The names of another one.
    Equal,
    /// Some of another's names.
    Part,
    /// Another's names and one more.
    More,
    /// None of another's names.
    Apart,
    /// Another one, but for one name that looks alike.
    Near,
    /// The names of two others.
    Union,
    /// No names.
    Empty,
}

const KINDS: &[(usize, Kind)] = &[
    (6, Kind::Any),
    (1, Kind::Equal),
    (3, Kind::Part),
    (3, Kind::More),
    (3, Kind::Apart),
    (1, Kind::Near),
    (2, Kind::Union),
    (2, Kind::Empty),
];

const ALGEBRAIC: &[(usize, Kind)] =
    &[(4, Kind::Any), (2, Kind::Part), (2, Kind::More), (3, Kind::Apart), (4, Kind::Union), (3, Kind::Empty)];

const VARIED: &[(usize, Kind)] = &[(8, Kind::Any), (3, Kind::Near), (2, Kind::More), (1, Kind::Empty)];

/// How the sets of a shape are drawn: the kinds, how many names there are at most, how often a name has
/// parameters, and how often it is outside the grammar, in a hundred.
fn manner(shape: Shape) -> (&'static [(usize, Kind)], usize, usize, usize) {
    match shape {
        Shape::Sequence | Shape::Races | Shape::Federation => (KINDS, 6, 10, 15),
        Shape::Algebra => (ALGEBRAIC, 6, 10, 10),
        Shape::RoundTrip => (VARIED, 12, 60, 40),
        Shape::Spoiled => (KINDS, 6, 30, 15),
    }
}

/// Three to six sets over a small pool of names; the same name always has the same parameters.
pub(super) fn drawn(shape: Shape, terrain: &Terrain, runner: &mut TestRunner) -> Vec<CapabilitySet> {
    let (kinds, most, heavy, odd) = manner(shape);
    let size = 3 + below(runner.rng(), most - 2);
    let pool = pool(size, heavy, odd, terrain, runner);
    let rng = runner.rng();
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for _ in 0..3 + below(rng, 4) {
        let kind = super::scene::weighted(rng, kinds);
        let (one, other) = (below(rng, sets.len()), below(rng, sets.len()));
        let (one, other) = (sets.get(one).cloned(), sets.get(other).cloned());
        let mut some: Vec<usize> = (0..pool.names.len()).collect();
        shuffle(rng, &mut some);
        some.truncate(1 + below(rng, size));
        let set = match (kind, one, other) {
            (Kind::Empty, Some(_), _) => Vec::new(),
            (Kind::Equal, Some(one), _) => one,
            (Kind::Part, Some(one), _) => one.into_iter().filter(|name| some.contains(name)).collect(),
            (Kind::More, Some(one), _) => [one, some[..1].to_vec()].concat(),
            (Kind::Apart, Some(one), _) => (0..size).filter(|name| !one.contains(name)).collect(),
            (Kind::Union, Some(one), Some(other)) => [one, other].concat(),
            (Kind::Near, Some(one), _) => {
                let at = below(rng, one.len());
                let near = |(i, name)| if i == at { pool.twin(name) } else { name };
                one.into_iter().enumerate().map(near).collect()
            }
            _ => some.clone(),
        };
        // One set without names is enough.
        sets.push(if set.is_empty() && sets.contains(&set) { some } else { set });
    }
    sets.into_iter().map(|set| pool.set(set)).collect()
}

/// The names of a history and their parameters: as many as were asked for, then a twin of each.
struct Pool {
    names: Vec<(String, Object)>,
}

impl Pool {
    /// The place of the name that looks like the one at this place.
    fn twin(&self, name: usize) -> usize {
        let half = self.names.len() / 2;
        (name + half) % self.names.len().max(1)
    }

    fn set(&self, places: Vec<usize>) -> CapabilitySet {
        places.into_iter().filter_map(|place| self.names.get(place).cloned()).collect()
    }
}

fn pool(size: usize, heavy: usize, odd: usize, terrain: &Terrain, runner: &mut TestRunner) -> Pool {
    let mut drawn: BTreeMap<String, Object> = BTreeMap::new();
    let mut order = Vec::new();
    let good = names();
    while order.len() < size {
        let odd = terrain.opaque_names && below(runner.rng(), 100) < odd;
        let name =
            if odd { OPAQUE[below(runner.rng(), OPAQUE.len())].to_owned() } else { value(&good, runner) };
        let twin = twin(&name, terrain);
        if drawn.contains_key(&name) || drawn.contains_key(&twin) {
            continue;
        }
        let heavy = terrain.parameters && below(runner.rng(), 100) < heavy;
        let parameters = if heavy { value(&parameters(), runner) } else { Object::new() };
        drawn.insert(name.clone(), parameters.clone());
        drawn.insert(twin.clone(), parameters);
        order.push((name, twin));
    }
    let (names, twins): (Vec<_>, Vec<_>) = order.into_iter().unzip();
    let with = |name: String| drawn.get(&name).cloned().map(|parameters| (name, parameters));
    Pool { names: names.into_iter().chain(twins).filter_map(with).collect() }
}

/// A name that looks alike: composed for decomposed, or another mark between its words.
fn twin(name: &str, terrain: &Terrain) -> String {
    match name {
        "\u{e9}" => "e\u{301}".to_owned(),
        "e\u{301}" => "\u{e9}".to_owned(),
        "a" => "A".to_owned(),
        "A" => "a".to_owned(),
        _ if terrain.opaque_names && name.starts_with("x.") => name.to_uppercase(),
        _ => match name.rsplit_once('.') {
            Some((front, back)) => format!("{front}_{back}"),
            None => format!("{name}."),
        },
    }
}

fn value<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    match strategy.new_tree(runner) {
        Ok(tree) => tree.current(),
        Err(reason) => unreachable!("a strategy without filters rejected a value: {reason}"),
    }
}
