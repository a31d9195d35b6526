//! Coverage: from a sentence of the draft to the requirements that rest on it, and from each of those to its
//! scenarios, faults and vectors; and what is missing on the way.
//!
//! Nothing is run. That a scenario checks what it covers, and fails with the faults that break it, is for
//! the rest of the proof to show; here is shown that there is something to be run.

mod gaps;
mod page;

use serde::Serialize;

use crate::reference::{Fault, Named as _};
use crate::scenarios;
use crate::spec::requirement::{self, Basis, Level, Requirement, Sentence};
use crate::vectors;

pub use gaps::{Gap, GapKind};
pub use page::{gaps as gaps_page, page};

/// Raised when a reader of an earlier version would misread this one.
const SCHEMA_VERSION: u32 = 1;

/// The requirements that say what bytes are computed or read: these need vectors. `hash.shape` and
/// `hash.stable` say who is told what, and when.
const ARITHMETIC: [&str; 13] = [
    "hash.sha256-canonical-json",
    "hash.unpadded-base64",
    "hash.code-point-order",
    "hash.no-normalisation",
    "hash.order-free",
    "upload.bad-input",
    "upload.duplicate-keys",
    "upload.values-are-objects",
    "union.single",
    "union.of-all",
    "union.order-free",
    "union.idempotent",
    "union.empty-set",
];

/// What coverage is told from.
#[derive(Clone, Debug)]
pub struct Tables<'t> {
    /// The draft's sentences.
    pub sentences: &'t [Sentence],
    /// The requirements.
    pub requirements: &'t [Requirement],
    /// The scenarios, and what each covers; no properties, which may come upon what they cover or not.
    pub scenarios: Vec<Link<'t>>,
    /// The faults, and what each breaks.
    pub faults: Vec<Link<'t>>,
    /// The vectors of one file that pin one requirement.
    pub vectors: Vec<Pin>,
    /// The ids of the requirements that need vectors.
    pub arithmetic: &'t [&'t str],
}

/// Something that has an id and names requirements.
#[derive(Clone, Debug)]
pub struct Link<'t> {
    /// The id.
    pub id: &'t str,
    /// The requirements' ids.
    pub requirements: &'t [&'t str],
}

/// The cases of a file of vectors that pin a requirement.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The requirement's id.
    pub requirement: String,
    /// The file's name.
    pub file: String,
    /// The cases' ids.
    pub cases: Vec<String>,
}

impl Tables<'static> {
    /// The tables that the program carries.
    pub fn of_the_suite() -> Self {
        let pin = |pinned: vectors::Pinned| Pin {
            requirement: pinned.requirement,
            file: pinned.file,
            cases: pinned.cases,
        };
        Self {
            sentences: requirement::sentences(),
            requirements: requirement::all(),
            scenarios: scenarios::written().map(|s| Link { id: s.id, requirements: s.covers }).collect(),
            faults: Fault::all().map(|fault| Link { id: fault.id(), requirements: fault.breaks() }).collect(),
            vectors: vectors::pinned().into_iter().map(pin).collect(),
            arithmetic: &ARITHMETIC,
        }
    }
}

/// What rests on what, and what is missing.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// The version of this document.
    pub schema_version: u32,
    /// How many there are of everything.
    pub counts: Counts,
    /// The draft's sentences, in its order.
    pub sentences: Vec<CoveredSentence>,
    /// The requirements, in the order of their table.
    pub requirements: Vec<CoveredRequirement>,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Sentences of the draft.
    pub sentences: usize,
    /// Requirements.
    pub requirements: usize,
    /// Scenarios.
    pub scenarios: usize,
    /// Faults.
    pub faults: usize,
    /// Golden vectors that pin a requirement, each counted once.
    pub vectors: usize,
}

/// A sentence of the draft, and what rests on it.
#[derive(Clone, Debug, Serialize)]
pub struct CoveredSentence {
    /// Its number, e.g. `C6`.
    pub id: String,
    /// The draft's words.
    pub text: String,
    /// Why no requirement rests on it, where none does.
    pub excluded: Option<String>,
    /// The ids of the requirements that rest on it.
    pub requirements: Vec<String>,
}

/// A requirement, and what stands behind it.
#[derive(Clone, Debug, Serialize)]
pub struct CoveredRequirement {
    /// Its id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Whose word it is.
    pub basis: Basis,
    /// The numbers of the sentences that it rests on.
    pub sentences: Vec<String>,
    /// The ids of the scenarios that check it.
    pub scenarios: Vec<String>,
    /// The ids of the faults that break it.
    pub faults: Vec<String>,
    /// The vectors that pin its arithmetic, file by file.
    pub vectors: Vec<Cases>,
}

/// Some cases of a file of vectors.
#[derive(Clone, Debug, Serialize)]
pub struct Cases {
    /// The file's name.
    pub file: String,
    /// The cases' ids.
    pub cases: Vec<String>,
}

impl Coverage {
    /// What the tables cover, and what they do not.
    pub fn of(tables: &Tables<'_>) -> Self {
        let mut vectors: Vec<&String> = tables.vectors.iter().flat_map(|pin| &pin.cases).collect();
        vectors.sort_unstable();
        vectors.dedup();
        let counts = Counts {
            sentences: tables.sentences.len(),
            requirements: tables.requirements.len(),
            scenarios: tables.scenarios.len(),
            faults: tables.faults.len(),
            vectors: vectors.len(),
        };
        Self {
            schema_version: SCHEMA_VERSION,
            counts,
            sentences: tables.sentences.iter().map(|sentence| covered_sentence(sentence, tables)).collect(),
            requirements: tables.requirements.iter().map(|rule| covered_requirement(rule, tables)).collect(),
            gaps: gaps::find(tables),
        }
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&CoveredRequirement> {
        self.requirements.iter().find(|rule| rule.id == id)
    }
}

fn covered_sentence(sentence: &Sentence, tables: &Tables<'_>) -> CoveredSentence {
    let resting = tables.requirements.iter().filter(|rule| rule.sentences.contains(&sentence.id));
    CoveredSentence {
        id: sentence.id.clone(),
        text: sentence.text.trim().to_owned(),
        excluded: sentence.excluded.clone(),
        requirements: resting.map(|rule| rule.id.clone()).collect(),
    }
}

fn covered_requirement(rule: &Requirement, tables: &Tables<'_>) -> CoveredRequirement {
    let ids = |links: &[Link<'_>]| naming(links, &rule.id).map(|link| link.id.to_owned()).collect();
    let pins = tables.vectors.iter().filter(|pin| pin.requirement == rule.id);
    CoveredRequirement {
        id: rule.id.clone(),
        level: rule.level,
        basis: rule.basis,
        sentences: rule.sentences.clone(),
        scenarios: ids(&tables.scenarios),
        faults: ids(&tables.faults),
        vectors: pins.map(|pin| Cases { file: pin.file.clone(), cases: pin.cases.clone() }).collect(),
    }
}

/// Those that name a requirement.
fn naming<'l>(links: &'l [Link<'l>], requirement: &'l str) -> impl Iterator<Item = &'l Link<'l>> {
    links.iter().filter(move |link| link.requirements.contains(&requirement))
}
