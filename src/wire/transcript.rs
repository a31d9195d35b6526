//! What a scenario sent and received, in order, with every secret blacked out as it is recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use serde_json::Value;
use url::Url;

use super::exchange::{Answered, Exchange, NetworkFault, Received, Recorded, Request, Response, Secret};
use super::{TlsTrust, curl};

/// The longest body that is kept for reports, in bytes; judging sees the whole.
pub(super) const SHOWN: usize = 8 * 1024;

/// What stands where a secret stood.
const BLACK: &str = "<redacted>";

/// JSON keys whose string values are secrets wherever they appear.
const SECRET_KEYS: [&str; 7] =
    ["access_token", "refresh_token", "login_token", "password", "new_password", "mac", "session"];

/// The keys among [`SECRET_KEYS`] whose values an answer may later echo elsewhere.
const LEARNED_KEYS: [&str; 3] = ["access_token", "refresh_token", "login_token"];

/// What is blacked out, and how it is found: in every text of a run, so each is prepared once.
type Secrets = BTreeMap<String, Finder<'static>>;

/// The exchanges of one scenario, and the secrets seen in it.
#[derive(Debug)]
pub struct Transcript {
    started: Instant,
    inner: Mutex<Inner>,
    /// The secrets of every transcript of the run: a hostile target may say one user's to another.
    everywhere: Arc<Mutex<Secrets>>,
    /// What its parts came to.
    parts: Arc<Mutex<Parts>>,
    /// Of what it is a part.
    whole: Option<Arc<Mutex<Parts>>>,
}

/// What is kept of transcripts that are forgotten.
#[derive(Debug, Default)]
struct Parts {
    sent: usize,
    rate_limited: usize,
    obeyed: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    exchanges: Vec<Arc<Exchange>>,
    /// Every spelling in which a secret may turn up, longest first when applied.
    secrets: Secrets,
    obeyed: Duration,
}

impl Default for Transcript {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            inner: Mutex::default(),
            everywhere: Arc::default(),
            parts: Arc::default(),
            whole: None,
        }
    }
}

impl Transcript {
    /// An empty transcript of the same run.
    pub fn beside(&self) -> Self {
        Self { everywhere: self.everywhere.clone(), ..Self::default() }
    }

    /// An empty transcript whose requests, and whose time spent obeying, count as those of this one, while
    /// its exchanges and secrets are forgotten with it: there may be any number of them.
    pub fn part(&self) -> Self {
        Self { whole: Some(self.parts.clone()), ..Self::default() }
    }

    /// Registers a secret: from here on it is blacked out wherever it appears.
    pub fn conceal(&self, secret: &Secret) {
        conceal_in(&mut self.lock().secrets, secret.reveal());
        conceal_in(&mut lock(&self.everywhere), secret.reveal());
    }

    /// Blacks out every secret of the run, and not only those of this transcript: once, when an
    /// exchange is shown, because there are many.
    pub fn redact(&self, recorded: &mut Recorded) {
        let everywhere = lock(&self.everywhere);
        let redact = |text: &mut String| *text = black_out(&everywhere, text);
        redact(&mut recorded.url);
        let Recorded { request_body, response_body, fault, curl, .. } = &mut *recorded;
        [request_body, response_body, fault, curl].into_iter().flatten().for_each(redact);
        let headers = recorded.request_headers.iter_mut().chain(&mut recorded.response_headers);
        headers.for_each(|(_, value)| redact(value));
    }

    /// Text that came of the target's words, with every secret of the run blacked out.
    pub fn redact_text(&self, text: &str) -> String {
        black_out(&lock(&self.everywhere), text)
    }

    /// The text with every known secret blacked out.
    pub fn black_out(&self, text: &str) -> String {
        black_out(&self.lock().secrets, text)
    }

    /// The exchanges so far, redacted, in the order in which they were sent; each has the number under
    /// which it was recorded.
    pub fn exchanges(&self) -> Vec<Recorded> {
        let mut exchanges = self.lock().exchanges.clone();
        exchanges.sort_by_key(|exchange| exchange.sent_at);
        exchanges.iter().map(|exchange| exchange.recorded.clone()).collect()
    }

    /// The latest exchange.
    pub fn last(&self) -> Option<Arc<Exchange>> {
        self.lock().exchanges.last().cloned()
    }

