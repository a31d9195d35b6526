//! The vectors that a scenario can put into the body of an upload.

use std::sync::LazyLock;

use serde::Deserialize;

use super::carried;
use super::document::{Case, Verdict};
use super::subject::Bytes;
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

/// Every vector whose input is a capability set, of at most 32 KiB.
pub fn uploads() -> &'static [Upload] {
    &UPLOADS.0
}

/// Every vector whose input is no capability set.
pub fn bad_uploads() -> &'static [BadUpload] {
    &UPLOADS.1
}

/// Longer ones a server may well refuse for their size, which says nothing about its arithmetic.
const LONGEST: usize = 32 << 10;

static UPLOADS: LazyLock<(Vec<Upload>, Vec<BadUpload>)> = LazyLock::new(|| {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for case in carried("capability-hash").cases() {
        match case.result {
            Verdict::Valid => good.extend(upload(case).filter(|upload| upload.input.len() <= LONGEST)),
            // What has another canonical form than its bytes is tried with that claim elsewhere.
            _ if matches!(case.failure.as_deref(), Some("byte-order-mark" | "too-deep")) => {}
            _ => bad.extend(bad_upload(case)),
        }
    }
    (good, bad)
});

fn upload(case: &Case) -> Option<Upload> {
    let input = input(case)?;
    let set = CapabilitySet::parse(&input).ok()?;
    let (parameters, opaque_names) = (set.has_parameters(), set.has_opaque_names());
    let hash = CapabilityHash::parse(case.expected.as_ref()?.get("sha256")?.as_str()?).ok()?;
    Some(Upload { id: case.id.clone(), input, set, hash, parameters, opaque_names })
}

fn bad_upload(case: &Case) -> Option<BadUpload> {
    let mistake = case.failure.clone()?;
    let (requirement, may_be_accepted) = match mistake.as_str() {
        "duplicate-key" => ("upload.duplicate-keys", true),
        "value-not-an-object" => ("upload.values-are-objects", false),
        _ => ("upload.bad-input", case.result == Verdict::Either),
    };
    Some(BadUpload { id: case.id.clone(), input: input(case)?, mistake, requirement, may_be_accepted })
}

fn input(case: &Case) -> Option<Vec<u8>> {
    Some(Bytes::deserialize(&case.input).ok()?.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The sets that a case gives to a homeserver.
    fn sets(case: &Case) -> Vec<CapabilitySet> {
        let sets = case.input.get("sets").and_then(Value::as_array).cloned();
        let sets = sets.unwrap_or_else(|| case.input.get("json").cloned().into_iter().collect());
        sets.iter().map(|set| CapabilitySet::parse(set.as_str().unwrap().as_bytes()).unwrap()).collect()
    }

    /// A program that lacks a feature leaves out what a homeserver without it may refuse, and nothing else.
    #[test]
    fn flags_of_features_are_on_what_a_homeserver_without_them_may_refuse() {
        type Needs = fn(&CapabilitySet) -> bool;
        let features: [(&str, Needs); 2] =
            [("Parameters", CapabilitySet::has_parameters), ("OpaqueNames", CapabilitySet::has_opaque_names)];
        for subject in ["capability-hash", "union", "upload"] {
            let document = carried(subject);
            for (flag, needs) in features {
                for case in document.cases().filter(|case| case.result == Verdict::Valid) {
                    let needed = sets(case).iter().any(needs);
                    assert_eq!(case.flags.iter().any(|name| name == flag), needed, "{}: {flag}", case.id);
                }
            }
        }
    }
}
