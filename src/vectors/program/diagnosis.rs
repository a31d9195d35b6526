//! Which mistakes explain the wrong answers, taken together.

use std::collections::BTreeSet;

use super::result::{CaseResult, MistakeResult, Outcome};
use super::select::Asked;

/// The fewest mistakes that explain every wrong answer which a mistake gives and no deviation expects.
///
/// An answer that several mistakes give is put down to the one that explains most, less what passed although the
/// mistake would show there: one mistake made everywhere is likelier than a different one in every case.
pub(super) fn diagnose(asked: &[(Asked<'_>, CaseResult)]) -> Vec<MistakeResult> {
    let mut left: Vec<&(Asked<'_>, CaseResult)> =
        asked.iter().filter(|(_, result)| result.is_unexpected() && !result.mistakes.is_empty()).collect();
    let mut found = Vec::new();
    loop {
        let names: BTreeSet<&String> = left.iter().flat_map(|(_, result)| &result.mistakes).collect();
        let explains =
            |name: &String| left.iter().filter(|(_, result)| result.mistakes.contains(name)).count();
        let likeliest = names
            .into_iter()
            .rev()
            .max_by_key(|name| explains(name) as i64 - contradicted(asked, name) as i64);
        let Some(name) = likeliest.cloned() else { return found };
        let (explained, rest) = left.into_iter().partition(|(_, result)| result.mistakes.contains(&name));
        left = rest;
        found.extend(told(&name, &explained));
    }
}

/// How many cases passed in which the mistake would have shown.
fn contradicted(asked: &[(Asked<'_>, CaseResult)], name: &String) -> usize {
    asked
        .iter()
        .filter(|(asked, result)| result.outcome == Outcome::Passed && asked.case.wrong.contains_key(name))
        .count()
}

/// In the words of the file that has the first of its cases.
fn told(name: &str, explained: &[&(Asked<'_>, CaseResult)]) -> Option<MistakeResult> {
    let (asked, _) = explained.first()?;
    let flags = asked.case.flags.iter().filter_map(|flag| asked.document.flags.get(flag));
    let flag = flags.into_iter().find(|flag| flag.shows.iter().any(|shown| shown == name));
    Some(MistakeResult {
        mistake: name.to_owned(),
        phrase: asked.document.mistakes.get(name).cloned().unwrap_or_default(),
        effect: flag.map(|flag| flag.effect.clone()).unwrap_or_default(),
        reference: flag.map(|flag| flag.reference.clone()).unwrap_or_default(),
        cases: explained.iter().map(|(_, result)| result.id.clone()).collect(),
    })
}