    /// How many requests were sent, those of its parts among them, and how many of them were answered with 429.
    pub fn sent(&self) -> (usize, usize) {
        let parts = lock(&self.parts);
        let inner = self.lock();
        let sent = inner.exchanges.iter().filter(|exchange| exchange.recorded.received_by.is_none());
        let rate_limited = sent.clone().filter(|exchange| exchange.status() == Some(429));
        (parts.sent + sent.clone().count(), parts.rate_limited + rate_limited.count())
    }

    /// Whether any request like this was sent.
    pub fn sent_any(&self, like: impl Fn(&Request) -> bool) -> bool {
        self.lock().exchanges.iter().any(|sent| sent.recorded.received_by.is_none() && like(&sent.request))
    }

    /// How many exchanges there are.
    pub fn len(&self) -> usize {
        self.lock().exchanges.len()
    }

    /// Whether nothing was sent yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time spent obeying 429 answers, which counts against no deadline.
    pub fn obeyed(&self) -> Duration {
        lock(&self.parts).obeyed + self.lock().obeyed
    }

    /// Adds time spent obeying a 429.
    pub(super) fn obey(&self, wait: Duration) {
        self.lock().obeyed += wait;
        self.count(|whole| whole.obeyed += wait);
    }

    /// Takes back what was added and not used.
    pub(super) fn take_back(&self, unused: Duration) {
        let mut inner = self.lock();
        inner.obeyed = inner.obeyed.saturating_sub(unused);
        self.count(|whole| whole.obeyed = whole.obeyed.saturating_sub(unused));
    }

    /// Lets the transcript know of which this is a part.
    fn count(&self, add: impl FnOnce(&mut Parts)) {
        if let Some(whole) = &self.whole {
            add(&mut lock(whole));
        }
    }

    /// Keeps an exchange, redacting its shown form.
    pub(super) fn record(
        &self,
        request: Request,
        result: Result<Response, NetworkFault>,
        sent_at: Instant,
        base: &Url,
        tls: &TlsTrust,
    ) -> Arc<Exchange> {
        let took = sent_at.elapsed();
        let mut inner = self.lock();
        if let Some(token) = &request.token {
            conceal_in(&mut inner.secrets, token.reveal());
        }
        if let Ok(response) = &result {
            for token in learned(&response.body) {
                conceal_in(&mut inner.secrets, &token);
                conceal_in(&mut lock(&self.everywhere), &token);
            }
        }
        let secrets = &inner.secrets;
        let url = black_out(secrets, &absolute(base, &request.path));
        let shown = |body: &[u8]| show(secrets, body, body.len());
        let request_headers = request_headers(&request);
        let request_body = request.body.as_ref().map(|(body, _)| shown(body));
        let recorded = Recorded {
            number: inner.exchanges.len() + 1,
            method: request.method.clone(),
            curl: Some(curl::command(&request, &url, request_body.as_deref(), tls)),
            url,
            request_headers,
            request_body,
            status: result.as_ref().ok().map(|r| r.status),
            response_headers: result.as_ref().map_or_else(|_| Vec::new(), |r| redacted_headers(secrets, r)),
            response_body: result.as_ref().ok().map(|r| shown(&r.body)),
            fault: result.as_ref().err().map(|fault| black_out(secrets, &fault.to_string())),
            at_ms: millis(sent_at.saturating_duration_since(self.started)),
            took_ms: millis(took),
            received_by: None,
        };
        let exchange = Arc::new(Exchange { request, result, sent_at, took, recorded });
        inner.exchanges.push(exchange.clone());
        self.count(|whole| {
            whole.sent += 1;
            whole.rate_limited += usize::from(exchange.status() == Some(429));
        });
        exchange
    }

