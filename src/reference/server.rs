//! The running server: one lock around the state, a clock, long polls, start and stop.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::arithmetic::Arithmetic;
use super::client_api;
use super::faults::Fault;
use super::federation::pdu::Signer;
use super::federation::{Federation, TlsListener, deliver};
use super::options::{Account, Options};
use super::pace::Pace;
use super::routes::{Endpoint, FedEndpoint, Routes};
use super::state::{Login, NewUser, Rules, State, UserKey};
use super::variants::Variant;

/// How long `stop` waits for answers under way.
const GRACE: Duration = Duration::from_secs(2);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: std::io::Error,
    },
    /// An account that was to exist from the start cannot.
    #[error("cannot make account {localpart:?}: {reason}")]
    Account {
        /// The account's localpart.
        localpart: String,
        /// Why.
        reason: String,
    },
    /// It cannot federate as it is asked to.
    #[error("cannot federate: {reason}")]
    Federation {
        /// Why: the certificate, its key or an authority.
        reason: String,
    },
    /// The operating system gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
}

/// Starts a homeserver; port 0 takes a free one. Dropping what comes back stops it, too.
///
/// The port for other homeservers is bound first: unless it is given, the server name is `localhost`
/// with that port, where others then find it.
pub async fn start(listen: SocketAddr, options: Options) -> Result<Running, StartError> {
    let failed = |reason| StartError::Listen { address: listen, reason };
    let tls = match &options.federation {
        Some(federation) => Some(TlsListener::bind(federation, options.variants).await?),
        None => None,
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let federation_address = tls.as_ref().map(TlsListener::address);
    let port = federation_address.unwrap_or(address).port();
    let server_name = options.server_name.clone().unwrap_or_else(|| format!("localhost:{port}"));
    let (stop, stopped) = watch::channel(false);
    let server = Arc::new(Server::new(options, &server_name, stopped.clone())?);
    // Answers are small and single: waiting to fill a segment only delays them.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let serving =
        axum::serve(listener, router(server.clone())).with_graceful_shutdown(until_stopped(stopped.clone()));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { drop(serving.await) });
    tasks.spawn(server.clone().keep_time());
    if let Some(tls) = tls {
        tasks.spawn(tls.serve(server.clone(), stopped));
        tasks.spawn(deliver(server.clone()));
    }
    Ok(Running { address, federation_address, server_name, server, stop, tasks })
}

/// Everything goes to one handler: paths are matched by [`Routes`], letter by letter.
pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(client_api::handle).with_state(server)
}

/// A homeserver that is up.
pub struct Running {
    address: SocketAddr,
    federation_address: Option<SocketAddr>,
    server_name: String,
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    /// One a listener; they end when the set is dropped.
    tasks: JoinSet<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The domain of its users.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The base URL of its federation port, without a trailing slash; `None` where it does not federate.
    pub fn federation_url(&self) -> Option<String> {
        self.federation_address.map(|address| format!("https://{address}"))
    }

    /// Its part in the federation.
    #[cfg(test)]
    pub(super) fn federation(&self) -> &Federation {
        self.server.federation.as_deref().unwrap()
    }

    /// Moves its clock forward: what expires with time does so without waiting.
    pub fn advance(&self, by: Duration) {
        self.server.advance(by);
    }

    /// Stops it: long polls are answered at once, answers under way get a moment to leave.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        drop(tokio::time::timeout(GRACE, ended).await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Ends when the server is to stop, or nobody is left who could say so.
pub(super) async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}

/// What requests share.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// What is served to clients.
    pub(crate) routes: Routes<Endpoint>,
    /// What is served to other homeservers.
    pub(crate) fed_routes: Routes<FedEndpoint>,
    /// Its part in the federation, if it has one.
    pub(crate) federation: Option<Arc<Federation>>,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) server_name: String,
    /// Milliseconds since the Unix epoch at which the server started.
    epoch_ms: u64,
    clock: Clock,
    /// How fast clients may ask, and how fast it answers.
    pub(super) pace: Pace,
    shared: Mutex<Shared>,
    /// Wakes whoever tells other homeservers what is new.
    mail: Notify,
    /// Wakes whoever waits for what happens by itself: it may have come nearer.
    timer: Notify,
    stopped: watch::Receiver<bool>,
}

struct Shared {
    state: State,
    /// Users whose long polls wait for something to happen.
    waiting: HashMap<UserKey, Arc<Notify>>,
}

