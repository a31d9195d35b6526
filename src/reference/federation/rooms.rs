//! Rooms across homeservers.

use std::sync::Arc;

use crate::reference::errors::MatrixError;
use crate::reference::http::{Answer, Call};
use crate::reference::server::Server;

fn unrecognized() -> Answer {
    Err(MatrixError::unrecognized("No such endpoint").into())
}

pub(super) async fn make_join(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    unrecognized()
}

pub(super) async fn send_join(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    unrecognized()
}

pub(super) async fn make_leave(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    unrecognized()
}

pub(super) async fn send_leave(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    unrecognized()
}

pub(super) async fn invite(_server: &Arc<Server>, _origin: &str, _call: &Call) -> Answer {
    unrecognized()
}
