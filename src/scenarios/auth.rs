//! Who may ask at all (Matrix Client-Server API, client authentication).

use crate::actors::{Reply, Session};
use crate::check;
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;

use super::*;

scenarios! { auth:
    without_a_token_nothing_is_answered {
        says: "Every operation without an access token is refused as such, whatever else is wrong with it",
        covers: ["auth.required"],
        needs: [SERVER_HASH, SERVER_SET, DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    after_logout_the_token_is_dead {
        says: "After logout the token is refused by every operation",
        covers: ["auth.dead-token"],
        needs: [SERVER_HASH, SERVER_SET, DECLARE, UPLOAD, RESOLVE, LOGIN],
        cast: users(1),
    }
    after_device_deletion_the_token_is_dead {
        says: "After its device was deleted the token is refused by every operation",
        covers: ["auth.dead-token"],
        needs: [SERVER_HASH, SERVER_SET, DECLARE, UPLOAD, RESOLVE, LOGIN],
        cast: users(1),
    }
    a_new_login_on_a_device_replaces_its_token {
        says: "A new login on a device ID kills the token that the device had",
        covers: ["auth.replaced-token"],
        needs: [SERVER_HASH, DECLARE, UPLOAD, LOGIN],
        cast: users(1),
    }
}

/// One request for every client operation, all of them in order but for who asks.
async fn every_operation(session: &Session, set: &CapabilitySet) -> Result<Vec<Reply>, Stop> {
    Ok(vec![
        session.server_hash().await?,
        session.server_set(&set.hash()).await?,
        session.declare(set).await?,
        session.upload(set).await?,
        session.resolve_of(session.user_id(), &set.hash()).await?,
    ])
}

async fn without_a_token_nothing_is_answered(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let set = cx.set();
    // The same requests with a token show that it is the token that is missed.
    phone.server_hash().await?.or_stop("server_hash with a token")?;
    phone.publish(&set).await?;
    let nobody = phone.without_token();
    let mut replies = every_operation(&nobody, &set).await?;
    replies.push(nobody.declare_body("not JSON").await?);
    replies.push(nobody.upload_spelled("too-short", "not JSON").await?);
    replies.push(nobody.server_set_spelled("too-short").await?);
    for reply in replies {
        check!(cx, "auth.required", reply.says_token_missing());
    }
    Ok(())
}

async fn after_logout_the_token_is_dead(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let tablet = alice.log_in("tablet").await?;
    let set = cx.set();
    tablet.publish(&set).await?;
    tablet.log_out().await?;
    check!(cx, "auth.dead-token", tablet.token_dies().await?);
    for reply in every_operation(&tablet, &set).await? {
        check!(cx, "auth.dead-token", reply.says_token_dead());
    }
    Ok(())
}

async fn after_device_deletion_the_token_is_dead(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let tablet = alice.log_in("tablet").await?;
    let set = cx.set();
    tablet.publish(&set).await?;
    alice.session().delete_device(&alice, &tablet).await?;
    check!(cx, "auth.dead-token", tablet.token_dies().await?);
    for reply in every_operation(&tablet, &set).await? {
        check!(cx, "auth.dead-token", reply.says_token_dead());
    }
    Ok(())
}

async fn a_new_login_on_a_device_replaces_its_token(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let tablet = alice.log_in("tablet").await?;
    tablet.publish(&cx.set()).await?;
    let renewed = alice.log_in_again(&tablet).await?;
    renewed.server_hash().await?.or_stop("server_hash with the new token")?;
    let dies = tablet.token_dies().await?;
    if !dies.holds {
        // Where no dead token is answered as one, it is not for the way it died.
        renewed.log_out().await?;
        renewed.token_dies().await?.or_stop()?;
    }
    check!(cx, "auth.replaced-token", dies);
    Ok(())
}