    /// Keeps a request that the target sent; once, however often it is shown.
    pub fn receive(&self, received: &Received<'_>) -> Arc<Exchange> {
        let mut inner = self.lock();
        let same = |known: &&Arc<Exchange>| {
            known.recorded.received_by.as_deref() == Some(received.by) && known.sent_at == received.at
        };
        if let Some(known) = inner.exchanges.iter().find(same) {
            return known.clone();
        }
        let secrets = &inner.secrets;
        let (body, answered) = (Some(received.body).filter(|body| !body.is_empty()), received.answered);
        let redact = |(name, value): &(String, String)| (name.clone(), black_out(secrets, value));
        let recorded = Recorded {
            number: inner.exchanges.len() + 1,
            method: received.method.to_owned(),
            url: black_out(secrets, &format!("https://{}{}", received.by, received.uri)),
            request_headers: received.headers.iter().map(redact).collect(),
            request_body: body.map(|body| show(secrets, body, body.len())),
            status: answered.status,
            response_headers: answered.headers.iter().map(redact).collect(),
            response_body: answered.body.as_ref().map(|body| show(secrets, body, answered.length)),
            fault: answered.fault.map(str::to_owned),
            at_ms: millis(received.at.saturating_duration_since(self.started)),
            took_ms: 0,
            curl: None,
            received_by: Some(received.by.to_owned()),
        };
        let mut request = Request::new(received.method, received.uri);
        request.body = body.map(|body| (body.clone(), "application/json"));
        let Answered { status, headers, body, fault, .. } = answered.clone();
        let answer = |status| Response { status, headers, body: body.unwrap_or_default() };
        let unanswered = || NetworkFault::Closed(fault.unwrap_or_default().to_owned());
        let result = status.map(answer).ok_or_else(unanswered);
        let exchange =
            Arc::new(Exchange { request, result, sent_at: received.at, took: Duration::ZERO, recorded });
        inner.exchanges.push(exchange.clone());
        exchange
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

/// The URL as it goes over the wire: the base's path, if any, stays in front.
pub(super) fn absolute(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn request_headers(request: &Request) -> Vec<(String, String)> {
    let token = request.token.as_ref().map(|_| ("authorization".to_owned(), format!("Bearer {BLACK}")));
    let signed = request.authorization.as_ref().map(|value| ("authorization".to_owned(), value.clone()));
    let content = request.body.as_ref().map(|(_, kind)| ("content-type".to_owned(), (*kind).to_owned()));
    token.into_iter().chain(signed).chain(content).collect()
}

fn redacted_headers(secrets: &Secrets, response: &Response) -> Vec<(String, String)> {
    let redact = |(name, value): &(String, String)| match name.as_str() {
        "set-cookie" => (name.clone(), BLACK.to_owned()),
        _ => (name.clone(), black_out(secrets, value)),
    };
    response.headers.iter().map(redact).collect()
}

/// Adds every spelling of a secret that a target could send back.
fn conceal_in(secrets: &mut Secrets, secret: &str) {
    if secret.is_empty() {
        return;
    }
    let quoted = Value::from(secret).to_string();
    let spellings =
        [quoted.trim_matches('"').to_owned(), crate::spec::binding::encode(secret), secret.to_owned()];
    for spelling in spellings {
        secrets.entry(spelling).or_insert_with_key(|spelling| Finder::new(spelling).into_owned());
    }
}

/// The tokens that an answer hands out.
fn learned(body: &[u8]) -> Vec<String> {
    if !body.windows(6).any(|window| window == b"_token") {
        return Vec::new();
    }
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    LEARNED_KEYS.iter().filter_map(|key| Some(value.get(key)?.as_str()?.to_owned())).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn black_out(secrets: &Secrets, text: &str) -> String {
    let is_in = |finder: &Finder<'_>| finder.find(text.as_bytes()).is_some();
    let found = secrets.iter().filter(|(_, finder)| is_in(finder));
    let mut found: Vec<&String> = found.map(|(secret, _)| secret).collect();
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    found.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), BLACK))
}

/// A body as reports show it, or its beginning where it is `length` bytes long: text, redacted, cut.
fn show(secrets: &Secrets, body: &[u8], length: usize) -> String {
    // A secret could straddle the cut, so some more than what is shown is redacted first.
    let mut head = &body[..body.len().min(SHOWN * 4)];
    // So could a character.
    if let Err(error) = std::str::from_utf8(head)
        && error.error_len().is_none()
        && head.len() < length
    {
        head = &head[..error.valid_up_to()];
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => black_out(secrets, &without_secret_keys(text)),
        Err(_) => black_out(secrets, &head.escape_ascii().to_string()),
    };
    if text.len() <= SHOWN && head.len() == length {
        return text;
    }
    let end = (0..=SHOWN.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}… ({length} bytes in all)", &text[..end])
}

/// Blacks out the values of [`SECRET_KEYS`]; text without such keys stays as it was spelled.
fn without_secret_keys(text: &str) -> String {
    if !SECRET_KEYS.iter().any(|key| text.contains(key)) {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            black_out_keys(&mut value);
            value.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

fn black_out_keys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(secret) if SECRET_KEYS.contains(&key.as_str()) => BLACK.clone_into(secret),
                    other => black_out_keys(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(black_out_keys),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
