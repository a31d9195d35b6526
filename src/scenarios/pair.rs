//! Two homeservers of the user's, federating with each other: presence and sets cross (draft C4, C5, C9, F2).
//!
//! No homeserver of the harness takes part, so nothing here lies or signs wrongly.

use crate::actors::{Expect, Room, Session, User, Viewer};
use crate::check;
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;

use super::*;

scenarios! { pair:
    presence_crosses {
        says: "What a user declares, changes and withdraws reaches the other homeserver's users, in both directions",
        covers: ["federation.presence-out", "federation.presence-in"],
        needs: [SECOND, DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users_and_elsewhere(1, 1),
    }
    presence_reaches_who_joins_later {
        says: "Users who begin to share a room across homeservers learn what is in force at that moment",
        covers: ["federation.presence-out", "federation.presence-in"],
        needs: [SECOND, DECLARE, UPLOAD, PRESENCE],
        cast: users_and_elsewhere(1, 1),
    }
    unions_resolve_across {
        says: "The union of two clients, which nobody uploaded, resolves at the other homeserver, in both directions",
        covers: ["federation.lookup", "federation.resolve", "federation.presence-out", "federation.presence-in"],
        needs: [SECOND, DECLARE, UPLOAD, RESOLVE, SESSIONS, PRESENCE],
        cast: users_and_elsewhere(1, 1),
    }
    sets_resolve_across {
        says: "Hash and user ID yield the declared set at the other homeserver, whatever is in the hash",
        covers: ["federation.lookup", "federation.resolve"],
        needs: [SECOND, DECLARE, UPLOAD, RESOLVE],
        cast: users_and_elsewhere(1, 1),
    }
}

/// A user here and one elsewhere who share a room.
async fn neighbours(cx: &Cx) -> Result<(User, User), Stop> {
    let (alice, nina) = (cx.user()?, cx.elsewhere()?);
    let room = Room::open(&alice.session()).await?;
    room.join_from_elsewhere(&nina.session()).await?;
    Ok((alice, nina))
}

/// Which way something goes, and so which part of it is the target's.
#[derive(Clone, Copy)]
enum Way {
    Out,
    In,
}

impl Way {
    /// The moment in words. What does not cross may be lost on either side, and nobody else is there to see.
    fn moment(self, moment: &str) -> String {
        let way = match self {
            Self::Out => "from the target to the second homeserver",
            Self::In => "from the second homeserver to the target",
        };
        format!("{moment}{way}, either of which may be at fault")
    }
}

/// Each of them in turn, with the other one, and which way it goes.
fn both<'u>(alice: &'u User, nina: &'u User) -> [(&'u User, &'u User, Way); 2] {
    [(alice, nina, Way::Out), (nina, alice, Way::In)]
}

async fn presence_crosses(cx: &Cx) -> Ran {
    let (alice, nina) = neighbours(cx).await?;
    // Both look before anybody logs out.
    let viewers = [Viewer::open(&nina.session()).await?, Viewer::open(&alice.session()).await?];
    for ((user, _, way), mut viewer) in both(&alice, &nina).into_iter().zip(viewers) {
        let device = user.log_in("tablet").await?;
        let [calls, maps] = cx.sets();
        for (set, moment) in [(&calls, "after a declaration, "), (&maps, "after another, ")] {
            device.publish(set).await?;
            device.status_settles_on(user, &Expect::hash_of(set)).await?.or_stop()?;
            crosses(cx, &mut viewer, user, &Expect::hash_of(set), (way, moment)).await?;
        }
        device.log_out().await?;
        crosses(cx, &mut viewer, user, &Expect::Nothing, (way, "after the logout, ")).await?;
    }
    Ok(())
}

/// Presence that one homeserver sends and the other shows.
async fn crosses(
    cx: &Cx,
    viewer: &mut Viewer,
    user: &User,
    expect: &Expect,
    (way, moment): (Way, &str),
) -> Ran {
    let shown = viewer.sees(user, expect).await?.when(&way.moment(moment));
    match way {
        Way::Out => check!(cx, "federation.presence-out", shown),
        Way::In => check!(cx, "federation.presence-in", shown),
    };
    Ok(())
}

async fn presence_reaches_who_joins_later(cx: &Cx) -> Ran {
    let (alice, nina) = (cx.user()?, cx.elsewhere()?);
    let sets = cx.sets::<2>();
    for (user, set) in [&alice, &nina].into_iter().zip(&sets) {
        user.session().publish(set).await?;
        user.session().status_settles_on(user, &Expect::hash_of(set)).await?.or_stop()?;
    }
    let viewers = [Viewer::open(&nina.session()).await?, Viewer::open(&alice.session()).await?];
    let room = Room::open(&alice.session()).await?;
    room.join_from_elsewhere(&nina.session()).await?;
    for (((user, _, way), mut viewer), set) in both(&alice, &nina).into_iter().zip(viewers).zip(&sets) {
        crosses(cx, &mut viewer, user, &Expect::hash_of(set), (way, "after the join, ")).await?;
    }
    Ok(())
}

async fn unions_resolve_across(cx: &Cx) -> Ran {
    let (alice, nina) = neighbours(cx).await?;
    for (user, other, way) in both(&alice, &nina) {
        let (phone, tablet) = (user.session(), user.log_in("tablet").await?);
        let mut viewer = Viewer::open(&other.session()).await?;
        let [calls, maps] = cx.sets();
        phone.publish(&calls).await?;
        tablet.publish(&maps).await?;
        let union = CapabilitySet::union([&calls, &maps]);
        let expect = Expect::union_of(&[&calls, &maps]);
        phone.status_settles_on(user, &expect).await?.or_stop()?;
        crosses(cx, &mut viewer, user, &expect, (way, "")).await?;
        resolves_across(cx, &other.session(), user, &union, way).await?;
    }
    Ok(())
}

async fn sets_resolve_across(cx: &Cx) -> Ran {
    let (alice, nina) = neighbours(cx).await?;
    for (user, other, way) in both(&alice, &nina) {
        let plain = cx.set();
        let awkward = cx.salted_until(CapabilitySet::default(), |set| {
            set.hash().as_str().contains('+') && set.hash().as_str().contains('/')
        });
        let sets = if cx.fits_a_path(&awkward.hash()) { vec![plain, awkward] } else { vec![plain] };
        for set in &sets {
            user.session().publish(set).await?;
            user.session().can_resolve(user, set).await?.or_stop()?;
            resolves_across(cx, &other.session(), user, set, way).await?;
        }
    }
    Ok(())
}

/// A set that one homeserver serves and the other one looks up.
async fn resolves_across(cx: &Cx, asker: &Session, user: &User, set: &CapabilitySet, way: Way) -> Ran {
    let found = asker.can_look_up(user, set).await?.when(&way.moment(""));
    match way {
        Way::Out => check!(cx, "federation.resolve", found),
        Way::In => check!(cx, "federation.lookup", found),
    };
    Ok(())
}
