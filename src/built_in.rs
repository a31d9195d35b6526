//! The built-in homeserver as a target: started on a free port, with everything about it declared.

use std::net::Ipv4Addr;

use crate::reference::{self, Options, Running, StartError};
use crate::target::config::{Entitled, Gating, Target};
use crate::target::url::{UrlError, base_url};

/// How many requests are under way at once: harness and homeserver share the processors, and more
/// would only make each scenario wait for the others.
const IN_FLIGHT: usize = 8;

/// Why there is no built-in homeserver.
#[derive(Debug, thiserror::Error)]
pub enum BuiltInError {
    /// It does not start.
    #[error("the built-in homeserver does not start: {0}")]
    Start(#[from] StartError),
    /// It announces a URL that is none.
    #[error("the built-in homeserver: {0}")]
    Url(#[from] UrlError),
}

/// Starts it on loopback. It ends when it is stopped or dropped.
pub async fn start(options: Options) -> Result<(Target, Running), BuiltInError> {
    let gated = options.grants.iter().find_map(|grant| {
        let prefix = grant.users.strip_suffix('*')?.to_owned();
        Some(Gating { capability: grant.capability.clone(), entitled: Entitled::Prefix(prefix) })
    });
    let limit = options.limits.max_set_bytes;
    let server = reference::start((Ipv4Addr::LOCALHOST, 0).into(), options).await?;
    let mut target = Target::at(base_url(&server.url())?);
    target.gating = gated;
    target.limits.max_set_bytes = Some(limit);
    target.limits.in_flight = IN_FLIGHT;
    Ok((target, server))
}
