//! Golden vectors: inputs with the answers that every implementation must give.
//!
//! The files under `vectors/` were derived without this crate's code and are embedded in the
//! binary. Here they are [loaded](load), [verified](verify) and handed to [scenarios](uploads); what each pins is
//! [told](pinned).

mod file;
mod load;
mod pin;
mod upload;
mod verify;

pub use file::{Answer, File, HashString, Invalid, Reading, Subject, Union, Valid};
pub use load::{LoadError, load};
pub use pin::{Pinned, pinned};
pub use upload::{BadUpload, Upload, bad_uploads, uploads};
pub use verify::{Difference, FileSummary, Summary, verify, verify_text};
