//! A target that is restarted while it is tested, and forgets everything: no failure comes of that, and
//! none is hidden behind it.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use capcheck::check;
use capcheck::engine::event::{Event, Reporter};
use capcheck::engine::plan::Plan;
use capcheck::engine::result::{RunResult, Selection};
use capcheck::engine::{self, Options, Request, exit};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Running};
use capcheck::scenarios::Scenario;
use capcheck::spec::requirement;
use capcheck::target::config::Target;
use capcheck::target::provision::Cast;
use tokio::sync::Notify;

use crate::support::{OPTIONS, complaints, declared, serve, with_outcome};

const ONE: Cast = Cast { ordinary: 1, entitled: 0, look_alikes: 0, elsewhere: 0 };

/// Says when so many scenarios have ended.
struct After {
    scenarios: usize,
    ended: Arc<Notify>,
}

impl Reporter for After {
    fn on(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Event::ScenarioFinished(_) = event {
            self.scenarios = self.scenarios.saturating_sub(1);
            if self.scenarios == 0 {
                self.ended.notify_one();
            }
        }
        Ok(())
    }
}

fn nobody_told() -> After {
    After { scenarios: usize::MAX, ended: Arc::default() }
}

/// Everything about a run but what becomes of its target meanwhile.
fn request(target: Target, plan: Plan, options: Options) -> Request {
    let run_id = engine::run_id::fresh().unwrap();
    Request { target, second: None, plan, options, seed: 7, run_id }
}

/// A run that waits for what never comes fails here instead of hanging.
async fn within<T>(run: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), run).await.expect("the run does not end")
}

async fn start_again(at: SocketAddr) -> Running {
    reference::start(at, reference::Options::default()).await.unwrap()
}

/// A whole run, and a target that ends after so many scenarios; `back` starts it again.
async fn interrupted(scenarios: usize, back: bool) -> RunResult {
    let server = serve(reference::Options::default()).await;
    let address = server.address();
    let mut reporter = After { scenarios, ended: Arc::default() };
    let ended = reporter.ended.clone();
    let target = declared(&server.url());
    let request = request(target, Plan::new(Selection::default()).unwrap(), OPTIONS);
    let fate = async {
        ended.notified().await;
        server.stop().await;
        if !back {
            return None;
        }
        // An outage that no request meets is none: one is there before the target is back.
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        drop(listener.accept().await.unwrap());
        drop(listener);
        Some(start_again(address).await)
    };
    let (told, _server) =
        within(async { tokio::join!(engine::run(request, &mut reporter, std::future::pending()), fate) })
            .await;
    told.unwrap().result
}

