//! What the homeserver offers to other homeservers: the same as the server API (draft F2).

use crate::check;
use crate::wire::signing::Spelling;

use super::*;

scenarios! { federation:
    offers_a_hash {
        says: "Another homeserver that asks for a user of its own, known or not, is given a hash",
        covers: ["federation.hash"],
        needs: [FEDERATION, FED_SERVER_HASH],
        cast: users(1),
    }
    offers_the_set_behind_it {
        says: "And for the hash the set that hashes to it; for a hash that nobody produced there is none",
        covers: ["federation.set"],
        needs: [FEDERATION, FED_SERVER_HASH, FED_SERVER_SET],
        cast: users(0),
    }
    answers_for_the_askers_users_alone {
        says: "A user who is not the asking homeserver's is not answered for",
        covers: ["federation.other-user"],
        needs: [FEDERATION, FED_SERVER_HASH],
        cast: users(1),
    }
    takes_every_spelling_of_a_signature {
        says: "Every legal spelling of the X-Matrix header is accepted",
        covers: ["federation.header-forms"],
        needs: [FEDERATION, FED_SERVER_HASH],
        cast: users(0),
    }
}

async fn offers_a_hash(cx: &Cx) -> Ran {
    let (alice, beta) = (cx.user()?, cx.homeserver(0).await?);
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    cx.room_with(&alice.session(), &[&zoe]).await?;
    let users = [(&zoe, "for a user who has joined a room"), (&yves, "for a user nobody has heard of")];
    for (user, moment) in users {
        let reply = beta.ask_server_hash_for(user.id()).await?;
        let hash = reply.has_hash_shape().and(|| reply.spells_hash_right());
        check!(cx, "federation.hash", hash.when(moment));
    }
    Ok(())
}

async fn offers_the_set_behind_it(cx: &Cx) -> Ran {
    let beta = cx.homeserver(0).await?;
    let zoe = cx.remote_user(&beta)?;
    let hash = beta.ask_server_hash_for(zoe.id()).await?.or_stop("the server's hash")?.hash_or_stop()?;
    check!(cx, "federation.set", beta.ask_server_set(&hash).await?.serves_what_hashes_to(&hash));
    let unknown = beta.ask_server_set(&cx.unknown_hash()).await?;
    check!(cx, "federation.set", unknown.is_rejected_with_error().when("for a hash that nobody produced"));
    Ok(())
}

async fn answers_for_the_askers_users_alone(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&gamma)?);
    beta.ask_server_hash_for(zoe.id()).await?.or_stop("the server's hash for a user of the asker's")?;
    let nobody = format!("@{}:{}", cx.name(), cx.server_name());
    let others = [
        (alice.id(), "for a user of the answering homeserver"),
        (&nobody, "for a user whom the answering homeserver does not have"),
        (yves.id(), "for a user of a third homeserver"),
    ];
    for (user_id, moment) in others {
        let reply = beta.ask_server_hash_for(user_id).await?;
        check!(cx, "federation.other-user", reply.is_rejected().when(moment));
    }
    Ok(())
}

async fn takes_every_spelling_of_a_signature(cx: &Cx) -> Ran {
    let beta = cx.homeserver(0).await?;
    let question = beta.server_hash_for(cx.remote_user(&beta)?.id())?;
    beta.send(&question).await?.or_stop("a request with the plainest header")?;
    for spelling in Spelling::ALL {
        let header = beta.signature(&question).spelled(spelling);
        let reply = beta.send_as(&question, Some(header)).await?;
        let moment = format!("for a header {}", spelling.says());
        check!(cx, "federation.header-forms", reply.is_accepted().when(&moment));
    }
    Ok(())
}
