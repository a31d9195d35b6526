//! The union of all connected clients' sets (draft C3).

use crate::actors::{Expect, Session, User};
use crate::check;
use crate::outcome::Stop;
use crate::spec::canonical::{Json, Object};
use crate::spec::capability::CapabilitySet;

use super::*;

scenarios! { union:
    of_one_client_is_its_set {
        says: "With one connected client presence carries that client's hash",
        covers: ["union.single"],
        needs: [DECLARE, UPLOAD, PRESENCE],
        cast: users(1),
    }
    of_two_clients_is_of_both {
        says: "With two connected clients presence carries the hash of the union",
        covers: ["union.of-all"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    of_many_clients_is_of_all {
        says: "So it does with three clients, and with six",
        covers: ["union.of-all"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    does_not_depend_on_order {
        says: "The order of logins and declarations does not matter",
        covers: ["union.order-free"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(2),
    }
    counts_the_same_set_once {
        says: "What two clients have counts once, and stays when one of them leaves",
        covers: ["union.idempotent"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    follows_a_new_declaration {
        says: "A session's new set replaces its old one",
        covers: ["union.redeclare-replaces"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    shrinks_at_logout {
        says: "Logout withdraws that session's set and no other",
        covers: ["union.leave"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    shrinks_when_a_device_is_deleted {
        says: "Deleting one device withdraws its set and no other",
        covers: ["union.leave"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    shrinks_when_several_devices_are_deleted {
        says: "Deleting several devices at once withdraws all their sets and no other",
        covers: ["union.leave"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    is_empty_after_logout_everywhere {
        says: "Logging out everywhere withdraws every set",
        covers: ["union.leave"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    forgets_the_set_of_a_replaced_login {
        says: "A new login on the same device ID starts undeclared",
        covers: ["union.relogin"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    is_one_users_alone {
        says: "Nobody else's sessions count, not even on the same device ID",
        covers: ["union.per-user"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(2),
    }
    takes_the_empty_set {
        says: "The empty set is a set: it is declared like any other and adds nothing",
        covers: ["union.empty-set"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    ignores_sessions_that_declared_nothing {
        says: "A session that declared nothing adds nothing",
        covers: ["union.undeclared"],
        needs: [DECLARE, UPLOAD, LOGIN, PRESENCE],
        cast: users(1),
    }
    settles_conflicting_parameters {
        says: "The same name with different parameters is there once, whatever the order, and hashes to what is served",
        covers: ["union.conflict"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS, PRESENCE, PARAMETERS],
        cast: users(2),
    }
    resolves_although_nobody_uploaded_it {
        says: "The hash of the union resolves to the union, though no client uploaded that set",
        covers: ["union.resolvable"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS, PRESENCE],
        cast: users(2),
    }
    resolves_when_it_is_large {
        says: "So it does for eight sets of 64 KiB",
        covers: ["union.resolvable-large"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS, PRESENCE],
        cast: users(1),
    }
}

async fn of_one_client_is_its_set(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let set = ground::client(cx, &alice, &phone).await?;
    check!(cx, "union.single", phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?);
    Ok(())
}

async fn of_two_clients_is_of_both(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let calls = ground::client(cx, &alice, &phone).await?;
    let maps = cx.set_beside(&[&calls]);
    alice.log_in("tablet").await?.publish(&maps).await?;
    check!(cx, "union.of-all", phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &maps])).await?);
    Ok(())
}

async fn of_many_clients_is_of_all(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let mut sets = vec![ground::client(cx, &alice, &phone).await?];
    for device in ["tablet", "laptop", "watch", "car", "television"] {
        let declared: Vec<&CapabilitySet> = sets.iter().collect();
        let set = cx.set_beside(&declared);
        alice.log_in(device).await?.publish(&set).await?;
        sets.push(set);
        let expect = Expect::union_of(&sets.iter().collect::<Vec<_>>());
        if !check!(cx, "union.of-all", phone.status_settles_on(&alice, &expect).await?) {
            break;
        }
    }
    Ok(())
}

async fn does_not_depend_on_order(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let sets: [CapabilitySet; 3] = cx.sets();
    let all: Vec<&CapabilitySet> = sets.iter().collect();
    // Alice's sessions log in first, and then declare in the order of login, which is that of the names, too.
    let sessions = [alice.session(), alice.log_in("tablet").await?, alice.log_in("laptop").await?];
    for (session, set) in sessions.iter().zip(&sets) {
        session.publish(set).await?;
    }
    alice.session().reads_or_stop(&alice, &all).await?;
    // Bob's declare in a drawn order, each as it logs in.
    let mut order = [0, 1, 2];
    while order.is_sorted() {
        cx.draw(|draw| draw.shuffle(&mut order));
    }
    for at in order {
        let session = match at {
            0 => bob.session(),
            1 => bob.log_in("tablet").await?,
            _ => bob.log_in("laptop").await?,
        };
        session.publish(&sets[at]).await?;
    }
    check!(cx, "union.order-free", bob.session().status_settles_on(&bob, &Expect::union_of(&all)).await?);
    Ok(())
}

async fn counts_the_same_set_once(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet], now) = ground::two_clients(cx, &alice).await?;
    ground::leaving(cx, &alice, &now.each_ref()).await?;
    let shared = cx.set();
    phone.publish(&shared).await?;
    tablet.publish(&shared).await?;
    check!(cx, "union.idempotent", phone.status_settles_on(&alice, &Expect::hash_of(&shared)).await?);
    // Each adds something of its own. When the tablet leaves, what it alone had goes, which shows that
    // the leaving has been worked off; what both had stays.
    let [both, other] = [with_some(cx, &shared), with_some(cx, &shared)];
    phone.publish(&both).await?;
    tablet.publish(&other).await?;
    let once = phone.status_settles_on(&alice, &Expect::union_of(&[&both, &other])).await?;
    check!(cx, "union.idempotent", once.when("where each has something of its own"));
    tablet.log_out().await?;
    let stays = phone.status_settles_on(&alice, &Expect::hash_of(&both)).await?;
    check!(cx, "union.idempotent", stays.when("after one of two that declared the same has left"));
    Ok(())
}

/// A set with the names of another and some more.
fn with_some(cx: &Cx, set: &CapabilitySet) -> CapabilitySet {
    cx.salted(CapabilitySet::union([set, &cx.set()]), &[])
}

async fn follows_a_new_declaration(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let [other, old, new] = cx.sets();
    // Alone first: where a union of several is broken, too, this shows all the same.
    phone.publish(&new).await?;
    phone.reads_or_stop(&alice, &[&new]).await?;
    phone.publish(&old).await?;
    let follows = phone.status_settles_on(&alice, &Expect::hash_of(&old)).await?;
    if !check!(cx, "union.redeclare-replaces", follows.when("with one client alone")) {
        return Ok(());
    }
    alice.log_in("tablet").await?.publish(&other).await?;
    phone.reads_or_stop(&alice, &[&other, &old]).await?;
    for set in [&new, &old] {
        phone.publish(set).await?;
        let follows = phone.status_settles_on(&alice, &Expect::union_of(&[&other, set])).await?;
        check!(cx, "union.redeclare-replaces", follows);
    }
    Ok(())
}

/// Sessions of one user with a set each, the first one the user's own; presence carries the union.
async fn sessions<const N: usize>(cx: &Cx, alice: &User) -> Result<([Session; N], [CapabilitySet; N]), Stop> {
    let mut sessions = vec![alice.session()];
    for device in ["tablet", "laptop", "watch"].into_iter().take(N - 1) {
        sessions.push(alice.log_in(device).await?);
    }
    let sets = cx.sets();
    for (session, set) in sessions.iter().zip(&sets) {
        session.publish(set).await?;
    }
    sessions[0].reads_or_stop(alice, &sets.each_ref()).await?;
    Ok((std::array::from_fn(|at| sessions[at].clone()), sets))
}

async fn shrinks_at_logout(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, laptop], [a, _, c]) = sessions(cx, &alice).await?;
    tablet.log_out().await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &c])).await?);
    laptop.log_out().await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::hash_of(&a)).await?);
    Ok(())
}

async fn shrinks_when_a_device_is_deleted(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, _laptop], [a, _, c]) = sessions(cx, &alice).await?;
    phone.delete_device(&alice, &tablet).await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &c])).await?);
    Ok(())
}

async fn shrinks_when_several_devices_are_deleted(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, laptop, _watch], [a, _, _, d]) = sessions(cx, &alice).await?;
    phone.delete_devices(&alice, &[&tablet, &laptop]).await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &d])).await?);
    Ok(())
}

