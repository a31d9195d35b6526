//! The mistakes of servers with uploads; the source of the vectors has a phrase for each.

use super::claim::{self, Claim};
use super::{Answer, Read, judge, read};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash as Hash;
use crate::spec::mistake::{self, Made};
use crate::vectors::subject::json::{Bytes, CapabilityHash};
use crate::vectors::subject::{Topic, slashes};

/// Where a server leaves the right path, unless it makes a mistake with the hash: then it goes on rightly from there.
enum How {
    /// It takes the claim for another, then goes on rightly.
    Claim(fn(&str) -> String),
    /// It decides otherwise.
    Verdict(fn(&Upload<'_>) -> Option<Answer>),
}

/// What a mistaken server decides about.
struct Upload<'a> {
    /// The claim as it came.
    text: &'a str,
    /// The claim, if it is a hash in some spelling.
    claim: Option<Claim>,
    /// The body as it came.
    bytes: &'a [u8],
    /// The body, read.
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
    ("claim-cut", How::Claim(claim::cut)),
    ("nul-cut", How::Claim(claim::until_nul)),
    ("trimmed", How::Claim(claim::trimmed)),
    ("padding-uncounted", How::Claim(claim::without_padding)),
    ("foreign-characters-skipped", How::Claim(claim::without_foreign_characters)),
    ("spare-bits-ignored", How::Claim(claim::without_spare_bits)),
    ("hex-taken", How::Claim(claim::from_hex)),
    ("decoded-twice", How::Claim(claim::decoded)),
    ("plus-as-space", How::Claim(claim::with_spaces)),
    ("slashes-merged", How::Claim(slashes::merged)),
    ("slash-splits", How::Claim(claim::until_slash)),
    ("bytes-hashed", How::Verdict(bytes_hashed)),
    ("refuses-empty", How::Verdict(empty_set_refused)),
];

pub(super) fn names() -> Vec<&'static str> {
    let of_hashes = mistake::MISTAKES.iter().map(|mistake| mistake.name);
    MISTAKES.iter().map(|(name, _)| *name).chain(of_hashes).collect()
}

/// What a server that makes this mistake answers; none where it cannot be made.
pub(super) fn answer(name: &str, claim: &str, body: &[u8]) -> Option<Answer> {
    let Some((_, how)) = MISTAKES.iter().find(|(known, _)| *known == name) else {
        return match made_of(name, body)? {
            Made::Hash(hash) => Some(compare(claim, hash)),
            Made::Refusal => Some(Answer::Refused),
        };
    };
    match how {
        How::Claim(taken_for) => {
            let other = taken_for(claim);
            (other != claim).then(|| rightly(&other, body))
        }
        How::Verdict(decide) => {
            let upload = Upload { text: claim, claim: Claim::read(claim), bytes: body, body: read(body) };
            decide(&upload)
        }
    }
}

/// What a known mistake makes of a body that should be a set.
fn made_of(name: &str, body: &[u8]) -> Option<Made> {
    let right = CapabilityHash.solve(&Bytes::Hex { json_hex: body.to_vec() }).expected;
    let canonical = right.as_ref().map(|hashed| hashed.canonical.as_str());
    mistake::find(name)?.made_of(body, canonical, true).or_else(|| {
        // What is about unions shows in a single set, too.
        let set = CapabilitySet::parse(body).ok()?;
        mistake::find(name)?.hash_of_union(&[set]).map(Made::Hash)
    })
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

fn bytes_hashed(upload: &Upload<'_>) -> Option<Answer> {
    Some(compare(upload.text, Hash::of(upload.bytes).to_string()))
}
