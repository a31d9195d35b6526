use std::time::Duration;

use url::Url;
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::wire::{ClientConfig, Secret, TlsTrust};

const MUST: &str = "server.hash";
const MAY: &str = "presence.own-sessions";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";

/// A homeserver that refuses a token everywhere but where it is told otherwise, and a ledger for a
/// scenario about it.
struct Bench {
    server: MockServer,
    client: Client,
    ledger: Ledger,
}

impl Bench {
    async fn new() -> Self {
        let server = MockServer::start().await;
        let config = ClientConfig {
            base: Url::parse(&server.uri()).unwrap(),
            tls: TlsTrust::System,
            in_flight: 1,
            timeout: Duration::from_secs(10),
            max_body: 1024,
            max_obeyed: Duration::ZERO,
        };
        let client = Client::new(config).unwrap();
        let ledger = Ledger::new(client.clone(), &[MUST, MAY]);
        Self { server, client, ledger }
    }

    async fn answers(&self, at: &str, status: u16, errcode: &str) {
        let body = serde_json::json!({ "errcode": errcode, "error": "no" });
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(path(at)).respond_with(answer).mount(&self.server).await;
    }

    /// The token is dead at one place; at `whoami` it is as alive as this.
    async fn refused(&self, whoami: u16, errcode: &str) -> Judgement {
        self.answers("/x", 401, "M_UNKNOWN_TOKEN").await;
        self.answers(WHOAMI, whoami, errcode).await;
        self.judged(Some("a-token")).await
    }

    /// A judgement that does not hold about an answer from `/x`.
    async fn judged(&self, token: Option<&str>) -> Judgement {
        let request = Request::new("GET", "/x");
        let request = token.iter().fold(request, |request, token| request.token(&Secret::new(*token)));
        Judgement::of(false, "a hash", "none", &self.client.send(request).await)
    }

    async fn asked_whoami(&self) -> bool {
        self.server.received_requests().await.unwrap().iter().any(|request| request.url.path() == WHOAMI)
    }

    /// What a must came to.
    fn must(&self) -> Option<Evaluated> {
        self.ledger.evaluated().get(MUST).copied()
    }
}

#[tokio::test]
async fn what_failed_once_stays_broken_and_every_failure_is_told() {
    let Bench { ledger, .. } = Bench::new().await;
    assert!(ledger.check(MUST, Judgement::bare(true)).await.unwrap());
    assert_eq!(ledger.evaluated(), BTreeMap::from([(MUST, Evaluated::Held)]));
    assert!(ledger.findings().is_empty());
    assert!(!ledger.check(MUST, Judgement::bare(false)).await.unwrap());
    assert!(!ledger.check(MUST, Judgement::bare(false)).await.unwrap());
    assert!(ledger.check(MUST, Judgement::bare(true)).await.unwrap());
    assert_eq!(ledger.evaluated(), BTreeMap::from([(MUST, Evaluated::Broken)]));
    let told: Vec<_> =
        ledger.findings().into_iter().map(|f| (f.requirement, f.expected, f.actual, f.exchange)).collect();
    let finding = (MUST.to_owned(), "a hash".to_owned(), "none".to_owned(), None);
    assert_eq!(told, [finding.clone(), finding]);
    assert_eq!(ledger.checks(), 4);
}

#[tokio::test]
async fn optional_behaviour_that_is_absent_is_no_finding_whatever_became_of_the_token() {
    let bench = Bench::new().await;
    let judgement = bench.refused(401, "M_UNKNOWN_TOKEN").await;
    assert!(!bench.ledger.check(MAY, judgement).await.unwrap());
    assert!(bench.ledger.check(MAY, Judgement::bare(true)).await.unwrap());
    assert_eq!(bench.ledger.evaluated(), BTreeMap::from([(MAY, Evaluated::DoneWithout)]));
    assert!(bench.ledger.findings().is_empty());
    assert!(!bench.asked_whoami().await);
}

