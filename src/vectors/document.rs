//! What a published file of vectors holds; `vectors/schemas` is made from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of these shapes; raised when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 2;

/// How mistakes, failures and groups are called.
const KEBAB: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

/// How flags are called.
const FLAG: &str = "^[A-Z][A-Za-z0-9]*$";

/// How requirements are called.
const REQUIREMENT: &str = "^[a-z]+\\.[a-z0-9]+(-[a-z0-9]+)*$";

/// A file: one subject, and everything that a reader of it must know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What the cases are about; also the file's name, without `.json`.
    pub subject: String,
    /// Where the schema of the file lies, from the directory of the file.
    pub schema: String,
    /// The version of these shapes.
    pub schema_version: u32,
    /// What is computed, in a sentence.
    #[schemars(length(min = 1))]
    pub algorithm: String,
    /// The texts that say so.
    #[schemars(length(min = 1))]
    pub source: Vec<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// The field of `expected` that an implementation answers with; absent where its verdict is the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What the flags of the cases mean, by name.
    #[schemars(extend("propertyNames" = { "pattern": FLAG }))]
    pub flags: BTreeMap<String, Flag>,
    /// The mistakes whose answers the cases list under `wrong`, each in a phrase.
    #[schemars(extend("propertyNames" = { "pattern": KEBAB }))]
    pub mistakes: BTreeMap<String, String>,
    /// The classes of `failure`, each in a phrase.
    #[schemars(extend("propertyNames" = { "pattern": KEBAB }))]
    pub failures: BTreeMap<String, String>,
    /// The cases.
    #[schemars(length(min = 1))]
    pub groups: Vec<Group>,
}

/// What a flag means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// What an implementation that fails such a case has wrong.
    #[schemars(length(min = 1))]
    pub bug_type: String,
    /// What comes of that.
    #[schemars(length(min = 1))]
    pub effect: String,
    /// Who says so.
    #[schemars(length(min = 1))]
    pub reference: String,
    /// The requirements of the capability API that it pins, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(regex(pattern = REQUIREMENT)), extend("uniqueItems" = true))]
    pub requirements: Vec<String>,
    /// The mistakes that a case with this flag can show.
    #[serde(default)]
    #[schemars(inner(regex(pattern = KEBAB)), extend("uniqueItems" = true))]
    pub shows: Vec<String>,
    /// How binding such a case is.
    #[serde(default)]
    pub level: FlagLevel,
    /// Whether it names a legal choice, on which `either` and `also` rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    pub freedom: bool,
}

/// How binding the cases of a flag are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlagLevel {
    /// A failure is told and does not gate, unless asked for.
    Should,
    /// A failure gates.
    #[default]
    Must,
}

/// Cases that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// A word.
    #[schemars(regex(pattern = KEBAB))]
    pub name: String,
    /// What they have in common.
    #[schemars(length(min = 1))]
    pub about: String,
    /// The requirements of the capability API that all of them pin, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(regex(pattern = REQUIREMENT)), extend("uniqueItems" = true))]
    pub requirements: Vec<String>,
    /// The cases.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// An input, and what is to be made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The permanent id.
    pub id: String,
    /// What the case shows, in a phrase.
    #[schemars(length(min = 1))]
    pub comment: String,
    /// What it is about, by the names that the file explains.
    #[schemars(inner(regex(pattern = FLAG)), extend("uniqueItems" = true))]
    pub flags: Vec<String>,
    /// The rule that tells it from its neighbours, where no mistake does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1))]
    pub rule: Option<String>,
    /// The input, in the subject's own shape.
    pub input: Value,
    /// What is to be made of it.
    pub result: Verdict,
    /// Why it is, or may be, refused: a class that the file explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = KEBAB))]
    pub failure: Option<String>,
    /// What is computed where it is taken, in the subject's own shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// Other answers that are right, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Value>,
    /// The answers of implementations that make a mistake, by its name: an answer, or the word of a verdict.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": KEBAB }, "minProperties" = 1))]
    pub wrong: BTreeMap<String, Value>,
    /// The case that says better what this one meant to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
}

/// Whether an input is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is to be taken.
    Valid,
    /// It is to be refused.
    Invalid,
    /// Either will do; a flag says which freedom that is.
    Either,
}

impl Verdict {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Either => "either",
        }
    }
}

impl Document {
    /// Every case, in the order of the file.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.groups.iter().flat_map(|group| &group.cases)
    }

    /// How binding a case is: as its least binding flag.
    pub fn level(&self, case: &Case) -> FlagLevel {
        let levels = case.flags.iter().filter_map(|flag| self.flags.get(flag)).map(|flag| flag.level);
        levels.min().unwrap_or_default()
    }
}
