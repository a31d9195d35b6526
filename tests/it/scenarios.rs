//! What must be true of the scenarios themselves, and of whole runs against the built-in homeserver.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::{BTreeMap, BTreeSet};

use capcheck::built_in;
use capcheck::engine::Options;
use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, ScenarioResult, Selection};
use capcheck::outcome::Outcome;
use capcheck::reference::{self, Running};
use capcheck::scenarios::{self, Scenario};
use capcheck::spec::binding::{Binding, Operation};
use capcheck::spec::requirement::{self, Level};
use capcheck::target::config::{AccountConfig, Cleanup, Target, Users};
use capcheck::target::features::Feature;
use capcheck::target::provision::{Cast, Provisioner};
use capcheck::wire::{Request, Secret};
use url::Url;

use super::support::{OPTIONS, complaints, run_pair, run_with, with_outcome};

/// The area of a requirement's id.
fn area(id: &str) -> &str {
    id.split('.').next().unwrap()
}

#[test]
fn every_id_is_an_area_and_words() {
    let mut met = BTreeSet::new();
    for scenario in scenarios::all() {
        let (area_of_it, name) = scenario.id.split_once("::").expect(scenario.id);
        let is_snake_case = |word: &str| {
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            };
            word.split('_').all(plain)
        };
        assert!(is_snake_case(area_of_it) && is_snake_case(name), "{}", scenario.id);
        assert_eq!(scenario.area(), area_of_it);
        assert!(met.insert(scenario.id), "{} is there twice", scenario.id);
        // What two homeservers do to each other is federation, whoever they are; properties have no area.
        let covered = if area_of_it == "pair" { "federation" } else { area_of_it };
        assert!(
            scenario.property().is_some() || scenario.covers.iter().any(|id| area(id) == covered),
            "{} covers nothing of its area",
            scenario.id
        );
    }
}

#[test]
fn every_covered_requirement_exists_and_is_named_once() {
    for scenario in scenarios::all() {
        let distinct: BTreeSet<_> = scenario.covers.iter().collect();
        assert_eq!(distinct.len(), scenario.covers.len(), "{}", scenario.id);
        for id in scenario.covers {
            assert!(requirement::find(id).is_some(), "{} covers {id}, which does not exist", scenario.id);
        }
    }
}

#[test]
fn every_requirement_has_a_scenario() {
    let covered: BTreeSet<&str> =
        scenarios::written().flat_map(|scenario| scenario.covers).copied().collect();
    for rule in requirement::all() {
        assert!(covered.contains(rule.id.as_str()), "{}", rule.id);
    }
}

/// Everything, on a target that stays as it was.
async fn everything(target: Target, options: Options) -> RunResult {
    run_with(target, Selection { strict: true, ..Selection::default() }, options).await
}

/// Everything, with a second homeserver beside the target.
async fn everything_on_both(target: Target, second: Target, options: Options) -> RunResult {
    run_pair(target, Some(second), Selection { strict: true, ..Selection::default() }, options).await
}

/// Whether a scenario is about two homeservers.
fn is_of_a_pair(id: &str) -> bool {
    scenarios::find(id).unwrap().needs.contains(&Feature::Second)
}

/// Nothing failed, nothing is untestable, and every covered row was really checked.
fn is_whole(result: &RunResult) {
    assert_eq!(exit::code(result), exit::CONFORMANT, "{}", complaints(result));
    for outcome in [Outcome::Failed, Outcome::Untestable] {
        assert_eq!(with_outcome(result, outcome), [""; 0], "{}", complaints(result));
    }
    for scenario in &result.scenarios {
        assert_eq!(scenario.outcome, Outcome::Passed, "{}: {:?}", scenario.id, scenario.reason);
        assert!(scenario.checks > 0, "{} checks nothing", scenario.id);
    }
    for rule in result.requirements.iter().filter(|rule| !rule.scenarios.is_empty()) {
        // What is optional may be absent; everything else was evaluated by each of its scenarios.
        let fine = rule.outcome == Outcome::Passed || rule.level == Level::May;
        assert!(fine, "{}: {} {:?}", rule.id, rule.outcome.word(), rule.reason);
    }
}

