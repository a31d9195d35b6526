//! The target file: what every key does, and what every mistake is told.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use capcheck::spec::binding::{Operation, Route};
use capcheck::target::config::{AccountConfig, Cleanup, Entitled, Gating, Target, Users};
use capcheck::target::file::{self, TargetFileError};
use capcheck::target::keys::{ACCOUNT, KEYS};
use capcheck::target::template;
use capcheck::wire::authority::Authority;
use capcheck::wire::{Secret, TlsTrust};

/// The line that every file needs; mistakes are looked for from line 2 on.
const URL: &str = "url = \"http://127.0.0.1:8008\"\n";

fn env(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("swordfish\n".to_owned()),
        "TOKENS" => Some("one, two\nthree,".to_owned()),
        "EMPTY" => Some(String::new()),
        "COMMAS" => Some(" , ,".to_owned()),
        _ => None,
    }
}

fn parse_in(dir: &Path, rest: &str) -> Result<Target, TargetFileError> {
    file::parse(&format!("{URL}{rest}"), dir, "capcheck.toml", &env)
}

fn parse(rest: &str) -> Target {
    parse_in(Path::new(""), rest).unwrap_or_else(|error| panic!("{rest}: {error}"))
}

fn mistake(text: &str) -> String {
    match file::parse(text, Path::new("/nowhere"), "capcheck.toml", &env) {
        Ok(_) => panic!("no mistake is seen in: {text}"),
        Err(error) => error.to_string(),
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What a key does, seen on the target.
type Effect = fn(&Target) -> bool;

#[rustfmt::skip]
const EFFECTS: &[(&str, &str, &str, Effect)] = &[
    ("", "server_name", "server_name = 'localhost:8448'", |t| t.server_name.as_deref() == Some("localhost:8448")),
    ("", "unsupported", "unsupported = ['server_set', 'fed_resolve']", |t| t.unsupported == BTreeSet::from([Operation::ServerSet, Operation::FedResolve])),
    ("", "room_version", "room_version = '10'", |t| t.room_version.as_deref() == Some("10")),
    ("", "dialect", "dialect = 'union'", |t| *t == Target::from_url("http://127.0.0.1:8008").unwrap()),
    ("", "cleanup", "cleanup = 'deactivate'", |t| t.cleanup == Cleanup::Deactivate),
    ("", "cleanup", "cleanup = 'none'", |t| t.cleanup == Cleanup::None),
    ("", "cleanup", "cleanup = 'logout'", |t| t.cleanup == Cleanup::Logout),
    ("users", "how", "[users]\nhow = 'register'", |t| t.users == Users::Register { token: None }),
    ("users", "registration_token", "[users]\nregistration_token = 't'", |t| t.users == Users::Register { token: Some(Secret::new("t")) }),
    ("users", "registration_token_env", "[users]\nregistration_token_env = 'SECRET'", |t| t.users == Users::Register { token: Some(Secret::new("swordfish")) }),
    ("users", "shared_secret", "[users]\nhow = 'shared-secret'\nshared_secret = 's'", |t| t.users == Users::SharedSecret { secret: Secret::new("s") }),
    ("users", "shared_secret_env", "[users]\nhow = 'shared-secret'\nshared_secret_env = 'SECRET'", |t| t.users == Users::SharedSecret { secret: Secret::new("swordfish") }),
    ("users", "accounts", "[users]\nhow = 'accounts'\n[[users.accounts]]\nuser = 'alice'\npassword = 'p'\n[[users.accounts]]\nuser = '@bob:x'\npassword = 'q'", |t| t.users == Users::Accounts(vec![
        AccountConfig { user: "alice".to_owned(), password: Secret::new("p") },
        AccountConfig { user: "@bob:x".to_owned(), password: Secret::new("q") },
    ])),
    (ACCOUNT, "user", "[users]\nhow = 'accounts'\naccounts = [{ user = 'eve', password = 'p' }]", |t| matches!(&t.users, Users::Accounts(list) if list[0].user == "eve")),
    (ACCOUNT, "password", "[users]\nhow = 'accounts'\naccounts = [{ user = 'eve', password = 'p' }]", |t| matches!(&t.users, Users::Accounts(list) if list[0].password.reveal() == "p")),
    (ACCOUNT, "password_env", "[users]\nhow = 'accounts'\naccounts = [{ user = 'eve', password_env = 'SECRET' }]", |t| matches!(&t.users, Users::Accounts(list) if list[0].password.reveal() == "swordfish")),
    ("users", "tokens", "[users]\nhow = 'tokens'\ntokens = ['a', 'b']", |t| t.users == Users::Tokens(vec![Secret::new("a"), Secret::new("b")])),
    ("users", "tokens_env", "[users]\nhow = 'tokens'\ntokens_env = 'TOKENS'", |t| t.users == Users::Tokens(["one", "two", "three"].map(Secret::new).into())),
    ("gating", "capability", "[gating]\ncapability = 'm.cap.x.v1'\nentitled_prefix = 'granted-'", |t| t.gating.as_ref().unwrap().capability == "m.cap.x.v1"),
    ("gating", "entitled_prefix", "[gating]\ncapability = 'c'\nentitled_prefix = 'granted-'", |t| t.gating == Some(Gating { capability: "c".to_owned(), entitled: Entitled::Prefix("granted-".to_owned()) })),
    ("gating", "entitled", "[users]\nhow = 'tokens'\ntokens = ['a']\n[gating]\ncapability = 'c'\nentitled = ['@bob:localhost:8448']", |t| t.gating == Some(Gating { capability: "c".to_owned(), entitled: Entitled::Named(vec!["@bob:localhost:8448".to_owned()]) })),
    ("tls", "verify", "[tls]\nverify = false", |t| t.tls == TlsTrust::Anything),
    ("tls", "verify", "[tls]\nverify = true", |t| t.tls == TlsTrust::System),
    ("limits", "in_flight", "[limits]\nin_flight = 7", |t| t.limits.in_flight == 7),
    ("limits", "request_timeout_s", "[limits]\nrequest_timeout_s = 2.5", |t| t.limits.request_timeout == Duration::from_millis(2500)),
    ("limits", "scenario_timeout_s", "[limits]\nscenario_timeout_s = 7", |t| t.limits.scenario_timeout == seconds(7)),
    ("limits", "settle_s", "[limits]\nsettle_s = 0.001", |t| t.limits.settle == Duration::from_millis(1)),
    ("limits", "max_set_bytes", "[limits]\nmax_set_bytes = 65_536", |t| t.limits.max_set_bytes == Some(65_536)),
    ("limits", "max_answer_bytes", "[limits]\nmax_answer_bytes = 0x1_0000", |t| t.limits.max_body == 65_536),
    ("limits", "rate_limit_cap_s", "[limits]\nrate_limit_cap_s = 0", |t| t.limits.rate_limit_cap == Duration::ZERO),
    ("limits", "connected_timeout_s", "[limits]\nconnected_timeout_s = 300", |t| t.limits.connected_timeout == Some(seconds(300))),
    ("limits", "remote_timeout_s", "limits.remote_timeout_s = 7", |t| t.limits.remote_timeout == seconds(7)),
    ("limits", "negative_cache_s", "limits = { negative_cache_s = 7 }", |t| t.limits.negative_cache == seconds(7)),
    ("binding", "presence_event", "[binding]\npresence_event = 'x'", |t| t.binding.presence.event == "x"),
    ("binding", "presence_field", "[binding]\npresence_field = 'x'", |t| t.binding.presence.field == "x"),
    ("binding", "presence_sync_path", "[binding]\npresence_sync_path = 'x.y'", |t| t.binding.presence.sync_path == "x.y"),
    ("binding", "presence_status", "[binding]\npresence_status = 'GET /x/{user_id}'", |t| t.binding.presence.status.to_string() == "GET /x/{user_id}"),
    ("binding", "presence_edu", "[binding]\npresence_edu = 'x'", |t| t.binding.presence.edu == "x"),
    ("binding", "refusal_status", "[binding]\nrefusal_status = 409", |t| t.binding.refusal.status == 409),
    ("binding", "refusal_errcode", "[binding]\nrefusal_errcode = 'M_X'", |t| t.binding.refusal.errcode == "M_X"),
    ("binding", "unstable_feature", "[binding]\nunstable_feature = 'x'", |t| t.binding.unstable_feature == "x"),
];

#[test]
fn every_key_has_its_effect() {
    for (_, _, text, effect) in EFFECTS {
        assert!(effect(&parse(text)), "{text}");
    }
    let others = ["url", "ca"].into_iter().chain(Operation::ALL.map(Operation::name));
    let seen: BTreeSet<&str> = EFFECTS.iter().map(|(_, name, ..)| *name).chain(others).collect();
    let all: BTreeSet<&str> = KEYS.iter().filter(|k| k.section != "federation").map(|k| k.name).collect();
    assert_eq!(seen, all, "every key of the table is tried, here, below or in target_federation");
    for (section, name, ..) in EFFECTS {
        assert!(KEYS.iter().any(|key| (key.section, key.name) == (*section, *name)), "{section} {name}");
    }
}

#[test]
fn every_route_can_be_replaced_and_no_other_moves() {
    for operation in Operation::ALL {
        let path: String = operation.variables().iter().map(|name| format!("/{{{name}}}")).collect();
        let target = parse(&format!("[binding]\n{operation} = 'POST /x{path}'"));
        for other in Operation::ALL {
            let expected = match other == operation {
                true => Route { method: "POST".to_owned(), template: format!("/x{path}") },
                false => Target::from_url("http://x").unwrap().binding.route(other).clone(),
            };
            assert_eq!(*target.binding.route(other), expected, "{other} with another {operation}");
        }
    }
}

#[test]
fn a_url_alone_is_the_target_with_every_default() {
    assert_eq!(parse(""), Target::from_url("http://127.0.0.1:8008").unwrap());
    assert_eq!(parse("").url.as_str(), "http://127.0.0.1:8008/");
}

#[test]
fn a_ca_file_is_found_beside_the_target_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.pem"), CA).unwrap();
    let path = dir.path().join("capcheck.toml");
    std::fs::write(&path, format!("{URL}[tls]\nca = 'ca.pem'")).unwrap();
    assert_eq!(file::load(&path).unwrap().tls, TlsTrust::ExtraCa(dir.path().join("ca.pem")));

    for (content, reason) in [
        ("not PEM", "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "invalid peer certificate: BadEncoding",
        ),
    ] {
        std::fs::write(dir.path().join("ca.pem"), content).unwrap();
        let expected = format!(
            "{}:3:1: ca: cannot use {}: {reason}",
            path.display(),
            dir.path().join("ca.pem").display()
        );
        assert_eq!(file::load(&path).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_file_that_is_not_there() {
    let error = file::load(Path::new("/nowhere/capcheck.toml")).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot read the target file /nowhere/capcheck.toml: No such file or directory (os error 2)"
    );
}

/// What stands after the URL, and what is told without `capcheck.toml:`.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str)] = &[
    // Keys and sections
    ("[limits]\n  setle_s = 5", "3:3: unknown key \"setle_s\" in [limits]: did you mean \"settle_s\"?"),
    ("settle_s = 5", "2:1: unknown key \"settle_s\" at the top: did you mean settle_s in [limits]?"),
    ("setle_s = 5", "2:1: unknown key \"setle_s\" at the top: did you mean settle_s in [limits]?"),
    ("sever_name = 'x'", "2:1: unknown key \"sever_name\" at the top: did you mean \"server_name\"?"),
    ("[tls]\nwhatever = 1", "3:1: unknown key \"whatever\" in [tls]: there are ca, verify"),
    ("[limit]\nsettle_s = 5", "2:2: unknown section [limit]: did you mean [limits]?"),
    ("[qwertz]", "2:2: unknown section [qwertz]: there are [users], [gating], [tls], [limits], [federation], [binding]"),
    ("limits = 5", "2:10: limits is a section: write [limits], found an integer"),
    ("[users]\nhow = 'accounts'\naccounts = [{ usr = 'a', password = 'p' }]", "4:15: unknown key \"usr\" of an account: did you mean \"user\"?"),
    ("[limits]\nsettle_s = 5\nsettle_s = 6", "4:1: duplicate key"),
    ("[limits\n", "2:8: unclosed table, expected `]`"),
    // Types and bounds
    ("[limits]\nsettle_s = '5s'", "3:12: settle_s in [limits] must be a number of seconds from 0.001 to 600, found the string \"5s\""),
    ("[limits]\nsettle_s = 0", "3:12: settle_s in [limits] must be a number of seconds from 0.001 to 600, found 0"),
    ("[limits]\nsettle_s = -1", "3:12: settle_s in [limits] must be a number of seconds from 0.001 to 600, found -1"),
    ("[limits]\nsettle_s = nan", "3:12: settle_s in [limits] must be a number of seconds from 0.001 to 600, found nan"),
    ("[limits]\nsettle_s = 1e9", "3:12: settle_s in [limits] must be a number of seconds from 0.001 to 600, found 1e9"),
    ("[limits]\nin_flight = 0", "3:13: in_flight in [limits] must be a whole number from 1 to 1024, found 0"),
    ("[limits]\nin_flight = 2.5", "3:13: in_flight in [limits] must be a whole number from 1 to 1024, found 2.5"),
    ("[tls]\nverify = 'no'", "3:10: verify in [tls] must be true or false, found the string \"no\""),
    ("server_name = 'no name'", "2:15: server_name must be a server name such as \"example.org\", found the string \"no name\""),
    ("server_name = ''", "2:15: server_name must be a server name such as \"example.org\", found an empty string"),
    ("room_version = 10", "2:16: room_version must be a string, found 10"),
    ("room_version = 1979-05-27", "2:16: room_version must be a string, found a datetime"),
    ("[binding]\nrefusal_status = 401", "3:18: refusal_status in [binding] must be a status from 400 to 499 other than 401, 405 and 429, found 401"),
    ("[binding]\nrefusal_status = 500", "3:18: refusal_status in [binding] must be a status from 400 to 499 other than 401, 405 and 429, found 500"),
    ("[binding]\nrefusal_errcode = 'M_UNRECOGNIZED'", "3:19: refusal_errcode in [binding] must be a Matrix error code that means nothing else, such as \"M_NOT_FOUND\", found the string \"M_UNRECOGNIZED\""),
    ("[binding]\npresence_sync_path = 'a..b'", "3:22: presence_sync_path in [binding] must be JSON keys joined by dots, found the string \"a..b\""),
    ("[binding]\nresolve = '/x/{user_id}/{hash}'", "3:11: resolve in [binding]: expected a method and a path such as \"GET /_matrix/...\", found \"/x/{user_id}/{hash}\""),
    ("[binding]\nresolve = 'FETCH /x/{user_id}/{hash}'", "3:11: resolve in [binding]: expected one of GET, PUT, POST, DELETE, PATCH as the method, found \"FETCH\""),
    ("[binding]\nresolve = 'GET /x/{user_id}'", "3:11: resolve in [binding]: the path must hold {hash}"),
    ("[binding]\nresolve = 'GET /x/{user_id}/{hash}/{room}'", "3:11: resolve in [binding]: the path holds {room}, which this operation does not have; it has user_id, hash"),
    ("[binding]\nresolve = 5", "3:11: resolve in [binding] must be a method and a path that holds {user_id} and {hash}, found 5"),
    // Words
    ("[users]\nhow = 'registr'", "3:7: how in [users]: unknown word \"registr\": did you mean \"register\"?"),
    ("[users]\nhow = 'ldap'", "3:7: how in [users]: unknown word \"ldap\": it is one of \"register\", \"shared-secret\", \"accounts\", \"tokens\""),
    ("cleanup = 'logut'", "2:11: cleanup: unknown word \"logut\": did you mean \"logout\"?"),
    ("unsupported = ['server_set', 'resolv']", "2:30: unsupported: unknown word \"resolv\": did you mean \"resolve\"?"),
    ("unsupported = 'server_set'", "2:15: unsupported must be an array of \"server_hash\", \"server_set\", \"declare\", \"upload\", \"resolve\", \"fed_server_hash\", \"fed_server_set\", \"fed_resolve\", found the string \"server_set\""),
    ("dialect = 'list'", "2:11: dialect: \"list\" (the draft of 2015-01) is not in this version; it knows \"union\""),
    // Users
    ("[users]\nhow = 'shared-secret'", "3:1: how = \"shared-secret\" needs shared_secret or shared_secret_env"),
    ("[users]\nhow = 'accounts'", "3:1: how = \"accounts\" needs accounts"),
    ("[users]\nhow = 'tokens'", "3:1: how = \"tokens\" needs tokens or tokens_env"),
    ("[users]\nhow = 'accounts'\naccounts = []", "4:1: accounts is empty: a scenario needs three users or so"),
    ("[users]\nhow = 'accounts'\naccounts = ['alice']", "4:13: accounts in [users] must be an array of tables with user and password, found a string"),
    ("[users]\nhow = 'accounts'\naccounts = [{ user = 'a' }]", "4:13: password or password_env is missing in an account"),
    ("[users]\nhow = 'accounts'\naccounts = [{ user = 'a', password = 'p' }, { user = 'a', password = 'p' }]", "4:47: account \"a\" is given twice: it can be leased only once"),
    ("[users]\nhow = 'accounts'\naccounts = [{ user = 'a', password = 'p', password_env = 'SECRET' }]", "4:43: password_env and password are both given: leave one out"),
    ("[users]\nhow = 'tokens'\ntokens = []", "4:1: there is no token in it"),
    ("[users]\nhow = 'tokens'\ntokens = ['a', 'b', 'a']", "4:21: token no. 3 is given twice"),
    ("[users]\nhow = 'tokens'\ntokens = ['a', 5]", "4:16: tokens in [users] must be an array of strings (secrets), found an integer"),
    ("[users]\nhow = 'tokens'\ntokens = ['a']\ntokens_env = 'TOKENS'", "5:1: tokens_env and tokens are both given: leave one out"),
    ("[users]\ntokens = ['a']", "3:1: tokens is only read with how = \"tokens\", and how is \"register\""),
    ("[users]\nshared_secret = 's'", "3:1: shared_secret is only read with how = \"shared-secret\", and how is \"register\""),
    ("[users]\nhow = 'tokens'\ntokens = ['a']\nregistration_token_env = 'SECRET'", "5:1: registration_token_env is only read with how = \"register\", and how is \"tokens\""),
    ("[users]\naccounts = [{ user = 'a', password = 'p' }]", "3:1: accounts is only read with how = \"accounts\", and how is \"register\""),
    ("[users]\nregistration_token = 'a'\nregistration_token_env = 'SECRET'", "4:1: registration_token_env and registration_token are both given: leave one out"),
    ("[users]\nregistration_token = 5", "3:22: registration_token in [users] must be a string (a secret), found an integer"),
    ("[users]\nregistration_token_env = 'NOT_SET'", "3:1: registration_token_env: the environment variable NOT_SET is not set"),
    ("[users]\nregistration_token_env = 'EMPTY'", "3:1: registration_token_env: the environment variable EMPTY is empty"),
    ("[users]\nhow = 'tokens'\ntokens_env = 'COMMAS'", "4:1: there is no token in it"),
    // Gating
    ("[gating]\nentitled_prefix = 'granted-'", "3:1: entitled_prefix in [gating] needs capability beside it"),
    ("[gating]\ncapability = 'c'", "3:1: capability in [gating] needs entitled_prefix or entitled beside it"),
    ("[gating]\ncapability = 'c'\nentitled_prefix = 'g-'\nentitled = ['@bob:x']", "5:1: entitled and entitled_prefix are both given: leave one out"),
    ("[gating]\ncapability = 'c'\nentitled = ['@bob:x']", "4:1: entitled names users that exist, and how is \"register\": write entitled_prefix, or how = \"accounts\" or \"tokens\""),
    ("[users]\nhow = 'tokens'\ntokens = ['a']\n[gating]\ncapability = 'c'\nentitled = ['bob']", "7:13: entitled in [gating] must be an array of user IDs such as \"@bob:example.org\", found the string \"bob\""),
    ("[gating]\ncapability = 'c'\nentitled_prefix = 'cap'", "4:1: entitled_prefix \"cap\" clashes with \"cap-\", with which ordinary users begin"),
    ("[gating]\ncapability = 'c'\nentitled_prefix = 'Granted'", "4:19: entitled_prefix in [gating] must be the beginning of a localpart: a-z, 0-9 and ._=/+-, found the string \"Granted\""),
    // TLS
    ("[tls]\nca = 'ca.pem'", "3:1: ca: cannot use /nowhere/ca.pem: No such file or directory (os error 2)"),
    ("[tls]\nca = 'ca.pem'\nverify = false", "3:1: ca and verify = false contradict: what is not verified needs no authority"),
];

#[test]
fn every_mistake_is_told_with_its_place_and_what_is_right() {
    let told = |text: &str| mistake(&format!("{URL}{text}"));
    let wrong: Vec<String> = MISTAKES
        .iter()
        .map(|(text, expected)| (text, told(text), format!("capcheck.toml:{expected}")))
        .filter(|(_, told, expected)| told != expected)
        .map(|(text, told, expected)| format!("{text}\n  told:     {told}\n  expected: {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn mistakes_in_the_url() {
    for (text, expected) in [
        ("", "1:1: url is missing: the base URL of the homeserver, such as \"http://127.0.0.1:8008\""),
        (
            "url = 'localhost:8008'",
            "1:7: url: \"localhost:8008\" has no scheme: write http://localhost:8008 or https://localhost:8008",
        ),
        ("url = 8008", "1:7: url must be an http or https URL such as \"http://127.0.0.1:8008\", found 8008"),
    ] {
        assert_eq!(mistake(text), format!("capcheck.toml:{expected}"), "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_order() {
    let told = mistake("url = 'ftp://x'\n[limits]\nsettle_s = 'soon'\n[users]\nhow = 'tokns'\n");
    let places: Vec<&str> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["capcheck.toml:1:7", "capcheck.toml:3:12", "capcheck.toml:5:7"]);
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        mistake(&format!("{URL}limits = {{ \"ä\" = 1, setle_s = 2 }}")),
        "capcheck.toml:2:12: unknown key \"ä\" in [limits]: there are in_flight, request_timeout_s, \
         scenario_timeout_s, settle_s, max_set_bytes, max_answer_bytes, rate_limit_cap_s, \
         connected_timeout_s, remote_timeout_s, negative_cache_s\n\
         capcheck.toml:2:21: unknown key \"setle_s\" in [limits]: did you mean \"settle_s\"?"
    );
}

#[test]
fn no_mistake_shows_a_secret() {
    for text in [
        "[users]\nregistration_token = ['swordfish']",
        "[users]\nhow = 'tokens'\ntokens = 'swordfish'",
        "[users]\nhow = 'tokens'\ntokens = ['swordfish', 'swordfish']",
        "[users]\nhow = 'accounts'\naccounts = [{ user = 'a', password = ['swordfish'] }]",
        "[users]\nshared_secret = 'swordfish'",
        "url = 'http://bob:swordfish@localhost'",
    ] {
        let told = mistake(&format!("{}{text}", if text.starts_with("url") { "" } else { URL }));
        assert!(!told.contains("swordfish"), "{told}");
    }
}

/// `docs/target.md` lists exactly the keys of the table. CAPCHECK_WRITE_DOCS=1 writes it anew.
#[test]
fn the_document_lists_every_key() {
    const BEGIN: &str = "<!-- keys: generated from src/target/keys.rs -->\n";
    const END: &str = "<!-- end of keys -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/target.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the marker where the table begins");
    let (table, after) = rest.split_once(END).expect("the marker where the table ends");
    if std::env::var_os("CAPCHECK_WRITE_DOCS").is_some() {
        std::fs::write(&path, [before, BEGIN, &template::markdown(), END, after].concat()).unwrap();
        return;
    }
    assert_eq!(
        table,
        template::markdown(),
        "CAPCHECK_WRITE_DOCS=1 cargo test the_document brings it up to date"
    );
}

#[test]
fn every_example_in_the_document_is_a_target_file() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/target.md")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.pem"), CA).unwrap();
    Authority::generate().unwrap().write(&dir.path().join("federation-ca")).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 6, "the four ways, gating, TLS and the binding have examples");
    for example in examples {
        let secret = |_: &str| Some("swordfish".to_owned());
        if let Err(error) = file::parse(example, dir.path(), "docs/target.md", &secret) {
            panic!("{error}\n{example}");
        }
    }
}

/// A certificate authority for nobody; its key is thrown away.
const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUXeMlMHkjgcaAKKuTPiat8r8xOuowCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXY2FwY2hlY2sgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIyMDky
NzMwWhgPMjEyNjEwMjkwOTI3MzBaMCIxIDAeBgNVBAMMF2NhcGNoZWNrIHRlc3Qg
YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE44UZ2p2vTE/OYMxj
tFNDec/ozaOW8GpINVtqbw9CEwbE8LyTtIQ6JcP6gsP2SMJaGPtn6mwlyVULlRPw
j8vFRKNTMFEwHQYDVR0OBBYEFKQAF7XBm3owhBjFm9ImROC1tnDbMB8GA1UdIwQY
MBaAFKQAF7XBm3owhBjFm9ImROC1tnDbMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDRwAwRAIgbjWDk3/gt9N+kghpn63+J57jeRxxl01UbLuwkjhKKEkCIEfi
5U7d/tj0ZHwhJ71+XWzgGwVfvh8WXlD3VTGDpV2i
-----END CERTIFICATE-----
";
