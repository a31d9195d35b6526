use super::*;
use crate::spec::hash::CapabilityHash as Hash;

const SET: &str = r#"{"m.cap.voip.v1":{}}"#;
const SPACED: &str = r#"{"m.cap.voip.v1": {}}"#;

fn hash(text: &str) -> String {
    Hash::of(text.as_bytes()).to_string()
}

/// The verdict, the failure, and whether the set is known under its claim.
fn verdict(claim: &str, body: &str) -> (Verdict, Option<&'static str>, Option<String>) {
    let Solution { result, failure, expected, .. } = judge(claim, body.as_bytes());
    (result, failure, expected.map(|known| known.sha256))
}

#[test]
fn a_set_is_known_under_the_claim_that_it_hashes_to() {
    let right = hash(SET);
    assert_eq!(verdict(&right, SPACED), (Verdict::Valid, None, Some(right)));
    assert_eq!(verdict(&hash(SPACED), SPACED), (Verdict::Invalid, Some("mismatch"), None));
    assert_eq!(verdict(&hash("[]"), "[]"), (Verdict::Invalid, Some("not-an-object"), None));
}

#[test]
fn a_claim_may_be_spelled_otherwise_and_the_set_is_known_as_ever() {
    let right = hash("{}");
    let url_safe = right.replace('+', "-").replace('/', "_");
    for claim in [format!("{right}="), url_safe.clone(), format!("{url_safe}=")] {
        let known = Some(right.clone());
        assert_eq!(verdict(&claim, "{}"), (Verdict::Either, Some("malformed-hash"), known), "{claim}");
        assert_eq!(verdict(&claim, SET), (Verdict::Invalid, Some("mismatch"), None), "{claim}");
    }
    let mixed = right.replace('+', "-");
    for claim in ["", "=", &right[1..], &format!("{right}=="), &mixed] {
        assert_eq!(verdict(claim, "{}"), (Verdict::Invalid, Some("malformed-hash"), None), "{claim}");
    }
}

#[test]
fn what_may_be_taken_is_taken_under_the_hashes_that_it_may_have() {
    let large = |digits: &str| format!(r#"{{"m.cap.x.v1":{{"n":{digits}}}}}"#);
    let twice = r#"{"a":{"v":1},"a":{"v":2}}"#;
    for (body, failure, claims) in [
        (
            large("9007199254740993"),
            "integer-out-of-range",
            [large("9007199254740993"), large("9007199254740992")],
        ),
        (twice.to_owned(), "duplicate-key", [r#"{"a":{"v":1}}"#.to_owned(), r#"{"a":{"v":2}}"#.to_owned()]),
    ] {
        for claim in claims.map(|text| hash(&text)) {
            assert_eq!(verdict(&claim, &body), (Verdict::Either, Some(failure), Some(claim.clone())));
        }
        assert_eq!(verdict(&hash(SET), &body), (Verdict::Invalid, Some("mismatch"), None));
    }
}

#[test]
fn each_mistake_takes_what_its_name_says() {
    let right = hash(SET);
    let of = |text: &str| Some(hash(text));
    let right_hash = Some(right.clone());
    let slashes = r#"{"m.cap.example.n11407":{}}"#;
    // The mistake, the claim, the body, and the hash that it is then known under.
    for (mistake, claim, body, known) in [
        ("claim-trusted", hash("{}"), SET, of("{}")),
        ("claim-unchecked", "x".to_owned(), SET, Some("x".to_owned())),
        ("claim-ignored", hash("{}"), SET, right_hash.clone()),
        ("body-unread", right.clone(), "nonsense", right_hash.clone()),
        ("bytes-hashed", hash(SPACED), SPACED, of(SPACED)),
        ("prefix-compared", right[..9].to_owned(), SET, right_hash.clone()),
        ("case-folded", right.to_ascii_lowercase(), SET, right_hash.clone()),
        ("spelling-kept", format!("{right}="), SET, Some(format!("{right}="))),
        ("claim-cut", format!("{right}xyz"), SET, right_hash.clone()),
        ("nul-cut", format!("{right}\0xyz"), SET, right_hash.clone()),
        ("trimmed", format!("\t{right}\r\n"), SET, right_hash.clone()),
        ("padding-uncounted", format!("{right}==="), SET, right_hash.clone()),
        ("foreign-characters-skipped", format!("!{right}."), SET, right_hash.clone()),
        ("hex-taken", hex::encode(sha2_of(SET)), SET, right_hash.clone()),
        ("decoded-twice", hash("{}").replace('/', "%2F"), "{}", of("{}")),
        ("plus-as-space", hash("{}"), "{}", None),
        ("slashes-merged", hash(slashes), slashes, None),
        ("slash-splits", hash("{}"), "{}", None),
        ("spaced", hash(SPACED), SET, of(SPACED)),
        ("spaced", right.clone(), SET, None),
        ("trailing-ignored", right.clone(), r#"{"m.cap.voip.v1":{}}]"#, right_hash.clone()),
        ("refuses-empty", hash("{}"), "{}", None),
    ] {
        let expected = known.map_or(Answer::Refused, |hash| Answer::Taken(hash.into()));
        assert_eq!(mistake::answer(mistake, &claim, body.as_bytes()), Some(expected), "{mistake}");
    }
}

#[test]
fn spare_bits_are_those_that_no_digest_has() {
    let right = hash("{}");
    let spare = format!("{}p", right.strip_suffix('o').unwrap());
    let taken = Some(Answer::Taken(right.clone().into()));
    assert_eq!(mistake::answer("spare-bits-ignored", &spare, b"{}"), taken);
    assert_eq!(mistake::answer("spare-bits-ignored", &right, b"{}"), None);
}

/// A mistake that makes no difference is no mistake there.
#[test]
fn a_claim_that_is_not_mistaken_is_not_answered() {
    for mistake in ["claim-cut", "trimmed", "decoded-twice", "hex-taken", "spelling-kept"] {
        assert_eq!(mistake::answer(mistake, &hash(SET), SET.as_bytes()), None, "{mistake}");
    }
}

fn sha2_of(text: &str) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).to_vec()
}
