//! A local client meets the hash of a remote user: its homeserver asks the other one (draft C9, F2).

use crate::actors::{Expect, Viewer};
use crate::check;
use crate::spec::capability::CapabilitySet;
use crate::wire::peer::Answer;

use super::*;

/// Of how many bytes a remote homeserver's answer may be at least.
const MEBIBYTE: usize = 1 << 20;

scenarios! { federation:
    looks_up_what_presence_announced {
        says: "A client resolves the hash that a remote user's presence carries: the remote homeserver is asked, with a signature",
        covers: ["federation.lookup"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE, PRESENCE],
        cast: users(1),
    }
    looks_up_what_it_has_never_seen {
        says: "So it is with a hash that presence never carried, whatever is in it",
        covers: ["federation.lookup"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    takes_every_spelling_of_an_answer {
        says: "The remote homeserver may spell the set as it likes, and need not be brief",
        covers: ["federation.lookup"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    asks_once {
        says: "However often, for whomever and of whomever a hash is resolved, the remote homeserver is asked once",
        covers: ["federation.lookup-cached"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(2),
    }
    asks_nobody_for_strangers {
        says: "For a client that shares no room with the remote user nobody is asked",
        covers: ["federation.lookup-private"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(2),
    }
}

async fn looks_up_what_presence_announced(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, zoe, set) = (alice.session(), cx.remote_user(&beta)?, cx.set());
    cx.room_with(&phone, &[&zoe]).await?;
    let mut viewer = Viewer::open(&phone).await?;
    zoe.publish(&set).await?;
    viewer.sees(&zoe, &Expect::hash_of(&set)).await?.or_stop()?;
    check!(cx, "federation.lookup", phone.can_look_up(&zoe, &set).await?);
    check!(cx, "federation.lookup", beta.was_asked_with_signature(&zoe, &set.hash())?);
    Ok(())
}

async fn looks_up_what_it_has_never_seen(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, zoe) = (alice.session(), cx.remote_user(&beta)?);
    cx.room_with(&phone, &[&zoe]).await?;
    let plain = cx.set();
    // With all that a path must encode, where that survives one.
    let awkward = cx.salted_until(CapabilitySet::default(), |set| {
        let hash = set.hash();
        hash.as_str().contains('+') && hash.as_str().contains('/')
    });
    let sets = if cx.fits_a_path(&awkward.hash()) { vec![plain, awkward] } else { vec![plain] };
    for set in &sets {
        zoe.can_answer(set);
        check!(cx, "federation.lookup", phone.can_look_up(&zoe, set).await?);
        check!(cx, "federation.lookup", beta.was_asked_with_signature(&zoe, &set.hash())?);
    }
    Ok(())
}

async fn takes_every_spelling_of_an_answer(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (phone, zoe) = (alice.session(), cx.remote_user(&beta)?);
    cx.room_with(&phone, &[&zoe]).await?;
    for set in cx.sets::<4>() {
        let spelled = cx.draw(|draw| draw.spelling(&set.to_json()));
        zoe.answers(&set.hash(), Answer::Set(spelled.into()));
        let found = phone.can_look_up(&zoe, &set).await?;
        check!(cx, "federation.lookup", found.when("for an answer with other spaces, order and escapes"));
    }
    let set = cx.set();
    let long = [set.canonical_bytes(), vec![b' '; MEBIBYTE - set.canonical_bytes().len()]].concat();
    zoe.answers(&set.hash(), Answer::Set(long.into()));
    let found = phone.can_look_up(&zoe, &set).await?;
    check!(cx, "federation.lookup", found.when("for an answer of a mebibyte"));
    Ok(())
}

async fn asks_once(cx: &Cx) -> Ran {
    let (alice, bob, beta) = (cx.user()?, cx.user()?, cx.homeserver(0).await?);
    let (phone, laptop) = (alice.session(), bob.session());
    let (zoe, yves, set) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?, cx.set());
    let room = cx.room_with(&phone, &[&zoe, &yves]).await?;
    room.join(&laptop).await?;
    zoe.can_answer(&set);
    for session in [&phone, &laptop, &phone, &laptop] {
        session.can_look_up(&zoe, &set).await?.or_stop()?;
        let asked = beta.answered_once_at_most(&[&zoe], &set.hash())?;
        check!(cx, "federation.lookup-cached", asked.when("over several lookups by two users"));
    }
    yves.can_answer(&set);
    phone.can_look_up(&yves, &set).await?.or_stop()?;
    let asked = beta.answered_once_at_most(&[&zoe, &yves], &set.hash())?;
    check!(cx, "federation.lookup-cached", asked.when("for two of its users with one set"));
    Ok(())
}

async fn asks_nobody_for_strangers(cx: &Cx) -> Ran {
    let (alice, bob, beta) = (cx.user()?, cx.user()?, cx.homeserver(0).await?);
    let (phone, laptop, zoe) = (alice.session(), bob.session(), cx.remote_user(&beta)?);
    let room = cx.room_with(&phone, &[&zoe]).await?;
    let [hidden, shown] = cx.sets();
    zoe.can_answer(&hidden);
    zoe.can_answer(&shown);
    let refused = laptop.look_up(&zoe, &hidden.hash()).await?;
    check!(cx, "federation.lookup-private", refused.is_not_found().when("for a stranger"));
    // In the room the same client's question goes through: it was not asked, and not lost.
    room.join(&laptop).await?;
    laptop.can_look_up(&zoe, &shown).await?.or_stop()?;
    let unasked = beta.was_not_asked(&zoe, &hidden.hash())?;
    check!(cx, "federation.lookup-private", unasked.when("on behalf of a stranger"));
    Ok(())
}
