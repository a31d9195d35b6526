//! Mistakes as data: what was done, what is told, and what explains it.

use crate::spec::history::{Act, Availability, Whom};
use crate::spec::mistake;
use crate::spec::model::tests::{accepted, alice, bob, has, set, sets, sharers};
use crate::spec::requirement;

use super::*;

/// The hash of a union of sets of the history.
fn hash(of: &[usize]) -> Answer {
    let all = sets();
    Answer::Hash(CapabilitySet::union(of.iter().filter_map(|set| all.get(*set))).hash().to_string())
}

/// What is done, each act accepted unless it says otherwise.
enum Do {
    Ok(Vec<Act>),
    Refused(Act),
}

fn log_in(device: usize) -> Act {
    Act::LogIn { user: 0, device }
}

/// Alice's devices, up to this one, each with the set of its number.
fn sessions(last: usize) -> Do {
    let each = |device: usize| {
        let login = (device > 0).then(|| log_in(device));
        login.into_iter().chain(has(alice(device), device)).collect::<Vec<_>>()
    };
    Do::Ok((0..=last).flat_map(each).collect())
}

fn status() -> Act {
    Act::ReadStatus { by: bob(0), of: Whom::User(0) }
}

fn sync() -> Act {
    Act::Sync { by: bob(0), of: Whom::User(0) }
}

struct Row {
    done: Vec<Do>,
    read: Act,
    told: Answer,
    requirement: &'static str,
    words: &'static str,
}

fn row(done: Vec<Do>, read: Act, told: Answer, requirement: &'static str, words: &'static str) -> Row {
    Row { done, read, told, requirement, words }
}

