//! Declaring, uploading, and the union of what was declared.

use std::collections::BTreeSet;

use serde_json::json;

use super::site::*;

pub(super) async fn declarations(site: &Site) {
    let alice = site.user("d-alice");
    let fresh = |n: u32| hash_of(set_of(&[&format!("fresh.n{n}")]));
    let refused = site.declare(&alice, &fresh(0)).await;
    site.check("upload.refuse-unknown", "first", refused.status >= 400);
    let empty = site.declare_body(&alice, &json!({})).await;
    site.check("upload.refusal-as-bound", "code", refused.is(404, "M_NOT_FOUND"));
    let telling = refused.is_refused() && ![401, 405, 429].contains(&refused.status);
    let telling =
        telling && !["M_UNAUTHORIZED", "M_UNRECOGNIZED", "M_LIMIT_EXCEEDED"].contains(&refused.errcode());
    site.check(
        "upload.refusal-recognisable",
        "code",
        refused.is_ok() || telling && refused.errcode() != empty.errcode(),
    );
    let set = set_of(&["fresh.n0"]);
    site.check("upload.accept-after-upload", "after refusal", site.put(&alice, &set).await);
    site.check("upload.refuse-unknown", "later", site.declare(&alice, &fresh(1)).await.status >= 400);
    let kept = site.status(&alice, &alice.user).await.is_some();
    site.check("upload.refusal-keeps-previous", "status", kept);
    let hash = hash_of(&set);
    site.check("upload.known-hash", "again", site.declare(&alice, &hash).await.is_ok());
    let phone = site.device(&alice.user, "PHONE");
    site.check("upload.known-hash", "other session", site.declare(&phone, &hash).await.is_ok());
    let carol = site.user("d-carol");
    site.check("upload.known-from-others", "other user", site.declare(&carol, &hash).await.is_ok());
    let (brief, late) = (site.device(&alice.user, "BRIEF"), set_of(&["brief"]));
    site.upload(&brief, &hash_of(&late), late.clone()).await;
    site.post(&brief, "/logout", &json!({})).await;
    site.check("upload.known-after-logout", "declare", site.declare(&alice, &hash_of(&late)).await.is_ok());
    for (body, what) in
        [(json!({ "sha512": hash }), "known under another name"), (json!({ "md5": "x" }), "unknown")]
    {
        site.check("upload.other-algorithm", what, site.declare_body(&alice, &body).await.is_refused());
    }
    let beside = json!({ "sha256": hash, "sha512": "x" });
    site.check("upload.other-algorithm", "beside", site.declare_body(&alice, &beside).await.is_ok());
}

