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
        says: "So it does with three clients, and with six whose sets overlap",
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
        says: "The same set from two clients counts once, and stays when one of them leaves",
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
        cast: users(2),
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
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS],
        cast: users(2),
    }
    resolves_when_it_is_large {
        says: "So it does for eight sets of 64 KiB",
        covers: ["union.resolvable-large"],
        needs: [DECLARE, UPLOAD, RESOLVE, SESSIONS],
        cast: users(1),
    }
}

async fn of_one_client_is_its_set(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, set) = (alice.session(), cx.set());
    phone.publish(&set).await?;
    check!(cx, "union.single", phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?);
    Ok(())
}

async fn of_two_clients_is_of_both(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    check!(cx, "union.of-all", phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &maps])).await?);
    Ok(())
}

async fn of_many_clients_is_of_all(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let sets: [CapabilitySet; 3] = cx.sets();
    // The later three overlap with the first three on purpose.
    let overlapping = [(0, 1), (1, 2), (2, 0)].map(|(a, b)| CapabilitySet::union([&sets[a], &sets[b]]));
    let mut declared: Vec<&CapabilitySet> = Vec::new();
    for (number, set) in sets.iter().chain(&overlapping).enumerate() {
        let session =
            if number == 0 { alice.session() } else { alice.log_in(&format!("device {number}")).await? };
        session.publish(set).await?;
        declared.push(set);
        if number >= 2 {
            let expect = Expect::union_of(&declared);
            if !check!(cx, "union.of-all", session.status_settles_on(&alice, &expect).await?) {
                break;
            }
        }
    }
    Ok(())
}

async fn does_not_depend_on_order(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let sets: [CapabilitySet; 3] = cx.sets();
    let expect = Expect::union_of(&sets.iter().collect::<Vec<_>>());
    // Alice's sessions declare one by one, as they log in.
    alice.session().publish(&sets[0]).await?;
    alice.log_in("tablet").await?.publish(&sets[1]).await?;
    alice.log_in("laptop").await?.publish(&sets[2]).await?;
    if !check!(cx, "union.order-free", alice.session().status_settles_on(&alice, &expect).await?) {
        return Ok(());
    }
    // Bob's log in first, and then declare in a drawn order with the sets turned round.
    let sessions = [bob.log_in("laptop").await?, bob.log_in("tablet").await?, bob.session()];
    let mut order: Vec<usize> = (0..sets.len()).collect();
    cx.draw(|draw| draw.shuffle(&mut order));
    for at in order {
        sessions[at].publish(&sets[at]).await?;
    }
    check!(cx, "union.order-free", bob.session().status_settles_on(&bob, &expect).await?);
    Ok(())
}

async fn counts_the_same_set_once(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [shared, hers, its] = cx.sets();
    phone.publish(&shared).await?;
    tablet.publish(&shared).await?;
    check!(cx, "union.idempotent", phone.status_settles_on(&alice, &Expect::hash_of(&shared)).await?);
    // Each adds something of its own. When the tablet leaves, what it alone had goes, which shows that
    // the leaving has been worked off; what both had stays.
    let (both, other) = (salted_union(cx, &shared, &hers), salted_union(cx, &shared, &its));
    phone.publish(&both).await?;
    tablet.publish(&other).await?;
    phone.status_settles_on(&alice, &Expect::union_of(&[&both, &other])).await?.or_stop()?;
    tablet.log_out().await?;
    let stays = phone.status_settles_on(&alice, &Expect::hash_of(&both)).await?;
    check!(cx, "union.idempotent", stays.when("after one of two that declared the same has left"));
    Ok(())
}

/// A set with the names of both whose hash needs no encoding.
fn salted_union(cx: &Cx, one: &CapabilitySet, other: &CapabilitySet) -> CapabilitySet {
    cx.salted(CapabilitySet::union([one, other]), &[])
}

async fn follows_a_new_declaration(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [old, new, other] = cx.sets();
    phone.publish(&old).await?;
    tablet.publish(&other).await?;
    phone.publish(&new).await?;
    check!(
        cx,
        "union.redeclare-replaces",
        phone.status_settles_on(&alice, &Expect::union_of(&[&new, &other])).await?
    );
    phone.publish(&old).await?;
    check!(
        cx,
        "union.redeclare-replaces",
        phone.status_settles_on(&alice, &Expect::union_of(&[&old, &other])).await?
    );
    Ok(())
}

/// Four sessions of one user with a set each.
async fn four_sessions(cx: &Cx, alice: &User) -> Result<([Session; 4], [CapabilitySet; 4]), Stop> {
    let sessions = [
        alice.session(),
        alice.log_in("tablet").await?,
        alice.log_in("laptop").await?,
        alice.log_in("watch").await?,
    ];
    let sets = cx.sets();
    for (session, set) in sessions.iter().zip(&sets) {
        session.publish(set).await?;
    }
    let whole = Expect::union_of(&sets.iter().collect::<Vec<_>>());
    let before = sessions[0].status_settles_on(alice, &whole).await?;
    before.or_stop()?;
    Ok((sessions, sets))
}

async fn shrinks_at_logout(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, laptop, _watch], [a, _, c, d]) = four_sessions(cx, &alice).await?;
    tablet.log_out().await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &c, &d])).await?);
    laptop.log_out().await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &d])).await?);
    Ok(())
}

async fn shrinks_when_a_device_is_deleted(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, ..], [a, _, c, d]) = four_sessions(cx, &alice).await?;
    phone.delete_device(&alice, &tablet).await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &c, &d])).await?);
    Ok(())
}

