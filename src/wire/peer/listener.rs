//! The accept loop: nothing that a client does on one connection disturbs another, and nothing vanishes.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::AlertDescription;
use tokio::io::AsyncBufReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::host::{Deadlines, Host};
use super::service;

/// Connections of one peer at once; for a new one beyond, the least useful is closed.
const CONNECTIONS: usize = 256;
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// How long the loop waits when the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `stop` is true or its sender gone; ends when all of them are closed.
pub(super) async fn accept(listener: TcpListener, host: Arc<Host>, mut stop: watch::Receiver<bool>) {
    let mut connections = Connections::default();
    loop {
        tokio::select! {
            biased;
            () = told(&mut stop) => break,
            Some(ended) = connections.tasks.join_next_with_id() => {
                connections.forget(ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connections.open(stream, &host),
                Err(error) => {
                    host.incident(None, format!("no connection can be accepted: {error}"), false);
                    // Too many files are open, most likely: one fewer of our own may help.
                    connections.close_one();
                    let _ = timeout(PAUSE, told(&mut stop)).await;
                }
            },
        }
    }
    drop(listener);
    connections.tasks.shutdown().await;
}

/// Ends when the peer is to stop, or nobody is left who could say so.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a connection is at; where there are too many, the least of these goes first.
mod stage {
    pub(super) const HANDSHAKE: u8 = 0;
    pub(super) const IDLE: u8 = 1;
    pub(super) const READING: u8 = 2;
    pub(super) const ANSWERING: u8 = 3;
}

#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Open>,
    accepted: usize,
}

struct Open {
    number: usize,
    stage: Arc<AtomicU8>,
    task: AbortHandle,
}

impl Connections {
    fn open(&mut self, stream: TcpStream, host: &Arc<Host>) {
        if self.open.len() >= CONNECTIONS {
            self.close_one();
            host.incident(None, "too many connections at once: the oldest were closed", false);
        }
        let stage = Arc::new(AtomicU8::new(stage::HANDSHAKE));
        let task = self.tasks.spawn(serve(stream, host.clone(), stage.clone()));
        self.accepted += 1;
        self.open.insert(task.id(), Open { number: self.accepted, stage, task });
    }

    /// Closes the oldest of those that are least far.
    fn close_one(&mut self) {
        let least = self.open.iter().min_by_key(|(_, open)| (open.stage.load(Relaxed), open.number));
        if let Some(id) = least.map(|(id, _)| *id)
            && let Some(open) = self.open.remove(&id)
        {
            open.task.abort();
        }
    }

    fn forget(&mut self, id: Id) {
        self.open.remove(&id);
    }
}

/// One connection, from its first byte to its last.
async fn serve(stream: TcpStream, host: Arc<Host>, at: Arc<AtomicU8>) {
    // Answers are small and single: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let mut sni = None;
    let ended = match secure(stream, &host, &mut sni, &at).await {
        Ok(Some(stream)) => converse(stream, &host, sni.as_deref(), &at).await,
        Ok(None) => Ok(()),
        Err(failed) => Err(failed),
    };
    if let Err(Failed { what, distrust }) = ended {
        host.incident(sni.as_deref(), what, distrust);
    }
}

/// The connection under TLS, when the client begins to ask; `None` where it needed no connection after all.
async fn secure(
    stream: TcpStream,
    host: &Host,
    sni: &mut Option<String>,
    at: &AtomicU8,
) -> Result<Option<TlsStream<TcpStream>>, Failed> {
    let Deadlines { handshake: within, head, .. } = host.run.deadlines;
    let late = |_| Failed::of("the client never finished its TLS handshake");
    let mut stream = timeout(within, handshake(stream, host, sni)).await.map_err(late)??;
    at.store(stage::IDLE, Relaxed);
    match timeout(head, stream.fill_buf()).await {
        Ok(Ok([_, ..])) => Ok(Some(stream)),
        Ok(Ok([])) | Err(_) => Ok(None),
        // A client of TLS 1.3 has finished the handshake before it refuses, and some look at names even later.
        Ok(Err(error)) => Err(refused(&error)),
    }
}

