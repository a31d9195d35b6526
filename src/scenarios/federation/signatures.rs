//! Every request between homeservers is signed, and what is not is refused (Server-Server API, "Request
//! Authentication").

use crate::actors::{Expect, Letter, RemoteServer, Reply, Viewer};
use crate::check;

use super::forgeries::{Forger, Forgery};
use super::*;

scenarios! { federation:
    refuses_forged_questions_about_itself {
        says: "Who asks for the server's capabilities with a wrong signature is refused, right after an honest question",
        covers: ["federation.signed", "federation.signed-401"],
        needs: [FEDERATION, FED_SERVER_HASH, FED_SERVER_SET],
        cast: users(0),
    }
    refuses_forged_questions_about_users {
        says: "So is who asks for a user's set",
        covers: ["federation.signed", "federation.signed-401"],
        needs: [FEDERATION, FED_RESOLVE, DECLARE, UPLOAD],
        cast: users(1),
    }
    takes_no_forged_presence {
        says: "Presence with a wrong signature is refused and shown to nobody",
        covers: ["federation.signed", "federation.signed-401"],
        needs: [FEDERATION, PRESENCE],
        cast: users(1),
    }
    tells_keys_with_one_id_apart {
        says: "Two homeservers whose keys have the same ID are each known by their own",
        covers: ["federation.signed", "federation.signed-401", "federation.hash"],
        needs: [FEDERATION, FED_SERVER_HASH],
        cast: users(0),
    }
}

async fn refuses_forged_questions_about_itself(cx: &Cx) -> Ran {
    let (beta, gamma) = (cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (zoe, yves) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    let hash = beta.ask_server_hash_for(zoe.id()).await?.or_stop("the server's hash")?.hash_or_stop()?;
    let [sent, instead] = [&zoe, &yves].map(|user| beta.server_hash_for(user.id()));
    refuses_forgeries(cx, &beta, &gamma, [sent?, instead?], Some(hash.as_str())).await?;
    let set = beta.ask_server_set(&hash).await?.or_stop("the server's set")?.set().unwrap_or_default();
    let letters = [beta.server_set(&hash)?, beta.server_set(&cx.unknown_hash())?];
    refuses_forgeries(cx, &beta, &gamma, letters, set.names().next()).await
}

async fn refuses_forged_questions_about_users(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (phone, zoe, set) = (alice.session(), cx.remote_user(&beta)?, cx.set());
    cx.room_with(&phone, &[&zoe]).await?;
    phone.publish(&set).await?;
    beta.can_resolve(&alice, &set).await?.or_stop()?;
    let letters = [beta.set_of(alice.id(), &set.hash())?, beta.set_of(zoe.id(), &set.hash())?];
    refuses_forgeries(cx, &beta, &gamma, letters, set.names().next()).await
}

/// Every forgery of a question is refused, right after the honest question was answered, and without the
/// secret that is the answer, where there is one: `{}` gives nothing away.
async fn refuses_forgeries(
    cx: &Cx,
    beta: &RemoteServer,
    gamma: &RemoteServer,
    [sent, instead]: [Letter; 2],
    secret: Option<&str>,
) -> Ran {
    // So that gamma's key is known, and could be taken for beta's.
    is_known(cx, gamma).await?;
    // Whatever it is answered: its signature was good once, and may have been remembered.
    beta.send(&instead).await?;
    let forger = Forger { honest: beta, other: gamma, sent: &sent, instead: &instead };
    for forgery in Forgery::of(&sent) {
        beta.send(&sent).await?.or_stop("the same question, signed as it should be")?;
        let reply = forgery.send(&forger).await?;
        check!(cx, "federation.signed", forgery.is_refused_by(&reply));
        if let Some(secret) = secret {
            check!(cx, "federation.signed", reply.does_not_name(secret).when(&forgery.moment()));
        }
        refusal_is_401(cx, &reply, &forgery.moment()).await?;
    }
    Ok(())
}

/// What is refused at all is refused with 401.
async fn refusal_is_401(cx: &Cx, reply: &Reply, moment: &str) -> Ran {
    if reply.is_4xx() {
        check!(cx, "federation.signed-401", reply.says_unauthorized().when(moment));
    }
    Ok(())
}

/// A homeserver has been heard, and so its keys are known: by presence, which needs no operation.
async fn is_known(cx: &Cx, server: &RemoteServer) -> Ran {
    let user = cx.remote_user(server)?;
    server.tell(&[user.entry_without()]).await
}

async fn takes_no_forged_presence(cx: &Cx) -> Ran {
    let (alice, beta, gamma) = (cx.user()?, cx.homeserver(0).await?, cx.homeserver(1).await?);
    let (zoe, witness) = (cx.remote_user(&beta)?, cx.remote_user(&beta)?);
    is_known(cx, &gamma).await?;
    cx.room_with(&alice.session(), &[&zoe, &witness]).await?;
    let mut viewer = Viewer::open(&alice.session()).await?;
    let first = cx.set();
    witness.publish(&first).await?;
    viewer.sees(&witness, &Expect::hash_of(&first)).await?.or_stop()?;
    let instead = beta.transaction(&[zoe.entry_without()]);
    beta.send(&instead).await?.or_stop("an honest transaction")?;
    let mut all = Vec::new();
    for forgery in Forgery::of(&instead) {
        let forged = cx.set();
        let sent = beta.transaction(&[zoe.entry(&forged)]);
        let forger = Forger { honest: &beta, other: &gamma, sent: &sent, instead: &instead };
        let reply = forgery.send(&forger).await?;
        check!(cx, "federation.signed", forgery.is_refused_by(&reply));
        refusal_is_401(cx, &reply, &forgery.moment()).await?;
        all.push((forgery, forged));
    }
    // What beta told later has come; what was told in its name before has not.
    let marker = cx.set();
    witness.publish(&marker).await?;
    viewer.sees(&witness, &Expect::hash_of(&marker)).await?.or_stop()?;
    for (forgery, forged) in &all {
        let unseen = viewer.never_saw(&zoe, &Expect::hash_of(forged));
        check!(cx, "federation.signed", unseen.when(&forgery.moment()));
    }
    let status = alice.session().status_says_nothing_but(&zoe, &[]).await?;
    check!(cx, "federation.signed", status.when("after transactions that were forged"));
    Ok(())
}

async fn tells_keys_with_one_id_apart(cx: &Cx) -> Ran {
    let [beta, gamma] = cx.fresh_homeservers_with_one_key_id().await?;
    for (server, moment) in [
        (&beta, "for the first homeserver with that key ID"),
        (&gamma, "for the second"),
        (&beta, "for the first again"),
    ] {
        let honest = server.ask_server_hash_for(&format!("@{}:{}", cx.name(), server.name())).await?;
        check!(cx, "federation.hash", honest.has_hash_shape().when(moment));
    }
    for (named, signer) in [(&beta, &gamma), (&gamma, &beta)] {
        let question = named.server_hash_for(&format!("@{}:{}", cx.name(), named.name()))?;
        let signed = question.to_be_signed(named.name(), named.destination());
        let borrowed = signed.signed_by(signer.peer().key()).to_string();
        let reply = named.send_as(&question, Some(borrowed)).await?;
        let moment = "for a request signed with the other homeserver's key of that ID";
        check!(cx, "federation.signed", reply.is_any_4xx().when(moment));
        refusal_is_401(cx, &reply, moment).await?;
    }
    Ok(())
}