async fn shrinks_when_several_devices_are_deleted(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let ([phone, tablet, laptop, _watch], [a, _, _, d]) = four_sessions(cx, &alice).await?;
    phone.delete_devices(&alice, &[&tablet, &laptop]).await?;
    check!(cx, "union.leave", phone.status_settles_on(&alice, &Expect::union_of(&[&a, &d])).await?);
    Ok(())
}

async fn is_empty_after_logout_everywhere(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let viewer = bob.session();
    cx.room(&viewer, &[&alice.session()]).await?;
    let ([phone, ..], sets) = four_sessions(cx, &alice).await?;
    let whole = Expect::union_of(&sets.iter().collect::<Vec<_>>());
    viewer.status_settles_on(&alice, &whole).await?.or_stop()?;
    phone.log_out_everywhere().await?;
    check!(cx, "union.leave", viewer.status_settles_on(&alice, &Expect::Nothing).await?);
    Ok(())
}

async fn forgets_the_set_of_a_replaced_login(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    let renewed = alice.log_in_again(&tablet).await?;
    check!(cx, "union.relogin", phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?);
    renewed.publish(&polls).await?;
    check!(cx, "union.relogin", phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &polls])).await?);
    Ok(())
}

async fn is_one_users_alone(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let device = cx.name().to_uppercase();
    let (phone, laptop) = (alice.log_in_on(&device, "phone").await?, bob.log_in_on(&device, "laptop").await?);
    let [calls, maps, polls] = cx.sets();
    phone.publish(&calls).await?;
    laptop.publish(&maps).await?;
    check!(cx, "union.per-user", phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?);
    check!(cx, "union.per-user", laptop.status_settles_on(&bob, &Expect::hash_of(&maps)).await?);
    // One of the two devices of that name goes; the other's set stays, as its union with a new one shows.
    phone.log_out().await?;
    check!(cx, "union.per-user", alice.session().status_settles_on(&alice, &Expect::Nothing).await?);
    bob.session().publish(&polls).await?;
    check!(cx, "union.per-user", laptop.status_settles_on(&bob, &Expect::union_of(&[&maps, &polls])).await?);
    Ok(())
}

async fn takes_the_empty_set(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    let (nothing, [calls, maps]) = (CapabilitySet::default(), cx.sets());
    phone.publish(&cx.set()).await?;
    check!(cx, "union.empty-set", phone.upload(&nothing).await?.is_accepted());
    check!(cx, "union.empty-set", phone.declare(&nothing).await?.is_accepted());
    check!(cx, "union.empty-set", phone.status_settles_on(&alice, &Expect::hash_of(&nothing)).await?);
    tablet.publish(&calls).await?;
    check!(cx, "union.empty-set", phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?);
    // Declared last it adds nothing, either, and takes nothing away but what its session had.
    phone.publish(&maps).await?;
    phone.status_settles_on(&alice, &Expect::union_of(&[&calls, &maps])).await?.or_stop()?;
    phone.declare(&nothing).await?.or_stop("declaring the empty set")?;
    let rest = phone.status_settles_on(&alice, &Expect::hash_of(&calls)).await?;
    check!(cx, "union.empty-set", rest.when("where it was declared last"));
    tablet.declare(&nothing).await?.or_stop("declaring the empty set")?;
    check!(cx, "union.empty-set", phone.status_settles_on(&alice, &Expect::hash_of(&nothing)).await?);
    Ok(())
}

async fn ignores_sessions_that_declared_nothing(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    let [set, other] = cx.sets();
    phone.publish(&set).await?;
    phone.status_settles_on(&alice, &Expect::hash_of(&set)).await?.or_stop()?;
    let tablet = alice.log_in("tablet").await?;
    check!(cx, "union.undeclared", tablet.status_settles_on(&alice, &Expect::hash_of(&set)).await?);
    tablet.log_out().await?;
    // A third session's set shows that the leaving has been worked off.
    alice.log_in("laptop").await?.publish(&other).await?;
    let both = phone.status_settles_on(&alice, &Expect::union_of(&[&set, &other])).await?;
    check!(cx, "union.undeclared", both.when("after it left"));
    Ok(())
}

async fn settles_conflicting_parameters(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let name = cx.name();
    let with = |value: i64| {
        let mut set = CapabilitySet::default();
        set.insert(name.clone(), Object::from([("max".to_owned(), Json::Integer(value))]));
        cx.salted(set, &[])
    };
    let (low, high) = (with(1), with(2));
    let whole = CapabilitySet::union([&low, &high]);
    let mut served = Vec::new();
    for (user, first, second) in [(&alice, &low, &high), (&bob, &high, &low)] {
        let (phone, tablet) = (user.session(), user.log_in("tablet").await?);
        phone.publish(first).await?;
        tablet.publish(second).await?;
        let (hash, carried) = phone.status_hash_other_than(user, &[first, second]).await?;
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

async fn resolves_although_nobody_uploaded_it(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, tablet) = (alice.session(), alice.log_in("tablet").await?);
    cx.room(&phone, &[&bob.session()]).await?;
    let [calls, maps] = cx.sets();
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    let union = CapabilitySet::union([&calls, &maps]);
    check!(cx, "union.resolvable", phone.can_resolve(&alice, &union).await?);
    check!(cx, "union.resolvable", bob.session().can_resolve(&alice, &union).await?);
    Ok(())
}

async fn resolves_when_it_is_large(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let mut sets: Vec<CapabilitySet> = Vec::new();
    for number in 0..8 {
        let session =
            if number == 0 { alice.session() } else { alice.log_in(&format!("device {number}")).await? };
        let set = cx.set_of_bytes(65_536);
        session.publish(&set).await?;
        sets.push(set);
    }
    let phone = alice.session();
    let union = CapabilitySet::union(&sets);
    check!(cx, "union.resolvable-large", phone.can_resolve(&alice, &union).await?);
    Ok(())
}
