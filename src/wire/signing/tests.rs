//! Signing against the test vectors of the Matrix specification and the examples of the protocol.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The seed and the public key of the Matrix appendices, "Cryptographic Test Vectors".
const SEED: &str = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1";
const PUBLIC: &str = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI";
const LOOKUP: &str = "/_matrix/federation/unstable/org.matrix.capability_sets/users/%40alice%3Aalpha.example/sets/gpngsZJB7JyXB3j4f36kMQA3NO00%2FL5Ulh0tfenNxnc";

fn key() -> SigningKey {
    SigningKey::from_seed_text("ed25519:1", SEED).unwrap()
}

fn lookup() -> SignedRequest<'static> {
    SignedRequest {
        method: "GET",
        uri: LOOKUP,
        origin: "beta.example",
        destination: "alpha.example",
        content: None,
    }
}

#[test]
fn signs_as_the_matrix_specification_does() {
    assert_eq!(key().public(), PUBLIC);
    for (value, signature) in [
        (json!({}), "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"),
        (
            json!({ "two": "Two", "one": 1 }),
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
        ),
    ] {
        let bytes = canonical::to_bytes(&json(&value));
        assert_eq!(key().sign(&bytes), signature);
        assert_eq!(verify(PUBLIC, &bytes, signature), Ok(()));
    }
}

#[test]
fn signs_the_examples_of_the_protocol() {
    assert_eq!(
        lookup().signed_by(&key()).to_string(),
        "X-Matrix origin=\"beta.example\",destination=\"alpha.example\",key=\"ed25519:1\",\
         sig=\"WkUkXC2HPpZ7MaqDnC9hw5jSe6R76D8Bm2awtpQDxAO8PGzqXQXRnKukiFaguSY7b6pnqqFbra/WB2VusWskBg\""
    );
    let content = json!({
        "origin": "beta.example",
        "origin_server_ts": 1_419_984_000_000_u64,
        "pdus": [],
        "edus": [{
            "edu_type": "m.presence",
            "content": { "push": [{
                "user_id": "@carol:beta.example",
                "presence": "offline",
                "last_active_ago": 5000,
                "org.matrix.capability_sets": { "sha256": "pORt0IlGbh43j6fJL91+/ADbgt5r1wt4a83zr9TfK+0" },
            }] },
        }],
    });
    let send = SignedRequest {
        method: "PUT",
        uri: "/_matrix/federation/v1/send/17a",
        content: Some(&content),
        ..lookup()
    };
    let signed = r#"{"content":{"edus":[{"content":{"push":[{"last_active_ago":5000,"org.matrix.capability_sets":{"sha256":"pORt0IlGbh43j6fJL91+/ADbgt5r1wt4a83zr9TfK+0"},"presence":"offline","user_id":"@carol:beta.example"}]},"edu_type":"m.presence"}],"origin":"beta.example","origin_server_ts":1419984000000,"pdus":[]},"destination":"alpha.example","method":"PUT","origin":"beta.example","uri":"/_matrix/federation/v1/send/17a"}"#;
    assert_eq!(String::from_utf8(send.bytes()).unwrap(), signed);
    assert_eq!(
        send.signed_by(&key()).sig,
        "3Z78Lk8rYjWPCMZkWCXYuKrzCto1YmCvV/lr3oN/+rxyp+tgAo0SyWFdIlYYyEUBaEwHmXtOtwhJ+8R245jWCA"
    );
}

#[test]
fn a_signature_holds_for_its_key_and_its_bytes_alone() {
    let bytes = lookup().bytes();
    let signature = key().sign(&bytes);
    let raw = STANDARD_NO_PAD.decode(&signature).unwrap();
    for spelled in [STANDARD.encode(&raw), URL_SAFE_NO_PAD.encode(&raw)] {
        assert_eq!(verify(PUBLIC, &bytes, &spelled), Ok(()), "{spelled}");
    }
    let other = SigningKey::generate("ed25519:1").unwrap();
    assert_eq!(verify(&other.public(), &bytes, &signature), Err(KeyFault::Mismatch));
    for changed in [
        SignedRequest { method: "PUT", ..lookup() },
        SignedRequest { uri: "/", ..lookup() },
        SignedRequest { origin: "alpha.example", ..lookup() },
        SignedRequest { destination: "gamma.example", ..lookup() },
        SignedRequest { content: Some(&json!({})), ..lookup() },
    ] {
        assert_eq!(verify(PUBLIC, &changed.bytes(), &signature), Err(KeyFault::Mismatch), "{changed:?}");
    }
    let long = "A".repeat(1 << 20);
    for broken in ["", "A", "é", &signature[1..], &format!("{signature}AAAA"), &long] {
        assert!(matches!(verify(PUBLIC, &bytes, broken), Err(KeyFault::Malformed(_))), "{broken:.99}");
        assert!(matches!(verify(broken, &bytes, &signature), Err(KeyFault::Malformed(_))), "{broken:.99}");
    }
}

