//! What a session reads in the presence status of users.

use crate::outcome::{Judgement, Stop};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::wire::Request;

use super::expect::Field;
use super::session::spelled_right;
use super::settle;
use super::stage::HASH;
use super::{Expect, Person, Reply, Session, Stage};

impl Session {
    /// Asks for a user's presence status.
    pub async fn status_of(&self, user: &dyn Person) -> Result<Reply, Stop> {
        let path = self.stage().binding().presence.status.path(&[("user_id", user.id())]);
        self.ask(Request::new("GET", path)).await
    }

    /// What the answer to that carries.
    pub fn carried_by(&self, status: &Reply) -> Field {
        Field::of(&status.json(), &self.stage().binding().presence.field)
    }

    /// What a user's status says right now.
    pub async fn status_says(&self, user: &dyn Person, expect: &Expect) -> Result<Judgement, Stop> {
        Ok(self.judge_status(&self.status_of(user).await?, user, expect))
    }

    /// Whether a user's status carries no hash but one of these sets.
    pub async fn status_says_nothing_but(
        &self,
        user: &dyn Person,
        sets: &[&CapabilitySet],
    ) -> Result<Judgement, Stop> {
        let reply = self.status_of(user).await?;
        let expected = format!("{}'s status without what is no hash of that user's", user.name());
        let field = Field::of(&reply.json(), &self.stage().binding().presence.field);
        let actual = self.stage().phrase(&field);
        Ok(Judgement::of(field.is_nothing_but(sets), expected, actual, reply.exchange()))
    }

    fn judge_status(&self, reply: &Reply, user: &dyn Person, expect: &Expect) -> Judgement {
        let expected = format!("{}'s status carries {}", user.name(), expect.phrase());
        if !reply.accepted() {
            return reply.judge(false, &expected);
        }
        let field = Field::of(&reply.json(), &self.stage().binding().presence.field);
        Judgement::of(expect.is_met_by(&field), expected, self.stage().phrase(&field), reply.exchange())
    }

    /// What a user's status says in the answer that also shows this status message.
    pub async fn status_says_beside(
        &self,
        user: &dyn Person,
        message: &str,
        expect: &Expect,
    ) -> Result<Judgement, Stop> {
        settle::poll(self.stage(), || async {
            let reply = self.status_of(user).await?;
            let shown = reply.json()["status_msg"] == message;
            let beside = reply.judge(shown, &format!("{}'s status with the new status message", user.name()));
            Ok(beside.and(|| self.judge_status(&reply, user, expect)))
        })
        .await
    }

    /// What a user's status comes to say within the time it is granted.
    pub async fn status_settles_on(&self, user: &dyn Person, expect: &Expect) -> Result<Judgement, Stop> {
        settle::poll(self.stage(), || self.status_says(user, expect)).await
    }

    /// That a user's status comes to carry the hash of the union of these sets is a prerequisite.
    pub async fn reads_or_stop(&self, user: &dyn Person, sets: &[&CapabilitySet]) -> Result<(), Stop> {
        self.status_settles_on(user, &Expect::union_of(sets)).await?.or_stop()
    }

    /// Whether a user's status carries no other hash than this: where none comes it may still be on its way.
    pub async fn status_does_not_contradict(
        &self,
        user: &dyn Person,
        expect: &Expect,
    ) -> Result<Judgement, Stop> {
        let reply = self.status_of(user).await?;
        let expected = format!("{}'s status without another hash than {}", user.name(), expect.phrase());
        let field = Field::of(&reply.json(), &self.stage().binding().presence.field);
        let holds = expect.is_not_contradicted_by(&field);
        Ok(Judgement::of(holds, expected, self.stage().phrase(&field), reply.exchange()))
    }

    /// Whether the hash that a user's status comes to carry instead of this set's is spelled right; that
    /// there is one is a prerequisite.
    pub async fn status_hash_is_spelled_right(
        &self,
        user: &dyn Person,
        before: &CapabilitySet,
    ) -> Result<Judgement, Stop> {
        let expected = format!("{}'s status carries 43 characters of unpadded standard Base64", user.name());
        let (spelled, carried) = self.status_text_other_than(user, &[before]).await?;
        match (spelled, &carried.exchange) {
            (Some(hash), Some(exchange)) => Ok(spelled_right(&hash, &expected, exchange)),
            _ => Err(carried.stop()),
        }
    }

    /// The hash that a user's status comes to carry, once it is none of these sets'; or a judgement
    /// that says what it carries instead.
    pub async fn status_hash_other_than(
        &self,
        user: &dyn Person,
        sets: &[&CapabilitySet],
    ) -> Result<(Option<CapabilityHash>, Judgement), Stop> {
        let (spelled, carried) = self.status_text_other_than(user, sets).await?;
        let hash = spelled.and_then(|text| CapabilityHash::parse(&text).ok());
        Ok((hash.clone(), Judgement { holds: hash.is_some(), ..carried }))
    }

    /// The same, however the hash is spelled.
    async fn status_text_other_than(
        &self,
        user: &dyn Person,
        sets: &[&CapabilitySet],
    ) -> Result<(Option<String>, Judgement), Stop> {
        let expected = format!("{}'s status carries the hash of another set", user.name());
        let judgement = settle::poll(self.stage(), || async {
            let reply = self.status_of(user).await?;
            let field = Field::of(&reply.json(), &self.stage().binding().presence.field);
            let Field::Hash(hash) = field else { return Ok(reply.judge(false, &expected)) };
            let new = sets.iter().all(|set| set.hash().as_str() != hash);
            Ok(Judgement::of(new, expected.clone(), format!("{HASH}{hash}"), reply.exchange()))
        })
        .await?;
        let hash = judgement.actual.strip_prefix(HASH).filter(|_| judgement.holds).map(str::to_owned);
        Ok((hash, judgement))
    }

    /// Whether a status answer keeps a set from its asker: refused, or without any hash.
    pub fn status_hides(&self, reply: &Reply, set: &CapabilitySet) -> Judgement {
        let field = Field::of(&reply.json(), &self.stage().binding().presence.field);
        let hidden = match reply.accepted() {
            true => field == Field::Absent && reply.does_not_name(set.hash().as_str()).holds,
            false => matches!(reply.exchange().status(), Some(403 | 404)),
        };
        reply.judge(hidden, "403, 404, or 200 without a hash")
    }

    /// Whether a user's status comes to keep a set from this session, within the time it is granted.
    pub async fn status_comes_to_hide(
        &self,
        user: &dyn Person,
        set: &CapabilitySet,
    ) -> Result<Judgement, Stop> {
        settle::poll(self.stage(), || async { Ok(self.status_hides(&self.status_of(user).await?, set)) })
            .await
    }
}

impl Stage {
    /// A presence field in words.
    pub(super) fn phrase(&self, field: &Field) -> String {
        match field {
            Field::Absent => "no hash".to_owned(),
            Field::Hash(hash) => format!("{HASH}{hash}"),
            Field::Malformed(value) => format!("{value}, which is not {{\"sha256\": string}}"),
        }
    }
}
