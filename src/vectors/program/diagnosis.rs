//! Which mistakes explain the wrong answers, taken together.

use std::collections::BTreeSet;

use super::result::{CaseResult, Manner, MistakeResult, Outcome};
use super::select::{Asked, Library};

/// A case, and what came of it.
type Tried<'l> = (Asked<'l>, CaseResult);

/// The fewest mistakes that explain every wrong answer which a mistake gives and no deviation expects.
///
/// An answer that several mistakes give is put down to the one that explains most, less what passed although the
/// mistake would show there: one mistake made everywhere is likelier than a different one in every case. A computed
/// answer says more than a refusal, which any mistake before the hash comes to.
pub(super) fn diagnose(library: &Library, tried: &[Tried<'_>]) -> Vec<MistakeResult> {
    let mut left: Vec<&Tried<'_>> =
        tried.iter().filter(|(_, result)| result.is_unexpected() && !result.mistakes.is_empty()).collect();
    let names: BTreeSet<&str> =
        left.iter().flat_map(|(_, result)| &result.mistakes).map(String::as_str).collect();
    let mut names: Vec<(&str, usize)> =
        names.into_iter().map(|name| (name, contradicted(tried, name))).collect();
    names.reverse();
    let mut found = Vec::new();
    while !left.is_empty() {
        let score = |(name, contradicted): &&(&str, usize)| {
            let explained = || left.iter().filter(|(_, result)| has(result, name));
            let computed = explained().any(|(_, result)| result.manner == Some(Manner::Other));
            let explained = explained().count();
            (explained > 0, computed, explained as i64 - *contradicted as i64)
        };
        let Some((name, _)) = names.iter().max_by_key(score).copied() else { break };
        let (explained, rest) = left.into_iter().partition(|(_, result)| has(result, name));
        left = rest;
        found.extend(told(library, name, &explained));
    }
    found
}

fn has(result: &CaseResult, mistake: &str) -> bool {
    result.mistakes.iter().any(|name| name == mistake)
}

/// How many cases passed in which the mistake would have shown.
fn contradicted(tried: &[Tried<'_>], mistake: &str) -> usize {
    let passed = tried.iter().filter(|(_, result)| result.outcome == Outcome::Passed);
    passed.filter(|(asked, _)| asked.mistaken(mistake).is_some()).count()
}

/// In the words of the file that has the first of its cases.
fn told(library: &Library, mistake: &str, explained: &[&Tried<'_>]) -> Option<MistakeResult> {
    let (asked, _) = explained.first()?;
    let (phrase, effect, reference) = library.about(asked.document, mistake);
    let cases = explained.iter().map(|(_, result)| result.id.clone()).collect();
    Some(MistakeResult { mistake: mistake.to_owned(), phrase, effect, reference, cases })
}
