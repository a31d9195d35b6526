//! Which request asks what: templates matched on the raw path, variables decoded once.
//!
//! A hash holds `%2F` and must arrive whole, so the path is never decoded or tidied before it is matched.

use percent_encoding::percent_decode_str;

use super::journal::Asked;
use crate::spec::binding::{Binding, Operation};

/// What a peer serves beside the operations of the binding (Server-Server API).
const FIXED: [(&str, &str, Kind); 6] = [
    ("GET", "/_matrix/key/v2/server", Kind::Keys),
    ("GET", "/_matrix/key/v2/server/{key_id}", Kind::Keys),
    ("GET", "/_matrix/federation/v1/version", Kind::Version),
    ("PUT", "/_matrix/federation/v1/send/{txn_id}", Kind::Transaction),
    ("PUT", "/_matrix/federation/v1/send/{txn_id}/", Kind::Transaction),
    ("GET", REDIRECTED, Kind::Redirected),
];

/// Where a scripted redirect leads.
const REDIRECTED: &str = "/_matrix/federation/unstable/org.example.redirected/{user_id}/{hash}";

#[derive(Clone, Copy)]
enum Kind {
    Keys,
    Version,
    Transaction,
    Redirected,
    Bound(Operation),
}

/// The path at which the honest set lies behind a scripted redirect.
pub(super) fn redirected(user_id: &str, hash: &str) -> String {
    use crate::spec::binding::encode;
    REDIRECTED.replace("{user_id}", &encode(user_id)).replace("{hash}", &encode(hash))
}

/// What a request asks; the operations of the binding come first, for they may reuse a path.
pub(super) fn asked(binding: &Binding, method: &str, uri: &str) -> Asked {
    let bound = [Operation::FedServerHash, Operation::FedServerSet, Operation::FedResolve].map(|operation| {
        let route = binding.route(operation);
        (route.method.as_str(), route.template.as_str(), Kind::Bound(operation))
    });
    let path = uri.split('?').next().unwrap_or(uri);
    for (wanted, template, kind) in bound.into_iter().chain(FIXED) {
        let subject = if template.contains('?') { uri } else { path };
        if wanted == method
            && let Some(variables) = capture(template, subject)
            && let Some(asked) = kind.asked(&variables)
        {
            return asked;
        }
    }
    Asked::Other
}

impl Kind {
    /// `None` where a variable is no text.
    fn asked(self, variables: &[(&str, &str)]) -> Option<Asked> {
        let text = |wanted: &str| {
            let (_, value) = variables.iter().find(|(name, _)| *name == wanted)?;
            percent_decode_str(value).decode_utf8().ok().map(String::from)
        };
        let (user_id, hash) = (|| text("user_id"), || text("hash"));
        Some(match self {
            Self::Keys => Asked::Keys,
            Self::Version => Asked::Version,
            Self::Transaction => Asked::Transaction { id: text("txn_id")? },
            Self::Redirected => Asked::Redirected { user_id: user_id()?, hash: hash()? },
            Self::Bound(Operation::FedServerHash) => Asked::ServerHash { user_id: user_id()? },
            Self::Bound(Operation::FedServerSet) => Asked::ServerSet { hash: hash()? },
            Self::Bound(_) => Asked::Resolve { user_id: user_id()?, hash: hash()? },
        })
    }
}

/// The variables of a path, as they stand in it; `None` where the path does not fit the template.
fn capture<'a>(template: &'a str, mut path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut pieces = template.split('{');
    path = path.strip_prefix(pieces.next()?)?;
    let mut variables = Vec::new();
    for piece in pieces {
        let (name, literal) = piece.split_once('}')?;
        let segment = path.find(['/', '?', '&']).unwrap_or(path.len());
        // A literal within the segment ends the variable early (`{hash}.json`).
        let end = match literal.is_empty() || literal.starts_with(['/', '?', '&']) {
            true => segment,
            false => path[..segment].find(literal)?,
        };
        variables.push((name, &path[..end]));
        path = path[end..].strip_prefix(literal)?;
    }
    path.is_empty().then_some(variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::binding::Route;

    const F: &str = "/_matrix/federation/unstable/org.matrix.capability_sets";

    fn default(method: &str, uri: &str) -> Asked {
        asked(&Binding::default(), method, uri)
    }

    fn resolve(user_id: &str, hash: &str) -> Asked {
        Asked::Resolve { user_id: user_id.to_owned(), hash: hash.to_owned() }
    }

    #[test]
    fn knows_what_every_request_asks() {
        assert_eq!(default("GET", "/_matrix/key/v2/server"), Asked::Keys);
        assert_eq!(default("GET", "/_matrix/key/v2/server/ed25519%3A1?x=y"), Asked::Keys);
        assert_eq!(default("GET", "/_matrix/key/v2/server/"), Asked::Keys);
        assert_eq!(default("GET", "/_matrix/federation/v1/version"), Asked::Version);
        for path in ["/_matrix/federation/v1/send/a%2Fb", "/_matrix/federation/v1/send/a%2Fb/"] {
            assert_eq!(default("PUT", path), Asked::Transaction { id: "a/b".to_owned() });
        }
        let user_id = "@a:b".to_owned();
        assert_eq!(default("GET", &format!("{F}/server/users/@a:b")), Asked::ServerHash { user_id });
        let hash = "a+/b".to_owned();
        assert_eq!(default("GET", &format!("{F}/server/sets/a+%2Fb")), Asked::ServerSet { hash });
        assert_eq!(default("GET", &format!("{F}/users/%40a%3Ab/sets/%2F%2F%252F")), resolve("@a:b", "//%2F"));
        let (user_id, hash) = ("@a:b".to_owned(), "/+".to_owned());
        assert_eq!(default("GET", &redirected("@a:b", "/+")), Asked::Redirected { user_id, hash });
    }

    #[test]
    fn anything_else_is_something_else() {
        for (method, path) in [
            ("POST", "/_matrix/key/v2/server"),
            ("GET", "/_matrix/federation/v1/send/1"),
            ("GET", "/_matrix/federation/v1/query/profile?user_id=%40a%3Ab"),
            ("GET", &format!("{F}/users/@a:b/sets//x")),
            ("GET", &format!("{F}/users/@a:b/sets/x/")),
            ("GET", &format!("{F}/users/@a:b/sets/%FF")),
            ("GET", &format!("{F}/users/../users/@a:b/sets/x")),
            ("GET", ""),
            ("GET", "*"),
        ] {
            assert_eq!(default(method, path), Asked::Other, "{method} {path}");
        }
    }

    #[test]
    fn a_binding_may_use_suffixes_and_queries() {
        let mut binding = Binding::default();
        let route = |text, operation: Operation| Route::parse(text, operation.variables()).unwrap();
        let by_query = route("POST /caps?user={user_id}&hash={hash}", Operation::FedResolve);
        binding.set_route(Operation::FedResolve, by_query);
        binding.set_route(Operation::FedServerSet, route("GET /caps/{hash}.json", Operation::FedServerSet));
        assert_eq!(asked(&binding, "POST", "/caps?user=%40a%3Ab&hash=%2B"), resolve("@a:b", "+"));
        assert_eq!(asked(&binding, "GET", "/caps/a.json?x"), Asked::ServerSet { hash: "a".to_owned() });
        assert_eq!(asked(&binding, "GET", "/caps/a.jsonx"), Asked::Other);
    }
}
