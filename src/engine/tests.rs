use wiremock::MockServer;

use super::*;
use crate::spec::binding::Operation;
use crate::spec::requirement::{Basis, Level};
use crate::target::features::{Feature, Features};
use crate::wire;

use prepare::fit_as_second;

fn rule(level: Level, outcome: Outcome) -> RequirementResult {
    RequirementResult {
        id: String::new(),
        level,
        basis: Basis::Draft,
        gating: level == Level::Must,
        outcome,
        reason: None,
        scenarios: Vec::new(),
    }
}

#[tokio::test]
async fn counts_are_of_all_that_was_asked_and_the_verdict_of_what_gates() {
    let server = MockServer::start().await;
    let client = client(&Target::from_url(&server.uri()).unwrap()).unwrap();
    for _ in 0..6 {
        client.send(wire::Request::new("GET", "/")).await;
    }
    let rules = [rule(Level::Must, Outcome::Passed), rule(Level::Should, Outcome::Failed)];
    let counts = count(&client, Duration::from_secs(2), &rules, &[]);
    assert_eq!(counts.gating, verdict::tally([Outcome::Passed]));
    assert_eq!(counts.requirements, verdict::tally([Outcome::Passed, Outcome::Failed]));
    assert_eq!(counts.scenarios.total, 0);
    assert_eq!((counts.requests, counts.requests_per_second, counts.rate_limited), (6, 3, 0));
    assert_eq!(count(&client, Duration::ZERO, &rules, &[]).requests_per_second, 6_000_000);
}

#[test]
fn what_a_target_lacks_is_told_with_the_reason() {
    let told = |standing| {
        let FeatureInfo { name, available, note } = info("gating", &standing);
        assert_eq!(name, "gating");
        (available, note)
    };
    assert_eq!(told(Standing::Available), (true, None));
    assert_eq!(told(Standing::NotApplicable("no".to_owned())), (false, Some("no".to_owned())));
    assert_eq!(told(Standing::Broken("500".to_owned())), (false, Some("500".to_owned())));
}

/// Between two homeservers a scenario needs of the second what any client does, and presence.
#[test]
fn a_second_homeserver_has_to_offer_what_clients_and_presence_need() {
    let needed = Operation::CLIENT.map(Feature::Operation).into_iter().chain([Feature::Presence]);
    let mut features = Features::default();
    for need in needed.clone() {
        features.set(need, Standing::Available);
    }
    assert_eq!(fit_as_second(&features), Standing::Available);
    for need in needed {
        for (lacks, told) in [
            (
                Standing::NotApplicable("no".to_owned()),
                Standing::NotApplicable(format!("second: {need}: no")),
            ),
            (Standing::Broken("500".to_owned()), Standing::Broken(format!("second: {need}: 500"))),
        ] {
            let mut features = features.clone();
            features.set(need, lacks);
            assert_eq!(fit_as_second(&features), told);
        }
    }
}
