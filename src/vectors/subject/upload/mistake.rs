//! The mistakes of servers with uploads; the source of the vectors has a phrase for each.

use super::claim::{self, Claim};
use super::{Answer, Bytes, Read, Topic, body, judge, read};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::mistake;
use crate::vectors::subject::json::CanonicalJson;

/// Where a server leaves the right path.
enum How {
    /// It takes the claim for another, then goes on rightly.
    Claim(fn(&str) -> String),
    /// It takes the body for another, then goes on rightly.
    Body(fn(&[u8]) -> Option<Vec<u8>>),
    /// It compares the claim with another hash than the set's.
    Hash(fn(&[u8]) -> Option<String>),
    /// As [`Hash`](How::Hash): the hash that a known mistake makes of the set.
    Hashed,
    /// It decides otherwise.
    Verdict(fn(&Upload<'_>) -> Option<Answer>),
}

/// What a mistaken server decides about.
struct Upload<'a> {
    /// The claim as it came.
    text: &'a str,
    /// The claim, if it is a hash in some spelling.
    claim: Option<Claim>,
    /// The body.
    body: Read,
}

impl Upload<'_> {
    /// The hash of the body, if that is a set.
    fn hash(&self) -> Option<&str> {
        self.body.hashes.first().map(String::as_str)
    }
}

const MISTAKES: &[(&str, How)] = &[
    (
        "claim-trusted",
        How::Verdict(|upload| upload.hash().and(upload.claim.as_ref()).map(|claim| taken(&claim.hash))),
    ),
    ("claim-unchecked", How::Verdict(|upload| upload.hash().map(|_| taken(upload.text)))),
    ("claim-ignored", How::Verdict(|upload| upload.hash().map(taken))),
    ("body-unread", How::Verdict(|upload| upload.claim.as_ref().map(|claim| taken(&claim.hash)))),
    ("prefix-compared", How::Verdict(|upload| compared(upload, |hash| hash.starts_with(upload.text)))),
    ("case-folded", How::Verdict(|upload| compared(upload, |hash| hash.eq_ignore_ascii_case(upload.text)))),
    ("spelling-kept", How::Verdict(spelling_kept)),
    ("empty-set-refused", How::Verdict(empty_set_refused)),
    ("claim-cut", How::Claim(claim::cut)),
    ("nul-cut", How::Claim(claim::until_nul)),
    ("trimmed", How::Claim(claim::trimmed)),
    ("padding-uncounted", How::Claim(claim::without_padding)),
    ("foreign-characters-skipped", How::Claim(claim::without_foreign_characters)),
    ("spare-bits-ignored", How::Claim(claim::without_spare_bits)),
    ("hex-taken", How::Claim(claim::from_hex)),
    ("decoded-twice", How::Claim(claim::decoded)),
    ("plus-as-space", How::Claim(claim::with_spaces)),
    ("slashes-merged", How::Claim(claim::with_slashes_merged)),
    ("slash-splits", How::Claim(claim::until_slash)),
    ("integers-clamped", How::Body(body::clamped)),
    ("integers-wrapped", How::Body(body::wrapped)),
    ("fractions-cut", How::Body(body::fractions_cut)),
    ("nan-as-null", How::Body(body::nan_as_null)),
    ("trailing-ignored", How::Body(body::first_value)),
    ("utf-16-taken", How::Body(body::from_utf16)),
    ("bad-utf-8-replaced", How::Body(body::with_replacements)),
    ("surrogates-replaced", How::Body(body::with_surrogates_replaced)),
    ("nothing-as-empty", How::Body(body::nothing_as_empty)),
    ("arrays-as-objects", How::Body(body::arrays_as_objects)),
    ("nulls-dropped", How::Body(body::without_nulls)),
    ("bytes-hashed", How::Hash(|body| Some(CapabilityHash::of(body).to_string()))),
    ("floats-kept", How::Hash(|body| Some(CapabilityHash::of(&body::with_floats_kept(body)?).to_string()))),
    ("non-objects-taken", How::Hash(|body| canonical_hash(body, "not-an-object"))),
    ("values-unchecked", How::Hash(|body| canonical_hash(body, "value-not-an-object"))),
    ("by-name-only", How::Hashed),
    ("composed", How::Hashed),
    ("escaped-non-ascii", How::Hashed),
    ("names-only", How::Hashed),
    ("spaced", How::Hashed),
    ("trailing-newline", How::Hashed),
    ("unsorted", How::Hashed),
    ("utf16-order", How::Hashed),
    ("wrapped", How::Hashed),
];

pub(super) fn names() -> Vec<&'static str> {
    MISTAKES.iter().map(|(name, _)| *name).collect()
}

/// What a server that makes this mistake answers; none where it cannot be made.
pub(super) fn answer(name: &str, claim: &str, body: &[u8]) -> Option<Answer> {
    let (name, how) = MISTAKES.iter().find(|(known, _)| *known == name)?;
    match how {
        How::Claim(taken_for) => {
            Some(taken_for(claim)).filter(|other| other != claim).map(|other| rightly(&other, body))
        }
        How::Body(taken_for) => taken_for(body).map(|other| rightly(claim, &other)),
        How::Hash(hash) => hash(body).map(|hash| compare(claim, hash)),
        How::Hashed => hashed(name, body).map(|hash| compare(claim, hash)),
        How::Verdict(decide) => decide(&Upload { text: claim, claim: Claim::read(claim), body: read(body) }),
    }
}

fn taken(hash: &str) -> Answer {
    Answer::Taken(hash.into())
}

/// The answer of a server that takes whatever may be taken.
fn rightly(claim: &str, body: &[u8]) -> Answer {
    judge(claim, body).expected.map_or(Answer::Refused, |known| taken(&known.sha256))
}

/// Takes a claim of this hash alone.
fn compare(claim: &str, hash: String) -> Answer {
    match Claim::read(claim) {
        Some(claim) if claim.hash == hash => Answer::Taken(hash.into()),
        _ => Answer::Refused,
    }
}

/// Takes a set if its hash passes for the claim, under that hash.
fn compared(upload: &Upload<'_>, passes: impl Fn(&str) -> bool) -> Option<Answer> {
    upload.hash().filter(|hash| passes(hash)).map(taken)
}

fn spelling_kept(upload: &Upload<'_>) -> Option<Answer> {
    let claim = upload.claim.as_ref().filter(|claim| !claim.as_written)?;
    upload.body.hashes.contains(&claim.hash).then(|| taken(upload.text))
}

fn empty_set_refused(upload: &Upload<'_>) -> Option<Answer> {
    let empty = CapabilitySet::default().hash();
    (upload.hash() == Some(empty.as_str())).then_some(Answer::Refused)
}

/// The hash of a value that is no set, for this reason.
fn canonical_hash(body: &[u8], reason: &str) -> Option<String> {
    (read(body).failure == Some(reason)).then_some(())?;
    CanonicalJson.solve(&Bytes::Hex { json_hex: body.to_vec() }).expected.map(|hashed| hashed.sha256)
}

/// The hash that a known mistake makes of a set.
fn hashed(name: &str, body: &[u8]) -> Option<String> {
    let set = CapabilitySet::parse(body).ok()?;
    let text = std::str::from_utf8(body).ok()?;
    let canonical = String::from_utf8(set.canonical_bytes()).ok()?;
    let mistake = mistake::find(name)?;
    mistake.hash_of_text(text, &canonical).or_else(|| mistake.hash_of_union(&[set]))
}
