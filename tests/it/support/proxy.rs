//! A proxy in front of the built-in homeserver that changes what it answers.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use capcheck::reference::{self, Running};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A whole answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What becomes of a request.
pub(crate) enum Turn {
    /// The homeserver answers.
    Pass,
    /// The homeserver answers, and the answer is changed.
    Change(fn(&mut Answer)),
    /// The proxy answers by itself.
    Say(Answer),
    /// The connection is closed without an answer.
    Drop,
    /// No answer, and no end.
    Hang,
}

type Twist = Arc<dyn Fn(&Request<Bytes>) -> Turn + Send + Sync>;

/// The proxy and the homeserver behind it, until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    task: JoinHandle<()>,
    _behind: Running,
}

impl Proxy {
    /// A proxy in front of the built-in homeserver as it is.
    pub(crate) async fn start(twist: impl Fn(&Request<Bytes>) -> Turn + Send + Sync + 'static) -> Self {
        Self::before(super::serve(reference::Options::default()).await, twist).await
    }

    /// A proxy in front of a homeserver.
    pub(crate) async fn before(
        behind: Running,
        twist: impl Fn(&Request<Bytes>) -> Turn + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (twist, upstream): (Twist, _) = (Arc::new(twist), behind.address());
        let task = tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(connection(stream, upstream, twist.clone()));
            }
        });
        Self { address, task, _behind: behind }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether a request is for an operation of the capability API.
pub(crate) fn is_capability<B>(request: &Request<B>) -> bool {
    request.uri().path().contains("/org.matrix.capability_sets/")
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(Full::from(body.to_string())).unwrap()
}

/// An answer with a Matrix error.
pub(crate) fn error(status: u16, errcode: &str) -> Answer {
    json(status, &serde_json::json!({ "errcode": errcode, "error": "as the test says" }))
}

async fn connection(stream: TcpStream, upstream: SocketAddr, twist: Twist) {
    let service = service_fn(|request| {
        let twist = twist.clone();
        async move { turn(request, upstream, &twist).await }
    });
    // An error is a connection that either side closed, which is what some tests are about.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// One request; an error closes the connection without an answer.
async fn turn(request: Request<Incoming>, upstream: SocketAddr, twist: &Twist) -> Result<Answer, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let request = Request::from_parts(head, body);
    match twist(&request) {
        Turn::Pass => forward(request, upstream).await,
        Turn::Change(change) => forward(request, upstream).await.map(|mut answer| {
            change(&mut answer);
            answer
        }),
        Turn::Say(answer) => Ok(answer),
        Turn::Drop => Err(Closed),
        Turn::Hang => std::future::pending().await,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct Closed;

/// Sends the request on as it is, its path letter by letter, and takes the answer back.
async fn forward(request: Request<Bytes>, upstream: SocketAddr) -> Result<Answer, Closed> {
    let stream = TcpStream::connect(upstream).await.map_err(|_| Closed)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Closed)?;
    let _connection = AbortOnDrop(tokio::spawn(connection));
    let answer = sender.send_request(request.map(Full::new)).await.map_err(|_| Closed)?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Ends a connection with the request it was made for, so that a long poll whose asker has gone ends too.
struct AbortOnDrop(JoinHandle<Result<(), hyper::Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
