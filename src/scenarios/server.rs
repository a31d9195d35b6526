//! What the homeserver says it can do (draft S1 to S5).

use crate::check;

use super::*;

scenarios! { server:
    publishes_a_hash_for_the_asking_user {
        says: "The user's own ID yields the hash of the server's capabilities",
        covers: ["server.hash"],
        needs: [SERVER_HASH],
        cast: users(1),
    }
    resolves_its_hash_to_a_set {
        says: "That hash yields a set that hashes back to it, whose names obey the grammar",
        covers: ["server.set", "server.identifier-grammar"],
        needs: [SERVER_HASH, SERVER_SET],
        cast: users(1),
    }
    refuses_a_hash_that_nobody_produced {
        says: "A well-formed hash that nobody produced is an error and never a set",
        covers: ["server.unknown-hash", "server.unknown-hash-404"],
        needs: [SERVER_HASH, SERVER_SET],
        cast: users(1),
    }
    refuses_malformed_hashes {
        says: "A malformed hash in the path is refused without harm",
        covers: ["server.malformed-hash"],
        needs: [SERVER_HASH, SERVER_SET],
        cast: users(1),
    }
    does_not_tell_another_users_hash {
        says: "Asking with somebody else's user ID does not yield their hash",
        covers: ["server.other-user"],
        needs: [SERVER_HASH],
        cast: users(2),
    }
}

async fn publishes_a_hash_for_the_asking_user(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let reply = phone.server_hash().await?;
    if reply.tells_a_hash().holds {
        // It is there; its shape is another rule's.
        reply.has_hash_shape().or_stop()?;
    }
    check!(cx, "server.hash", reply.has_hash_shape());
    Ok(())
}

async fn resolves_its_hash_to_a_set(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let hash = phone.server_hash().await?.hash_or_stop()?;
    let served = phone.server_set(&hash).await?;
    if check!(cx, "server.set", served.serves_what_hashes_to(&hash)) {
        check!(cx, "server.identifier-grammar", served.names_obey_the_grammar());
    }
    Ok(())
}

async fn refuses_a_hash_that_nobody_produced(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    // That the operation serves its own hash shows that the errors are about the unknown ones.
    let own = phone.server_hash().await?.hash_or_stop()?;
    phone.server_set(&own).await?.or_stop("the server's own set")?;
    let reply = phone.server_set(&cx.unknown_hash()).await?;
    if check!(cx, "server.unknown-hash", reply.is_rejected_with_error()) {
        check!(cx, "server.unknown-hash-404", reply.says_not_found());
    }
    if let Some(swapped) = malformed::other_case(&own) {
        let reply = phone.server_set(&swapped).await?;
        check!(
            cx,
            "server.unknown-hash",
            reply.is_rejected_with_error().when("for its own hash in the other case")
        );
    }
    Ok(())
}

async fn refuses_malformed_hashes(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let own = phone.server_hash().await?.hash_or_stop()?;
    phone.server_set(&own).await?.or_stop("the server's own set")?;
    for malformed in malformed::hashes(&own) {
        let reply = phone.server_set_spelled(&malformed.spelled).await?;
        check!(cx, "server.malformed-hash", malformed.is_refused_by(&reply));
    }
    check!(
        cx,
        "server.malformed-hash",
        phone.server_set(&own).await?.is_accepted().when("after all of that")
    );
    Ok(())
}

async fn does_not_tell_another_users_hash(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    alice.session().server_hash().await?.or_stop("server_hash for oneself")?;
    let reply = alice.session().server_hash_of(bob.id()).await?;
    check!(cx, "server.other-user", reply.is_kept_from_asker());
    Ok(())
}
