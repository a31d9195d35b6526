//! The hash that a client claims: how it may be spelled, and how mistaken servers read it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD};
use percent_encoding::percent_decode_str;

use crate::spec::hash::CapabilityHash;

/// A hash that is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The hash, properly spelled.
    pub(super) hash: String,
    /// Whether it is properly spelled in the claim, too.
    pub(super) as_written: bool,
}

impl Claim {
    /// Reads a claim: a hash, or a spelling that a server may take for one, padded or URL-safe or both
    /// (protocol, section 5.5).
    pub(super) fn read(text: &str) -> Option<Self> {
        if CapabilityHash::parse(text).is_ok() {
            return Some(Self { hash: text.to_owned(), as_written: true });
        }
        let bare = text.strip_suffix('=').unwrap_or(text);
        let hash = if bare.contains(['+', '/']) {
            bare.to_owned()
        } else {
            bare.replace('-', "+").replace('_', "/")
        };
        CapabilityHash::parse(&hash).ok().map(|_| Self { hash, as_written: false })
    }
}

pub(super) fn cut(claim: &str) -> String {
    claim.chars().take(43).collect()
}

pub(super) fn until_nul(claim: &str) -> String {
    claim.split('\0').next().unwrap_or_default().to_owned()
}

pub(super) fn trimmed(claim: &str) -> String {
    claim.trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

pub(super) fn without_padding(claim: &str) -> String {
    claim.trim_end_matches('=').to_owned()
}

pub(super) fn without_foreign_characters(claim: &str) -> String {
    claim.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/')).collect()
}

pub(super) fn decoded(claim: &str) -> String {
    percent_decode_str(claim).decode_utf8_lossy().into_owned()
}

pub(super) fn with_spaces(claim: &str) -> String {
    claim.replace('+', " ")
}

pub(super) fn until_slash(claim: &str) -> String {
    claim.split('/').next().unwrap_or_default().to_owned()
}

/// From 64 hexadecimal digits.
pub(super) fn from_hex(claim: &str) -> String {
    match hex::decode(claim) {
        Ok(digest) if digest.len() == 32 => STANDARD_NO_PAD.encode(digest),
        _ => claim.to_owned(),
    }
}

/// Decoded without a look at the bits that the last character has to spare, and encoded again.
pub(super) fn without_spare_bits(claim: &str) -> String {
    let lax = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    match lax.decode(claim) {
        Ok(digest) if digest.len() == 32 => STANDARD_NO_PAD.encode(digest),
        _ => claim.to_owned(),
    }
}
