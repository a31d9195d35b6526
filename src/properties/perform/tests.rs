use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::built_in;
use crate::engine;
use crate::reference::{Fault, Options, Running, Variant};
use crate::spec::capability::CapabilitySet;
use crate::spec::history::{Act, Availability, Seat, Spoil, Step, Which, Whom};
use crate::target::config::Target;
use crate::target::preflight::{self, Found};
use crate::target::provision::Provisioner;

/// Long enough for a homeserver that takes a quarter of a second for everything, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long is waited for what never comes.
const BRIEFLY: Duration = Duration::from_millis(100);

async fn theatre((target, server): (Target, Running)) -> (Theatre, Running) {
    let client = engine::client(&target).unwrap();
    let provisioner = Provisioner::new(&target, "t");
    let federated = target.federation.is_some();
    let Found { features, link } =
        preflight::probe(&client, &target, &provisioner, "t", federated).await.unwrap();
    let run_id = "t".to_owned();
    let world = World { target, features, provisioner, run_id, seed: 0, link, second: None };
    (Theatre { world: Arc::new(world), client, lapsed: BTreeSet::new() }, server)
}

async fn on(options: Options) -> (Theatre, Running) {
    theatre(built_in::start_alone(options).await.unwrap()).await
}

async fn conforming() -> (Theatre, Running) {
    on(Options::default()).await
}

async fn faulty(fault: Fault) -> (Theatre, Running) {
    let mut options = Options::default();
    options.faults.insert(fault);
    on(options).await
}

const PHONE: Seat = Seat { user: 0, device: 0 };
const LAPTOP: Seat = Seat { user: 0, device: 1 };
const BOB: Seat = Seat { user: 1, device: 0 };
const A: usize = 0;
const B: usize = 1;
const EMPTY: usize = 2;
/// One whose hash nobody uploads.
const C: usize = 3;

