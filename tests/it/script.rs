//! The scripts that failures are saved as: 0 on a homeserver that conforms, 1 on one that has the fault.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::process::{Command, Output};
use std::str::FromStr;

use capcheck::properties::failure::{Confirmed, Failure, SCHEMA_VERSION};
use capcheck::properties::script::script;
use capcheck::reference::{Fault, FaultSet, Options};
use capcheck::spec::binding::Binding;
use capcheck::spec::capability::CapabilitySet;
use capcheck::spec::history::{Act, Availability, History, Seat, Spoil, Step, Which, Whom};
use futures_util::StreamExt;
use futures_util::stream;

use super::support::serve;

const ALICE: Seat = Seat { user: 0, device: 0 };
const LAPTOP: Seat = Seat { user: 0, device: 1 };
const BOB: Seat = Seat { user: 1, device: 0 };
const OF_ALICE: Whom = Whom::User(0);

/// What a history breaks on a homeserver with a fault.
struct Case {
    name: &'static str,
    requirement: &'static str,
    fault: &'static str,
    acts: Vec<Act>,
}

pub(crate) fn failure(requirement: &str, acts: Vec<Act>) -> Failure {
    let sets = [
        r#"{"m.cap.voip.v1":{},"m.cap.webrtc.v1":{}}"#,
        r#"{"m.cap.stickers.v1":{},"m.cap.voip.v1":{}}"#,
        r#"{"it's \\ \"$nonce\" `x`\n":{"m":["é","ﬃ😂",-9007199254740991,null,{"b":{},"a":true}]}}"#,
        "{}",
    ];
    Failure {
        schema_version: SCHEMA_VERSION,
        suite_version: "0.0.0".to_owned(),
        property: "properties::histories".to_owned(),
        seed: 1,
        case: 0,
        requirement: requirement.to_owned(),
        expected: "one thing".to_owned(),
        actual: "another".to_owned(),
        url: None,
        settle_s: 1.0,
        found_with: acts.len(),
        shrunk_in: 0,
        confirmed: Confirmed { tried: 2, failed: 2 },
        history: History {
            sets: sets.iter().map(|set| CapabilitySet::parse(set.as_bytes()).unwrap()).collect(),
            steps: acts.into_iter().map(Step::One).collect(),
        },
        trace: Vec::new(),
    }
}

fn publish(by: Seat, set: usize) -> [Act; 2] {
    [Act::Upload { by, set }, Act::Declare { by, set }]
}

fn read(by: Seat) -> Act {
    Act::ReadStatus { by, of: OF_ALICE }
}

fn resolve(by: Seat, what: Which) -> Act {
    Act::Resolve { by, of: OF_ALICE, what }
}

/// Alice has a laptop besides, and Bob shares a room with her.
fn everybody() -> Vec<Act> {
    vec![
        Act::SignUp { user: 0 },
        Act::SignUp { user: 1 },
        Act::LogIn { user: 0, device: 1 },
        Act::Share { host: ALICE, guest: BOB },
    ]
}

fn case(name: &'static str, requirement: &'static str, fault: &'static str, acts: &[&[Act]]) -> Case {
    let acts = everybody().into_iter().chain(acts.iter().flat_map(|acts| acts.to_vec())).collect();
    Case { name, requirement, fault, acts }
}

