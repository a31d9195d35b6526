use std::future::pending;
use std::io;
use std::sync::LazyLock;

use tokio::sync::Barrier;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::actors::User;
use crate::outcome::Judgement;
use crate::spec::hash::CapabilityHash;
use crate::spec::requirement::{self, Requirement};
use crate::target::config::Target;
use crate::target::features::{Feature, Features};
use crate::target::provision::{Account, Login, Provisioner};
use crate::wire::{Request, Secret};

use super::super::result::Selection;

const MUST: &str = "server.hash";
const SHOULD: &str = "union.conflict";
/// Nobody plays, so that nothing is asked of a target.
const NOBODY: Cast = Cast { ordinary: 0, entitled: 0, look_alikes: 0, elsewhere: 0 };

static PASSES: Scenario = Scenario {
    id: "server::passes",
    summary: "",
    covers: &[MUST, SHOULD],
    needs: &[],
    cast: NOBODY,
    run: |cx| {
        Box::pin(async move {
            for id in [MUST, SHOULD] {
                cx.check(id, Judgement::bare(true)).await?;
            }
            Ok(())
        })
    },
};

static FAILS: Scenario = Scenario {
    id: "server::fails",
    run: |cx| Box::pin(async move { cx.check(MUST, Judgement::bare(false)).await.map(|_| ()) }),
    ..PASSES
};

/// Needs what is there, and takes longer than others where a target gives somebody up.
static FEDERATES: Scenario = Scenario { id: "federation::passes", needs: &[Feature::Federation], ..PASSES };

/// A target that nobody asks anything.
fn target() -> Target {
    Target::from_url("http://127.0.0.1:9").unwrap()
}

fn client() -> Client {
    super::super::client(&target()).unwrap()
}

fn world(standings: &[(Feature, Standing)]) -> Arc<World> {
    world_of(target(), standings)
}

fn world_of(target: Target, standings: &[(Feature, Standing)]) -> Arc<World> {
    let mut features = Features::default();
    for (feature, standing) in standings {
        features.set(*feature, standing.clone());
    }
    let run_id = "run".to_owned();
    let provisioner = Provisioner::new(&target, &run_id);
    Arc::new(World { target, features, provisioner, run_id, seed: 0, link: None, second: None })
}

