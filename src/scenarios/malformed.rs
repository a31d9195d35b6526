//! Hashes that are none, as they can be spelled into a path.

use crate::actors::Reply;
use crate::outcome::Judgement;
use crate::spec::binding::encode;
use crate::spec::hash::CapabilityHash;

/// The same hash in the other case, but for its last character: well-formed, and nobody's.
pub(super) fn other_case(hash: &CapabilityHash) -> Option<CapabilityHash> {
    let (head, last) = hash.as_str().split_at(42);
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let swapped: String = head.chars().map(swap).chain(last.chars()).collect();
    CapabilityHash::parse(&swapped).ok().filter(|swapped| swapped != hash)
}

/// A malformed hash in a path.
pub(super) struct Malformed {
    /// What is wrong with it.
    pub(super) what: &'static str,
    /// How it stands in the path, letter by letter.
    pub(super) spelled: String,
    /// Whether any 4xx will do, because a proxy or a router may answer before the homeserver.
    any_4xx: bool,
}

impl Malformed {
    /// Whether it was refused as it should be.
    pub(super) fn is_refused_by(&self, reply: &Reply) -> Judgement {
        let refused = if self.any_4xx { reply.is_any_4xx() } else { reply.is_rejected_with_error() };
        refused.when(&format!("for a hash that is {}", self.what))
    }
}

/// What can be wrong with a hash. `good` is one that the target would serve or take, so that a
/// server which guesses what was meant is found out.
pub(super) fn hashes(good: &CapabilityHash) -> Vec<Malformed> {
    let good = good.as_str();
    let (head, last) = good.split_at(42);
    let known = |what, spelled: String| Malformed { what, spelled, any_4xx: false };
    let odd = |what, spelled: String| Malformed { what, spelled, any_4xx: true };
    // A last character that no 32-byte digest has: its two spare bits are set.
    let spare = if last == "B" { "C" } else { "B" };
    vec![
        known("one character short", encode(head)),
        known("one character long", encode(&format!("{good}A"))),
        known("two characters long", encode(&format!("{good}AA"))),
        known("hex", "0123456789abcdef".repeat(4)),
        known("outside the alphabet", encode(&format!("!{}", &good[1..]))),
        known("not a digest by its last character", encode(&format!("{head}{spare}"))),
        known("encoded twice", format!("%25{:02X}{}", good.as_bytes()[0], encode(&good[1..]))),
        odd("a NUL byte", "%00".to_owned()),
        odd("followed by a line feed", encode(&format!("{good}\n"))),
        odd("no UTF-8", format!("{}%FF", encode(head))),
        odd("a way up", "../capcheck-nowhere".to_owned()),
        odd("empty", String::new()),
        odd("ten kibibytes long", "A".repeat(10 * 1024)),
    ]
}
