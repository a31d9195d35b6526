//! Answers against rules: what is admitted, what may still come right, and what is said of the rest.

use std::time::{Duration, Instant};

use crate::outcome::{Judgement, Stop};
use crate::spec::history::{Act, Whom};
use crate::spec::model::diagnosis::{Diagnosis, diagnose};
use crate::spec::model::order;
use crate::spec::model::{Admits, Answer, Demand, Model, Presence, Rule};
use crate::wire::Request;

use super::Violation;
use super::came::Came;
use super::story::Story;

/// How an answer fits what one world demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Every rule admits it.
    Admitted,
    /// The rule at this place does not, and the target may still take its time.
    Early(usize),
    /// The rule at this place does not.
    Wrong(usize),
}

impl Story<'_> {
    /// What a world demands of an act, as far as anybody asks; of what the server offers, the set behind the
    /// hash besides (draft S4).
    pub(super) fn demand(&self, world: &Model, act: &Act) -> Demand {
        let mut demand = world.demand(act);
        let behind = match act {
            Act::AskServer { .. } => Some("server.set"),
            Act::RemoteAskServer { .. } => Some("federation.set"),
            _ => None,
        };
        demand.rules.extend(behind.map(|requirement| Rule {
            requirement,
            admits: Admits::AHash,
            settles: false,
        }));
        demand.rules.retain(|rule| !self.theatre.lapsed.contains(rule.requirement));
        demand
    }

    /// How an answer fits one world.
    pub(super) fn fit(&self, world: &Model, demand: &Demand, act: &Act, came: &Came) -> Fit {
        let broken = demand.rules.iter().position(|rule| !holds(rule, came));
        let Some((place, rule)) = broken.and_then(|place| Some((place, demand.rules.get(place)?))) else {
            return Fit::Admitted;
        };
        if self.was_shown_before(act, came) {
            return Fit::Admitted;
        }
        match rule.settles && self.may_pass(world, act, came) {
            true => Fit::Early(place),
            false => Fit::Wrong(place),
        }
    }

    /// Whether an answer that is not what should be answered in the end may be given on the way there: presence
    /// shows what was in force within the `settle_s` before, and to whom it was shown then (protocol 8.2).
    fn may_pass(&self, world: &Model, act: &Act, came: &Came) -> bool {
        let answer = &came.answer;
        if matches!(answer, Answer::Odd(_) | Answer::Broken(_)) {
            return false;
        }
        let Some((viewer, of)) = looks_at(act) else { return true };
        let since = self.since(came);
        let is_unsettled = || self.timeline.is_unsettled(viewer, of, since);
        let was_so = || self.timeline.allowed_in(world, of, since).iter().any(|was| was.is_told_by(answer));
        let is_seen = || world.sees(viewer, of);
        match answer {
            Answer::Hash(_) => (was_so() || self.knows_no_unions()) && (is_seen() || is_unsettled()),
            // Events come when they come; a status is there when it is asked for.
            Answer::NoHash | Answer::Unseen => {
                !matches!(act, Act::ReadStatus { .. }) || was_so() || is_unsettled()
            }
            _ => true,
        }
    }

    /// Whether a should lapses that says what is no part of a union: then what was in force on the way may have
    /// held what the model does not know.
    fn knows_no_unions(&self) -> bool {
        let shoulds = ["union.undeclared", "upload.publishes-nothing", "upload.refusal-keeps-previous"];
        shoulds.iter().any(|should| self.theatre.lapsed.contains(should))
    }

    /// Since when that counts which may still be answered. What somebody was shown last is as old as the answer
    /// that showed it.
    fn since(&self, came: &Came) -> Duration {
        let asked = came.exchange.as_ref().map_or_else(Instant::now, |exchange| exchange.sent_at);
        asked.saturating_duration_since(self.began).saturating_sub(self.settle())
    }

    /// Whether a viewer holds what they were shown when it was not settled yet that they do not share a room:
    /// they need not be told to forget it.
    fn was_shown_before(&self, act: &Act, came: &Came) -> bool {
        let (Act::Sync { by, of }, Answer::Hash(_)) = (act, &came.answer) else { return false };
        let since = self.since(came);
        let never_met = self.worlds.iter().all(|world| !world.sees(Whom::User(by.user), *of));
        never_met && self.timeline.is_unsettled(Whom::User(by.user), *of, since)
    }

    pub(super) fn settle(&self) -> Duration {
        self.theatre.world.target.limits.settle
    }

    /// That a live session was refused as dead ends the performance where it is dead indeed: it ended by itself,
    /// which is another matter. Nor is anything known of one that cannot do what nobody judges. Whether it goes on.
    ///
    /// Of logins at once on one device the homeserver keeps the session of whichever came last, which need not be
    /// the one whose answer did: where that is refused, nothing can be said of what it should have done.
    pub(super) async fn is_no_dead_session(
        &mut self,
        act: &Act,
        came: &Came,
        judged: bool,
    ) -> Result<bool, Stop> {
        let goes_on = self.is_live(act, came, judged).await?;
        self.over |= !goes_on;
        Ok(goes_on)
    }

    async fn is_live(&self, act: &Act, came: &Came, judged: bool) -> Result<bool, Stop> {
        let refused = came.answer == Answer::DeadToken && !matches!(act, Act::UseDeadToken { .. });
        let Some(exchange) = came.exchange.as_ref().filter(|_| refused) else { return Ok(true) };
        let Some(token) = &exchange.request.token else { return Ok(true) };
        let whoami = Request::new("GET", "/_matrix/client/v3/account/whoami").token(token);
        let ended = self.cast.stage().client().send(whoami).await.is_token_refused();
        match (ended, judged) {
            (true, _) if act.by().is_some_and(|by| self.raced_for.contains(&by)) => Ok(false),
            (true, _) => Err(Stop::untestable("the session ended by itself during the history", exchange)),
            (false, false) => Err(Stop::untestable(format!("{act}: a live token is refused"), exchange)),
            (false, true) => Ok(true),
        }
    }

    /// Keeps a violation of the rule that no world lets pass, by the requirement that explains it best.
    pub(super) async fn violated(
        &mut self,
        act: &Act,
        came: &Came,
        demands: &[Demand],
        fits: &[Fit],
        step: usize,
    ) -> Result<(), Stop> {
        let broken = fits.iter().zip(demands).find_map(|(fit, demand)| match fit {
            Fit::Early(place) | Fit::Wrong(place) => demand.rules.get(*place),
            Fit::Admitted => None,
        });
        let Some(rule) = broken else { return Ok(()) };
        let stage = self.cast.stage();
        let (mut requirement, mut actual) = (rule.requirement, stage.explained(&found(came)));
        if let Some(diagnosis) = self.diagnosis(act, &came.answer).await? {
            requirement = diagnosis.requirement;
            actual = format!("{actual}: {}", diagnosis.words);
        }
        let expected = stage.explained(&format!("{act}: {}", expected(&rule.admits)));
        let exchange = came.exchange.clone();
        let judgement = Judgement { holds: false, expected, actual, exchange, of_the_session: false };
        self.ends_with(Violation { requirement, judgement, step });
        Ok(())
    }

    /// What explains presence that is wrong; where it was shown or told, the status, if that is wrong, too. The
    /// status explains as well why a union is not served which the homeserver has in another form.
    async fn diagnosis(&self, act: &Act, answer: &Answer) -> Result<Option<Diagnosis>, Stop> {
        let look = match *act {
            Act::Sync { by, of } => Some(Act::ReadStatus { by, of }),
            Act::RemoteRead { of, .. } => self.look_at(of),
            Act::Resolve { of: Whom::User(of), .. } | Act::RemoteResolve { of, .. } => self.look_at(of),
            Act::ReadStatus { .. } => None,
            _ => return Ok(None),
        };
        if let Some((look, (_, demands))) = look.and_then(|look| Some((look.clone(), self.demands(&look)?))) {
            let (_, status, fits) = self.ask(&look, None, &demands).await?;
            if !fits.contains(&Fit::Admitted) {
                return Ok(self.diagnosed(&look, &status.answer));
            }
        }
        Ok(looks_at(act).and_then(|_| self.diagnosed(act, answer)))
    }

    fn diagnosed(&self, act: &Act, answer: &Answer) -> Option<Diagnosis> {
        let first = || self.worlds.first().map(|world| diagnose(world, act, answer));
        order::settle(&self.worlds, act, answer).err().or_else(first)
    }

    /// Ends the performance with a violation; quietly, where nobody asks for the requirement: nothing that is known
    /// tells what follows.
    pub(super) fn ends_with(&mut self, violation: Violation) {
        self.over = true;
        if !self.theatre.lapsed.contains(violation.requirement) {
            self.told.checked.insert(violation.requirement);
            self.told.violation = Some(violation);
        }
    }
}

