//! The requests by which users come to share rooms: preflight sends them, and so do the actors.

use serde_json::json;

use crate::spec::binding::encode;
use crate::wire::Request;

use super::config::Target;

/// Where rooms are made.
const CREATE: &str = "/_matrix/client/v3/createRoom";

/// Where rooms are joined, before their ID.
const JOIN: &str = "/_matrix/client/v3/join/";

/// Whether a request may have brought somebody into a room.
pub fn is_entered_by(request: &Request) -> bool {
    request.path == CREATE || request.path.starts_with(JOIN)
}

/// Makes a room that anybody with its ID may join; the answer holds its `room_id`.
pub fn create(target: &Target) -> Request {
    let mut body = json!({ "preset": "public_chat", "visibility": "private" });
    if let Some(version) = &target.room_version {
        body["room_version"] = json!(version);
    }
    Request::new("POST", CREATE).json(&body)
}

/// Joins a room of one's own homeserver.
pub fn join(room_id: &str) -> Request {
    Request::new("POST", format!("{JOIN}{}", encode(room_id))).body("{}")
}

/// Has a user of `target` join a room by way of another homeserver, which takes as long as that one may.
pub fn join_from(target: &Target, room_id: &str, via: &str) -> Request {
    let (room, via) = (encode(room_id), encode(via));
    // `server_name` until Matrix 1.12, `via` since.
    let path = format!("{JOIN}{room}?server_name={via}&via={via}");
    Request::new("POST", path).body("{}").long_poll(target.limits.remote_timeout)
}
