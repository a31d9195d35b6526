//! The server's conduct, requirement by requirement, over HTTP without a network: the honest
//! server does all of it, and every fault fails at least one requirement that it names.
//!
//! This is not the suite, which must not know this server: it keeps the table of faults
//! true by itself, so that a fault that survives the suite is the suite's gap.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use super::arithmetic::Arithmetic;
use super::server::{Server, router};
use super::state::{Login, NewUser};
use super::{Fault, FaultSet, Options, ServerLimits};
use crate::spec::binding::encode;

const C: &str = "/_matrix/client/unstable/org.matrix.capability_sets";
const V3: &str = "/_matrix/client/v3";
const MAX: usize = 100_000;

/// Names whose sets have hashes with these characters.
const WITH_PLUS: &str = "r.1";
const WITH_SLASH: &str = "r.0";
const WITH_BOTH: &str = "r.72";

/// A homeserver in this process, and what was found of it.
struct Site {
    server: Arc<Server>,
    router: Router,
    found: RefCell<Vec<(&'static str, String, bool)>>,
    _stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Session {
    user: String,
    token: String,
}

struct Reply {
    status: u16,
    bytes: Vec<u8>,
    json: Value,
}

impl Reply {
    fn errcode(&self) -> &str {
        self.json["errcode"].as_str().unwrap_or_default()
    }

    fn is(&self, status: u16, errcode: &str) -> bool {
        self.status == status && self.errcode() == errcode
    }

    fn is_ok(&self) -> bool {
        self.status == 200
    }

    fn is_refused(&self) -> bool {
        (400..500).contains(&self.status) && !self.errcode().is_empty()
    }

    /// Whether this is a set that hashes to `hash`.
    fn is_set(&self, hash: &str) -> bool {
        self.is_ok() && hash_of(&self.bytes) == hash && !has_duplicates(&self.bytes)
    }
}

/// The one way in which our sets come to have duplicate keys.
fn has_duplicates(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).matches("\"twice\"").count() > 1
}

fn hash_of(text: impl AsRef<[u8]>) -> String {
    Arithmetic::default().read(text.as_ref()).map(|set| set.hash.clone()).unwrap_or_default()
}

fn raw_hash(text: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(sha2::Sha256::digest(text.as_bytes()))
}

fn set_of(names: &[&str]) -> String {
    json!(names.iter().map(|name| (*name, json!({}))).collect::<BTreeMap<_, _>>()).to_string()
}

impl Site {
    fn new(faults: FaultSet) -> Self {
        let limits = ServerLimits { max_set_bytes: MAX, ..ServerLimits::default() };
        let options = Options { faults, limits, ..Options::default() };
        let (stop, stopped) = watch::channel(false);
        let server = Arc::new(Server::new(options, "hs", stopped).unwrap());
        Self { router: router(server.clone()), server, found: RefCell::default(), _stop: stop }
    }