impl Server {
    pub(super) fn new(
        options: Options,
        server_name: &str,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch_ms = u64::try_from(epoch.as_millis()).unwrap_or_default();
        let mut state = State::new(Rules::new(&options, server_name, epoch_ms));
        for account in &options.accounts {
            add_account(&mut state, account)?;
        }
        let faults = options.faults;
        let ways = (faults, options.variants);
        let federation = options.federation.as_ref();
        let federation = federation.map(|options| Federation::new(options, server_name, ways)).transpose()?;
        let federation = federation.map(Arc::new);
        if let Some(federation) = &federation {
            state.federate(Signer::new(server_name, federation.key.clone()));
        }
        Ok(Self {
            routes: Routes::new(&options.binding, faults),
            fed_routes: Routes::between_servers(&options.binding),
            federation,
            arithmetic: Arithmetic { faults, variants: options.variants },
            server_name: server_name.to_owned(),
            options,
            epoch_ms,
            clock: Clock::default(),
            pace: Pace::default(),
            shared: Mutex::new(Shared { state, waiting: HashMap::new() }),
            mail: Notify::new(),
            timer: Notify::new(),
            stopped,
        })
    }

    /// Does one transition under the lock, then wakes the long polls of those whom it touched.
    pub(crate) fn with<T>(&self, transition: impl FnOnce(&mut State, Duration) -> T) -> T {
        let (mut shared, now) = (self.lock(), self.clock.now());
        shared.state.pass(now);
        let due = shared.state.due();
        let result = transition(&mut shared.state, now);
        for user in shared.state.take_touched() {
            if let Some(waiting) = shared.waiting.remove(&user) {
                waiting.notify_waiters();
            }
        }
        if shared.state.has_mail() {
            self.mail.notify_one();
        }
        if shared.state.due() != due {
            self.timer.notify_one();
        }
        result
    }

    /// Lets happen what is due by itself, when it is: whoever waits for it must not have to ask.
    async fn keep_time(self: Arc<Self>) {
        loop {
            let wait = self.with(|state, now| state.due().map(|due| due.saturating_sub(now)));
            let due = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.timer.notified() => {}
                () = self.stopping() => return,
            }
        }
    }

    /// Looks at the state and, under the same lock, begins to wait for a change that touches `user`.
    pub(crate) fn watch<T>(
        &self,
        user: UserKey,
        look: impl FnOnce(&State, Duration) -> T,
    ) -> (T, OwnedNotified) {
        let mut shared = self.lock();
        let seen = look(&shared.state, self.clock.now());
        let changed = shared.waiting.entry(user).or_default().clone().notified_owned();
        (seen, changed)
    }

    /// Ends when there is something to tell other homeservers.
    pub(crate) async fn mail(&self) {
        self.mail.notified().await;
    }

    /// Whether the server deviates so.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.options.faults.has(fault)
    }

    /// Whether the server takes this freedom.
    pub(crate) fn may(&self, variant: Variant) -> bool {
        self.options.variants.has(variant)
    }

    /// Whether a request comes from this very server. None does, but faults take some for such.
    pub(crate) fn is_within(&self, origin: &str) -> bool {
        origin == self.server_name
    }

    /// Milliseconds since the Unix epoch, by the server's clock.
    pub(crate) fn wall_ms(&self) -> u64 {
        self.epoch_ms + u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX / 4)
    }

    /// Moves the clock forward.
    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.timer.notify_one();
    }

    /// Ends when the server is to stop.
    pub(crate) async fn stopping(&self) {
        until_stopped(self.stopped.clone()).await;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add_account(state: &mut State, account: &Account) -> Result<(), StartError> {
    let failed = |reason: String| StartError::Account { localpart: account.localpart.clone(), reason };
    let salt = random_bytes().map_err(|error| StartError::Random(error.to_string()))?;
    let new = NewUser { localpart: &account.localpart, password: account.password.reveal(), salt };
    let user = state.create_user(new).map_err(|error| failed(error.message.into_owned()))?;
    if let Some(token) = &account.token {
        let login =
            Login { device: "STATIC".to_owned(), display_name: None, token: token.reveal().to_owned() };
        state.log_in(Duration::ZERO, user, login).map_err(|error| failed(error.message.into_owned()))?;
    }
    Ok(())
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The time since the server started, which tests may move forward.
#[derive(Debug)]
struct Clock {
    started: Instant,
    ahead_ms: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { started: Instant::now(), ahead_ms: AtomicU64::new(0) }
    }
}

impl Clock {
    fn now(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX / 4);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
