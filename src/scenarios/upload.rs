//! The refusal, the upload, and the hash as normal (draft C6 to C8).

use serde_json::json;

use crate::actors::{Expect, Session, Viewer};
use crate::check;
use crate::spec::capability::CapabilitySet;

use super::ground::Marker;
use super::*;

pub(super) mod bodies;

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
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    is_not_asked_for_again {
        says: "A set that the same user uploaded, from this or another live session, is not asked for again",
        covers: ["upload.known-hash"],
        needs: [DECLARE, UPLOAD, SESSIONS],
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
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    alone_publishes_nothing {
        says: "An upload without a declaration changes no presence",
        covers: ["upload.publishes-nothing"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(3),
    }
    under_another_algorithm_is_not_taken {
        says: "A declaration without a usable sha256 is refused, and a known hash under another name does not count",
        covers: ["upload.other-algorithm"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
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
    // How a refusal looks is only seen where there is one.
    if refused.says_no() {
        check!(cx, "upload.refusal-recognisable", refused.is_refusal(cx.unusable_declare()));
        if cx.covers("upload.refusal-as-bound") {
            check!(cx, "upload.refusal-as-bound", refused.is_refusal_as_bound(cx.refusal()));
        }
    }
    phone.upload(set).await?.or_stop("the upload of a set")?;
    let accepted = phone.declare(set).await?.is_accepted().when("after the refusal and the upload");
    check!(cx, "upload.accept-after-upload", accepted.clone());
    accepted.or_stop()
}

async fn is_asked_for_at_any_later_time(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let [old, new] = cx.sets();
    phone.publish(&old).await?;
    phone.declare(&new).await?;
    let again = phone.declare(&new).await?;
    check!(cx, "upload.refuse-unknown", again.is_declined().when("for the second time"));
    refused_until_uploaded(cx, &phone, &new).await?;
    let marker = Marker::beside(cx, &alice, &new).await?;
    phone.declare_hash(&cx.unknown_hash()).await?;
    check!(cx, "upload.refusal-keeps-previous", marker.shows(&new).await?.when("after a refusal"));
    Ok(())
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
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [before, set] = cx.sets();
    // While that session lives, what it uploaded is known to the other one.
    tablet.publish(&before).await?;
    phone.declare(&before).await?.or_stop("declaring what another session uploaded")?;
    tablet.publish(&set).await?;
    tablet.log_out().await?;
    check!(cx, "upload.known-after-logout", phone.declare(&set).await?.is_accepted());
    Ok(())
}

async fn is_remembered_across_users(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let set = cx.set();
    alice.session().publish(&set).await?;
    alice.session().declare(&set).await?.or_stop("declaring again")?;
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
    ];
    let malformed = [
        ("that of another set, padded", format!("{wrong}%3D")),
        ("a prefix of the right one", right[..20].to_owned()),
    ];
    for (what, claim) in near_misses {
        mismatched(cx, &phone, what, &claim, &body).await?;
    }
    phone
        .upload_spelled("no-hash", body.clone())
        .await?
        .is_rejected()
        .when("for what is no hash")
        .or_stop()?;
    for (what, claim) in malformed {
        mismatched(cx, &phone, what, &claim, &body).await?;
    }
    Ok(())
}

/// Uploads under a hash that is another's, or nobody's.
async fn mismatched(cx: &Cx, phone: &Session, what: &str, claim: &str, body: &[u8]) -> Ran {
    let reply = phone.upload_spelled(claim, body.to_vec()).await?;
    let moment = format!("where the path's hash is {what}");
    check!(cx, "upload.mismatch-refused", reply.is_rejected().when(&moment));
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
    ground::resolvable(cx, &alice, &phone).await?;
    ground::refusal(cx, &phone).await?;
    ground::resolving_nothing(cx, &alice, &phone).await?;
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
    ground::resolvable(cx, &alice, &phone).await?;
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
    let (phone, set) = (alice.session(), cx.set());
    let uploaded = phone.upload(&set).await?.or_stop("a correct upload")?;
    check!(cx, "upload.idempotent", phone.upload(&set).await?.is_like(&uploaded));
    let declared = phone.declare(&set).await?.or_stop("the declaration of an uploaded set")?;
    let marker = Marker::beside(cx, &alice, &set).await?;
    check!(cx, "upload.idempotent", phone.upload(&set).await?.is_accepted().when("while it is in force"));
    check!(cx, "upload.idempotent", marker.shows(&set).await?.when("after it was uploaded again"));
    check!(cx, "upload.idempotent", phone.declare(&set).await?.is_like(&declared));
    check!(cx, "upload.idempotent", marker.shows(&set).await?.when("after it was declared again"));
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

async fn under_another_algorithm_is_not_taken(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let [set, known] = cx.sets();
    phone.publish(&set).await?;
    phone.upload(&known).await?.or_stop("a correct upload")?;
    let marker = Marker::beside(cx, &alice, &set).await?;
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
    let kept = marker.shows(&set).await?;
    check!(cx, "upload.other-algorithm", kept.when("after declarations under other names"));
    Ok(())
}
