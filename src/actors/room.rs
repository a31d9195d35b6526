//! A room, which is what makes users see each other.

use serde_json::json;

use crate::outcome::Stop;
use crate::spec::binding::encode;
use crate::target::room;
use crate::wire::Request;

use super::{Session, User};

/// A room that a session made.
#[derive(Clone, Debug)]
pub struct Room {
    id: String,
    host: Session,
}

impl Room {
    /// A room that anybody with its ID may join.
    pub async fn open(host: &Session) -> Result<Self, Stop> {
        let reply = host.ask(room::create(&host.stage().world().target)).await?;
        let reply = reply.or_stop("createRoom")?;
        let id = reply.json()["room_id"].as_str().map(str::to_owned);
        let id =
            id.ok_or_else(|| Stop::untestable("createRoom answered without a room_id", reply.exchange()))?;
        Ok(Self { id, host: host.clone() })
    }

    /// A room that all these sessions' users have joined.
    pub async fn shared_by(host: &Session, guests: &[&Session]) -> Result<Self, Stop> {
        let room = Self::open(host).await?;
        for guest in guests {
            room.join(guest).await?;
        }
        Ok(room)
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Joins from another homeserver, by way of the one where the room was made.
    pub async fn join_from_elsewhere(&self, session: &Session) -> Result<(), Stop> {
        let via = self.host.user_id().split_once(':').map_or("", |(_, server)| server);
        let request = room::join_from(&session.stage().world().target, &self.id, via);
        session.ask(request).await?.or_stop("joining a room of the other homeserver").map(drop)
    }

    /// Joins.
    pub async fn join(&self, session: &Session) -> Result<(), Stop> {
        session.ask(room::join(&self.id)).await?.or_stop("joining a room").map(drop)
    }

    /// Invites somebody who does not join.
    pub async fn invite(&self, user: &User) -> Result<(), Stop> {
        let body = json!({ "user_id": user.id() });
        let request = Request::new("POST", self.path("invite")).json(&body);
        self.host.ask(request).await?.or_stop("inviting to a room").map(drop)
    }

    /// Leaves.
    pub async fn leave(&self, session: &Session) -> Result<(), Stop> {
        let request = Request::new("POST", self.path("leave")).body("{}");
        session.ask(request).await?.or_stop("leaving a room").map(drop)
    }

    fn path(&self, action: &str) -> String {
        format!("/_matrix/client/v3/rooms/{}/{action}", encode(&self.id))
    }
}
