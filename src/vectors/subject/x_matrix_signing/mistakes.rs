//! The signatures of implementations that sign something else, or otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::super::slashes;
use super::Request;
use crate::spec::canonical::{self, Json, Object};
use crate::spec::mistake;

/// A mistake: its name, and where an implementation leaves the right path.
pub(super) struct Mistake {
    pub(super) name: &'static str,
    how: How,
}

enum How {
    /// It signs another request.
    Request(fn(&Request) -> Option<Request>),
    /// It signs another URI.
    Uri(fn(&Request) -> Option<String>),
    /// It signs an object with other members.
    Object(fn(&Request, &mut Object) -> Option<()>),
    /// It writes the object as a mistake with this name in `spec::mistake` does.
    Written,
    /// It signs other bytes.
    Bytes(fn(&Request, &str) -> Option<Vec<u8>>),
    /// It spells the right signature otherwise.
    Spelled(fn(&[u8]) -> String),
}

impl Mistake {
    /// What it answers; none where the mistake cannot be made.
    pub(super) fn signature(&self, request: &Request) -> Option<String> {
        let signed = request.signed().ok()?.signed;
        let key = request.key()?;
        let bytes = match self.how {
            How::Request(change) => return Some(change(request)?.signed().ok()?.signature),
            How::Uri(change) => {
                let changed = Request { uri: change(request)?, ..request.clone() };
                return Some(changed.signed().ok()?.signature);
            }
            How::Object(change) => {
                let Json::Object(mut object) = canonical::parse(signed.as_bytes()).ok()? else { return None };
                change(request, &mut object)?;
                canonical::to_bytes(&Json::Object(object))
            }
            How::Written => mistake::find(self.name)?.written(&in_order_of_build(request))?.into_bytes(),
            How::Bytes(change) => change(request, &signed)?,
            How::Spelled(spell) => return Some(spell(&key.sign_raw(signed.as_bytes()))),
        };
        Some(key.sign(&bytes))
    }
}

const fn request(name: &'static str, change: fn(&Request) -> Option<Request>) -> Mistake {
    Mistake { name, how: How::Request(change) }
}

const fn uri(name: &'static str, change: fn(&Request) -> Option<String>) -> Mistake {
    Mistake { name, how: How::Uri(change) }
}

const fn object(name: &'static str, change: fn(&Request, &mut Object) -> Option<()>) -> Mistake {
    Mistake { name, how: How::Object(change) }
}

const fn written(name: &'static str) -> Mistake {
    Mistake { name, how: How::Written }
}

const fn bytes(name: &'static str, change: fn(&Request, &str) -> Option<Vec<u8>>) -> Mistake {
    Mistake { name, how: How::Bytes(change) }
}

const fn spelled(name: &'static str, spell: fn(&[u8]) -> String) -> Mistake {
    Mistake { name, how: How::Spelled(spell) }
}

