//! The vectors that a scenario can put into the body of an upload.

use std::sync::LazyLock;

use super::file::{File, Reading, Subject};
use super::load::load;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;

/// A body that is a capability set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The case's permanent id.
    pub id: String,
    /// The body, byte for byte.
    pub input: Vec<u8>,
    /// The set that it holds.
    pub set: CapabilitySet,
    /// The hash of the set, as the vector has it.
    pub hash: CapabilityHash,
    /// Whether it needs the feature `parameters`.
    pub parameters: bool,
    /// Whether it needs the feature `opaque_names`.
    pub opaque_names: bool,
}

/// A body that is no capability set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadUpload {
    /// The case's permanent id.
    pub id: String,
    /// The body, byte for byte.
    pub input: Vec<u8>,
    /// The name of what is wrong.
    pub mistake: String,
    /// The requirement that says what a server must do with it.
    pub requirement: &'static str,
    /// Whether that requirement also lets the server accept the body, as long as what it serves hashes to the claim.
    pub may_be_accepted: bool,
}

impl BadUpload {
    /// A hash under which the body can be uploaded: that of its bytes as they are.
    pub fn claim(&self) -> CapabilityHash {
        CapabilityHash::of(&self.input)
    }
}

/// Every vector whose input is a capability set.
pub fn uploads() -> &'static [Upload] {
    &UPLOADS.0
}

/// Every vector whose input is no capability set.
pub fn bad_uploads() -> &'static [BadUpload] {
    &UPLOADS.1
}

static UPLOADS: LazyLock<(Vec<Upload>, Vec<BadUpload>)> = LazyLock::new(|| {
    let subject = Subject::CapabilityHash;
    let file: File<Reading> = load(subject.file_name(), subject.embedded().as_bytes())
        .unwrap_or_else(|error| panic!("embedded vectors: {error}"));
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for case in file.cases {
        match case {
            Reading::Valid(case) => good.extend(upload(case.id, case.input, &case.sha256)),
            Reading::Invalid(case) => {
                bad.extend(case.bytes().map(|input| bad_upload(case.id, input, case.mistake)))
            }
        }
    }
    (good, bad)
});

fn upload(id: String, input: String, hash: &str) -> Option<Upload> {
    let set = CapabilitySet::parse(input.as_bytes()).ok()?;
    let (parameters, opaque_names) = (set.has_parameters(), set.has_opaque_names());
    let hash = CapabilityHash::parse(hash).ok()?;
    Some(Upload { id, input: input.into_bytes(), set, hash, parameters, opaque_names })
}

fn bad_upload(id: String, input: Vec<u8>, mistake: String) -> BadUpload {
    let (requirement, may_be_accepted) = match mistake.as_str() {
        "duplicate-key" => ("upload.duplicate-keys", true),
        "value-not-an-object" => ("upload.values-are-objects", false),
        "integer-out-of-range" => ("upload.bad-input", true),
        _ => ("upload.bad-input", false),
    };
    BadUpload { id, input, mistake, requirement, may_be_accepted }
}