/// What the requests of a scenario show that it used.
#[derive(Debug, PartialEq, Eq)]
struct Used {
    operations: BTreeSet<Operation>,
    login: bool,
    presence: bool,
}

impl Used {
    fn declared(scenario: &Scenario) -> Self {
        let operations = scenario.needs.iter().filter_map(|need| match need {
            Feature::Operation(operation) => Some(*operation),
            _ => None,
        });
        Self {
            operations: operations.collect(),
            login: [Feature::Login, Feature::Sessions].iter().any(|feature| scenario.needs.contains(feature)),
            presence: scenario.needs.contains(&Feature::Presence),
        }
    }

    /// `clients` and `servers` are where clients, and where other homeservers, are answered.
    fn really(result: &ScenarioResult, clients: &[Url], servers: &[Url]) -> Self {
        let mut operations = BTreeSet::new();
        let mut paths = Vec::new();
        for exchange in &result.exchanges {
            let (method, url) = (exchange.method.as_str(), exchange.url.as_str());
            // What the target asks of the harness's homeservers are operations that it has to know, too.
            if let Some(peer) = &exchange.received_by {
                let path = url.strip_prefix(&format!("https://{peer}")).unwrap();
                operations.extend(operation(method, path, &Operation::ALL[5..]));
                continue;
            }
            match (path(url, clients), path(url, servers)) {
                (Some(path), _) => {
                    operations.extend(operation(method, path, &Operation::CLIENT));
                    paths.push(path);
                }
                (_, Some(path)) => operations.extend(operation(method, path, &Operation::ALL[5..])),
                _ => panic!("{} asks {url}, and who is that?", result.id),
            }
        }
        let sends = |wanted: &[&str]| {
            let begins = |path: &str, wanted| path.starts_with(&format!("/_matrix/client/v3/{wanted}"));
            paths.iter().any(|path| wanted.iter().any(|wanted| begins(path, wanted)))
        };
        Self {
            operations,
            login: sends(&["login", "logout", "devices", "delete_devices"]),
            presence: sends(&["sync", "presence"]),
        }
    }
}

/// What follows one of these bases in a URL.
fn path<'u>(url: &'u str, bases: &[Url]) -> Option<&'u str> {
    bases.iter().find_map(|base| url.strip_prefix(base.as_str().trim_end_matches('/')))
}

