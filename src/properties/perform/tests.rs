mod inside;
mod stories;

use proptest::strategy::ValueTree as _;

use super::*;
use crate::built_in;
use crate::engine;
use crate::reference::{self, Fault, Options, Running, Variant, VariantSet};
use crate::spec::history::draw::{Histories, Shape};
use crate::spec::history::{Act, Terrain, Which, Whom};
use crate::target::config::{AccountConfig, Target, Users};
use crate::target::preflight::{self, Found};
use crate::target::provision::Provisioner;
use crate::wire::Secret;
use stories::{A, ALICE, PHONE, across, contested, everything, publish, race, sequence, sign_up};

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
    (Theatre { world: Arc::new(world), client, lapsed: BTreeSet::new(), decides: true }, server)
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
        for history in [everything(), race(), contested()] {
            let performance = perform(&theatre, &history, "n2", PATIENCE).await;
            assert!(performance.stop.is_none(), "{variant:?}: {:?}", performance.stop);
            assert!(performance.violation.is_none(), "{variant:?}: {:?}", performance.violation);
        }
        server.stop().await;
    });
    futures_util::future::join_all(theatres).await;
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
    let exist = accounts.iter().map(|(name, word)| reference::Account::new(*name, *word)).collect();
    let options = Options { accounts: exist, ..Options::default() };
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
    let mut anna = reference::Account::new("anna", "secret");
    anna.token = Some(Secret::new("anna-token"));
    let options = Options { accounts: vec![anna], ..Options::default() };
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

#[tokio::test]
async fn a_lookup_that_failed_may_go_on_failing_for_as_long_as_that_is_remembered() {
    let mut options = Options::default();
    options.limits.failed_lookup_for = Duration::from_secs(3);
    let theatre = theatre(built_in::start(options).await.unwrap()).await;
    let zoe = Whom::Remote(0);
    let resolve = Act::Resolve { by: PHONE, of: zoe, what: Which::Set(A) };
    let history = sequence([
        sign_up(0),
        Act::RemoteShare { host: PHONE, remote: 0 },
        resolve.clone(),
        Act::RemoteDeclare { remote: 0, set: Some(A) },
        resolve,
    ]);
    let performance = performed(theatre, &history, Duration::from_secs(1)).await;
    assert!(performance.violation.is_none(), "{:?}", performance.violation);
    assert!(matches!(performance.trace[2].answer, Answer::Rejected(..)), "{:?}", performance.trace);
    assert!(matches!(performance.trace[4].answer, Answer::Set(_)), "{:?}", performance.trace);
}

#[test]
fn a_performance_can_go_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    let _ = |theatre: &Theatre| {
        let history = History::default();
        is_send(&perform(theatre, &history, "n", PATIENCE));
    };
}

/// What is drawn is performed, whatever it looks like.
#[tokio::test]
async fn drawn_histories_pass() {
    let (theatre, server) = theatre(built_in::start(Options::default()).await.unwrap()).await;
    let terrain = terrain_of(&theatre.world);
    assert_eq!(terrain, Terrain::WHOLE);
    let mut performed = 0;
    for shape in
        [Shape::Sequence, Shape::Races, Shape::Algebra, Shape::RoundTrip, Shape::Spoiled, Shape::Federation]
    {
        let histories = Histories { shape, terrain, longest: 40 };
        for case in 0..4 {
            let history = histories.case(1, case).current();
            let performance =
                perform(&theatre, &history, &format!("{shape:?}{case}").to_lowercase(), PATIENCE).await;
            assert!(performance.stop.is_none(), "{shape:?} {case}: {:?}", performance.stop);
            assert!(performance.violation.is_none(), "{shape:?} {case}: {:?}", performance.violation);
            performed += performance.trace.len();
        }
    }
    assert!(performed > 100, "only {performed} acts");
    server.stop().await;
}
