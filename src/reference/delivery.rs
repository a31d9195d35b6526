//! How answers leave: spelled, in headers and pieces of this server's choice, at its pace.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use super::http::Reply;
use super::server::Server;
use super::spelling::spell;
use super::variants::{Variant, VariantSet};

/// What servers, and proxies before them, like to say about an answer.
const HEADERS: [(&str, &str); 12] = [
    ("server", "example/1.0 (Unix) proxy/2"),
    ("via", "1.1 cache.example"),
    ("set-cookie", "balance=a; Path=/; HttpOnly; SameSite=Lax"),
    ("set-cookie", "session=; Max-Age=0"),
    ("cache-control", "public, max-age=3600"),
    ("etag", "W/\"0\""),
    ("vary", "Accept-Encoding, Origin"),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    ("x-content-type-options", "nosniff"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x-empty", ""),
];

/// What goes out in pieces so small; the rest follows in longer ones.
const CRUMBS: usize = 1024;

/// Sends an answer.
pub(super) async fn deliver(server: &Server, reply: Reply) -> Response {
    let variants = server.options.variants;
    if server.may(Variant::AnswersLate) {
        server.pace.dawdle().await;
    }
    response(variants, spell(variants, reply))
}

fn response(variants: VariantSet, reply: Reply) -> Response {
    let mut response = Response::new(match variants.has(Variant::HttpChunked) {
        true => Body::from_stream(stream::iter(pieces(reply.body).map(Ok::<_, Infallible>))),
        false => Body::from(reply.body),
    });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Some(when) = reply.retry_after {
        headers.insert(RETRY_AFTER, when);
    }
    if variants.has(Variant::HttpClose) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if variants.has(Variant::HttpHeaders) {
        adorn(headers);
    }
    response
}

fn adorn(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if headers.get(CONTENT_TYPE).is_some_and(|json| json == "application/json") {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
}

/// A body in pieces: of one byte to seven, then of some thousands.
fn pieces(mut body: Bytes) -> impl Iterator<Item = Bytes> {
    let mut sent = 0;
    std::iter::from_fn(move || {
        let length = if sent < CRUMBS { 1 + sent % 7 } else { 4096 };
        let piece = body.split_to(length.min(body.len()));
        sent += piece.len();
        (!piece.is_empty()).then_some(piece)
    })
}
