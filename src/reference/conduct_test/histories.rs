//! What takes a history: acts that are each answered rightly, and go wrong together.

use std::sync::Arc;

use serde_json::json;

use super::site::*;

pub(super) async fn histories(site: &Site, requirement: &str) {
    match requirement {
        "upload.known-hash" => knowing(site).await,
        "union.leave" => leaving(site).await,
        "union.relogin" => logging_in_again(site).await,
        "union.idempotent" => sharing_a_set(site).await,
        "union.of-all" => declaring_at_once(site).await,
        "presence.change" => changing_back(site).await,
        "presence.new-sharer" => meeting_again(site).await,
        other => panic!("no history for {other}"),
    }
}

async fn knowing(site: &Site) {
    let alice = site.user("h-knowing");
    let tablet = site.device(&alice.user, "TABLET");
    let (set, other) = (set_of(&["h.known"]), set_of(&["h.forgotten"]));
    site.declare(&alice, &hash_of(&set)).await;
    site.upload(&tablet, &hash_of(&set), set.clone()).await;
    let known = site.declare(&alice, &hash_of(&set)).await.is_ok();
    site.check("upload.known-hash", "refused before, uploaded by another session", known);
    site.upload(&alice, &hash_of(&other), other.clone()).await;
    site.upload(&alice, &hash_of(&other), "{".to_owned()).await;
    let known = site.declare(&alice, &hash_of(&other)).await.is_ok();
    site.check("upload.known-hash", "after a bad upload", known);
}

async fn leaving(site: &Site) {
    let alice = site.user("h-leaving");
    site.put(&alice, &set_of(&["h.own"])).await;
    let of = |names: &[&str]| Some(hash_of(set_of(names)));
    let mut devices = Vec::new();
    for n in 0..3 {
        let device = site.device(&alice.user, &format!("H{n}"));
        site.put(&device, &set_of(&[&format!("h.n{n}")])).await;
        devices.push(device);
    }
    for device in &devices {
        site.post(device, "/logout", &json!({})).await;
    }
    let status = || site.status(&alice, &alice.user);
    site.check("union.leave", "three logouts", status().await == of(&["h.own"]));
    let late = site.device(&alice.user, "LATE");
    site.upload(&late, &hash_of(set_of(&["h.late"])), set_of(&["h.late"])).await;
    let hash = hash_of(set_of(&["h.late"]));
    let nothing = json!({});
    tokio::join!(site.declare(&late, &hash), site.post(&late, "/logout", &nothing));
    site.check("union.leave", "while it declares", status().await == of(&["h.own"]));
}

async fn logging_in_again(site: &Site) {
    let alice = site.user("h-again");
    site.put(&alice, &set_of(&["h.own"])).await;
    let tablet = site.device(&alice.user, "TABLET");
    site.put(&tablet, &set_of(&["h.tablet"])).await;
    site.post(&tablet, "/logout", &json!({})).await;
    site.device(&alice.user, "TABLET");
    site.put(&alice, &set_of(&["h.own", "h.more"])).await;
    let status = site.status(&alice, &alice.user).await;
    site.check("union.relogin", "after a logout", status == Some(hash_of(set_of(&["h.more", "h.own"]))));
}

async fn sharing_a_set(site: &Site) {
    let alice = site.user("h-shared");
    site.put(&alice, &set_of(&["h.own"])).await;
    let mut devices = Vec::new();
    for n in 0..3 {
        devices.push(site.device(&alice.user, &format!("H{n}")));
        site.put(&devices[n], &set_of(&["h.shared"])).await;
    }
    for device in &devices[1..] {
        site.post(device, "/logout", &json!({})).await;
    }
    let status = site.status(&alice, &alice.user).await;
    let both = Some(hash_of(set_of(&["h.own", "h.shared"])));
    site.check("union.idempotent", "two of three have left", status == both);
}

async fn declaring_at_once(site: &Site) {
    let alice = site.user("h-at-once");
    let tablet = site.device(&alice.user, "TABLET");
    let hashes: Arc<[String]> = ["h.one", "h.two"].map(|name| hash_of(set_of(&[name]))).into();
    for (hash, name) in hashes.iter().zip(["h.one", "h.two"]) {
        site.upload(&alice, hash, set_of(&[name])).await;
    }
    tokio::join!(site.declare(&alice, &hashes[0]), site.declare(&tablet, &hashes[1]));
    let status = site.status(&alice, &alice.user).await;
    site.check("union.of-all", "declared at once", status == Some(hash_of(set_of(&["h.one", "h.two"]))));
}

async fn changing_back(site: &Site) {
    let (alice, viewer) = (site.user("h-back"), site.user("h-back-viewer"));
    site.room(&alice, &[&viewer]).await;
    let [one, two] = [set_of(&["h.back.one"]), set_of(&["h.back.two"])];
    let (mut since, mut heard) = (site.sync(&viewer, None).await.0, None);
    for set in [&one, &two, &one] {
        site.put(&alice, set).await;
        let (next, seen) = site.sync(&viewer, Some(&since)).await;
        heard = seen.get(&alice.user).cloned().flatten().or(heard);
        since = next;
    }
    site.check("presence.change", "there and back", heard == Some(hash_of(&one)));
}

async fn meeting_again(site: &Site) {
    let (alice, viewer) = (site.user("h-meet"), site.user("h-meet-viewer"));
    let room = site.room(&alice, &[&viewer]).await;
    let [one, two] = [set_of(&["h.meet.one"]), set_of(&["h.meet.two"])];
    site.put(&alice, &one).await;
    let (since, _) = site.sync(&viewer, None).await;
    site.post(&viewer, &format!("/rooms/{}/leave", crate::spec::binding::encode(&room)), &json!({})).await;
    site.put(&alice, &two).await;
    let (since, _) = site.sync(&viewer, Some(&since)).await;
    site.room(&alice, &[&viewer]).await;
    let heard = site.next_hash(&viewer, &since, &alice.user).await;
    site.check("presence.new-sharer", "again", heard == Some(hash_of(&two)));
}
