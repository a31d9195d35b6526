//! A viewer: a session that follows `/sync` and remembers what presence it was shown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::outcome::{Judgement, Stop};
use crate::spec::binding::encode;
use crate::spec::capability::CapabilitySet;
use crate::wire::{Exchange, Request};

use super::expect::Field;
use super::session::spelled_right;
use super::settle::Window;
use super::{Expect, Person, Reply, Session};

/// The longest that one poll is asked to be held, so that a server that never wakes a poll is
/// still asked several times within the window.
const HOLD: Duration = Duration::from_secs(1);

/// Follows `/sync` for one session.
#[derive(Debug)]
pub struct Viewer {
    session: Session,
    since: Option<String>,
    seen: BTreeMap<String, Vec<Sighting>>,
    last: Option<Arc<Exchange>>,
}

/// A presence event about somebody.
#[derive(Clone, Debug)]
struct Sighting {
    field: Field,
    exchange: Arc<Exchange>,
}

impl Viewer {
    /// Starts with an initial sync.
    pub async fn open(session: &Session) -> Result<Self, Stop> {
        let mut viewer = Self { session: session.clone(), since: None, seen: BTreeMap::new(), last: None };
        viewer.catch_up().await?;
        Ok(viewer)
    }

    /// Takes what is there without waiting; a broken `/sync` ends the scenario.
    pub async fn catch_up(&mut self) -> Result<(), Stop> {
        self.sync(Duration::ZERO).await?.or_stop("/sync").map(drop)
    }

    /// Waits once for whatever comes.
    pub async fn wait(&mut self) -> Result<(), Stop> {
        let hold = HOLD.min(self.session.stage().world().target.limits.settle);
        self.sync(hold).await?.or_stop("a waiting /sync").map(drop)
    }

    /// Takes what is there, or what comes within this time where there is nothing.
    pub async fn follow(&mut self, within: Duration) -> Result<Reply, Stop> {
        self.sync(within.min(HOLD)).await
    }

    /// What it was last shown of a user, with the answer that showed it.
    pub fn last_shown(&self, user: &dyn Person) -> Option<(&Field, &Arc<Exchange>)> {
        self.sightings(user).last().map(|sighting| (&sighting.field, &sighting.exchange))
    }

    /// Whether the latest that it was shown of a user comes to be this, within the time granted.
    pub async fn sees(&mut self, user: &dyn Person, expect: &Expect) -> Result<Judgement, Stop> {
        let session = self.session.clone();
        let window = Window::open(session.stage());
        loop {
            if let Some(judgement) = self.latest(user, expect).filter(|judgement| judgement.holds) {
                return Ok(judgement);
            }
            let left = window.left();
            let reply = self.sync(left.min(HOLD)).await?;
            if !reply.accepted() {
                let expected = format!("/sync shows {} with {}", user.name(), expect.phrase());
                return Ok(reply.judge(false, &expected));
            }
            if left.is_zero() {
                let judgement = self.judge(user, expect);
                return match judgement.holds || self.events_about(user) > 0 {
                    true => Ok(judgement),
                    false => Ok(self.unless_offline(judgement, user, expect).await),
                };
            }
        }
    }

    /// The same judgement; where the user's status tells what the sync does not, and that the user is offline,
    /// with the setting that this may come of.
    async fn unless_offline(&self, judgement: Judgement, user: &dyn Person, expect: &Expect) -> Judgement {
        // What has failed has failed, whatever becomes of the question why.
        let Ok(status) = self.session.status_of(user).await else { return judgement };
        let field = Field::of(&status.json(), &self.session.stage().binding().presence.field);
        if status.json()["presence"] != "offline" || !expect.is_met_by(&field) {
            return judgement;
        }
        let actual = format!(
            "{}, whose status carries it and is offline: does the server leave out who is offline (Synapse: presence.include_offline_users_on_sync)?",
            judgement.actual
        );
        Judgement { actual, ..judgement }
    }

    /// Whether nothing it was ever shown of a user carried the hash that it must not see.
    pub fn never_saw(&self, user: &dyn Person, expect: &Expect) -> Judgement {
        let expected = format!("no presence event about {} with {}", user.name(), expect.phrase());
        let shown = self.sightings(user).iter().find(|sighting| expect.is_met_by(&sighting.field));
        match (shown, &self.last) {
            (Some(sighting), _) => {
                let actual = self.session.stage().phrase(&sighting.field);
                Judgement::of(false, expected, format!("one with {actual}"), &sighting.exchange)
            }
            (None, Some(exchange)) => Judgement::of(true, expected, "none", exchange),
            (None, None) => Judgement {
                holds: true,
                expected,
                actual: "none".to_owned(),
                exchange: None,
                of_the_session: false,
            },
        }
    }

    /// Whether nothing it was ever shown of a user carried any hash but those of these sets.
    pub fn saw_nothing_but(&self, user: &dyn Person, sets: &[&CapabilitySet]) -> Judgement {
        let expected = format!("no presence event about {} with what is no hash of that user's", user.name());
        match self.sightings(user).iter().find(|sighting| !sighting.field.is_nothing_but(sets)) {
            Some(Sighting { field, exchange }) => {
                let actual = format!("one with {}", self.session.stage().phrase(field));
                Judgement::of(false, expected, actual, exchange)
            }
            None => Judgement { holds: true, expected, ..self.counted(true, "", self.events_about(user)) },
        }
    }

