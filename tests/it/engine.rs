//! The engine keeps its head: panics, hangs and mistakes of scenarios are ours, and never the target's.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::future::pending;
use std::sync::OnceLock;
use std::time::Duration;

use capcheck::engine::plan::Plan;
use capcheck::engine::result::{RunResult, Selection, Stopped, Verdict};
use capcheck::engine::{self, Options, Request, exit};
use capcheck::outcome::Outcome;
use capcheck::scenarios::{Cx, Ran, Scenario};
use capcheck::spec::requirement;
use capcheck::target::config::Target;
use capcheck::target::features::Feature;
use capcheck::target::provision::Cast;
use capcheck::{built_in, check, reference};
use tokio::sync::Notify;

use crate::support::proxy::{Proxy, Turn};
use crate::support::{self, Silent};

const NOBODY: Cast = Cast { ordinary: 0, entitled: 0, look_alikes: 0, elsewhere: 0 };
const ONE: Cast = Cast { ordinary: 1, entitled: 0, look_alikes: 0, elsewhere: 0 };

/// A scenario that ends well.
static PASSES: Scenario = Scenario {
    id: "server::passes",
    summary: "",
    covers: &["server.hash"],
    needs: &[],
    cast: ONE,
    run: |cx| {
        Box::pin(async move {
            let reply = cx.user()?.session().server_hash().await?;
            check!(cx, "server.hash", reply.has_hash_shape());
            Ok(())
        })
    },
};

/// A scenario that finds fault with a good answer, and then panics.
static FAILS_AND_PANICS: Scenario = Scenario {
    id: "server::fails_and_panics",
    covers: &["server.set"],
    run: |cx| {
        Box::pin(async move {
            let reply = cx.user()?.session().server_hash().await?;
            check!(cx, "server.set", reply.says_not_found());
            panic!("after the finding")
        })
    },
    ..PASSES
};

static PANICS: Scenario = Scenario {
    id: "server::panics",
    covers: &["server.set"],
    cast: NOBODY,
    run: |_| Box::pin(async { panic!("on purpose") }),
    ..PASSES
};

static HANGS: Scenario =
    Scenario { id: "server::hangs", covers: &["server.set"], run: |_| Box::pin(pending()), ..PASSES };

/// Checks a requirement that it does not say it covers.
static STRAYS: Scenario = Scenario { id: "server::strays", covers: &["server.set"], ..PASSES };

/// Asks for more users than it said it would.
static OVERDRAWS: Scenario = Scenario { id: "server::overdraws", cast: NOBODY, ..PASSES };