fn table() -> Vec<Row> {
    let online = |forged| Act::SetStatus { by: alice(0), presence: Availability::Online, forged };
    let declare = |device, set| Act::Declare { by: alice(device), set };
    let ok = |acts: &[Act]| Do::Ok(acts.to_vec());
    let bobs = |set| Do::Ok(has(bob(0), set).to_vec());
    let out = |device| ok(&[Act::LogOut { by: alice(device) }]);
    vec![
        row(
            vec![sessions(2), out(2)],
            status(),
            hash(&[0, 1, 2]),
            "union.leave",
            "alice's tablet had not logged out",
        ),
        row(
            vec![sessions(2), ok(&[Act::DeleteDevice { by: alice(0), device: 1 }])],
            status(),
            hash(&[0, 1, 2]),
            "union.leave",
            "alice's laptop had not been deleted",
        ),
        row(vec![sessions(2), out(2)], status(), hash(&[0]), "union.leave", "alice's laptop did not count"),
        row(
            vec![sessions(0), out(0)],
            status(),
            hash(&[0]),
            "presence.last-leaves",
            "alice's phone had not logged out",
        ),
        row(
            vec![sessions(2), ok(&[Act::LogOutEverywhere { by: alice(0) }])],
            status(),
            hash(&[1, 2]),
            "presence.last-leaves",
            "alice's laptop had not logged out",
        ),
        row(
            vec![sessions(1), ok(&[log_in(1)])],
            status(),
            hash(&[0, 1]),
            "union.relogin",
            "before its new login",
        ),
        row(
            vec![sessions(0), ok(&has(alice(0), 2))],
            status(),
            hash(&[0, 2]),
            "union.redeclare-replaces",
            "still had A",
        ),
        row(
            vec![sessions(0), ok(&has(alice(0), 2))],
            status(),
            hash(&[0]),
            "union.redeclare-replaces",
            "still had A",
        ),
        row(
            vec![sessions(0), ok(&has(alice(0), 2))],
            sync(),
            hash(&[0]),
            "presence.change",
            "this hash before",
        ),
        row(vec![sessions(0), ok(&has(alice(0), 3))], status(), hash(&[0]), "union.empty-set", "still had A"),
        row(
            vec![sessions(1), bobs(4)],
            status(),
            hash(&[0, 1, 4]),
            "union.per-user",
            "bob were a client of alice",
        ),
        row(vec![sessions(1), bobs(4)], status(), hash(&[4]), "union.per-user", "bob were a client of alice"),
        row(
            vec![sessions(1), bobs(4), ok(&[Act::LogOut { by: bob(0) }, Act::LogIn { user: 1, device: 0 }])],
            status(),
            hash(&[1]),
            "union.per-user",
            "alice's phone had ended with bob's session",
        ),
        row(
            vec![sessions(2)],
            status(),
            hash(&[2]),
            "union.of-all",
            "alice's phone and alice's laptop did not count",
        ),
        row(vec![sessions(2)], status(), hash(&[0, 2]), "union.of-all", "alice's laptop did not count"),
        row(
            vec![sessions(1), out(1)],
            status(),
            Answer::Hash(set(&["a"]).hash().to_string()),
            "union.idempotent",
            "alice's laptop had taken names",
        ),
        row(
            vec![sessions(0), Do::Refused(declare(0, 2))],
            status(),
            hash(&[2]),
            "upload.refusal-keeps-previous",
            "had not been refused C",
        ),
        row(
            vec![sessions(0), Do::Refused(declare(0, 2))],
            status(),
            Answer::NoHash,
            "upload.refusal-keeps-previous",
            "the refusal had withdrawn",
        ),
        row(
            vec![sessions(0), ok(&[Act::Upload { by: alice(0), set: 2 }])],
            status(),
            hash(&[0, 2]),
            "upload.publishes-nothing",
            "had declared C, which it uploaded",
        ),
        row(
            vec![
                sessions(1),
                ok(&[Act::Upload { by: alice(0), set: 2 }, Act::Upload { by: alice(1), set: 4 }]),
            ],
            status(),
            hash(&[2, 4]),
            "upload.publishes-nothing",
            "phone had declared C, which it uploaded and alice's laptop had declared E, which it uploaded",
        ),
        row(
            vec![sessions(2), Do::Refused(declare(0, 4)), Do::Refused(declare(1, 4))],
            status(),
            hash(&[2]),
            "upload.refusal-keeps-previous",
            "withdrawn what alice's phone had declared and the refusal had withdrawn what alice's laptop",
        ),
        row(
            vec![sessions(2), Do::Refused(declare(0, 4)), ok(&[Act::Upload { by: alice(1), set: 4 }])],
            status(),
            hash(&[2, 4]),
            "upload.publishes-nothing",
            "laptop had declared E, which it uploaded",
        ),
        row(
            vec![
                sessions(0),
                ok(&[
                    log_in(1),
                    Act::Upload { by: alice(1), set: 2 },
                    log_in(2),
                    Act::Upload { by: alice(2), set: 4 },
                ]),
            ],
            status(),
            hash(&[0, 2, 4]),
            "upload.publishes-nothing",
            "laptop had declared C, which it uploaded and alice's tablet had declared E",
        ),
        row(
            vec![sessions(0), ok(&[log_in(1), Act::Upload { by: alice(1), set: 2 }]), out(1)],
            status(),
            hash(&[0, 2]),
            "upload.publishes-nothing",
            "a session that has ended still counted",
        ),
        // What nobody was refused and nobody uploaded since is not lost by a mistake of that kind.
        row(
            vec![sessions(2), ok(&[Act::Upload { by: alice(1), set: 4 }])],
            status(),
            hash(&[1, 2]),
            "union.of-all",
            "alice's phone did not count",
        ),
        row(
            vec![sessions(0), ok(&[online(Some(4))])],
            status(),
            hash(&[4]),
            "presence.not-writable",
            "the hash of E",
        ),
        row(
            vec![sessions(0), ok(&[online(None)])],
            status(),
            Answer::NoHash,
            "presence.survives-status",
            "by setting presence",
        ),
        row(vec![sessions(0)], status(), hash(&[4]), "union.single", "has not declared E"),
        row(vec![sessions(0)], status(), Answer::NoHash, "presence.status", "carries no hash"),
        row(vec![sessions(0)], sync(), Answer::Unseen, "presence.sync", "/sync shows no hash"),
        row(
            vec![
                sessions(0),
                ok(&[
                    Act::Leave { by: bob(0), with: Whom::User(0) },
                    Act::Share { host: bob(0), guest: alice(0) },
                ]),
            ],
            sync(),
            Answer::Unseen,
            "presence.new-sharer",
            "came to share a room",
        ),
        row(vec![sessions(0), out(0)], sync(), hash(&[0]), "presence.last-leaves", "this hash before"),
        row(vec![], status(), hash(&[4]), "union.undeclared", "have declared nothing"),
        row(
            vec![sessions(0), Do::Ok(vec![log_in(1)])],
            status(),
            Answer::Hash(set(&["zz"]).hash().to_string()),
            "union.undeclared",
            "as if alice's laptop, which has declared nothing, had some set",
        ),
        row(
            vec![sessions(0), Do::Ok(vec![log_in(1)])],
            status(),
            Answer::NoHash,
            "union.undeclared",
            "as if alice's laptop, which has declared nothing, held the union back",
        ),
        row(
            vec![sessions(0)],
            status(),
            Answer::Hash(set(&["zz"]).hash().to_string()),
            "hash.sha256-canonical-json",
            "the hash of nothing that alice declared",
        ),
        row(
            vec![sessions(1)],
            status(),
            Answer::Hash(set(&["zz"]).hash().to_string()),
            "union.of-all",
            "is not the union",
        ),
        row(
            vec![sessions(0)],
            status(),
            Answer::Odd("true".to_owned()),
            "hash.shape",
            "is no object with a hash",
        ),
        row(vec![sessions(0)], status(), padded(), "hash.unpadded-base64", "padded with `=`"),
        row(vec![sessions(0)], status(), wrapped(), "hash.sha256-canonical-json", "capabilities"),
        row(
            vec![sessions(0), ok(&[Act::RemoteShare { host: alice(0), remote: 0 }])],
            Act::RemoteRead { remote: 0, of: 0 },
            Answer::Unseen,
            "federation.presence-out",
            "was last told no hash",
        ),
        row(
            vec![
                ok(&[Act::RemoteShare { host: bob(0), remote: 0 }]),
                ok(&[Act::RemoteDeclare { remote: 0, set: Some(0) }]),
            ],
            Act::ReadStatus { by: bob(0), of: Whom::Remote(0) },
            hash(&[1]),
            "federation.presence-in",
            "announced",
        ),
        row(
            vec![sessions(0), ok(&[Act::Leave { by: bob(0), with: Whom::User(0) }])],
            status(),
            hash(&[0]),
            "presence.strangers",
            "shares no room",
        ),
    ]
}

fn padded() -> Answer {
    let Answer::Hash(hash) = hash(&[0]) else { unreachable!("it is a hash") };
    Answer::Hash(format!("{hash}="))
}

fn wrapped() -> Answer {
    Answer::Hash(mistake::find("wrapped").unwrap().hash_of_union(&sets()[..1]).unwrap())
}

#[test]
fn each_mistake_is_told_by_what_it_shows() {
    for (nth, row) in table().into_iter().enumerate() {
        let mut model = sharers();
        for done in row.done {
            match done {
                Do::Ok(acts) => accepted(&mut model, acts),
                Do::Refused(act) => crate::spec::model::tests::answered(&mut model, act, &Answer::Refused),
            }
        }
        let is_right =
            model.demand(&row.read).broken_by(&row.told, &std::collections::BTreeSet::new()).is_none();
        assert!(!is_right, "row {nth}: {:?} is right", row.told);
        let found = diagnose(&model, &row.read, &row.told);
        assert_eq!(found.requirement, row.requirement, "row {nth}: {}", found.words);
        assert!(found.words.contains(row.words), "row {nth}: {}", found.words);
        assert!(requirement::find(found.requirement).is_some());
    }
}
