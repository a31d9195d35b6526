//! The mistakes that implementers make with JSON and its hash, and what each comes to.
//!
//! Vectors name them, and a failure that shows a wrong hash says which one was made. A mistake is made alone:
//! all else is as it should be.

mod change;
mod decode;
mod lenient;
mod number;
mod reading;
mod style;
mod union;
mod writing;

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::capability::CapabilitySet;
use super::hash::CapabilityHash;
pub use lenient::Frame;
use lenient::{Liberty, Value};
use style::{CANONICAL, Style};

/// A mistake: its permanent name, what was done, and how it comes to its wrong hash.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// A permanent word, as vectors name it.
    pub name: &'static str,
    /// What was done instead, as in "the union of A and B, but …".
    pub done: &'static str,
    how: How,
}

/// Where an implementation leaves the right path.
#[derive(Clone, Copy, Debug)]
enum How {
    /// It reads with a liberty; and writes in a style, which matters for what it should not have read.
    Read(Liberty, Style),
    /// It refuses what it should take.
    Refuses(fn(&Reading<'_>) -> bool),
    /// It changes the value before it writes it.
    Changed(fn(Value) -> Value),
    /// It writes the value in another style.
    Written(Style),
    /// It hashes other bytes.
    Bytes(fn(&Reading<'_>) -> Option<Vec<u8>>),
    /// It spells the right digest otherwise.
    Spelled(fn(&[u8]) -> String),
    /// It hashes another text than that of the union.
    Union(fn(&[CapabilitySet]) -> Vec<u8>),
}

/// What an implementation has in hand when it has read its input right.
struct Reading<'a> {
    input: &'a [u8],
    value: &'a Value,
    canonical: &'a str,
}

/// What an implementation makes of its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It takes it and says that this is its hash.
    Hash(String),
    /// It refuses it.
    Refused,
}

/// Every mistake that is told by the hash that it yields, or by what it takes and refuses.
pub static MISTAKES: LazyLock<Vec<Mistake>> = LazyLock::new(|| {
    [writing::MISTAKES, change::MISTAKES, union::MISTAKES, reading::MISTAKES]
        .into_iter()
        .flatten()
        .copied()
        .collect()
});

impl Mistake {
    /// What an implementation that makes this mistake makes of some bytes; none where it cannot be made there.
    pub fn outcome(&self, input: &[u8], frame: Frame) -> Option<Outcome> {
        if let How::Read(liberty, style) = self.how {
            let read = lenient::read(input, frame, liberty);
            return Some(read.map_or(Outcome::Refused, |value| Outcome::Hash(hash(&style.bytes(&value)))));
        }
        let value = lenient::read(input, frame, Liberty::None)?;
        let canonical = CANONICAL.bytes(&value);
        let reading = Reading { input, value: &value, canonical: std::str::from_utf8(&canonical).ok()? };
        match self.how {
            How::Read(..) => None,
            How::Refuses(refuses) => refuses(&reading).then_some(Outcome::Refused),
            How::Changed(change) => Some(Outcome::Hash(hash(&CANONICAL.bytes(&change(value))))),
            How::Written(style) => Some(Outcome::Hash(hash(&style.bytes(&value)))),
            How::Bytes(bytes) => bytes(&reading).as_deref().map(hash).map(Outcome::Hash),
            How::Spelled(spell) => Some(Outcome::Hash(spell(&Sha256::digest(canonical)))),
            How::Union(mistaken) => {
                let set = CapabilitySet::parse(&canonical).ok()?;
                Some(Outcome::Hash(hash(&mistaken(&[set]))))
            }
        }
    }

    /// What it says is the hash of the union of sets; none where the mistake cannot be made there.
    pub fn hash_of_union(&self, sets: &[CapabilitySet]) -> Option<String> {
        match self.how {
            How::Union(mistaken) => Some(hash(&mistaken(sets))),
            How::Read(..) => None,
            _ => match self.outcome(&CapabilitySet::union(sets).canonical_bytes(), Frame::Set)? {
                Outcome::Hash(hash) => Some(hash),
                Outcome::Refused => None,
            },
        }
    }
}

/// The mistake with this name.
pub fn find(name: &str) -> Option<&'static Mistake> {
    MISTAKES.iter().find(|mistake| mistake.name == name)
}

/// What was done to this set to arrive at this hash, if it is a known mistake.
///
/// Mistakes that show in the spelling of an upload alone cannot be told here.
pub fn recognise(set: &CapabilitySet, hash: &str) -> Option<&'static str> {
    let right = set.hash();
    let yields =
        |mistake: &&Mistake| mistake.hash_of_union(std::slice::from_ref(set)).as_deref() == Some(hash);
    if right.as_str() == hash { None } else { MISTAKES.iter().find(yields).map(|mistake| mistake.done) }
}

/// What may be read in bytes that the strict reader refuses, where a server is free to take them: the canonical
/// text, and another where the first of two equal keys wins instead of the last.
pub fn taken(input: &[u8], frame: Frame) -> Option<(String, String)> {
    let text = |liberty| String::from_utf8(CANONICAL.bytes(&lenient::read(input, frame, liberty)?)).ok();
    Some((
        text(Liberty::None)?,
        if frame == Frame::Set { text(Liberty::FirstKey)? } else { text(Liberty::None)? },
    ))
}

fn hash(bytes: &[u8]) -> String {
    CapabilityHash::of(bytes).to_string()
}

#[cfg(test)]
mod tests;
