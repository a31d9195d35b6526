//! What a target answered, and what can be asked of an answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::outcome::{Judgement, Stop};
use crate::spec::binding::Refusal;
use crate::spec::capability::{CapabilitySet, is_identifier};
use crate::spec::hash::CapabilityHash;
use crate::wire::{Exchange, Response};

/// Error codes that say "not because of what you sent", so that no refusal is recognised by them.
const OF_OTHER_MEANING: [&str; 7] = [
    "M_MISSING_TOKEN",
    "M_UNKNOWN_TOKEN",
    "M_UNAUTHORIZED",
    "M_LIMIT_EXCEEDED",
    "M_UNRECOGNIZED",
    "M_RESOURCE_LIMIT_EXCEEDED",
    "M_USER_LIMIT_EXCEEDED",
];

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    exchange: Arc<Exchange>,
}

impl Reply {
    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self { exchange }
    }

    /// The exchange itself.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// The answer's JSON, read as tolerantly as clients do; `Null` where it is none.
    pub fn json(&self) -> Value {
        self.exchange.json().unwrap_or_default()
    }

    /// The Matrix error code.
    pub fn errcode(&self) -> Option<String> {
        self.exchange.errcode()
    }

    /// Whether the request was accepted: 200 and a JSON object.
    pub fn accepted(&self) -> bool {
        self.exchange.status() == Some(200) && self.json().is_object()
    }

    /// This answer is a prerequisite: unless it is 200 and a JSON object, the scenario ends.
    pub fn or_stop(self, what: &str) -> Result<Self, Stop> {
        match self.accepted() {
            true => Ok(self),
            false => Err(Stop::untestable(
                format!("prerequisite: {what} was answered {}", self.exchange.describe()),
                &self.exchange,
            )),
        }
    }

    /// That there is an answer is a prerequisite, whatever it holds: unless it is 200, the scenario ends.
    pub fn answered_or_stop(self, what: &str) -> Result<Self, Stop> {
        match self.exchange.status() {
            Some(200) => Ok(self),
            _ => self.or_stop(what),
        }
    }

    /// The `sha256` of the answer, as a prerequisite.
    pub fn hash_or_stop(&self) -> Result<CapabilityHash, Stop> {
        let text = self.sha256().unwrap_or_default();
        CapabilityHash::parse(&text).map_err(|error| {
            let reason =
                format!("prerequisite: a hash, but the answer was {} ({error})", self.exchange.describe());
            Stop::untestable(reason, &self.exchange)
        })
    }

    /// The string at `sha256` of an accepted answer, whatever it looks like.
    pub fn sha256(&self) -> Option<String> {
        self.accepted().then(|| self.json()["sha256"].as_str().map(str::to_owned)).flatten()
    }

    /// The capability set that an accepted answer holds, read strictly.
    pub fn set(&self) -> Option<CapabilitySet> {
        let response = self.response().filter(|response| response.status == 200)?;
        CapabilitySet::parse(&response.body).ok()
    }

    /// It was accepted.
    pub fn is_accepted(&self) -> Judgement {
        self.judge(self.accepted(), "200 with a JSON object")
    }

    /// It is an object with the string key `sha256`.
    pub fn has_hash_shape(&self) -> Judgement {
        self.judge(self.sha256().is_some(), "200 with an object whose key `sha256` is a string")
    }

    /// It carries a hash, in whatever shape.
    pub fn tells_a_hash(&self) -> Judgement {
        let told = self.exchange.status() == Some(200) && holds_text(&self.json(), &looks_like_a_hash);
        self.judge(told || self.sha256().is_some(), "200 with a hash, in whatever shape")
    }

    /// The hash it carries is spelled as unpadded standard Base64 of 32 bytes.
    pub fn spells_hash_right(&self) -> Judgement {
        let expected = "`sha256` as 43 characters of unpadded standard Base64";
        match self.sha256() {
            None => self.judge(false, expected),
            Some(text) => match CapabilityHash::parse(&text) {
                Ok(_) => self.judge(true, expected),
                Err(error) => Judgement::of(false, expected, format!("{text:?}: {error}"), &self.exchange),
            },
        }
    }

    /// It serves exactly this set.
    pub fn serves(&self, set: &CapabilitySet) -> Judgement {
        let expected = format!("200 with the set {}", abbreviate(&set.canonical_bytes()));
        let actual = match (&self.exchange.result, self.exchange.status()) {
            (Ok(response), Some(200)) => match CapabilitySet::parse(&response.body) {
                Ok(served) if served == *set => return Judgement::of(true, expected, "that", &self.exchange),
                Ok(served) => format!("200 with the set {}", abbreviate(&served.canonical_bytes())),
                Err(error) => format!("200 with a body that is no capability set: {error}"),
            },
            _ => self.exchange.describe(),
        };
        Judgement::of(false, expected, actual, &self.exchange)
    }

    /// It serves a set, whichever, that hashes to this.
    pub fn serves_what_hashes_to(&self, hash: &CapabilityHash) -> Judgement {
        let expected = format!("200 with a set that hashes to {hash}");
        let actual = match (&self.exchange.result, self.exchange.status()) {
            (Ok(response), Some(200)) => match CapabilitySet::parse(&response.body) {
                Ok(set) if set.hash() == *hash => {
                    return Judgement::of(true, expected, "that", &self.exchange);
                }
                Ok(set) => format!("a set that hashes to {}", set.hash()),
                Err(error) => format!("200 with a body that is no capability set: {error}"),
            },
            _ => self.exchange.describe(),
        };
        Judgement::of(false, expected, actual, &self.exchange)
    }

    /// Its names obey the Common Namespaced Identifier Grammar (Matrix appendices).
    pub fn names_obey_the_grammar(&self) -> Judgement {
        let set = self.set().unwrap_or_default();
        let expected = "names of 1 to 255 of a-z, 0-9, `.`, `_` and `-` that begin with a letter";
        match set.names().find(|name| !is_identifier(name)) {
            Some(name) => Judgement::of(false, expected, format!("the name {name:?}"), &self.exchange),
            None => Judgement::of(true, expected, "that", &self.exchange),
        }
    }

    /// It serves something that hashes back to a claim by some reading of Canonical JSON, also a
    /// reading that takes numbers which the specification forbids.
    pub fn hashes_back_to(&self, claim: &CapabilityHash) -> Judgement {
        let strict = self.serves_what_hashes_to(claim);
        if strict.holds || self.exchange.status() != Some(200) {
            return strict;
        }
        let body = self.response().map(|response| response.body.clone()).unwrap_or_default();
        let holds = CapabilityHash::of(&without_space(&body)) == *claim;
        Judgement { holds, ..strict }
    }

    /// A 4xx because of what was sent: neither the token, nor a rate limit, nor an unknown path.
    pub fn is_rejected(&self) -> Judgement {
        let rejected = self.is_4xx()
            && self.exchange.status() != Some(429)
            && !self.unsupported()
            && !self.exchange.is_token_refused();
        self.judge(rejected, "a 4xx that refuses the request for what it holds")
    }

    /// A 4xx with a Matrix error.
    pub fn is_rejected_with_error(&self) -> Judgement {
        self.is_rejected()
            .and(|| self.judge(self.errcode().is_some(), "a 4xx with a Matrix error (`errcode`)"))
    }

    /// Any 4xx, also bare, also for an unknown path.
    pub fn is_any_4xx(&self) -> Judgement {
        self.judge(self.is_4xx(), "any 4xx")
    }

    /// A 4xx that a client can tell from every other failure, so that it knows to upload (draft C6).
    ///
    /// `unusable` is the error code with which this server answers a declare without a usable hash.
    pub fn is_refusal(&self, unusable: Option<&str>) -> Judgement {
        let told_apart = |code: &str| !OF_OTHER_MEANING.contains(&code) && Some(code) != unusable;
        let refusal = self.is_4xx()
            && !matches!(self.exchange.status(), Some(401 | 405 | 429))
            && self.errcode().as_deref().is_some_and(told_apart);
        let unlike = unusable.map_or_else(String::new, |code| {
            format!(" and unlike {code}, which answers a body without a hash")
        });
        let expected =
            format!("a 4xx other than 401, 405 and 429 with an errcode that means nothing else{unlike}");
        self.judge(refusal, &expected)
    }

    /// Not accepted: a 4xx of whatever kind.
    pub fn is_declined(&self) -> Judgement {
        self.judge(self.is_4xx(), "a 4xx: the hash is refused")
    }

    /// Not taken for good: anything but an accepted request, and an error under whatever status.
    pub fn says_no(&self) -> bool {
        !self.accepted() || self.errcode().is_some()
    }

    /// Refused because no token came (Client-Server API, "Using access tokens").
    pub fn says_token_missing(&self) -> Judgement {
        self.is_error(401, "M_MISSING_TOKEN")
    }

    /// Refused because the token is dead.
    pub fn says_token_dead(&self) -> Judgement {
        self.is_error(401, "M_UNKNOWN_TOKEN")
    }

    /// Refused as wrongly signed (Server-Server API, "Request Authentication").
    pub fn says_unauthorized(&self) -> Judgement {
        self.is_error(401, "M_UNAUTHORIZED")
    }

    /// Refused as wrongly signed, whatever the error code.
    pub fn is_unauthorized(&self) -> Judgement {
        self.is_status(&[401])
    }

    /// Told that another homeserver failed: a Matrix error in time, and no set.
    pub fn tells_of_a_failure(&self, within: Duration) -> Judgement {
        let failed = self.exchange.status().is_some_and(|status| status >= 400);
        let of_the_asker = self.unsupported() || self.exchange.is_token_refused();
        let holds = failed && !of_the_asker && self.errcode().is_some();
        let told = self.judge(holds, "a Matrix error that tells of the other homeserver's failure");
        told.and(|| {
            let expected = format!("an answer within {} s", within.as_secs_f64());
            let actual = format!("one after {:.3} s", self.exchange.took.as_secs_f64());
            Judgement::of(self.exchange.took <= within, expected, actual, &self.exchange)
        })
    }

    /// Whatever it is, it is not accepted, so that nobody takes it for a set.
    pub fn is_no_set(&self) -> Judgement {
        self.judge(self.exchange.status() != Some(200), "no set")
    }

    /// The status of a failing gateway, or 404 where the other homeserver answered 404.
    pub fn blames_the_other_homeserver(&self, for_404: bool) -> Judgement {
        self.is_status(if for_404 { &[404, 502, 504] } else { &[502, 504] })
    }

    /// Refused as the protocol says that unknown things are.
    pub fn says_not_found(&self) -> Judgement {
        self.is_error(404, "M_NOT_FOUND")
    }

    /// Not found, in whatever words; an unknown path aside.
    pub fn is_not_found(&self) -> Judgement {
        self.is_status(&[404]).and(|| self.is_rejected_with_error())
    }

    /// Refused as too large.
    pub fn says_too_large(&self) -> Judgement {
        self.is_status(&[413])
    }

    /// Kept from the asker: forbidden, or not found.
    pub fn is_kept_from_asker(&self) -> Judgement {
        self.is_status(&[403, 404])
    }

    /// Accepted, with what does not belong there ignored, or refused for it.
    pub fn is_ignored_or_refused(&self) -> Judgement {
        self.is_status(&[200, 400])
    }

    /// The refusal that the binding names, to the letter.
    pub fn is_refusal_as_bound(&self, refusal: &Refusal) -> Judgement {
        self.is_error(refusal.status, &refusal.errcode)
    }

    /// This status and this error code.
    fn is_error(&self, status: u16, errcode: &str) -> Judgement {
        let holds = self.exchange.status() == Some(status) && self.errcode().as_deref() == Some(errcode);
        self.judge(holds, &format!("{status} {errcode}"))
    }

    /// This status.
    fn is_status(&self, statuses: &[u16]) -> Judgement {
        let words: Vec<String> = statuses.iter().map(u16::to_string).collect();
        self.judge(self.exchange.status().is_some_and(|s| statuses.contains(&s)), &words.join(" or "))
    }

    /// The same status and the same error code as another answer.
    pub fn is_like(&self, other: &Reply) -> Judgement {
        let same = self.exchange.status() == other.exchange.status() && self.errcode() == other.errcode();
        self.judge(same, &format!("the same answer as for the other request, {}", other.exchange.describe()))
    }

    /// The body nowhere holds this text, however it is spelled.
    pub fn does_not_name(&self, name: &str) -> Judgement {
        let named = match self.response() {
            Some(response) => {
                String::from_utf8_lossy(&response.body).contains(name)
                    || holds_text(&self.json(), &|text| text.contains(name))
            }
            None => false,
        };
        self.judge(!named, &format!("an answer that does not name {name}"))
    }

    /// The operation is not there at all.
    pub fn unsupported(&self) -> bool {
        self.exchange.is_unrecognized()
    }

    /// Whether it is a 4xx.
    pub fn is_4xx(&self) -> bool {
        self.exchange.status().is_some_and(|status| (400..500).contains(&status))
    }

    /// A judgement about this answer.
    pub fn judge(&self, holds: bool, expected: &str) -> Judgement {
        Judgement::of(holds, expected, self.exchange.describe(), &self.exchange)
    }

    fn response(&self) -> Option<&Response> {
        self.exchange.result.as_ref().ok()
    }
}

/// Whether a key or a string value is such a text.
fn holds_text(value: &Value, is_such: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(string) => is_such(string),
        Value::Array(items) => items.iter().any(|item| holds_text(item, is_such)),
        Value::Object(members) => members.iter().any(|(key, v)| is_such(key) || holds_text(v, is_such)),
        _ => false,
    }
}

/// Whether some text can be 32 bytes in Base64 or hexadecimal digits, whatever the alphabet and padding.
fn looks_like_a_hash(text: &str) -> bool {
    let is_digit = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_' | b'=');
    text.len() >= 43 && text.bytes().all(is_digit)
}

/// JSON without the white space between its tokens, which stay spelled as they are.
fn without_space(json: &[u8]) -> Vec<u8> {
    let (mut in_string, mut escaped) = (false, false);
    let kept = json.iter().copied().filter(|byte| {
        let keep = in_string || !byte.is_ascii_whitespace();
        in_string ^= *byte == b'"' && !escaped;
        escaped = in_string && *byte == b'\\' && !escaped;
        keep
    });
    kept.collect()
}

/// Canonical bytes short enough for a phrase.
fn abbreviate(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(200) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], bytes.len()),
        None => text.into_owned(),
    }
}