async fn is_empty_after_logout_everywhere(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, ..], _) = sessions::<4>(cx, &alice).await?;
    phone.log_out_everywhere().await?;
    // What presence carries without a session is another rule's; the next one starts from nothing.
    let (next, set) = (alice.log_in("telephone").await?, cx.set());
    next.publish(&set).await?;
    check!(cx, "union.leave", next.status_settles_on(&alice, &Expect::hash_of(&set)).await?);
    Ok(())
}

async fn forgets_the_set_of_a_replaced_login(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let [calls, maps, polls] = cx.sets();
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    phone.publish(&calls).await?;
    // A session that has declared nothing, as the renewed one will, and a change that would show it.
    alice.log_in("laptop").await?;
    tablet.publish(&maps).await?;
    phone.reads_or_stop(&alice, &[&calls, &maps]).await?;
    let renewed = alice.log_in_again(&tablet).await?;
    check!(cx, "union.relogin", phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?);
    renewed.publish(&polls).await?;
    check!(cx, "union.relogin", phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &polls])).await?);
    Ok(())
}

async fn is_one_users_alone(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let device = cx.name().to_uppercase();
    let [hers, calls, his, maps] = cx.sets();
    alice.session().publish(&hers).await?;
    let phone = alice.log_in_on(&device, "phone").await?;
    phone.publish(&calls).await?;
    phone.reads_or_stop(&alice, &[&hers, &calls]).await?;
    bob.session().publish(&his).await?;
    let laptop = bob.log_in_on(&device, "laptop").await?;
    laptop.publish(&maps).await?;
    check!(cx, "union.per-user", laptop.status_settles_on(&bob, &Expect::union_of(&[&his, &maps])).await?);
    let hers_alone = phone.status_settles_on(&alice, &Expect::union_of(&[&hers, &calls])).await?;
    check!(cx, "union.per-user", hers_alone.when("beside another user's on a device of that name"));
    // One of the two devices of that name goes. The other's set stays, as is seen when Bob's union is made
    // anew, because another session of his goes.
    phone.log_out().await?;
    alice.session().reads_or_stop(&alice, &[&hers]).await?;
    bob.session().log_out().await?;
    let stays = laptop.status_settles_on(&bob, &Expect::hash_of(&maps)).await?;
    check!(cx, "union.per-user", stays.when("after the other device of that name has gone"));
    Ok(())
}