fn plan(scenarios: &[&'static Scenario], strict: bool) -> Plan {
    let spoken_of = |rule: &&Requirement| [MUST, SHOULD].contains(&rule.id.as_str());
    let requirements = requirement::all().iter().filter(spoken_of).collect();
    let selection = Selection { strict, ..Selection::default() };
    Plan { selection, scenarios: scenarios.to_vec(), requirements }
}

fn untestable(reason: &str) -> Stop {
    Stop::Untestable { reason: reason.to_owned(), exchange: None }
}

fn not_applicable(reason: &str) -> Stop {
    Stop::NotApplicable { reason: reason.to_owned() }
}

/// What is told of a scenario that ended so, after these requirements failed.
async fn told(stop: Option<Stop>, failed: &[&'static str], rules: &Rules) -> (Ended, ScenarioResult) {
    let play = Play::new(&PASSES, 0, &client());
    for id in failed {
        play.ledger.check(id, Judgement::bare(false)).await.unwrap();
    }
    Performance { stop, took: Duration::from_millis(7) }.told(&play, rules)
}

#[tokio::test]
async fn an_end_and_what_was_found_before_it_make_the_outcome() {
    let rules = Rules::of(&plan(&[], false), false);
    let broke = || Stop::HarnessFault { reason: "why".to_owned() };
    for (stop, without, with) in [
        (None, Outcome::Passed, Outcome::Failed),
        (Some(untestable("why")), Outcome::Untestable, Outcome::Failed),
        (Some(not_applicable("why")), Outcome::NotApplicable, Outcome::Failed),
        (Some(broke()), Outcome::HarnessFault, Outcome::HarnessFault),
    ] {
        let reason = stop.as_ref().map(|_| "why".to_owned());
        for (failed, outcome) in [(&[][..], without), (&[MUST][..], with), (&[SHOULD][..], without)] {
            let (ended, result) = told(stop.clone(), failed, &rules).await;
            assert_eq!((result.outcome, ended.outcome), (outcome, outcome), "{stop:?} after {failed:?}");
            assert_eq!((&result.reason, &ended.reason), (&reason, &reason));
            assert_eq!(ended.whole, stop.is_none());
            assert_eq!((result.findings.len(), result.checks), (failed.len(), failed.len()));
        }
    }
}

#[tokio::test]
async fn a_broken_should_fails_the_scenario_of_a_strict_run() {
    let strict = Rules::of(&plan(&[], true), false);
    assert_eq!(told(None, &[SHOULD], &strict).await.1.outcome, Outcome::Failed);
}

#[tokio::test]
async fn what_the_run_does_not_speak_of_is_not_told() {
    let mut rules = Rules::of(&plan(&[], false), false);
    rules.selected = BTreeSet::from([SHOULD]);
    let (ended, result) = told(None, &[MUST, SHOULD], &rules).await;
    assert_eq!(result.requirements, [SHOULD]);
    assert_eq!(ended.evaluated.into_keys().collect::<Vec<_>>(), [SHOULD]);
    let findings: Vec<&str> = result.findings.iter().map(|finding| finding.requirement.as_str()).collect();
    assert_eq!(findings, [SHOULD]);
    assert_eq!(result.duration_ms, 7);
}

/// Another scenario of the run has met the secret; this one only repeats what the target says.
#[tokio::test]
async fn no_secret_of_the_run_is_told() {
    let client = client();
    client.transcript().conceal(&Secret::new("syt_secret"));
    let play = Play::new(&PASSES, 0, &client);
    let says = Judgement { actual: "it is syt_secret".to_owned(), ..Judgement::bare(false) };
    play.ledger.check(MUST, says).await.unwrap();
    let rules = Rules::of(&plan(&[], false), false);
    let (ended, result) = Performance::broken("beside syt_secret").told(&play, &rules);
    let told = [&result.findings[0].actual, &result.reason.unwrap(), &ended.reason.unwrap()];
    assert!(told.iter().all(|text| !text.contains("syt_secret")), "{told:?}");
}

#[tokio::test]
async fn exchanges_are_told_in_the_order_in_which_they_were_sent_unless_all_went_well() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_millis(50));
    Mock::given(path("/first")).respond_with(slow).mount(&server).await;
    let target = Target::from_url(&server.uri()).unwrap();
    let play = Play::new(&PASSES, 0, &super::super::client(&target).unwrap());
    let send = |path| play.client.send(Request::new("GET", path));
    // The second is recorded before the first is answered.
    let (_, second) = tokio::join!(send("/first"), send("/second"));
    let judged = Judgement { exchange: Some(second), ..Judgement::bare(false) };
    play.ledger.check(SHOULD, judged).await.unwrap();
    let told = |stop, all_transcripts| {
        let rules = Rules::of(&plan(&[], false), all_transcripts);
        let (_, result) = Performance { stop, took: Duration::ZERO }.told(&play, &rules);
        let pointed_at = result.findings[0].exchange.as_ref().unwrap();
        assert_eq!((pointed_at.number, pointed_at.url.ends_with("/second")), (2, true));
        result.exchanges
    };
    assert_eq!(told(None, false), []);
    assert_eq!(told(Some(not_applicable("why")), false), []);
    for shown in [told(None, true), told(Some(untestable("why")), false)] {
        let shown: Vec<_> = shown.iter().map(|e| (e.number, e.url.rsplit('/').next().unwrap())).collect();
        assert_eq!(shown, [(1, "first"), (2, "second")]);
    }
}

#[test]
fn what_does_not_apply_need_not_work() {
    static NEEDS: Scenario = Scenario { needs: &[Feature::Login, Feature::Gating], ..PASSES };
    let broken = || Standing::Broken("broken".to_owned());
    let absent = || Standing::NotApplicable("absent".to_owned());
    let of =
        |login, gating| match unmet(&world(&[(Feature::Login, login), (Feature::Gating, gating)]), &NEEDS) {
            None => "nothing".to_owned(),
            Some(Stop::Untestable { reason, .. }) => format!("untestable: {reason}"),
            Some(Stop::NotApplicable { reason }) => format!("not applicable: {reason}"),
            Some(Stop::HarnessFault { reason }) => format!("fault: {reason}"),
        };
    assert_eq!(of(Standing::Available, Standing::Available), "nothing");
    assert_eq!(of(broken(), Standing::Available), "untestable: broken");
    assert_eq!(of(broken(), absent()), "not applicable: absent");
    assert_eq!(of(absent(), broken()), "not applicable: absent");
    assert!(unmet(&world(&[]), &PASSES).is_none());
    assert!(matches!(unmet(&world(&[]), &NEEDS), Some(Stop::Untestable { .. })), "what was not probed");
}

