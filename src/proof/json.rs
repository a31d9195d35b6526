//! A proof as JSON, for programs.

use serde_json::json;

use crate::spec::requirement;
use crate::vectors;

use super::run::Proof;

/// Raised when a reader of an earlier version would misread this one.
const SCHEMA_VERSION: u32 = 1;

/// The whole proof, and what it found against the suite.
pub fn write(proof: &Proof, seed: u64) -> String {
    let findings = proof.findings().into_iter().map(|(what, found)| json!({ "of": what, "finding": found }));
    let page = json!({
        "schema_version": SCHEMA_VERSION,
        "suite": {
            "version": env!("CARGO_PKG_VERSION"),
            "requirements_digest": requirement::digest(),
            "vectors_digest": vectors::manifest_digest(),
        },
        "seed": seed,
        "proof": proof,
        "findings": findings.collect::<Vec<_>>(),
    });
    format!("{page:#}\n")
}
