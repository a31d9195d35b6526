//! The HTTP client: one request, one exchange; no retries, redirects, proxies or decompression.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{interval, timeout};
use url::Url;

use super::exchange::{Exchange, NetworkFault, Request, Response};
use super::outage::{CONTROL, Outage, Outages};
use super::rate_limit::{self, Gates};
use super::raw;
use super::tally::{Counters, Endpoint};
use super::tls::{self, TlsTrust};
use super::transcript::{Transcript, absolute};

/// Idle connections are dropped before any common server drops them, so that a request never
/// meets a connection that is just closing.
const POOL_IDLE: Duration = Duration::from_secs(3);

/// How many requests are under way at once for which a password is hashed. More would take the processors
/// from whatever else the server has to answer in time.
const COSTLY_AT_ONCE: usize = 4;

/// What waiting for a turn among those is granted: every request before it ends within deadlines of its own.
const LONGEST_TURN: Duration = Duration::from_secs(600);

/// The pace of asking whether a target is back.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How to talk to a target.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The client-server base URL.
    pub base: Url,
    /// Which certificates are trusted.
    pub tls: TlsTrust,
    /// Requests under way at once, long polls aside.
    pub in_flight: usize,
    /// Deadline for the connection, the first byte and the whole body, each.
    pub timeout: Duration,
    /// The longest body that is read, in bytes.
    pub max_body: usize,
    /// The longest time spent obeying 429 per request.
    pub max_obeyed: Duration,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The CA file cannot be used.
    #[error("cannot use the CA file {path}: {reason}")]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The HTTP or TLS library refuses the configuration.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

/// Sends requests to one base URL and records them in one transcript.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    transcript: Arc<Transcript>,
}

#[derive(Debug)]
struct Shared {
    config: ClientConfig,
    http: reqwest::Client,
    /// For requests that reqwest would tidy up.
    tls: Arc<rustls::ClientConfig>,
    permits: Arc<Semaphore>,
    costly: Semaphore,
    gates: Gates,
    counters: Arc<Counters>,
    outages: Arc<Outages>,
}

