//! The binding: how operations map to HTTP, as data.
//!
//! The draft names operations and no paths. [`Binding::default`] is the one that
//! `docs/protocol.md` publishes; a target file may replace any part of it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything that must be escaped in a path variable: all but RFC 3986 unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a path variable down to RFC 3986 unreserved characters.
pub fn encode(variable: &str) -> String {
    utf8_percent_encode(variable, RESERVED).to_string()
}

/// The operations that a client or a homeserver can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// User ID to the hash of the server's capabilities (draft S2, S3).
    ServerHash,
    /// Hash to the server's capabilities (draft S4, S5).
    ServerSet,
    /// A session declares its set by hash (draft C2, C6, C8).
    Declare,
    /// A client uploads the set behind a hash (draft C7).
    Upload,
    /// Hash and user ID to the set (draft C9 to C11).
    Resolve,
    /// [`Operation::ServerHash`] over federation (draft F2).
    FedServerHash,
    /// [`Operation::ServerSet`] over federation (draft F2).
    FedServerSet,
    /// [`Operation::Resolve`] over federation (draft F2).
    FedResolve,
}

impl Operation {
    /// The operations of the client-server side.
    pub const CLIENT: [Operation; 5] = [
        Operation::ServerHash,
        Operation::ServerSet,
        Operation::Declare,
        Operation::Upload,
        Operation::Resolve,
    ];

    /// Every operation.
    pub const ALL: [Operation; 8] = [
        Operation::ServerHash,
        Operation::ServerSet,
        Operation::Declare,
        Operation::Upload,
        Operation::Resolve,
        Operation::FedServerHash,
        Operation::FedServerSet,
        Operation::FedResolve,
    ];

