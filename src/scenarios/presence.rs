//! The hash rides in presence (draft C4, C5).

use serde_json::json;

use crate::actors::{Expect, Room, Session, User, Viewer};
use crate::check;
use crate::spec::capability::CapabilitySet;

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
        cast: users(4),
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
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
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
        cast: users(3),
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
    let (phone, laptop) = (alice.session(), bob.session());
    cx.room(&phone, &[&laptop]).await?;
    // Twice, because a status could lag one change behind.
    for set in cx.sets::<2>() {
        phone.publish(&set).await?;
        let expect = Expect::hash_of(&set);
        for (session, moment) in [(&phone, "for the user"), (&laptop, "for a user who shares a room")] {
            let shown = session.status_settles_on(&alice, &expect).await?;
            if !shown.holds {
                // Where /sync tells another hash, too, it is not the status that is wrong.
                Viewer::open(&laptop).await?.does_not_contradict(&alice, &expect).or_stop()?;
            }
            check!(cx, "presence.status", shown.when(moment));
        }
    }
    Ok(())
}

async fn own_declaration_is_read_at_once(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    for set in cx.sets::<3>() {
        phone.publish(&set).await?;
        let at_once = phone.status_says(&alice, &Expect::hash_of(&set)).await?.when("at once");
        // What never comes is not late.
        phone.reads_or_stop(&alice, &[&set]).await?;
        check!(cx, "presence.read-your-write", at_once);
    }
    Ok(())
}

async fn comes_with_the_first_sync(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, set) = (alice.session(), cx.set());
    cx.room(&phone, &[&bob.session()]).await?;
    phone.publish(&set).await?;
    let expect = Expect::hash_of(&set);
    bob.session().status_settles_on(&alice, &expect).await?.or_stop()?;
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
    let expect = Expect::hash_of(&first);
    let shown = viewer.sees(&alice, &expect).await?;
    if !shown.holds {
        // Where the status tells another hash, too, it is not /sync that is wrong.
        bob.session().status_does_not_contradict(&alice, &expect).await?.or_stop()?;
    }
    check!(cx, "presence.sync", shown.when("after a change"));
    phone.publish(&second).await?;
    viewer.sees(&alice, &Expect::hash_of(&second)).await?.or_stop()?;
    // Several times, because nothing tells whether the sync had begun to wait before the change came.
    for _ in 0..4 {
        let set = cx.set();
        phone.upload(&set).await?.or_stop("a correct upload")?;
        let (waited, declared) = tokio::join!(viewer.wait(), phone.declare(&set));
        waited?;
        declared?.or_stop("the declaration of an uploaded set")?;
        let shown = viewer.sees(&alice, &Expect::hash_of(&set)).await?;
        if !check!(cx, "presence.sync", shown.when("while a sync waits")) {
            break;
        }
    }
    Ok(())
}

async fn follows_every_change(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let phone = alice.session();
    cx.room(&phone, &[&bob.session()]).await?;
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    phone.reads_or_stop(&alice, &[&calls]).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    viewer.sees(&alice, &Expect::hash_of(&calls)).await?.or_stop()?;
    let tablet = alice.log_in("tablet").await?;
    tablet.publish(&maps).await?;
    changes(cx, &phone, &mut viewer, &alice, &[&calls, &maps], "after a second client").await?;
    phone.publish(&polls).await?;
    changes(cx, &phone, &mut viewer, &alice, &[&polls, &maps], "after a new declaration").await?;
    tablet.log_out().await?;
    changes(cx, &phone, &mut viewer, &alice, &[&polls], "after a logout").await
}

/// A change that the status shows reaches the viewer.
async fn changes(
    cx: &Cx,
    phone: &Session,
    viewer: &mut Viewer,
    alice: &User,
    sets: &[&CapabilitySet],
    moment: &str,
) -> Ran {
    phone.reads_or_stop(alice, sets).await?;
    check!(cx, "presence.change", viewer.sees(alice, &Expect::union_of(sets)).await?.when(moment));
    Ok(())
}

