//! The command line where homeservers federate: authorities, `serve` and `--second`.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use capcheck::target::file;
use capcheck::wire::authority::Authority;
use capcheck::wire::peer::Identity;

use super::cli::{capcheck, output, refused};

/// `capcheck federation-ca DIR`, which must succeed; what it prints.
fn made(directory: &Path) -> String {
    let output = output(&["federation-ca", directory.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    String::from_utf8(output.stdout).unwrap()
}

/// The line that a homeserver says when it serves, which is stopped then.
fn first_line(arguments: &[&str]) -> String {
    let mut child = capcheck(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line
}

#[test]
fn an_authority_is_made_with_the_words_that_use_it() {
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("deep/federation ca");
    let page = made(&authority);
    let [certificate, key] = Authority::FILES.map(|name| authority.join(name));
    let read = Authority::read(&certificate, &key).unwrap();
    assert!(page.contains(certificate.to_str().unwrap()) && page.contains(key.to_str().unwrap()), "{page}");

    let line = page.lines().find(|line| line.trim_start().starts_with("federation = ")).unwrap();
    let text = format!("url = 'http://127.0.0.1:1'\n{line}\n");
    let target = file::parse(&text, Path::new("/elsewhere"), "capcheck.toml", &|_| None).unwrap();
    assert_eq!(target.federation.unwrap().identity, Identity::Authority(read));
    let secret = fs::read_to_string(&key).unwrap();
    assert!(!page.contains(secret.lines().nth(1).unwrap()), "the key is not for the screen");
}

#[cfg(unix)]
#[test]
fn the_key_of_an_authority_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    made(directory.path());
    let mode = |name: &str| fs::metadata(directory.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ca.key"), 0o600);
    assert_ne!(mode("ca.pem") & 0o044, 0, "homeservers with other owners read the certificate");
}

#[test]
fn an_authority_is_never_replaced() {
    for there in Authority::FILES {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(there);
        fs::write(&file, "precious").unwrap();
        let line = refused(&["federation-ca", directory.path().to_str().unwrap()], 2);
        assert!(line.contains(file.to_str().unwrap()), "{line}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "and nothing is put beside it");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = refused(&["federation-ca", file.path().to_str().unwrap()], 2);
    assert!(line.contains(file.path().to_str().unwrap()), "{line}");
}

#[test]
fn serve_says_what_its_federation_lacks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let listen = ["serve", "--listen", "127.0.0.1:0", "--federation-listen", "127.0.0.1:0"];
    assert_eq!(
        refused(&listen, 2),
        "capcheck: --federation-listen needs --federation-ca DIR, where the certificate comes from: \
         `capcheck federation-ca DIR` makes one"
    );
    let line = refused(&[&listen[..], &["--federation-ca", path]].concat(), 2);
    assert!(line.starts_with(&format!("capcheck: --federation-ca {path}: ")), "{line}");
    assert!(line.contains("ca.pem"), "{line}");

    made(directory.path());
    let noise = directory.path().join("noise.pem");
    fs::write(&noise, "not PEM").unwrap();
    for (file, reason) in
        [(noise.to_str().unwrap(), "it holds no PEM certificate"), ("no/such.pem", "No such file")]
    {
        let line = refused(&[&listen[..], &["--federation-ca", path, "--trust-ca", file]].concat(), 2);
        assert!(
            line.starts_with(&format!("capcheck: --trust-ca {file}: ")) && line.contains(reason),
            "{line}"
        );
    }
    for lone in [&["--federation-ca", path][..], &["--trust-ca", path]] {
        let output = output(&[&["serve", "--listen", "127.0.0.1:0"][..], lone].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{lone:?}");
        assert!(stderr.contains("--federation-listen"), "{stderr}");
    }
}

#[test]
fn a_fault_between_homeservers_wants_federation() {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--fault"];
    assert_eq!(
        refused(&[&serve[..], &["fed-set-list"]].concat(), 2),
        "capcheck: --fault fed-set-list breaks federation.set and nothing else, \
         so without --federation-listen it does nothing"
    );
    let line = refused(&[&serve[..], &["union-last-declared", "--fault", "lookup-never"]].concat(), 2);
    assert!(line.starts_with("capcheck: --fault lookup-never breaks federation.lookup "), "{line}");

    let directory = tempfile::tempdir().unwrap();
    made(directory.path());
    let authority = directory.path().to_str().unwrap();
    let federating = ["--federation-listen", "127.0.0.1:0", "--federation-ca", authority];
    for rest in [&["union-last-declared"][..], &[&["fed-set-list"], &federating[..]].concat()] {
        let line = first_line(&[&serve[..], rest].concat());
        assert!(line.starts_with("listening on "), "{rest:?}: {line:?}");
    }
}

#[test]
fn serve_names_its_federation_port_in_its_one_line() {
    let directory = tempfile::tempdir().unwrap();
    made(directory.path());
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--federation-listen", "127.0.0.1:0", "--federation-ca"];
    let line = first_line(&[&arguments[..], &[directory.path().to_str().unwrap()]].concat());
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["listening", "on", url, "as", name, "federation", federation] = words[..] else { panic!("{line}") };
    let port = federation.rsplit_once(':').unwrap().1;
    assert!(url.starts_with("http://127.0.0.1:") && federation.starts_with("https://"), "{line}");
    assert_eq!(name, format!("localhost:{port}"), "its name leads to its federation port");
}

#[test]
fn a_second_homeserver_is_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let one = file("one.toml", "url = 'http://127.0.0.1:1'\nserver_name = 'one.example'\n");
    let same = file("same.toml", "url = 'http://127.0.0.1:1/'\n");
    let namesake = file("namesake.toml", "url = 'http://127.0.0.1:2'\nserver_name = 'one.example'\n");
    let broken = file("broken.toml", "url = 'http://127.0.0.1:2'\nsever_name = 'x'\n");
    for command in ["run", "doctor"] {
        assert_eq!(
            refused(&[command, "--second", &one], 2),
            format!("capcheck: --second {one} needs a first homeserver beside it: --target FILE, or a URL")
        );
        for first in [&["--target", &one][..], &["http://127.0.0.1:1"]] {
            assert_eq!(
                refused(&[&[command, "--second", &same], first].concat(), 2),
                format!(
                    "capcheck: --second {same} is the homeserver under test itself: both are http://127.0.0.1:1"
                )
            );
        }
        assert_eq!(
            refused(&[command, "--target", &one, "--second", &namesake], 2),
            format!(
                "capcheck: --second {namesake} is the homeserver under test itself: both are one.example"
            )
        );
        let line = refused(&[command, "--target", &one, "--second", &broken], 2);
        assert!(line.contains(&format!("{broken}:2:1: unknown key \"sever_name\"")), "{line}");
    }
    // A URL beside the file replaces its own: now they are two, and neither is there.
    let line = refused(&["doctor", "--target", &same, "http://127.0.0.1:3", "--second", &one], 4);
    assert!(line.contains("http://127.0.0.1:3"), "{line}");
}