/// Every mistake.
pub(super) const MISTAKES: &[Mistake] = &[
    object("content-omitted", |_, object| object.remove("content").map(drop)),
    object("empty-content-omitted", |_, object| {
        let empty = object.get("content") == Some(&Json::Object(Object::new()));
        empty.then(|| object.remove("content")).flatten().map(drop)
    }),
    object("empty-content-added", |_, object| added(object, "content", Json::Object(Object::new()))),
    object("null-content-added", |_, object| added(object, "content", Json::Null)),
    object("content-as-string", |request, object| {
        object.insert("content".to_owned(), Json::String(request.content.clone()?)).map(drop)
    }),
    object("content-at-top", |_, object| match object.remove("content")? {
        Json::Object(members) => {
            let taken: Vec<_> = members.into_iter().filter(|(name, _)| !object.contains_key(name)).collect();
            object.extend(taken);
            Some(())
        }
        _ => None,
    }),
    object("destination-omitted", |_, object| object.remove("destination").map(drop)),
    object("signatures-included", |_, object| added(object, "signatures", Json::Object(Object::new()))),
    request("origin-and-destination-swapped", |request| {
        let (origin, destination) = (request.destination.clone(), request.origin.clone());
        Some(Request { origin, destination, ..request.clone() })
    }),
    request("ports-dropped", |request| {
        let (origin, destination) = (without_port(&request.origin), without_port(&request.destination));
        Some(Request { origin, destination, ..request.clone() })
    }),
    request("names-lower-cased", |request| {
        let (origin, destination) =
            (request.origin.to_ascii_lowercase(), request.destination.to_ascii_lowercase());
        Some(Request { origin, destination, ..request.clone() })
    }),
    request("method-lower-case", |request| {
        Some(Request { method: request.method.to_ascii_lowercase(), ..request.clone() })
    }),
    uri("uri-with-host", |request| Some(format!("https://{}{}", request.destination, request.uri))),
    uri("uri-decoded", |request| Some(percent_decode_str(&request.uri).decode_utf8().ok()?.into_owned())),
    uri("uri-encoded-again", |request| Some(request.uri.replace('%', "%25"))),
    uri("uri-unreserved-decoded", |request| Some(each_escape(&request.uri, unreserved_decoded))),
    uri("uri-escapes-upper-cased", |request| {
        Some(each_escape(&request.uri, |escape| escape.to_ascii_uppercase()))
    }),
    uri("uri-slashes-merged", |request| Some(slashes::merged(&request.uri))),
    uri("uri-plus-encoded", |request| Some(request.uri.replace('+', "%2B"))),
    uri("query-omitted", |request| Some(request.uri.split('?').next()?.to_owned())),
    uri("query-sorted", |request| {
        let (path, query) = request.uri.split_once('?')?;
        let mut parameters: Vec<_> = query.split('&').collect();
        parameters.sort_unstable();
        Some(format!("{path}?{}", parameters.join("&")))
    }),
    uri("empty-query-dropped", |request| Some(request.uri.strip_suffix('?')?.to_owned())),
    written("unsorted"),
    written("unsorted-nested"),
    written("utf16-order"),
    written("folded-order"),
    written("integer-keys-first"),
    written("spaced"),
    written("escaped-non-ascii"),
    written("escaped-slash"),
    written("escaped-html"),
    bytes("content-as-sent", |request, _| {
        // Nothing sorts before `content`.
        let rest = Request { content: None, ..request.clone() }.signed().ok()?.signed;
        Some(format!("{{\"content\":{},{}", request.content.as_ref()?, rest.strip_prefix('{')?).into_bytes())
    }),
    bytes("content-alone", |request, _| {
        Some(canonical::to_bytes(&canonical::parse(request.content.as_ref()?.as_bytes()).ok()?))
    }),
    bytes("hashed-first", |_, signed| Some(Sha256::digest(signed).to_vec())),
    bytes("trailing-newline", |_, signed| Some(format!("{signed}\n").into_bytes())),
    request("seed-as-text", |request| {
        Some(Request { seed: STANDARD_NO_PAD.encode(request.seed.as_bytes().get(..32)?), ..request.clone() })
    }),
    spelled("padded", |signature| STANDARD.encode(signature)),
    spelled("url-safe", |signature| URL_SAFE_NO_PAD.encode(signature)),
    spelled("hex", |signature| hex::encode(signature)),
];

/// The object's text with its members, and those of its content, in the order in which most programs put them in.
fn in_order_of_build(request: &Request) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let Request { origin, destination, method, uri, content, .. } = request;
    let content = content.as_ref().map(|content| format!(",\"content\":{content}")).unwrap_or_default();
    format!(
        "{{\"method\":{},\"uri\":{},\"origin\":{},\"destination\":{}{content}}}",
        text(method),
        text(uri),
        text(origin),
        text(destination)
    )
}

/// Adds a member where there is none.
fn added(object: &mut Object, name: &str, value: Json) -> Option<()> {
    if object.contains_key(name) {
        return None;
    }
    object.insert(name.to_owned(), value);
    Some(())
}

/// The server name without the digits after its last colon, unless that stands within brackets.
fn without_port(name: &str) -> String {
    match name.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) => {
            host.to_owned()
        }
        _ => name.to_owned(),
    }
}

/// The URI with something else for each escape, a `%` and two hexadecimal digits.
fn each_escape(uri: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = uri;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3).unwrap_or_default();
        let is_escape = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let length = if is_escape { 3 } else { 1 };
        let escape = &rest[at..at + length];
        if is_escape {
            out.push_str(&change(escape))
        } else {
            out.push_str(escape)
        }
        rest = &rest[at + length..];
    }
    out + rest
}

