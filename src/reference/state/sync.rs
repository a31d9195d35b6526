//! What `/sync` shows a user since a position.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::events::StateEvent;
use super::membership::Kind;
use super::presence::Way;
use super::rooms::Room;
use super::{State, UserKey};

/// What a user has not seen yet.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The position that this view reaches.
    pub(crate) position: u64,
    /// Presence events.
    pub(crate) presence: Vec<Value>,
    /// The sections of `rooms`, by room ID.
    pub(crate) joined: Map<String, Value>,
    pub(crate) invited: Map<String, Value>,
    pub(crate) left: Map<String, Value>,
}

impl View {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.presence.is_empty() && self.joined.is_empty() && self.invited.is_empty() && self.left.is_empty()
    }
}

impl State {
    /// What has changed for a user since a position; from nothing, the current state.
    /// A position that lies ahead comes from before a restart and counts as none.
    pub(crate) fn view(&self, now: Duration, user: UserKey, since: Option<u64>) -> View {
        self.view_again(now, user, since, u64::MAX)
    }

    /// The same, with the presence that has been shown since an earlier position once more.
    pub(crate) fn view_again(&self, now: Duration, user: UserKey, since: Option<u64>, shown: u64) -> View {
        let since = since.filter(|since| *since <= self.position);
        let mut view = View { position: self.position, ..View::default() };
        for (id, membership) in &self.users[user.0].rooms {
            let changed = since.is_none_or(|since| membership.position > since);
            match (membership.kind, self.rooms.get(id)) {
                (Kind::Joined, Some(room)) => {
                    let from = if changed { None } else { since };
                    if let Some(news) = joined_room(id, room, from) {
                        view.joined.insert(id.clone(), news);
                    }
                }
                (Kind::Invited, Some(room)) if changed => {
                    view.invited.insert(id.clone(), invitation(room));
                }
                (Kind::Left | Kind::Banned, room) if changed && since.is_some() => {
                    view.left.insert(id.clone(), self.farewell(id, user, room));
                }
                _ => {}
            }
        }
        let way = if since.is_none() { Way::InitialSync } else { Way::IncrementalSync };
        let shown = since.map_or(0, |since| since.min(shown));
        let unseen = self.unseen_presence(user, shown);
        view.presence = unseen.into_iter().map(|other| self.presence_event(now, other, way)).collect();
        view.presence.extend(self.unseen_guests(now, user, shown, way));
        view.presence.extend(self.farewells(user, shown));
        view
    }

    fn farewell(&self, id: &str, user: UserKey, room: Option<&Room>) -> Value {
        let user_id = self.user_id(user).to_string();
        let own = room.and_then(|room| room.state.get_key_value(&("m.room.member", user_id)));
        let events: Vec<Value> = own.map(|(key, event)| full_event(id, key, event)).into_iter().collect();
        json!({ "timeline": { "events": events, "limited": false }, "state": { "events": [] } })
    }
}

/// A joined room: all of its state to whoever has just come, else what changed.
fn joined_room(id: &str, room: &Room, since: Option<u64>) -> Option<Value> {
    if since.is_some_and(|since| room.changed <= since) {
        return None;
    }
    let news = |event: &StateEvent| since.is_none_or(|since| event.position > since);
    let mut events: Vec<_> = room.state.iter().filter(|(_, event)| news(event)).collect();
    events.sort_by_key(|(_, event)| event.position);
    let events: Vec<Value> = events.into_iter().map(|(key, event)| full_event(id, key, event)).collect();
    let (state, timeline) = if since.is_none() { (events, Vec::new()) } else { (Vec::new(), events) };
    Some(json!({
        "state": { "events": state },
        "timeline": { "events": timeline, "limited": false },
        "summary": {
            "m.joined_member_count": room.joined.len() + room.guests.len(),
            "m.invited_member_count": room.invited.len(),
        },
    }))
}

fn invitation(room: &Room) -> Value {
    let stripped = |((kind, key), event): (&(&'static str, String), &StateEvent)| json!({ "type": kind, "state_key": key, "sender": &*event.sender, "content": event.content });
    let events: Vec<Value> = room.state.iter().map(stripped).collect();
    json!({ "invite_state": { "events": events } })
}

fn full_event(room: &str, (kind, key): &(&'static str, String), event: &StateEvent) -> Value {
    json!({
        "type": kind,
        "state_key": key,
        "sender": &*event.sender,
        "content": event.content,
        "event_id": event_id(event),
        "room_id": room,
        "origin_server_ts": event.sent_ms,
    })
}

/// An event's name; where there is no federation, any will do.
fn event_id(event: &StateEvent) -> String {
    event.pdu.as_ref().map_or_else(|| format!("$event{}", event.position), |pdu| pdu.id().to_string())
}