async fn takes_the_empty_set(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet], [_, maps]) = ground::two_clients(cx, &alice).await?;
    let (nothing, calls) = (CapabilitySet::default(), cx.set());
    check!(cx, "union.empty-set", phone.upload(&nothing).await?.is_accepted());
    check!(cx, "union.empty-set", phone.declare(&nothing).await?.is_accepted());
    let rest = phone.status_settles_on(&alice, &Expect::hash_of(&maps)).await?;
    check!(cx, "union.empty-set", rest.when("beside another client's set"));
    tablet.declare(&nothing).await?.or_stop("declaring the empty set")?;
    check!(cx, "union.empty-set", phone.status_settles_on(&alice, &Expect::hash_of(&nothing)).await?);
    tablet.publish(&calls).await?;
    check!(cx, "union.empty-set", phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?);
    Ok(())
}

async fn ignores_sessions_that_declared_nothing(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet], [calls, maps]) = ground::two_clients(cx, &alice).await?;
    ground::leaving(cx, &alice, &[&calls, &maps]).await?;
    let laptop = alice.log_in("laptop").await?;
    let there = laptop.status_settles_on(&alice, &Expect::union_of(&[&calls, &maps])).await?;
    check!(cx, "union.undeclared", there);
    // Another session's new set has the union made anew, with it and without it.
    let [polls, voice] = cx.sets();
    tablet.publish(&polls).await?;
    let anew = phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &polls])).await?;
    check!(cx, "union.undeclared", anew.when("after a change"));
    laptop.log_out().await?;
    tablet.publish(&voice).await?;
    let left = phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &voice])).await?;
    check!(cx, "union.undeclared", left.when("after it left"));
    Ok(())
}

