//! Hash and user ID to the set (draft C9 to C11).

use crate::actors::Reply;
use crate::check;
use crate::spec::capability::CapabilitySet;

use super::*;

scenarios! { resolve:
    yields_the_declared_set {
        says: "Hash and user ID yield the set, for the user and for whoever shares a room",
        covers: ["resolve.hash-and-user"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(2),
    }
    serves_what_hashes_to_the_question {
        says: "What is served hashes to what was asked, also right after a change",
        covers: ["resolve.verifies"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS],
        cast: users(1),
    }
    takes_every_hash_in_a_path {
        says: "Hashes with +, / and // survive the URL",
        covers: ["resolve.encoding"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    refuses_an_unknown_hash {
        says: "An unknown hash is an error and never a set, and does not stay unknown once it is uploaded",
        covers: ["resolve.unknown"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    refuses_malformed_hashes {
        says: "A malformed hash in the path is refused without harm",
        covers: ["resolve.malformed-hash"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    does_not_tell_why_not {
        says: "An unknown hash, an unknown user and an invisible user are answered alike",
        covers: ["resolve.indistinguishable"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(2),
    }
    still_serves_a_superseded_hash {
        says: "The hash before the last change still resolves for a while",
        covers: ["resolve.superseded"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS],
        cast: users(2),
    }
    is_for_those_who_see_presence {
        says: "Only those who may see the user's presence may resolve their hash",
        covers: ["resolve.strangers"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(2),
    }
}

async fn yields_the_declared_set(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, set) = (alice.session(), cx.set());
    cx.room(&phone, &[&bob.session()]).await?;
    phone.publish(&set).await?;
    check!(cx, "resolve.hash-and-user", phone.can_resolve(&alice, &set).await?);
    check!(
        cx,
        "resolve.hash-and-user",
        bob.session().can_resolve(&alice, &set).await?.when("for a user who shares a room")
    );
    Ok(())
}

async fn serves_what_hashes_to_the_question(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let other = cx.set();
    tablet.publish(&other).await?;
    tablet.can_resolve(&alice, &other).await?.or_stop()?;
    for _ in 0..3 {
        let set = cx.set_beside(&[&other]);
        let union = CapabilitySet::union([&set, &other]);
        phone.publish(&set).await?;
        // Either may not be known yet, or not be served at all; another set never comes instead.
        for asked in [&set, &union] {
            let served = phone.resolve(&alice, &asked.hash()).await?;
            let honest = if served.is_4xx() { served.is_rejected_with_error() } else { served.serves(asked) };
            check!(cx, "resolve.verifies", honest.when("right after a change"));
        }
        // That it is served at all is another rule's.
        phone.can_resolve(&alice, &union).await?.or_stop()?;
    }
    Ok(())
}

/// Which hashes are wanted.
type Wanted = fn(&str) -> bool;

async fn takes_every_hash_in_a_path(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    cx.try_every_hash();
    ground::resolvable(cx, &alice, &phone).await?;
    let kinds: [(&str, Wanted); 5] = [
        ("+", |hash| hash.contains('+') && !hash.contains('/')),
        ("/", |hash| hash.contains('/') && !hash.contains('+')),
        ("+ and /", |hash| hash.contains('+') && hash.contains('/')),
        ("//", |hash| hash.contains("//")),
        ("a / in front", |hash| hash.starts_with('/')),
    ];
    for (what, wanted) in kinds {
        let set = cx.salted_until(CapabilitySet::default(), |set| wanted(set.hash().as_str()));
        let moment = format!("for a hash with {what}");
        if check!(cx, "resolve.encoding", phone.upload(&set).await?.is_accepted().when(&moment)) {
            phone.declare(&set).await?.or_stop("the declaration of an uploaded set")?;
            check!(cx, "resolve.encoding", phone.can_resolve(&alice, &set).await?.when(&moment));
        }
    }
    Ok(())
}

async fn refuses_an_unknown_hash(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    ground::resolvable(cx, &alice, &phone).await?;
    let set = cx.set();
    let unknown = phone.resolve(&alice, &set.hash()).await?;
    check!(cx, "resolve.unknown", unknown.is_rejected_with_error());
    // The same request succeeds after what made others succeed: it had failed because the hash was unknown.
    let published = [phone.upload(&set).await?.is_accepted(), phone.declare(&set).await?.is_accepted()];
    let resolved = phone.can_resolve(&alice, &set).await?;
    let known = published.into_iter().rfold(resolved, |then, first| first.and(|| then));
    check!(cx, "resolve.unknown", known.when("after it was asked for in vain"));
    if let Some(swapped) = malformed::other_case(&set.hash()) {
        let reply = phone.resolve(&alice, &swapped).await?;
        check!(
            cx,
            "resolve.unknown",
            reply.is_rejected_with_error().when("for a known hash in the other case")
        );
    }
    Ok(())
}

async fn refuses_malformed_hashes(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, set) = (alice.session(), cx.set());
    phone.publish(&set).await?;
    phone.can_resolve(&alice, &set).await?.or_stop()?;
    for malformed in malformed::hashes(&set.hash()) {
        let reply = phone.resolve_spelled(&alice, &malformed.spelled).await?;
        check!(cx, "resolve.malformed-hash", malformed.is_refused_by(&reply));
    }
    let after = phone.resolve(&alice, &set.hash()).await?;
    check!(cx, "resolve.malformed-hash", after.serves(&set).when("after all of that"));
    Ok(())
}

async fn does_not_tell_why_not(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop, set) = (alice.session(), bob.session(), cx.set());
    laptop.publish(&set).await?;
    laptop.can_resolve(&bob, &set).await?.or_stop()?;
    let unknown = phone.resolve(&alice, &cx.unknown_hash()).await?;
    unknown.is_rejected_with_error().when("for an unknown hash of one's own").or_stop()?;
    let nobody = format!("@{}:{}", cx.name(), cx.server_name());
    let asked = [
        ("an unknown user", phone.resolve_of(&nobody, &set.hash()).await?),
        ("an invisible user's hash", phone.resolve(&bob, &set.hash()).await?),
        ("an unknown hash of an invisible user", phone.resolve(&bob, &cx.unknown_hash()).await?),
    ];
    for (what, reply) in &asked {
        reply.is_rejected().when(&format!("for {what}")).or_stop()?;
        check!(cx, "resolve.indistinguishable", reply.is_like(&unknown).when(&format!("for {what}")));
    }
    Ok(())
}

async fn still_serves_a_superseded_hash(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    cx.room(&phone, &[&bob.session()]).await?;
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    let before = CapabilitySet::union([&calls, &maps]);
    bob.session().can_resolve(&alice, &before).await?.or_stop()?;
    let polls = cx.set_beside(&[&maps]);
    phone.publish(&polls).await?;
    let after = CapabilitySet::union([&polls, &maps]);
    bob.session().can_resolve(&alice, &after).await?.or_stop()?;
    ground::resolving_nothing(cx, &alice, &phone).await?;
    let superseded = bob.session().resolve(&alice, &before.hash()).await?;
    check!(cx, "resolve.superseded", superseded.serves(&before).when("right after it was superseded"));
    Ok(())
}

async fn is_for_those_who_see_presence(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop, set) = (alice.session(), bob.session(), cx.set());
    phone.publish(&set).await?;
    phone.can_resolve(&alice, &set).await?.or_stop()?;
    ground::resolving_nothing(cx, &alice, &phone).await?;
    let hidden = laptop.resolve(&alice, &set.hash()).await?;
    check!(cx, "resolve.strangers", hidden.is_rejected_with_error().when("for a stranger"));
    let room = cx.room(&phone, &[&laptop]).await?;
    // Now that they share a room it is served: it was hidden, and not broken.
    laptop.can_resolve(&alice, &set).await?.or_stop()?;
    room.leave(&laptop).await?;
    let gone = laptop.resolve_settles(&alice, &set.hash(), Reply::is_rejected_with_error).await?;
    check!(cx, "resolve.strangers", gone.when("for somebody who left"));
    Ok(())
}
