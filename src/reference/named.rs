//! What faults, variants and null targets have in common: a table of named rows, and sets of them.

use std::fmt;
use std::marker::PhantomData;

/// Something that has a row in a table, and an id by which people call it.
pub trait Named: Copy + fmt::Debug + 'static {
    /// What such a thing is called, e.g. `fault`.
    const KIND: &'static str;

    /// Every one of them, in the order of the table.
    fn all() -> impl ExactSizeIterator<Item = Self>;

    /// The permanent id.
    fn id(self) -> &'static str;

    /// The row in the table, from 0.
    fn place(self) -> usize {
        Self::all().take_while(|named| named.id() != self.id()).count()
    }

    /// What an id names.
    fn find(id: &str) -> Result<Self, UnknownName> {
        let found = Self::all().find(|named| named.id() == id);
        found.ok_or_else(|| UnknownName { kind: Self::KIND, id: id.to_owned(), nearest: nearest::<Self>(id) })
    }
}

/// Makes the rows of a table [`Named`] where an enum names them, with their ids as their text. The table is
/// `TABLE`; `$row` is the field of a row that holds what it names.
macro_rules! named {
    ($named:ident, $kind:literal, $row:ident) => {
        impl $crate::reference::Named for $named {
            const KIND: &'static str = $kind;

            fn all() -> impl ExactSizeIterator<Item = Self> {
                TABLE.iter().map(|row| row.$row)
            }

            fn id(self) -> &'static str {
                self.row().id
            }

            fn place(self) -> usize {
                self as usize
            }
        }

        impl std::fmt::Display for $named {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.row().id)
            }
        }

        impl std::str::FromStr for $named {
            type Err = $crate::reference::UnknownName;

            fn from_str(id: &str) -> Result<Self, Self::Err> {
                $crate::reference::Named::find(id)
            }
        }

        const _: () = assert!(TABLE.len() <= $crate::reference::named::ROWS, "a set has no room for so many");
    };
}

pub(super) use named;

/// An id that nothing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called {id:?}; the nearest is {nearest:?}")]
pub struct UnknownName {
    /// What was looked for, e.g. `fault`.
    pub kind: &'static str,
    /// What was asked for.
    pub id: String,
    /// The id that looks most like it.
    pub nearest: &'static str,
}

fn nearest<T: Named>(id: &str) -> &'static str {
    let likeness = |named: &T| (strsim::jaro_winkler(id, named.id()) * 1e6) as u32;
    T::all().max_by_key(likeness).map_or("", T::id)
}

/// Every row of a table has its bit.
const WORDS: usize = 8;

/// How many rows a table may have.
pub(super) const ROWS: usize = WORDS * 64;

/// A set of rows of one table.
pub struct NamedSet<T> {
    bits: [u64; WORDS],
    of: PhantomData<T>,
}

impl<T: Named> NamedSet<T> {
    /// The empty set.
    pub const NONE: Self = Self { bits: [0; WORDS], of: PhantomData };

    /// Whether it is in the set.
    pub fn has(&self, named: T) -> bool {
        let bit = named.place();
        self.bits[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Adds it.
    pub fn insert(&mut self, named: T) {
        let bit = named.place();
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    /// What is in the set, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        T::all().filter(|named| self.has(*named))
    }
}

impl<T: Named> FromIterator<T> for NamedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(named: I) -> Self {
        let mut set = Self::NONE;
        named.into_iter().for_each(|named| set.insert(named));
        set
    }
}

// Derived, these would ask the same of `T`.

impl<T> Clone for NamedSet<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for NamedSet<T> {}

impl<T: Named> Default for NamedSet<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T> PartialEq for NamedSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T> Eq for NamedSet<T> {}

impl<T: Named> fmt::Debug for NamedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Named::id)).finish()
    }
}
