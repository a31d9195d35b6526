//! Another homeserver asks for the set of a local user (draft C10, F2).

use crate::actors::Reply;
use crate::check;
use crate::spec::capability::CapabilitySet;

use super::*;

scenarios! { federation:
    serves_the_set_of_a_user_to_who_shares_a_room {
        says: "A homeserver that shares a room with the user is given the set in force, also one that nobody uploaded, and no set for any other hash",
        covers: ["federation.resolve"],
        needs: [FEDERATION, FED_RESOLVE, RESOLVE, DECLARE, UPLOAD, SESSIONS],
        cast: users(1),
    }
    serves_it_to_no_other {
        says: "A homeserver that shares no room, or no longer does, is told that there is nothing",
        covers: ["federation.resolve-private"],
        needs: [FEDERATION, FED_RESOLVE, DECLARE, UPLOAD],
        cast: users(1),
    }
    serves_no_sets_of_other_homeservers {
        says: "So is whoever asks for a user who is not local, whatever the homeserver knows of them",
        covers: ["federation.resolve-private"],
        needs: [FEDERATION, FED_RESOLVE, RESOLVE, DECLARE, UPLOAD],
        cast: users(1),
    }
}

async fn serves_the_set_of_a_user_to_who_shares_a_room(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let phone = alice.session();
    cx.room_with(&phone, &[&cx.remote_user(&beta)?]).await?;
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    check!(cx, "federation.resolve", beta.can_resolve(&alice, &calls).await?);
    alice.log_in("tablet").await?.publish(&maps).await?;
    let union = CapabilitySet::union([&calls, &maps]);
    phone.can_resolve(&alice, &union).await?.or_stop()?;
    let resolved = beta.can_resolve(&alice, &union).await?;
    check!(cx, "federation.resolve", resolved.when("for a union that nobody uploaded"));
    let unknown = beta.resolve(&alice, &cx.unknown_hash()).await?;
    check!(
        cx,
        "federation.resolve",
        unknown.is_rejected_with_error().when("for a hash that nobody produced")
    );
    Ok(())
}

async fn serves_it_to_no_other(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (phone, set) = (alice.session(), cx.set());
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&gamma)?);
    let room = cx.room_with(&phone, &[&zoe]).await?;
    phone.publish(&set).await?;
    beta.can_resolve(&alice, &set).await?.or_stop()?;
    let stranger = gamma.resolve(&alice, &set.hash()).await?;
    let moment = "for a homeserver that shares no room";
    check!(cx, "federation.resolve-private", stranger.says_not_found().when(moment));
    // Now that it shares one it is served: it was hidden, and not broken.
    yves.join(&room).await?;
    gamma.can_resolve(&alice, &set).await?.or_stop()?;
    yves.leave(&room).await?;
    let left = gamma.resolve_settles(&alice, &set.hash(), Reply::says_not_found).await?;
    check!(cx, "federation.resolve-private", left.when("for a homeserver whose user has left"));
    Ok(())
}

async fn serves_no_sets_of_other_homeservers(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let phone = alice.session();
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&gamma)?);
    cx.room_with(&phone, &[&zoe, &yves]).await?;
    let [hers, theirs, his] = cx.sets();
    phone.publish(&hers).await?;
    beta.can_resolve(&alice, &hers).await?.or_stop()?;
    // Sets of remote users that the target knows, because it has looked them up.
    for (user, set) in [(&zoe, &theirs), (&yves, &his)] {
        user.can_answer(set);
        phone.can_look_up(user, set).await?.or_stop()?;
    }
    let nobody = format!("@{}:{}", cx.name(), cx.server_name());
    let asked = [
        (beta.resolve(&zoe, &theirs.hash()).await?, "for a user of the asking homeserver"),
        (beta.resolve(&yves, &his.hash()).await?, "for a user of a third homeserver"),
        (beta.send(&beta.set_of(&nobody, &hers.hash())?).await?, "for a user whom nobody knows"),
    ];
    for (reply, moment) in &asked {
        check!(cx, "federation.resolve-private", reply.says_not_found().when(moment));
    }
    Ok(())
}
