//! Requests that are signed wrongly (Server-Server API, "Request Authentication").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::actors::{Letter, RemoteServer, Reply};
use crate::outcome::{Judgement, Stop};
use crate::wire::signing::{SignedRequest, XMatrix};

/// Who forges what.
pub(super) struct Forger<'f> {
    /// The homeserver in whose name it is done, unless the forgery is about another name.
    pub(super) honest: &'f RemoteServer,
    /// Another homeserver, whose keys the target knows, too.
    pub(super) other: &'f RemoteServer,
    /// What is sent.
    pub(super) sent: &'f Letter,
    /// A letter of the same kind, about another user, hash or transaction.
    pub(super) instead: &'f Letter,
}

/// A way to sign wrongly.
pub(super) struct Forgery {
    /// What is wrong with the signature.
    what: &'static str,
    /// Whether the URI that is sent has a query more than the one that is signed.
    adds_query: bool,
    /// Whether the specification itself says 401.
    says_401: bool,
    /// Whether it needs a body.
    of_a_body: bool,
    header: fn(&Forger<'_>) -> Option<String>,
}

/// All of them; section 13.2 of the protocol lists them.
pub(super) static ALL: [Forgery; 19] = [
    forgery("missing", |_| None),
    forgery("not Base64", |forger| forger.mangled(|sig| format!("%{}", &sig[1..]))),
    forgery("of half the length", |forger| forger.mangled(|sig| sig[..sig.len() / 2].to_owned())),
    forgery("one bit off", |forger| forger.mangled(one_bit_off)),
    forgery("made with another homeserver's key under the origin's key ID", |forger| {
        let key = forger.honest.peer().key().id().to_owned();
        written(XMatrix { key, ..forger.signed().signed_by(forger.other.peer().key()) })
    }),
    forgery("made with another homeserver's key under that key's ID", |forger| {
        written(forger.signed().signed_by(forger.other.peer().key()))
    }),
    forgery("made with a key ID that the origin does not publish", |forger| {
        let key = format!("{}0", forger.honest.peer().key().id());
        written(XMatrix { key, ..forger.signed().signed_by(forger.honest.peer().key()) })
    }),
    forgery("made with an expired key", |forger| {
        written(forger.signed().signed_by(forger.honest.peer().expired_key()))
    }),
    forgery("made in another homeserver's name", |forger| {
        let signed = SignedRequest { origin: forger.other.name(), ..forger.signed() };
        written(signed.signed_by(forger.honest.peer().key()))
    }),
    forgery("made in the target's own name", |forger| {
        let signed = SignedRequest { origin: forger.honest.destination(), ..forger.signed() };
        written(signed.signed_by(forger.honest.peer().key()))
    }),
    Forgery {
        says_401: true,
        ..forgery("made for another destination, and says so", |forger| {
            let signed = SignedRequest { destination: forger.other.name(), ..forger.signed() };
            written(signed.signed_by(forger.honest.peer().key()))
        })
    },
    forgery("made for another destination, and says otherwise", |forger| {
        let signed = SignedRequest { destination: forger.other.name(), ..forger.signed() };
        let destination = Some(forger.honest.destination().to_owned());
        written(XMatrix { destination, ..signed.signed_by(forger.honest.peer().key()) })
    }),
    forgery("made for another method", |forger| {
        let method = if forger.sent.method == "GET" { "PUT" } else { "GET" };
        let signed = SignedRequest { method, ..forger.signed() };
        written(signed.signed_by(forger.honest.peer().key()))
    }),
    forgery("taken from another request", |forger| written(forger.honest.signature(forger.instead))),
    forgery("made for a query that is not sent", |forger| {
        let uri = with_query(&forger.sent.uri);
        let signed = SignedRequest { uri: &uri, ..forger.signed() };
        written(signed.signed_by(forger.honest.peer().key()))
    }),
    Forgery {
        adds_query: true,
        ..forgery("made without the query that is sent", |forger| {
            written(forger.signed().signed_by(forger.honest.peer().key()))
        })
    },
    Forgery {
        of_a_body: true,
        ..forgery("made for another transaction ID", |forger| {
            let signed = SignedRequest { uri: &forger.instead.uri, ..forger.signed() };
            written(signed.signed_by(forger.honest.peer().key()))
        })
    },
    Forgery {
        of_a_body: true,
        ..forgery("made without the body", |forger| {
            let signed = SignedRequest { content: None, ..forger.signed() };
            written(signed.signed_by(forger.honest.peer().key()))
        })
    },
    Forgery {
        of_a_body: true,
        ..forgery("made for another body", |forger| {
            let signed = SignedRequest { content: forger.instead.content.as_ref(), ..forger.signed() };
            written(signed.signed_by(forger.honest.peer().key()))
        })
    },
];

const fn forgery(what: &'static str, header: fn(&Forger<'_>) -> Option<String>) -> Forgery {
    Forgery { what, adds_query: false, says_401: false, of_a_body: false, header }
}

impl Forgery {
    /// Those that fit a request.
    pub(super) fn of(letter: &Letter) -> impl Iterator<Item = &'static Forgery> {
        let has_body = letter.content.is_some();
        ALL.iter().filter(move |forgery| has_body || !forgery.of_a_body)
    }

    /// Sends what is forged.
    pub(super) async fn send(&self, forger: &Forger<'_>) -> Result<Reply, Stop> {
        let uri = match self.adds_query {
            true => with_query(&forger.sent.uri),
            false => forger.sent.uri.clone(),
        };
        forger.honest.send_as(&Letter { uri, ..forger.sent.clone() }, (self.header)(forger)).await
    }

    /// Whether it was refused, as the specification has it.
    pub(super) fn is_refused_by(&self, reply: &Reply) -> Judgement {
        let refused = if self.says_401 { reply.is_unauthorized() } else { reply.is_any_4xx() };
        refused.when(&self.moment())
    }

    /// In words, after what was expected.
    pub(super) fn moment(&self) -> String {
        format!("for a request whose signature is {}", self.what)
    }
}

impl Forger<'_> {
    /// What the signature should be made over.
    fn signed(&self) -> SignedRequest<'_> {
        self.sent.to_be_signed(self.honest.name(), self.honest.destination())
    }

    /// The right header with its signature changed.
    fn mangled(&self, change: impl Fn(&str) -> String) -> Option<String> {
        let header = self.honest.signature(self.sent);
        let sig = change(&header.sig);
        written(XMatrix { sig, ..header })
    }
}

fn written(header: XMatrix) -> Option<String> {
    Some(header.to_string())
}

/// The same URI with one parameter more; where a binding gives it a query, that is not the first.
fn with_query(uri: &str) -> String {
    format!("{uri}{}forged=1", if uri.contains('?') { '&' } else { '?' })
}

/// The same signature but for a bit in its middle.
fn one_bit_off(sig: &str) -> String {
    let mut bytes = STANDARD_NO_PAD.decode(sig).unwrap_or_default();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    STANDARD_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_added_to_one_that_is_there() {
        assert_eq!(with_query("/sets/x"), "/sets/x?forged=1");
        assert_eq!(with_query("/sets?hash=x"), "/sets?hash=x&forged=1");
    }
}
