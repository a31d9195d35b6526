//! The way between the target and the harness's own homeservers, and whether it can be gone.

use std::sync::Arc;

use crate::wire::Client;
use crate::wire::peer::Peers;

/// A way that preflight found open, in both directions.
#[derive(Clone, Debug)]
pub struct Link {
    /// The harness's own homeservers.
    pub peers: Arc<Peers>,
    /// Speaks to the target's federation port.
    pub client: Client,
    /// The target's server name: the destination of signed requests.
    pub destination: String,
}
