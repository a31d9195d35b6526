//! Transactions of other homeservers.

use std::sync::Arc;

use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call};
use crate::reference::server::Server;

pub(super) async fn send(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    Err(MatrixError::unrecognized("No such endpoint").into())
}