async fn settles_conflicting_parameters(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let ([phone, tablet], _) = ground::two_clients(cx, &alice).await?;
    let name = cx.name();
    let with = |value: i64| {
        let mut set = CapabilitySet::default();
        set.insert(name.clone(), Object::from([("max".to_owned(), Json::Integer(value))]));
        cx.salted(set, &[])
    };
    // Drawn so that those which agree with a first set come before or after it as the second one does.
    let (also_high, low, high, also_low) = (with(2), with(1), with(2), with(1));
    let whole = CapabilitySet::union([&low, &high]);
    let mut served = Vec::new();
    for (user, clients, [first, agreeing, second]) in [
        (&alice, [phone, tablet], [&low, &also_low, &high]),
        (&bob, [bob.session(), bob.log_in("tablet").await?], [&high, &also_high, &low]),
    ] {
        let [phone, tablet] = clients;
        phone.publish(first).await?;
        tablet.publish(agreeing).await?;
        // Without a conflict the union is right and resolves.
        let agreed = CapabilitySet::union([first, agreeing]);
        phone.reads_or_stop(user, &[first, agreeing]).await?;
        phone.can_resolve(user, &agreed).await?.or_stop()?;
        tablet.publish(second).await?;
        let (hash, carried) = phone.status_hash_other_than(user, &[&agreed]).await?;
        let Some(hash) = hash else {
            check!(cx, "union.conflict", carried);
            return Ok(());
        };
        let settled = phone.resolve_settles(user, &hash, |reply| reply.serves_what_hashes_to(&hash)).await?;
        check!(cx, "union.conflict", settled);
        let resolved = phone.resolve(user, &hash).await?;
        let all = resolved.set().is_some_and(|set| set.names().eq(whole.names()));
        check!(cx, "union.conflict", resolved.judge(all, "a set that holds every name once"));
        served.push((hash, resolved));
    }
    if let [(one, _), (other, reply)] = served.as_slice() {
        let expected = format!("the same union whatever the order, {one}, but the second has {other}");
        check!(cx, "union.conflict", reply.judge(one == other, &expected));
    }
    Ok(())
}

/// That presence carries the union of these sets of the user's is a prerequisite; the set that it stands for.
async fn union_or_stop(
    phone: &Session,
    alice: &User,
    sets: &[&CapabilitySet],
) -> Result<CapabilitySet, Stop> {
    phone.reads_or_stop(alice, sets).await?;
    Ok(CapabilitySet::union(sets.iter().copied()))
}

async fn resolves_although_nobody_uploaded_it(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop) = (alice.session(), bob.session());
    cx.room(&phone, &[&laptop]).await?;
    let calls = ground::resolvable(cx, &alice, &phone).await?;
    laptop.can_resolve(&alice, &calls).await?.or_stop()?;
    let maps = cx.set_beside(&[&calls]);
    alice.log_in("tablet").await?.publish(&maps).await?;
    let union = union_or_stop(&phone, &alice, &[&calls, &maps]).await?;
    check!(cx, "union.resolvable", phone.can_resolve(&alice, &union).await?);
    check!(cx, "union.resolvable", laptop.can_resolve(&alice, &union).await?);
    Ok(())
}

async fn resolves_when_it_is_large(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    let small = union_or_stop(&phone, &alice, &[&calls, &maps]).await?;
    phone.can_resolve(&alice, &small).await?.or_stop()?;
    let mut sessions = vec![phone, tablet];
    for number in sessions.len()..8 {
        sessions.push(alice.log_in(&format!("device {number}")).await?);
    }
    let sets: Vec<CapabilitySet> = sessions.iter().map(|_| cx.set_of_bytes(65_536)).collect();
    for (session, set) in sessions.iter().zip(&sets) {
        session.publish(set).await?;
    }
    let union = union_or_stop(&sessions[0], &alice, &sets.iter().collect::<Vec<_>>()).await?;
    check!(cx, "union.resolvable-large", sessions[0].can_resolve(&alice, &union).await?);
    Ok(())
}
