//! `/sync`: what is new since a token, at once or as soon as there is something.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::reference::errors::MatrixError;
use crate::reference::faults::Fault;
use crate::reference::http::{Answer, Call, Reply};
use crate::reference::server::Server;
use crate::reference::state::{Availability, View};

/// Answers a sync; a long poll ends with news, with time, with its session or with the server.
pub(super) async fn sync(server: &Server, call: &Call) -> Answer {
    let session = call.session()?;
    let since = call.query("since").map(|token| position(&token)).transpose()?;
    let availability = match call.query("set_presence") {
        None => Availability::Online,
        Some(word) => Availability::parse(&word)
            .ok_or_else(|| MatrixError::invalid_param("set_presence is online, unavailable or offline"))?,
    };
    let deadline = Instant::now() + hold(server, call)?;
    server.with(|state, now| state.see(now, session.user, availability));
    if server.has(Fault::UnionOfPolling) {
        server.with(|state, now| state.connect(now, session));
    }
    let mut woken = false;
    loop {
        let (seen, changed) = server.watch(session.user, |state, now| {
            state.is_live(session).then(|| state.view(now, session.user, since))
        });
        let mut view = seen.ok_or_else(|| MatrixError::unknown_token("This session has ended"))?;
        if woken && server.has(Fault::LongPollLosesChange) {
            view.presence.clear();
        }
        if since.is_none() || !view.is_empty() || Instant::now() >= deadline {
            return Ok(shown(server, view));
        }
        tokio::select! {
            () = changed => woken = true,
            () = tokio::time::sleep_until(deadline) => {}
            () = server.stopping() => return Ok(shown(server, view)),
        }
    }
}

fn position(token: &str) -> Result<u64, MatrixError> {
    let position = token.strip_prefix('s').and_then(|digits| digits.parse().ok());
    position.ok_or_else(|| MatrixError::invalid_param("since is no token of this server"))
}

fn hold(server: &Server, call: &Call) -> Result<Duration, MatrixError> {
    let Some(timeout) = call.query("timeout") else { return Ok(Duration::ZERO) };
    let ms =
        timeout.parse().map_err(|_| MatrixError::invalid_param("timeout is a number of milliseconds"))?;
    Ok(Duration::from_millis(ms).min(server.options.limits.longest_poll))
}

fn shown(server: &Server, view: View) -> Reply {
    let mut body = Map::new();
    body.insert("next_batch".to_owned(), format!("s{}", view.position).into());
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
        assert_eq!(position("s12"), Ok(12));
        for token in ["", "12", "s", "s-1", "t12"] {
            assert_eq!(position(token).map_err(|e| e.errcode), Err("M_INVALID_PARAM".into()), "{token}");
        }
    }
}
