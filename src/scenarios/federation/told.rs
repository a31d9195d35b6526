//! The hash of local users goes out to other homeservers, in presence (draft C4, C5).

use crate::actors::{Expect, RemoteServer, Session, User};
use crate::check;

use super::*;

scenarios! { federation:
    tells_what_is_in_force {
        says: "A homeserver that shares a room is told what the user declares, every change, and the end",
        covers: ["federation.presence-out"],
        needs: [FEDERATION, DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    tells_homeservers_that_come_later {
        says: "A homeserver that joins the room later is told the value of that moment, and so is one whose room the user joins",
        covers: ["federation.presence-out"],
        needs: [FEDERATION, DECLARE, UPLOAD, PRESENCE],
        cast: users(2),
    }
    tells_every_homeserver_in_the_room {
        says: "Each of several homeservers in one room is told",
        covers: ["federation.presence-out"],
        needs: [FEDERATION, DECLARE, UPLOAD, PRESENCE],
        cast: users(1),
    }
}

async fn tells_what_is_in_force(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    cx.room_with(&phone, &[&cx.remote_user(&beta)?]).await?;
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    is_told(cx, &beta, (&phone, &alice), &Expect::hash_of(&calls), "after a declaration").await?;
    tablet.publish(&maps).await?;
    let union = Expect::union_of(&[&calls, &maps]);
    is_told(cx, &beta, (&phone, &alice), &union, "after a second client").await?;
    phone.publish(&polls).await?;
    let union = Expect::union_of(&[&polls, &maps]);
    is_told(cx, &beta, (&phone, &alice), &union, "after a new declaration").await?;
    tablet.log_out().await?;
    is_told(cx, &beta, (&phone, &alice), &Expect::hash_of(&polls), "after a logout").await?;
    phone.log_out().await?;
    let told = beta.is_told(&alice, &Expect::Nothing).await?;
    check!(cx, "federation.presence-out", told.when("after the last logout"));
    check!(cx, "federation.presence-out", beta.was_told_in_due_form(&alice));
    Ok(())
}

/// A homeserver is told what is in force, as the user's own homeserver sees it.
async fn is_told(
    cx: &Cx,
    server: &RemoteServer,
    (session, user): (&Session, &User),
    expect: &Expect,
    moment: &str,
) -> Ran {
    session.status_settles_on(user, expect).await?.or_stop()?;
    let told = server.is_told(user, expect).await?;
    check!(cx, "federation.presence-out", told.when(moment));
    Ok(())
}

async fn tells_homeservers_that_come_later(cx: &Cx) -> Ran {
    let (alice, bob, beta) = (cx.user()?, cx.user()?, cx.homeserver(0).await?);
    let (phone, laptop, zoe) = (alice.session(), bob.session(), cx.remote_user(&beta)?);
    let [hers, his] = cx.sets();
    for (session, user, set) in [(&phone, &alice, &hers), (&laptop, &bob, &his)] {
        session.publish(set).await?;
        session.status_settles_on(user, &Expect::hash_of(set)).await?.or_stop()?;
    }
    let room = cx.room_with(&phone, &[&zoe]).await?;
    let told = beta.is_told(&alice, &Expect::hash_of(&hers)).await?;
    check!(cx, "federation.presence-out", told.when("after the homeserver's user has joined"));
    room.join(&laptop).await?;
    let told = beta.is_told(&bob, &Expect::hash_of(&his)).await?;
    check!(cx, "federation.presence-out", told.when("after the user has joined"));
    Ok(())
}

async fn tells_every_homeserver_in_the_room(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let phone = alice.session();
    cx.room_with(&phone, &[&cx.remote_user(&beta)?, &cx.remote_user(&gamma)?]).await?;
    for set in cx.sets::<2>() {
        let expect = Expect::hash_of(&set);
        phone.publish(&set).await?;
        phone.status_settles_on(&alice, &expect).await?.or_stop()?;
        for server in [&beta, &gamma] {
            check!(cx, "federation.presence-out", server.is_told(&alice, &expect).await?);
            check!(cx, "federation.presence-out", server.was_told_in_due_form(&alice));
        }
    }
    Ok(())
}