/// HTTP, until either side ends it.
async fn converse(
    stream: TlsStream<TcpStream>,
    host: &Host,
    sni: Option<&str>,
    at: &AtomicU8,
) -> Result<(), Failed> {
    let served = &AtomicUsize::new(0);
    let requests = service_fn(|request| async move {
        at.store(stage::READING, Relaxed);
        let arrival = service::receive(host, request).await;
        at.store(stage::ANSWERING, Relaxed);
        let answer = service::answer(host, sni, arrival).await;
        served.fetch_add(1, Relaxed);
        at.store(stage::IDLE, Relaxed);
        answer
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(host.run.deadlines.head)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), requests);
    let failed = |error| failed(&error, at.load(Relaxed), served.load(Relaxed));
    connection.await.map_or_else(|error| failed(error).map_or(Ok(()), Err), Ok)
}

/// Why a connection came to nothing.
struct Failed {
    what: String,
    distrust: bool,
}

impl Failed {
    fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), distrust: false }
    }
}

/// The TLS handshake; the name that the client asks for as soon as it is known.
async fn handshake(
    stream: TcpStream,
    host: &Host,
    sni: &mut Option<String>,
) -> Result<TlsStream<TcpStream>, Failed> {
    /// The first byte of a TLS connection: the content type of a handshake record (RFC 8446, section 5.1).
    const HANDSHAKE_RECORD: u8 = 22;
    let mut first = [0];
    let broke =
        |error: io::Error| Failed::of(format!("the connection broke before its TLS handshake: {error}"));
    match stream.peek(&mut first).await.map_err(broke)? {
        0 => return Err(Failed::of("the client closed the connection before saying anything")),
        _ if first[0].is_ascii_uppercase() => return Err(Failed::of("plain HTTP on a port that speaks TLS")),
        _ if first[0] != HANDSHAKE_RECORD => return Err(Failed::of("neither TLS nor HTTP")),
        _ => {}
    }
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream)
        .await
        .map_err(|error| Failed::of(format!("no TLS handshake: {error}")))?;
    *sni = hello.client_hello().server_name().map(str::to_owned);
    hello.into_stream(host.run.tls.clone()).await.map_err(|error| refused(&error))
}

/// Why the client did not go on when it had seen the certificate.
fn refused(error: &io::Error) -> Failed {
    match tls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) => alerted(*alert),
        Some(other) => Failed::of(format!("the TLS handshake failed: {other}")),
        None => Failed {
            what: format!(
                "the client closed the connection when it had seen the certificate, without saying why; it may \
                 have looked for another name ({error})"
            ),
            distrust: true,
        },
    }
}

/// What the client says of the handshake (RFC 8446, section 6.2).
fn alerted(alert: AlertDescription) -> Failed {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRevoked, CertificateUnknown, UnknownCA,
        UnrecognisedName, UnsupportedCertificate,
    };
    let why = match alert {
        UnknownCA => "does not know its authority (unknown_ca)",
        BadCertificate => "calls it bad (bad_certificate)",
        CertificateUnknown => "does not accept it (certificate_unknown)",
        CertificateExpired => "calls it expired (certificate_expired)",
        CertificateRevoked => "calls it revoked (certificate_revoked)",
        UnsupportedCertificate => "does not support its kind (unsupported_certificate)",
        AccessDenied => "denies it access (access_denied)",
        UnrecognisedName => "does not recognise its name (unrecognized_name)",
        other => return Failed::of(format!("the client broke the TLS handshake off: {other:?}")),
    };
    Failed { what: format!("the client does not trust the certificate: it {why}"), distrust: true }
}

/// What of hyper's error is worth telling: a client may go away when no request is under way, and when it
/// is tired of waiting for the answer.
fn failed(error: &hyper::Error, at: u8, served: usize) -> Option<Failed> {
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    if let Some(tls) = causes.find_map(|cause| tls_error(cause.downcast_ref::<io::Error>()?)) {
        return Some(Failed::of(format!("the TLS connection broke: {tls}")));
    }
    let broke_off = error.is_incomplete_message() || broken_io(error);
    match () {
        () if error.is_parse_too_large() => Some("a request with more headers than are read"),
        () if error.is_parse() => Some("a request that is not HTTP"),
        () if error.is_timeout() && served == 0 => Some("a connection on which no whole request came"),
        () if broke_off && at == stage::READING => Some("a request whose body broke off"),
        // Later it may as well be an answer that the client did not want to the end.
        () if error.is_incomplete_message() && served == 0 && at == stage::IDLE => {
            Some("a request whose head broke off")
        }
        () => None,
    }
    .map(Failed::of)
}

/// Whether the connection itself broke.
fn broken_io(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<io::Error>())
}

/// The TLS library's error within an I/O error.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