#[tokio::test]
async fn a_scenario_checks_what_it_says_it_covers_and_what_exists() {
    let Bench { client, ledger, .. } = Bench::new().await;
    let fault = |stop| match stop {
        Err(Stop::HarnessFault { reason }) => reason,
        other => panic!("{other:?}"),
    };
    let strayed = fault(ledger.check("server.set", Judgement::bare(true)).await);
    assert_eq!(strayed, "the scenario checks server.set, which it does not say it covers");
    assert!(ledger.evaluated().is_empty() && ledger.checks() == 0);
    let ledger = Ledger::new(client, &["server.unheard-of"]);
    let unknown = fault(ledger.check("server.unheard-of", Judgement::bare(true)).await);
    assert_eq!(unknown, "there is no requirement server.unheard-of");
}

#[tokio::test]
async fn a_token_that_died_by_itself_is_not_laid_at_the_targets_door() {
    for errcode in ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"] {
        let bench = Bench::new().await;
        let judgement = bench.refused(401, errcode).await;
        let stop = bench.ledger.check(MUST, judgement).await.unwrap_err();
        let Stop::Untestable { reason, exchange } = stop else { panic!("{stop:?}") };
        assert_eq!(reason, "the session ended by itself during the scenario");
        assert!(exchange.unwrap().recorded.url.ends_with("/x"), "the refusal is what is shown");
        assert_eq!(bench.must(), None);
    }
}

#[tokio::test]
async fn a_live_token_that_is_refused_is_a_failure() {
    for (whoami, errcode) in [(200, ""), (403, "M_UNKNOWN_TOKEN"), (401, "M_FORBIDDEN"), (500, "M_UNKNOWN")] {
        let bench = Bench::new().await;
        let judgement = bench.refused(whoami, errcode).await;
        assert!(!bench.ledger.check(MUST, judgement).await.unwrap(), "{whoami} {errcode}");
        assert_eq!(bench.must(), Some(Evaluated::Broken));
        assert!(bench.asked_whoami().await);
        let finding = bench.ledger.findings().remove(0);
        assert_eq!(finding.exchange.unwrap().status, Some(401));
    }
}

#[tokio::test]
async fn the_session_is_asked_about_with_its_own_token() {
    let bench = Bench::new().await;
    let answer = ResponseTemplate::new(200);
    let alive = Mock::given(path(WHOAMI)).and(header("authorization", "Bearer a-token"));
    alive.respond_with(answer).with_priority(1).mount(&bench.server).await;
    let judgement = bench.refused(401, "M_UNKNOWN_TOKEN").await;
    assert!(!bench.ledger.check(MUST, judgement).await.unwrap());
}

#[tokio::test]
async fn where_the_session_is_what_is_judged_its_end_is_a_failure() {
    let bench = Bench::new().await;
    let judgement = bench.refused(401, "M_UNKNOWN_TOKEN").await.and_the_session_lives();
    assert!(!bench.ledger.check(MUST, judgement).await.unwrap());
    assert_eq!(bench.must(), Some(Evaluated::Broken));
    assert!(!bench.asked_whoami().await);
}

#[tokio::test]
async fn other_refusals_and_requests_without_a_token_are_failures_as_they_stand() {
    let other = Bench::new().await;
    other.answers("/x", 403, "M_FORBIDDEN").await;
    let judgement = other.judged(Some("a-token")).await;
    let nameless = Bench::new().await;
    let unsigned = {
        nameless.answers("/x", 401, "M_UNKNOWN_TOKEN").await;
        nameless.judged(None).await
    };
    for (bench, judgement) in [(other, judgement), (nameless, unsigned)] {
        bench.answers(WHOAMI, 401, "M_UNKNOWN_TOKEN").await;
        assert!(!bench.ledger.check(MUST, judgement).await.unwrap());
        assert!(!bench.asked_whoami().await);
    }
}

#[tokio::test]
async fn findings_hold_no_secret() {
    let bench = Bench::new().await;
    bench.client.transcript().conceal(&Secret::new("syt_secret"));
    let judgement = Judgement {
        expected: "not syt_secret".to_owned(),
        actual: "it is syt_secret".to_owned(),
        ..Judgement::bare(false)
    };
    bench.ledger.check(MUST, judgement).await.unwrap();
    let finding = bench.ledger.findings().remove(0);
    for text in [&finding.expected, &finding.actual] {
        assert!(!text.contains("syt_secret"), "{text}");
    }
}