impl Client {
    /// A client with a transcript of its own.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let permits = Arc::new(Semaphore::new(config.in_flight.max(1)));
        Self::sharing(config, permits, Arc::default(), Arc::default(), Arc::default())
    }

    /// A client for another base URL of the same run: it records in the same transcript, and its
    /// requests count with those of this one.
    pub fn toward(&self, base: Url, tls: TlsTrust) -> Result<Self, ClientError> {
        let Shared { config, permits, counters, outages, .. } = &*self.shared;
        let config = ClientConfig { base, tls, ..config.clone() };
        let outages = outages.clone();
        Self::sharing(config, permits.clone(), counters.clone(), outages, self.transcript.clone())
    }

    fn sharing(
        config: ClientConfig,
        permits: Arc<Semaphore>,
        counters: Arc<Counters>,
        outages: Arc<Outages>,
        transcript: Arc<Transcript>,
    ) -> Result<Self, ClientError> {
        let tls = tls::configure(&config.tls, config.base.scheme() == "https")?;
        let mut negotiated = tls.clone();
        negotiated.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(negotiated)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(config.timeout)
            .pool_idle_timeout(POOL_IDLE)
            .user_agent(concat!("capcheck/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                ClientError::Setup(causes(&error).map(ToString::to_string).collect::<Vec<_>>().join(": "))
            })?;
        let costly = Semaphore::new(COSTLY_AT_ONCE);
        let shared = Shared {
            config,
            http,
            tls: Arc::new(tls),
            permits,
            costly,
            gates: Gates::default(),
            counters,
            outages,
        };
        Ok(Self { shared: Arc::new(shared), transcript })
    }

    /// The same client, recording elsewhere.
    pub fn recording(&self, transcript: Arc<Transcript>) -> Self {
        Self { shared: self.shared.clone(), transcript }
    }

    /// Where this client records.
    pub fn transcript(&self) -> &Arc<Transcript> {
        &self.transcript
    }

    /// The configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    /// What has been sent, by every clone of this client.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// When the target could not be reached, as every clone of this client saw it.
    pub fn outages(&self) -> &Outages {
        &self.shared.outages
    }

    /// Waits until the target answers again where it did not; the outage, where it lasts for longer.
    ///
    /// What is asked meanwhile is in no transcript: it belongs to nobody's story.
    pub async fn outlast(&self, within: Duration) -> Result<(), Outage> {
        let _one_asks_for_all = self.outages().asking.lock().await;
        let aside = self.recording(Arc::new(self.transcript.beside()));
        let mut pace = interval(ASK_AGAIN);
        while let Some(outage) = self.outages().lasting() {
            if outage.silent_since.elapsed() > within {
                return Err(outage);
            }
            pace.tick().await;
            aside.send(Request::new("GET", CONTROL)).await;
        }
        Ok(())
    }

    /// Sends one request and keeps what came of it.
    ///
    /// A 429 is obeyed (`retry_after_ms`, `Retry-After`) and the request sent again, up to
    /// [`ClientConfig::max_obeyed`]; a 429 that is returned is one that could not be obeyed.
    pub async fn send(&self, request: Request) -> Arc<Exchange> {
        let most = self.config().max_obeyed;
        let gate = self.shared.gates.of(&request);
        let (mut obeyed, mut turn) = (Duration::ZERO, None);
        for attempt in 0.. {
            if let Some(gate) = gate.as_ref().filter(|gate| turn.is_none() && gate.is_closed()) {
                let left = most.saturating_sub(obeyed);
                let waited;
                (turn, waited) = self.off_the_clock(left, gate.turn(left)).await;
                obeyed += waited;
            }
            let exchange = self.once(request.clone()).await;
            let Some(wait) = rate_limit::wait(&exchange, attempt) else { return exchange };
            if obeyed + wait > most {
                return exchange;
            }
            if let Some(gate) = gate.as_ref().filter(|_| turn.is_none()) {
                turn = gate.close();
                if turn.is_none() {
                    // Whoever has the turn waits; who is next asks without having waited for the same.
                    continue;
                }
            }
            obeyed += wait;
            self.transcript.obey(wait);
            rate_limit::obey(wait).await;
        }
        unreachable!("attempts are not bounded, obedience is")
    }

    async fn once(&self, request: Request) -> Arc<Exchange> {
        let _costly = match request.costly {
            true => self.turn_for_a_costly_one().await,
            false => None,
        };
        // A long poll waits for what another request causes, so it must not take that one's place.
        let permit = match request.long_poll.is_zero() {
            true => self.shared.permits.acquire().await.ok(),
            false => None,
        };
        let Shared { config, counters, .. } = &*self.shared;
        let endpoint = Endpoint::of(&request, config.base.as_str());
        counters.sent(&endpoint);
        let sent_at = Instant::now();
        let result = self.answer(&request).await;
        drop(permit);
        let exchange = self.transcript.record(request, result, sent_at, &config.base, &config.tls);
        counters.took(&endpoint, exchange.took, exchange.status());
        self.outages().learn(&exchange);
        exchange
    }

    async fn turn_for_a_costly_one(&self) -> Option<SemaphorePermit<'_>> {
        let turn = async { self.shared.costly.acquire().await.ok() };
        self.off_the_clock(LONGEST_TURN, turn).await.0
    }

    /// Waits for a turn, which is the harness's own doing and counts against no deadline for so long at most;
    /// how long it took of that. All of it is granted at first: a deadline must not pass before it is known.
    async fn off_the_clock<T>(&self, most: Duration, wait: impl Future<Output = T>) -> (T, Duration) {
        let asked = Instant::now();
        self.transcript.obey(most);
        let came = wait.await;
        let waited = asked.elapsed().min(most);
        self.transcript.take_back(most - waited);
        (came, waited)
    }

    async fn answer(&self, request: &Request) -> Result<Response, NetworkFault> {
        let config = self.config();
        let first_byte = config.timeout + request.long_poll;
        let late = |stage, limit| move |_| NetworkFault::TimedOut { stage, limit };
        let head = async {
            match request.verbatim {
                true => raw::send(&config.base, self.shared.tls.clone(), request).await.map(Answer::Raw),
                false => self.tidy(request).await.map(Answer::Tidy),
            }
        };
        let answer = timeout(first_byte, head).await.map_err(late("answer", first_byte))??;
        let body = timeout(config.timeout, answer.read(config.max_body)).await;
        body.map_err(late("whole body", config.timeout))?
    }

    async fn tidy(&self, request: &Request) -> Result<reqwest::Response, NetworkFault> {
        let unsendable = |reason: String| NetworkFault::Unsendable(reason);
        let url = Url::parse(&absolute(&self.config().base, &request.path))
            .map_err(|e| unsendable(e.to_string()))?;
        let method =
            request.method.parse().map_err(|_| unsendable(format!("method {:?}", request.method)))?;
        let mut message = self.shared.http.request(method, url);
        if let Some(token) = &request.token {
            message = message.bearer_auth(token.reveal());
        }
        if let Some(value) = &request.authorization {
            message = message.header("authorization", value);
        }
        if let Some((body, kind)) = &request.body {
            message = message.header("content-type", *kind).body(body.clone());
        }
        message.send().await.map_err(|error| classify(&error, self.config().timeout))
    }
}

