//! The table of properties.

use crate::spec::binding::Operation;
use crate::spec::history::draw::Shape;
use crate::target::features::Feature;

use super::Property;

const DECLARE: Feature = Feature::Operation(Operation::Declare);
const UPLOAD: Feature = Feature::Operation(Operation::Upload);
const RESOLVE: Feature = Feature::Operation(Operation::Resolve);
const FED_RESOLVE: Feature = Feature::Operation(Operation::FedResolve);
const PRESENCE: Feature = Feature::Presence;
const LOGIN: Feature = Feature::Login;
const SESSIONS: Feature = Feature::Sessions;
const FEDERATION: Feature = Feature::Federation;

/// What uploading and declaring may break.
const SETS: &[&str] = &[
    "upload.accept-after-upload",
    "upload.idempotent",
    "upload.no-pinning",
    "upload.known-hash",
    "upload.known-after-logout",
    "upload.known-from-others",
    "upload.refuse-unknown",
    "upload.refusal-recognisable",
];

/// What uploads under a wrong hash may break.
const CLAIMS: &[&str] = &["upload.mismatch-refused", "upload.mismatch-not-stored"];

/// What uploads of spoiled bytes may break.
const SPOILED: &[&str] = &["upload.bad-input"];

/// What a session may break that has ended.
const ENDINGS: &[&str] = &["auth.dead-token"];

/// What looking at presence may find broken, a wrong hash by what it says about the mistake.
const LOOKS: &[&str] = &[
    "presence.status",
    "presence.sync",
    "presence.strangers",
    "presence.own-sessions",
    "presence.change",
    "presence.new-sharer",
    "presence.last-leaves",
    "hash.sha256-canonical-json",
    "hash.unpadded-base64",
    "hash.code-point-order",
    "hash.no-normalisation",
    "union.single",
    "union.of-all",
    "union.idempotent",
    "union.redeclare-replaces",
    "union.leave",
    "union.relogin",
    "union.per-user",
    "union.empty-set",
    "union.undeclared",
    "upload.publishes-nothing",
    "upload.refusal-keeps-previous",
];

/// What setting presence may break.
const STATUS: &[&str] = &["presence.not-writable", "presence.survives-status"];

/// What resolving may break.
const RESOLVES: &[&str] = &[
    "resolve.hash-and-user",
    "resolve.verifies",
    "resolve.unknown",
    "resolve.superseded",
    "resolve.strangers",
    "union.resolvable",
];

/// What asking for the server's set may break.
const OFFERS: &[&str] = &["server.hash", "server.set", "hash.stable"];

/// What other homeservers may find broken.
const ABROAD: &[&str] = &[
    "federation.hash",
    "federation.set",
    "federation.presence-out",
    "federation.presence-in",
    "federation.resolve",
    "federation.resolve-private",
    "federation.lookup",
    "federation.lookup-verified",
    "federation.lookup-failure",
    "federation.lookup-private",
];

/// All that these may break.
macro_rules! all_of {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&[&str]] = &[$($part),+];
        const LENGTH: usize = length(PARTS);
        const JOINED: [&str; LENGTH] = joined(PARTS);
        &JOINED
    }};
}

const fn length(parts: &[&[&str]]) -> usize {
    let (mut length, mut at) = (0, 0);
    while at < parts.len() {
        length += parts[at].len();
        at += 1;
    }
    length
}

const fn joined<const LENGTH: usize>(parts: &[&[&'static str]]) -> [&'static str; LENGTH] {
    let mut all = [""; LENGTH];
    let (mut filled, mut part) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            all[filled] = parts[part][at];
            (filled, at) = (filled + 1, at + 1);
        }
        part += 1;
    }
    all
}

/// Every property, in the order of the suite. A run performs few histories of each, because its scenarios show
/// the same things one by one; `capcheck explore` performs as many as there is time for.
pub(crate) static ALL: [Property; 6] = [
    Property {
        id: "properties::histories",
        summary: "Whatever users and their sessions do, one act after the other, every answer is one that the protocol allows",
        draws: "acts one after the other: sessions come and go, sets change, others look and resolve",
        covers: all_of![SETS, ENDINGS, LOOKS, STATUS, RESOLVES, OFFERS],
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Sequence,
        cases: 5,
        longest: 40,
    },
    Property {
        id: "properties::races",
        summary: "Of acts that overlap every answer is explained by some order of them, and by the end by one",
        draws: "acts of several sessions at once, and looks at what they came to",
        covers: all_of![SETS, ENDINGS, LOOKS, RESOLVES],
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS],
        shape: Shape::Races,
        cases: 4,
        longest: 30,
    },
    Property {
        id: "properties::union_laws",
        summary: "The union is commutative, associative, idempotent and monotone, and {} changes nothing in it",
        draws: "the same sets from several sessions, in every order and grouping",
        covers: all_of![SETS, ENDINGS, LOOKS, RESOLVES],
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS, PRESENCE],
        shape: Shape::Algebra,
        cases: 4,
        longest: 40,
    },
    Property {
        id: "properties::round_trip",
        summary: "Any legal set that is uploaded and declared is what its hash resolves to",
        draws: "sets with any legal names and parameters, uploaded, declared and resolved",
        covers: all_of![SETS, ENDINGS, LOOKS, RESOLVES],
        needs: &[DECLARE, UPLOAD, RESOLVE, LOGIN],
        shape: Shape::RoundTrip,
        cases: 4,
        longest: 20,
    },
    Property {
        id: "properties::spoiled_uploads",
        summary: "No upload of spoiled bytes, or under a wrong hash, breaks the server or changes what it knows",
        draws: "uploads with bytes spoiled or under another hash, between looks at what is in force",
        covers: all_of![SETS, CLAIMS, SPOILED, ENDINGS, LOOKS, RESOLVES],
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Spoiled,
        cases: 4,
        longest: 30,
    },
    Property {
        id: "properties::federation",
        summary: "Whatever users of several homeservers do, each homeserver is told and tells what the protocol says",
        draws: "users of other homeservers share rooms, announce sets, look and resolve",
        covers: all_of![SETS, ENDINGS, LOOKS, STATUS, RESOLVES, ABROAD],
        needs: &[DECLARE, UPLOAD, LOGIN, PRESENCE, FEDERATION, FED_RESOLVE],
        shape: Shape::Federation,
        cases: 3,
        longest: 30,
    },
];
