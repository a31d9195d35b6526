//! The hash of remote users comes in from other homeservers, in presence (draft C4, C5).

use serde_json::{Value, json};

use crate::actors::{Expect, Letter, Person, RemoteUser, Viewer};
use crate::check;
use crate::spec::hash::CapabilityHash;

use super::*;

scenarios! { federation:
    shows_every_entry {
        says: "A hash reaches those who share a room, in whichever entry of the transaction it stands",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    shows_every_edu {
        says: "And in whichever of its EDUs, also behind one of another kind",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    follows_remote_changes {
        says: "So does every change, also of a user who is offline, and the end, whether the field is absent or null",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    shows_it_in_every_sync {
        says: "It comes with an initial sync, while a sync waits, and to who joins the room later",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(2),
    }
    takes_a_transaction_once {
        says: "What comes again under the same transaction ID changes nothing",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    drops_what_is_no_hash {
        says: "A malformed field is shown to nobody, and spoils nothing beside it",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    shows_no_stranger {
        says: "A remote user who shares no room with the one who looks is not shown",
        covers: ["federation.presence-in"],
        needs: [FEDERATION, PRESENCE],
        cast: users(2),
    }
    believes_no_homeserver_about_anothers_users {
        says: "Entries about users of a third homeserver, or of the target itself, are ignored, and the rest holds",
        covers: ["federation.presence-spoof"],
        needs: [FEDERATION, DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
}

async fn shows_every_entry(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let users = [cx.remote_user(&beta)?, cx.remote_user(&beta)?, cx.remote_user(&beta)?];
    cx.room_with(&alice.session(), &users.each_ref()).await?;
    let mut viewer = Viewer::open(&alice.session()).await?;
    // Each of them stands first, in the middle, and last.
    for first in 0..users.len() {
        let sets = cx.sets::<3>();
        let mut declared: Vec<_> = users.iter().zip(&sets).collect();
        declared.rotate_left(first);
        let entries: Vec<Value> = declared.iter().map(|(user, set)| user.entry(set)).collect();
        // That it is taken at all is part of the rule here, and what the other stories begin with.
        beta.send(&beta.transaction(&entries)).await?;
        for ((user, set), place) in declared.iter().zip(["first", "second", "last"]) {
            let shown = viewer.sees(*user, &Expect::hash_of(set)).await?;
            let moment = format!("from the {place} of three entries");
            if !check!(cx, "federation.presence-in", shown.when(&moment)) {
                // What is plainly broken is not waited for again.
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn shows_every_edu(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    cx.room_with(&alice.session(), &[&zoe, &yves]).await?;
    let mut viewer = Viewer::open(&alice.session()).await?;
    let [calls, maps] = cx.sets();
    let receipts = json!({ "edu_type": "m.receipt", "content": {} });
    let edus = [receipts, beta.presence(&[zoe.entry(&calls)]), beta.presence(&[yves.entry(&maps)])];
    beta.send(&beta.transaction_of(&edus)).await?.or_stop("a transaction of several EDUs")?;
    for (user, set, place) in [(&zoe, &calls, "behind an EDU of another kind"), (&yves, &maps, "last")] {
        let shown = viewer.sees(user, &Expect::hash_of(set)).await?;
        check!(
            cx,
            "federation.presence-in",
            shown.when(&format!("from the presence EDU that stands {place}"))
        );
    }
    Ok(())
}

async fn follows_remote_changes(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, zoe) = (alice.session(), cx.remote_user(&beta)?);
    cx.room_with(&phone, &[&zoe]).await?;
    let mut viewer = Viewer::open(&phone).await?;
    let endings = [
        (zoe.entry_without(), "after an entry without the field"),
        (zoe.entry_with(&Value::Null), "after an entry whose field is null"),
    ];
    for (ending, moment) in endings {
        let [calls, maps] = cx.sets();
        let changes = [
            (zoe.entry(&calls), &calls, "after a change"),
            (zoe.entry_offline(&maps), &maps, "of a user who is offline"),
        ];
        for (entry, set, moment) in changes {
            beta.tell(&[entry]).await?;
            let expect = Expect::hash_of(set);
            check!(cx, "federation.presence-in", viewer.sees(&zoe, &expect).await?.when(moment));
            let status = phone.status_settles_on(&zoe, &expect).await?;
            check!(cx, "federation.presence-in", status.when(moment));
        }
        beta.tell(&[ending]).await?;
        check!(cx, "federation.presence-in", viewer.sees(&zoe, &Expect::Nothing).await?.when(moment));
        let status = phone.status_settles_on(&zoe, &Expect::Nothing).await?;
        check!(cx, "federation.presence-in", status.when(moment));
    }
    Ok(())
}

async fn shows_it_in_every_sync(cx: &Cx) -> Ran {
    let (alice, bob, beta) = (cx.user()?, cx.user()?, cx.homeserver(0).await?);
    let (phone, laptop, zoe) = (alice.session(), bob.session(), cx.remote_user(&beta)?);
    let room = cx.room_with(&phone, &[&zoe]).await?;
    let mut viewer = Viewer::open(&phone).await?;
    // Several times, because nothing tells whether the sync had begun to wait before the change came.
    for _ in 0..3 {
        let set = cx.set();
        let (waited, told) = tokio::join!(viewer.wait(), zoe.publish(&set));
        waited?;
        told?;
        let shown = viewer.sees(&zoe, &Expect::hash_of(&set)).await?;
        check!(cx, "federation.presence-in", shown.when("while a sync waits"));
    }
    let set = cx.set();
    let expect = Expect::hash_of(&set);
    beta.tell(&[zoe.entry_offline(&set)]).await?;
    phone.status_settles_on(&zoe, &expect).await?.or_stop()?;
    let mut newcomer = Viewer::open(&phone).await?;
    let shown = newcomer.sees(&zoe, &expect).await?;
    check!(cx, "federation.presence-in", shown.when("in an initial sync"));
    let mut joiner = Viewer::open(&laptop).await?;
    room.join(&laptop).await?;
    let shown = joiner.sees(&zoe, &expect).await?;
    check!(cx, "federation.presence-in", shown.when("after joining the room"));
    check!(cx, "federation.presence-in", laptop.status_settles_on(&zoe, &expect).await?);
    Ok(())
}

async fn takes_a_transaction_once(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (zoe, witness) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    cx.room_with(&alice.session(), &[&zoe, &witness]).await?;
    let mut viewer = Viewer::open(&alice.session()).await?;
    let [first, second, marker] = cx.sets();
    let transaction = beta.transaction(&[zoe.entry(&first)]);
    beta.send(&transaction).await?.or_stop("a transaction with presence")?;
    viewer.sees(&zoe, &Expect::hash_of(&first)).await?.or_stop()?;
    let content = beta.transaction(&[zoe.entry(&second)]).content;
    beta.send(&Letter { content, ..transaction }).await?;
    // What was told later has come; what came under the old transaction ID has not.
    witness.publish(&marker).await?;
    viewer.sees(&witness, &Expect::hash_of(&marker)).await?.or_stop()?;
    let unseen = viewer.never_saw(&zoe, &Expect::hash_of(&second));
    check!(cx, "federation.presence-in", unseen.when("from a transaction that was processed before"));
    let status = alice.session().status_says_nothing_but(&zoe, &[&first]).await?;
    check!(cx, "federation.presence-in", status.when("after a transaction that was processed before"));
    Ok(())
}

/// Fields that hold no hash. `good` is one, so that a target which guesses what was meant is found out; of
/// `padded` the target may take the padding for what it is.
fn malformed(good: &CapabilityHash, padded: &CapabilityHash) -> Vec<(&'static str, Value)> {
    let good = good.as_str();
    vec![
        ("a string", json!(good)),
        ("a list", json!([good])),
        ("a number", json!(1)),
        ("an empty object", json!({})),
        ("an object with another algorithm", json!({ "sha512": good })),
        ("an object whose sha256 is a number", json!({ "sha256": 1 })),
        ("an object whose sha256 is an object", json!({ "sha256": { "sha256": good } })),
        ("a hash cut short", json!({ "sha256": good[..42] })),
        ("a padded hash", json!({ "sha256": format!("{padded}=") })),
        ("hexadecimal digits", json!({ "sha256": "0123456789abcdef".repeat(4) })),
        ("no hash at all", json!({ "sha256": "<script>alert(1)</script>" })),
    ]
}

async fn drops_what_is_no_hash(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, zoe, witness) = (alice.session(), cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    cx.room_with(&phone, &[&zoe, &witness]).await?;
    let mut viewer = Viewer::open(&phone).await?;
    let [earlier, unsaid, padded] = cx.sets();
    zoe.publish(&earlier).await?;
    viewer.sees(&zoe, &Expect::hash_of(&earlier)).await?.or_stop()?;
    for (what, field) in malformed(&unsaid.hash(), &padded.hash()) {
        let set = cx.set();
        beta.tell(&[zoe.entry_with(&field), witness.entry(&set)]).await?;
        let moment = format!("beside an entry whose field is {what}");
        let beside = viewer.sees(&witness, &Expect::hash_of(&set)).await?;
        if !check!(cx, "federation.presence-in", beside.when(&moment)) {
            // What is plainly broken is not waited for again.
            return Ok(());
        }
        let moment = format!("after an entry whose field is {what}");
        let shown = viewer.saw_nothing_but(&zoe, &[&earlier, &padded]);
        check!(cx, "federation.presence-in", shown.when(&moment));
        let status = phone.status_says_nothing_but(&zoe, &[&earlier, &padded]).await?;
        check!(cx, "federation.presence-in", status.when(&moment));
    }
    let later = cx.set();
    zoe.publish(&later).await?;
    let shown = viewer.sees(&zoe, &Expect::hash_of(&later)).await?;
    check!(cx, "federation.presence-in", shown.when("after fields that held no hash"));
    Ok(())
}

async fn shows_no_stranger(cx: &Cx) -> Ran {
    let (alice, bob, beta) = (cx.user()?, cx.user()?, cx.homeserver(0).await?);
    let (phone, laptop) = (alice.session(), bob.session());
    let (roomless, his, hers) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    cx.room_with(&laptop, &[&his]).await?;
    let room = cx.room_with(&phone, &[&hers]).await?;
    let (mut viewer, mut control) = (Viewer::open(&phone).await?, Viewer::open(&laptop).await?);
    let [hidden, shown, marker] = cx.sets();
    beta.tell(&[roomless.entry(&hidden), his.entry(&shown), hers.entry(&marker)]).await?;
    viewer.sees(&hers, &Expect::hash_of(&marker)).await?.or_stop()?;
    control.sees(&his, &Expect::hash_of(&shown)).await?.or_stop()?;
    let strangers: [(&RemoteUser, _, _); 2] =
        [(&roomless, &hidden, "who is in no room"), (&his, &shown, "who is in somebody else's room")];
    for (stranger, set, who) in strangers {
        let moment = format!("for a remote user {who}");
        let unseen = viewer.never_saw(stranger, &Expect::hash_of(set));
        check!(cx, "federation.presence-in", unseen.when(&moment));
        let status = phone.status_of(stranger).await?;
        check!(cx, "federation.presence-in", phone.status_hides(&status, set).when(&moment));
    }
    // In the room the same user is shown: they were hidden, and not lost.
    his.join(&room).await?;
    let later = cx.set();
    his.publish(&later).await?;
    viewer.sees(&his, &Expect::hash_of(&later)).await?.or_stop()?;
    // And hidden again, once they have left.
    his.leave(&room).await?;
    check!(
        cx,
        "federation.presence-in",
        phone.status_comes_to_hide(&his, &later).await?.when("after leaving")
    );
    let [parting, last] = cx.sets();
    beta.tell(&[his.entry(&parting), hers.entry(&last)]).await?;
    viewer.sees(&hers, &Expect::hash_of(&last)).await?.or_stop()?;
    let unseen = viewer.never_saw(&his, &Expect::hash_of(&parting));
    check!(cx, "federation.presence-in", unseen.when("for a remote user who has left the room"));
    Ok(())
}

async fn believes_no_homeserver_about_anothers_users(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (beta, gamma) = (cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (phone, laptop) = (alice.session(), bob.session());
    let (zoe, theirs) = (cx.remote_user(&beta)?, cx.remote_user(&gamma)?);
    let yves = cx.remote_user(&beta)?;
    let room = cx.room_with(&phone, &[&zoe, &yves, &theirs]).await?;
    room.join(&laptop).await?;
    let mut viewer = Viewer::open(&phone).await?;
    let [declared, known] = cx.sets();
    laptop.publish(&declared).await?;
    theirs.publish(&known).await?;
    viewer.sees(&bob, &Expect::hash_of(&declared)).await?.or_stop()?;
    viewer.sees(&theirs, &Expect::hash_of(&known)).await?.or_stop()?;
    // An entry is read that stands behind another one.
    let first = cx.set();
    beta.tell(&[yves.entry_without(), zoe.entry(&first)]).await?;
    viewer.sees(&zoe, &Expect::hash_of(&first)).await?.or_stop()?;
    let victims: [(&dyn Person, _, _); 2] = [
        (&theirs, &known, "about a user of a third homeserver"),
        (&bob, &declared, "about a user of the target itself"),
    ];
    for (victim, truth, about) in victims {
        phone.status_settles_on(victim, &Expect::hash_of(truth)).await?.or_stop()?;
        let [forged, good] = cx.sets();
        beta.tell(&[beta.entry_about(victim, &forged), zoe.entry(&good)]).await?;
        let beside = viewer.sees(&zoe, &Expect::hash_of(&good)).await?;
        check!(cx, "federation.presence-spoof", beside.when(&format!("beside an entry {about}")));
        let unseen = viewer.never_saw(victim, &Expect::hash_of(&forged));
        check!(cx, "federation.presence-spoof", unseen.when(&format!("from an entry {about}")));
        let status = phone.status_settles_on(victim, &Expect::hash_of(truth)).await?;
        check!(cx, "federation.presence-spoof", status.when(&format!("after an entry {about}")));
        // Nor may it be taken back in another's name.
        let marker = cx.set();
        beta.tell(&[beta.entry_without(victim), zoe.entry(&marker)]).await?;
        viewer.sees(&zoe, &Expect::hash_of(&marker)).await?.or_stop()?;
        let status = phone.status_settles_on(victim, &Expect::hash_of(truth)).await?;
        check!(cx, "federation.presence-spoof", status.when(&format!("after an empty entry {about}")));
    }
    Ok(())
}
