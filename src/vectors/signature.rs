//! Signatures of the manifest, in the format of [minisign](https://jedisct1.github.io/minisign/).

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{SecretKeyBox, SignatureBones, SignatureBox};

use super::load::LoadError;
use super::manifest::{MANIFEST, sha256};
use super::publish::{PublishError, write};
use super::shelf::read_bounded;
use super::verify::Summary;

/// A signature's file name ends so, after that of what is signed.
pub const SUFFIX: &str = ".minisig";

/// Why something cannot be signed, or a signature is not good.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// A file that should be a key is none.
    #[error("{name}: not a {kind} key of minisign: {reason}")]
    NoKey {
        /// The file, or the text itself.
        name: String,
        /// `public` or `secret`.
        kind: &'static str,
        /// Why not.
        reason: String,
    },
    /// The secret key is encrypted, and this is not its password.
    #[error("{0}: wrong password for this key")]
    Password(String),
    /// What is to be the trusted comment is no line of text.
    #[error("a comment is one line of text, without control characters but tabs")]
    Comment,
    /// The key could not be used.
    #[error("signing: {0}")]
    Signing(minisign::PError),
    /// A text that should be a key, and is no file's name either.
    #[error("{0}")]
    NoText(&'static str),
    /// The signature, or what is signed, cannot be read.
    #[error(transparent)]
    Unreadable(LoadError),
    /// There is no signature where one is asked for.
    #[error("there is none: sign it with `capcheck vectors sign`, or get the file again")]
    Missing,
    /// What should be a signature is none.
    #[error("not a signature of minisign, or altered: {0}; get the file again")]
    NoSignature(String),
    /// Signed with another key.
    #[error("signed with the key {by}, and not with {asked}: ask whoever published it for the key")]
    OtherKey {
        /// The id of the key that signed.
        by: String,
        /// The id of the key that was given.
        asked: String,
    },
    /// The signature is not that of the file.
    #[error("not that of this file with this key: one of them was altered; get both again")]
    Altered,
    /// The trusted comment is not the one that was signed.
    #[error("the trusted comment was altered; get the file again")]
    AlteredComment,
}

/// The key that whoever publishes vectors gives away.
#[derive(Clone)]
pub struct PublicKey(minisign::PublicKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base64())
    }
}

impl PublicKey {
    /// The key that a text is, or that is in the file which it names.
    ///
    /// # Errors
    ///
    /// [`SignatureError::NoKey`]
    pub fn read(text_or_file: &str) -> Result<Self, SignatureError> {
        if let Some(key) = minisign::PublicKey::from_base64(text_or_file).ok().filter(is_ed25519) {
            return Ok(Self(key));
        }
        // A secret that was given for a key must not be told.
        if let Some(other) = other_kind(text_or_file, "public") {
            return Err(SignatureError::NoText(other));
        }
        let path = Path::new(text_or_file);
        if text_or_file.is_empty() || (looks_like_a_key(text_or_file) && !path.exists()) {
            return Err(SignatureError::NoText(NO_KEY));
        }
        let none =
            |reason: String| SignatureError::NoKey { name: text_or_file.to_owned(), kind: "public", reason };
        let text = key_file(path).map_err(none)?;
        if let Some(other) = text.lines().find_map(|line| other_kind(line, "public")) {
            return Err(none(other.to_owned()));
        }
        // A line of comment, and the key; or the key alone.
        let key = text.lines().find(|line| !line.starts_with(COMMENT)).unwrap_or_default().trim();
        let key = minisign::PublicKey::from_base64(key).map_err(|error| none(error.to_string()))?;
        if !is_ed25519(&key) {
            return Err(none("it is for another algorithm than Ed25519".to_owned()));
        }
        Ok(Self(key))
    }
}

/// What files of keys and signatures begin with.
const COMMENT: &str = "untrusted comment:";

/// What is said of a text that is meant for a key.
const NO_KEY: &str = "neither a public key of minisign, which is 56 characters of Base64 that begin with RW, \
                      nor the name of a file with one";

/// Long enough for a key, and of the characters of one.
fn looks_like_a_key(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
}