fn says_so(result: &RunResult) -> bool {
    result
        .observations
        .iter()
        .any(|line| line.contains("could not be reached") && line.contains("restarted?"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_fails_nothing_whenever_it_comes() {
    for scenarios in [1, 20, 50, 80] {
        let result = interrupted(scenarios, true).await;
        let failed = with_outcome(&result, Outcome::Failed);
        assert_eq!(failed, [""; 0], "after {scenarios}: {}", complaints(&result));
        assert_eq!(exit::code(&result), exit::INCOMPLETE, "after {scenarios}: {}", complaints(&result));
        assert!(says_so(&result), "{:?}", result.observations);
        // What came after it is tested as ever.
        let passed = result.counts.scenarios.passed;
        assert!(passed > result.counts.scenarios.untestable, "{passed} passed; {}", complaints(&result));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_gone_for_good_fails_nothing_and_ends_the_run() {
    let result = interrupted(20, false).await;
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0], "{}", complaints(&result));
    assert_eq!(exit::code(&result), exit::INCOMPLETE);
    assert!(says_so(&result), "{:?}", result.observations);
    let gone = |reason: &str| reason.contains("the target is gone: ");
    let reasons = result.scenarios.iter().filter_map(|scenario| scenario.reason.as_deref());
    assert!(reasons.filter(|reason| gone(reason)).count() > 10, "{}", complaints(&result));
}

/// Says that the session of [`REMEMBERS`] is there.
static THERE: Notify = Notify::const_new();
/// Says that [`WATCHES`] has begun: without a user it would see nothing.
static WATCHING: Notify = Notify::const_new();
/// Says that [`WATCHES`] has seen the target away.
static AWAY: Notify = Notify::const_new();
/// Says that the target is back.
static BACK: Notify = Notify::const_new();
static PERFORMANCES: AtomicUsize = AtomicUsize::new(0);

/// Finds fault with a session that ends, as it does with a target that forgets; at first it looks away
/// until the target is back.
static REMEMBERS: Scenario = Scenario {
    id: "server::remembers",
    summary: "",
    covers: &["server.hash"],
    needs: &[],
    cast: ONE,
    run: |cx| {
        Box::pin(async move {
            let session = cx.user()?.session();
            if PERFORMANCES.fetch_add(1, Relaxed) == 0 {
                THERE.notify_one();
                BACK.notified().await;
            }
            check!(cx, "server.hash", session.server_hash().await?.has_hash_shape().and_the_session_lives());
            Ok(())
        })
    },
};

/// Asks until nobody answers.
static WATCHES: Scenario = Scenario {
    id: "server::watches",
    covers: &["server.set"],
    run: |cx| {
        Box::pin(async move {
            let session = cx.user()?.session();
            WATCHING.notify_one();
            loop {
                let asked = session.whoami().await.and_then(|reply| reply.or_stop("whoami"));
                if let Err(stop) = asked {
                    AWAY.notify_one();
                    return Err(stop);
                }
            }
        })
    },
    ..REMEMBERS
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restart_made_fail_is_played_again_and_counts_then() {
    let server = serve(reference::Options::default()).await;
    let address = server.address();
    let scenarios = vec![&REMEMBERS, &WATCHES];
    let covered = |id: &str| scenarios.iter().any(|scenario| scenario.covers.contains(&id));
    let requirements = requirement::all().iter().filter(|rule| covered(&rule.id)).collect();
    let plan = Plan { selection: Selection::default(), scenarios, requirements };
    let request = request(declared(&server.url()), plan, OPTIONS);
    let fate = async {
        THERE.notified().await;
        WATCHING.notified().await;
        server.stop().await;
        AWAY.notified().await;
        let server = start_again(address).await;
        BACK.notify_one();
        server
    };
    let mut reporter = nobody_told();
    let (told, _server) =
        within(async { tokio::join!(engine::run(request, &mut reporter, std::future::pending()), fate) })
            .await;
    let result = told.unwrap().result;
    let outcomes: Vec<Outcome> = result.scenarios.iter().map(|scenario| scenario.outcome).collect();
    assert_eq!(outcomes, [Outcome::Passed, Outcome::Untestable], "{}", complaints(&result));
    assert_eq!(PERFORMANCES.load(Relaxed), 2);
}

/// A target that breaks off connections while it is tested hides no failure behind that.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_every_time_stands() {
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    /// Fails beside a request that is broken off.
    static FAILS: Scenario = Scenario {
        id: "server::fails",
        run: |cx| {
            Box::pin(async move {
                TIMES.fetch_add(1, Relaxed);
                let session = cx.user()?.session();
                let _broken_off = session.status_of(&cx.user()?).await;
                check!(cx, "server.hash", session.server_hash().await?.says_not_found());
                Ok(())
            })
        },
        cast: Cast { ordinary: 2, ..ONE },
        ..REMEMBERS
    };
    use crate::support::proxy::{Proxy, Turn};
    let probed = AtomicUsize::new(0);
    let proxy = Proxy::start(move |request| {
        let status = request.method() == http::Method::GET && request.uri().path().ends_with("/status");
        // Preflight asks once, before anything can fail.
        match status && probed.fetch_add(1, Relaxed) > 0 {
            true => Turn::Drop,
            false => Turn::Pass,
        }
    })
    .await;
    let requirements = requirement::all().iter().filter(|rule| rule.id == "server.hash").collect();
    let plan = Plan { selection: Selection::default(), scenarios: vec![&FAILS], requirements };
    let request = request(declared(&proxy.url()), plan, OPTIONS);
    let result =
        within(engine::run(request, &mut nobody_told(), std::future::pending())).await.unwrap().result;
    assert_eq!(result.scenarios[0].outcome, Outcome::Failed, "{}", complaints(&result));
    assert_eq!((TIMES.load(Relaxed), exit::code(&result)), (3, exit::NON_CONFORMANT));
}