/// Whether a rule lets an answer pass. What is wrong with the set behind a hash says nothing of the hash.
fn holds(rule: &Rule, came: &Came) -> bool {
    match came.is_behind {
        true => !matches!(rule.requirement, "server.set" | "federation.set"),
        false => rule.admits(&came.answer),
    }
}

/// Who looks at whose presence, where an act does.
fn looks_at(act: &Act) -> Option<(Whom, Whom)> {
    match act {
        Act::ReadStatus { by, of } | Act::Sync { by, of } => Some((Whom::User(by.user), *of)),
        Act::RemoteRead { remote, of } => Some((Whom::Remote(*remote), Whom::User(*of))),
        _ => None,
    }
}

/// What a rule admits, as a phrase.
fn expected(admits: &Admits) -> String {
    match admits {
        Admits::Accepted => "200".to_owned(),
        Admits::Refused => "the refusal by which a client knows that it has to upload".to_owned(),
        Admits::Declined => "a refusal".to_owned(),
        Admits::Rejected => "a 4xx that refuses the request for what it holds".to_owned(),
        Admits::DeadToken => "401 M_UNKNOWN_TOKEN".to_owned(),
        Admits::Carries(Presence::Nothing) => "no hash, or that of {}".to_owned(),
        Admits::Carries(Presence::Union(hash)) => format!("sha256 {hash}"),
        Admits::Hidden => "403, 404, or no hash".to_owned(),
        Admits::Serves(set) => format!("200 with the set of sha256 {}", set.hash()),
        Admits::NothingElseThan(hash) => format!("no other set than that of sha256 {hash}"),
        Admits::AHash => "43 characters of unpadded standard Base64, and the set behind them".to_owned(),
        Admits::AnyAnswer => "an answer, and no breakdown".to_owned(),
    }
}

/// What came, as a phrase.
pub(super) fn found(came: &Came) -> String {
    let told = || came.exchange.as_ref().map(|exchange| exchange.describe());
    match &came.answer {
        Answer::Accepted => "200".to_owned(),
        Answer::Hash(hash) => format!("sha256 {hash}"),
        Answer::NoHash => "no hash".to_owned(),
        Answer::Unseen => told().unwrap_or_else(|| "no presence of that user at all".to_owned()),
        Answer::Set(hash) => format!("200 with the set of sha256 {hash}"),
        Answer::Odd(words) | Answer::Broken(words) => words.clone(),
        Answer::Refused | Answer::Rejected(..) | Answer::DeadToken => told().unwrap_or_default(),
    }
}
