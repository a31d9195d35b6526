//! `[federation]` in the target file: what every key does, and what every mistake is told.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::LazyLock;

use capcheck::target::config::{Federation, Target};
use capcheck::target::file::{self, TargetFileError};
use capcheck::target::keys::{self, KEYS};
use capcheck::wire::TlsTrust;
use capcheck::wire::authority::Authority;
use capcheck::wire::peer::Identity;
use rcgen::{CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// An authority in ca.pem and ca.key, and a certificate for three hosts in own.pem and own.key.
static FILES: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    Authority::generate().unwrap().write(dir.path()).unwrap();
    own_certificate(dir.path(), "own", &["localhost", "10.0.0.7", "::1"]);
    own_certificate(dir.path(), "other", &["localhost"]);
    fs::write(dir.path().join("noise.pem"), "not PEM").unwrap();
    dir
});

fn own_certificate(dir: &Path, name: &str, hosts: &[&str]) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    fs::write(dir.join(format!("{name}.pem")), made.cert.pem()).unwrap();
    fs::write(dir.join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
}

/// The text of a target file; lines 1 and 2 are the URL and the section.
fn read(keys: &str) -> Result<Target, TargetFileError> {
    let text = format!("url = 'http://127.0.0.1:8008'\n[federation]\n{keys}");
    file::parse(&text, FILES.path(), "capcheck.toml", &|_| None)
}