async fn run(
    scenarios: &[&'static Scenario],
    fail_fast: bool,
    interrupt: impl Future<Output = ()>,
) -> RunResult {
    run_on(|_| (), scenarios, fail_fast, interrupt).await
}

/// The same on a target that declares something else of itself.
async fn run_on(
    declare: impl FnOnce(&mut Target),
    scenarios: &[&'static Scenario],
    fail_fast: bool,
    interrupt: impl Future<Output = ()>,
) -> RunResult {
    let (mut target, server) = built_in::start(reference::Options::default()).await.unwrap();
    target.limits.scenario_timeout = Duration::from_millis(300);
    declare(&mut target);
    let requirements = requirement::all()
        .iter()
        .filter(|rule| scenarios.iter().any(|scenario| scenario.covers.contains(&rule.id.as_str())))
        .collect();
    let plan = Plan { selection: Selection::default(), scenarios: scenarios.to_vec(), requirements };
    let options = Options { jobs: 1, fail_fast, all_transcripts: false };
    let request = Request { target, second: None, plan, options, seed: 0, run_id: "engine".to_owned() };
    let told = engine::run(request, &mut Silent, interrupt).await.unwrap();
    server.stop().await;
    told.result
}

fn outcomes(result: &RunResult) -> Vec<Outcome> {
    result.scenarios.iter().map(|scenario| scenario.outcome).collect()
}

#[tokio::test]
async fn a_panic_is_our_fault_and_no_verdict_about_the_target() {
    let result = run(&[&PASSES, &PANICS], false, pending()).await;
    assert_eq!(outcomes(&result), [Outcome::Passed, Outcome::HarnessFault]);
    assert_eq!(result.scenarios[1].reason.as_deref(), Some("the scenario panicked: on purpose"));
    assert_eq!((result.verdict, exit::code(&result)), (Verdict::Incomplete, exit::FAULT));
}

#[tokio::test]
async fn what_was_found_before_a_panic_counts_and_beats_it() {
    let result = run(&[&FAILS_AND_PANICS], false, pending()).await;
    assert_eq!(result.scenarios[0].findings[0].requirement, "server.set");
    assert_eq!(result.counts.scenarios.harness_fault, 1);
    assert_eq!((result.verdict, exit::code(&result)), (Verdict::NonConformant, exit::NON_CONFORMANT));
}

#[tokio::test]
async fn a_scenario_that_strays_is_our_fault() {
    let result = run(&[&STRAYS, &OVERDRAWS], false, pending()).await;
    assert_eq!(outcomes(&result), [Outcome::HarnessFault, Outcome::HarnessFault]);
    assert!(result.scenarios[0].reason.as_ref().unwrap().contains("which it does not say it covers"));
    assert!(result.scenarios[1].reason.as_ref().unwrap().contains("one user more than its cast"));
}

#[tokio::test]
async fn a_scenario_that_hangs_is_untestable_within_its_deadline() {
    let result = run(&[&HANGS, &PASSES], false, pending()).await;
    assert_eq!(outcomes(&result), [Outcome::Untestable, Outcome::Passed]);
    assert!(result.scenarios[0].reason.as_ref().unwrap().contains("scenario_timeout_s"));
    assert_eq!((result.verdict, exit::code(&result)), (Verdict::Incomplete, exit::INCOMPLETE));
}

/// What the target sent is told however the scenario ends; here it asks for a new homeserver's keys.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_target_sent_is_told_of_a_scenario_that_does_not_end_well() {
    /// Says that the target knows the homeserver's keys by now.
    static MET: Notify = Notify::const_new();
    async fn meet(cx: &Cx) -> Ran {
        let (alice, server) = (cx.user()?, cx.fresh_homeserver().await?);
        cx.room_with(&alice.session(), &[&cx.remote_user(&server)?]).await?;
        MET.notify_one();
        Ok(())
    }
    static MEETS_AND_PANICS: Scenario = Scenario {
        id: "server::meets_and_panics",
        needs: &[Feature::Federation],
        run: |cx| {
            Box::pin(async move {
                meet(&cx).await?;
                panic!("on purpose")
            })
        },
        ..PASSES
    };
    static MEETS_AND_HANGS: Scenario = Scenario {
        id: "server::meets_and_hangs",
        run: |cx| {
            Box::pin(async move {
                meet(&cx).await?;
                pending().await
            })
        },
        ..MEETS_AND_PANICS
    };
    let asks_for_keys = |result: &RunResult, outcome| {
        let scenario = &result.scenarios[0];
        assert_eq!(scenario.outcome, outcome, "{scenario:?}");
        let received = scenario.exchanges.iter().filter(|exchange| exchange.received_by.is_some());
        let keys = received.filter(|exchange| exchange.url.contains("/_matrix/key/v2/server"));
        let answers: Vec<_> = keys.flat_map(|exchange| &exchange.response_body).collect();
        assert!(answers.iter().any(|body| body.contains("verify_keys")), "{scenario:?}");
    };
    let patient = |target: &mut Target| target.limits.scenario_timeout = Duration::from_secs(2);
    let result = run_on(patient, &[&MEETS_AND_PANICS], false, pending()).await;
    asks_for_keys(&result, Outcome::HarnessFault);
    let result = run_on(patient, &[&MEETS_AND_HANGS], false, pending()).await;
    assert_eq!(result.stopped, None, "it was stopped by its deadline");
    asks_for_keys(&result, Outcome::Untestable);
    let endless = |target: &mut Target| target.limits.scenario_timeout = Duration::from_secs(600);
    let met_again = async {
        // Those before have left one notification.
        MET.notified().await;
        MET.notified().await;
    };
    let result = run_on(endless, &[&MEETS_AND_HANGS], false, met_again).await;
    assert_eq!(result.stopped, Some(Stopped::Interrupted));
    asks_for_keys(&result, Outcome::Untestable);
}

#[tokio::test]
async fn sessions_are_kept_active_where_the_target_ends_idle_ones() {
    /// Holds a session and says nothing.
    static IDLES: Scenario = Scenario {
        id: "server::idles",
        run: |cx| {
            Box::pin(async move {
                let _session = cx.user()?.session();
                pending().await
            })
        },
        ..HANGS
    };
    let declare = |target: &mut Target| target.limits.connected_timeout = Some(Duration::from_millis(60));
    let result = run_on(declare, &[&IDLES], false, pending()).await;
    let active =
        result.scenarios[0].exchanges.iter().filter(|exchange| exchange.url.ends_with("/account/whoami"));
    assert!(active.count() >= 2, "{:?}", result.scenarios[0].exchanges);
}

#[tokio::test]
async fn a_session_that_hangs_costs_no_other_its_life() {
    static IDLES: Scenario = Scenario {
        id: "server::idles_twice",
        cast: Cast { ordinary: 2, ..ONE },
        run: |cx| {
            Box::pin(async move {
                let _sessions = (cx.user()?.session(), cx.user()?.session());
                pending().await
            })
        },
        ..HANGS
    };
    let first = OnceLock::new();
    let proxy = Proxy::start(move |request| {
        let asks = request.uri().path().ends_with("/account/whoami");
        let token = || request.headers()["authorization"].clone();
        match asks && *first.get_or_init(token) == token() {
            true => Turn::Hang,
            false => Turn::Pass,
        }
    })
    .await;
    let declare = |target: &mut Target| {
        *target = support::target(&proxy.url());
        target.limits.request_timeout = Duration::from_secs(5);
        target.limits.scenario_timeout = Duration::from_millis(600);
        target.limits.connected_timeout = Some(Duration::from_millis(60));
    };
    let result = run_on(declare, &[&IDLES], false, pending()).await;
    let exchanges = &result.scenarios[0].exchanges;
    let answered = exchanges.iter().filter(|e| e.url.ends_with("/account/whoami") && e.status == Some(200));
    assert!(answered.count() >= 2, "{exchanges:?}");
}

#[tokio::test]
async fn fail_fast_ends_after_the_first_failure_and_says_what_did_not_run() {
    static FAILS: Scenario = Scenario {
        id: "server::fails",
        run: |cx| {
            Box::pin(async move {
                let reply = cx.user()?.session().server_hash().await?;
                check!(cx, "server.hash", reply.says_not_found());
                Ok(())
            })
        },
        ..PASSES
    };
    let result = run(&[&FAILS, &PANICS], true, pending()).await;
    assert_eq!(outcomes(&result), [Outcome::Failed, Outcome::Untestable]);
    assert_eq!(result.stopped, Some(Stopped::FailFast));
    assert_eq!(exit::code(&result), exit::NON_CONFORMANT);
}

#[tokio::test]
async fn an_interrupt_keeps_what_is_known() {
    static HUNG: Notify = Notify::const_new();
    /// Says that it has begun, so that the scenario before it has ended.
    static TELLS_AND_HANGS: Scenario = Scenario {
        id: "server::tells_and_hangs",
        run: |_| {
            Box::pin(async {
                HUNG.notify_one();
                pending().await
            })
        },
        ..HANGS
    };
    let result = run(&[&PASSES, &TELLS_AND_HANGS], false, HUNG.notified()).await;
    assert_eq!(outcomes(&result), [Outcome::Passed, Outcome::Untestable]);
    assert_eq!(result.scenarios[1].reason.as_deref(), Some("interrupted"));
    assert_eq!((result.stopped, exit::code(&result)), (Some(Stopped::Interrupted), exit::INTERRUPTED));
}

/// A federation port that is not there costs a run nothing which does not go there.
#[tokio::test]
async fn what_nothing_selected_needs_is_not_looked_for() {
    let gone = |target: &mut Target| {
        let federation = target.federation.as_mut().unwrap();
        federation.url = Some("https://127.0.0.1:9".parse().unwrap());
    };
    static FEDERATES: Scenario =
        Scenario { id: "server::federates", needs: &[Feature::Federation], ..PASSES };
    let note = |result: &RunResult| {
        let federation = result.target.features.iter().find(|info| info.name == "federation").unwrap();
        federation.note.clone().unwrap()
    };
    let at_home = run_on(gone, &[&PASSES], false, pending()).await;
    assert_eq!(note(&at_home), "nothing that is selected needs the harness's homeservers");
    assert_eq!(outcomes(&at_home), [Outcome::Passed]);
    let abroad = run_on(gone, &[&PASSES, &FEDERATES], false, pending()).await;
    assert!(note(&abroad).contains("does not reach the target's federation port"), "{}", note(&abroad));
    assert_eq!(outcomes(&abroad), [Outcome::Passed, Outcome::Untestable]);
}
