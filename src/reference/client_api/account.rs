//! The account behind a token.

use serde_json::json;

use super::uia;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;

/// Whose token this is.
pub(super) fn who_am_i(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let user_id = server.with(|state, _| state.user_id(session.user).clone());
    Ok(Reply::ok(&json!({ "user_id": &*user_id, "device_id": &*session.device, "is_guest": false })))
}

/// Ends the account, for whoever proves to be its owner.
pub(super) fn deactivate(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    uia::prove_owner(server, session.user, &call.optional_object()?, "deactivate")?;
    server.with(|state, now| state.deactivate(now, session.user));
    Ok(Reply::ok(&json!({ "id_server_unbind_result": "no-support" })))
}