#[test]
fn no_signature_covers_what_canonical_json_cannot_say() {
    let bytes = |content: Value| SignedRequest { content: Some(&content), ..lookup() }.bytes();
    let null = bytes(json!({ "a": null }));
    for number in [json!(1.5), json!(1e300), json!(MAX_INTEGER + 1), json!(i64::MIN), json!(u64::MAX)] {
        assert_eq!(bytes(json!({ "a": number })), null, "{number}");
    }
    assert_ne!(bytes(json!({ "a": -MAX_INTEGER })), null);
}

#[test]
fn a_secret_key_is_not_shown() {
    assert_eq!(format!("{:?}", key()), format!("SigningKey(ed25519:1, {PUBLIC})"));
}

fn keys() -> ServerKeys {
    let old = SigningKey::from_seed("ed25519:0", [7; 32]);
    ServerKeys {
        server_name: "beta.example:8448".to_owned(),
        verify_keys: [("ed25519:1".to_owned(), key().public())].into(),
        old_verify_keys: [("ed25519:0".to_owned(), OldKey { key: old.public(), expired_ts: 1_000 })].into(),
        valid_until_ts: 1_419_984_000_000,
    }
}

fn read(object: &Value) -> Result<ServerKeys, ServerKeysFault> {
    ServerKeys::read(object.to_string().as_bytes(), "beta.example:8448")
}

#[test]
fn a_key_object_is_read_as_it_is_written() {
    let mut object = keys().signed_by(&key());
    assert_eq!(read(&object), Ok(keys()));
    object["unsigned"] = json!({ "age": 3 });
    object["signatures"]["notary.example"] = json!({ "ed25519:x": "AAAA" });
    assert_eq!(read(&object), Ok(keys()));
}

#[test]
fn a_key_object_may_pad_its_keys_and_hold_others() {
    let mut sloppy = keys();
    let raw = STANDARD_NO_PAD.decode(PUBLIC).unwrap();
    sloppy.verify_keys.insert("ed25519:1".to_owned(), STANDARD.encode(raw));
    sloppy.verify_keys.insert("pq:1".to_owned(), "what?".to_owned());
    let read = read(&sloppy.signed_by(&key())).unwrap();
    assert_eq!(read.verify_keys["ed25519:1"], PUBLIC);
    assert_eq!(read.verify_keys["pq:1"], "what?");
}

#[test]
fn says_what_is_no_key_object() {
    let good = keys().signed_by(&key());
    let with = |pointer: &str, value: Value| {
        let mut object = good.clone();
        *object.pointer_mut(pointer).unwrap() = value;
        read(&object).unwrap_err()
    };
    for (pointer, value) in [
        ("/server_name", json!(1)),
        ("/verify_keys", json!([])),
        ("/verify_keys/ed25519:1", json!("x")),
        ("/verify_keys/ed25519:1/key", json!("AAAA")),
        ("/old_verify_keys/ed25519:0/expired_ts", json!(-1)),
        ("/valid_until_ts", json!("soon")),
        ("/valid_until_ts", json!(1.5)),
    ] {
        let fault = with(pointer, value);
        assert!(matches!(fault, ServerKeysFault::Shape(_)), "{pointer}: {fault}");
    }
    for (pointer, value) in [
        ("/valid_until_ts", json!(5)),
        ("/signatures", json!(null)),
        ("/signatures", json!({ "alpha.example": {} })),
        ("/signatures/beta.example:8448/ed25519:1", json!("AAAA")),
        ("/signatures/beta.example:8448", json!({ "ed25519:0": "AAAA" })),
    ] {
        let fault = with(pointer, value);
        assert!(matches!(fault, ServerKeysFault::Unsigned(_)), "{pointer}: {fault}");
    }
    assert!(matches!(with("/server_name", json!("alpha.example")), ServerKeysFault::Name { .. }));
    assert!(matches!(read(&json!([])), Err(ServerKeysFault::Shape(_))));
    let padded = format!("{}{good}", " ".repeat(1 << 20));
    let fault = ServerKeys::read(padded.as_bytes(), "beta.example:8448");
    assert!(matches!(fault, Err(ServerKeysFault::Shape(_))));
}

fn header() -> XMatrix {
    lookup().signed_by(&key())
}