/// An answer whose body is still to be read.
enum Answer {
    Tidy(reqwest::Response),
    Raw(http::Response<hyper::body::Incoming>),
}

impl Answer {
    async fn read(self, limit: usize) -> Result<Response, NetworkFault> {
        let (status, headers) = match &self {
            Self::Tidy(response) => (response.status(), response.headers()),
            Self::Raw(response) => (response.status(), response.headers()),
        };
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = match self {
            Self::Tidy(response) => collect(reqwest::Body::from(response), limit, |e| e.to_string()).await?,
            Self::Raw(response) => collect(response.into_body(), limit, |e| e.to_string()).await?,
        };
        Ok(Response { status: status.as_u16(), headers, body })
    }
}

async fn collect<B>(
    mut body: B,
    limit: usize,
    why: impl Fn(&B::Error) -> String,
) -> Result<Bytes, NetworkFault>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| NetworkFault::Closed(why(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(NetworkFault::TooLong { limit });
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// What reqwest's error means, by its causes.
fn classify(error: &reqwest::Error, limit: Duration) -> NetworkFault {
    let root = causes(error).last().map(plainly).unwrap_or_default();
    let tls = causes(error).any(is_tls);
    let not_http =
        causes(error).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse));
    match () {
        () if tls => NetworkFault::Tls(root),
        () if error.is_connect() && error.is_timeout() => {
            NetworkFault::TimedOut { stage: "connection", limit }
        }
        () if error.is_connect() => NetworkFault::Connect(root),
        () if error.is_builder() => NetworkFault::Unsendable(root),
        () if not_http => NetworkFault::NotHttp(root),
        () => NetworkFault::Closed(root),
    }
}

/// The error's words without the page of a library's manual that follows them: reports are about the target.
fn plainly(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    words.truncate(words.find(": https://").unwrap_or(words.len()));
    words
}

/// Whether an error is TLS's, also inside the I/O errors that libraries wrap around it, whose
/// `source` passes over what they wrap.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_tls(inner))
}

/// The error and what caused it; the last says the most.
fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_without_the_manual_of_a_library() {
        let told = "peer closed connection without sending TLS close_notify";
        let cut = format!("{told}: https://docs.rs/rustls/latest/rustls/manual/_03_howto/index.html");
        for words in [told, &cut] {
            assert_eq!(plainly(&std::io::Error::other(words)), told);
        }
    }
}
