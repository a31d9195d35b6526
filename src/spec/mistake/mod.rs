//! The mistakes that implementers make with the hash, and the wrong hash that each yields.
//!
//! Vectors name them, and a failure that shows a wrong hash says which one was made.

pub(crate) mod reader;
mod style;
mod table;
#[cfg(test)]
mod tests;
mod uploaded;

use sha2::{Digest, Sha256};

use super::capability::CapabilitySet;
use super::hash::CapabilityHash;
use reader::{Loose, Numbers, Reader, STRICT};
use style::Style;
use uploaded::Uploaded;

pub use table::MISTAKES;

/// A mistake: its permanent name, what was done, and how it comes to its wrong hash.
#[derive(Debug)]
pub struct Mistake {
    /// A permanent word, as vectors name it.
    pub name: &'static str,
    /// What was done instead, as in "the union of A and B, but …".
    pub done: &'static str,
    how: How,
}

/// Where an implementation leaves the right path.
#[derive(Debug)]
enum How {
    /// It reads what it must refuse.
    Read(Reader),
    /// It takes for a set what is none.
    Shape(fn(Loose) -> Option<Loose>),
    /// It refuses what it must take.
    Refused(fn(&Loose) -> bool),
    /// It makes another value of what it read.
    Value(fn(Loose) -> Loose),
    /// It writes the value in another style.
    Written(Style),
    /// It hashes another text.
    Text(fn(&Reading<'_>) -> Option<String>),
    /// It turns the right text into other bytes.
    Encoded(fn(&str) -> Vec<u8>),
    /// It spells the right digest otherwise.
    Spelled(fn(&[u8]) -> String),
    /// It takes another set for the union.
    Union(fn(&[CapabilitySet]) -> CapabilitySet),
}

/// What an implementation has in hand when it has read its input right.
struct Reading<'a> {
    input: &'a str,
    canonical: &'a str,
}

/// Reads every canonical text, also where integers of any size are taken.
const EXACT: Reader = Reader { numbers: Numbers::Exact, ..STRICT };

/// What a mistake makes of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// This hash.
    Hash(String),
    /// A refusal.
    Refusal,
}

impl Mistake {
    /// What an implementation that makes this mistake makes of some bytes; none where it does what is right.
    /// `canonical` is their canonical form, if they have one; `sets` says whether only capability sets are taken.
    pub fn made_of(&self, input: &[u8], canonical: Option<&str>, sets: bool) -> Option<Made> {
        let hash = |value: Loose| Made::Hash(hash(value.text().as_bytes()));
        match self.how {
            How::Read(reader) => reader.read(input).filter(|value| !sets || value.is_set()).map(hash),
            How::Shape(shape) if sets => STRICT.read(input).and_then(shape).map(hash),
            How::Refused(refuses) => {
                let value = EXACT.read(canonical?.as_bytes())?;
                refuses(&value).then_some(Made::Refusal)
            }
            _ => {
                let canonical = canonical?;
                let input = std::str::from_utf8(input).unwrap_or(canonical);
                self.hash_of_text(input, canonical).map(Made::Hash)
            }
        }
    }

    /// What an implementation that makes this mistake says of JSON that it read right; none where
    /// the mistake cannot be made there. `canonical` is the canonical form of `input`.
    pub fn hash_of_text(&self, input: &str, canonical: &str) -> Option<String> {
        match self.how {
            How::Value(change) => {
                EXACT.read(canonical.as_bytes()).map(|value| hash(change(value).text().as_bytes()))
            }
            How::Written(style) => {
                let read = |text| serde_json::from_str::<Uploaded>(text).ok();
                let value = read(input).or_else(|| read(canonical))?;
                Some(hash(style.text(&value).as_bytes()))
            }
            How::Text(text) => text(&Reading { input, canonical }).map(|text| hash(text.as_bytes())),
            How::Encoded(encode) => Some(hash(&encode(canonical))),
            How::Spelled(spell) => Some(spell(&Sha256::digest(canonical))),
            How::Read(_) | How::Shape(_) | How::Refused(_) | How::Union(_) => None,
        }
    }

    /// How an implementation that makes this mistake writes this JSON; none where it writes JSON rightly.
    pub fn written(&self, input: &str) -> Option<String> {
        let How::Written(style) = self.how else { return None };
        serde_json::from_str::<Uploaded>(input).ok().map(|value| style.text(&value))
    }

    /// The same for the union of sets.
    pub fn hash_of_union(&self, sets: &[CapabilitySet]) -> Option<String> {
        if let How::Union(mistaken) = self.how {
            return Some(mistaken(sets).hash().to_string());
        }
        let bytes = CapabilitySet::union(sets).canonical_bytes();
        let canonical = std::str::from_utf8(&bytes).ok()?;
        self.hash_of_text(canonical, canonical)
    }

    /// Whether it is about several sets.
    pub const fn is_about_unions(&self) -> bool {
        matches!(self.how, How::Union(_))
    }
}

fn hash(bytes: &[u8]) -> String {
    CapabilityHash::of(bytes).to_string()
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