async fn reaches_whoever_starts_to_share_a_room(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop) = (alice.session(), bob.session());
    let [hers, his] = cx.sets();
    for (session, user, set) in [(&phone, &alice, &hers), (&laptop, &bob, &his)] {
        session.publish(set).await?;
        session.reads_or_stop(user, &[set]).await?;
    }
    let (mut host, mut guest) = (Viewer::open(&phone).await?, Viewer::open(&laptop).await?);
    let room = Room::open(&phone).await?;
    // Its own coming is behind the host then: what is still to come is the guest's.
    host.catch_up().await?;
    room.join(&laptop).await?;
    let seen = guest.sees(&alice, &Expect::hash_of(&hers)).await?.when("after joining");
    let seen_too = host.sees(&bob, &Expect::hash_of(&his)).await?.when("after the other has joined");
    if !(seen.holds && seen_too.holds) {
        // Where what is declared from now on does not come, either, it is not for want of a change.
        let later = cx.set();
        phone.publish(&later).await?;
        guest.sees(&alice, &Expect::hash_of(&later)).await?.or_stop()?;
    }
    check!(cx, "presence.new-sharer", seen);
    check!(cx, "presence.new-sharer", seen_too);
    Ok(())
}

async fn is_hidden_from_strangers(cx: &Cx) -> Ran {
    let (alice, bob, carol, dan) = (cx.user()?, cx.user()?, cx.user()?, cx.user()?);
    let (phone, witness) = (alice.session(), dan.session());
    let room = Room::open(&phone).await?;
    room.invite(&carol).await?;
    cx.room(&witness, &[&bob.session(), &carol.session()]).await?;
    let mut stranger = Viewer::open(&bob.session()).await?;
    let mut invited = Viewer::open(&carol.session()).await?;
    let [hidden, marker, shown] = cx.sets();
    phone.publish(&hidden).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&hidden)).await?.or_stop()?;
    witness.publish(&marker).await?;
    let viewers = [
        (&mut stranger, bob.session(), "for somebody who shares no room"),
        (&mut invited, carol.session(), "for somebody who was only invited"),
    ];
    for (viewer, session, moment) in viewers {
        let status = session.status_of(&alice).await?;
        check!(cx, "presence.strangers", session.status_hides(&status, &hidden).when(moment));
        // What Dan declared later has come; what Alice declared before it has not.
        viewer.sees(&dan, &Expect::hash_of(&marker)).await?.or_stop()?;
        check!(cx, "presence.strangers", viewer.never_saw(&alice, &Expect::hash_of(&hidden)).when(moment));
    }
    // When they join they are shown what is declared then, and still not what was before.
    phone.publish(&shown).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&shown)).await?.or_stop()?;
    room.join(&bob.session()).await?;
    room.join(&carol.session()).await?;
    for viewer in [&mut stranger, &mut invited] {
        viewer.sees(&alice, &Expect::hash_of(&shown)).await?.or_stop()?;
    }
    Ok(())
}

async fn is_hidden_from_those_who_left(cx: &Cx) -> Ran {
    let (alice, bob, carol) = (cx.user()?, cx.user()?, cx.user()?);
    let (phone, laptop, witness) = (alice.session(), bob.session(), carol.session());
    let room = cx.room(&phone, &[&laptop, &witness]).await?;
    // Carol goes on sharing another room with Bob.
    cx.room(&witness, &[&laptop]).await?;
    let mut left = Viewer::open(&laptop).await?;
    let before = cx.set();
    phone.publish(&before).await?;
    left.sees(&alice, &Expect::hash_of(&before)).await?.or_stop()?;
    room.leave(&laptop).await?;
    // Leaving may take its time to have effect: then what came meanwhile was rightly shown.
    let window = cx.settling();
    loop {
        let granted = window.is_open();
        let [hidden, marker] = cx.sets();
        phone.publish(&hidden).await?;
        witness.status_settles_on(&alice, &Expect::hash_of(&hidden)).await?.or_stop()?;
        witness.publish(&marker).await?;
        left.sees(&carol, &Expect::hash_of(&marker)).await?.or_stop()?;
        let status = laptop.status_of(&alice).await?;
        let unseen = left.never_saw(&alice, &Expect::hash_of(&hidden));
        let unseen = unseen.and(|| laptop.status_hides(&status, &hidden));
        if unseen.holds || !granted {
            check!(cx, "presence.strangers", unseen.when("for somebody who has left"));
            return Ok(());
        }
    }
}