    fn check(&self, requirement: &'static str, what: &str, holds: bool) {
        self.found.borrow_mut().push((requirement, what.to_owned(), holds));
    }

    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: impl Into<Body>) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status, bytes, json }
    }

    fn user(&self, localpart: &str) -> Session {
        self.server
            .with(|state, _| state.create_user(NewUser { localpart, password: "pw", salt: [1; 16] }))
            .unwrap();
        self.device(&format!("@{localpart}:hs"), "D1")
    }

    fn device(&self, user: &str, device: &str) -> Session {
        let session = self.server.with(|state, now| {
            let key = state.find_user(user).unwrap();
            let token = format!("{user}-{device}-{}", now.as_nanos());
            let login = Login { device: device.to_owned(), display_name: None, token: token.clone() };
            state.log_in(now, key, login).map(|_| token)
        });
        Session { user: user.to_owned(), token: session.unwrap() }
    }

    async fn get(&self, session: &Session, path: &str) -> Reply {
        self.ask("GET", path, Some(&session.token), Body::empty()).await
    }

    async fn post(&self, session: &Session, path: &str, body: &Value) -> Reply {
        self.ask("POST", &format!("{V3}{path}"), Some(&session.token), body.to_string()).await
    }

    async fn declare(&self, session: &Session, hash: &str) -> Reply {
        self.declare_body(session, &json!({ "sha256": hash })).await
    }

    async fn declare_body(&self, session: &Session, body: &Value) -> Reply {
        self.ask("PUT", &format!("{C}/session"), Some(&session.token), body.to_string()).await
    }

    async fn upload(&self, session: &Session, hash: &str, body: impl Into<Body>) -> Reply {
        let path = format!("{C}/sets/{}", encode(hash));
        self.ask("PUT", &path, Some(&session.token), body).await
    }

    /// Uploads and declares a set, as a client does.
    async fn put(&self, session: &Session, set: &str) -> bool {
        let hash = hash_of(set);
        let uploaded = self.upload(session, &hash, set.to_owned()).await.is_ok();
        uploaded & self.declare(session, &hash).await.is_ok()
    }

    async fn resolve(&self, session: &Session, user: &str, hash: &str) -> Reply {
        self.get(session, &format!("{C}/users/{}/sets/{}", encode(user), encode(hash))).await
    }

    async fn server_hash(&self, session: &Session) -> Value {
        self.get(session, &format!("{C}/server/users/{}", encode(&session.user))).await.json
    }

    async fn server_set(&self, session: &Session, hash: &str) -> Reply {
        self.get(session, &format!("{C}/server/sets/{}", encode(hash))).await
    }

    async fn status(&self, viewer: &Session, user: &str) -> Option<String> {
        let reply = self.get(viewer, &format!("{V3}/presence/{}/status", encode(user))).await;
        told(&reply.json)
    }

    /// The next token, and the last hash seen of every user in presence.
    async fn sync(
        &self,
        session: &Session,
        since: Option<&str>,
    ) -> (String, BTreeMap<String, Option<String>>) {
        self.sync_for(session, since, 0).await
    }

    async fn sync_for(
        &self,
        session: &Session,
        since: Option<&str>,
        timeout: u64,
    ) -> (String, BTreeMap<String, Option<String>>) {
        let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
        let path = format!("{V3}/sync?set_presence=offline&timeout={timeout}{since}");
        let reply = self.get(session, &path).await;
        let events = reply.json["presence"]["events"].as_array().cloned().unwrap_or_default();
        let seen = events
            .iter()
            .map(|event| (event["sender"].as_str().unwrap().to_owned(), told(&event["content"])));
        (reply.json["next_batch"].as_str().unwrap_or_default().to_owned(), seen.collect())
    }

    /// Several polls until a user shows up; the last hash seen of them.
    async fn next_hash(&self, session: &Session, since: &str, user: &str) -> Option<String> {
        self.sync(session, Some(since)).await.1.get(user).cloned().flatten()
    }

    async fn room(&self, creator: &Session, others: &[&Session]) -> String {
        let reply = self.post(creator, "/createRoom", &json!({ "preset": "public_chat" })).await;
        let room = reply.json["room_id"].as_str().unwrap().to_owned();
        for other in others {
            self.join(other, &room).await;
        }
        room
    }

    async fn join(&self, session: &Session, room: &str) {
        assert!(self.post(session, &format!("/rooms/{}/join", encode(room)), &json!({})).await.is_ok());
    }

    /// The whole dance for the deletion of devices.
    async fn delete(&self, session: &Session, method: &str, path: &str, mut body: Value) -> u16 {
        let path = format!("{V3}{path}");
        let asked = self.ask(method, &path, Some(&session.token), body.to_string()).await;
        assert_eq!(asked.status, 401);
        body["auth"] = json!({
            "type": "m.login.password", "session": asked.json["session"], "password": "pw",
            "identifier": { "type": "m.id.user", "user": session.user },
        });
        self.ask(method, &path, Some(&session.token), body.to_string()).await.status
    }
}

/// The hash that some presence content carries, if it is spelled as it must be.
fn told(content: &Value) -> Option<String> {
    content["org.matrix.capability_sets"]["sha256"].as_str().map(str::to_owned)
}

