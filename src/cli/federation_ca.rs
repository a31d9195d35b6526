//! `capcheck federation-ca`: a certificate authority in files, which homeservers trust and `[federation]` uses.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::engine::exit::{FAULT, USAGE};
use crate::wire::authority::Authority;

use super::output::{fail, finish};

/// Make a certificate authority for federation, which homeservers under test can trust
#[derive(Debug, clap::Args)]
pub(super) struct FederationCaArgs {
    /// The directory for ca.pem and ca.key; made where it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Runs the command; exit code 2 where the files cannot be written, or are there already.
pub(super) fn run(args: &FederationCaArgs) -> ExitCode {
    let authority = match Authority::generate() {
        Ok(authority) => authority,
        Err(error) => return fail(FAULT, error),
    };
    match authority.write(&args.directory) {
        Ok(()) => finish(page(&args.directory).as_bytes(), ExitCode::SUCCESS),
        Err(error) => fail(USAGE, error),
    }
}

/// Where the files are, and what to do with them.
fn page(directory: &Path) -> String {
    // What is read from another directory needs the whole path.
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let [certificate, key] = Authority::FILES.map(|name| quoted(&directory.join(name)));
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "{certificate}  the certificate: homeservers have to trust it\n\
         {key}  its private key: keep it to yourself\n\
         \n\
         In the target file:\n  \
           federation = {{ ca_cert = {certificate}, ca_key = {key} }}\n\
         \n\
         In the homeserver's configuration, here Synapse's:\n  \
           federation_custom_ca_list: [{certificate}]\n\
         \n\
         For the built-in homeserver:\n  \
           capcheck serve --federation-listen 127.0.0.1:8448 --federation-ca {}\n",
        quoted(&directory)
    );
    page
}

/// A path as TOML, YAML and shells read it.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
