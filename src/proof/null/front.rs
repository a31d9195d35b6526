//! An HTTP server that answers by itself, or stands before the built-in homeserver and changes its answers.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::spec::binding::{Binding, Operation};

use super::socket::{Serving, accept};

/// A request, its body read.
pub(super) type Asked = Request<Bytes>;
/// A whole answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// The longest body that is read, either way, in bytes: beyond, the connection is closed.
const LONGEST: usize = 8 << 20;

/// What stands before a homeserver.
pub(super) trait Pretender: Send + Sync {
    /// What becomes of a request; without an answer the connection is closed.
    fn turn(&self, request: Asked, behind: Behind) -> BoxFuture<'_, Option<Answer>>;
}

/// Serves whatever the pretender makes of a request.
pub(super) fn serve(
    listener: TcpListener,
    pretender: Arc<dyn Pretender>,
    behind: Option<SocketAddr>,
) -> Serving {
    accept(listener, move |stream| converse(stream, pretender.clone(), Behind { address: behind }))
}

/// Gives every request such an answer.
pub(super) fn always(answer: fn(&Asked) -> Answer) -> Arc<dyn Pretender> {
    struct Always(fn(&Asked) -> Answer);
    impl Pretender for Always {
        fn turn(&self, request: Asked, _: Behind) -> BoxFuture<'_, Option<Answer>> {
            Box::pin(async move { Some((self.0)(&request)) })
        }
    }
    Arc::new(Always(answer))
}

async fn converse(stream: TcpStream, pretender: Arc<dyn Pretender>, behind: Behind) {
    // Answers are small and single: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| async {
        let (head, body) = request.into_parts();
        let body = whole(body).await.ok_or(Closed)?;
        pretender.turn(Request::from_parts(head, body), behind).await.ok_or(Closed)
    });
    // An error is a connection that either side closed.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
struct Closed;

async fn whole(body: Incoming) -> Option<Bytes> {
    Some(Limited::new(body, LONGEST).collect().await.ok()?.to_bytes())
}

/// The way to the homeserver behind, where there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    address: Option<SocketAddr>,
}

impl Behind {
    /// What it answers to the request as it is, its path letter by letter.
    pub(super) async fn ask(self, request: Asked) -> Option<Answer> {
        let stream = TcpStream::connect(self.address?).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        let _connection = AbortOnDrop(tokio::spawn(async move { drop(connection.await) }).abort_handle());
        let (head, body) = sender.send_request(request.map(Full::new)).await.ok()?.into_parts();
        let mut answer = Response::new(Full::new(whole(body).await?));
        *answer.status_mut() = head.status;
        if let Some(content_type) = head.headers.get(CONTENT_TYPE) {
            answer.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        Some(answer)
    }

    /// Asks for something else with the token of a request.
    pub(super) async fn ask_as(self, asker: &Asked, method: &str, path: &str, body: Bytes) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(path).body(body).ok()?;
        for name in [HOST, AUTHORIZATION] {
            if let Some(value) = asker.headers().get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        self.ask(request).await
    }

    /// The user whose token comes with a request; or the answer that refuses it.
    pub(super) async fn who(self, asker: &Asked) -> Option<Result<String, Answer>> {
        let answer = self.ask_as(asker, "GET", "/_matrix/client/v3/account/whoami", Bytes::new()).await?;
        let answer = match answer.status() {
            StatusCode::OK => read(answer).await?,
            _ => return Some(Err(answer)),
        };
        Some(Ok(answer.1["user_id"].as_str()?.to_owned()))
    }
}

/// Ends a connection with the request that it was made for, so that a long poll whose asker has gone ends too.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer with its body as JSON, `null` where it is none.
pub(super) async fn read(answer: Answer) -> Option<(Answer, Value)> {
    let (head, body) = answer.into_parts();
    let bytes = body.collect().await.ok()?.to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or_default();
    Some((Response::from_parts(head, Full::new(bytes)), value))
}

/// An answer with a body of some type.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer with a JSON body.
pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    answer(status, "application/json", body.to_string())
}

/// An answer with a Matrix error.
pub(super) fn error(status: StatusCode, errcode: &str) -> Answer {
    json(status, &serde_json::json!({ "errcode": errcode, "error": "no" }))
}

/// The operation of the capability API that a request is for, however its variables are spelled, and what
/// stands in the path from the first variable on.
pub(super) fn operation(request: &Asked) -> Option<(Operation, String)> {
    let binding = Binding::default();
    Operation::CLIENT.into_iter().find_map(|operation| {
        let route = binding.route(operation);
        let fixed = route.template.split('{').next().unwrap_or_default();
        let rest = request.uri().path().strip_prefix(fixed)?;
        (route.method == request.method().as_str()).then(|| (operation, rest.to_owned()))
    })
}

/// Whether a request asks for somebody's presence status.
pub(super) fn asks_for_status(request: &Asked) -> bool {
    let path = request.uri().path();
    request.method() == http::Method::GET
        && path.starts_with("/_matrix/client/v3/presence/")
        && path.ends_with("/status")
}

/// Whether a request follows `/sync`.
pub(super) fn syncs(request: &Asked) -> bool {
    request.uri().path() == "/_matrix/client/v3/sync"
}
