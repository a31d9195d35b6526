use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::built_in;
use crate::engine;
use crate::reference::{self, Fault, Options, Running, Variant, VariantSet};
use crate::spec::capability::CapabilitySet;
use crate::spec::history::{Act, Availability, Seat, Spoil, Step, Which, Whom};
use crate::target::config::{AccountConfig, Target, Users};
use crate::target::preflight::{self, Found};
use crate::target::provision::Provisioner;
use crate::wire::Secret;

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
const C: usize = 3;
/// What is claimed and never sent, and what is sent under that claim.
const CLAIMED: usize = 4;
const SENT: usize = 5;

fn history(steps: Vec<Step>) -> History {
    let set = |text: &str| CapabilitySet::parse(text.as_bytes()).unwrap();
    let sets = vec![
        set(r#"{"shared":{},"voip":{}}"#),
        set(r#"{"maps":{"v":1},"shared":{}}"#),
        set("{}"),
        set(r#"{"never":{}}"#),
        set(r#"{"claimed":{}}"#),
        set(r#"{"sent":{}}"#),
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
    acts.push(Act::UploadUnder { by: PHONE, claim: CLAIMED, body: SENT });
    acts.push(Act::UploadSpoiled { by: PHONE, set: A, how: Spoil::Brace });
    acts.push(Act::Upload { by: PHONE, set: A });
    acts.push(Act::SetStatus { by: PHONE, presence: Availability::Unavailable, forged: Some(CLAIMED) });
    acts.push(Act::ReadStatus { by: PHONE, of: ALICE });
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
    acts.extend([Act::Declare { by: PHONE, set: A }, Act::DeleteDevice { by: PHONE, device: 1 }]);
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

/// What cannot fail on a homeserver that takes its liberties.
const FREE: &[Variant] = &[
    Variant::ErrorsForbidden,
    Variant::KnownUnasked,
    Variant::MismatchKept,
    Variant::SoftLogout,
    Variant::SessionsEnd,
    Variant::LeftAsEmpty,
    Variant::PresenceLate,
    Variant::StatusLate,
    Variant::OwnStatusLate,
    Variant::AbsentAsNull,
    Variant::SyncEarly,
    Variant::OwnSessionsUntold,
    Variant::StrangersNotFound,
    Variant::StrangersBare,
    Variant::PresenceFieldRefused,
    Variant::ResolveKnown,
    Variant::ResolveLate,
    Variant::RateLimits,
    Variant::BoundElsewhere,
];

#[tokio::test]
async fn a_freedom_violates_nothing() {
    let theatres = FREE.iter().map(|variant| async move {
        let mut variants = VariantSet::default();
        variants.insert(*variant);
        let (mut theatre, server) = on(Options::default().taking(variants)).await;
        theatre.lapsed = variant.lets_go().iter().copied().collect();
        for history in [everything(), race()] {
            let performance = perform(&theatre, &history, "n2", PATIENCE).await;
            assert!(performance.stop.is_none(), "{variant:?}: {:?}", performance.stop);
            assert!(performance.violation.is_none(), "{variant:?}: {:?}", performance.violation);
        }
        server.stop().await;
    });
    futures_util::future::join_all(theatres).await;
}

/// Two of a user's sessions that change, a third that comes, and others who look on.
fn race() -> History {
    let tablet = Seat { user: 0, device: 2 };
    let mut steps: Vec<Step> = vec![sign_up(0), sign_up(1), Act::Share { host: PHONE, guest: BOB }]
        .into_iter()
        .chain(publish(PHONE, A))
        .chain([Act::LogIn { user: 0, device: 1 }])
        .map(Step::One)
        .collect();
    let looks = || vec![Act::ReadStatus { by: BOB, of: ALICE }; 3];
    steps.push(Step::AtOnce(vec![
        publish(LAPTOP, B).to_vec(),
        vec![Act::Declare { by: PHONE, set: EMPTY }, Act::Upload { by: PHONE, set: C }],
        [vec![Act::LogIn { user: 0, device: 2 }], publish(tablet, A).to_vec()].concat(),
        looks(),
        vec![Act::Sync { by: BOB, of: ALICE }, Act::AskServer { by: BOB }],
    ]));
    steps.extend([Act::Declare { by: LAPTOP, set: C }].map(Step::One));
    steps.push(Step::AtOnce(vec![
        vec![Act::LogOut { by: LAPTOP }],
        vec![Act::LogOutEverywhere { by: tablet }],
        vec![Act::Declare { by: PHONE, set: A }],
        looks(),
    ]));
    steps.extend(bob_looks().map(Step::One));
    history(steps)
}

#[tokio::test]
async fn a_race_passes() {
    let (theatre, server) = conforming().await;
    for time in 0..5 {
        let performance = perform(&theatre, &race(), &format!("n{time}"), PATIENCE).await;
        assert!(performance.stop.is_none(), "{:?}", performance.stop);
        assert!(performance.violation.is_none(), "{:?}", performance.violation);
        let ends: Vec<u64> = performance.trace.iter().map(|seen| seen.ended_us).collect();
        assert!(ends.is_sorted() && ends.len() == race().len(), "{ends:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_race_that_no_order_explains_is_told_with_its_interleaving() {
    let performance = performed(faulty(Fault::UnionLastDeclared).await, &race(), BRIEFLY).await;
    let violation = performance.violation.unwrap();
    assert_eq!(violation.requirement, "union.of-all");
    assert!(violation.judgement.actual.contains(" ms alice's laptop declares B: 200"), "{violation:?}");
}

#[tokio::test]
async fn what_lapses_is_not_demanded_and_ends_a_performance_quietly() {
    let (mut theatre, server) = faulty(Fault::LogoutKeepsSet).await;
    theatre.lapsed = BTreeSet::from(["union.leave"]);
    let performance = perform(&theatre, &everything(), "n1", BRIEFLY).await;
    assert!(performance.violation.is_none() && performance.stop.is_none(), "{performance:?}");
    assert!(performance.trace.len() < everything().len());
    server.stop().await;
}

#[tokio::test]
async fn who_is_away_violates_nothing() {
    let (mut theatre, server) = conforming().await;
    let world = Arc::get_mut(&mut theatre.world).unwrap();
    world.target.limits.request_timeout = Duration::ZERO;
    let early = sequence([sign_up(0)]);
    assert!(perform(&theatre, &early, "n1", BRIEFLY).await.stop.is_none());
    server.stop().await;
    for _ in 0..2 {
        let performance = perform(&theatre, &everything(), "n2", BRIEFLY).await;
        assert!(matches!(performance.stop, Some(Stop::Untestable { .. })), "{performance:?}");
        assert!(performance.violation.is_none());
    }
}

#[tokio::test]
async fn users_come_back_whatever_becomes_of_the_history() {
    let accounts = ["anna", "bert"].map(|name| (name, "secret"));
    let mut options = Options::default();
    options.accounts = accounts.iter().map(|(name, word)| reference::Account::new(*name, *word)).collect();
    let (mut target, server) = built_in::start_alone(options).await.unwrap();
    let account =
        |(user, word): (&str, &str)| AccountConfig { user: user.to_owned(), password: Secret::new(word) };
    target.users = Users::Accounts(accounts.map(account).to_vec());
    let (theatre, server) = theatre((target, server)).await;
    let terrain = terrain_of(&theatre.world);
    assert_eq!((terrain.users, terrain.devices, terrain.remotes), (2, 5, 0));
    let (first, second) = (everything(), race());
    for (one, other) in [("n1", "n2"), ("n3", "n4")] {
        let both = [perform(&theatre, &first, one, PATIENCE), perform(&theatre, &second, other, PATIENCE)];
        for performance in futures_util::future::join_all(both).await {
            assert!(performance.stop.is_none() && performance.violation.is_none(), "{performance:?}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn with_ready_tokens_nobody_logs_in() {
    let mut options = Options::default();
    let mut anna = reference::Account::new("anna", "secret");
    anna.token = Some(Secret::new("anna-token"));
    options.accounts = vec![anna];
    let (mut target, server) = built_in::start_alone(options).await.unwrap();
    target.users = Users::Tokens(vec![Secret::new("anna-token")]);
    let (theatre, server) = theatre((target, server)).await;
    let terrain = terrain_of(&theatre.world);
    assert_eq!((terrain.users, terrain.devices, terrain.login), (1, 1, false));
    let declares = publish(PHONE, A).into_iter().chain([Act::ReadStatus { by: PHONE, of: ALICE }]);
    let history = sequence([sign_up(0)].into_iter().chain(declares).chain([Act::LogOut { by: PHONE }]));
    let performance = performed((theatre, server), &history, PATIENCE).await;
    assert!(performance.violation.is_none(), "{:?}", performance.violation);
    assert_eq!(performance.trace.len(), history.len() - 1, "nobody can log out");
}

/// Users of two other homeservers, who announce, look and resolve.
fn across() -> History {
    let (zoe, by) = (Whom::Remote(0), PHONE);
    let mut acts = vec![sign_up(0), Act::RemoteShare { host: PHONE, remote: 0 }];
    acts.extend(publish(PHONE, A));
    acts.push(Act::RemoteRead { remote: 0, of: 0 });
    acts.push(Act::RemoteResolve { remote: 0, of: 0, what: Which::InForce });
    acts.push(Act::RemoteResolve { remote: 1, of: 0, what: Which::InForce });
    acts.push(Act::RemoteDeclare { remote: 0, set: Some(B) });
    acts.push(Act::ReadStatus { by, of: zoe });
    acts.push(Act::Sync { by, of: zoe });
    acts.push(Act::Resolve { by, of: zoe, what: Which::InForce });
    acts.push(Act::Resolve { by, of: zoe, what: Which::Unknown });
    acts.push(Act::RemoteDeclare { remote: 0, set: None });
    acts.push(Act::ReadStatus { by, of: zoe });
    acts.push(Act::Declare { by, set: C });
    acts.extend(publish(PHONE, C));
    acts.push(Act::RemoteRead { remote: 0, of: 0 });
    acts.push(Act::RemoteAskServer { remote: 0 });
    acts.push(Act::Leave { by, with: zoe });
    acts.push(Act::RemoteResolve { remote: 0, of: 0, what: Which::InForce });
    acts.push(Act::ReadStatus { by, of: zoe });
    sequence(acts)
}

#[tokio::test]
async fn other_homeservers_take_part() {
    passes(theatre(built_in::start(Options::default()).await.unwrap()).await, &across()).await;
    for (fault, requirement) in [
        (Fault::FedPresenceFirstOnly, "federation.presence-out"),
        (Fault::FedPresenceInIgnored, "federation.presence-in"),
        (Fault::LookupNever, "federation.lookup"),
        (Fault::FedResolveNever, "federation.resolve"),
        (Fault::FedSetNotFound, "federation.set"),
    ] {
        let mut options = Options::default();
        options.faults.insert(fault);
        let theatre = theatre(built_in::start(options).await.unwrap()).await;
        let violation = performed(theatre, &across(), BRIEFLY).await.violation;
        assert_eq!(
            violation.as_ref().map(|found| found.requirement),
            Some(requirement),
            "{fault:?}: {violation:?}"
        );
    }
}

#[test]
fn a_performance_can_go_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    let _ = |theatre: &Theatre| {
        let history = History::default();
        is_send(&perform(theatre, &history, "n", PATIENCE));
    };
}
