//! Which requirements the vectors pin: whose arithmetic would have to change for a value to change.

use super::file::{Case, File, HashString, Reading, Subject, Union};
use super::load::load;

/// A requirement, and the cases of one file that pin it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The requirement's id.
    pub requirement: &'static str,
    /// The file.
    pub subject: Subject,
    /// The cases' ids, in the order of the file.
    pub cases: Vec<String>,
}

/// Some cases of a file.
enum Which {
    /// Those whose input is to be taken.
    Valid,
    /// Those whose input is to be refused.
    Invalid,
    /// Those whose input is to be refused, unless for one of these mistakes.
    InvalidBut(&'static [&'static str]),
    /// Those that name one of these mistakes: they tell whoever makes it from whoever does not.
    Naming(&'static [&'static str]),
    /// These.
    Ids(&'static [&'static str]),
    /// All of them.
    All,
}

use Subject::{CanonicalJson, CapabilityHash, HashStrings, Union as Unions};
use Which::{All, Ids, Invalid, InvalidBut, Naming, Valid};

/// What pins a requirement, one row a requirement and file.
const ROWS: &[(&str, Subject, Which)] = &[
    ("hash.sha256-canonical-json", CanonicalJson, Valid),
    ("hash.sha256-canonical-json", CapabilityHash, Valid),
    ("hash.unpadded-base64", CapabilityHash, Naming(&["padded", "url-safe", "hex"])),
    ("hash.unpadded-base64", HashStrings, All),
    ("hash.code-point-order", CanonicalJson, Naming(&["utf16-order"])),
    ("hash.code-point-order", CapabilityHash, Naming(&["utf16-order"])),
    ("hash.code-point-order", Unions, Ids(&["union.non-bmp"])),
    ("hash.no-normalisation", CanonicalJson, Naming(&["composed"])),
    ("hash.no-normalisation", CapabilityHash, Naming(&["composed"])),
    ("hash.no-normalisation", Unions, Ids(&["union.nfc-nfd"])),
    ("hash.order-free", CanonicalJson, Naming(&["as-uploaded"])),
    ("hash.order-free", CapabilityHash, Naming(&["as-uploaded"])),
    ("server.malformed-hash", HashStrings, Invalid),
    ("upload.bad-input", CanonicalJson, InvalidBut(&["duplicate-key"])),
    ("upload.bad-input", CapabilityHash, InvalidBut(&["duplicate-key", "value-not-an-object"])),
    ("upload.duplicate-keys", CanonicalJson, Naming(&["duplicate-key"])),
    ("upload.duplicate-keys", CapabilityHash, Naming(&["duplicate-key"])),
    ("upload.values-are-objects", CapabilityHash, Naming(&["value-not-an-object"])),
    ("upload.malformed-hash", HashStrings, Invalid),
    ("union.single", Unions, Ids(&["union.one"])),
    ("union.of-all", Unions, Naming(&["first-only", "last-only", "intersection", "by-name-only"])),
    ("union.order-free", Unions, Ids(&["union.two", "union.two-swapped", "union.interleaved"])),
    ("union.idempotent", Unions, Ids(&["union.twice", "union.overlap", "union.same-parameters"])),
    ("union.empty-set", Unions, Ids(&["union.none", "union.empty-adds-nothing", "union.empties"])),
    ("resolve.malformed-hash", HashStrings, Invalid),
];

/// Every requirement whose arithmetic the embedded vectors pin, and which of them do.
pub fn pinned() -> Vec<Pinned> {
    let files = Subject::ALL.map(facts);
    let pin = |(requirement, subject, which): &(&'static str, Subject, Which)| {
        let facts =
            files.iter().zip(Subject::ALL).filter(|(_, of)| of == subject).flat_map(|(facts, _)| facts);
        let cases = facts.filter(|fact| which.takes(fact)).map(|fact| fact.id.clone()).collect();
        Pinned { requirement, subject: *subject, cases }
    };
    ROWS.iter().map(pin).collect()
}

/// What decides whether a case belongs to a row.
struct Fact {
    id: String,
    valid: bool,
    mistakes: Vec<String>,
}

impl Which {
    fn takes(&self, fact: &Fact) -> bool {
        let names = |mistakes: &[&str]| fact.mistakes.iter().any(|m| mistakes.contains(&m.as_str()));
        match self {
            Self::Valid => fact.valid,
            Self::Invalid => !fact.valid,
            Self::InvalidBut(mistakes) => !fact.valid && !names(mistakes),
            Self::Naming(mistakes) => names(mistakes),
            Self::Ids(ids) => ids.contains(&fact.id.as_str()),
            Self::All => true,
        }
    }
}

fn facts(subject: Subject) -> Vec<Fact> {
    match subject {
        CanonicalJson | CapabilityHash => facts_of::<Reading>(subject),
        Unions => facts_of::<Union>(subject),
        HashStrings => facts_of::<HashString>(subject),
    }
}

fn facts_of<C: Case>(subject: Subject) -> Vec<Fact> {
    let file: File<C> = load(subject.file_name(), subject.embedded().as_bytes())
        .unwrap_or_else(|error| panic!("embedded vectors: {error}"));
    let owned = |mistakes: Vec<&str>| mistakes.into_iter().map(str::to_owned).collect();
    let fact = |case: &C| Fact {
        id: case.id().to_owned(),
        valid: case.is_valid(),
        mistakes: owned(case.mistakes()),
    };
    file.cases.iter().map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::requirement;
    use crate::vectors::bad_uploads;

    #[test]
    fn every_row_is_about_a_requirement_and_takes_a_case() {
        for pinned in pinned() {
            assert!(requirement::find(pinned.requirement).is_some(), "{}", pinned.requirement);
            assert!(!pinned.cases.is_empty(), "{} by {:?}", pinned.requirement, pinned.subject);
        }
        for (requirement, subject, which) in ROWS {
            let Ids(ids) = which else { continue };
            let known = facts(*subject);
            let there = |id: &&str| known.iter().any(|fact| fact.id == *id);
            assert!(ids.iter().all(there), "{requirement}: {ids:?}");
        }
    }

    #[test]
    fn every_case_pins_something() {
        let pinned = pinned();
        for subject in Subject::ALL {
            for fact in facts(subject) {
                let mut of_it = pinned.iter().filter(|pinned| pinned.subject == subject);
                assert!(of_it.any(|pinned| pinned.cases.contains(&fact.id)), "{}", fact.id);
            }
        }
    }

    #[test]
    fn a_bad_upload_pins_what_its_scenario_checks() {
        let pinned = pinned();
        for upload in bad_uploads() {
            let mut of_it = pinned.iter().filter(|pinned| pinned.requirement == upload.requirement);
            assert!(of_it.any(|pinned| pinned.cases.contains(&upload.id)), "{}", upload.id);
        }
    }
}