fn federation(keys: &str) -> Federation {
    let target = read(keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
    target.federation.unwrap_or_else(|| panic!("{keys}: no federation"))
}

fn mistake(keys: &str) -> String {
    match read(keys) {
        Ok(_) => panic!("no mistake is seen in: {keys}"),
        Err(error) => error.to_string(),
    }
}

/// Lines 3 and 4 of a file that needs nothing more.
const CA: &str = "ca_cert = 'ca.pem'\nca_key = 'ca.key'\n";

/// What a key does, seen on the target.
type Effect = fn(&Federation) -> bool;

#[rustfmt::skip]
const EFFECTS: &[(&str, &str, Effect)] = &[
    ("url", "url = 'https://127.0.0.1:8448'", |f| f.url.as_ref().unwrap().as_str() == "https://127.0.0.1:8448/"),
    ("target_ca", "target_ca = 'ca.pem'", |f| f.tls == TlsTrust::ExtraCa(FILES.path().join("ca.pem"))),
    ("target_verify", "target_verify = false", |f| f.tls == TlsTrust::Anything),
    ("target_verify", "target_verify = true", |f| f.tls == TlsTrust::System),
    ("listen", "listen = '::1'", |f| f.listen == Ipv6Addr::LOCALHOST && f.advertise == "localhost"),
    ("listen", "listen = '10.0.0.7'", |f| f.listen == IpAddr::from([10, 0, 0, 7]) && f.advertise == "10.0.0.7"),
    ("advertise", "listen = '0.0.0.0'\nadvertise = 'host.docker.internal'", |f| f.listen.is_unspecified() && f.advertise == "host.docker.internal"),
    ("advertise", "advertise = '::1'", |f| f.advertise == "[::1]"),
    ("advertise", "advertise = '[::1]'", |f| f.advertise == "[::1]"),
    ("advertise", "listen = 'fd00::7'", |f| f.advertise == "[fd00::7]"),
    ("ports", "ports = '9000-9031'", |f| f.ports == Some(9000..=9031)),
    ("ports", "ports = ' 9000 - 9031 '", |f| f.ports == Some(9000..=9031)),
    ("ports", "ports = '9000'", |f| f.ports == Some(9000..=9000)),
    ("ports", "ports = 9000", |f| f.ports == Some(9000..=9000)),
];

#[test]
fn every_key_has_its_effect() {
    for (_, text, effect) in EFFECTS {
        assert!(effect(&federation(&format!("{CA}{text}"))), "{text}");
    }
    let pairs = ["ca_cert", "ca_key", "cert", "key"];
    let seen: BTreeSet<&str> = EFFECTS.iter().map(|(name, ..)| *name).chain(pairs).collect();
    let all: BTreeSet<&str> = KEYS.iter().filter(|k| k.section == "federation").map(|k| k.name).collect();
    assert_eq!(seen, all, "every key of the section is tried, here or below");
}

#[test]
fn an_authority_is_enough_and_the_rest_has_defaults() {
    let authority = Authority::read(&FILES.path().join("ca.pem"), &FILES.path().join("ca.key")).unwrap();
    let expected = Federation {
        url: None,
        tls: TlsTrust::System,
        listen: Ipv4Addr::LOCALHOST.into(),
        advertise: "localhost".to_owned(),
        ports: None,
        identity: Identity::Authority(authority),
    };
    assert_eq!(federation(CA), expected);
}

#[test]
fn a_certificate_of_ones_own_serves_the_host_it_is_for() {
    let [chain, key] = ["own.pem", "own.key"].map(|name| FILES.path().join(name));
    for rest in ["", "listen = '10.0.0.7'", "advertise = '10.0.0.7'", "advertise = '::1'"] {
        let identity = federation(&format!("cert = 'own.pem'\nkey = 'own.key'\n{rest}")).identity;
        assert_eq!(identity, Identity::Certificate { chain: chain.clone(), key: key.clone() }, "{rest}");
    }
}

#[test]
fn a_section_without_keys_is_no_federation() {
    assert_eq!(read("").unwrap().federation, None);
}

/// Mistakes beside an authority, from line 5 on.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str)] = &[
    ("avertise = 'x'", "5:1: unknown key \"avertise\" in [federation]: did you mean \"advertise\"?"),
    ("url = 'localhost:8448'", "5:7: url in [federation]: \"localhost:8448\" has no scheme: write http://localhost:8448 or https://localhost:8448"),
    ("target_ca = 'none.pem'", "5:1: target_ca: cannot use DIR/none.pem: No such file or directory (os error 2)"),
    ("target_ca = 'noise.pem'", "5:1: target_ca: cannot use DIR/noise.pem: it holds no PEM certificate (-----BEGIN CERTIFICATE-----)"),
    ("target_ca = 'ca.pem'\ntarget_verify = false", "5:1: target_ca and target_verify = false contradict: what is not verified needs no authority"),
    ("target_verify = 'no'", "5:17: target_verify in [federation] must be true or false, found the string \"no\""),
    ("listen = 'localhost'", "5:10: listen in [federation] must be an IP address such as \"127.0.0.1\", found the string \"localhost\""),
    ("listen = '127.0.0.1:9000'", "5:10: listen in [federation] must be an IP address such as \"127.0.0.1\", found the string \"127.0.0.1:9000\""),
    ("listen = '0.0.0.0'", "5:1: listen = \"0.0.0.0\" needs advertise beside it: the name or address by which the target reaches this machine"),
    ("listen = '::'", "5:1: listen = \"::\" needs advertise beside it: the name or address by which the target reaches this machine"),
    ("listen = '0.0.0.0'\nadvertise = '0.0.0.0'", "6:1: advertise: nobody can reach 0.0.0.0: write a name or an address of this machine"),
    ("listen = '0.0.0.0'\nadvertise = 5", "6:13: advertise in [federation] must be a DNS name or an IP address, without a port, found 5"),
    ("advertise = 'here:8448'", "5:13: advertise in [federation] must be a DNS name or an IP address, without a port, found the string \"here:8448\""),
    ("advertise = '[::1]:8448'", "5:13: advertise in [federation] must be a DNS name or an IP address, without a port, found the string \"[::1]:8448\""),
    ("advertise = '[127.0.0.1]'", "5:13: advertise in [federation] must be a DNS name or an IP address, without a port, found the string \"[127.0.0.1]\""),
    ("listen = '::'\nadvertise = '[::]'", "6:1: advertise: nobody can reach ::: write a name or an address of this machine"),
    ("advertise = 'my_host'", "5:13: advertise in [federation] must be a DNS name or an IP address, without a port, found the string \"my_host\""),
    ("advertise = '*.example.org'", "5:13: advertise in [federation] must be a DNS name or an IP address, without a port, found the string \"*.example.org\""),
    ("ports = '9000-'", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found the string \"9000-\""),
    ("ports = '9031-9000'", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found the string \"9031-9000\""),
    ("ports = '0-9'", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found the string \"0-9\""),
    ("ports = '65000-70000'", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found the string \"65000-70000\""),
    ("ports = 70000", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found 70000"),
    ("ports = [9000, 9031]", "5:9: ports in [federation] must be a range of ports such as \"9000-9031\", or one port, found an array"),
];

/// Mistakes about who vouches for the harness's homeservers, from line 3 on.
#[rustfmt::skip]
const IDENTITY_MISTAKES: &[(&str, &str)] = &[
    ("ports = 9000", "3:1: [federation] needs ca_cert and ca_key (capcheck federation-ca makes them), or cert and key (a certificate of your own for the advertised host)"),
    ("url = 'https://x'\nports = 9000", "3:1: [federation] needs ca_cert and ca_key (capcheck federation-ca makes them), or cert and key (a certificate of your own for the advertised host)"),
    ("ca_cert = 'ca.pem'\nca_key = 'ca.key'\ncert = 'own.pem'\nkey = 'own.key'", "5:1: [federation] takes ca_cert and ca_key (an authority that issues certificates), or cert and key (a certificate of your own): leave one pair out"),
    ("ca_cert = 'ca.pem'\nkey = 'own.key'", "4:1: [federation] takes ca_cert and ca_key (an authority that issues certificates), or cert and key (a certificate of your own): leave one pair out"),
    ("ca_cert = 'ca.pem'", "3:1: ca_cert in [federation] needs ca_key beside it"),
    ("ca_key = 'ca.key'", "3:1: ca_key in [federation] needs ca_cert beside it"),
    ("cert = 'own.pem'", "3:1: cert in [federation] needs key beside it"),
    ("key = 'own.key'", "3:1: key in [federation] needs cert beside it"),
    ("ca_cert = 5\nca_key = 'ca.key'", "3:11: ca_cert in [federation] must be the path of a file, found 5"),
    ("cert = 'none.pem'\nkey = 'own.key'", "3:1: cert and key: cannot use DIR/none.pem: I/O error: No such file or directory (os error 2)"),
    ("cert = 'noise.pem'\nkey = 'own.key'", "3:1: cert and key: cannot use DIR/noise.pem: it holds no PEM certificate (-----BEGIN CERTIFICATE-----)"),
    ("cert = 'own.pem'\nkey = 'noise.pem'", "3:1: cert and key: cannot use DIR/noise.pem: it holds no PEM private key (-----BEGIN PRIVATE KEY-----)"),
    ("cert = 'own.pem'\nkey = 'other.key'", "3:1: cert and key: DIR/other.key is not the private key of DIR/own.pem"),
    ("cert = 'other.pem'\nkey = 'other.key'\nadvertise = '10.0.0.7'", "3:1: cert and key: DIR/other.pem is not for the advertised host \"10.0.0.7\""),
    ("cert = 'own.pem'\nkey = 'own.key'\nadvertise = 'example.org'", "3:1: cert and key: DIR/own.pem is not for the advertised host \"example.org\""),
];

#[test]
fn every_mistake_is_told_with_its_place_and_what_is_right() {
    let beside_an_authority = MISTAKES.iter().map(|(text, expected)| (format!("{CA}{text}"), expected));
    let alone = IDENTITY_MISTAKES.iter().map(|(text, expected)| ((*text).to_owned(), expected));
    let dir = FILES.path().display().to_string();
    let wrong: Vec<String> = beside_an_authority
        .chain(alone)
        .map(|(text, expected)| {
            (mistake(&text), format!("capcheck.toml:{expected}").replace("DIR", &dir), text)
        })
        .filter(|(told, expected, _)| told != expected)
        .map(|(told, expected, text)| format!("{text}\n  told:     {told}\n  expected: {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_authority_that_is_none_is_refused_when_the_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    Authority::generate().unwrap().write(dir.path()).unwrap();
    let other = dir.path().join("ca.key").display().to_string();
    for (keys, named) in [
        ("ca_cert = 'none.pem'\nca_key = 'ca.key'".to_owned(), "none.pem"),
        ("ca_cert = 'ca.pem'\nca_key = 'none.key'".to_owned(), "none.key"),
        ("ca_cert = 'noise.pem'\nca_key = 'ca.key'".to_owned(), ""),
        ("ca_cert = 'ca.pem'\nca_key = 'noise.pem'".to_owned(), ""),
        (format!("ca_cert = 'ca.pem'\nca_key = '{other}'"), ""),
    ] {
        let told = mistake(&keys);
        assert!(told.starts_with("capcheck.toml:3:1: ca_cert and ca_key: "), "{keys}: {told}");
        assert!(told.contains(named) && told.lines().count() == 1, "{keys}: {told}");
    }
}

#[test]
fn no_mistake_shows_a_private_key() {
    let secret = fs::read_to_string(FILES.path().join("ca.key")).unwrap();
    let line = secret.lines().nth(1).unwrap();
    for keys in
        ["ca_cert = 'ca.key'\nca_key = 'ca.key'", "cert = 'ca.key'\nkey = 'ca.key'", "target_ca = 'ca.key'"]
    {
        let told = mistake(keys);
        assert!(!told.contains(line), "{told}");
    }
    assert!(!format!("{:?}", federation(CA)).contains(line));
}

#[test]
fn an_example_of_ports_is_enough_for_a_full_run() {
    let key = keys::find("federation", "ports").unwrap();
    let keys::Otherwise::Absent { example, .. } = key.otherwise else { panic!("ports has no default") };
    let ports = federation(&format!("{CA}ports = {example}")).ports.unwrap();
    assert!(ports.count() >= keys::PEERS_NEEDED, "{example}");
    assert!(key.meaning.contains(&format!(" {}.", keys::PEERS_NEEDED)), "{}", key.meaning);
}

#[test]
fn a_certificate_that_is_no_homeservers_own_is_refused_when_the_file_is_read() {
    let said = |change: fn(&mut CertificateParams)| {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut parameters);
        fs::write(FILES.path().join("odd.pem"), parameters.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(FILES.path().join("odd.key"), key.serialize_pem()).unwrap();
        mistake("cert = 'odd.pem'\nkey = 'odd.key'")
    };
    let expired = said(|parameters| parameters.not_after = date_time_ymd(2021, 1, 1));
    assert!(expired.contains("odd.pem: it is valid from"), "{expired}");
    let early = said(|parameters| parameters.not_before = date_time_ymd(2090, 1, 1));
    assert!(early.contains("odd.pem: it is valid from"), "{early}");
    let authority = said(|parameters| parameters.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    assert!(authority.contains("odd.pem: it is an authority's own"), "{authority}");
}

/// `docs/federation.md` shows target files that can be read, and messages that preflight has.
#[test]
fn the_document_speaks_of_what_there_is() {
    let page = include_str!("../../docs/federation.md");
    let dir = tempfile::tempdir().unwrap();
    Authority::generate().unwrap().write(&dir.path().join("federation-ca")).unwrap();
    own_certificate(dir.path(), "harness", &["harness.example.org"]);
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 7, "every recipe has an example");
    for example in examples {
        match file::parse(example, dir.path(), "docs/federation.md", &|_| None) {
            Ok(target) => assert!(target.federation.is_some(), "{example}"),
            Err(error) => panic!("{error}\n{example}"),
        }
    }

    let said = [
        include_str!("../../src/target/federation.rs"),
        include_str!("../../src/wire/peer/mod.rs"),
        include_str!("../../src/target/pair.rs"),
    ]
    .concat();
    let (_, section) = page.split_once("## What preflight says").unwrap();
    let table = section.split("\n## ").next().unwrap();
    let messages: Vec<&str> =
        table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(messages.len() >= 10, "{messages:?}");
    // What a message asks for (join or leave) is filled in.
    let found =
        |message: &&&str| said.contains(**message) || said.contains(&message.replace("join", "{what}"));
    assert_eq!(messages.iter().find(|message| !found(message)), None);
}
