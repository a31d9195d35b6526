//! Whether two homeservers of the user's federate with each other, which is for their own configuration.

use crate::wire::{Client, Secret};

use super::config::Target;
use super::provision::{Cast, Lease, Provisioner};
use super::room;

/// One of the two.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    /// Speaks to it.
    pub client: &'s Client,
    /// Who it is.
    pub target: &'s Target,
    /// Makes its users.
    pub provisioner: &'s Provisioner,
    /// Its server name.
    pub server_name: &'s str,
}

impl Side<'_> {
    async fn one_user(&self) -> Result<Lease, String> {
        let cast = Cast { ordinary: 1, ..Cast::default() };
        self.provisioner.lease(self.client, cast).await.map_err(|error| error.to_string())
    }
}

/// Whether a user of the second can join a room of the first; else a line that says what to look at.
pub async fn share_a_room(first: Side<'_>, second: Side<'_>) -> Result<(), String> {
    if first.server_name == second.server_name {
        return Err(format!("it is the homeserver under test itself: both are {}", first.server_name));
    }
    let host = first.one_user().await?;
    let guest = match second.one_user().await {
        Ok(guest) => guest,
        Err(reason) => {
            first.provisioner.release(first.client, host).await;
            return Err(reason);
        }
    };
    let shared = join(first, &host, second, &guest).await;
    tokio::join!(
        first.provisioner.release(first.client, host),
        second.provisioner.release(second.client, guest)
    );
    shared
}

async fn join(first: Side<'_>, host: &Lease, second: Side<'_>, guest: &Lease) -> Result<(), String> {
    let room = create_room(first.client, first.target, &host.ordinary[0].first.token).await?;
    let request = room::join_from(second.target, &room, first.server_name);
    let joined = second.client.send(request.token(&guest.ordinary[0].first.token)).await;
    if joined.status() == Some(200) {
        return Ok(());
    }
    let error = joined.json().unwrap_or_default();
    let words = error["error"].as_str().map(|words| format!(" ({words})")).unwrap_or_default();
    Err(format!(
        "a user of {} cannot join a room of {}: answered {}{words}. Do the two reach each other's federation ports, and trust each other's certificates?",
        second.server_name,
        first.server_name,
        joined.describe()
    ))
}

/// Makes a room that anybody with its ID may join, and gives its ID.
pub(super) async fn create_room(client: &Client, target: &Target, token: &Secret) -> Result<String, String> {
    let created = client.send(room::create(target).token(token)).await;
    let answer = created.json().unwrap_or_default();
    match answer["room_id"].as_str() {
        Some(room) => Ok(room.to_owned()),
        None => Err(format!("no room can be made: createRoom was answered {}", created.describe())),
    }
}
