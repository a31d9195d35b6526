//! The subjects: what each computes, rightly and mistakenly.
//!
//! A subject is a `Topic`: typed input, typed outcome, and its mistakes by name. Everything else (generating,
//! verifying, linting, testing a program) speaks of [`Subject`]s and knows nothing of what they are about.

mod hash_strings;
mod json;
mod presence;
mod slashes;
mod union;
mod upload;
mod url_decoding;
mod url_encoding;
mod x_matrix_signing;
mod x_matrix_verifying;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Verdict;

pub(super) use json::Bytes;

/// What is to be made of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution<E> {
    /// Whether it is to be taken.
    pub result: Verdict,
    /// The class of failure, unless the result is valid.
    pub failure: Option<&'static str>,
    /// What is computed, unless the result is invalid or the subject computes nothing.
    pub expected: Option<E>,
    /// Other answers that are right, too.
    pub also: Vec<Value>,
}

impl<E> Solution<E> {
    /// It is to be taken, and this is computed.
    pub fn valid(expected: Option<E>) -> Self {
        Self { result: Verdict::Valid, failure: None, expected, also: Vec::new() }
    }

    /// It is to be refused, for this reason.
    pub fn invalid(failure: &'static str) -> Self {
        Self { result: Verdict::Invalid, failure: Some(failure), expected: None, also: Vec::new() }
    }

    /// It may be refused for this reason, or taken; then this is computed.
    pub fn either(failure: &'static str, expected: Option<E>) -> Self {
        Self { result: Verdict::Either, failure: Some(failure), expected, also: Vec::new() }
    }

    /// These answers are right, too.
    #[must_use]
    pub fn or(self, also: Vec<Value>) -> Self {
        Self { also, ..self }
    }
}

/// What an implementation makes of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It takes it, and answers this; [`Answer::taken`] where the subject has no answer.
    Taken(Value),
    /// It refuses it.
    Refused,
}

impl Answer {
    /// It takes it; nothing is computed.
    pub fn taken() -> Self {
        Self::Taken(Value::from(Verdict::Valid.word()))
    }

    /// As a file has it under `wrong`.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Taken(value) => value.clone(),
            Self::Refused => Value::from(Verdict::Invalid.word()),
        }
    }
}

/// A subject, typed.
pub(super) trait Topic: Sync {
    /// What a case gives.
    type Input: DeserializeOwned + JsonSchema;
    /// What is computed of it; `()` where nothing is.
    type Expected: Serialize + JsonSchema;

    /// The subject's name, and its file's.
    const NAME: &'static str;
    /// What the ids of its cases begin with.
    const PREFIX: &'static str;
    /// The field of `Expected` that an implementation answers with.
    const ANSWER: Option<&'static str>;

    /// What is to be made of an input.
    fn solve(&self, input: &Self::Input) -> Solution<Self::Expected>;

    /// The names of the mistakes that it knows.
    fn mistakes(&self) -> Vec<&'static str>;

    /// What an implementation that makes this mistake answers; none where the mistake cannot be made
    /// on this input, so that the answer is the right one.
    fn mistaken(&self, mistake: &str, input: &Self::Input) -> Option<Answer>;
}

/// An input that does not have the subject's shape.
#[derive(Debug, thiserror::Error)]
#[error("input: {0}")]
pub struct InputError(#[from] serde_json::Error);

/// A subject, whatever it is about.
pub trait Subject: Sync {
    /// Its name, e.g. `canonical-json`.
    fn name(&self) -> &'static str;

    /// The name of its file, e.g. `canonical-json.json`.
    fn file(&self) -> String {
        format!("{}.json", self.name())
    }

    /// What the ids of its cases begin with, e.g. `canonical.`.
    fn prefix(&self) -> &'static str;

    /// The field of `expected` that an implementation answers with; none where the verdict is the answer.
    fn answer(&self) -> Option<&'static str>;

    /// What is to be made of an input.
    ///
    /// # Errors
    ///
    /// [`InputError`] where the input does not have the subject's shape.
    fn solve(&self, input: &Value) -> Result<Solution<Value>, InputError>;

    /// The names of the mistakes that it knows.
    fn mistakes(&self) -> Vec<&'static str>;

    /// What an implementation that makes this mistake answers; none where it cannot be made on this input.
    ///
    /// # Errors
    ///
    /// As [`solve`](Self::solve).
    fn mistaken(&self, mistake: &str, input: &Value) -> Result<Option<Answer>, InputError>;

    /// The schemas of `input` and `expected`.
    fn schemas(&self, generator: &mut SchemaGenerator) -> (Schema, Schema);
}

impl<T: Topic> Subject for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn prefix(&self) -> &'static str {
        T::PREFIX
    }

    fn answer(&self) -> Option<&'static str> {
        T::ANSWER
    }

    fn solve(&self, input: &Value) -> Result<Solution<Value>, InputError> {
        let Solution { result, failure, expected, also } = Topic::solve(self, &T::Input::deserialize(input)?);
        let expected = expected.map(serde_json::to_value).transpose()?;
        Ok(Solution { result, failure, expected, also })
    }

    fn mistakes(&self) -> Vec<&'static str> {
        Topic::mistakes(self)
    }

    fn mistaken(&self, mistake: &str, input: &Value) -> Result<Option<Answer>, InputError> {
        Ok(Topic::mistaken(self, mistake, &T::Input::deserialize(input)?))
    }

    fn schemas(&self, generator: &mut SchemaGenerator) -> (Schema, Schema) {
        (generator.subschema_for::<T::Input>(), generator.subschema_for::<T::Expected>())
    }
}

/// A subject, and its files as the program carries them.
pub struct Carried {
    /// The subject.
    pub subject: &'static dyn Subject,
    /// The published file.
    pub published: &'static str,
    /// The source of it.
    pub source: &'static str,
}

/// A row for each subject: its files' name, and the topic.
macro_rules! subjects {
    ($($name:literal: $topic:expr),+ $(,)?) => {
        &[$(Carried {
            subject: &$topic,
            published: include_str!(concat!("../../../vectors/", $name, ".json")),
            source: include_str!(concat!("../../../vectors/source/", $name, ".toml")),
        }),+]
    };
}

/// Every subject, in the order of reports.
pub static SUBJECTS: &[Carried] = subjects! {
    "canonical-json": json::CanonicalJson,
    "capability-hash": json::CapabilityHash,
    "hash-strings": hash_strings::HashStrings,
    "union": union::Union,
    "upload": upload::Upload,
    "x-matrix-signing": x_matrix_signing::XMatrixSigning,
    "x-matrix-verifying": x_matrix_verifying::XMatrixVerifying,
    "url-encoding": url_encoding::UrlEncoding,
    "url-decoding": url_decoding::UrlDecoding,
    "presence": presence::Presence,
};

/// The subject with this name.
pub fn find(name: &str) -> Option<&'static Carried> {
    SUBJECTS.iter().find(|carried| carried.subject.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_the_name_of_its_subject() {
        for carried in SUBJECTS {
            let document: Value = serde_json::from_str(carried.published).unwrap();
            assert_eq!(document["subject"], carried.subject.name());
            assert_eq!(find(carried.subject.name()).unwrap().published, carried.published);
        }
    }
}