fn history(steps: Vec<Step>) -> History {
    let set = |text: &str| CapabilitySet::parse(text.as_bytes()).unwrap();
    let sets = vec![
        set(r#"{"shared":{},"voip":{}}"#),
        set(r#"{"maps":{"v":1},"shared":{}}"#),
        set("{}"),
        set(r#"{"never":{}}"#),
    ];
    History { sets, steps }
}

fn sequence(acts: impl IntoIterator<Item = Act>) -> History {
    history(acts.into_iter().map(Step::One).collect())
}

const ALICE: Whom = Whom::User(0);

fn sign_up(user: usize) -> Act {
    Act::SignUp { user }
}

fn publish(by: Seat, set: usize) -> [Act; 2] {
    [Act::Upload { by, set }, Act::Declare { by, set }]
}

/// What bob sees of alice.
fn bob_looks() -> [Act; 3] {
    let (by, of) = (BOB, ALICE);
    [Act::ReadStatus { by, of }, Act::Sync { by, of }, Act::Resolve { by, of, what: Which::InForce }]
}

/// Every act of clients, most of them before somebody looks.
fn everything() -> History {
    let mut acts = vec![sign_up(0), sign_up(1), Act::Share { host: PHONE, guest: BOB }];
    acts.push(Act::Declare { by: PHONE, set: A });
    acts.extend(publish(PHONE, A));
    acts.extend(bob_looks());
    acts.push(Act::LogIn { user: 1, device: 1 });
    acts.extend(publish(Seat { user: 1, device: 1 }, C));
    acts.push(Act::ReadStatus { by: PHONE, of: Whom::User(1) });
    acts.push(Act::LogIn { user: 0, device: 1 });
    acts.extend(publish(LAPTOP, B));
    acts.extend(bob_looks());
    acts.push(Act::Resolve { by: BOB, of: ALICE, what: Which::Superseded });
    acts.push(Act::Resolve { by: BOB, of: ALICE, what: Which::Unknown });
    acts.push(Act::Resolve { by: PHONE, of: ALICE, what: Which::Set(A) });
    acts.push(Act::UploadUnder { by: PHONE, claim: A, body: B });
    acts.push(Act::UploadSpoiled { by: PHONE, set: A, how: Spoil::Brace });
    acts.push(Act::SetStatus { by: PHONE, presence: Availability::Unavailable, forged: Some(EMPTY) });
    acts.push(Act::SetStatus { by: PHONE, presence: Availability::Online, forged: None });
    acts.extend(bob_looks());
    acts.push(Act::AskServer { by: BOB });
    // Declared anew, and logged out.
    acts.extend([Act::Declare { by: LAPTOP, set: A }, Act::ReadStatus { by: BOB, of: ALICE }]);
    acts.extend([Act::Declare { by: LAPTOP, set: B }, Act::LogOut { by: LAPTOP }]);
    acts.push(Act::UseDeadToken { by: LAPTOP });
    acts.extend(bob_looks());
    acts.push(Act::LogIn { user: 0, device: 1 });
    acts.push(Act::Declare { by: LAPTOP, set: B });
    // The same device again, and a device deleted.
    acts.push(Act::LogIn { user: 0, device: 0 });
    acts.extend(bob_looks());
    acts.push(Act::DeleteDevice { by: PHONE, device: 1 });
    acts.push(Act::UseDeadToken { by: LAPTOP });
    acts.extend(bob_looks());
    acts.extend(publish(PHONE, EMPTY));
    acts.extend(bob_looks());
    acts.push(Act::Declare { by: PHONE, set: A });
    acts.push(Act::Leave { by: BOB, with: ALICE });
    acts.extend(bob_looks());
    acts.push(Act::LogOutEverywhere { by: PHONE });
    acts.push(Act::LogIn { user: 0, device: 2 });
    acts.push(Act::ReadStatus { by: Seat { user: 0, device: 2 }, of: ALICE });
    sequence(acts)
}

/// What came of it; nothing may have ended it.
async fn performed(
    (theatre, server): (Theatre, Running),
    history: &History,
    patience: Duration,
) -> Performance {
    let performance = perform(&theatre, history, "n1", patience).await;
    server.stop().await;
    assert!(performance.stop.is_none(), "{:?}", performance.stop);
    performance
}

async fn passes(theatre: (Theatre, Running), history: &History) {
    let performance = performed(theatre, history, PATIENCE).await;
    assert!(performance.violation.is_none(), "{:?}", performance.violation);
    assert_eq!(performance.trace.len(), history.len());
}

#[tokio::test]
async fn a_conforming_homeserver_passes() {
    let history = everything();
    let performance = performed(conforming().await, &history, PATIENCE).await;
    assert!(performance.violation.is_none(), "{:?}", performance.violation);
    assert_eq!(performance.trace.len(), history.len());
    assert!(performance.checked.contains("presence.sync") && performance.checked.contains("server.set"));
    let ends: Vec<u64> = performance.trace.iter().map(|seen| seen.ended_us).collect();
    assert!(ends.is_sorted(), "{ends:?}");
}

/// What the requirement is that a fault is found to break.
const BROKEN: &[(Fault, &str)] = &[
    (Fault::DeclareAnything, "upload.refuse-unknown"),
    (Fault::RefusalUnrecognized, "upload.refusal-recognisable"),
    (Fault::UploadMismatchSilent, "upload.mismatch-refused"),
    (Fault::BadJsonCrash, "upload.bad-input"),
    (Fault::UploadTwiceConflict, "upload.idempotent"),
    (Fault::ServerSetStaleHash, "server.set"),
    (Fault::AuthDeadTokenLives, "auth.dead-token"),
    (Fault::AuthDeletionKeepsToken, "auth.dead-token"),
    (Fault::UnionLastDeclared, "union.of-all"),
    (Fault::UnionByDeviceId, "union.per-user"),
    (Fault::RedeclareMerges, "union.redeclare-replaces"),
    (Fault::LogoutKeepsSet, "union.leave"),
    (Fault::DeletionKeepsSet, "union.leave"),
    (Fault::ReloginInherits, "union.relogin"),
    (Fault::UnionUnresolvable, "union.resolvable"),
    (Fault::ResolveUnknownEmpty, "resolve.unknown"),
    (Fault::StatusWithoutHash, "presence.status"),
    (Fault::SyncWithoutHash, "presence.sync"),
    (Fault::StatusMessageDropsHash, "presence.survives-status"),
    (Fault::PresenceWritable, "presence.not-writable"),
    (Fault::StrangersStatus, "presence.strangers"),
];

#[tokio::test]
async fn a_fault_is_found_by_what_it_breaks() {
    let mut wrong = Vec::new();
    for (fault, requirement) in BROKEN {
        let performance = performed(faulty(*fault).await, &everything(), BRIEFLY).await;
        let violation = performance.violation;
        if violation.as_ref().map(|violation| violation.requirement) != Some(*requirement) {
            wrong.push(format!("{fault:?}: {violation:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
