//! Where other homeservers connect: TLS, HTTP/1.1 or HTTP/2 by choice, everything bounded.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::api;
use crate::reference::options::FederationOptions;
use crate::reference::server::{Server, StartError, until_stopped};
use crate::reference::variants::VariantSet;

/// Connections at once; more wait in the operating system's queue.
const CONNECTIONS: usize = 512;
/// How long a connection may take to become a TLS connection.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a connection may take over the head of a request, the time between requests included.
const HEAD: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes, and how many headers it may have.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// Requests under way at once on one connection of HTTP/2.
const STREAMS: u32 = 100;
/// How long to wait when the operating system gives no connection, for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// A port that is bound and not served yet.
pub(in crate::reference) struct TlsListener {
    listener: TcpListener,
    tls: TlsAcceptor,
    address: SocketAddr,
}

impl TlsListener {
    /// Binds the port of the options.
    pub(in crate::reference) async fn bind(
        options: &FederationOptions,
        variants: VariantSet,
    ) -> Result<Self, StartError> {
        let failed = |reason: rustls::Error| StartError::Federation { reason: reason.to_string() };
        let identity = &options.certificate;
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(failed)?;
        tls.alpn_protocols = super::protocols(variants);
        let failed = |reason| StartError::Listen { address: options.listen, reason };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, tls: TlsAcceptor::from(Arc::new(tls)), address })
    }

    /// Where it listens.
    pub(in crate::reference) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the server is to stop; answers under way are finished.
    pub(in crate::reference) async fn serve(self, server: Arc<Server>, stopped: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = async {
                let permit = permits.clone().acquire_owned().await;
                (permit, self.listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = until_stopped(stopped.clone()) => break,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            let (tls, server, stopped) = (self.tls.clone(), server.clone(), stopped.clone());
            connections.spawn(async move {
                converse(stream, tls, server, stopped).await;
                drop(permit);
            });
        }
        while connections.join_next().await.is_some() {}
    }
}

/// One connection, to its end. What breaks off or is no TLS is nobody's business.
async fn converse(stream: TcpStream, tls: TlsAcceptor, server: Arc<Server>, stopped: watch::Receiver<bool>) {
    drop(stream.set_nodelay(true));
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE, tls.accept(stream)) => shaken,
        () = until_stopped(stopped.clone()) => return,
    };
    let Ok(Ok(stream)) = shaken else { return };
    let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let server = server.clone();
        async move { Ok::<_, Infallible>(api::handle(server, request.map(Body::new)).await) }
    });
    let is_http_2 = stream.get_ref().1.alpn_protocol() == Some(super::HTTP_2);
    let connections = connections();
    let connections = if is_http_2 { connections.http2_only() } else { connections.http1_only() };
    let mut connection = pin!(connections.serve_connection(TokioIo::new(stream), answer));
    tokio::select! {
        result = connection.as_mut() => drop(result),
        () = until_stopped(stopped) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// Bounds on what a connection may take.
fn connections() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_header_list_size(MAX_HEAD as u32)
        .max_concurrent_streams(STREAMS);
    builder
}
