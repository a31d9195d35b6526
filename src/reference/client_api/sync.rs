//! `/sync`: what is new since a token, at once or as soon as there is something.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::dead_token;
use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::state::{Availability, State, UserKey, View};
use crate::reference::variants::Variant;

/// How long a poll is held at most that ends early.
const EARLY: Duration = Duration::from_millis(50);

/// Answers a sync; a long poll ends with news, with time, with its session or with the server.
pub(super) async fn sync(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let token = call.query("since");
    let since = token.as_deref().map(Since::parse).transpose()?;
    let availability = match call.query("set_presence") {
        None => Availability::Online,
        Some(word) => Availability::parse(&word)
            .ok_or_else(|| MatrixError::invalid_param("set_presence is online, unavailable or offline"))?,
    };
    let hold = hold(server, call)?;
    let is_early = server.may(Variant::SyncEarly);
    let deadline = Instant::now() + if is_early { hold.min(EARLY) } else { hold };
    server.with(|state, now| state.see(now, session.user, availability));
    if server.has(Fault::UnionOfPolling) {
        server.with(|state, now| state.connect(now, session));
    }
    let mut woken = false;
    loop {
        let (seen, changed) = server.watch(session.user, |state, now| {
            state.is_live(session).then(|| view(server, state, now, session.user, since))
        });
        let mut view = seen.ok_or_else(|| dead_token(server, "This session has ended"))?;
        if woken && server.has(Fault::LongPollLosesChange) {
            view.presence.clear();
        }
        if since.is_none() || !view.is_empty() || Instant::now() >= deadline {
            let next = Since { position: view.position, before: since.map_or(0, |since| since.position) };
            return Ok(shown(server, view, next.token(server)));
        }
        tokio::select! {
            () = changed, if !server.may(Variant::PollsSleep) => woken = true,
            () = tokio::time::sleep_until(deadline) => {}
            () = server.stopping() => return Ok(shown(server, view, token.unwrap_or_default())),
        }
        if is_early {
            // Whatever has come meanwhile, the next one brings it.
            return Ok(shown(server, View::default(), token.unwrap_or_default()));
        }
    }
}

/// How far a client has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Since {
    /// All that came up to here.
    position: u64,
    /// Where the answer began that ended there; told where events are sent again.
    before: u64,
}

impl Since {
    fn parse(token: &str) -> Result<Self, MatrixError> {
        let positions = token.strip_prefix('s').map(|text| text.split_once('_').unwrap_or((text, text)));
        let read = positions.and_then(|(position, before)| {
            Some(Self { position: position.parse().ok()?, before: before.parse().ok()? })
        });
        read.ok_or_else(|| MatrixError::invalid_param("since is no token of this server"))
    }

    fn token(self, server: &Server) -> String {
        match server.may(Variant::PresenceRepeated) {
            true => format!("s{}_{}", self.position, self.before),
            false => format!("s{}", self.position),
        }
    }
}

fn view(server: &Server, state: &State, now: Duration, user: UserKey, since: Option<Since>) -> View {
    let position = since.map(|since| since.position);
    match since {
        Some(since) if server.may(Variant::PresenceRepeated) => {
            state.view_again(now, user, position, since.before)
        }
        _ => state.view(now, user, position),
    }
}

fn hold(server: &Server, call: &Call) -> Result<Duration, MatrixError> {
    let Some(timeout) = call.query("timeout") else { return Ok(Duration::ZERO) };
    let ms =
        timeout.parse().map_err(|_| MatrixError::invalid_param("timeout is a number of milliseconds"))?;
    Ok(Duration::from_millis(ms).min(server.options.limits.longest_poll))
}

fn shown(server: &Server, view: View, next_batch: String) -> Reply {
    let mut body = Map::new();
    body.insert("next_batch".to_owned(), next_batch.into());
    let rooms = [("join", view.joined), ("invite", view.invited), ("leave", view.left)];
    let rooms: Map<String, Value> = rooms
        .into_iter()
        .filter(|(_, section)| !section.is_empty())
        .map(|(name, section)| (name.to_owned(), Value::Object(section)))
        .collect();
    if !rooms.is_empty() {
        body.insert("rooms".to_owned(), Value::Object(rooms));
    }
    let mut body = Value::Object(body);
    if !view.presence.is_empty() {
        put(&mut body, &server.options.binding.presence.sync_path, view.presence);
    }
    Reply::ok(&body)
}

/// Puts events where a path of dot-separated keys says.
fn put(body: &mut Value, path: &str, events: Vec<Value>) {
    let place = path.split('.').fold(body, |place, key| {
        if !place.is_object() {
            *place = json!({});
        }
        &mut place[key]
    });
    *place = Value::Array(events);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_go_where_the_path_says_and_spare_what_is_there() {
        let mut body = json!({ "rooms": { "join": {} } });
        put(&mut body, "rooms.presence.events", vec![json!(1)]);
        assert_eq!(body, json!({ "rooms": { "join": {}, "presence": { "events": [1] } } }));
    }

    #[test]
    fn only_own_tokens_are_positions() {
        assert_eq!(Since::parse("s12"), Ok(Since { position: 12, before: 12 }));
        assert_eq!(Since::parse("s12_7"), Ok(Since { position: 12, before: 7 }));
        for token in ["", "12", "s", "s-1", "t12", "s_", "s1_", "s1_2_3"] {
            assert_eq!(Since::parse(token).map_err(|e| e.errcode), Err("M_INVALID_PARAM".into()), "{token}");
        }
    }
}
