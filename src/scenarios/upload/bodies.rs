//! What may be uploaded: bodies that are no set, contested ones, large ones (draft C7).

use serde_json::json;

use crate::actors::{Expect, Reply, Session};
use crate::check;
use crate::outcome::{Judgement, Stop};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::vectors::{self, BadUpload};

use super::super::ground::Marker;
use super::super::*;

scenarios! { upload:
    of_what_is_no_set_is_refused {
        says: "Bytes that are no JSON object, or hold what JSON or Matrix forbids, are refused",
        covers: ["upload.bad-input"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
    of_golden_mistakes_is_refused {
        says: "Every golden vector that is no set is refused, or taken so that it hashes back where that is left free",
        covers: ["upload.bad-input", "upload.duplicate-keys", "upload.values-are-objects"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    of_contested_numbers_is_refused_or_consistent {
        says: "Contested numbers and deep nesting are refused, or accepted so that everything hashes back to the claim",
        covers: ["upload.bad-input"],
        needs: [DECLARE, UPLOAD, RESOLVE, PRESENCE],
        cast: users(1),
    }
    of_duplicate_keys_is_refused_or_consistent {
        says: "Duplicate keys are refused, or what is served hashes to the claim",
        covers: ["upload.duplicate-keys"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    of_values_that_are_no_objects_is_refused {
        says: "A capability's value is an object",
        covers: ["upload.values-are-objects"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
    of_64_kib_is_accepted {
        says: "A set of 65,536 bytes is accepted",
        covers: ["upload.size-accepted"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
    beyond_the_limit_is_refused_as_too_large {
        says: "A set beyond the named limit is refused as too large",
        covers: ["upload.too-large"],
        needs: [UPLOAD, SIZE_LIMIT],
        cast: users(1),
    }
    beyond_any_limit_does_no_harm {
        says: "An oversized upload leaves session, presence and server in working order",
        covers: ["upload.too-large-harmless"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    under_a_malformed_hash_is_refused {
        says: "An upload under a malformed hash is refused without harm",
        covers: ["upload.malformed-hash"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
}

/// Bodies that no server may take, with what a lenient one might make of them.
fn no_sets(name: &str) -> Vec<(&'static str, Vec<u8>, Vec<String>)> {
    let quoted = |value: &str| format!("{{\"{name}\":{value}}}");
    let plain = |what, body: &str| (what, body.as_bytes().to_vec(), Vec::new());
    let taken = |what, body: Vec<u8>, made: String| (what, body, vec![made]);
    let utf16: Vec<u8> = quoted("{}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        plain("empty", ""),
        plain("no JSON", "capabilities"),
        plain("cut off", &quoted("{").replace('}', "")),
        taken("two values", quoted("{}").repeat(2).into_bytes(), quoted("{}")),
        taken("a set and a brace", (quoted("{}") + "}").into_bytes(), quoted("{}")),
        taken("a set and, after a space, the empty one", (quoted("{}") + " {}").into_bytes(), quoted("{}")),
        taken("UTF-16", utf16, quoted("{}")),
        taken(
            "bad UTF-8",
            [b"{\"", name.as_bytes(), b"\xff\":{}}"].concat(),
            format!("{{\"{name}\u{fffd}\":{{}}}}"),
        ),
        plain("an array", &format!("[\"{name}\"]")),
        plain("a string", &format!("\"{name}\"")),
        plain("null", "null"),
        plain("a number", "1"),
        taken("a fraction inside", quoted(r#"{"max":1.5}"#).into_bytes(), quoted(r#"{"max":1}"#)),
        plain("NaN inside", &quoted(r#"{"max":NaN}"#)),
        plain("Infinity inside", &quoted(r#"{"max":-Infinity}"#)),
        taken(
            "a high surrogate alone",
            quoted(r#"{"x":"\ud83d"}"#).into_bytes(),
            quoted("{\"x\":\"\u{fffd}\"}"),
        ),
        taken("a low surrogate as a key", quoted(r#"{"\ude02":1}"#).into_bytes(), quoted("{\"\u{fffd}\":1}")),
        taken("a raw line feed in a string", quoted("{\"x\":\"\n\"}").into_bytes(), quoted(r#"{"x":"\n"}"#)),
    ]
}

async fn of_what_is_no_set_is_refused(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    phone.publish(&cx.set()).await?;
    ground::refusal(cx, &phone).await?;
    for (what, body, made) in no_sets(&cx.name()) {
        let claims = made.iter().map(String::as_bytes).chain([body.as_slice()]).map(CapabilityHash::of);
        for claim in claims.filter(|claim| cx.fits_a_path(claim)) {
            let reply = phone.upload_as(&claim, body.clone()).await?;
            check!(cx, "upload.bad-input", reply.is_rejected().when(&format!("for a body that is {what}")));
            let declared = phone.declare_hash(&claim).await?;
            let moment = format!("for the hash of a body that is {what}");
            check!(cx, "upload.bad-input", declared.is_declined().when(&moment));
        }
    }
    Ok(())
}

/// An upload is judged by the hash of its Canonical JSON: neither any claim is believed, nor one that is
/// right of the bytes as they are.
async fn hashes_as_it_should(cx: &Cx, phone: &Session) -> Ran {
    let unsorted = format!(r#"{{"{}":{{"b":1,"a":2}}}}"#, cx.name());
    let claim = CapabilityHash::of(unsorted.as_bytes());
    if cx.fits_a_path(&claim) {
        let reply = phone.upload_as(&claim, unsorted).await?;
        reply.is_rejected().when("for a set under the hash of its bytes").or_stop()?;
    }
    Ok(())
}

async fn of_golden_mistakes_is_refused(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    ground::resolvable(cx, &alice, &phone).await?;
    hashes_as_it_should(cx, &phone).await?;
    for vector in vectors::bad_uploads().iter().filter(|vector| cx.fits_a_path(&vector.claim())) {
        let claim = vector.claim();
        let reply = phone.upload_as(&claim, vector.input.clone()).await?;
        let judged = if vector.may_be_accepted && reply.accepted() {
            phone.declare_hash(&claim).await?.or_stop("the declaration of an accepted upload")?;
            phone.resolve_settles(&alice, &claim, |reply| taken_as_claimed(vector, reply, &claim)).await?
        } else {
            reply.is_rejected()
        };
        let judged = judged.when(&format!("for vector {}", vector.id));
        match vector.requirement {
            "upload.duplicate-keys" => check!(cx, "upload.duplicate-keys", judged),
            "upload.values-are-objects" => check!(cx, "upload.values-are-objects", judged),
            _ => check!(cx, "upload.bad-input", judged),
        };
    }
    Ok(())
}

/// Whether what is served of a body that may be taken hashes to the claim; contested numbers as they are.
fn taken_as_claimed(vector: &BadUpload, reply: &Reply, claim: &CapabilityHash) -> Judgement {
    match vector.requirement {
        "upload.duplicate-keys" => reply.serves_what_hashes_to(claim),
        _ => reply.hashes_back_to(claim),
    }
}

/// Bodies on which readers of JSON differ: what it is, how it is sent, and what might be hashed.
fn contested(name: &str) -> Vec<(&'static str, String, Vec<String>)> {
    let with = |value: &str| format!("{{\"{name}\":{{\"max\":{value}}}}}");
    let nested =
        |depth: usize| format!("{{\"{name}\":{}{}}}", r#"{"a":"#.repeat(depth) + "{}", "}".repeat(depth));
    let number = |what, sent: &str, read: &[&str]| {
        let claims = read.iter().chain([&sent]).map(|value| with(value)).collect();
        (what, with(sent), claims)
    };
    vec![
        number("2^53", "9007199254740992", &["9007199254740991", "9007199254740992.0"]),
        number("2^53 + 1", "9007199254740993", &["9007199254740992"]),
        number("-2^53 - 1", "-9007199254740993", &["-9007199254740992"]),
        number("2^64", "18446744073709551616", &["18446744073709551615", "18446744073709552000"]),
        number("minus zero", "-0", &["0"]),
        number("1.0", "1.0", &["1"]),
        number("1e2", "1e2", &["100"]),
        ("a hundred objects deep", nested(100), vec![nested(100)]),
    ]
}

async fn of_contested_numbers_is_refused_or_consistent(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let plain = ground::resolvable(cx, &alice, &phone).await?;
    phone.reads_or_stop(&alice, &[&plain]).await?;
    let encoded = cx.salted_until(CapabilitySet::default(), |set| {
        set.hash().as_str().contains('+') && set.hash().as_str().contains('/')
    });
    if cx.fits_a_path(&encoded.hash()) {
        phone.publish(&encoded).await?;
        phone.reads_or_stop(&alice, &[&encoded]).await?;
    }
    for (what, sent, hashed) in contested(&cx.name()) {
        let claims = hashed.iter().map(|text| CapabilityHash::of(text.as_bytes()));
        for claim in claims.filter(|claim| cx.fits_a_path(claim)) {
            let reply = phone.upload_as(&claim, sent.clone()).await?;
            let moment = format!("for a body with {what}");
            if !reply.accepted() {
                check!(cx, "upload.bad-input", reply.is_rejected().when(&moment));
                continue;
            }
            check!(cx, "upload.bad-input", phone.declare_hash(&claim).await?.is_accepted().when(&moment));
            let expect = Expect::Hash { hash: claim.clone(), of: what.to_owned() };
            check!(cx, "upload.bad-input", phone.status_settles_on(&alice, &expect).await?);
            let served = phone.resolve_settles(&alice, &claim, |reply| reply.hashes_back_to(&claim)).await?;
            check!(cx, "upload.bad-input", served.when(&moment));
        }
    }
    check!(cx, "upload.bad-input", phone.upload(&cx.set()).await?.is_accepted().when("after all of that"));
    Ok(())
}

async fn of_duplicate_keys_is_refused_or_consistent(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    ground::resolvable(cx, &alice, &phone).await?;
    ground::resolving_nothing(cx, &alice, &phone).await?;
    hashes_as_it_should(cx, &phone).await?;
    let (one, two, inner) = (cx.name(), cx.name(), cx.name());
    let escaped = format!("\\u{:04x}{}", u32::from(two.chars().next().unwrap_or('a')), &two[1..]);
    let bodies = [
        (
            "a name twice",
            format!(r#"{{"{one}":{{"v":1}},"{one}":{{"v":2}}}}"#),
            [1, 2].map(|v| format!(r#"{{"{one}":{{"v":{v}}}}}"#)),
        ),
        (
            "a name twice, once with an escape",
            format!(r#"{{"{two}":{{"v":1}},"{escaped}":{{"v":2}}}}"#),
            [1, 2].map(|v| format!(r#"{{"{two}":{{"v":{v}}}}}"#)),
        ),
        (
            "a parameter twice",
            format!(r#"{{"{inner}":{{"v":1,"v":2}}}}"#),
            [1, 2].map(|v| format!(r#"{{"{inner}":{{"v":{v}}}}}"#)),
        ),
    ];
    for (what, sent, read) in bodies {
        let claims = read.iter().chain([&sent]).map(|text| CapabilityHash::of(text.as_bytes()));
        for claim in claims.filter(|claim| cx.fits_a_path(claim)) {
            let reply = phone.upload_as(&claim, sent.clone()).await?;
            let moment = format!("for a body with {what}");
            if !reply.accepted() {
                check!(cx, "upload.duplicate-keys", reply.is_rejected().when(&moment));
                continue;
            }
            // Not in force yet it may be served or not; what is served then is what was stored, while
            // what is served of a union was written anew.
            let stored = phone.resolve(&alice, &claim).await?;
            if !stored.is_4xx() {
                check!(cx, "upload.duplicate-keys", stored.serves_what_hashes_to(&claim).when(&moment));
            }
            phone.declare_hash(&claim).await?.or_stop("the declaration of an accepted upload")?;
            let served =
                phone.resolve_settles(&alice, &claim, |reply| reply.serves_what_hashes_to(&claim)).await?;
            check!(cx, "upload.duplicate-keys", served.when(&moment));
        }
    }
    Ok(())
}

async fn of_values_that_are_no_objects_is_refused(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    phone.publish(&cx.set()).await?;
    let name = cx.name();
    for value in [json!(true), json!(null), json!(1), json!("yes"), json!([]), json!([{}])] {
        let body = format!("{{\"{name}\":{value}}}");
        let claim = CapabilityHash::of(body.as_bytes());
        if !cx.fits_a_path(&claim) {
            continue;
        }
        let reply = phone.upload_as(&claim, body).await?;
        check!(cx, "upload.values-are-objects", reply.is_rejected().when(&format!("for the value {value}")));
    }
    Ok(())
}

async fn of_64_kib_is_accepted(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    phone.publish(&cx.set()).await?;
    let set = cx.set_of_bytes(65_536);
    let uploaded = phone.upload(&set).await?;
    if check!(cx, "upload.size-accepted", uploaded.is_accepted()) {
        check!(cx, "upload.size-accepted", phone.declare(&set).await?.is_accepted());
    }
    Ok(())
}

/// What is sent where the target names no limit: more than any server should want.
const OVERSIZED: usize = 2 << 20;

/// The largest named limit that is exceeded for a test.
const MOST: usize = 32 << 20;

/// One byte more than the target's limit for a set, or what no server should want.
fn too_many(cx: &Cx) -> Result<usize, Stop> {
    match cx.limits().max_set_bytes {
        Some(limit) if !(Cx::SMALLEST..=MOST).contains(&limit) => {
            let reason = format!("limits.max_set_bytes is {limit}: a body around it cannot be tried");
            Err(Stop::NotApplicable { reason })
        }
        limit => Ok(limit.map_or(OVERSIZED, |limit| limit + 1)),
    }
}

async fn beyond_the_limit_is_refused_as_too_large(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    phone.upload(&cx.set()).await?.or_stop("a small upload")?;
    let reply = phone.upload_too_much(&cx.set_of_bytes(too_many(cx)?)).await?;
    if reply.exchange().status().is_none() {
        // A server may close as soon as it has answered, and the answer may be lost with the connection.
        return Err(Stop::untestable(
            "the connection closed before an answer could be read",
            reply.exchange(),
        ));
    }
    check!(cx, "upload.too-large", reply.says_too_large().when("for one byte more than the named limit"));
    Ok(())
}

async fn beyond_any_limit_does_no_harm(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let [before, after] = cx.sets();
    phone.publish(&before).await?;
    let marker = Marker::beside(cx, &alice, &before).await?;
    let size = too_many(cx)?;
    let oversized = phone.upload_too_much(&cx.set_of_bytes(size)).await?;
    if oversized.accepted() {
        return Err(Stop::NotApplicable { reason: format!("the target takes sets of {size} bytes") });
    }
    let moment = "after an oversized upload";
    let lives = phone.whoami().await?.is_accepted().and_the_session_lives();
    check!(cx, "upload.too-large-harmless", lives.when(moment));
    check!(cx, "upload.too-large-harmless", marker.shows(&before).await?.when(moment));
    check!(cx, "upload.too-large-harmless", phone.upload(&after).await?.is_accepted().when(moment));
    check!(cx, "upload.too-large-harmless", phone.declare(&after).await?.is_accepted().when(moment));
    check!(cx, "upload.too-large-harmless", marker.shows(&after).await?.when(moment));
    Ok(())
}

async fn under_a_malformed_hash_is_refused(cx: &Cx) -> Ran {
    let (phone, set) = (cx.user()?.session(), cx.set());
    phone.publish(&set).await?;
    phone.declare(&set).await?.or_stop("declaring again")?;
    for malformed in malformed::hashes(&set.hash()) {
        let reply = phone.upload_spelled(&malformed.spelled, set.canonical_bytes()).await?;
        check!(cx, "upload.malformed-hash", malformed.is_refused_by(&reply));
    }
    check!(cx, "upload.malformed-hash", phone.declare(&set).await?.is_accepted().when("after all of that"));
    Ok(())
}
