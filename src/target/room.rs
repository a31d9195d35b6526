//! The requests by which users come to share rooms: preflight sends them, and so do the actors.

use serde_json::json;

use crate::spec::binding::encode;
use crate::wire::Request;

use super::config::Target;

/// Makes a room that anybody with its ID may join; the answer holds its `room_id`.
pub fn create(target: &Target) -> Request {
    let mut body = json!({ "preset": "public_chat", "visibility": "private" });
    if let Some(version) = &target.room_version {
        body["room_version"] = json!(version);
    }
    Request::new("POST", "/_matrix/client/v3/createRoom").json(&body)
}

/// Has a user of `target` join a room by way of another homeserver, which takes as long as that one may.
pub fn join_from(target: &Target, room_id: &str, via: &str) -> Request {
    let (room, via) = (encode(room_id), encode(via));
    // `server_name` until Matrix 1.12, `via` since.
    let path = format!("/_matrix/client/v3/join/{room}?server_name={via}&via={via}");
    Request::new("POST", path).body("{}").long_poll(target.limits.remote_timeout)
}
