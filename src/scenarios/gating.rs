//! Capabilities that only some users have (draft S2).

use crate::actors::{Reply, Session};
use crate::check;
use crate::outcome::{Judgement, Stop};

use super::*;

scenarios! { gating:
    differs_between_users {
        says: "Entitled and unentitled users get different hashes, and only the entitled set names the capability",
        covers: ["gating.differs"],
        needs: [SERVER_HASH, SERVER_SET, GATING],
        cast: users_and_entitled(1, 1),
    }
    serves_every_entitled_user {
        says: "Every entitled user's set names the capability, although somebody else asked first",
        covers: ["gating.every-entitled"],
        needs: [SERVER_HASH, SERVER_SET, GATING],
        cast: users_and_entitled(1, 2),
    }
    is_equal_for_equals {
        says: "Two users who differ in nothing get the same hash",
        covers: ["gating.same-entitlement"],
        needs: [SERVER_HASH, GATING],
        cast: users(2),
    }
    does_not_leak_through_shared_answers {
        says: "Right after an entitled user asked, an unentitled one is served nothing that names the capability",
        covers: ["gating.no-leak"],
        needs: [SERVER_HASH, SERVER_SET, RESOLVE, GATING],
        cast: users_and_entitled(1, 1),
    }
    does_not_fall_for_a_look_alike {
        says: "A user whose name merely looks like an entitled one is served nothing that names the capability",
        covers: ["gating.no-leak"],
        needs: [SERVER_HASH, SERVER_SET, GATING],
        cast: look_alikes(1),
    }
}

/// The set that the server publishes for a session's user; a broken one is not gating's business.
async fn own_set(session: &Session) -> Result<Reply, Stop> {
    let hash = session.server_hash().await?.hash_or_stop()?;
    let reply = session.server_set(&hash).await?;
    reply.serves_what_hashes_to(&hash).or_stop()?;
    Ok(reply)
}

fn names(reply: &Reply, capability: &str, wanted: bool) -> Judgement {
    let named = reply.set().map(|set| set.contains(capability));
    let not = if wanted { "" } else { "not " };
    reply.judge(named == Some(wanted), &format!("a set that does {not}name {capability}"))
}

async fn differs_between_users(cx: &Cx) -> Ran {
    let (alice, grace) = (cx.user()?.session(), cx.entitled()?.session());
    let capability = &cx.gating()?.capability;
    let entitled = own_set(&grace).await?;
    let unentitled = own_set(&alice).await?;
    check!(cx, "gating.differs", names(&entitled, capability, true).when("for an entitled user"));
    check!(cx, "gating.differs", names(&unentitled, capability, false).when("for an unentitled user"));
    let hash = alice.server_hash().await?.or_stop("server_hash")?;
    let other = grace.server_hash().await?.or_stop("server_hash of an entitled user")?;
    let differ = hash.sha256() != other.sha256();
    let expected = format!("another hash than the entitled user's, {}", other.sha256().unwrap_or_default());
    check!(cx, "gating.differs", hash.judge(differ, &expected));
    Ok(())
}

async fn serves_every_entitled_user(cx: &Cx) -> Ran {
    let alice = cx.user()?.session();
    let (grace, heidi) = (cx.entitled()?.session(), cx.entitled()?.session());
    let capability = &cx.gating()?.capability;
    for (first, entitled) in [(&alice, &grace), (&grace, &heidi), (&alice, &heidi), (&heidi, &grace)] {
        own_set(first).await?;
        check!(cx, "gating.every-entitled", names(&own_set(entitled).await?, capability, true));
    }
    Ok(())
}

async fn is_equal_for_equals(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?.session(), cx.user()?.session());
    let one = alice.server_hash().await?;
    one.has_hash_shape().or_stop()?;
    let other = bob.server_hash().await?.or_stop("server_hash of another user")?;
    let same = one.sha256() == other.sha256();
    let expected = format!(
        "the hash that another user without the capability got, {}",
        one.sha256().unwrap_or_default()
    );
    check!(cx, "gating.same-entitlement", other.judge(same, &expected));
    Ok(())
}

async fn does_not_leak_through_shared_answers(cx: &Cx) -> Ran {
    let (alice, grace) = (cx.user()?, cx.entitled()?);
    let capability = &cx.gating()?.capability;
    // Only what the target does name to the entitled can leak.
    let gated = own_set(&grace.session()).await?;
    if !names(&gated, capability, true).holds {
        return Err(Stop::untestable(
            format!("no entitled user is served {capability}, so nothing could leak"),
            gated.exchange(),
        ));
    }
    for _ in 0..3 {
        own_set(&grace.session()).await?;
        let hash = alice.session().server_hash().await?.hash_or_stop()?;
        let set = alice.session().server_set(&hash).await?;
        check!(cx, "gating.no-leak", set.does_not_name(capability));
        let resolved = alice.session().resolve(&alice, &hash).await?;
        check!(cx, "gating.no-leak", resolved.does_not_name(capability));
    }
    Ok(())
}

async fn does_not_fall_for_a_look_alike(cx: &Cx) -> Ran {
    let mallory = cx.look_alike()?.session();
    let capability = &cx.gating()?.capability;
    check!(cx, "gating.no-leak", names(&own_set(&mallory).await?, capability, false));
    Ok(())
}