async fn reaches_the_users_other_sessions(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let mut viewer = Viewer::open(&tablet).await?;
    let set = cx.set();
    phone.publish(&set).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?.or_stop()?;
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
    phone.status_settles_on(&alice, &expect).await?.or_stop()?;
    Viewer::open(&bob.session()).await?.sees(&alice, &expect).await?.or_stop()?;
    for presence in ["unavailable", "online"] {
        let message = cx.name();
        let content = json!({ "presence": presence, "status_msg": message });
        phone.set_status(&content).await?.or_stop("setting one's presence")?;
        let moment = format!("after presence was set to {presence}");
        let beside = phone.status_says_beside(&alice, &message, &expect).await?;
        check!(cx, "presence.survives-status", beside.when(&moment));
    }
    phone.set_status(&json!({ "presence": "offline" })).await?.or_stop("setting one's presence")?;
    let offline = phone.status_settles_on(&alice, &expect).await?;
    check!(cx, "presence.survives-status", offline.when("after presence was set to offline"));
    let mut viewer = Viewer::open(&bob.session()).await?;
    check!(
        cx,
        "presence.survives-status",
        viewer.sees(&alice, &expect).await?.when("after presence was set")
    );
    Ok(())
}

async fn cannot_be_written_by_clients(cx: &Cx) -> Ran {
    let (alice, bob, carol) = (cx.user()?, cx.user()?, cx.user()?);
    let (phone, laptop, witness) = (alice.session(), bob.session(), carol.session());
    cx.room(&phone, &[&laptop, &witness]).await?;
    let [declared, forged, marker] = cx.sets();
    // Known to the server, so that nothing but the rule stands in the way.
    laptop.publish(&forged).await?;
    phone.publish(&declared).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&declared)).await?.or_stop()?;
    // A status without the field leaves the hash alone.
    phone.set_status(&json!({ "presence": "online" })).await?.or_stop("setting one's presence")?;
    phone.reads_or_stop(&alice, &[&declared]).await?;
    let mut viewer = Viewer::open(&laptop).await?;
    let field = cx.presence_field();
    let content = json!({ "presence": "online", field: { "sha256": forged.hash().as_str() } });
    let reply = phone.set_status(&content).await?;
    check!(cx, "presence.not-writable", reply.is_ignored_or_refused());
    check!(cx, "presence.not-writable", phone.status_settles_on(&alice, &Expect::hash_of(&declared)).await?);
    // What Carol declared later has come; what Alice wrote before it has not.
    witness.publish(&marker).await?;
    viewer.sees(&carol, &Expect::hash_of(&marker)).await?.or_stop()?;
    check!(cx, "presence.not-writable", viewer.never_saw(&alice, &Expect::hash_of(&forged)));
    check!(cx, "presence.not-writable", phone.status_says(&alice, &Expect::hash_of(&declared)).await?);
    Ok(())
}

async fn is_silent_without_a_change(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let phone = alice.session();
    cx.room(&phone, &[&bob.session()]).await?;
    let [set, later] = cx.sets();
    phone.publish(&set).await?;
    let mut viewer = Viewer::open(&bob.session()).await?;
    viewer.sees(&alice, &Expect::hash_of(&set)).await?.or_stop()?;
    let shown = viewer.events_about(&alice);
    for _ in 0..3 {
        phone.declare(&set).await?.or_stop("declaring what is in force")?;
        viewer.catch_up().await?;
    }
    let repeated = viewer.events_about(&alice) - shown;
    phone.publish(&later).await?;
    viewer.sees(&alice, &Expect::hash_of(&later)).await?.or_stop()?;
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
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    viewer.sees(&alice, &Expect::hash_of(&calls)).await?.or_stop()?;
    tablet.publish(&maps).await?;
    seen_by(&bob, &mut viewer, &alice, &Expect::union_of(&[&calls, &maps])).await?;
    phone.log_out().await?;
    tablet.log_out().await?;
    is_withdrawn(cx, &bob, &mut viewer, &alice, "after the last session left").await?;
    let session = alice.log_in("telephone").await?;
    session.publish(&polls).await?;
    seen_by(&bob, &mut viewer, &alice, &Expect::hash_of(&polls)).await?;
    session.log_out_everywhere().await?;
    is_withdrawn(cx, &bob, &mut viewer, &alice, "after a logout everywhere").await
}

/// Both ways by which Bob is told of a user show this, as a prerequisite.
async fn seen_by(bob: &User, viewer: &mut Viewer, user: &User, expect: &Expect) -> Ran {
    viewer.sees(user, expect).await?.or_stop()?;
    bob.session().status_settles_on(user, expect).await?.or_stop()
}

/// Neither way shows a hash any more.
async fn is_withdrawn(cx: &Cx, bob: &User, viewer: &mut Viewer, user: &User, moment: &str) -> Ran {
    let gone = viewer.sees(user, &Expect::Nothing).await?;
    check!(cx, "presence.last-leaves", gone.when(moment));
    let status = bob.session().status_settles_on(user, &Expect::Nothing).await?;
    check!(cx, "presence.last-leaves", status.when(moment));
    Ok(())
}