#[test]
fn reads_every_legal_spelling() {
    let honest = header().to_string();
    for spelling in Spelling::ALL {
        let spelled = header().spelled(spelling);
        assert_ne!(spelled, honest, "{}", spelling.says());
        assert_eq!(XMatrix::parse(&spelled), Ok(header()), "{}: {spelled}", spelling.says());
    }
    let unlike = |spelling: &Spelling| header().spelled(*spelling);
    let mut all: Vec<_> = Spelling::ALL.iter().map(unlike).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), Spelling::ALL.len());
}

#[test]
fn reads_what_else_the_grammar_allows() {
    let expected = XMatrix {
        origin: "a.b:8448".to_owned(),
        destination: Some("[::1]:8448".to_owned()),
        key: "ed25519:k".to_owned(),
        sig: "ab/c+d==".to_owned(),
    };
    for text in [
        "X-Matrix origin=a.b:8448,destination=[::1]:8448,key=ed25519:k,sig=ab/c+d==",
        "X-Matrix origin=a.b:8448,destination=\"[::1]:8448\",key=\"ed25519:k\",signature=\"ab/c+d==\"",
        "x-MATRIX\t,, origin = a.b:8448 ,, destination\t=\t\"\\[::1]:8448\",key=ed25519:k,SIG=ab/c+d==, ",
    ] {
        assert_eq!(XMatrix::parse(text), Ok(expected.clone()), "{text}");
    }
    let old = XMatrix::parse("X-Matrix origin=a.b:8448,key=ed25519:k,sig=\"\"").unwrap();
    assert_eq!((old.destination, old.sig.as_str()), (None, ""));
}

#[test]
fn says_what_is_no_header() {
    let parse = |text: &str| XMatrix::parse(text).unwrap_err();
    assert_eq!(parse(""), HeaderFault::Scheme);
    assert_eq!(parse("Bearer abc"), HeaderFault::Scheme);
    assert_eq!(parse("X-Matrixorigin=a"), HeaderFault::Scheme);
    assert_eq!(parse("X-Matrix"), HeaderFault::Missing("origin"));
    assert_eq!(parse("X-Matrix origin=a,sig=b"), HeaderFault::Missing("key"));
    assert_eq!(parse("X-Matrix origin=a,key=b"), HeaderFault::Missing("sig"));
    assert_eq!(parse("X-Matrix origin=a,ORIGIN=a"), HeaderFault::Twice("origin"));
    assert_eq!(parse("X-Matrix sig=a,signature=a"), HeaderFault::Twice("sig"));
    assert_eq!(parse(&format!("X-Matrix origin={}", "a".repeat(9000))), HeaderFault::TooLong(9016));
    for (text, at) in [
        ("X-Matrix origin", 15),
        ("X-Matrix =a", 9),
        ("X-Matrix origin=,key=b", 16),
        ("X-Matrix origin=a key=b", 18),
        ("X-Matrix origin=é", 16),
        ("X-Matrix origin=\"a", 18),
        ("X-Matrix origin=\"a\\", 19),
        ("X-Matrix origin=\"a\u{1}\"", 18),
        ("X-Matrix origin=\"a\"b", 19),
    ] {
        assert!(matches!(parse(text), HeaderFault::Syntax { at: found, .. } if found == at), "{text}");
    }
}

/// What can stand between quotes, the tricky characters most of all.
fn value() -> impl Strategy<Value = String> {
    let tricky = ['"', '\\', ',', '=', ' ', '\t', ':', '/', '+', '[', 'a', 'Z', '9', '.', 'é', '\u{1f602}'];
    prop::collection::vec(prop::sample::select(tricky.to_vec()), 0..12).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn every_spelling_of_every_header_is_read_back(
        origin in value(), destination in prop::option::of(value()), key in value(), sig in value(),
    ) {
        let header = XMatrix { origin, destination, key, sig };
        prop_assert_eq!(XMatrix::parse(&header.to_string()), Ok(header.clone()));
        for spelling in Spelling::ALL {
            let spelled = header.spelled(spelling);
            prop_assert_eq!(XMatrix::parse(&spelled), Ok(header.clone()), "{}", spelled);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "X-Matrix", "x-matrix ", " ", "\t", ",", "=", "\"", "\\", "origin", "destination", "key", "sig", "signature",
            "a", "a:b", "é", "\u{1f602}", "\0", "\r\n", "ed25519:1",
        ]), 0..24),
    ) {
        let text = pieces.concat();
        if let Ok(header) = XMatrix::parse(&text) {
            prop_assert_eq!(XMatrix::parse(&header.to_string()), Ok(header));
        }
    }
}
