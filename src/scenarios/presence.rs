//! The hash rides in presence (draft C4, C5).

use serde_json::json;

use crate::actors::{Expect, Room, Viewer};
use crate::check;

use super::*;

scenarios! { presence:
    status_carries_the_hash {
        says: "A user's presence status carries the hash, for the user and for whoever shares a room",
        covers: ["presence.status"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    own_declaration_is_read_at_once {
        says: "A declaration is seen by the same user's next request",
        covers: ["presence.read-your-write"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(1),
    }
    comes_with_the_first_sync {
        says: "Whoever shares a room receives the hash with an initial sync",
        covers: ["presence.sync"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    comes_with_the_next_sync {
        says: "And with the next sync after a change, or while one waits",
        covers: ["presence.sync"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    follows_every_change {
        says: "The last value after every change reaches those who share a room",
        covers: ["presence.change"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(2),
    }
    reaches_whoever_starts_to_share_a_room {
        says: "Who starts to share a room receives the value of that moment",
        covers: ["presence.new-sharer"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    is_hidden_from_strangers {
        says: "Who shares no room, or was only invited, is not shown the hash",
        covers: ["presence.strangers"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(3),
    }
    is_hidden_from_those_who_left {
        says: "Who has left the room is not shown what comes afterwards",
        covers: ["presence.strangers"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(3),
    }
    reaches_the_users_other_sessions {
        says: "The user's own other sessions may be shown the hash",
        covers: ["presence.own-sessions"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    survives_a_new_status {
        says: "Setting presence and a status message does not lose the hash",
        covers: ["presence.survives-status"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    cannot_be_written_by_clients {
        says: "A client cannot set the field itself",
        covers: ["presence.not-writable"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    is_silent_without_a_change {
        says: "Declaring what is in force need not be announced",
        covers: ["presence.unchanged-silent"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    is_withdrawn_with_the_last_session {
        says: "With the last session the hash goes, and those who share a room are told",
        covers: ["presence.last-leaves"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(2),
    }
}

async fn status_carries_the_hash(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop, set) = (alice.session(), bob.session(), cx.set());
    cx.room(&phone, &[&laptop]).await?;
    phone.publish(&set).await?;
    check!(cx, "presence.status", phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?);
    check!(
        cx,
        "presence.status",
        laptop.status_settles_on(&alice, &Expect::hash_of(&set)).await?.when("for a user who shares a room")
    );
    Ok(())
}

async fn own_declaration_is_read_at_once(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    for set in cx.sets::<3>() {
        phone.publish(&set).await?;
        check!(
            cx,
            "presence.read-your-write",
            phone.status_says(&alice, &Expect::hash_of(&set)).await?.when("at once")
        );
    }
    Ok(())
}

async fn comes_with_the_first_sync(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, set) = (alice.session(), cx.set());
    cx.room(&phone, &[&bob.session()]).await?;
    phone.publish(&set).await?;
    let expect = Expect::hash_of(&set);
    settled(bob.session().status_settles_on(&alice, &expect).await?)?;
    // What is settled is there for a sync that begins now.
    let mut viewer = Viewer::open(&bob.session()).await?;
    check!(cx, "presence.sync", viewer.sees(&alice, &expect).await?.when("in an initial sync"));
    Ok(())
}

async fn comes_with_the_next_sync(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let phone = alice.session();
    cx.room(&phone, &[&bob.session()]).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    let [first, second] = cx.sets();
    phone.publish(&first).await?;
    check!(cx, "presence.sync", viewer.sees(&alice, &Expect::hash_of(&first)).await?.when("after a change"));
    phone.upload(&second).await?.or_stop("a correct upload")?;
    let expect = Expect::hash_of(&second);
    let (shown, declared) = tokio::join!(viewer.sees(&alice, &expect), phone.declare(&second));
    declared?.or_stop("the declaration of an uploaded set")?;
    // The wait may have ended before a slow declaration; then the window opens again after it.
    let shown = shown?;
    let shown = if shown.holds { shown } else { viewer.sees(&alice, &expect).await? };
    check!(cx, "presence.sync", shown.when("while a sync waits"));
    Ok(())
}

async fn follows_every_change(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    cx.room(&phone, &[&bob.session()]).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    check!(cx, "presence.change", viewer.sees(&alice, &Expect::hash_of(&calls)).await?);
    tablet.publish(&maps).await?;
    check!(
        cx,
        "presence.change",
        viewer.sees(&alice, &Expect::union_of(&[&calls, &maps])).await?.when("after a second client")
    );
    phone.publish(&polls).await?;
    check!(
        cx,
        "presence.change",
        viewer.sees(&alice, &Expect::union_of(&[&polls, &maps])).await?.when("after a new declaration")
    );
    tablet.log_out().await?;
    check!(
        cx,
        "presence.change",
        viewer.sees(&alice, &Expect::hash_of(&polls)).await?.when("after a logout")
    );
    Ok(())
}

async fn reaches_whoever_starts_to_share_a_room(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, set) = (alice.session(), cx.set());
    phone.publish(&set).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    let room = Room::open(&phone).await?;
    room.join(&bob.session()).await?;
    check!(
        cx,
        "presence.new-sharer",
        viewer.sees(&alice, &Expect::hash_of(&set)).await?.when("after joining")
    );
    Ok(())
}

async fn is_hidden_from_strangers(cx: &Cx) -> Ran {
    let (alice, bob, carol) = (cx.user()?, cx.user()?, cx.user()?);
    let phone = alice.session();
    let room = Room::open(&phone).await?;
    room.invite(&carol).await?;
    let mut stranger = Viewer::open(&bob.session()).await?;
    let mut invited = Viewer::open(&carol.session()).await?;
    let [hidden, shown] = cx.sets();
    phone.publish(&hidden).await?;
    for (session, who) in [(bob.session(), "who shares no room"), (carol.session(), "who was only invited")] {
        let status = session.status_of(&alice).await?;
        check!(
            cx,
            "presence.strangers",
            session.status_hides(&status, &hidden).when(&format!("for somebody {who}"))
        );
    }
    // Both join, and are shown what is declared then: what came before would have been shown by now.
    let later = Expect::hash_of(&shown);
    phone.publish(&shown).await?;
    room.join(&bob.session()).await?;
    room.join(&carol.session()).await?;
    for (viewer, who) in [(&mut stranger, "who shared no room"), (&mut invited, "who was only invited")] {
        settled(viewer.sees(&alice, &later).await?)?;
        let never = viewer.never_saw(&alice, &Expect::hash_of(&hidden));
        check!(cx, "presence.strangers", never.when(&format!("for somebody {who}")));
    }
    Ok(())
}

async fn is_hidden_from_those_who_left(cx: &Cx) -> Ran {
    let (alice, bob, carol) = (cx.user()?, cx.user()?, cx.user()?);
    let phone = alice.session();
    let room = cx.room(&phone, &[&bob.session(), &carol.session()]).await?;
    let mut left = Viewer::open(&bob.session()).await?;
    let mut stayed = Viewer::open(&carol.session()).await?;
    let [before, hidden, again] = cx.sets();
    phone.publish(&before).await?;
    settled(left.sees(&alice, &Expect::hash_of(&before)).await?)?;
    room.leave(&bob.session()).await?;
    phone.publish(&hidden).await?;
    settled(stayed.sees(&alice, &Expect::hash_of(&hidden)).await?)?;
    let status = bob.session().status_of(&alice).await?;
    check!(
        cx,
        "presence.strangers",
        bob.session().status_hides(&status, &hidden).when("for somebody who left")
    );
    phone.publish(&again).await?;
    room.join(&bob.session()).await?;
    settled(left.sees(&alice, &Expect::hash_of(&again)).await?)?;
    let never = left.never_saw(&alice, &Expect::hash_of(&hidden));
    check!(cx, "presence.strangers", never.when("for somebody who had left"));
    Ok(())
}

async fn reaches_the_users_other_sessions(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let mut viewer = Viewer::open(&tablet).await?;
    let set = cx.set();
    phone.publish(&set).await?;
    settled(phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?)?;
    // Optional, so one look is enough: nothing is waited for that need not come.
    viewer.catch_up().await?;
    check!(cx, "presence.own-sessions", viewer.has_been_shown(&alice, &Expect::hash_of(&set)));
    Ok(())
}

async fn survives_a_new_status(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, set) = (alice.session(), cx.set());
    cx.room(&phone, &[&bob.session()]).await?;
    phone.publish(&set).await?;
    let expect = Expect::hash_of(&set);
    settled(phone.status_settles_on(&alice, &expect).await?)?;
    for presence in ["online", "unavailable", "offline"] {
        let message = cx.name();
        let content = json!({ "presence": presence, "status_msg": message });
        phone.set_status(&content).await?.or_stop("setting one's presence")?;
        let moment = format!("after presence was set to {presence}");
        check!(cx, "presence.survives-status", phone.status_settles_on(&alice, &expect).await?.when(&moment));
    }
    let mut viewer = Viewer::open(&bob.session()).await?;
    check!(
        cx,
        "presence.survives-status",
        viewer.sees(&alice, &expect).await?.when("after presence was set")
    );
    Ok(())
}

async fn cannot_be_written_by_clients(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop) = (alice.session(), bob.session());
    cx.room(&phone, &[&laptop]).await?;
    let [declared, forged] = cx.sets();
    // Known to the server, so that nothing but the rule stands in the way.
    laptop.publish(&forged).await?;
    phone.publish(&declared).await?;
    settled(phone.status_settles_on(&alice, &Expect::hash_of(&declared)).await?)?;
    let mut viewer = Viewer::open(&laptop).await?;
    let field = cx.presence_field();
    let content = json!({ "presence": "online", field: { "sha256": forged.hash().as_str() } });
    let reply = phone.set_status(&content).await?;
    check!(cx, "presence.not-writable", reply.is_status(&[200, 400]));
    check!(cx, "presence.not-writable", phone.status_settles_on(&alice, &Expect::hash_of(&declared)).await?);
    let later = cx.set();
    phone.publish(&later).await?;
    settled(viewer.sees(&alice, &Expect::hash_of(&later)).await?)?;
    check!(cx, "presence.not-writable", viewer.never_saw(&alice, &Expect::hash_of(&forged)));
    Ok(())
}

async fn is_silent_without_a_change(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let phone = alice.session();
    cx.room(&phone, &[&bob.session()]).await?;
    let [set, later] = cx.sets();
    phone.publish(&set).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    settled(viewer.sees(&alice, &Expect::hash_of(&set)).await?)?;
    let shown = viewer.events_about(&alice);
    for _ in 0..3 {
        phone.declare(&set).await?.or_stop("declaring what is in force")?;
        viewer.catch_up().await?;
    }
    let repeated = viewer.events_about(&alice) - shown;
    phone.publish(&later).await?;
    settled(viewer.sees(&alice, &Expect::hash_of(&later)).await?)?;
    check!(
        cx,
        "presence.unchanged-silent",
        viewer.counted(repeated == 0, "no event for a declaration that changes nothing", repeated)
    );
    Ok(())
}

async fn is_withdrawn_with_the_last_session(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    cx.room(&phone, &[&bob.session()]).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    settled(viewer.sees(&alice, &Expect::union_of(&[&calls, &maps])).await?)?;
    phone.log_out().await?;
    settled(viewer.sees(&alice, &Expect::hash_of(&maps)).await?)?;
    tablet.log_out().await?;
    check!(
        cx,
        "presence.last-leaves",
        viewer.sees(&alice, &Expect::Nothing).await?.when("after the last session left")
    );
    check!(cx, "presence.last-leaves", bob.session().status_settles_on(&alice, &Expect::Nothing).await?);
    Ok(())
}