pub(super) async fn uploads(site: &Site) {
    let alice = site.user("u-alice");
    let (set, other) = (set_of(&["u.one"]), set_of(&["u.other"]));
    let hash = hash_of(&set);
    let near = format!("{}{}", &hash_of(&other)[..8], &hash[8..]);
    for claim in [hash.clone(), swapped(&hash_of(&other)), near] {
        let refused = site.upload(&alice, &claim, other.clone()).await.is_refused();
        site.check("upload.mismatch-refused", &claim, refused);
    }
    site.check("upload.mismatch-not-stored", "declare", !site.declare(&alice, &hash).await.is_ok());
    site.check(
        "upload.mismatch-not-stored",
        "resolve",
        !site.resolve(&alice, &alice.user, &hash).await.is_ok(),
    );
    site.check(
        "upload.no-pinning",
        "after mismatch and lookup",
        site.upload(&alice, &hash, set.clone()).await.is_ok(),
    );
    site.check("upload.publishes-nothing", "status", site.status(&alice, &alice.user).await.is_none());
    site.check("upload.no-pinning", "declare", site.declare(&alice, &hash).await.is_ok());
    site.check("resolve.unknown", "afterwards", site.resolve(&alice, &alice.user, &hash).await.is_ok());
    let again = site.upload(&alice, &hash, set.clone()).await.is_ok();
    let still = site.status(&alice, &alice.user).await.is_some();
    site.check("upload.idempotent", "again", again && still);
    let bad = [
        ("", hash_of("{}")),
        ("{\"a\":", hash_of("{}")),
        (r#"["m.list"]"#, raw_hash(r#"["m.list"]"#)),
        (r#"{"a":{"x":1.5}}"#, raw_hash(r#"{"a":{"x":1.5}}"#)),
        (r#"{"a":{"x":NaN}}"#, raw_hash(r#"{"a":{"x":NaN}}"#)),
        (r#"{"a":{"x":"\ud800"}}"#, raw_hash(r#"{"a":{"x":"\ud800"}}"#)),
        ("{\"t\":{}} garbage", hash_of("{\"t\":{}}")),
    ];
    for (body, claim) in bad {
        site.check("upload.bad-input", body, site.upload(&alice, &claim, body).await.is_refused());
    }
    let any = r#"{"a":1}"#;
    site.check("upload.values-are-objects", any, site.upload(&alice, &raw_hash(any), any).await.is_refused());
    let doubled = r#"{"twice":{"x":1},"twice":{"x":2}}"#;
    for claim in [hash_of(r#"{"twice":{"x":1}}"#), hash_of(r#"{"twice":{"x":2}}"#)] {
        let uploaded = site.upload(&alice, &claim, doubled).await.is_ok();
        let good = !uploaded || site.resolve(&alice, &alice.user, &claim).await.is_set(&claim);
        site.check("upload.duplicate-keys", &claim, good);
    }
}

pub(super) async fn sizes(site: &Site) {
    let alice = site.user("u-large");
    let of_size = |n: usize| format!(r#"{{"{}":{{}}}}"#, "x".repeat(n - 7));
    let accepted = of_size(65_536);
    site.check(
        "upload.size-accepted",
        "64 KiB",
        site.upload(&alice, &hash_of(&accepted), accepted).await.is_ok(),
    );
    site.put(&alice, &set_of(&["u.small"])).await;
    let before = site.status(&alice, &alice.user).await;
    let large = of_size(MAX + 1);
    let reply = site.upload(&alice, &hash_of(&large), large).await;
    site.check("upload.too-large", "413", reply.is(413, "M_TOO_LARGE"));
    let after = site.status(&alice, &alice.user).await;
    site.check("upload.too-large-harmless", "status", before == after);
    site.check("upload.too-large-harmless", "upload", site.put(&alice, &set_of(&["u.after"])).await);
}

pub(super) async fn unions(site: &Site) {
    let alice = site.user("n-alice");
    let [phone, tablet] = ["PHONE", "TABLET"].map(|device| site.device(&alice.user, device));
    let status = || site.status(&alice, &alice.user);
    let of = |names: &[&str]| Some(hash_of(set_of(names)));
    site.put(&alice, &set_of(&["m.z", "m.b"])).await;
    site.check("union.single", "status", status().await == of(&["m.b", "m.z"]));
    site.check("union.undeclared", "status", status().await == of(&["m.b", "m.z"]));
    site.put(&phone, &set_of(&["m.a", "m.y"])).await;
    let union = status().await;
    site.check("union.order-free", "late names first", union == of(&["m.a", "m.b", "m.y", "m.z"]));
    site.check("union.of-all", "two", union == of(&["m.a", "m.b", "m.y", "m.z"]));
    let served = site.resolve(&alice, &alice.user, &union.clone().unwrap_or_default()).await;
    site.check("union.resolvable", "two", served.is_set(&union.unwrap_or_default()));
    site.put(&tablet, &set_of(&["m.x", "m.a"])).await;
    site.check("union.of-all", "three", status().await == of(&["m.a", "m.b", "m.x", "m.y", "m.z"]));
    site.check("union.idempotent", "shared name", status().await == of(&["m.a", "m.b", "m.x", "m.y", "m.z"]));
    site.put(&phone, &set_of(&["m.p"])).await;
    site.check(
        "union.redeclare-replaces",
        "status",
        status().await == of(&["m.a", "m.b", "m.p", "m.x", "m.z"]),
    );
    site.put(&phone, "{}").await;
    site.check("union.empty-set", "status", status().await == of(&["m.a", "m.b", "m.x", "m.z"]));
    site.put(&phone, &set_of(&["m.a"])).await;
    site.post(&tablet, "/logout", &json!({})).await;
    site.check("union.idempotent", "stays", status().await == of(&["m.a", "m.b", "m.z"]));
    site.check("union.leave", "logout", status().await == of(&["m.a", "m.b", "m.z"]));
    site.device(&alice.user, "PHONE");
    site.check("union.relogin", "status", status().await == of(&["m.b", "m.z"]));
    let other = site.user("n-bob");
    site.put(&other, &set_of(&["m.other"])).await;
    site.put(&alice, &set_of(&["m.c"])).await;
    site.check("union.per-user", "same device ID", status().await == of(&["m.c"]));
    site.post(&other, "/logout", &json!({})).await;
    site.check("union.per-user", "logout of the same device ID", status().await == of(&["m.c"]));
    let late = site.user("n-late");
    site.put(&late, &set_of(&["m.early"])).await;
    site.put(&site.device(&late.user, "LATE"), &set_of(&["m.late"])).await;
    let union = site.status(&late, &late.user).await;
    for requirement in ["union.order-free", "union.of-all"] {
        site.check(requirement, "a late login", union == of(&["m.early", "m.late"]));
    }
    conflicts(site).await;
    departures(site, "union").await;
}

pub(super) async fn conflicts(site: &Site) {
    let (one, two) = (r#"{"m.c":{"v":1}}"#, r#"{"m.c":{"v":2}}"#);
    let mut seen = BTreeSet::new();
    for (name, sets) in [("c-one", [one, two]), ("c-two", [two, one])] {
        let user = site.user(name);
        site.put(&user, sets[0]).await;
        site.put(&site.device(&user.user, "PHONE"), sets[1]).await;
        let hash = site.status(&user, &user.user).await;
        let served = site.resolve(&user, &user.user, &hash.clone().unwrap_or_default()).await;
        site.check("union.conflict", "the name stays", served.json.get("m.c").is_some());
        seen.insert(hash);
    }
    site.check("union.conflict", "both orders", seen.len() == 1);
}

pub(super) async fn large_unions(site: &Site) {
    let large = site.user("c-large");
    for n in 0..5 {
        let names: Vec<String> = (0..60).map(|m| format!("{n}.{m}.{}", "x".repeat(1_000))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        site.put(&site.device(&large.user, &format!("L{n}")), &set_of(&names)).await;
    }
    let hash = site.status(&large, &large.user).await.unwrap_or_default();
    let served = site.resolve(&large, &large.user, &hash).await;
    site.check("union.resolvable-large", "300 KiB", served.is_set(&hash));
}

pub(super) async fn departures(site: &Site, area: &str) {
    let alice = site.user(&format!("l-{area}-alice"));
    let viewer = site.user(&format!("l-{area}-viewer"));
    site.room(&alice, &[&viewer]).await;
    let of = |names: &[&str]| Some(hash_of(set_of(names)));
    let mut devices = Vec::new();
    for n in 0..3 {
        let device = site.device(&alice.user, &format!("X{n}"));
        site.put(&device, &set_of(&[&format!("m.x{n}")])).await;
        devices.push(device);
    }
    site.put(&alice, &set_of(&["m.own"])).await;
    site.delete(&alice, "DELETE", "/devices/X0", json!({})).await;
    let status = || site.status(&viewer, &alice.user);
    site.check("union.leave", "deletion", status().await == of(&["m.own", "m.x1", "m.x2"]));
    let (since, _) = site.sync(&viewer, None).await;
    site.delete(&alice, "POST", "/delete_devices", json!({ "devices": ["X1", "X2"] })).await;
    site.check("union.leave", "deletion of two", status().await == of(&["m.own"]));
    let heard = site.next_hash(&viewer, &since, &alice.user).await;
    site.check("presence.change", "on deletion", heard == status().await);
    site.put(&site.device(&alice.user, "Y"), &set_of(&["m.y"])).await;
    let (since, _) = site.sync(&viewer, None).await;
    site.post(&alice, "/logout/all", &json!({})).await;
    let gone = status().await;
    site.check("union.leave", "logout/all", gone.is_none());
    site.check("presence.last-leaves", "logout/all", gone.is_none());
    let told = site.sync(&viewer, Some(&since)).await.1;
    site.check("presence.last-leaves", "sync", told.get(&alice.user) == Some(&None));
    let last = site.device(&alice.user, "Z");
    site.put(&last, &set_of(&["m.z"])).await;
    site.post(&last, "/logout", &json!({})).await;
    site.check("presence.last-leaves", "logout", status().await.is_none());
}
