//! Policies against the topic, and each mistake against a request that it alone decides otherwise.

use super::super::XMatrixVerifying;
use super::*;
use crate::vectors::subject::{Answer, Topic};
use crate::vectors::{Verdict, carried};
use crate::wire::signing::{SignedRequest, SigningKey, Spelling};

/// Beta's key, another of beta's and gamma's.
fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("ed25519:1", [seed; 32])
}

fn honest() -> Received {
    signed(&received(), "alpha.example")
}

fn received() -> Received {
    let published =
        |keys: &[(&str, u8)]| keys.iter().map(|(id, seed)| ((*id).to_owned(), key(*seed).public())).collect();
    Received {
        header: String::new(),
        method: "PUT".to_owned(),
        uri: "/a%40?b".to_owned(),
        content: Some("{}".to_owned()),
        receiver: "alpha.example".to_owned(),
        keys: [
            ("alpha.example".to_owned(), published(&[("ed25519:1", 1)])),
            ("beta.example".to_owned(), published(&[("ed25519:1", 1), ("ed25519:2", 2)])),
            ("gamma.example".to_owned(), published(&[("ed25519:1", 3)])),
        ]
        .into(),
    }
}

/// The request with a header of beta's over it.
fn signed(request: &Received, destination: &str) -> Received {
    let content = request.content.as_ref().map(|content| serde_json::from_str(content).unwrap());
    let over = SignedRequest {
        method: &request.method,
        uri: &request.uri,
        origin: "beta.example",
        destination,
        content: content.as_ref(),
    };
    Received { header: over.signed_by(&key(1)).to_string(), ..request.clone() }
}

fn takes(mistake: &str, received: &Received) -> bool {
    match Topic::mistaken(&XMatrixVerifying, mistake, received).unwrap() {
        Answer::Taken(_) => true,
        Answer::Refused => false,
    }
}

/// Takes what a right implementation refuses.
fn wrongly_takes(mistake: &str, received: &Received) {
    assert!(!Policy::RIGHT.takes(received), "{mistake}: {}", received.header);
    assert!(takes(mistake, received), "{mistake}: {}", received.header);
}

#[test]
fn the_right_policy_answers_every_case_rightly() {
    let document = carried(XMatrixVerifying::NAME);
    for case in document.cases() {
        let input: Received = serde_json::from_value(case.input.clone()).unwrap();
        assert_eq!(Policy::RIGHT.takes(&input), case.result != Verdict::Invalid, "{}", case.id);
    }
}

#[test]
fn every_spelling_is_read_as_the_suite_reads_it() {
    let header = XMatrix::parse(&honest().header).unwrap();
    for spelling in Spelling::ALL {
        let text = header.spelled(spelling);
        let reading = Reading::of(&text, Rules::default()).unwrap();
        assert_eq!(Policy::RIGHT.header(&reading), Some(header.clone()), "{}", spelling.says());
        assert!(reading.parameters.iter().all(|parameter| parameter.is_plain()), "{}", spelling.says());
    }
}

#[test]
fn a_mistake_alone_changes_nothing_for_an_honest_request() {
    assert!(Policy::RIGHT.takes(&honest()));
    for (name, _) in MISTAKES {
        assert!(takes(name, &honest()), "{name}");
    }
}

#[test]
fn a_reader_that_takes_too_little_refuses_what_its_name_says() {
    let honest = honest();
    for (name, from, to) in [
        ("case-sensitive-scheme", "X-Matrix", "x-matrix"),
        ("one-space-needed", " origin", "  origin"),
        ("case-sensitive-names", "key=", "Key="),
        ("order-needed", ",key=\"ed25519:1\"", ""),
        ("unknown-parameter-refused", "origin", "x=y,origin"),
        ("space-beside-comma-refused", ",key", ", key"),
        ("tab-refused", ",key", "\t,key"),
        ("space-beside-equals-refused", "key=", "key ="),
        ("empty-element-refused", ",key", ",,key"),
        ("quotes-needed", "\"beta.example\"", "beta.example"),
        ("colon-needs-quotes", "\"ed25519:1\"", "ed25519:1"),
        ("splits-at-comma-in-quotes", "origin", "x=\",\",origin"),
        ("splits-at-every-equals", "origin", "x=\"=\",origin"),
        ("quote-ends-at-escape", "origin", "x=\"\\\"\",origin"),
        ("backslashes-kept", "beta", "\\beta"),
    ] {
        let mut header = honest.header.replacen(from, to, 1);
        if name == "order-needed" {
            header = header.replacen("origin", "key=\"ed25519:1\",origin", 1);
        }
        let other = Received { header, ..honest.clone() };
        assert!(Policy::RIGHT.takes(&other), "{name}: {}", other.header);
        assert!(!takes(name, &other), "{name}: {}", other.header);
    }
    let padded = Received { header: honest.header.trim_end_matches('"').to_owned() + "==\"", ..honest };
    assert!(Policy::RIGHT.takes(&padded) && !takes("padding-refused", &padded));
}

