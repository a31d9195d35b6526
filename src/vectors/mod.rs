//! Golden vectors: inputs with the answers that every implementation must give.
//!
//! People write `vectors/source`; what follows from an input is [derived](generate) by the [subject] it
//! is about, and published as a [document](Document). The published files are embedded in the binary; here they are
//! [loaded](load), [verified](verify) and handed to [scenarios](uploads); what each pins is [told](pinned).
//! [`program`] puts them to implementations that are no homeservers.
//!
//! All of it is [published](publish) with [schemas] and a [manifest](Manifest), which whoever publishes it [signs](sign).

mod document;
mod edition;
mod fault;
mod generate;
mod lint;
mod load;
mod manifest;
mod pin;
pub mod program;
mod provenance;
mod publish;
mod released;
mod schema;
mod shelf;
mod signature;
mod source;
pub mod subject;
mod upload;
mod verify;

pub use document::{Case, Document, Flag, FlagLevel, Group, SCHEMA_VERSION, Verdict};
pub use fault::{Fault, FaultKind};
pub use generate::{GenerateError, generate, is_right, mistaken, to_line, to_text};
pub use lint::{Complaint, Measured, lint, lint_document};
pub use load::{LoadError, load};
pub use manifest::{FileEntry, MANIFEST, Manifest, Requirements, case_digest, manifest_digest};
pub use pin::{Pinned, pinned};
pub use publish::{EXCHANGES, PublishError, Published, Written, publish, published};
pub use released::check_released;
pub use schema::all as schemas;
pub(crate) use shelf::read_bounded;
pub use signature::{
    PublicKey, SUFFIX, SecretKey, SignError, SignatureError, Signed, sign, sign_manifest, verify_signature,
    verify_signed,
};
pub use source::{Source, SourceCase, SourceGroup};
pub use upload::{BadUpload, Upload, bad_uploads, uploads};
pub use verify::{Difference, FileSummary, Summary, verify, verify_text};

/// The published file of a subject, as the program carries it.
///
/// # Panics
///
/// For a name that is no subject's.
pub fn carried(subject: &str) -> Document {
    let carried = subject::find(subject).unwrap_or_else(|| panic!("no subject is called {subject}"));
    load(carried.subject, carried.published.as_bytes())
        .unwrap_or_else(|error| panic!("embedded vectors: {error}"))
}
