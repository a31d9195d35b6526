//! What answers in a null target's place, and how it is started.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use url::Url;

use crate::built_in::{self, BuiltInError};
use crate::proof::trial::TrialError;
use crate::reference::{self, Options, Running, StartError};
use crate::target::config::{Limits, Target};
use crate::target::url::base_url;

use super::front::{self, Answer, Asked, Pretender};
use super::socket::{self, Manner, Serving};

/// What answers in a null target's place.
pub(super) enum Means {
    /// A listener that treats every connection so.
    Connection(Manner),
    /// An HTTP server that gives every request such an answer.
    Always(fn(&Asked) -> Answer),
    /// The built-in homeserver, set up so.
    Homeserver(fn() -> Options),
    /// The built-in homeserver, and this before it.
    Before(fn() -> Arc<dyn Pretender>),
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection(_) => "Connection",
            Self::Always(_) => "Always",
            Self::Homeserver(_) => "Homeserver",
            Self::Before(_) => "Before",
        })
    }
}

/// What has been started; it ends when this is dropped.
pub(super) struct Open {
    _serving: Option<Serving>,
    _homeserver: Option<Running>,
}

impl Means {
    /// Starts it on loopback, on a free port.
    pub(super) async fn open(&self) -> Result<(Target, Open), TrialError> {
        let (listener, address) = bind().await?;
        let (homeserver, serving, at) = match *self {
            Self::Connection(manner) => (None, Some(socket::serve(listener, manner)), address),
            Self::Always(answer) => {
                (None, Some(front::serve(listener, front::always(answer), None)), address)
            }
            Self::Homeserver(options) => {
                let homeserver = homeserver(options()).await?;
                let at = homeserver.address();
                (Some(homeserver), None, at)
            }
            Self::Before(pretender) => {
                let homeserver = homeserver(Options::default()).await?;
                let behind = Some(homeserver.address());
                (Some(homeserver), Some(front::serve(listener, pretender(), behind)), address)
            }
        };
        let url = base_url(&format!("http://{at}")).map_err(BuiltInError::Url)?;
        let target = target(url, homeserver.is_some());
        Ok((target, Open { _serving: serving, _homeserver: homeserver }))
    }
}

async fn bind() -> Result<(TcpListener, SocketAddr), TrialError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let failed = |reason| TrialError::Start(StartError::Listen { address, reason }.into());
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn homeserver(options: Options) -> Result<Running, TrialError> {
    let started = reference::start((Ipv4Addr::LOCALHOST, 0).into(), options).await;
    Ok(started.map_err(BuiltInError::Start)?)
}

/// All that the built-in homeserver declares of itself, so that nothing is not applicable for want of it;
/// and limits so short that nothing is waited for long which never comes.
fn target(url: Url, is_homeserver: bool) -> Target {
    let mut target = Target::at(url);
    let options = Options::default();
    target.gating = built_in::gating(&options);
    target.limits = Limits {
        max_set_bytes: Some(options.limits.max_set_bytes),
        // What any of them ever does it does at once, and one look after the time is up is always taken.
        settle: Duration::from_millis(20),
        rate_limit_cap: Duration::from_millis(300),
        // Silence costs this much; a homeserver answers as fast as the machine lets it.
        request_timeout: Duration::from_millis(if is_homeserver { 5_000 } else { 500 }),
        ..Limits::default()
    };
    target
}
