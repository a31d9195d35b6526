//! Other homeservers, as they ask the one under test and share rooms with it.

use axum::body::Body;
use http_body_util::BodyExt;
use ruma_common::CanonicalJsonValue;
use ruma_common::room_version_rules::RoomVersionRules;
use ruma_signatures::{hash_and_sign_event, reference_hash};
use serde_json::{Value, json};

use super::site::{HS, Reply, Site};
use crate::reference::federation::handle;
use crate::reference::federation::test_kit::Peer;
use crate::spec::binding::encode;

pub(super) const F: &str = "/_matrix/federation/unstable/org.matrix.capability_sets";
const V1: &str = "/_matrix/federation/v1";
const V2: &str = "/_matrix/federation/v2";

/// The path at which a homeserver resolves its users' hashes.
pub(super) fn set_path(user: &str, hash: &str) -> String {
    format!("{F}/users/{}/sets/{}", encode(user), encode(hash))
}

impl Site {
    /// A request from another homeserver, with any Authorization header or none.
    pub(super) async fn server_asks(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        content: Option<&Value>,
    ) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body = content.map(Value::to_string).unwrap_or_default();
        let answer = handle(self.server.clone(), request.body(Body::from(body)).unwrap()).await;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status, bytes, json }
    }

    /// A request that another homeserver has signed as it must.
    pub(super) async fn signed(
        &self,
        peer: &Peer,
        method: &str,
        path: &str,
        content: Option<&Value>,
    ) -> Reply {
        let authorization = peer.authorization(HS, method, path, content);
        self.server_asks(method, path, Some(&authorization), content).await
    }

    /// Lets a user of another homeserver into a public room, by make_join and send_join.
    pub(super) async fn enters(&self, peer: &Peer, user: &str, room: &str) {
        let reply = self.moves(peer, user, room, ["make_join", "send_join"], "?ver=10").await;
        assert!(reply.is_ok(), "{}", reply.json);
    }

    /// Lets them leave again, by make_leave and send_leave.
    pub(super) async fn leaves(&self, peer: &Peer, user: &str, room: &str) {
        let reply = self.moves(peer, user, room, ["make_leave", "send_leave"], "").await;
        assert!(reply.is_ok(), "{}", reply.json);
    }

    async fn moves(
        &self,
        peer: &Peer,
        user: &str,
        room: &str,
        [make, send]: [&str; 2],
        query: &str,
    ) -> Reply {
        let path = format!("{V1}/{make}/{}/{}{query}", encode(room), encode(user));
        let mut event = self.signed(peer, "GET", &path, None).await.json["event"].clone();
        event["origin_server_ts"] = json!(1);
        let CanonicalJsonValue::Object(mut event) = event.try_into().unwrap() else { panic!("no event") };
        let rules = RoomVersionRules::V10;
        hash_and_sign_event(&peer.name, &peer.key, &mut event, &rules.redaction).unwrap();
        let id = format!("${}", reference_hash(&event, &rules).unwrap());
        let event = CanonicalJsonValue::Object(event).into();
        self.signed(peer, "PUT", &format!("{V2}/{send}/{}/{}", encode(room), encode(&id)), Some(&event)).await
    }
}

/// A transaction that tells the hash of one user.
pub(super) fn presence(peer: &Peer, user: &str, hash: &str) -> Value {
    let entry = json!({
        "user_id": user, "presence": "online", "org.matrix.capability_sets": { "sha256": hash },
    });
    let edu = json!({ "edu_type": "m.presence", "content": { "push": [entry] } });
    json!({ "origin": peer.name, "origin_server_ts": 1, "pdus": [], "edus": [edu] })
}
