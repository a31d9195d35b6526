//! Signatures: made, taken, and refused with the reason. `.ci/minisign` does the same against the real program.

use super::*;

use capcheck::vectors::{PublicKey, SecretKey, SignatureError, Signed, sign, verify_signature};
use minisign::KeyPair;

/// Key files in a directory of their own.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        keys.write("key.pub", &pair.pk.to_box().unwrap().into_string());
        keys.write("secret.key", &pair.sk.to_box(None).unwrap().into_string());
        keys
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn secret(&self) -> SecretKey {
        SecretKey::read(&self.0.path().join("secret.key")).unwrap()
    }

    fn public(&self) -> PublicKey {
        PublicKey::read(&self.path("key.pub")).unwrap()
    }
}

#[test]
fn the_commands_sign_and_verify() {
    let (copy, keys) = (Copy::new(), Keys::new());
    let directory = copy.path().to_str().unwrap();
    let public = fs::read_to_string(keys.path("key.pub")).unwrap().lines().last().unwrap().to_owned();
    let verify = |key: &str| {
        let output = capcheck(&["vectors", "verify", directory, "--pubkey", key]);
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, page) = verify(&public);
    assert!(
        code == 1 && page.contains("signature    manifest.json.minisig: there is none: sign it"),
        "{page}"
    );

    let output = capcheck(&["vectors", "sign", "--key", &keys.path("secret.key"), directory]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(&format!("--pubkey {public}")), "{}", text(&output.stdout));
    for key in [&public, &keys.path("key.pub")] {
        let (code, page) = verify(key);
        let words = format!("signature    good, key {public}, trusted comment: timestamp:");
        assert!(code == 0 && page.contains(&words), "{page}");
        assert!(page.contains(&format!(" capcheck {} manifest.json\n", env!("CARGO_PKG_VERSION"))), "{page}");
    }
    let (code, page) = verify("/nowhere.pub");
    assert!(
        code == 2 && page.contains("/nowhere.pub: not a public key of minisign: there is no such file"),
        "{page}"
    );
    let other = Keys::new();
    let (code, page) = verify(&other.path("key.pub"));
    assert!(code == 1 && page.contains("manifest.json.minisig: signed with the key "), "{page}");
    let (code, page) = verify(&keys.path("secret.key"));
    assert!(code == 2 && page.contains("secret.key: not a public key of minisign"), "{page}");

    copy.replace(MANIFEST, "\"generator\": \"capcheck", "\"generator\": \"Capcheck");
    let (code, page) = verify(&public);
    assert!(
        code == 1 && page.contains("manifest.json.minisig: not that of this file with this key"),
        "{page}"
    );

    fs::remove_file(copy.file(UNION)).unwrap();
    let output = capcheck(&["vectors", "sign", "--key", &keys.path("secret.key"), directory]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("does not hold, so it is not signed"), "{}", text(&output.stderr));
    let without = capcheck(&["vectors", "verify", "--pubkey", &public]);
    assert_eq!(without.status.code(), Some(2), "the files that the program carries have no signature");
}

#[test]
fn only_what_was_signed_is_good() {
    let keys = Keys::new();
    let bytes = b"a manifest";
    let (signature, public) = sign(bytes, &keys.secret(), None, "a comment").unwrap();
    assert_eq!(public.to_string(), keys.public().to_string());
    let verify = |bytes: &[u8], signature: &str| verify_signature(bytes, signature.as_bytes(), &public);
    let good = Signed { trusted_comment: "a comment".to_owned(), legacy: false };
    assert_eq!(verify(bytes, &signature).unwrap(), good);
    assert_eq!(verify(bytes, &signature.replace('\n', "\r\n")).unwrap(), good);
    assert!(matches!(verify(b"a manifesto", &signature), Err(SignatureError::Altered)));
    let other = sign(b"another", &keys.secret(), None, "a comment").unwrap().0;
    let lines = |signature: &str| signature.lines().map(str::to_owned).collect::<Vec<_>>();
    let with = |number: usize, line: &str| {
        let mut lines = lines(&signature);
        lines[number] = line.to_owned();
        lines.join("\n") + "\n"
    };
    assert!(matches!(verify(bytes, &with(1, &lines(&other)[1])), Err(SignatureError::Altered)));
    assert!(matches!(
        verify(bytes, &with(2, "trusted comment: another")),
        Err(SignatureError::AlteredComment)
    ));
    assert!(matches!(verify(bytes, &with(3, &lines(&other)[3])), Err(SignatureError::AlteredComment)));
    let no_signature: Vec<String> = vec![
        String::new(),
        signature[..signature.len() / 2].to_owned(),
        with(0, "a comment"),
        with(1, "RUQ="),
        with(1, &format!("{}AAAA", lines(&signature)[1])),
        with(2, "trusted comment: a comment "),
        with(2, "comment: a comment"),
        with(3, ""),
        with(3, "AAAA"),
        with(3, &lines(&signature)[3][..84]),
        signature.clone() + "more\n",
        "\u{fe0f}".repeat(100),
    ];
    for altered in no_signature {
        let error = verify(bytes, &altered).unwrap_err();
        assert!(matches!(error, SignatureError::NoSignature(_)), "{altered:?}: {error}");
    }
    assert!(matches!(verify_signature(bytes, &[0xff; 300], &public), Err(SignatureError::NoSignature(_))));
    let stranger = verify_signature(bytes, signature.as_bytes(), &Keys::new().public());
    assert!(matches!(stranger, Err(SignatureError::OtherKey { .. })));
}