#[test]
fn of_nothing_that_can_be_run_every_scenario_says_why() {
    let finished = nothing(&plan(&[&PASSES, &FAILS], false), &client(), None, "no homeserver");
    assert_eq!(outcomes(&finished), [Outcome::Untestable; 2]);
    let reasons = finished.scenarios.iter().map(|(_, result)| result.reason.as_deref());
    assert!(reasons.into_iter().all(|reason| reason == Some("no homeserver")));
}

fn outcomes(finished: &Finished) -> Vec<Outcome> {
    finished.scenarios.iter().map(|(_, result)| result.outcome).collect()
}

/// Keeps what it is told in a few words, and can write none of it.
#[derive(Default)]
struct Heard(Vec<String>);

impl Reporter for Heard {
    fn on(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.push(match event {
            Event::ScenarioStarted { id } => format!("{id} begins"),
            Event::ScenarioFinished(result) => format!("{} {}", result.id, result.outcome.word()),
            _ => unreachable!("the run as a whole is told elsewhere"),
        });
        Err(io::Error::other(format!("event {}", self.0.len())))
    }
}

async fn run(of: &[&'static Scenario], jobs: usize, fail_fast: bool) -> (Finished, Vec<String>) {
    let options = Options { jobs, fail_fast, all_transcripts: false };
    let world = world(&[(Feature::Federation, Standing::Available)]);
    let mut heard = Heard::default();
    let finished = scenarios(&world, &client(), &plan(of, false), options, &mut heard, pending()).await;
    (finished, heard.0)
}

#[tokio::test]
async fn one_job_is_one_scenario_at_a_time_and_no_job_is_one() {
    for jobs in [0, 1] {
        let (finished, heard) = run(&[&PASSES, &FAILS], jobs, false).await;
        assert_eq!(outcomes(&finished), [Outcome::Passed, Outcome::Failed]);
        let told = [
            "server::passes begins",
            "server::passes passed",
            "server::fails begins",
            "server::fails failed",
        ];
        assert_eq!(heard, told);
        assert_eq!(finished.report_error.unwrap().to_string(), "event 1", "the first is what is told");
        assert_eq!(finished.stopped, None);
    }
}

#[tokio::test]
async fn several_jobs_play_at_once_and_no_more_than_allowed() {
    static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
    static MEETS: Scenario = Scenario {
        id: "server::meets",
        run: |_| {
            Box::pin(async {
                BOTH.wait().await;
                Ok(())
            })
        },
        ..PASSES
    };
    let (finished, heard) = run(&[&MEETS, &MEETS, &PASSES], 2, false).await;
    assert_eq!(outcomes(&finished), [Outcome::Passed; 3]);
    assert_eq!(heard[..3], ["server::meets begins", "server::meets begins", "server::meets passed"]);
}

#[tokio::test]
async fn federation_plays_first_and_is_told_in_its_place() {
    let (finished, heard) = run(&[&PASSES, &FEDERATES], 1, false).await;
    assert_eq!(heard[0], "federation::passes begins");
    let order: Vec<&str> = finished.scenarios.iter().map(|(ended, _)| ended.id).collect();
    assert_eq!(order, ["server::passes", "federation::passes"]);
}

#[tokio::test]
async fn only_a_failure_ends_a_run_that_fails_fast() {
    let (finished, heard) = run(&[&PASSES, &FAILS, &PASSES], 1, true).await;
    assert_eq!(outcomes(&finished), [Outcome::Passed, Outcome::Failed, Outcome::Untestable]);
    assert_eq!(finished.stopped, Some(Stopped::FailFast));
    let reason = finished.scenarios[2].1.reason.as_deref();
    assert_eq!(reason, Some("not run: an earlier scenario failed (--fail-fast)"));
    assert_eq!(heard.len(), 4, "the last never began");
}

#[tokio::test]
async fn an_interrupt_leaves_what_did_not_run_untestable() {
    let options = Options { jobs: 1, fail_fast: false, all_transcripts: false };
    static HANGS: Scenario = Scenario { id: "server::hangs", run: |_| Box::pin(pending()), ..PASSES };
    let plan = plan(&[&HANGS, &PASSES], false);
    let at_once = std::future::ready(());
    let finished = scenarios(&world(&[]), &client(), &plan, options, &mut Heard::default(), at_once).await;
    assert_eq!(outcomes(&finished), [Outcome::Untestable; 2]);
    assert_eq!(finished.stopped, Some(Stopped::Interrupted));
    assert_eq!(finished.scenarios[0].1.reason.as_deref(), Some("interrupted"));
}

#[tokio::test]
async fn a_panic_is_told_in_its_own_words() {
    let words = async |story: fn()| {
        let error = tokio::spawn(async move { story() }).await.unwrap_err();
        let Stop::HarnessFault { reason } = panicked("the scenario", error) else {
            panic!("it is our fault")
        };
        reason
    };
    assert_eq!(words(|| panic!("plain")).await, "the scenario panicked: plain");
    assert_eq!(words(|| panic!("the number {}", 7)).await, "the scenario panicked: the number 7");
    assert_eq!(words(|| std::panic::panic_any(7)).await, "the scenario panicked: ?");
}

/// A target that answers a lookup when twice the time of a scenario is over, which it may: it has an hour to
/// ask the user's own homeserver.
async fn patient() -> (MockServer, Target) {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(404).set_delay(2 * LIMIT);
    Mock::given(wiremock::matchers::any()).respond_with(late).mount(&server).await;
    let mut target = Target::from_url(&server.uri()).unwrap();
    target.limits.scenario_timeout = LIMIT;
    target.limits.remote_timeout = Duration::from_secs(3600);
    (server, target)
}

const LIMIT: Duration = Duration::from_millis(300);

fn lease_of_one() -> Lease {
    let (user_id, token) = ("@alice:example.org".to_owned(), Secret::new("token"));
    let first = Login { user_id: user_id.clone(), device_id: "PHONE".to_owned(), token };
    let mut lease = Lease::default();
    lease.ordinary.push(Account { user_id, first, password: None });
    lease
}

async fn looks_up(user: Result<User, Stop>) -> Ran {
    let (user, hash) = (user?, CapabilityHash::parse(&"A".repeat(43)).unwrap());
    user.session().look_up(&user, &hash).await.map(|_| ())
}

#[tokio::test]
async fn what_either_homeserver_is_granted_for_others_counts_against_no_deadline() {
    static LOOKS_UP: Scenario =
        Scenario { run: |cx| Box::pin(async move { looks_up(cx.user()).await }), ..PASSES };
    static LOOKS_UP_ELSEWHERE: Scenario =
        Scenario { run: |cx| Box::pin(async move { looks_up(cx.elsewhere()).await }), ..PASSES };
    let (_server, target) = patient().await;
    let world = world_of(target, &[]);
    let client = super::super::client(&world.target).unwrap();
    let here = Play::new(&LOOKS_UP, 0, &client);
    here.play(&world, &lease_of_one(), None).await.unwrap();
    let there = Play::new(&LOOKS_UP_ELSEWHERE, 0, &client);
    let stage = Arc::new(Stage::new(there.client.clone(), world.clone()));
    there.play(&world, &Lease::default(), Some(&(stage, lease_of_one()))).await.unwrap();
}

#[tokio::test]
async fn what_obeying_a_rate_limit_takes_counts_against_no_deadline() {
    let server = MockServer::start().await;
    let body = serde_json::json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 3_600_000 });
    let limited = ResponseTemplate::new(429).set_body_json(body);
    Mock::given(wiremock::matchers::any()).respond_with(limited).mount(&server).await;
    let mut target = Target::from_url(&server.uri()).unwrap();
    // Nothing is left of the deadline but what obeying adds to it.
    target.limits.scenario_timeout = Duration::ZERO;
    target.limits.rate_limit_cap = Duration::from_secs(7200);
    let world = world_of(target, &[]);
    let play = Play::new(&PASSES, 0, &super::super::client(&world.target).unwrap());
    let obeys = async {
        while play.client.transcript().obeyed().is_zero() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = play.client.send(Request::new("GET", "/")) => unreachable!("it is told to wait for an hour"),
        () = obeys => {}
    }
    play.play(&world, &Lease::default(), None).await.unwrap();
}