fn unreserved_decoded(escape: &str) -> String {
    let decoded = percent_decode_str(escape).decode_utf8().unwrap_or_default();
    let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !decoded.is_empty() && decoded.chars().all(unreserved) {
        decoded.into_owned()
    } else {
        escape.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Request {
        Request {
            seed: "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1".to_owned(),
            key_id: "ed25519:1".to_owned(),
            origin: "Beta.example:8448".to_owned(),
            destination: "[::1]:80".to_owned(),
            method: "PUT".to_owned(),
            uri: "//a%2f%7Eb+c?b=1&a=%40".to_owned(),
            content: Some(r#"{ "b":"\u00e9","a":{} }"#.to_owned()),
        }
    }

    /// The bytes whose signature is right for the key, where a mistake signs `text`.
    fn signs(name: &str, request: &Request, text: &str) {
        let mistake = MISTAKES.iter().find(|mistake| mistake.name == name).unwrap();
        let expected = request.key().unwrap().sign(text.as_bytes());
        assert_eq!(mistake.signature(request), Some(expected), "{name}: {text}");
    }

    #[test]
    fn each_mistake_about_a_member_signs_what_its_name_says() {
        let whole = sample().signed().unwrap().signed;
        let content = "\"content\":{\"a\":{},\"b\":\"\u{e9}\"}";
        let with = |from: &str, to: &str| {
            assert!(whole.contains(from), "{whole}: {from}");
            whole.replacen(from, to, 1)
        };
        for (name, text) in [
            ("content-omitted", with(&format!("{content},"), "")),
            ("content-as-string", with(content, r#""content":"{ \"b\":\"\\u00e9\",\"a\":{} }""#)),
            ("content-at-top", with(&format!("{content},"), "\"a\":{},\"b\":\"\u{e9}\",")),
            ("content-as-sent", with(content, r#""content":{ "b":"\u00e9","a":{} }"#)),
            ("content-alone", content["\"content\":".len()..].to_owned()),
            ("destination-omitted", with("\"destination\":\"[::1]:80\",", "")),
            ("signatures-included", with(",\"uri\"", ",\"signatures\":{},\"uri\"")),
            ("ports-dropped", with(":8448", "").replacen(":80", "", 1)),
            ("names-lower-cased", with("Beta", "beta")),
            ("method-lower-case", with("PUT", "put")),
            ("uri-with-host", with("\"//a", "\"https://[::1]:80//a")),
            ("uri-decoded", with("%2f%7E", "/~").replacen("%40", "@", 1)),
            ("uri-encoded-again", with("%2f%7E", "%252f%257E").replacen("%40", "%2540", 1)),
            ("uri-unreserved-decoded", with("%7E", "~")),
            ("uri-escapes-upper-cased", with("%2f", "%2F")),
            ("uri-slashes-merged", with("//", "/")),
            ("uri-plus-encoded", with("+", "%2B")),
            ("query-omitted", with("?b=1&a=%40", "")),
            ("query-sorted", with("?b=1&a=%40", "?a=%40&b=1")),
            ("trailing-newline", format!("{whole}\n")),
        ] {
            signs(name, &sample(), &text);
        }
        let swapped = with("\"origin\":\"Beta.example:8448\"", "\"origin\":\"[::1]:80\"");
        let swapped =
            swapped.replacen("\"destination\":\"[::1]:80\"", "\"destination\":\"Beta.example:8448\"", 1);
        signs("origin-and-destination-swapped", &sample(), &swapped);
    }

    #[test]
    fn what_is_not_there_is_added_and_what_is_empty_omitted() {
        let none = Request { content: None, ..sample() };
        let empty = Request { content: Some("{}".to_owned()), ..sample() };
        let (without, with) = (none.signed().unwrap().signed, empty.signed().unwrap().signed);
        signs("empty-content-added", &none, &with);
        signs("null-content-added", &none, &with.replacen("{}", "null", 1));
        signs("empty-content-omitted", &empty, &without);
        let queried = Request { uri: "/a?".to_owned(), ..none.clone() };
        signs("empty-query-dropped", &queried, &without.replace(&none.uri, "/a"));
    }

    #[test]
    fn a_mistake_that_cannot_be_made_is_not() {
        let none = Request { content: None, uri: "/a".to_owned(), ..sample() };
        let some = Request { uri: "/%FF".to_owned(), ..sample() };
        for (name, request) in [
            ("content-omitted", &none),
            ("content-as-string", &none),
            ("content-at-top", &none),
            ("content-as-sent", &none),
            ("content-alone", &none),
            ("empty-content-omitted", &none),
            ("query-sorted", &none),
            ("empty-query-dropped", &none),
            ("empty-content-added", &some),
            ("null-content-added", &some),
            ("empty-content-omitted", &some),
            ("uri-decoded", &some),
        ] {
            let mistake = MISTAKES.iter().find(|mistake| mistake.name == name).unwrap();
            assert_eq!(mistake.signature(request), None, "{name}");
        }
    }

    #[test]
    fn a_style_that_is_written_is_one_that_is_known() {
        for mistake in MISTAKES.iter().filter(|mistake| matches!(mistake.how, How::Written)) {
            assert_ne!(mistake.signature(&sample()), None, "{}", mistake.name);
        }
        let text = in_order_of_build(&sample());
        assert!(text.starts_with("{\"method\":\"PUT\",\"uri\":\"//a"), "{text}");
        assert!(text.ends_with("\"content\":{ \"b\":\"\\u00e9\",\"a\":{} }}"), "{text}");
    }

    #[test]
    fn the_right_signature_is_spelled_in_each_wrong_way() {
        let right = sample().signed().unwrap().signature;
        let spelled = |name: &str| {
            MISTAKES.iter().find(|mistake| mistake.name == name).unwrap().signature(&sample()).unwrap()
        };
        assert_eq!(spelled("padded"), format!("{right}=="));
        assert_eq!(spelled("url-safe"), right.replace('+', "-").replace('/', "_"));
        assert_eq!(STANDARD_NO_PAD.encode(hex::decode(spelled("hex")).unwrap()), right);
    }
}