#[test]
fn a_comment_is_a_line() {
    for comment in ["two\nlines", "a\u{1b}[31mcolour", " ends", "ends\t"] {
        let error = sign(b"", &Keys::new().secret(), None, comment).unwrap_err();
        assert!(matches!(error, SignatureError::Comment), "{comment:?}: {error}");
    }
}

#[test]
fn a_key_with_a_password_needs_it() {
    let (copy, keys) = (Copy::new(), Keys::new());
    let pair = KeyPair::generate_encrypted_keypair(Some("open sesame".to_owned())).unwrap();
    keys.write("locked.key", &pair.sk.to_box(None).unwrap().into_string());
    let sign = |password: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_capcheck"));
        command.args(["vectors", "sign", "--key", &keys.path("locked.key"), copy.path().to_str().unwrap()]);
        match password {
            Some(password) => command.env("CAPCHECK_KEY_PASSWORD", password),
            None => command.env_remove("CAPCHECK_KEY_PASSWORD"),
        };
        let output = command.output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(!told.contains("sesame"), "{told}");
        (output.status.code().unwrap(), told)
    };
    let (code, told) = sign(Some("close sesame"));
    assert!(code == 2 && told.contains("locked.key: wrong password for this key"), "{told}");
    assert!(!copy.file("manifest.json.minisig").exists());
    let (code, told) = sign(Some("open sesame"));
    assert!(code == 0 && told.contains(&pair.pk.to_base64()), "{told}");
}

#[test]
fn what_is_no_key_is_told() {
    let keys = Keys::new();
    let secret = fs::read_to_string(keys.path("secret.key")).unwrap();
    let of_another_kind = secret.replacen("RW", "AW", 1);
    for (file, content) in [
        ("empty", ""),
        ("text", "no key\nat all\n"),
        ("short", &secret[..secret.len() - 9]),
        ("other", &of_another_kind),
    ] {
        keys.write(file, content);
        let error = SecretKey::read(Path::new(&keys.path(file))).unwrap_err().to_string();
        assert!(error.contains(&format!("{file}: not a secret key of minisign: ")), "{error}");
        let error = PublicKey::read(&keys.path(file)).unwrap_err().to_string();
        assert!(error.contains(&format!("{file}: not a public key of minisign: ")), "{error}");
        assert!(
            !error.contains(secret.lines().nth(1).unwrap()),
            "a key that is taken for another is not told"
        );
    }
    let error = SecretKey::read(Path::new(&keys.path("key.pub"))).unwrap_err().to_string();
    assert!(error.contains("key.pub: not a secret key of minisign"), "{error}");
    assert!(!format!("{:?}", keys.secret()).contains(secret.lines().nth(1).unwrap()));
}

/// What is given for a public key and is none is told by what it is; a secret never.
#[test]
fn what_is_given_for_a_public_key_is_told() {
    let (copy, keys) = (Copy::new(), Keys::new());
    let secret = fs::read_to_string(keys.path("secret.key")).unwrap().lines().nth(1).unwrap().to_owned();
    let public = keys.public().to_string();
    let neither = "--pubkey: neither a public key of minisign, which is 56 characters of Base64";
    for (given, words) in [
        (String::new(), neither),
        (public[..55].to_owned(), neither),
        (public.replacen("RW", "RX", 1), neither),
        (
            keys.path("secret.key"),
            "secret.key: not a public key of minisign: this is a secret key: give its .pub",
        ),
        (secret.clone(), "--pubkey: this is a secret key: give its .pub"),
    ] {
        let output = capcheck(&["vectors", "verify", copy.path().to_str().unwrap(), "--pubkey", &given]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{given}: {told}");
        assert!(told.contains(words) && told.lines().count() == 1 && !told.contains(&secret), "{told}");
    }
    let directory = copy.path().to_str().unwrap();
    let output = capcheck(&["vectors", "sign", "--key", &keys.path("key.pub"), directory]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("this is a public key"), "{output:?}");
}

#[test]
fn a_signature_that_cannot_be_written_or_read_is_a_line() {
    let (copy, keys) = (Copy::new(), Keys::new());
    let directory = copy.path().to_str().unwrap();
    let obstacle = copy.file("manifest.json.minisig");
    fs::create_dir(&obstacle).unwrap();
    let output = capcheck(&["vectors", "sign", "--key", &keys.path("secret.key"), directory]);
    assert_eq!(output.status.code(), Some(2));
    let line = format!("capcheck: {}: is a directory\n", obstacle.display());
    assert_eq!(text(&output.stderr), line);
    let output = capcheck(&["vectors", "verify", directory, "--pubkey", &keys.path("key.pub")]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{page}");
    assert!(page.contains("manifest.json.minisig: is a directory\n"), "{page}");
    assert!(page.ends_with("\nDOES NOT HOLD: the signature\n"), "{page}");
}
