//! Bodies of answers: whole ones, and those that a liar sends.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, interval};

/// A body as hyper sends it.
pub(super) type Body = UnsyncBoxBody<Bytes, BrokeOff>;

/// A body that ends before it is whole; the connection ends with it.
#[derive(Debug, thiserror::Error)]
#[error("the script breaks the body off")]
pub(super) struct BrokeOff;

/// How much of an endless body is sent as fast as it is taken.
const FAST: usize = 32 << 20;
const CHUNK: usize = 64 << 10;
/// How often a little more of it is sent then: more often than anybody takes a connection for dead.
const TRICKLE: Duration = Duration::from_millis(100);
/// One member of the endless set.
const MEMBER: &str = "\"m.cap.endless.v1\":{},";

/// What a body that breaks off promises to be long, in bytes.
pub(super) const PROMISED: usize = 4096;

pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// The beginning of a set, and then no more.
pub(super) fn broken_off() -> Body {
    streamed(stream::unfold(0, |step| async move {
        match step {
            0 => Some((Ok(Bytes::from_static(b"{\"m.cap.broken.v1\": {}, \"m.cap")), 1)),
            _ => {
                // What was sent before leaves first: hyper flushes while it waits.
                tokio::task::yield_now().await;
                Some((Err(BrokeOff), 2))
            }
        }
    }))
}

/// A set that goes on until `hold` is over, and even then does not end well.
pub(super) fn endless(hold: Duration) -> Body {
    unending(hold, FAST)
}

/// The same, of which there is never much.
pub(super) fn trickle(hold: Duration) -> Body {
    unending(hold, 0)
}

fn unending(hold: Duration, fast: usize) -> Body {
    let (until, chunk) = (Instant::now() + hold, Bytes::from(MEMBER.repeat(CHUNK / MEMBER.len())));
    let begun = (0, interval(TRICKLE));
    streamed(stream::unfold(begun, move |(sent, mut trickle)| {
        let chunk = chunk.clone();
        async move {
            let next = match sent {
                0 => Bytes::from_static(b"{"),
                _ if sent < fast => chunk,
                _ => {
                    trickle.tick().await;
                    Bytes::from_static(MEMBER.as_bytes())
                }
            };
            let length = sent + next.len();
            let next = if Instant::now() < until { Ok(next) } else { Err(BrokeOff) };
            Some((next, (length, trickle)))
        }
    }))
}

fn streamed(chunks: impl Stream<Item = Result<Bytes, BrokeOff>> + Send + 'static) -> Body {
    use futures_util::StreamExt as _;
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}