    /// The name that target files and reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerHash => "server_hash",
            Self::ServerSet => "server_set",
            Self::Declare => "declare",
            Self::Upload => "upload",
            Self::Resolve => "resolve",
            Self::FedServerHash => "fed_server_hash",
            Self::FedServerSet => "fed_server_set",
            Self::FedResolve => "fed_resolve",
        }
    }

    /// The variables that the path template must hold.
    pub const fn variables(self) -> &'static [&'static str] {
        match self {
            Self::ServerHash | Self::FedServerHash => &["user_id"],
            Self::ServerSet | Self::FedServerSet | Self::Upload => &["hash"],
            Self::Declare => &[],
            Self::Resolve | Self::FedResolve => &["user_id", "hash"],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method and a path template such as `GET /_matrix/x/{user_id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method, upper case.
    pub method: String,
    /// The path, from its leading slash, with `{name}` for variables.
    pub template: String,
}

/// How the text of a route is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Not a method, a space and a path.
    #[error("expected a method and a path such as \"GET /_matrix/...\", found {0:?}")]
    Shape(String),
    /// The method is not one that HTTP knows with a plain request.
    #[error("expected one of GET, PUT, POST, DELETE, PATCH as the method, found {0:?}")]
    Method(String),
    /// A variable that the operation needs is missing.
    #[error("the path must hold {{{0}}}")]
    Missing(&'static str),
    /// A variable that the operation does not have.
    #[error("the path holds {{{found}}}, which this operation does not have; it has {known}")]
    Unknown {
        /// The variable found.
        found: String,
        /// Those the operation has, for people.
        known: String,
    },
}

impl Route {
    /// Reads `METHOD /path/{variable}` and checks it against the variables it must hold.
    pub fn parse(text: &str, variables: &[&'static str]) -> Result<Self, RouteError> {
        let shape = || RouteError::Shape(text.to_owned());
        let (method, template) = text.split_once(' ').ok_or_else(shape)?;
        if !template.starts_with('/') || template.contains(char::is_whitespace) {
            return Err(shape());
        }
        if !["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&method) {
            return Err(RouteError::Method(method.to_owned()));
        }
        let held: Vec<&str> = template
            .split('{')
            .skip(1)
            .map(|rest| rest.split_once('}').map(|(name, _)| name).ok_or_else(shape))
            .collect::<Result<_, _>>()?;
        if let Some(missing) = variables.iter().find(|v| !held.contains(v)) {
            return Err(RouteError::Missing(missing));
        }
        if let Some(found) = held.iter().find(|v| !variables.contains(v)) {
            let known = if variables.is_empty() { "none".to_owned() } else { variables.join(", ") };
            return Err(RouteError::Unknown { found: (*found).to_owned(), known });
        }
        Ok(Self { method: method.to_owned(), template: template.to_owned() })
    }

    /// The path with its variables filled in, percent-encoded.
    pub fn path(&self, variables: &[(&str, &str)]) -> String {
        self.path_raw(&variables.iter().map(|(n, v)| (*n, encode(v))).collect::<Vec<_>>())
    }

    /// The path with its variables filled in as they are: for spellings that a proper client never sends.
    pub fn path_raw(&self, variables: &[(&str, String)]) -> String {
        // Piece by piece, so that a value which looks like a variable stays as it is.
        let mut pieces = self.template.split('{');
        let mut path = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
            let value = variables.iter().find(|(n, _)| *n == name);
            path.push_str(value.map_or(name, |(_, value)| value));
            path.push_str(rest);
        }
        path
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

/// Where the hash rides in presence (draft C4, C5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceBinding {
    /// The event type, `m.presence` by default.
    pub event: String,
    /// The content field that holds `{"sha256": H}`.
    pub field: String,
    /// Where events lie in a `/sync` answer, as dot-separated keys.
    pub sync_path: String,
    /// The status request; variable `user_id`.
    pub status: Route,
    /// The EDU type over federation.
    pub edu: String,
}

/// How a server refuses the hash of a set it does not know (draft C6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The Matrix error code.
    pub errcode: String,
}

/// Operation to HTTP, and where the hash rides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    routes: [Route; 8],
    /// Where the hash rides in presence.
    pub presence: PresenceBinding,
    /// How an unknown hash is refused.
    pub refusal: Refusal,
    /// The name under `unstable_features` of `/versions`.
    pub unstable_feature: String,
}

impl Binding {
    /// The route of an operation.
    pub fn route(&self, operation: Operation) -> &Route {
        &self.routes[operation as usize]
    }

    /// Replaces the route of an operation.
    pub fn set_route(&mut self, operation: Operation, route: Route) {
        self.routes[operation as usize] = route;
    }
}

impl Default for Binding {
    fn default() -> Self {
        const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
        const F: &str = "/_matrix/federation/unstable/org.matrix.capability_sets";
        let route = |method: &str, base: &str, rest: &str| Route {
            method: method.to_owned(),
            template: format!("{base}{rest}"),
        };
        Self {
            routes: Operation::ALL.map(|operation| match operation {
                Operation::ServerHash => route("GET", C, "/server/users/{user_id}"),
                Operation::ServerSet => route("GET", C, "/server/sets/{hash}"),
                Operation::Declare => route("PUT", C, "/session"),
                Operation::Upload => route("PUT", C, "/sets/{hash}"),
                Operation::Resolve => route("GET", C, "/users/{user_id}/sets/{hash}"),
                Operation::FedServerHash => route("GET", F, "/server/users/{user_id}"),
                Operation::FedServerSet => route("GET", F, "/server/sets/{hash}"),
                Operation::FedResolve => route("GET", F, "/users/{user_id}/sets/{hash}"),
            }),
            presence: PresenceBinding {
                event: "m.presence".to_owned(),
                field: "org.matrix.capability_sets".to_owned(),
                sync_path: "presence.events".to_owned(),
                status: route("GET", "/_matrix/client/v3/presence", "/{user_id}/status"),
                edu: "m.presence".to_owned(),
            },
            refusal: Refusal { status: 404, errcode: "M_NOT_FOUND".to_owned() },
            unstable_feature: "org.matrix.capability_sets".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_lies_at_its_own_index_and_has_its_variables() {
        let binding = Binding::default();
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, i);
            let route = binding.route(operation);
            assert_eq!(
                Route::parse(&route.to_string(), operation.variables()).as_ref(),
                Ok(route),
                "{operation}"
            );
        }
    }

    /// Target files and reports hold these names, of runs long past too.
    #[test]
    fn operations_have_permanent_names() {
        let names = ["server_hash", "server_set", "declare", "upload", "resolve"];
        assert_eq!(Operation::CLIENT.map(Operation::name), names);
        let federation = ["fed_server_hash", "fed_server_set", "fed_resolve"];
        let all: Vec<String> = Operation::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(all, [&names[..], &federation].concat());
    }

    #[test]
    fn a_route_can_be_replaced_alone() {
        let mut binding = Binding::default();
        let route = Route::parse("POST /x/{hash}", Operation::Upload.variables()).unwrap();
        binding.set_route(Operation::Upload, route.clone());
        assert_eq!(binding.route(Operation::Upload), &route);
        assert_eq!(binding.route(Operation::Resolve), Binding::default().route(Operation::Resolve));
    }

    #[test]
    fn path_variables_are_encoded_down_to_unreserved_characters() {
        let binding = Binding::default();
        let variables = [("user_id", "@a~b:example.org"), ("hash", "//+A=")];
        assert_eq!(
            binding.route(Operation::Resolve).path(&variables),
            "/_matrix/client/unstable/org.matrix.capability_sets/users/%40a~b%3Aexample.org/sets/%2F%2F%2BA%3D"
        );
    }

    #[test]
    fn raw_values_stand_as_they_are() {
        let route = Route::parse("GET /{user_id}/{hash}", &["user_id", "hash"]).unwrap();
        let raw = |user: &str, hash: &str| route.path_raw(&[("user_id", user.into()), ("hash", hash.into())]);
        assert_eq!(raw("../", "%00"), "/..//%00");
        assert_eq!(raw("{hash}", "h"), "/{hash}/h");
    }

    #[test]
    fn wrong_routes_are_refused() {
        let parse = |text: &str| Route::parse(text, &["hash"]).unwrap_err();
        for shape in ["", "GET", "/x/{hash}", "GET x/{hash}", "GET /x y/{hash}", "GET  /{hash}", "GET /{hash"]
        {
            assert_eq!(parse(shape), RouteError::Shape(shape.to_owned()));
        }
        assert_eq!(parse("FETCH /{hash}"), RouteError::Method("FETCH".to_owned()));
        assert_eq!(parse("get /{hash}"), RouteError::Method("get".to_owned()));
        assert_eq!(parse("GET /x"), RouteError::Missing("hash"));
        assert_eq!(
            parse("GET /{hash}/{user}").to_string(),
            "the path holds {user}, which this operation does not have; it has hash"
        );
    }
}