/// What a line of Base64 is, if not the kind of key that is asked for: minisign's files tell apart by length.
fn other_kind(line: &str, asked: &str) -> Option<&'static str> {
    let bytes = STANDARD.decode(line.trim()).ok().filter(|bytes| bytes.starts_with(b"E"))?;
    match bytes.len() {
        SECRET_KEY_BYTES if asked != "secret" => Some("this is a secret key: give its .pub"),
        PUBLIC_KEY_BYTES if asked != "public" => {
            Some("this is a public key: give the secret one, minisign's -s")
        }
        SIGNATURE_BYTES => Some("this is a signature, and no key"),
        _ => None,
    }
}

fn is_ed25519(key: &minisign::PublicKey) -> bool {
    key.to_bytes().starts_with(b"Ed")
}

/// A key file as text, or why it is none.
fn key_file(path: &Path) -> Result<String, String> {
    let bytes = read_bounded(path).map_err(|error| error.to_string())?.ok_or("there is no such file")?;
    String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())
}

/// A secret key as its file has it, perhaps encrypted.
pub struct SecretKey {
    name: String,
    text: String,
    bytes: Vec<u8>,
    encrypted: bool,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// Reads the file of a secret key.
    ///
    /// # Errors
    ///
    /// [`SignatureError::NoKey`]
    pub fn read(path: &Path) -> Result<Self, SignatureError> {
        let name = path.display().to_string();
        let none = |reason: &str| SignatureError::NoKey {
            name: name.clone(),
            kind: "secret",
            reason: reason.to_owned(),
        };
        let text = key_file(path).map_err(|reason| none(&reason))?;
        let mut lines = text.lines();
        let is_comment = lines.next().is_some_and(|line| line.starts_with(COMMENT));
        let key = lines.next().and_then(|line| STANDARD.decode(line).ok()).unwrap_or_default();
        if !is_comment || key.len() != SECRET_KEY_BYTES {
            let other = text.lines().find_map(|line| other_kind(line, "secret"));
            return Err(none(other.unwrap_or("one is a line of comment, and 212 characters of Base64")));
        }
        let encrypted = match (&key[..2], &key[2..4]) {
            (b"Ed", b"Sc") => true,
            (b"Ed", [0, 0]) => false,
            _ => return Err(none("it is for other algorithms than Ed25519 and scrypt")),
        };
        Ok(Self { name, text, bytes: key, encrypted })
    }

    /// Whether it has a password.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    fn unlock(&self, password: Option<String>) -> Result<minisign::SecretKey, SignatureError> {
        let unlocked = match self.encrypted {
            // Without a password the library would ask for one on the terminal.
            true => SecretKeyBox::from(self.text.clone()).into_secret_key(Some(password.unwrap_or_default())),
            // minisign -W leaves out the checksum, on which the library's reader of files insists.
            false => minisign::SecretKey::from_bytes(&self.bytes),
        };
        unlocked.map_err(|error| match (self.encrypted, error.kind()) {
            (true, minisign::ErrorKind::Verify) => SignatureError::Password(self.name.clone()),
            _ => SignatureError::NoKey { name: self.name.clone(), kind: "secret", reason: error.to_string() },
        })
    }
}

/// Algorithms, salt and limits of the key derivation, key id, key and checksum.
const SECRET_KEY_BYTES: usize = 6 + 32 + 8 + 8 + 8 + 64 + 32;

/// Algorithm, key id and key.
const PUBLIC_KEY_BYTES: usize = 2 + 8 + 32;

/// Algorithm, key id and signature.
const SIGNATURE_BYTES: usize = 2 + 8 + 64;

/// Signs bytes: the text of the signature's file, and the key that verifies it.
///
/// # Errors
///
/// [`SignatureError`] for a wrong password, a key that is none, or a comment of several lines.
pub fn sign(
    bytes: &[u8],
    key: &SecretKey,
    password: Option<String>,
    comment: &str,
) -> Result<(String, PublicKey), SignatureError> {
    // What stands at either end is trimmed by those who read it.
    if comment.trim() != comment || comment.chars().any(|c| c.is_control() && c != '\t') {
        return Err(SignatureError::Comment);
    }
    let secret = key.unlock(password)?;
    let public = minisign::PublicKey::from_secret_key(&secret).map_err(SignatureError::Signing)?;
    let untrusted = format!("signature from capcheck, key {}", key_id(public.keynum()));
    let signed = minisign::sign(Some(&public), &secret, bytes, Some(comment), Some(&untrusted))
        .map_err(SignatureError::Signing)?;
    Ok((signed.into_string(), PublicKey(public)))
}

