//! The built-in homeserver as a target: started on free ports, with everything about it declared.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::reference::{self, FederationOptions, Options, Running, StartError, TlsIdentity};
use crate::target::config::{Entitled, Federation, Gating, Target};
use crate::target::url::{UrlError, base_url};
use crate::wire::TlsTrust;
use crate::wire::authority::{Authority, AuthorityError};
use crate::wire::peer::Identity;

/// How many requests are under way at once: harness and homeserver share the processors, and more
/// would only make each scenario wait for the others.
const IN_FLIGHT: usize = 8;

/// How long a homeserver waits for another: both are on this machine, and silence costs a run this much.
const REMOTE_TIMEOUT: Duration = Duration::from_millis(800);

/// Why there is no built-in homeserver.
#[derive(Debug, thiserror::Error)]
pub enum BuiltInError {
    /// It does not start.
    #[error("the built-in homeserver does not start: {0}")]
    Start(#[from] StartError),
    /// It announces a URL that is none.
    #[error("the built-in homeserver: {0}")]
    Url(#[from] UrlError),
    /// No certificates can be made for it.
    #[error("the built-in homeserver's certificate: {0}")]
    Authority(#[from] AuthorityError),
}

/// Starts it on loopback. It ends when it is stopped or dropped.
pub async fn start(options: Options) -> Result<(Target, Running), BuiltInError> {
    start_under(&Authority::generate()?, options).await
}

/// Starts it on loopback, and alone: it federates with nobody.
pub async fn start_alone(options: Options) -> Result<(Target, Running), BuiltInError> {
    let options = Options { federation: None, ..options };
    let declared = options.clone();
    let server = reference::start((Ipv4Addr::LOCALHOST, 0).into(), options).await?;
    Ok((declare(&declared, &server)?, server))
}

/// Two of them that federate with each other: the first with these options, the second conforming, and
/// bound as the first is.
#[derive(Debug)]
pub struct Pair {
    /// The first.
    pub target: Target,
    /// The second.
    pub second: Target,
    servers: [Running; 2],
}

impl Pair {
    /// Ends both.
    pub async fn stop(self) {
        let [first, second] = self.servers;
        tokio::join!(first.stop(), second.stop());
    }
}

/// Starts two on loopback that trust each other's authority. They end when they are stopped or dropped.
pub async fn start_pair(options: Options) -> Result<Pair, BuiltInError> {
    let authority = Authority::generate()?;
    let binding = options.binding.clone();
    let (target, first) = start_under(&authority, options).await?;
    let (second, other) = start_under(&authority, Options { binding, ..Options::default() }).await?;
    Ok(Pair { target, second, servers: [first, other] })
}

async fn start_under(authority: &Authority, mut options: Options) -> Result<(Target, Running), BuiltInError> {
    let ca = authority.certificate()?;
    let (chain, key) = authority.issue(&["localhost", "127.0.0.1"])?;
    options.federation = Some(FederationOptions {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        certificate: Arc::new(TlsIdentity { chain, key }),
        trust: vec![ca.clone()],
        timeout: REMOTE_TIMEOUT,
    });
    let declared = options.clone();
    let server = reference::start((Ipv4Addr::LOCALHOST, 0).into(), options).await?;
    let mut target = declare(&declared, &server)?;
    target.federation = Some(Federation {
        url: server.federation_url().map(|url| base_url(&url)).transpose()?,
        tls: TlsTrust::Only(vec![ca]),
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: Ipv4Addr::LOCALHOST.to_string(),
        ports: None,
        identity: Identity::Authority(authority.clone()),
    });
    Ok((target, server))
}

/// What a target file would say of it.
fn declare(options: &Options, server: &Running) -> Result<Target, BuiltInError> {
    let mut target = Target::at(base_url(&server.url())?);
    target.gating = gating(options);
    target.binding = options.binding.clone();
    target.limits.max_set_bytes = Some(options.limits.max_set_bytes);
    target.limits.connected_timeout = options.limits.connected_timeout();
    target.limits.negative_cache = options.limits.failed_lookup_for;
    target.limits.in_flight = IN_FLIGHT;
    target.limits.remote_timeout = REMOTE_TIMEOUT;
    Ok(target)
}

/// What a target file would say of the first capability that it grants by the beginning of a name.
pub(crate) fn gating(options: &Options) -> Option<Gating> {
    options.grants.iter().find_map(|grant| {
        let prefix = grant.users.strip_suffix('*')?.to_owned();
        Some(Gating { capability: grant.capability.clone(), entitled: Entitled::Prefix(prefix) })
    })
}
