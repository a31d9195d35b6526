//! Matrix Canonical JSON: a [strict reader](parse) and the [canonical bytes](to_bytes).
//!
//! Source: Matrix specification, appendix "Canonical JSON".

mod error;
mod reader;
mod token;
mod writer;

use std::collections::BTreeMap;

pub use error::{JsonError, JsonErrorKind};
pub use reader::{parse, place_of_member};
pub use writer::to_bytes;

/// The largest integer, and without its sign the smallest: 2^53 - 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How deep arrays and objects may nest: 127 is read, 128 is refused. Ours, not Matrix's.
pub const MAX_DEPTH: usize = 127;

/// A JSON value that Canonical JSON can express: no floats, integers within ±(2^53 - 1),
/// object keys unique and in code-point order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer within ±[`MAX_INTEGER`].
    Integer(i64),
    /// A string of Unicode scalar values.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; `String` orders by UTF-8 bytes, which is code-point order.
    Object(Object),
}

/// The members of a JSON object.
pub type Object = BTreeMap<String, Json>;

impl Json {
    /// What the value is, with its article: `a string`, `an object`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// How deep arrays and objects nest: none for a scalar, one for what holds scalars alone.
    pub fn depth(&self) -> usize {
        let within = |values: &mut dyn Iterator<Item = &Self>| 1 + values.map(Self::depth).max().unwrap_or(0);
        match self {
            Self::Array(items) => within(&mut items.iter()),
            Self::Object(members) => within(&mut members.values()),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
