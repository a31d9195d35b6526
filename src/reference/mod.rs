//! The built-in homeserver: a real one for all that the suite touches.
//!
//! It is a room of its own. It reads the binding of `crate::spec` and nothing
//! else of the suite: its canonicalisation is Ruma's, its union and its state are
//! its own, so that the suite's oracle and the server it is tried on never
//! share the arithmetic on which they are compared.
//!
//! `state` is plain data with pure transitions; `client_api` is thin HTTP over
//! it; [`faults`] makes it deviate, one named mistake at a time.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! use capcheck::reference::{self, Options};
//!
//! let server = reference::start("127.0.0.1:0".parse()?, Options::default()).await?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! server.stop().await;
//! # Ok(()) })
//! # }
//! ```

mod arithmetic;
mod client_api;
#[cfg(test)]
mod conduct_test;
mod delivery;
mod errors;
pub mod faults;
#[cfg(test)]
mod faults_test;
mod federation;
mod grants;
mod http;
mod named;
mod options;
mod pace;
mod routes;
mod server;
#[cfg(test)]
mod server_test;
mod spelling;
#[cfg(test)]
mod spelling_test;
mod state;
pub mod variants;
#[cfg(test)]
mod variants_test;

pub use faults::{Fault, FaultSet};
pub use grants::{Grant, GrantError};
pub use named::{Named, NamedSet, UnknownName};
pub use options::{
    Account, AccountError, FederationOptions, Options, Registration, RegistrationError, ServerLimits,
    TlsIdentity,
};
pub use server::{Running, StartError, start};
pub use variants::{Variant, VariantSet};
