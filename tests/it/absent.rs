//! Operations that are not there, on a target that says so with a web page: as a homeserver does, or a proxy
//! in front of it, outside the paths of Matrix.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use capcheck::engine::exit;
use capcheck::engine::result::{RunResult, Verdict};
use capcheck::outcome::Outcome;
use capcheck::reference::Options;
use capcheck::spec::binding::{Binding, Operation, Route};
use capcheck::spec::capability::CapabilitySet;
use capcheck::target::config::Target;

use crate::support::proxy::{Answer, Proxy, Turn};
use crate::support::{complaints, declared, run, serve, with_outcome};

/// Where the operations lie: below a path that no homeserver knows by itself.
const BELOW: &str = "/_capabilities";

fn below() -> Binding {
    let mut binding = Binding::default();
    for operation in Operation::CLIENT {
        let route = binding.route(operation).clone();
        let template = route.template.replace("/_matrix/client/unstable/org.matrix.capability_sets", BELOW);
        assert!(template.starts_with(BELOW), "{template}");
        binding.set_route(operation, Route { template, ..route });
    }
    binding
}

fn page() -> Answer {
    let page = "<html><head><title>404 - No Such Resource</title></head></html>";
    let answer = http::Response::builder().status(404).header("content-type", "text/html");
    answer.body(page.into()).unwrap()
}

/// A homeserver with some of the operations, in front of which whatever else is asked for is a web page.
async fn with(there: fn(&str) -> bool) -> (Proxy, Target) {
    let binding = below();
    let server = serve(Options { binding: binding.clone(), ..Options::default() }).await;
    let proxy = Proxy::before(server, move |request| {
        let path = request.uri().path();
        match path.starts_with("/_matrix/") || there(path) {
            true => Turn::Pass,
            false => Turn::Say(page()),
        }
    })
    .await;
    let target = Target { binding, ..declared(&proxy.url()) };
    (proxy, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_homeserver_without_any_has_not_failed() {
    let (_proxy, target) = with(|_| false).await;
    let result = run(target).await;
    let error = result.preflight_error.as_deref().unwrap();
    for operation in Operation::CLIENT {
        assert!(error.contains(operation.name()), "{error}");
    }
    assert!(
        error.contains("unsupported") && error.contains("module") && error.contains("[binding]"),
        "{error}"
    );
    assert_eq!(exit::code(&result), exit::PREFLIGHT);
}

/// Nothing is uploaded, and so nothing of what follows upon it is known.
fn without_upload(path: &str) -> bool {
    path.starts_with(BELOW) && !path.starts_with(&format!("{BELOW}/sets/"))
}

fn says(result: &RunResult, feature: &str, word: &str) {
    let info = result.target.features.iter().find(|info| info.name == feature).unwrap();
    assert!(info.note.as_deref().is_some_and(|note| note.contains(word)), "{info:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_without_some_is_incomplete_unless_it_says_so() {
    let (_proxy, target) = with(without_upload).await;
    let result = run(target.clone()).await;
    assert_eq!(with_outcome(&result, Outcome::Failed), [""; 0], "{}", complaints(&result));
    assert_eq!(exit::code(&result), exit::INCOMPLETE);
    assert!(with_outcome(&result, Outcome::Passed).contains(&"server.hash"), "{}", complaints(&result));
    for feature in ["upload", "parameters", "opaque_names", "every_hash"] {
        says(&result, feature, "upload is unsupported: PUT /_capabilities/sets/");
    }
    let result = run(Target { unsupported: [Operation::Upload].into(), ..target }).await;
    assert_eq!(result.verdict, Verdict::Conformant, "{}", complaints(&result));
    says(&result, "parameters", "the target file lists upload as unsupported");
}

/// Whose page for a set that nobody offers is that for what cannot exist, too.
fn without_unknown_sets(path: &str) -> bool {
    let Options { mut capabilities, grants, .. } = Options::default();
    let to_all = CapabilitySet::of(capabilities.clone());
    capabilities.extend(grants.into_iter().map(|grant| grant.capability));
    let offered = [to_all, CapabilitySet::of(capabilities)].map(|set| set.hash());
    let set = path.strip_prefix(&format!("{BELOW}/server/sets/"));
    set.map_or(path.starts_with(BELOW), |set| offered.iter().any(|hash| hash.as_str() == set))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_says_no_with_a_page_has_the_operation_and_fails() {
    let (_proxy, target) = with(without_unknown_sets).await;
    let result = run(target).await;
    let failed = with_outcome(&result, Outcome::Failed);
    assert!(failed.contains(&"server.unknown-hash"), "{}", complaints(&result));
    assert!(with_outcome(&result, Outcome::Passed).contains(&"server.set"), "{}", complaints(&result));
    assert_eq!(exit::code(&result), exit::NON_CONFORMANT);
}
