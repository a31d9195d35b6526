//! The properties: generated histories, performed on the target and judged by the model.
//!
//! ```text
//! spec::history (what happens) -> perform (on the target, judged by spec::model) -> search -> failure, script
//! ```
//!
//! A property is a way of drawing histories. What every history must satisfy the model says, so nothing else
//! is particular to one.

pub mod failure;
pub mod perform;
pub mod replay;
pub mod script;
pub mod search;
pub(crate) mod table;

use std::collections::BTreeSet;

use crate::spec::history::draw::Shape;
use crate::spec::requirement::{self, Level};
use crate::target::features::Feature;

/// A way of drawing histories, all of which a homeserver must answer as the model says.
#[derive(Debug)]
pub struct Property {
    /// The permanent id, `properties::words_with_underscores`.
    pub id: &'static str,
    /// What it shows, in a sentence.
    pub summary: &'static str,
    /// How its histories look, in words.
    pub draws: &'static str,
    /// Every requirement that its checks may name.
    pub covers: &'static [&'static str],
    /// What it needs of the target.
    pub needs: &'static [Feature],
    /// How its histories look.
    pub shape: Shape,
    /// How many histories a run performs.
    pub cases: u64,
    /// How many acts a history has at most.
    pub longest: usize,
}

impl Property {
    /// Its place in the table, from 0.
    pub fn place(&self) -> usize {
        table::ALL.iter().position(|other| other.id == self.id).unwrap_or(table::ALL.len())
    }
}

/// The requirements that a search does not demand: what is not a must; where it is strict, what is optional.
pub fn lapsed(strict: bool) -> BTreeSet<&'static str> {
    let least = if strict { Level::Should } else { Level::Must };
    requirement::all().iter().filter(|rule| rule.level < least).map(|rule| rule.id.as_str()).collect()
}

/// Every property, in the order of the suite.
pub fn all() -> &'static [Property] {
    &table::ALL
}

/// The property with this id.
pub fn find(id: &str) -> Option<&'static Property> {
    all().iter().find(|property| property.id == id)
}
