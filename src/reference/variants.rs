//! Freedoms of the built-in homeserver: everything that the protocol leaves open, one switch each.
//!
//! A suite that fails a server for a choice which is the server's to make loses its user. So every
//! freedom of docs/protocol.md is taken here, alone and with others, and nothing may fail. A variant
//! quotes the words that allow it; the freedom itself is at one decision point of the server,
//! `server.may(Variant::X)`.

mod elsewhere;
mod table;

pub(super) use elsewhere::binding as elsewhere;
pub use table::Variant;
use table::{Row, TABLE};

use super::named::{NamedSet, named};

impl Variant {
    /// What the server does, as a clause.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// The words of docs/protocol.md that leave it free.
    pub fn freedom(self) -> &'static str {
        self.row().freedom
    }

    /// What it is one way of doing: of several that name the same choice, a server makes one at most.
    pub fn choice(self) -> Option<&'static str> {
        self.row().choice
    }

    /// The shoulds that a server lets go with it; they fail under `--strict`, and rightly.
    pub fn lets_go(self) -> &'static [&'static str] {
        self.row().lets_go
    }

    /// Whether only other homeservers can tell.
    pub fn is_between_servers(self) -> bool {
        self.row().between_servers
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

named!(Variant, "variant", variant);

/// A set of variants; with none, the server does what `capcheck run` tests itself on.
pub type VariantSet = NamedSet<Variant>;