async fn hashes(site: &Site) {
    let alice = site.user("h-alice");
    let plain = set_of(&["a.b", "c.d"]);
    site.check("upload.accept-after-upload", "plain", site.put(&alice, &plain).await);
    let content = site.get(&alice, &format!("{V3}/presence/{}/status", encode(&alice.user))).await.json;
    let field = &content["org.matrix.capability_sets"];
    let server = site.server_hash(&alice).await;
    site.check(
        "hash.shape",
        "in presence and answer",
        field["sha256"].is_string() && server["sha256"].is_string(),
    );
    let extra = json!({ "sha256": hash_of(&plain), "sha512": "x" });
    site.check("hash.shape", "extra keys", site.declare_body(&alice, &extra).await.is_ok());
    let spelled = |value: &Value| {
        value["sha256"].as_str().is_none_or(|hash| Arithmetic::default().hash_in_request(hash).is_some())
    };
    site.check("hash.unpadded-base64", "answers", spelled(&server) && spelled(field));
    site.put(&alice, &set_of(&[WITH_BOTH])).await;
    let seen = site.status(&alice, &alice.user).await;
    site.check("hash.unpadded-base64", "alphabet", seen.is_none_or(|hash| !hash.contains(['-', '_'])));
    let awkward = [
        ("hash.sha256-canonical-json", r#"{"a":{"z":1,"b":{"d":[],"c":2}},"b":{}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"é":{"x":"é"}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"a/b":{"x":"<&>"}}"#.to_owned()),
        ("hash.sha256-canonical-json", r#"{"a":{"x":"\n\t\u0001"}}"#.to_owned()),
        ("hash.code-point-order", "{\"a\":{\"\u{1F602}\":1,\"\u{FB33}\":2}}".to_owned()),
        ("hash.no-normalisation", "{\"a\":{\"e\u{301}\":1}}".to_owned()),
        ("hash.order-free", r#" { "b" : {} , "\u0061" : {} } "#.to_owned()),
    ];
    for (requirement, set) in &awkward {
        site.check(requirement, set, site.put(&alice, set).await);
    }
    let again = site.server_hash(&alice).await;
    site.check("hash.stable", "server hash", again == site.server_hash(&alice).await);
}

async fn auth(site: &Site) {
    let alice = site.user("a-alice");
    let hash = hash_of("{}");
    for (method, path) in [
        ("GET", format!("{C}/server/users/{}", encode(&alice.user))),
        ("GET", format!("{C}/server/sets/{}", encode(&hash))),
        ("PUT", format!("{C}/session")),
        ("PUT", format!("{C}/sets/{}", encode(&hash))),
        ("GET", format!("{C}/users/{}/sets/{}", encode(&alice.user), encode(&hash))),
    ] {
        let reply = site.ask(method, &path, None, "not json").await;
        site.check("auth.required", &path, reply.is(401, "M_MISSING_TOKEN"));
    }
    let phone = site.device(&alice.user, "PHONE");
    site.post(&phone, "/logout", &json!({})).await;
    site.check("auth.dead-token", "logout", is_dead(site, &phone).await);
    let tablet = site.device(&alice.user, "TABLET");
    site.delete(&alice, "DELETE", "/devices/TABLET", json!({})).await;
    site.check("auth.dead-token", "deletion", is_dead(site, &tablet).await);
    site.device(&alice.user, "D1");
    site.check("auth.replaced-token", "login", is_dead(site, &alice).await);
}

async fn is_dead(site: &Site, session: &Session) -> bool {
    site.get(session, &format!("{C}/server/users/{}", encode(&session.user))).await.is(401, "M_UNKNOWN_TOKEN")
}

async fn offers(site: &Site, area: &str) {
    let (alice, bob) = (site.user(&format!("{area}-alice")), site.user(&format!("granted-{area}-bob")));
    site.server.advance(Duration::from_secs(2));
    let told = site.server_hash(&alice).await;
    site.check("server.hash", "own", told["sha256"].is_string());
    let hash = told["sha256"].as_str().unwrap_or_default().to_owned();
    let set = site.server_set(&alice, &hash).await;
    site.check("server.set", "hashes back", set.is_set(&hash));
    let names: Vec<String> =
        set.json.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let lawful = |name: &String| {
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    site.check("server.identifier-grammar", "names", names.iter().all(lawful));
    let nobodys = hash_of(r#"{"nobody.has.this":{}}"#);
    let unknown = site.server_set(&alice, &nobodys).await;
    site.check("server.unknown-hash", "refused", unknown.is_refused());
    site.check("server.unknown-hash-404", "code", unknown.is(404, "M_NOT_FOUND"));
    site.check("server.unknown-hash", "case", site.server_set(&alice, &swapped(&hash)).await.is_refused());
    let doubly = format!("{C}/server/sets/{}", encode(&encode(&hash_of("{}"))));
    site.check(
        "server.malformed-hash",
        "doubly encoded",
        site.get(&alice, &doubly).await.is(400, "M_INVALID_PARAM"),
    );
    for text in ["x", hash.get(..42).unwrap_or("x"), &format!("{hash}A"), "!!", "\0"] {
        site.check("server.malformed-hash", text, site.server_set(&alice, text).await.is_refused());
    }
    let other = site.get(&alice, &format!("{C}/server/users/{}", encode(&bob.user))).await;
    site.check("server.other-user", "refused", other.is_refused());
    gating(site, area, [&alice, &bob]).await;
}

fn swapped(hash: &str) -> String {
    // The last character stays: it must be one of sixteen.
    let (rest, last) = hash.split_at(hash.len().saturating_sub(1));
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    rest.chars().map(swap).collect::<String>() + last
}

async fn gating(site: &Site, area: &str, [alice, bob]: [&Session; 2]) {
    const GATED: &str = "m.cap.content_repo.v1";
    let carol = site.user(&format!("granted-{area}-carol"));
    let mallory = site.user(&format!("not-granted-{area}-mallory"));
    site.server.advance(Duration::from_secs(2));
    let mut named = BTreeMap::new();
    for session in [bob, alice, &carol, &mallory] {
        let hash = site.server_hash(session).await["sha256"].as_str().unwrap_or_default().to_owned();
        let set = site.server_set(session, &hash).await;
        named.insert(session.user.clone(), (hash, set.json.get(GATED).is_some()));
    }
    let of = |session: &Session| &named[&session.user];
    site.check("gating.differs", "hashes and sets", of(alice).0 != of(bob).0 && of(bob).1 && !of(alice).1);
    site.check("gating.every-entitled", "both", of(bob).1 && of(&carol).1);
    site.check("gating.same-entitlement", "two alike", of(bob).0 == of(&carol).0);
    site.check("gating.no-leak", "right after, and look-alike", !of(alice).1 && !of(&mallory).1);
}

async fn declarations(site: &Site) {
    let alice = site.user("d-alice");
    let fresh = |n: u32| hash_of(set_of(&[&format!("fresh.n{n}")]));
    let refused = site.declare(&alice, &fresh(0)).await;
    site.check("upload.refuse-unknown", "first", refused.status >= 400);
    let empty = site.declare_body(&alice, &json!({})).await;
    let telling = refused.is_refused() && ![401, 405, 429].contains(&refused.status);
    let telling =
        telling && !["M_UNAUTHORIZED", "M_UNRECOGNIZED", "M_LIMIT_EXCEEDED"].contains(&refused.errcode());
    site.check(
        "upload.refusal-recognisable",
        "code",
        refused.is_ok() || telling && refused.errcode() != empty.errcode(),
    );
    let set = set_of(&["fresh.n0"]);
    site.check("upload.accept-after-upload", "after refusal", site.put(&alice, &set).await);
    site.check("upload.refuse-unknown", "later", site.declare(&alice, &fresh(1)).await.status >= 400);
    let kept = site.status(&alice, &alice.user).await.is_some();
    site.check("upload.refusal-keeps-previous", "status", kept);
    let hash = hash_of(&set);
    site.check("upload.known-hash", "again", site.declare(&alice, &hash).await.is_ok());
    let phone = site.device(&alice.user, "PHONE");
    site.check("upload.known-hash", "other session", site.declare(&phone, &hash).await.is_ok());
    let carol = site.user("d-carol");
    site.check("upload.known-from-others", "other user", site.declare(&carol, &hash).await.is_ok());
    let (brief, late) = (site.device(&alice.user, "BRIEF"), set_of(&["brief"]));
    site.upload(&brief, &hash_of(&late), late.clone()).await;
    site.post(&brief, "/logout", &json!({})).await;
    site.check("upload.known-after-logout", "declare", site.declare(&alice, &hash_of(&late)).await.is_ok());
    for (body, what) in
        [(json!({ "sha512": hash }), "known under another name"), (json!({ "md5": "x" }), "unknown")]
    {
        site.check("upload.other-algorithm", what, site.declare_body(&alice, &body).await.is_refused());
    }
    let beside = json!({ "sha256": hash, "sha512": "x" });
    site.check("upload.other-algorithm", "beside", site.declare_body(&alice, &beside).await.is_ok());
}

async fn uploads(site: &Site) {
    let alice = site.user("u-alice");
    let (set, other) = (set_of(&["u.one"]), set_of(&["u.other"]));
    let hash = hash_of(&set);
    let near = format!("{}{}", &hash_of(&other)[..8], &hash[8..]);
    for claim in [hash.clone(), swapped(&hash_of(&other)), near] {
        let refused = site.upload(&alice, &claim, other.clone()).await.is_refused();
        site.check("upload.mismatch-refused", &claim, refused);
    }
    site.check("upload.mismatch-not-stored", "declare", !site.declare(&alice, &hash).await.is_ok());
    site.check(
        "upload.mismatch-not-stored",
        "resolve",
        !site.resolve(&alice, &alice.user, &hash).await.is_ok(),
    );
    site.check(
        "upload.no-pinning",
        "after mismatch and lookup",
        site.upload(&alice, &hash, set.clone()).await.is_ok(),
    );
    site.check("upload.publishes-nothing", "status", site.status(&alice, &alice.user).await.is_none());
    site.check("upload.no-pinning", "declare", site.declare(&alice, &hash).await.is_ok());
    site.check("resolve.unknown", "afterwards", site.resolve(&alice, &alice.user, &hash).await.is_ok());
    let again = site.upload(&alice, &hash, set.clone()).await.is_ok();
    let still = site.status(&alice, &alice.user).await.is_some();
    site.check("upload.idempotent", "again", again && still);
    let bad = [
        ("", hash_of("{}")),
        ("{\"a\":", hash_of("{}")),
        (r#"["m.list"]"#, raw_hash(r#"["m.list"]"#)),
        (r#"{"a":{"x":1.5}}"#, raw_hash(r#"{"a":{"x":1.5}}"#)),
        (r#"{"a":{"x":"\ud800"}}"#, raw_hash(r#"{"a":{"x":"\ud800"}}"#)),
        ("{\"t\":{}} garbage", hash_of("{\"t\":{}}")),
    ];
    for (body, claim) in bad {
        site.check("upload.bad-input", body, site.upload(&alice, &claim, body).await.is_refused());
    }
    let any = r#"{"a":1}"#;
    site.check("upload.values-are-objects", any, site.upload(&alice, &raw_hash(any), any).await.is_refused());
    let doubled = r#"{"twice":{"x":1},"twice":{"x":2}}"#;
    for claim in [hash_of(r#"{"twice":{"x":1}}"#), hash_of(r#"{"twice":{"x":2}}"#)] {
        let uploaded = site.upload(&alice, &claim, doubled).await.is_ok();
        let good = !uploaded || site.resolve(&alice, &alice.user, &claim).await.is_set(&claim);
        site.check("upload.duplicate-keys", &claim, good);
    }
}

async fn sizes(site: &Site) {
    let alice = site.user("u-large");
    let of_size = |n: usize| format!(r#"{{"{}":{{}}}}"#, "x".repeat(n - 7));
    let accepted = of_size(65_536);
    site.check(
        "upload.size-accepted",
        "64 KiB",
        site.upload(&alice, &hash_of(&accepted), accepted).await.is_ok(),
    );
    site.put(&alice, &set_of(&["u.small"])).await;
    let before = site.status(&alice, &alice.user).await;
    let large = of_size(MAX + 1);
    let reply = site.upload(&alice, &hash_of(&large), large).await;
    site.check("upload.too-large", "413", reply.is(413, "M_TOO_LARGE"));
    let after = site.status(&alice, &alice.user).await;
    site.check("upload.too-large-harmless", "status", before == after);
    site.check("upload.too-large-harmless", "upload", site.put(&alice, &set_of(&["u.after"])).await);
}

async fn unions(site: &Site) {
    let alice = site.user("n-alice");
    let [phone, tablet] = ["PHONE", "TABLET"].map(|device| site.device(&alice.user, device));
    let status = || site.status(&alice, &alice.user);
    let of = |names: &[&str]| Some(hash_of(set_of(names)));
    site.put(&alice, &set_of(&["m.z", "m.b"])).await;
    site.check("union.single", "status", status().await == of(&["m.b", "m.z"]));
    site.check("union.undeclared", "status", status().await == of(&["m.b", "m.z"]));
    site.put(&phone, &set_of(&["m.a", "m.y"])).await;
    let union = status().await;
    site.check("union.order-free", "late names first", union == of(&["m.a", "m.b", "m.y", "m.z"]));
    site.check("union.of-all", "two", union == of(&["m.a", "m.b", "m.y", "m.z"]));
    let served = site.resolve(&alice, &alice.user, &union.clone().unwrap_or_default()).await;
    site.check("union.resolvable", "two", served.is_set(&union.unwrap_or_default()));
    site.put(&tablet, &set_of(&["m.x", "m.a"])).await;
    site.check("union.of-all", "three", status().await == of(&["m.a", "m.b", "m.x", "m.y", "m.z"]));
    site.check("union.idempotent", "shared name", status().await == of(&["m.a", "m.b", "m.x", "m.y", "m.z"]));
    site.put(&phone, &set_of(&["m.p"])).await;
    site.check(
        "union.redeclare-replaces",
        "status",
        status().await == of(&["m.a", "m.b", "m.p", "m.x", "m.z"]),
    );
    site.put(&phone, "{}").await;
    site.check("union.empty-set", "status", status().await == of(&["m.a", "m.b", "m.x", "m.z"]));
    site.put(&phone, &set_of(&["m.a"])).await;
    site.post(&tablet, "/logout", &json!({})).await;
    site.check("union.idempotent", "stays", status().await == of(&["m.a", "m.b", "m.z"]));
    site.check("union.leave", "logout", status().await == of(&["m.a", "m.b", "m.z"]));
    site.device(&alice.user, "PHONE");
    site.check("union.relogin", "status", status().await == of(&["m.b", "m.z"]));
    let other = site.user("n-bob");
    site.put(&other, &set_of(&["m.other"])).await;
    site.put(&alice, &set_of(&["m.c"])).await;
    site.check("union.per-user", "same device ID", status().await == of(&["m.c"]));
    conflicts(site).await;
    departures(site, "union").await;
}

async fn conflicts(site: &Site) {
    let (one, two) = (r#"{"m.c":{"v":1}}"#, r#"{"m.c":{"v":2}}"#);
    let mut seen = BTreeSet::new();
    for (name, sets) in [("c-one", [one, two]), ("c-two", [two, one])] {
        let user = site.user(name);
        site.put(&user, sets[0]).await;
        site.put(&site.device(&user.user, "PHONE"), sets[1]).await;
        seen.insert(site.status(&user, &user.user).await);
    }
    site.check("union.conflict", "both orders", seen.len() == 1);
}

async fn large_unions(site: &Site) {
    let large = site.user("c-large");
    for n in 0..5 {
        let names: Vec<String> = (0..60).map(|m| format!("{n}.{m}.{}", "x".repeat(1_000))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        site.put(&site.device(&large.user, &format!("L{n}")), &set_of(&names)).await;
    }
    let hash = site.status(&large, &large.user).await.unwrap_or_default();
    let served = site.resolve(&large, &large.user, &hash).await;
    site.check("union.resolvable-large", "300 KiB", served.is_set(&hash));
}

async fn departures(site: &Site, area: &str) {
    let alice = site.user(&format!("l-{area}-alice"));
    let viewer = site.user(&format!("l-{area}-viewer"));
    site.room(&alice, &[&viewer]).await;
    let of = |names: &[&str]| Some(hash_of(set_of(names)));
    let mut devices = Vec::new();
    for n in 0..3 {
        let device = site.device(&alice.user, &format!("X{n}"));
        site.put(&device, &set_of(&[&format!("m.x{n}")])).await;
        devices.push(device);
    }
    site.put(&alice, &set_of(&["m.own"])).await;
    site.delete(&alice, "DELETE", "/devices/X0", json!({})).await;
    let status = || site.status(&viewer, &alice.user);
    site.check("union.leave", "deletion", status().await == of(&["m.own", "m.x1", "m.x2"]));
    let (since, _) = site.sync(&viewer, None).await;
    site.delete(&alice, "POST", "/delete_devices", json!({ "devices": ["X1", "X2"] })).await;
    site.check("union.leave", "deletion of two", status().await == of(&["m.own"]));
    let heard = site.next_hash(&viewer, &since, &alice.user).await;
    site.check("presence.change", "on deletion", heard == status().await);
    site.put(&site.device(&alice.user, "Y"), &set_of(&["m.y"])).await;
    let (since, _) = site.sync(&viewer, None).await;
    site.post(&alice, "/logout/all", &json!({})).await;
    let gone = status().await;
    site.check("union.leave", "logout/all", gone.is_none());
    site.check("presence.last-leaves", "logout/all", gone.is_none());
    let told = site.sync(&viewer, Some(&since)).await.1;
    site.check("presence.last-leaves", "sync", told.get(&alice.user) == Some(&None));
    let last = site.device(&alice.user, "Z");
    site.put(&last, &set_of(&["m.z"])).await;
    site.post(&last, "/logout", &json!({})).await;
    site.check("presence.last-leaves", "logout", status().await.is_none());
}

async fn presence(site: &Site) {
    let (alice, viewer, stranger) = (site.user("p-alice"), site.user("p-viewer"), site.user("p-stranger"));
    let (invited, gone) = (site.user("p-invited"), site.user("p-gone"));
    let room = site.room(&alice, &[&viewer, &gone]).await;
    let path = format!("/rooms/{}", encode(&room));
    site.post(&alice, &format!("{path}/invite"), &json!({ "user_id": invited.user })).await;
    site.post(&gone, &format!("{path}/leave"), &json!({})).await;
    let mut tokens = BTreeMap::new();
    for session in [&viewer, &stranger, &invited, &gone] {
        tokens.insert(session.user.clone(), site.sync(session, None).await.0);
    }
    let since = |session: &Session| tokens[&session.user].clone();
    let [one, two] = [set_of(&["m.one"]), set_of(&["m.two"])];
    site.put(&alice, &one).await;
    site.check("presence.status", "viewer", site.status(&viewer, &alice.user).await == Some(hash_of(&one)));
    let heard = site.next_hash(&viewer, &since(&viewer), &alice.user).await;
    site.check("presence.sync", "incremental", heard == Some(hash_of(&one)));
    let (token, initial) = site.sync(&viewer, None).await;
    site.check("presence.sync", "initial", initial.get(&alice.user) == Some(&Some(hash_of(&one))));
    let (waited, _) = tokio::join!(site.sync_for(&viewer, Some(&token), 5_000), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        site.put(&alice, &two).await
    });
    let held = waited.1.get(&alice.user).cloned().flatten();
    site.check("presence.sync", "waiting", held == Some(hash_of(&two)));
    let later = site.next_hash(&viewer, &waited.0, &alice.user).await;
    site.check("presence.change", "while waiting or later", held.or(later) == Some(hash_of(&two)));
    site.check(
        "presence.status",
        "after a change",
        site.status(&viewer, &alice.user).await == Some(hash_of(&two)),
    );
    let heard = site.next_hash(&viewer, &since(&viewer), &alice.user).await;
    site.check("presence.change", "second", heard == Some(hash_of(&two)));
    for session in [&stranger, &invited, &gone] {
        let seen = site.sync(session, Some(&since(session))).await.1;
        site.check("presence.strangers", &session.user, !seen.contains_key(&alice.user));
    }
    let (token, _) = site.sync(&stranger, None).await;
    site.join(&stranger, &room).await;
    let heard = site.next_hash(&stranger, &token, &alice.user).await;
    site.check("presence.new-sharer", "sync", heard == Some(hash_of(&two)));
    let path = format!("{V3}/presence/{}/status", encode(&alice.user));
    let body = json!({ "presence": "unavailable", "status_msg": "hi" }).to_string();
    site.ask("PUT", &path, Some(&alice.token), body).await;
    let status = || site.status(&viewer, &alice.user);
    site.check("presence.survives-status", "message", status().await == Some(hash_of(&two)));
    let forged = json!({ "presence": "online", "org.matrix.capability_sets": { "sha256": hash_of("{}") } });
    site.ask("PUT", &path, Some(&alice.token), forged.to_string()).await;
    site.check("presence.not-writable", "field", status().await != Some(hash_of("{}")));
}

async fn resolutions(site: &Site) {
    let (alice, viewer, stranger) = (site.user("r-alice"), site.user("r-viewer"), site.user("r-stranger"));
    site.room(&alice, &[&viewer]).await;
    let [one, two] = [set_of(&["m.r1"]), set_of(&["m.r2"])];
    site.put(&alice, &one).await;
    let served = site.resolve(&viewer, &alice.user, &hash_of(&one)).await;
    site.check("resolve.hash-and-user", "viewer", served.is_set(&hash_of(&one)));
    site.put(&alice, &two).await;
    for set in [&one, &two] {
        let served = site.resolve(&viewer, &alice.user, &hash_of(set)).await;
        site.check("resolve.verifies", set, !served.is_ok() || served.is_set(&hash_of(set)));
        site.check("resolve.superseded", set, served.is_ok());
    }
    for (name, mark) in [(WITH_PLUS, "+"), (WITH_SLASH, "/"), (WITH_BOTH, "//")] {
        let set = set_of(&[name]);
        assert!(hash_of(&set).contains(mark));
        let put = site.put(&alice, &set).await;
        let served = site.resolve(&viewer, &alice.user, &hash_of(&set)).await;
        site.check("resolve.encoding", mark, put && served.is_set(&hash_of(&set)));
    }
    let nobodys = hash_of(r#"{"nobody.else":{}}"#);
    let unknown = site.resolve(&viewer, &alice.user, &nobodys).await;
    site.check("resolve.unknown", "refused", unknown.is_refused());
    let near = site.resolve(&viewer, &alice.user, &swapped(&hash_of(&two))).await;
    site.check("resolve.unknown", "near miss", near.is_refused());
    let nobody = site.resolve(&viewer, "@nobody:hs", &nobodys).await;
    let invisible = site.resolve(&stranger, &alice.user, &hash_of(&two)).await;
    let alike = |reply: &Reply| (reply.status, reply.errcode().to_owned()) == (404, "M_NOT_FOUND".to_owned());
    let indistinguishable = alike(&nobody) && (invisible.is_ok() || alike(&invisible));
    site.check("resolve.indistinguishable", "all three", indistinguishable);
    site.check("resolve.strangers", "refused", !invisible.is_ok());
}

/// What was found wrong in some areas, as requirement and check.
async fn conduct(faults: FaultSet, areas: &BTreeSet<&str>) -> Vec<(&'static str, String)> {
    let site = Site::new(faults);
    // A user who exists before all others: some faults take whoever was first.
    site.user("granted-first");
    for area in areas {
        match *area {
            "hash" => hashes(&site).await,
            "auth" => auth(&site).await,
            "server" | "gating" => offers(&site, area).await,
            "upload" => {
                declarations(&site).await;
                uploads(&site).await;
            }
            "sizes" => sizes(&site).await,
            "union" => unions(&site).await,
            "large unions" => large_unions(&site).await,
            "presence" => {
                departures(&site, "presence").await;
                presence(&site).await;
            }
            "resolve" => resolutions(&site).await,
            other => panic!("no checks for {other}"),
        }
    }
    let found = site.found.take();
    found
        .into_iter()
        .filter(|(_, _, holds)| !holds)
        .map(|(requirement, what, _)| (requirement, what))
        .collect()
}

/// The checks among which a requirement's are; those that move much have areas of their own.
fn area(requirement: &str) -> &str {
    match requirement {
        "union.resolvable-large" => "large unions",
        "upload.size-accepted" | "upload.too-large" | "upload.too-large-harmless" => "sizes",
        _ => requirement.split('.').next().unwrap_or_default(),
    }
}

#[tokio::test]
async fn the_honest_server_does_all_that_it_must() {
    let areas = Fault::all().flat_map(Fault::breaks).map(|requirement| area(requirement)).collect();
    assert_eq!(conduct(FaultSet::NONE, &areas).await, []);
}

#[tokio::test]
async fn every_fault_breaks_all_that_it_names() {
    let mut survived = Vec::new();
    for fault in Fault::all() {
        let areas = fault.breaks().iter().map(|requirement| area(requirement)).collect();
        let broken = conduct([fault].into_iter().collect(), &areas).await;
        let broken: BTreeSet<&str> = broken.iter().map(|(requirement, _)| *requirement).collect();
        let missing: Vec<_> = fault.breaks().iter().filter(|id| !broken.contains(*id)).collect();
        if !missing.is_empty() {
            survived.push(format!("{fault} does not break {missing:?}"));
        }
    }
    assert_eq!(survived, Vec::<String>::new());
}
