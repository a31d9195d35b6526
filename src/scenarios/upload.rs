//! The refusal, the upload, and the hash as normal (draft C6 to C8).

use serde_json::json;

use crate::actors::{Expect, Session, Viewer};
use crate::check;
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;

use super::*;

scenarios! { upload:
    is_asked_for_on_first_sign_up {
        says: "A new user's first hash is refused, recognisably; after the upload it is accepted",
        covers: ["upload.refuse-unknown", "upload.refusal-recognisable", "upload.refusal-as-bound", "upload.accept-after-upload"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
    is_asked_for_at_any_later_time {
        says: "So it is with every later set, as often as it is declared, and the refusal changes nothing",
        covers: ["upload.refuse-unknown", "upload.refusal-recognisable", "upload.refusal-keeps-previous", "upload.accept-after-upload"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    is_not_asked_for_again {
        says: "A set that the same user uploaded, from this or another live session, is not asked for again",
        covers: ["upload.known-hash"],
        needs: [DECLARE, UPLOAD, LOGIN],
        cast: users(1),
    }
    is_remembered_after_logout {
        says: "Nor is it when the session that uploaded it has logged out",
        covers: ["upload.known-after-logout"],
        needs: [DECLARE, UPLOAD, LOGIN],
        cast: users(1),
    }
    is_remembered_across_users {
        says: "Nor is a set that another user uploaded",
        covers: ["upload.known-from-others"],
        needs: [DECLARE, UPLOAD],
        cast: users(2),
    }
    of_another_set_is_refused {
        says: "A body that does not hash to the path is refused, near misses included",
        covers: ["upload.mismatch-refused"],
        needs: [UPLOAD],
        cast: users(1),
    }
    of_another_set_is_not_kept {
        says: "After it the claimed hash is still unknown and resolves to nothing, until the right set comes",
        covers: ["upload.mismatch-not-stored", "upload.no-pinning"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(2),
    }
    is_not_blocked_by_what_went_before {
        says: "Announcing, looking up, or failing to upload a hash never stops a correct upload of it",
        covers: ["upload.no-pinning"],
        needs: [DECLARE, UPLOAD, RESOLVE, SERVER_SET],
        cast: users(2),
    }
    again_changes_nothing {
        says: "Uploading and declaring again is answered as the first time and changes nothing",
        covers: ["upload.idempotent"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    alone_publishes_nothing {
        says: "An upload without a declaration changes no presence",
        covers: ["upload.publishes-nothing"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(3),
    }
    of_what_is_no_set_is_refused {
        says: "Bytes that are no JSON object, or hold what JSON or Matrix forbids, are refused",
        covers: ["upload.bad-input"],
        needs: [DECLARE, UPLOAD],
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
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    under_another_algorithm_is_not_taken {
        says: "A declaration without a usable sha256 is refused, and a known hash under another name does not count",
        covers: ["upload.other-algorithm"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    under_a_malformed_hash_is_refused {
        says: "An upload under a malformed hash is refused without harm",
        covers: ["upload.malformed-hash"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
}

async fn is_asked_for_on_first_sign_up(cx: &Cx) -> Ran {
    let (phone, set) = (cx.user()?.session(), cx.set());
    refused_until_uploaded(cx, &phone, &set).await
}

/// Declares in vain, uploads, declares. Only where the last is accepted was the first refused for
/// being unknown, and not for anything else.
async fn refused_until_uploaded(cx: &Cx, phone: &Session, set: &CapabilitySet) -> Ran {
    let refused = phone.declare(set).await?;
    check!(cx, "upload.refuse-unknown", refused.is_declined());
    check!(cx, "upload.refusal-recognisable", refused.is_refusal(cx.unusable_declare()));
    if cx.covers("upload.refusal-as-bound") {
        let (status, errcode) = cx.refusal();
        check!(cx, "upload.refusal-as-bound", refused.is_error(status, errcode));
    }
    let uploaded = phone.upload(set).await?;
    let accepted = phone.declare(set).await?;
    let accepted =
        uploaded.is_accepted().and(|| accepted.is_accepted()).when("after the refusal and the upload");
    check!(cx, "upload.accept-after-upload", accepted.clone());
    accepted.or_stop()
}

async fn is_asked_for_at_any_later_time(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [old, new, other] = cx.sets();
    phone.publish(&old).await?;
    phone.declare(&new).await?;
    let again = phone.declare(&new).await?;
    check!(cx, "upload.refuse-unknown", again.is_declined().when("for the second time"));
    // Another session's set shows that the refusals have been worked off.
    tablet.publish(&other).await?;
    let kept = phone.status_settles_on(&alice, &Expect::union_of(&[&old, &other])).await?;
    check!(cx, "upload.refusal-keeps-previous", kept.when("after the refusals"));
    refused_until_uploaded(cx, &phone, &new).await
}

async fn is_not_asked_for_again(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [first, second] = cx.sets();
    phone.publish(&first).await?;
    check!(cx, "upload.known-hash", tablet.declare(&first).await?.is_accepted().when("in another session"));
    phone.publish(&second).await?;
    check!(
        cx,
        "upload.known-hash",
        phone.declare(&first).await?.is_accepted().when("in the session that uploaded it")
    );
    Ok(())
}

async fn is_remembered_after_logout(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (tablet, set) = (alice.log_in("tablet").await?, cx.set());
    tablet.publish(&set).await?;
    tablet.log_out().await?;
    check!(cx, "upload.known-after-logout", alice.session().declare(&set).await?.is_accepted());
    Ok(())
}

async fn is_remembered_across_users(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let set = cx.set();
    alice.session().publish(&set).await?;
    check!(cx, "upload.known-from-others", bob.session().declare(&set).await?.is_accepted());
    Ok(())
}

async fn of_another_set_is_refused(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let [set, other] = cx.sets();
    phone.upload(&set).await?.or_stop("a correct upload")?;
    let (right, wrong, body) = (set.hash().to_string(), other.hash().to_string(), set.canonical_bytes());
    let swapped = malformed::other_case(&set.hash()).unwrap_or_else(|| other.hash());
    let near_misses = [
        ("that of another set", wrong.clone()),
        ("the right one in the other case", swapped.to_string()),
        ("the right one but for its first character", format!("{}{}", other_than(&right), &right[1..])),
        ("the right one but for its end", format!("{}{}", &right[..20], &wrong[20..])),
        ("that of another set, padded", format!("{wrong}%3D")),
        ("a prefix of the right one", right[..20].to_owned()),
    ];
    for (what, claim) in near_misses {
        let reply = phone.upload_spelled(&claim, body.clone()).await?;
        check!(
            cx,
            "upload.mismatch-refused",
            reply.is_rejected().when(&format!("where the path's hash is {what}"))
        );
    }
    let longer = [body.as_slice(), b" {}"].concat();
    let reply = phone.upload_as(&set.hash(), longer).await?;
    check!(cx, "upload.mismatch-refused", reply.is_rejected().when("where more follows the right set"));
    Ok(())
}

/// A character that is not the first one of this text.
fn other_than(text: &str) -> char {
    if text.starts_with('A') { 'B' } else { 'A' }
}

async fn of_another_set_is_not_kept(cx: &Cx) -> Ran {
    let (alice, mallory) = (cx.user()?, cx.user()?);
    let (phone, liar) = (alice.session(), mallory.session());
    let [set, other] = cx.sets();
    phone.publish(&cx.set()).await?;
    for session in [&liar, &phone] {
        session.upload_as(&set.hash(), other.canonical_bytes()).await?;
    }
    let refused = phone.declare(&set).await?;
    check!(cx, "upload.mismatch-not-stored", refused.is_declined().when("after a mismatched upload of it"));
    let resolved = phone.resolve(&alice, &set.hash()).await?;
    let nothing = resolved.is_rejected_with_error().when("after a mismatched upload of it");
    check!(cx, "upload.mismatch-not-stored", nothing);
    // The right set makes the same requests succeed: they failed for want of it alone.
    let uploaded = phone.upload(&set).await?;
    let accepted = phone.declare(&set).await?;
    let right = uploaded.is_accepted().and(|| accepted.is_accepted());
    let right = right.when("after two mismatched uploads of that hash");
    check!(cx, "upload.no-pinning", right.clone());
    right.or_stop()?;
    check!(cx, "upload.mismatch-not-stored", phone.can_resolve(&alice, &set).await?);
    Ok(())
}

async fn is_not_blocked_by_what_went_before(cx: &Cx) -> Ran {
    let (alice, mallory) = (cx.user()?, cx.user()?);
    let (phone, other) = (alice.session(), mallory.session());
    let set = cx.set();
    let body = set.canonical_bytes();
    phone.publish(&cx.set()).await?;
    // Announced and never delivered; looked up; half delivered; delivered as nonsense.
    other.declare(&set).await?;
    other.resolve(&mallory, &set.hash()).await?;
    phone.resolve(&alice, &set.hash()).await?;
    phone.server_set(&set.hash()).await?;
    other.upload_as(&set.hash(), body[..body.len() / 2].to_vec()).await?;
    other.upload_as(&set.hash(), "not JSON").await?;
    phone.upload_as(&set.hash(), "[]").await?;
    let uploaded = phone.upload(&set).await?;
    check!(
        cx,
        "upload.no-pinning",
        uploaded.is_accepted().when("after failed uploads and lookups of that hash")
    );
    check!(cx, "upload.no-pinning", phone.declare(&set).await?.is_accepted());
    check!(cx, "upload.no-pinning", phone.can_resolve(&alice, &set).await?);
    Ok(())
}

async fn again_changes_nothing(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [set, other, more] = cx.sets();
    let uploaded = phone.upload(&set).await?.or_stop("a correct upload")?;
    check!(cx, "upload.idempotent", phone.upload(&set).await?.is_like(&uploaded));
    let declared = phone.declare(&set).await?.or_stop("the declaration of an uploaded set")?;
    check!(cx, "upload.idempotent", phone.upload(&set).await?.is_accepted().when("while it is in force"));
    // Another session's set shows that what was repeated has been worked off.
    tablet.publish(&other).await?;
    let kept = phone.status_settles_on(&alice, &Expect::union_of(&[&set, &other])).await?;
    check!(cx, "upload.idempotent", kept.when("after it was uploaded again"));
    check!(cx, "upload.idempotent", phone.declare(&set).await?.is_like(&declared));
    tablet.publish(&more).await?;
    let kept = phone.status_settles_on(&alice, &Expect::union_of(&[&set, &more])).await?;
    check!(cx, "upload.idempotent", kept.when("after it was declared again"));
    Ok(())
}

async fn alone_publishes_nothing(cx: &Cx) -> Ran {
    let (alice, bob, carol) = (cx.user()?, cx.user()?, cx.user()?);
    let (phone, witness) = (alice.session(), carol.session());
    cx.room(&phone, &[&bob.session(), &witness]).await?;
    let [declared, uploaded, marker] = cx.sets();
    phone.publish(&declared).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&declared)).await?.or_stop()?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    phone.upload(&uploaded).await?.or_stop("a correct upload")?;
    // What Carol declared later has come; what Alice uploaded before it has not.
    witness.publish(&marker).await?;
    viewer.sees(&carol, &Expect::hash_of(&marker)).await?.or_stop()?;
    check!(cx, "upload.publishes-nothing", viewer.never_saw(&alice, &Expect::hash_of(&uploaded)));
    let after = phone.status_says(&alice, &Expect::hash_of(&declared)).await?;
    check!(cx, "upload.publishes-nothing", after.when("after another set was uploaded"));
    Ok(())
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
    phone.publish(&cx.set()).await?;
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
    phone.publish(&cx.set()).await?;
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
    check!(cx, "upload.too-large", reply.is_status(&[413]).when("for one byte more than the named limit"));
    Ok(())
}

/// One byte more than the target's limit for a set, or what no server should want.
fn too_many(cx: &Cx) -> Result<usize, Stop> {
    match cx.limits().max_set_bytes {
        Some(limit) if limit < Cx::SMALLEST || limit > MOST => {
            let reason = format!("limits.max_set_bytes is {limit}: a body around it cannot be tried");
            Err(Stop::NotApplicable { reason })
        }
        limit => Ok(limit.map_or(OVERSIZED, |limit| limit + 1)),
    }
}

/// What is sent where the target names no limit: more than any server should want.
const OVERSIZED: usize = 2 << 20;

/// The largest named limit that is exceeded for a test.
const MOST: usize = 32 << 20;

async fn beyond_any_limit_does_no_harm(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [before, other, after] = cx.sets();
    phone.publish(&before).await?;
    let size = too_many(cx)?;
    let oversized = phone.upload_too_much(&cx.set_of_bytes(size)).await?;
    if oversized.accepted() {
        return Err(Stop::NotApplicable { reason: format!("the target takes sets of {size} bytes") });
    }
    let moment = "after an oversized upload";
    let lives = phone.whoami().await?.is_accepted().and_the_session_lives();
    check!(cx, "upload.too-large-harmless", lives.when(moment));
    // Another session's set shows that the upload has been worked off.
    tablet.publish(&other).await?;
    let kept = phone.status_settles_on(&alice, &Expect::union_of(&[&before, &other])).await?;
    check!(cx, "upload.too-large-harmless", kept.when(moment));
    check!(cx, "upload.too-large-harmless", phone.upload(&after).await?.is_accepted().when(moment));
    check!(cx, "upload.too-large-harmless", phone.declare(&after).await?.is_accepted().when(moment));
    let changed = phone.status_settles_on(&alice, &Expect::union_of(&[&after, &other])).await?;
    check!(cx, "upload.too-large-harmless", changed.when(moment));
    Ok(())
}

async fn under_another_algorithm_is_not_taken(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [set, known, other] = cx.sets();
    phone.publish(&set).await?;
    phone.upload(&known).await?.or_stop("a correct upload")?;
    let known = known.hash();
    let bodies = [
        ("no hash", json!({})),
        ("a null hash", json!({ "sha256": null })),
        ("a hash that is a number", json!({ "sha256": 1 })),
        ("a hash that is a list", json!({ "sha256": [known.as_str()] })),
        ("an unknown algorithm alone", json!({ "org.capcheck.whirlpool": "AAAA" })),
        ("a known sha256 value under sha512", json!({ "sha512": known.as_str() })),
        ("a known sha256 value under SHA256", json!({ "SHA256": known.as_str() })),
        ("a known sha256 value under the empty name", json!({ "": known.as_str() })),
    ];
    for (what, body) in bodies {
        let reply = phone.declare_body(body.to_string()).await?;
        check!(cx, "upload.other-algorithm", reply.is_rejected().when(&format!("for {what}")));
    }
    // Another session's set shows that the declarations have been worked off.
    tablet.publish(&other).await?;
    let kept = phone.status_settles_on(&alice, &Expect::union_of(&[&set, &other])).await?;
    check!(cx, "upload.other-algorithm", kept.when("after declarations under other names"));
    Ok(())
}

async fn under_a_malformed_hash_is_refused(cx: &Cx) -> Ran {
    let (phone, set) = (cx.user()?.session(), cx.set());
    phone.upload(&set).await?.or_stop("a correct upload")?;
    for malformed in malformed::hashes(&set.hash()) {
        let reply = phone.upload_spelled(&malformed.spelled, set.canonical_bytes()).await?;
        check!(cx, "upload.malformed-hash", malformed.is_refused_by(&reply));
    }
    check!(cx, "upload.malformed-hash", phone.declare(&set).await?.is_accepted().when("after all of that"));
    Ok(())
}
