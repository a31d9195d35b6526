//! Which request is which endpoint: a table, and a matcher over the path as it came.
//!
//! A router of the usual kind decodes and tidies paths before it matches. Here a
//! hash holds `%2F` and a path may hold `..`, `//` and `%FF`, and each must reach its
//! endpoint letter by letter, so templates are matched on the raw path, and
//! variables are decoded exactly once, afterwards.

use std::borrow::Cow;

use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::errors::MatrixError;
use super::faults::{Fault, FaultSet};
use crate::spec::binding::{Binding, Operation};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Versions,
    LoginFlows,
    Login,
    Register,
    RegisterNonce,
    RegisterBySecret,
    Logout,
    LogoutAll,
    WhoAmI,
    Deactivate,
    Devices,
    Device,
    DeleteDevice,
    DeleteDevices,
    CreateRoom,
    Invite,
    Join,
    JoinByName,
    Leave,
    Forget,
    Kick,
    Ban,
    Unban,
    JoinedRooms,
    JoinedMembers,
    SetPresence,
    GetPresence,
    Sync,
    Capability(Operation),
}

impl Endpoint {
    /// Whether a request needs an access token.
    pub(crate) fn needs_token(self) -> bool {
        use Endpoint::{Login, LoginFlows, Register, RegisterBySecret, RegisterNonce, Versions};
        !matches!(self, Versions | LoginFlows | Login | Register | RegisterNonce | RegisterBySecret)
    }
}

/// What another homeserver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FedEndpoint {
    Keys,
    Version,
    Send,
    MakeJoin,
    SendJoin,
    MakeLeave,
    SendLeave,
    Invite,
    Capability(Operation),
}

impl FedEndpoint {
    /// Whether a request must be signed.
    pub(crate) fn needs_signature(self) -> bool {
        !matches!(self, Self::Keys | Self::Version)
    }
}

/// The endpoints whose paths the Matrix specification (or Synapse) fixes.
const FIXED: &[(&str, &str, Endpoint)] = &[
    ("GET", "/_matrix/client/versions", Endpoint::Versions),
    ("GET", "/_matrix/client/v3/login", Endpoint::LoginFlows),
    ("POST", "/_matrix/client/v3/login", Endpoint::Login),
    ("POST", "/_matrix/client/v3/register", Endpoint::Register),
    ("GET", "/_synapse/admin/v1/register", Endpoint::RegisterNonce),
    ("POST", "/_synapse/admin/v1/register", Endpoint::RegisterBySecret),
    ("POST", "/_matrix/client/v3/logout", Endpoint::Logout),
    ("POST", "/_matrix/client/v3/logout/all", Endpoint::LogoutAll),
    ("GET", "/_matrix/client/v3/account/whoami", Endpoint::WhoAmI),
    ("POST", "/_matrix/client/v3/account/deactivate", Endpoint::Deactivate),
    ("GET", "/_matrix/client/v3/devices", Endpoint::Devices),
    ("GET", "/_matrix/client/v3/devices/{device_id}", Endpoint::Device),
    ("DELETE", "/_matrix/client/v3/devices/{device_id}", Endpoint::DeleteDevice),
    ("POST", "/_matrix/client/v3/delete_devices", Endpoint::DeleteDevices),
    ("POST", "/_matrix/client/v3/createRoom", Endpoint::CreateRoom),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/invite", Endpoint::Invite),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/join", Endpoint::Join),
    ("POST", "/_matrix/client/v3/join/{room}", Endpoint::JoinByName),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/leave", Endpoint::Leave),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/forget", Endpoint::Forget),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/kick", Endpoint::Kick),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/ban", Endpoint::Ban),
    ("POST", "/_matrix/client/v3/rooms/{room_id}/unban", Endpoint::Unban),
    ("GET", "/_matrix/client/v3/joined_rooms", Endpoint::JoinedRooms),
    ("GET", "/_matrix/client/v3/rooms/{room_id}/joined_members", Endpoint::JoinedMembers),
    ("PUT", "/_matrix/client/v3/presence/{user_id}/status", Endpoint::SetPresence),
    ("GET", "/_matrix/client/v3/sync", Endpoint::Sync),
];

/// The endpoints between servers whose paths the Matrix specification fixes.
const FIXED_BETWEEN_SERVERS: &[(&str, &str, FedEndpoint)] = &[
    ("GET", "/_matrix/key/v2/server", FedEndpoint::Keys),
    ("GET", "/_matrix/federation/v1/version", FedEndpoint::Version),
    ("PUT", "/_matrix/federation/v1/send/{txn_id}", FedEndpoint::Send),
    ("GET", "/_matrix/federation/v1/make_join/{room_id}/{user_id}", FedEndpoint::MakeJoin),
    ("PUT", "/_matrix/federation/v2/send_join/{room_id}/{event_id}", FedEndpoint::SendJoin),
    ("GET", "/_matrix/federation/v1/make_leave/{room_id}/{user_id}", FedEndpoint::MakeLeave),
    ("PUT", "/_matrix/federation/v2/send_leave/{room_id}/{event_id}", FedEndpoint::SendLeave),
    ("PUT", "/_matrix/federation/v2/invite/{room_id}/{event_id}", FedEndpoint::Invite),
];