    /// Whether it was shown this of a user at any time so far.
    pub fn has_been_shown(&self, user: &dyn Person, expect: &Expect) -> Judgement {
        let holds = self.sightings(user).iter().any(|sighting| expect.is_met_by(&sighting.field));
        let expected = format!("a presence event about {} with {}", user.name(), expect.phrase());
        let actual = format!("{} events, none with it", self.events_about(user));
        Judgement { holds, expected, actual, exchange: self.last.clone(), of_the_session: false }
    }

    /// Whether what it was last shown of a user is no other hash than this: where there is none it may
    /// still be on its way.
    pub fn does_not_contradict(&self, user: &dyn Person, expect: &Expect) -> Judgement {
        let expected = format!("/sync shows {} without another hash than {}", user.name(), expect.phrase());
        let latest = self.latest(user, expect).unwrap_or_else(|| self.judge(user, expect));
        let holds =
            self.sightings(user).last().is_none_or(|shown| expect.is_not_contradicted_by(&shown.field));
        Judgement { holds, expected, ..latest }
    }

    /// Whether every hash that it comes to be shown of a user, until one is not this set's, is spelled
    /// right; that there is one is a prerequisite.
    pub async fn is_shown_well_spelled_hashes_of(
        &mut self,
        user: &dyn Person,
        before: &CapabilitySet,
    ) -> Result<Judgement, Stop> {
        let expected = format!("/sync shows {} with 43 characters of unpadded standard Base64", user.name());
        let session = self.session.clone();
        let window = Window::open(session.stage());
        loop {
            let hashes = self.sightings(user).iter().filter_map(|sighting| match &sighting.field {
                Field::Hash(hash) => Some(spelled_right(hash, &expected, &sighting.exchange)),
                _ => None,
            });
            // The first that is wrong, or the last.
            let worst = hashes.reduce(|worst, next| if worst.holds { next } else { worst });
            let is_new = |shown: &Sighting| matches!(&shown.field, Field::Hash(hash) if hash != before.hash().as_str());
            if let Some(judgement) =
                worst.filter(|worst| !worst.holds || self.sightings(user).iter().any(is_new))
            {
                return Ok(judgement);
            }
            let left = window.left();
            let reply = self.sync(left.min(HOLD)).await?;
            if !reply.accepted() || left.is_zero() {
                return Err(reply.judge(false, &expected).stop());
            }
        }
    }

    /// A judgement about how many events it was shown.
    pub fn counted(&self, holds: bool, expected: &str, events: usize) -> Judgement {
        let actual = format!("{events} events");
        Judgement {
            holds,
            expected: expected.to_owned(),
            actual,
            exchange: self.last.clone(),
            of_the_session: false,
        }
    }

    /// How many presence events about a user it was shown.
    pub fn events_about(&self, user: &dyn Person) -> usize {
        self.sightings(user).len()
    }

    fn sightings(&self, user: &dyn Person) -> &[Sighting] {
        self.seen.get(user.id()).map_or(&[], Vec::as_slice)
    }

    fn latest(&self, user: &dyn Person, expect: &Expect) -> Option<Judgement> {
        let sighting = self.sightings(user).last()?;
        let expected = format!("/sync shows {} with {}", user.name(), expect.phrase());
        let actual = format!("last shown: {}", self.session.stage().phrase(&sighting.field));
        Some(Judgement::of(expect.is_met_by(&sighting.field), expected, actual, &sighting.exchange))
    }

    fn judge(&self, user: &dyn Person, expect: &Expect) -> Judgement {
        let unseen = || Judgement {
            holds: *expect == Expect::Nothing,
            expected: format!("/sync shows {} with {}", user.name(), expect.phrase()),
            actual: format!("no presence event about {} at all", user.name()),
            exchange: self.last.clone(),
            of_the_session: false,
        };
        self.latest(user, expect).unwrap_or_else(unseen)
    }

    async fn sync(&mut self, hold: Duration) -> Result<Reply, Stop> {
        // What is answered at once is no long poll: it takes its place among the other requests.
        let (timeout, hold) = match self.since {
            Some(_) => (hold, hold),
            None => (a_moment(), Duration::ZERO),
        };
        // An omitted set_presence would mark the user online.
        let mut path =
            format!("/_matrix/client/v3/sync?set_presence=offline&timeout={}", timeout.as_millis());
        if let Some(since) = &self.since {
            path = format!("{path}&since={}", encode(since));
        }
        let reply = self.session.ask(Request::new("GET", path).long_poll(hold)).await?;
        self.last = Some(reply.exchange().clone());
        if reply.accepted() {
            self.take(&reply);
        }
        Ok(reply)
    }

    fn take(&mut self, reply: &Reply) {
        let answer = reply.json();
        if let Some(next) = answer["next_batch"].as_str() {
            self.since = Some(next.to_owned());
        }
        let presence = &self.session.stage().binding().presence;
        let events = presence.sync_path.split('.').fold(&answer, |value, key| &value[key]);
        for event in
            events.as_array().into_iter().flatten().filter(|event| event["type"] == presence.event.as_str())
        {
            // Older servers put the user into the content.
            let sender = event["sender"].as_str().or_else(|| event["content"]["user_id"].as_str());
            if let Some(sender) = sender {
                let field = Field::of(&event["content"], &presence.field);
                let sighting = Sighting { field, exchange: reply.exchange().clone() };
                self.seen.entry(sender.to_owned()).or_default().push(sighting);
            }
        }
    }
}

/// How long an initial sync may wait, which it never does: so that no two of them are the same request.
/// Homeservers answer one from memory where the same device asked the same a while ago (Synapse: for two
/// minutes), and ready access tokens are devices that ask again.
fn a_moment() -> Duration {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    Duration::from_millis(ASKED.fetch_add(1, Relaxed) % 1000)
}
