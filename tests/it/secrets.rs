//! Secrets are nowhere in what is said, on a target that sends back what it was sent.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use capcheck::reference;
use capcheck::wire::Secret;
use serde_json::{Value, json};

use super::cli::output;
use super::support::proxy::{self, Proxy, Turn, is_capability};
use super::support::serve;

/// The text of every report and of the terminal.
fn everything_said(url_or_file: &[&str], directory: &Path) -> String {
    let (json, junit) = (directory.join("a.json"), directory.join("a.xml"));
    let reports = [format!("json={}", json.display()), format!("junit={}", junit.display())];
    let words =
        ["run", "--verbose", "--transcripts", "all", "--report", &reports[0], "--report", &reports[1]];
    let output = output(&[&words[..], url_or_file].concat());
    let texts = [output.stdout, output.stderr, fs::read(json).unwrap(), fs::read(junit).unwrap()];
    texts.map(|text| String::from_utf8(text).unwrap()).join("\n")
}

/// A proxy in front of the built-in homeserver with some accounts, which sends the secrets of a
/// request back in its answer: in a header, in the words of an error, and under a key of its own.
async fn a_gossip(met: Arc<Mutex<BTreeSet<String>>>) -> Proxy {
    let person = |name: &str| reference::Account {
        token: Some(Secret::new(format!("ready-token-of-{name}"))),
        ..reference::Account::new(name, format!("password-of-{name}"))
    };
    let accounts = PEOPLE.map(person).to_vec();
    let behind = serve(reference::Options { accounts, ..reference::Options::default() }).await;
    let heard = met.clone();
    Proxy::before(behind, move |request| {
        let secrets = secrets_in(request);
        heard.lock().unwrap().extend(secrets.iter().cloned());
        match is_capability(request) && request.uri().path().contains("/server/users/") {
            true => {
                let answer = json!({ "errcode": "M_UNKNOWN", "error": secrets, "token": secrets.first() });
                let mut answer = proxy::json(418, &answer);
                answer.headers_mut().insert("x-echo", request.headers()["authorization"].clone());
                Turn::Say(answer)
            }
            false => Turn::Pass,
        }
    })
    .await
}

/// The users of the secrets' tests.
const PEOPLE: [&str; 4] = ["anna", "bert", "cleo", "dora"];

/// The access token and the passwords that a request carries.
fn secrets_in(request: &http::Request<bytes::Bytes>) -> Vec<String> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let passwords = [&body["password"], &body["auth"]["password"]];
    token.into_iter().chain(passwords.into_iter().filter_map(Value::as_str).map(str::to_owned)).collect()
}

/// Whether a target repeats them or not, secrets are nowhere in what is said.
async fn keeps_secrets(target_file: impl FnOnce(&str) -> String) {
    let met = Arc::new(Mutex::new(BTreeSet::new()));
    let gossip = a_gossip(met.clone()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("capcheck.toml");
    fs::write(&file, target_file(&gossip.url())).unwrap();
    let said = tokio::task::spawn_blocking(move || {
        everything_said(
            &[
                "--target",
                file.to_str().unwrap(),
                "--only",
                "server.*",
                "--only",
                "union.leave",
                "--only",
                "auth.*",
            ],
            directory.path(),
        )
    })
    .await
    .unwrap();
    assert!(said.contains("418") && said.contains("<redacted>") && said.contains("x-echo"), "{said}");
    let met = met.lock().unwrap();
    assert!(met.len() > 3, "nothing secret was sent: {met:?}");
    let told: Vec<&String> = met.iter().filter(|secret| said.contains(secret.as_str())).collect();
    assert_eq!(told, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_registered_user_is_ever_said() {
    keeps_secrets(|url| format!("url = \"{url}\"\n")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_of_the_target_file_is_ever_said() {
    keeps_secrets(|url| {
        let accounts =
            PEOPLE.map(|name| format!("{{ user = \"{name}\", password = \"password-of-{name}\" }}"));
        format!("url = \"{url}\"\n[users]\nhow = \"accounts\"\naccounts = [{}]\n", accounts.join(", "))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_of_the_target_file_is_ever_said() {
    keeps_secrets(|url| {
        let tokens = PEOPLE.map(|name| format!("\"ready-token-of-{name}\""));
        format!("url = \"{url}\"\n[users]\nhow = \"tokens\"\ntokens = [{}]\n", tokens.join(", "))
    })
    .await;
}