#[test]
fn a_reader_that_takes_too_much_takes_what_its_name_says() {
    let honest = honest();
    for (name, from, to) in [
        ("any-scheme", "X-Matrix", "Bearer"),
        ("commas-optional", ",key", " key"),
        ("open-quote-taken", "origin", "sig=\"x\",origin"),
        ("first-of-several", "\"beta.example\"", "\"beta.example\",origin=x"),
        ("last-of-several", "origin", "origin=x,origin"),
    ] {
        let mut header = honest.header.replacen(from, to, 1);
        if name == "open-quote-taken" {
            header = honest.header.trim_end_matches('"').to_owned();
        }
        wrongly_takes(name, &Received { header, ..honest.clone() });
    }
}

#[test]
fn a_loose_check_of_the_destination_takes_what_its_name_says() {
    wrongly_takes("destination-unchecked", &signed(&received(), "gamma.example"));
    wrongly_takes("destination-folded", &signed(&received(), "ALPHA.example"));
    wrongly_takes("destination-port-ignored", &signed(&received(), "alpha.example:1"));
    let named =
        |name: &str| Received { header: honest().header.replacen("alpha.example", name, 1), ..honest() };
    wrongly_takes("destination-ignored", &named("gamma.example"));
    wrongly_takes("empty-destination-taken", &named(""));
    for (loose, request) in
        [("destination-folded", named("gamma.example")), ("empty-destination-taken", named("gamma.example"))]
    {
        assert!(!takes(loose, &request), "{loose}");
    }
}

#[test]
fn a_loose_check_of_the_request_takes_what_its_name_says() {
    let header = |over: Received| signed(&over, "alpha.example").header;
    let received = received();
    for (name, header, sent) in [
        (
            "method-unchecked",
            header(Received { method: "GET".to_owned(), ..received.clone() }),
            received.clone(),
        ),
        (
            "method-upper-cased",
            header(received.clone()),
            Received { method: "put".to_owned(), ..received.clone() },
        ),
        (
            "decoded-uri-taken",
            header(Received { uri: "/a@?b".to_owned(), ..received.clone() }),
            received.clone(),
        ),
        (
            "query-unchecked",
            header(Received { uri: "/a%40".to_owned(), ..received.clone() }),
            received.clone(),
        ),
        ("content-unchecked", header(Received { content: None, ..received.clone() }), received.clone()),
        ("empty-content-is-none", header(received.clone()), Received { content: None, ..received.clone() }),
    ] {
        wrongly_takes(name, &Received { header, ..sent });
    }
}

#[test]
fn a_loose_choice_of_the_key_takes_what_its_name_says() {
    let header = honest().header;
    let with = |from: &str, to: &str| Received { header: header.replacen(from, to, 1), ..received() };
    let other_id = with("ed25519:1", "ed25519:2");
    wrongly_takes("any-key-of-server", &other_id);
    wrongly_takes("first-key-of-server", &other_id);
    let request = Received { receiver: "gamma.example".to_owned(), ..received() };
    let own = signed(&request, "gamma.example");
    let renamed = Received { receiver: "beta.example".to_owned(), ..signed(&request, "beta.example") };
    assert!(Policy::RIGHT.takes(&own));
    wrongly_takes("own-name-taken", &renamed);
    let mut foreign = honest();
    foreign.keys.remove("alpha.example");
    let moved = foreign.keys.remove("beta.example").unwrap();
    foreign.keys.insert("beta.example".to_owned(), [("ed25519:2".to_owned(), key(2).public())].into());
    foreign.keys.insert("delta.example".to_owned(), moved);
    wrongly_takes("key-of-any-server", &foreign);
}

#[test]
fn a_loose_check_of_the_signature_takes_what_its_name_says() {
    let right = XMatrix::parse(&honest().header).unwrap();
    let with = |sig: String| {
        let header = XMatrix { sig, ..right.clone() }.to_string();
        Received { header, ..received() }
    };
    let mut raw = STANDARD_NO_PAD.decode(&right.sig).unwrap();
    wrongly_takes("empty-signature-taken", &with(String::new()));
    wrongly_takes("signature-cut", &with(format!("{}AA", right.sig)));
    wrongly_takes("foreign-characters-skipped", &with(right.sig.clone() + "!"));
    let mut carry = 0;
    for (digit, order) in raw[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        (*digit, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    wrongly_takes("malleable-taken", &with(STANDARD_NO_PAD.encode(&raw)));
    raw[0] ^= 1;
    wrongly_takes("signature-unchecked", &with(STANDARD_NO_PAD.encode(&raw)));
    assert!(!takes("malleable-taken", &with(STANDARD_NO_PAD.encode(&raw))));
}
