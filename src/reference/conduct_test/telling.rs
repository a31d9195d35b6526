//! Presence, and what hashes resolve to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::site::*;
use crate::spec::binding::encode;

pub(super) async fn presence(site: &Site) {
    let (alice, viewer, stranger) = (site.user("p-alice"), site.user("p-viewer"), site.user("p-stranger"));
    let (invited, gone) = (site.user("p-invited"), site.user("p-gone"));
    let room = site.room(&alice, &[&viewer, &gone]).await;
    let path = format!("/rooms/{}", encode(&room));
    site.post(&alice, &format!("{path}/invite"), &json!({ "user_id": invited.user })).await;
    site.post(&gone, &format!("{path}/leave"), &json!({})).await;
    let mut tokens = BTreeMap::new();
    for session in [&viewer, &stranger, &invited, &gone] {
        tokens.insert(session.user.clone(), site.sync(session, None).await.0);
    }
    let since = |session: &Session| tokens[&session.user].clone();
    let [one, two] = [set_of(&["m.one"]), set_of(&["m.two"])];
    site.put(&alice, &one).await;
    let own = site.status(&alice, &alice.user).await;
    site.check("presence.read-your-write", "own status", own == Some(hash_of(&one)));
    site.server.advance(Duration::from_secs(1));
    site.check("presence.status", "viewer", site.status(&viewer, &alice.user).await == Some(hash_of(&one)));
    let heard = site.next_hash(&viewer, &since(&viewer), &alice.user).await;
    site.check("presence.sync", "incremental", heard == Some(hash_of(&one)));
    let (token, initial) = site.sync(&viewer, None).await;
    site.check("presence.sync", "initial", initial.get(&alice.user) == Some(&Some(hash_of(&one))));
    let (waited, _) = tokio::join!(site.sync_for(&viewer, Some(&token), 5_000), async {
        // Another request, so that the sync has most likely begun to wait.
        site.status(&alice, &alice.user).await;
        site.put(&alice, &two).await
    });
    let held = waited.1.get(&alice.user).cloned().flatten();
    site.check("presence.sync", "waiting", held == Some(hash_of(&two)));
    let later = site.next_hash(&viewer, &waited.0, &alice.user).await;
    site.check("presence.change", "while waiting or later", held.or(later) == Some(hash_of(&two)));
    site.check(
        "presence.status",
        "after a change",
        site.status(&viewer, &alice.user).await == Some(hash_of(&two)),
    );
    let heard = site.next_hash(&viewer, &since(&viewer), &alice.user).await;
    site.check("presence.change", "second", heard == Some(hash_of(&two)));
    for session in [&stranger, &invited, &gone] {
        let seen = site.sync(session, Some(&since(session))).await.1;
        site.check("presence.strangers", &session.user, !seen.contains_key(&alice.user));
        let hidden = site.status(session, &alice.user).await.is_none();
        site.check("presence.strangers", &session.user, hidden);
    }
    site.put(&stranger, &one).await;
    let (host, _) = site.sync(&alice, None).await;
    let (token, _) = site.sync(&stranger, None).await;
    site.join(&stranger, &room).await;
    let heard = site.next_hash(&alice, &host, &stranger.user).await;
    site.check("presence.new-sharer", "of who joins", heard == Some(hash_of(&one)));
    let heard = site.next_hash(&stranger, &token, &alice.user).await;
    site.check("presence.new-sharer", "sync", heard == Some(hash_of(&two)));
    let path = format!("{V3}/presence/{}/status", encode(&alice.user));
    let body = json!({ "presence": "unavailable", "status_msg": "hi" }).to_string();
    site.ask("PUT", &path, Some(&alice.token), body).await;
    let status = || site.status(&viewer, &alice.user);
    site.check("presence.survives-status", "message", status().await == Some(hash_of(&two)));
    let (_, heard) = site.sync(&viewer, None).await;
    let beside = heard.get(&alice.user) == Some(&Some(hash_of(&two)));
    site.check("presence.survives-status", "event", beside);
    for forged in [hash_of("{}"), hash_of(&one)] {
        let body = json!({ "presence": "online", "org.matrix.capability_sets": { "sha256": forged } });
        site.ask("PUT", &path, Some(&alice.token), body.to_string()).await;
        site.check("presence.not-writable", "field", status().await != Some(forged));
    }
}

pub(super) async fn resolutions(site: &Site) {
    let (alice, viewer, stranger) = (site.user("r-alice"), site.user("r-viewer"), site.user("r-stranger"));
    site.room(&alice, &[&viewer]).await;
    let [one, two] = [set_of(&["m.r1"]), set_of(&["m.r2"])];
    site.put(&alice, &one).await;
    let served = site.resolve(&viewer, &alice.user, &hash_of(&one)).await;
    site.check("resolve.hash-and-user", "viewer", served.is_set(&hash_of(&one)));
    site.put(&alice, &two).await;
    for set in [&one, &two] {
        let served = site.resolve(&viewer, &alice.user, &hash_of(set)).await;
        site.check("resolve.verifies", set, !served.is_ok() || served.is_set(&hash_of(set)));
        site.check("resolve.superseded", set, served.is_ok());
    }
    let tablet = site.device(&alice.user, "TABLET");
    site.put(&tablet, &one).await;
    let union = hash_of(set_of(&["m.r1", "m.r2"]));
    let served = site.resolve(&viewer, &alice.user, &union).await;
    site.check("resolve.verifies", "a union", !served.is_ok() || served.is_set(&union));
    site.post(&tablet, "/logout", &json!({})).await;
    for (name, mark) in [(WITH_PLUS, "+"), (WITH_SLASH, "/"), (WITH_BOTH, "//")] {
        let set = set_of(&[name]);
        assert!(hash_of(&set).contains(mark));
        let put = site.put(&alice, &set).await;
        let served = site.resolve(&viewer, &alice.user, &hash_of(&set)).await;
        site.check("resolve.encoding", mark, put && served.is_set(&hash_of(&set)));
    }
    let nobodys = hash_of(r#"{"nobody.else":{}}"#);
    let unknown = site.resolve(&viewer, &alice.user, &nobodys).await;
    site.check("resolve.unknown", "refused", unknown.is_refused());
    let near = site.resolve(&viewer, &alice.user, &swapped(&hash_of(&two))).await;
    site.check("resolve.unknown", "near miss", near.is_refused());
    let nobody = site.resolve(&viewer, "@nobody:hs", &nobodys).await;
    let invisible = site.resolve(&stranger, &alice.user, &hash_of(&two)).await;
    let alike = |reply: &Reply| (reply.status, reply.errcode().to_owned()) == (404, "M_NOT_FOUND".to_owned());
    let indistinguishable = alike(&nobody) && (invisible.is_ok() || alike(&invisible));
    site.check("resolve.indistinguishable", "all three", indistinguishable);
    site.check("resolve.strangers", "refused", !invisible.is_ok());
}