/// A signature that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The comment that is signed, too.
    pub trusted_comment: String,
    /// Whether the bytes themselves are signed, and not their BLAKE2b digest, as by minisign before 0.10.
    pub legacy: bool,
}

/// Verifies the text of a signature's file.
///
/// # Errors
///
/// [`SignatureError`] for whatever is not a signature of these bytes with this key.
pub fn verify_signature(bytes: &[u8], signature: &[u8], key: &PublicKey) -> Result<Signed, SignatureError> {
    let none = |reason: &str| SignatureError::NoSignature(reason.to_owned());
    let text = std::str::from_utf8(signature).map_err(|_| none("it is no text"))?;
    let parsed = SignatureBox::from_string(text).map_err(|error| none(&error.to_string()))?;
    // The library takes a signature of the comment of any length, and fails on a short one.
    let of_comment = text.lines().nth(3).and_then(|line| STANDARD.decode(line.trim()).ok());
    if of_comment.is_none_or(|signature| signature.len() != 64) {
        return Err(none("the signature of the comment is not 64 bytes"));
    }
    // What the library trims or leaves out is not what was signed.
    if !parsed.to_string().lines().eq(text.lines()) {
        return Err(none("it is not spelled as minisign spells it"));
    }
    let (by, asked) = (key_id(parsed.keynum()), key_id(key.0.keynum()));
    if by != asked {
        return Err(SignatureError::OtherKey { by, asked });
    }
    let legacy = !parsed.is_prehashed();
    let comment = parsed.trusted_comment().map_err(|error| none(&error.to_string()))?;
    let good = |signature: &SignatureBox| {
        minisign::verify(&key.0, signature, Cursor::new(bytes), true, false, true).is_ok()
    };
    let without_comment = SignatureBox::from(SignatureBones::from(parsed.clone()));
    match (good(&without_comment), good(&parsed)) {
        (true, true) => Ok(Signed { trusted_comment: comment, legacy }),
        (true, false) => Err(SignatureError::AlteredComment),
        (false, _) => Err(SignatureError::Altered),
    }
}

/// Verifies a file whose signature stands beside it.
///
/// # Errors
///
/// As [`verify_signature`]; also where either cannot be read.
pub fn verify_signed(file: &Path, key: &PublicKey) -> Result<Signed, SignatureError> {
    let read = |path: &Path| match read_bounded(path) {
        Ok(bytes) => bytes.ok_or(SignatureError::Missing),
        Err(error) => Err(SignatureError::Unreadable(error)),
    };
    let signature = read(&signature_of(file))?;
    verify_signature(&read(file)?, &signature, key)
}

fn signature_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(SUFFIX);
    path.into()
}

/// Why a manifest was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key does not fit, or the comment.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The manifest is no longer the one that was verified.
    #[error("{0}: not the file that was verified: sign it again")]
    Changed(String),
    /// The manifest cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The signature cannot be written.
    #[error(transparent)]
    Write(#[from] PublishError),
}

/// Signs the manifest of a directory that was verified, and writes the signature beside it: its path, and the key that
/// verifies it.
///
/// # Errors
///
/// [`SignError`]
pub fn sign_manifest(
    directory: &Path,
    verified: &Summary,
    key: &SecretKey,
    password: Option<String>,
    comment: &str,
) -> Result<(PathBuf, PublicKey), SignError> {
    let manifest = directory.join(MANIFEST);
    let bytes = read_bounded(&manifest)?.unwrap_or_default();
    if sha256(&bytes) != verified.manifest_digest {
        return Err(SignError::Changed(manifest.display().to_string()));
    }
    let (text, public) = sign(&bytes, key, password, comment)?;
    let path = signature_of(&manifest);
    write(&path, &text)?;
    Ok((path, public))
}

/// As minisign writes it.
fn key_id(number: &[u8]) -> String {
    number.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}