/// The operations that other homeservers can ask for.
const BETWEEN_SERVERS: [Operation; 3] =
    [Operation::FedServerHash, Operation::FedServerSet, Operation::FedResolve];

/// The variables of a path by name; `None` where the decoded bytes are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables(Vec<(String, Option<String>)>);

impl Variables {
    /// The text of a variable, if the path held it and it is text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).and_then(|(_, value)| value.as_deref())
    }
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Variable(String),
}

#[derive(Clone, Debug)]
struct Route<E> {
    method: String,
    parts: Vec<Part>,
    with_query: bool,
    endpoint: E,
}

/// All routes of a listener. Each has endpoints of a kind of its own: what clients ask for does not
/// exist where other homeservers ask, nor the other way round.
#[derive(Clone, Debug)]
pub(crate) struct Routes<E> {
    routes: Vec<Route<E>>,
    faults: FaultSet,
}

/// What a method and a path lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<E> {
    Endpoint(E, Variables),
    WrongMethod,
    Nothing,
}

impl Routes<FedEndpoint> {
    /// What is served to other homeservers. Faults of paths are the client API's alone.
    pub(crate) fn between_servers(binding: &Binding) -> Self {
        let bound = BETWEEN_SERVERS.map(|operation| {
            let route = binding.route(operation);
            Route::new(&route.method, &route.template, FedEndpoint::Capability(operation))
        });
        let fixed = FIXED_BETWEEN_SERVERS.iter();
        let fixed = fixed.map(|(method, template, endpoint)| Route::new(method, template, *endpoint));
        Self { routes: bound.into_iter().chain(fixed).collect(), faults: FaultSet::NONE }
    }
}

impl Routes<Endpoint> {
    /// The fixed routes and those of a binding, which come first: a binding may reuse a standard path.
    pub(crate) fn new(binding: &Binding, faults: FaultSet) -> Self {
        let bound = Operation::CLIENT.map(|operation| {
            let route = binding.route(operation);
            Route::new(&route.method, &route.template, Endpoint::Capability(operation))
        });
        let status = &binding.presence.status;
        let status = Route::new(&status.method, &status.template, Endpoint::GetPresence);
        let fixed = FIXED.iter().map(|(method, template, endpoint)| Route::new(method, template, *endpoint));
        Self { routes: bound.into_iter().chain([status]).chain(fixed).collect(), faults }
    }
}

impl<E: Copy> Routes<E> {
    /// The endpoint of a request and the variables of its path, or the error to answer with.
    pub(crate) fn endpoint(&self, parts: &Parts) -> Result<(E, Variables), MatrixError> {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        match self.find(parts.method.as_str(), parts.uri.path(), target) {
            Found::Endpoint(endpoint, variables) => Ok((endpoint, variables)),
            Found::WrongMethod => Err(MatrixError::wrong_method("Method not allowed here")),
            Found::Nothing => Err(MatrixError::unrecognized("No such endpoint")),
        }
    }

    /// Looks a request up, by its method and its path as it came.
    pub(crate) fn find(&self, method: &str, path: &str, path_and_query: &str) -> Found<E> {
        let mut known = false;
        let (path, path_and_query) = (self.arrived(path), self.arrived(path_and_query));
        for route in &self.routes {
            let subject = if route.with_query { &path_and_query } else { &path };
            if !route.matches(subject) {
                continue;
            }
            if route.method == method {
                return Found::Endpoint(route.endpoint, self.variables(&route.parts, subject));
            }
            known = true;
        }
        if known { Found::WrongMethod } else { Found::Nothing }
    }

    /// The path as it is matched: as it came.
    fn arrived<'a>(&self, path: &'a str) -> Cow<'a, str> {
        match self.faults.has(Fault::PathSlashSplits) {
            true => path.replace("%2F", "/").into(),
            false => path.into(),
        }
    }

    fn variables(&self, parts: &[Part], path: &str) -> Variables {
        let mut variables = Vec::new();
        walk(parts, path, |name, value| {
            let decoded = percent_decode_str(value).decode_utf8().ok();
            variables.push((name.to_owned(), decoded.map(|text| self.read(&text))));
        });
        Variables(variables)
    }

    /// A decoded variable as handlers see it: as it is.
    fn read(&self, text: &str) -> String {
        if self.faults.has(Fault::PathPlusAsSpace) {
            text.replace('+', " ")
        } else if self.faults.has(Fault::PathSlashesMerge) {
            text.replace("//", "/")
        } else if self.faults.has(Fault::PathDecodedTwice) {
            percent_decode_str(text).decode_utf8_lossy().into_owned()
        } else {
            text.to_owned()
        }
    }
}