fn cases() -> Vec<Case> {
    let sync = Act::Sync { by: BOB, of: OF_ALICE };
    let in_force = Which::InForce;
    vec![
        case(
            "logout",
            "union.leave",
            "logout-keeps-set",
            &[&publish(ALICE, 0), &publish(LAPTOP, 1), &[Act::LogOut { by: LAPTOP }, read(BOB)]],
        ),
        case(
            "logout-everywhere",
            "presence.last-leaves",
            "logout-all-keeps-sets",
            &[&publish(ALICE, 0), &[read(BOB), Act::LogOutEverywhere { by: LAPTOP }, read(BOB)]],
        ),
        case(
            "deletion",
            "union.leave",
            "deletion-keeps-set",
            &[&publish(LAPTOP, 0), &[Act::DeleteDevice { by: ALICE, device: 1 }, read(ALICE)]],
        ),
        case(
            "relogin",
            "union.relogin",
            "relogin-inherits",
            &[&publish(LAPTOP, 0), &[Act::LogIn { user: 0, device: 1 }, read(ALICE)]],
        ),
        case(
            "redeclare",
            "union.redeclare-replaces",
            "redeclare-merges",
            &[
                &publish(ALICE, 0),
                std::slice::from_ref(&sync),
                &publish(ALICE, 1),
                std::slice::from_ref(&sync),
            ],
        ),
        case(
            "union",
            "union.of-all",
            "union-last-declared",
            &[&publish(ALICE, 0), &publish(LAPTOP, 1), &[read(BOB)]],
        ),
        case(
            "union-resolves",
            "union.resolvable",
            "union-unresolvable",
            &[&publish(ALICE, 0), &publish(LAPTOP, 2), &[resolve(BOB, in_force)]],
        ),
        // The hash of `{}` is a hash like any other.
        case(
            "stranger",
            "presence.strangers",
            "strangers-status",
            &[&[Act::SignUp { user: 2 }], &publish(ALICE, 3), &[read(Seat { user: 2, device: 0 })]],
        ),
        case("empty", "union.empty-set", "empty-set-ignored", &[&publish(ALICE, 3), &[read(BOB)]]),
        case(
            "odd-names",
            "hash.sha256-canonical-json",
            "hash-escapes-non-ascii",
            &[&[Act::Upload { by: ALICE, set: 2 }]],
        ),
        case(
            "own-set",
            "resolve.hash-and-user",
            "resolve-own-only",
            &[&publish(ALICE, 2), &[resolve(BOB, in_force)]],
        ),
        case(
            "nobody-has-it",
            "resolve.unknown",
            "resolve-unknown-empty",
            &[&[resolve(ALICE, Which::Unknown)]],
        ),
        case(
            "superseded",
            "resolve.superseded",
            "resolve-current-only",
            &[&publish(ALICE, 0), &publish(ALICE, 1), &[resolve(BOB, Which::Superseded)]],
        ),
        case(
            "unknown",
            "upload.refuse-unknown",
            "declare-anything",
            &[&[Act::Declare { by: ALICE, set: 0 }]],
        ),
        case(
            "mismatch",
            "upload.mismatch-refused",
            "upload-unchecked",
            &[&[Act::UploadUnder { by: ALICE, claim: 0, body: 1 }]],
        ),
        case(
            "spoiled-brace",
            "upload.bad-input",
            "upload-ignores-trailing-bytes",
            &[&[Act::UploadSpoiled { by: ALICE, set: 2, how: Spoil::Brace }]],
        ),
        case(
            "dead-token",
            "auth.dead-token",
            "auth-dead-token-lives",
            &[&[Act::LogOut { by: LAPTOP }, Act::UseDeadToken { by: LAPTOP }]],
        ),
        case(
            "status",
            "presence.survives-status",
            "presence-writable",
            &[
                &publish(ALICE, 0),
                &[Act::SetStatus { by: ALICE, presence: Availability::Online, forged: Some(1) }, read(BOB)],
            ],
        ),
        case("server-set", "server.set", "server-set-annotated", &[&[Act::AskServer { by: ALICE }]]),
        case(
            "strangers",
            "presence.strangers",
            "strangers-status",
            &[&publish(ALICE, 0), &[Act::Leave { by: BOB, with: OF_ALICE }, read(BOB)]],
        ),
        // {} may be known or not, and adds nothing.
        case(
            "empty",
            "union.empty-set",
            "empty-set-ignored",
            &[&[Act::Declare { by: LAPTOP, set: 3 }], &publish(ALICE, 0), &publish(ALICE, 3), &[read(BOB)]],
        ),
    ]
}

/// Runs a script of a failure against a homeserver with these faults.
pub(crate) async fn run_on(failure: &Failure, faults: &[&str]) -> Output {
    let faults: FaultSet = faults.iter().map(|id| Fault::from_str(id).unwrap()).collect();
    let server = serve(Options { faults, ..Options::default() }).await;
    let text = script(failure, &Binding::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("FAILURE.sh");
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new("sh");
    command.arg(&path).arg(server.url());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    server.stop().await;
    output
}

fn told(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{:?}\n{out}{err}", output.status.code())
}

/// What a case has against the homeservers.
async fn tried(Case { name, requirement, fault, acts }: Case) -> Vec<String> {
    let failure = failure(requirement, acts);
    let mut wrong = Vec::new();
    let good = run_on(&failure, &[]).await;
    if good.status.code() != Some(0) || !good.stderr.is_empty() {
        wrong.push(format!("{name} on a good one: {}", told(&good)));
    }
    let faulty = run_on(&failure, &[fault]).await;
    let says = told(&faulty);
    if faulty.status.code() != Some(1) || !says.contains(&format!(": {requirement}\n")) {
        wrong.push(format!("{name} with {fault}: {says}"));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_tells_a_good_homeserver_from_a_faulty_one() {
    let wrong: Vec<Vec<String>> = stream::iter(cases()).map(tried).buffer_unordered(4).collect().await;
    assert!(wrong.concat().is_empty(), "{}", wrong.concat().join("\n"));
}