/// Which of these operations a request is, whatever stands where the path's variables stand.
fn operation(method: &str, path: &str, among: &[Operation]) -> Option<Operation> {
    let binding = Binding::default();
    let fits = |operation: &Operation| {
        let route = binding.route(*operation);
        let (fixed, variable) =
            route.template.split_once('{').map_or((route.template.as_str(), false), |(head, _)| (head, true));
        route.method == method && if variable { path.starts_with(fixed) } else { path == fixed }
    };
    among.iter().copied().find(fits)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_run_is_whole_and_uses_what_it_says_it_needs() {
    let mut pair = built_in::start_pair(reference::Options::default()).await.unwrap();
    // Cleaning up is not the scenario's.
    for target in [&mut pair.target, &mut pair.second] {
        target.cleanup = Cleanup::None;
    }
    let clients = [pair.target.url.clone(), pair.second.url.clone()];
    let servers = [pair.target.federation.as_ref().unwrap().url.clone().unwrap()];
    let options = Options { all_transcripts: true, ..OPTIONS };
    let result = everything_on_both(pair.target.clone(), pair.second.clone(), options).await;
    is_whole(&result);
    let mut wrong = BTreeMap::new();
    for told in &result.scenarios {
        let scenario = scenarios::find(&told.id).unwrap();
        // Of histories that passed nothing is kept.
        if scenario.property().is_some() {
            assert_eq!(told.exchanges.len(), 0, "{}", told.id);
            continue;
        }
        let (said, used) = (Used::declared(scenario), Used::really(told, &clients, &servers));
        if said != used {
            wrong.insert(&told.id, format!("says {said:?}, uses {used:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    is_counted(&result, &[clients.as_slice(), &servers].concat());
}

/// Every request counts once: in its scenario, and at its endpoint.
fn is_counted(result: &RunResult, bases: &[Url]) {
    for scenario in &result.scenarios {
        let (received, sent): (Vec<_>, Vec<_>) =
            scenario.exchanges.iter().partition(|exchange| exchange.received_by.is_some());
        match sent.len() {
            // Those of a property are in no transcript.
            0 => assert!(scenario.requests > 0, "{}", scenario.id),
            sent => assert_eq!(scenario.requests, sent, "{}", scenario.id),
        }
        assert_eq!(scenario.received, received.len(), "{}", scenario.id);
    }
    let in_scenarios: usize = result.scenarios.iter().map(|scenario| scenario.requests).sum();
    let at_endpoints: u64 = result.endpoints.iter().map(|endpoint| endpoint.requests).sum();
    assert_eq!(at_endpoints, result.counts.requests);
    assert!(in_scenarios as u64 <= at_endpoints, "{in_scenarios} of {at_endpoints}");
    for endpoint in &result.endpoints {
        assert!(bases.iter().any(|base| base.as_str() == endpoint.base), "{endpoint:?}");
        let varies = endpoint.path.contains(&result.run_id) || endpoint.path.contains(['%', '?', '@']);
        assert!(!varies, "{endpoint:?}");
    }
    assert!(result.endpoints.is_sorted_by_key(|endpoint| std::cmp::Reverse(endpoint.total_ms)));
}

/// Where nothing that is selected needs other homeservers or rooms, nobody is asked for any.
#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_needs_is_not_asked() {
    let pair = built_in::start_pair(reference::Options::default()).await.unwrap();
    let selection = Selection { only: vec!["union.single".to_owned()], ..Selection::default() };
    let result = run_pair(pair.target.clone(), Some(pair.second.clone()), selection, OPTIONS).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    for endpoint in &result.endpoints {
        assert_eq!(endpoint.base, pair.target.url.as_str(), "{endpoint:?}");
        assert!(
            !["createRoom", "joined_rooms"].iter().any(|end| endpoint.path.ends_with(end)),
            "{endpoint:?}"
        );
    }
    let note = |name: &str| {
        let feature = result.target.features.iter().find(|feature| feature.name == name).unwrap();
        feature.note.clone().unwrap()
    };
    assert_eq!(note("federation"), "nothing that is selected needs the harness's homeservers");
    assert_eq!(note("second"), "nothing that is selected needs a second homeserver");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_and_one_request_at_once_do_not_wait_for_each_other() {
    for (jobs, in_flight) in [(1, 32), (64, 1), (1, 1)] {
        let mut pair = built_in::start_pair(reference::Options::default()).await.unwrap();
        pair.target.limits.in_flight = in_flight;
        let options = Options { jobs, ..OPTIONS };
        is_whole(&everything_on_both(pair.target.clone(), pair.second.clone(), options).await);
    }
}

/// A homeserver with as many users as the suite says it needs at least, each with a ready token.
async fn least() -> (Target, Running, Vec<reference::Account>) {
    least_on(reference::FaultSet::NONE).await
}

async fn least_on(faults: reference::FaultSet) -> (Target, Running, Vec<reference::Account>) {
    let casts: Vec<Cast> = scenarios::all().map(|scenario| scenario.cast).collect();
    let needed = Provisioner::needed(&casts, 1);
    let ordinary = (0..needed.ordinary).map(|number| format!("user-{number}"));
    let entitled = (0..needed.entitled).map(|number| format!("granted-{number}"));
    let accounts: Vec<reference::Account> = ordinary
        .chain(entitled)
        .map(|name| reference::Account {
            token: Some(Secret::new(format!("token-of-{name}"))),
            ..reference::Account::new(&name, format!("password-of-{name}"))
        })
        .collect();
    let registration = reference::Registration::Closed;
    let options = reference::Options {
        accounts: accounts.clone(),
        registration,
        faults,
        ..reference::Options::default()
    };
    let (target, server) = built_in::start(options).await.unwrap();
    (target, server, accounts)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_accounts_will_do() {
    let (mut target, _server, accounts) = least().await;
    let account = |account: &reference::Account| AccountConfig {
        user: account.localpart.clone(),
        password: account.password.clone(),
    };
    target.users = Users::Accounts(accounts.iter().map(account).collect());
    let result = everything(target, OPTIONS).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    let others: Vec<&str> =
        result.scenarios.iter().filter(|s| s.outcome != Outcome::Passed).map(|s| s.id.as_str()).collect();
    let others: Vec<&str> = others.into_iter().filter(|id| !is_of_a_pair(id)).collect();
    assert_eq!(others, ["gating::does_not_fall_for_a_look_alike"], "{}", complaints(&result));
}

/// Two tokens of a user are two sessions: what needs no more is tested, and finds what is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn several_tokens_of_a_user_are_several_sessions() {
    let faults = [reference::Fault::UnionLastDeclared].into_iter().collect();
    let (mut target, _server, accounts) = least_on(faults).await;
    let client = capcheck::engine::client(&target).unwrap();
    let mut tokens = Vec::new();
    for account in &accounts {
        let body = serde_json::json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": account.localpart },
            "password": account.password.reveal(),
        });
        let login = client.send(Request::new("POST", "/_matrix/client/v3/login").json(&body)).await;
        let answer: serde_json::Value = serde_json::from_slice(&login.result.as_ref().unwrap().body).unwrap();
        tokens.push(Secret::new(answer["access_token"].as_str().unwrap()));
        tokens.push(account.token.clone().unwrap());
    }
    target.users = Users::Tokens(tokens);
    // What never comes is not waited for long.
    target.limits.settle = super::support::SETTLE;
    let result = everything(target, OPTIONS).await;
    assert_eq!(exit::code(&result), exit::NON_CONFORMANT, "{}", complaints(&result));
    assert!(with_outcome(&result, Outcome::Failed).contains(&"union.of-all"), "{}", complaints(&result));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ready_tokens_what_needs_a_login_does_not_apply() {
    let (mut target, _server, accounts) = least().await;
    target.users = Users::Tokens(accounts.iter().map(|account| account.token.clone().unwrap()).collect());
    let result = everything(target, OPTIONS).await;
    assert_eq!(exit::code(&result), exit::CONFORMANT, "{}", complaints(&result));
    for told in &result.scenarios {
        let scenario = scenarios::find(&told.id).unwrap();
        let reason = told.reason.as_deref().unwrap_or_default();
        let needs_more = [Feature::Login, Feature::Sessions].iter().any(|need| scenario.needs.contains(need));
        if is_of_a_pair(scenario.id) {
            assert_eq!(told.outcome, Outcome::NotApplicable, "{}: {reason}", told.id);
            continue;
        }
        match (needs_more, scenario.cast.look_alikes) {
            (true, _) => {
                assert_eq!(told.outcome, Outcome::NotApplicable, "{}: {reason}", told.id);
                assert!(reason.contains("access token"), "{}: {reason}", told.id);
            }
            (false, 0) => assert_eq!(told.outcome, Outcome::Passed, "{}: {reason}", told.id),
            (false, _) => assert_eq!(told.outcome, Outcome::NotApplicable, "{}: {reason}", told.id),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_too_few_is_told_with_the_number() {
    let (mut target, _server, accounts) = least().await;
    let one = AccountConfig { user: accounts[0].localpart.clone(), password: accounts[0].password.clone() };
    target.users = Users::Accounts(vec![one]);
    let only =
        vec!["presence::status_carries_the_hash".to_owned(), "union::of_one_client_is_its_set".to_owned()];
    let result = run_with(target, Selection { only, ..Selection::default() }, OPTIONS).await;
    assert_eq!(exit::code(&result), exit::INCOMPLETE);
    let told: Vec<_> =
        result.scenarios.iter().map(|s| (s.outcome, s.reason.as_deref().unwrap_or_default())).collect();
    assert_eq!(told[0], (Outcome::Passed, ""));
    assert_eq!(told[1].0, Outcome::Untestable);
    assert!(told[1].1.contains("needs 2 ordinary accounts, the target file gives 1"), "{}", told[1].1);
}
