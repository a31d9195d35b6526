//! Requests whose path must reach the server letter by letter: hyper on a stream of its own.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::exchange::{NetworkFault, Request};

/// Sends one request on a new connection; the answer's body is still to be read.
pub(super) async fn send(
    base: &Url,
    tls: Arc<rustls::ClientConfig>,
    request: &Request,
) -> Result<http::Response<hyper::body::Incoming>, NetworkFault> {
    let connect = |reason: String| NetworkFault::Connect(reason);
    let host = base.host_str().ok_or_else(|| connect("the URL has no host".to_owned()))?;
    let bare = host.trim_matches(['[', ']']);
    let port = base.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((bare, port)).await.map_err(|e| connect(e.to_string()))?;
    if base.scheme() != "https" {
        return exchange(stream, host, port, request).await;
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|e| NetworkFault::Tls(e.to_string()))?;
    let stream =
        TlsConnector::from(tls).connect(name, stream).await.map_err(|e| NetworkFault::Tls(e.to_string()))?;
    exchange(stream, host, port, request).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    port: u16,
    request: &Request,
) -> Result<http::Response<hyper::body::Incoming>, NetworkFault> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
    // The connection ends with the answer; what it says of its end is told by the answer too.
    tokio::spawn(connection);
    let mut message = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.path.as_str())
        .header("host", format!("{host}:{port}"))
        .header("connection", "close");
    if let Some(token) = &request.token {
        message = message.header("authorization", format!("Bearer {}", token.reveal()));
    }
    if let Some(value) = &request.authorization {
        message = message.header("authorization", value);
    }
    if let Some((_, kind)) = &request.body {
        message = message.header("content-type", *kind);
    }
    let body = request.body.as_ref().map_or_else(Bytes::new, |(body, _)| body.clone());
    let message = message.body(Full::new(body)).map_err(|e| NetworkFault::Unsendable(e.to_string()))?;
    sender.send_request(message).await.map_err(fault)
}

/// What hyper's error means.
pub(super) fn fault(error: hyper::Error) -> NetworkFault {
    match error.is_parse() {
        true => NetworkFault::NotHttp(error.to_string()),
        false => NetworkFault::Closed(error.to_string()),
    }
}