impl<E> Route<E> {
    fn new(method: &str, template: &str, endpoint: E) -> Self {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Self { method: method.to_owned(), parts, with_query: template.contains('?'), endpoint }
    }

    /// Whether all of a path fits, parameters of a query aside that nobody knows.
    fn matches(&self, path: &str) -> bool {
        walk(&self.parts, path, |_, _| ())
            .is_some_and(|rest| rest.is_empty() || (self.with_query && rest.starts_with('&')))
    }
}

/// Walks a path along a template and shows each variable, undecoded; what is left, if it fits.
fn walk<'a>(
    parts: &'a [Part],
    mut path: &'a str,
    mut found: impl FnMut(&'a str, &'a str),
) -> Option<&'a str> {
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(literal) => match path.strip_prefix(literal.as_str()) {
                Some(rest) => path = rest,
                None => return None,
            },
            Part::Variable(name) => {
                let segment = path.find(['/', '?', '&']).unwrap_or(path.len());
                let end = match parts.get(index + 1) {
                    Some(Part::Literal(next)) if !next.is_empty() && !next.starts_with(['/', '?', '&']) => {
                        path[..segment].find(next.as_str()).unwrap_or(segment)
                    }
                    _ => segment,
                };
                found(name, &path[..end]);
                path = &path[end..];
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";

    fn find(method: &str, path: &str) -> Found<Endpoint> {
        Routes::new(&Binding::default(), FaultSet::NONE).find(method, path, path)
    }

    fn hash_of(path: &str) -> Option<String> {
        match find("GET", path) {
            Found::Endpoint(Endpoint::Capability(Operation::ServerSet), variables) => {
                variables.get("hash").map(str::to_owned)
            }
            other => panic!("{path} led to {other:?}"),
        }
    }

    #[test]
    fn variables_are_decoded_once_and_only_once() {
        assert_eq!(hash_of(&format!("{C}/server/sets/a%2Fb%2B")).as_deref(), Some("a/b+"));
        assert_eq!(hash_of(&format!("{C}/server/sets/a%252Fb")).as_deref(), Some("a%2Fb"));
        assert_eq!(hash_of(&format!("{C}/server/sets/%2F%2Fa+=@:")).as_deref(), Some("//a+=@:"));
        assert_eq!(hash_of(&format!("{C}/server/sets/%00")).as_deref(), Some("\0"));
        assert_eq!(hash_of(&format!("{C}/server/sets/%FF")), None);
        assert_eq!(hash_of(&format!("{C}/server/sets/")).as_deref(), Some(""));
    }

    #[test]
    fn raw_slashes_and_dots_lead_nowhere() {
        assert_eq!(find("GET", &format!("{C}/server/sets//x")), Found::Nothing);
        assert_eq!(find("GET", &format!("{C}/server/sets/../users/x")), Found::Nothing);
        assert_eq!(find("GET", &format!("{C}/server/sets/x/")), Found::Nothing);
    }

    #[test]
    fn a_known_path_with_another_method_is_told_apart_from_an_unknown_path() {
        assert_eq!(find("DELETE", &format!("{C}/session")), Found::WrongMethod);
        assert_eq!(find("PUT", &format!("{C}/sessions")), Found::Nothing);
        assert_eq!(find("GET", "/_matrix/client/v3/no_such_thing"), Found::Nothing);
    }

    #[test]
    fn a_binding_moves_its_operations_and_may_use_suffixes_and_queries() {
        let mut binding = Binding::default();
        for (operation, text) in [
            (Operation::ServerSet, "POST /caps/{hash}.json"),
            (Operation::Resolve, "GET /caps?user={user_id}&hash={hash}"),
        ] {
            let route = crate::spec::binding::Route::parse(text, operation.variables()).unwrap();
            binding.set_route(operation, route);
        }
        let routes = Routes::new(&binding, FaultSet::NONE);
        match routes.find("POST", "/caps/a%2Fb.json", "/caps/a%2Fb.json") {
            Found::Endpoint(_, variables) => assert_eq!(variables.get("hash"), Some("a/b")),
            other => panic!("{other:?}"),
        }
        match routes.find("GET", "/caps", "/caps?user=%40a%3Ab&hash=x") {
            Found::Endpoint(_, variables) => {
                assert_eq!((variables.get("user_id"), variables.get("hash")), (Some("@a:b"), Some("x")));
            }
            other => panic!("{other:?}"),
        }
        let with_more = routes.find("GET", "/caps", "/caps?user=%40a%3Ab&hash=x&more=1");
        assert!(matches!(with_more, Found::Endpoint(_, variables) if variables.get("hash") == Some("x")));
        assert_eq!(routes.find("POST", "/caps/x.json&more=1", "/caps/x.json&more=1"), Found::Nothing);
        assert_eq!(routes.find("GET", &format!("{C}/server/sets/x"), ""), Found::Nothing);
    }
}
