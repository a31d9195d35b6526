//! Listeners that treat a connection as no HTTP server does.

use std::future::Future;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// How a connection is treated, once a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// No answer, and no end.
    Silence,
    /// It is reset.
    Reset,
    /// It is closed.
    Close,
    /// It is answered with a body that never ends.
    Endless,
}

/// A task that serves; it ends when this is dropped.
pub(super) struct Serving(AbortHandle);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Accepts connections and treats each alike.
pub(super) fn serve(listener: TcpListener, manner: Manner) -> Serving {
    accept(listener, move |stream| treat(stream, manner))
}

/// Accepts connections and gives each to a task of its own.
pub(super) fn accept<F, R>(listener: TcpListener, mut serve: F) -> Serving
where
    F: FnMut(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let accepting = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                    Err(_) => break,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Serving(accepting.abort_handle())
}

/// A client that has gone is what each of these is about: errors tell nothing.
async fn treat(mut stream: TcpStream, manner: Manner) {
    heard(&mut stream).await;
    match manner {
        Manner::Silence => std::future::pending().await,
        Manner::Reset => drop(stream.set_zero_linger()),
        Manner::Close => drop(stream.shutdown().await),
        Manner::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            let chunk = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {}
        }
    }
}

/// Reads the head of a request; what it says does not matter.
async fn heard(stream: &mut TcpStream) {
    /// No head that is awaited here is longer.
    const LONGEST: usize = 64 << 10;
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < LONGEST {
        match stream.read_buf(&mut head).await {
            Ok(1..) => {}
            _ => return,
        }
    }
}
