//! One answer for everything, and homeservers that give one answer to every operation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::BoxFuture;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::front::{self, Answer, Asked, Behind, Pretender};

pub(super) fn bare_not_found(_: &Asked) -> Answer {
    front::answer(StatusCode::NOT_FOUND, "text/plain", "")
}

pub(super) fn unrecognized(_: &Asked) -> Answer {
    front::error(StatusCode::NOT_FOUND, "M_UNRECOGNIZED")
}

pub(super) fn yes(_: &Asked) -> Answer {
    front::json(StatusCode::OK, &json!({}))
}

pub(super) fn versions(_: &Asked) -> Answer {
    front::json(StatusCode::OK, &json!({ "versions": ["v1.11"] }))
}

pub(super) fn echo(request: &Asked) -> Answer {
    front::answer(StatusCode::OK, "application/json", request.body().clone())
}

pub(super) fn internal_error(_: &Asked) -> Answer {
    front::error(StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN")
}

pub(super) fn unknown_token(_: &Asked) -> Answer {
    front::error(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN")
}

pub(super) fn not_found(_: &Asked) -> Answer {
    front::error(StatusCode::NOT_FOUND, "M_NOT_FOUND")
}

pub(super) fn bad_json(_: &Asked) -> Answer {
    front::error(StatusCode::BAD_REQUEST, "M_BAD_JSON")
}

pub(super) fn later(_: &Asked) -> Answer {
    front::error(StatusCode::TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED")
}

pub(super) fn page(_: &Asked) -> Answer {
    const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Hi</body></html>\n";
    front::answer(StatusCode::OK, "text/html", PAGE)
}

pub(super) fn elsewhere(request: &Asked) -> Answer {
    let mut answer = front::answer(StatusCode::FOUND, "text/plain", "");
    let to = HeaderValue::from_str(request.uri().path()).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(LOCATION, to);
    answer
}

/// A homeserver that answers every operation alike, for whoever has a token.
pub(super) fn to_operations(answer: fn(&Asked) -> Answer) -> Arc<dyn Pretender> {
    struct ToOperations(fn(&Asked) -> Answer);
    impl Pretender for ToOperations {
        fn turn(&self, request: Asked, behind: Behind) -> BoxFuture<'_, Option<Answer>> {
            Box::pin(async move {
                if front::operation(&request).is_none() {
                    return behind.ask(request).await;
                }
                Some(behind.who(&request).await?.map_or_else(|refused| refused, |_| (self.0)(&request)))
            })
        }
    }
    Arc::new(ToOperations(answer))
}

/// A homeserver that works until preflight gives its user back, and from then on answers so, or not at all.
pub(super) fn after_preflight(answer: fn(&Asked) -> Option<Answer>) -> Arc<dyn Pretender> {
    struct Until {
        over: AtomicBool,
        then: fn(&Asked) -> Option<Answer>,
    }
    impl Pretender for Until {
        fn turn(&self, request: Asked, behind: Behind) -> BoxFuture<'_, Option<Answer>> {
            Box::pin(async move {
                if self.over.load(Relaxed) {
                    return (self.then)(&request);
                }
                // Giving a user back ends with this.
                self.over.store(request.uri().path().ends_with("/logout/all"), Relaxed);
                behind.ask(request).await
            })
        }
    }
    Arc::new(Until { over: AtomicBool::new(false), then: answer })
}
