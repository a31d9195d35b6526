//! The null targets, one row each.

use crate::reference::{Options, Variant, VariantSet};

use super::answers::{self, after_preflight, to_operations};
use super::means::Means::{Always, Before, Connection, Homeserver};
use super::other_user::other_user;
use super::socket::Manner;
use super::store::store;
use super::{Holding, Must, NullTarget};

const NO_HOMESERVER: Must = Must::Stop("is not a homeserver");
const UNREACHABLE: Must = Must::Stop("is unreachable");
const NOT_NOW: Must = Must::Stop("cannot be tested now");

const TOKENS: Holding = Holding {
    requirements: &["auth.required", "auth.dead-token", "auth.replaced-token"],
    because: "tokens are those of a real homeserver, which is asked before anything is answered",
};

const TAKES_ALL: Holding = Holding {
    requirements: &[
        "upload.known-hash",
        "upload.known-after-logout",
        "upload.known-from-others",
        "upload.size-accepted",
    ],
    because: "they ask that an upload or a declaration is accepted, and it is; that everything else is, too, \
              fails upload.refuse-unknown and upload.mismatch-refused",
};

/// Every null target: first what is no homeserver, then what only pretends.
pub(super) static TABLE: &[NullTarget] = &[
    NullTarget {
        id: "not-found",
        summary: "404 to everything, without a body",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::bare_not_found),
    },
    NullTarget {
        id: "unrecognized",
        summary: "404 `M_UNRECOGNIZED` to everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::unrecognized),
    },
    NullTarget {
        id: "yes",
        summary: "200 `{}` to everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::yes),
    },
    NullTarget {
        id: "versions",
        summary: "the versions of a homeserver to everything",
        must: Must::Stop("no user"),
        holds: &[],
        means: Always(answers::versions),
    },
    NullTarget {
        id: "echo",
        summary: "200 with the body of the request to everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::echo),
    },
    NullTarget {
        id: "internal-error",
        summary: "500 to everything",
        must: NOT_NOW,
        holds: &[],
        means: Always(answers::internal_error),
    },
    NullTarget {
        id: "unknown-token",
        summary: "401 `M_UNKNOWN_TOKEN` to everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::unknown_token),
    },
    NullTarget {
        id: "rate-limit",
        summary: "429 `M_LIMIT_EXCEEDED` to everything",
        must: NOT_NOW,
        holds: &[],
        means: Always(answers::later),
    },
    NullTarget {
        id: "silence",
        summary: "takes every request and says nothing",
        must: UNREACHABLE,
        holds: &[],
        means: Connection(Manner::Silence),
    },
    NullTarget {
        id: "reset",
        summary: "resets every connection",
        must: UNREACHABLE,
        holds: &[],
        means: Connection(Manner::Reset),
    },
    NullTarget {
        id: "close",
        summary: "closes every connection without a word",
        must: UNREACHABLE,
        holds: &[],
        means: Connection(Manner::Close),
    },
    NullTarget {
        id: "web-site",
        summary: "an HTML page for everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::page),
    },
    NullTarget {
        id: "redirect",
        summary: "a redirect to itself for everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Always(answers::elsewhere),
    },
    NullTarget {
        id: "endless",
        summary: "a body without end for everything",
        must: NO_HOMESERVER,
        holds: &[],
        means: Connection(Manner::Endless),
    },
    NullTarget {
        id: "without-api",
        summary: "a homeserver without the capability API",
        must: Must::Stop("homeserver without the capability API"),
        holds: &[],
        means: Homeserver(without_api),
    },
    NullTarget {
        id: "breaks-after-preflight",
        summary: "a homeserver that answers 500 to everything as soon as preflight is over",
        must: Must::BeUntestable,
        holds: &[],
        means: Before(|| after_preflight(|request| Some(answers::internal_error(request)))),
    },
    NullTarget {
        id: "gone-after-preflight",
        summary: "a homeserver that closes every connection as soon as preflight is over",
        must: Must::BeUntestable,
        holds: &[],
        means: Before(|| after_preflight(|_| None)),
    },
    NullTarget {
        id: "rate-limits-operations",
        summary: "a homeserver that answers 429 to every operation, for ever",
        must: Must::BeUntestable,
        holds: &[],
        means: Before(|| to_operations(answers::later)),
    },
    NullTarget {
        id: "knows-nothing",
        summary: "a homeserver that answers 404 `M_NOT_FOUND` to every operation",
        must: Must::Fail,
        holds: &[],
        means: Before(|| to_operations(answers::not_found)),
    },
    NullTarget {
        id: "takes-nothing",
        summary: "a homeserver that answers 400 `M_BAD_JSON` to every operation",
        must: Must::Fail,
        holds: &[],
        means: Before(|| to_operations(answers::bad_json)),
    },
    NullTarget {
        id: "agrees",
        summary: "a homeserver that answers 200 `{}` to every operation",
        must: Must::Fail,
        holds: &[TOKENS, TAKES_ALL],
        means: Before(|| to_operations(answers::yes)),
    },
    NullTarget {
        id: "other-user",
        summary: "a homeserver that serves one other user's data, whoever asks about whom",
        must: Must::Fail,
        holds: &[
            TOKENS,
            TAKES_ALL,
            Holding {
                requirements: &["hash.shape", "hash.unpadded-base64"],
                because: "the one hash that it ever writes is well-formed, and it takes every declaration",
            },
            Holding {
                requirements: &["server.hash", "server.set", "server.identifier-grammar"],
                because: "a server may offer all users the same: the hash it gives leads to a set that hashes \
                          to it and whose names obey the grammar",
            },
            Holding {
                requirements: &["gating.same-entitlement"],
                because: "users who are entitled to the same get the same hash, as everybody does",
            },
        ],
        means: Before(other_user),
    },
    NullTarget {
        id: "store",
        summary: "a homeserver that stores uploads unread and shows the hash that was declared last",
        must: Must::Fail,
        holds: &[
            TOKENS,
            Holding {
                requirements: &[
                    "server.hash",
                    "server.set",
                    "server.unknown-hash",
                    "server.unknown-hash-404",
                    "server.malformed-hash",
                    "server.identifier-grammar",
                    "server.other-user",
                    "gating.differs",
                    "gating.every-entitled",
                    "gating.same-entitlement",
                    "gating.no-leak",
                ],
                because: "what the server itself can do is answered by a real homeserver",
            },
            Holding {
                requirements: &["hash.shape", "hash.unpadded-base64", "hash.order-free"],
                because: "hashes are shown as honest clients spell them, and an upload counts under its claim \
                          however its bytes are spelled",
            },
            Holding {
                requirements: &[
                    "upload.refusal-as-bound",
                    "upload.known-hash",
                    "upload.known-after-logout",
                    "upload.known-from-others",
                    "upload.no-pinning",
                    "upload.publishes-nothing",
                    "upload.size-accepted",
                ],
                because: "it truly refuses the hashes under which nothing lies, keeps what is uploaded for \
                          everybody, and replaces it by what is uploaded later",
            },
            Holding {
                requirements: &["union.single"],
                because: "the union of one session's set is that set, whose hash was declared",
            },
            Holding {
                requirements: &[
                    "presence.status",
                    "presence.read-your-write",
                    "presence.sync",
                    "presence.new-sharer",
                    "presence.strangers",
                    "presence.own-sessions",
                    "presence.survives-status",
                    "presence.not-writable",
                ],
                because: "a real homeserver tells whoever may know, at once and on every way; that the hash is \
                          not of a union fails union.of-all and presence.change",
            },
            Holding {
                requirements: &[
                    "resolve.hash-and-user",
                    "resolve.encoding",
                    "resolve.unknown",
                    "resolve.malformed-hash",
                ],
                because: "a hash that the user declared is answered with what was uploaded under it, every \
                          other with 404",
            },
        ],
        means: Before(store),
    },
];

/// The built-in homeserver with every operation elsewhere than a target file without a binding says.
fn without_api() -> Options {
    Options::default().taking(VariantSet::from_iter([Variant::BoundElsewhere]))
}
