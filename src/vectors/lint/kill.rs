//! Kill sets: which mistakes a case tells from a right implementation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::document::{Case, Document};
use super::super::generate::mistaken;
use super::super::subject::{InputError, Subject};
use super::Complaints;

/// Every wrong answer of every mistake that a file explains, by case and mistake.
pub(super) struct Kills<'d> {
    of: Vec<(&'d Case, BTreeMap<&'d str, Value>)>,
}

impl<'d> Kills<'d> {
    /// Makes every mistake of the file on every case. The error names the case whose input has not the right shape.
    pub(super) fn of(subject: &dyn Subject, document: &'d Document) -> Result<Self, (String, InputError)> {
        let of = |case: &'d Case| {
            let wrong = wrong_answers(subject, document, case).map_err(|error| (case.id.clone(), error))?;
            Ok((case, wrong))
        };
        Ok(Self { of: document.cases().map(of).collect::<Result<_, _>>()? })
    }

    /// How many wrong answers there are.
    pub(super) fn count(&self) -> usize {
        self.of.iter().map(|(_, wrong)| wrong.len()).sum()
    }

    /// Whether a mistake shows so often, on two of five inputs that are taken, that no flag needs to promise it.
    fn is_general(&self, mistake: &str) -> bool {
        let taken = |case: &Case| case.expected.is_some();
        let shown = self.of.iter().filter(|(case, wrong)| taken(case) && wrong.contains_key(mistake)).count();
        5 * shown > 2 * self.of.iter().filter(|(case, _)| taken(case)).count()
    }
}

fn wrong_answers<'d>(
    subject: &dyn Subject,
    document: &'d Document,
    case: &Case,
) -> Result<BTreeMap<&'d str, Value>, InputError> {
    let solution = subject.solve(&case.input)?;
    let mut wrong = BTreeMap::new();
    for mistake in document.mistakes.keys() {
        if let Some(answer) = mistaken(subject, mistake, &case.input, &solution)? {
            wrong.insert(mistake.as_str(), answer.to_value());
        }
    }
    Ok(wrong)
}

/// Checks that flags keep their promises, that no case repeats its neighbour, and that no two mistakes are one.
pub(super) fn lint(document: &Document, kills: &Kills<'_>, complaints: &mut Complaints) {
    promises(document, complaints);
    missing_flags(document, kills, complaints);
    idle_flags(document, complaints);
    neighbours(document, kills, complaints);
    twins(document, kills, complaints);
}

/// Every flag crossed with every mistake that it can show: a case does.
fn promises(document: &Document, complaints: &mut Complaints) {
    for (name, flag) in &document.flags {
        for mistake in &flag.shows {
            let shown = |case: &Case| case.flags.contains(name) && case.wrong.contains_key(mistake);
            if !document.cases().any(shown) {
                complaints.add(name, format!("shows: no case with this flag shows {mistake}"));
            }
        }
    }
}

/// What shows on a case is told there, unless it shows nearly everywhere.
fn missing_flags(document: &Document, kills: &Kills<'_>, complaints: &mut Complaints) {
    let general: BTreeSet<&str> =
        document.mistakes.keys().map(String::as_str).filter(|mistake| kills.is_general(mistake)).collect();
    for (case, wrong) in &kills.of {
        for mistake in wrong.keys().filter(|mistake| !general.contains(*mistake)) {
            if !case.wrong.contains_key(*mistake) {
                complaints.add(&case.id, format!("flags: it shows {mistake}, and none of its flags can"));
            }
        }
    }
}

/// A flag is on a case for what it shows there, or for a freedom or a rule.
fn idle_flags(document: &Document, complaints: &mut Complaints) {
    for case in document.cases() {
        for name in &case.flags {
            let Some(flag) = document.flags.get(name) else { continue };
            let shows = flag.shows.iter().any(|mistake| case.wrong.contains_key(mistake));
            if !shows && !flag.shows.is_empty() && !flag.freedom && case.rule.is_none() {
                complaints.add(&case.id, format!("flags: it shows nothing of what {name} can show"));
            }
        }
    }
}

/// No case without a mistake or a rule that it alone in its group tells from a right implementation.
fn neighbours(document: &Document, kills: &Kills<'_>, complaints: &mut Complaints) {
    let of: BTreeMap<&str, Vec<&str>> =
        kills.of.iter().map(|(case, wrong)| (case.id.as_str(), wrong.keys().copied().collect())).collect();
    for group in &document.groups {
        let mut seen = BTreeMap::new();
        for case in group.cases.iter().filter(|case| case.superseded_by.is_none()) {
            let killed = &of[case.id.as_str()];
            if killed.is_empty() && case.rule.is_none() {
                complaints.add(
                    &case.id,
                    "no mistake of this file answers it wrong: add one, or say which rule it tries",
                );
            }
            let tells = (killed, &case.failure, &case.rule);
            if let Some(earlier) = seen.insert(tells, &case.id) {
                let message = format!("nothing tells it from {earlier}: no mistake, no failure, no rule");
                complaints.add(&case.id, message);
            }
        }
    }
}

/// Two mistakes that answer every case alike are one mistake with two names.
fn twins(document: &Document, kills: &Kills<'_>, complaints: &mut Complaints) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for mistake in document.mistakes.keys() {
        let answers: Vec<Option<&Value>> =
            kills.of.iter().map(|(_, wrong)| wrong.get(mistake.as_str())).collect();
        let answers = serde_json::to_string(&answers).unwrap_or_default();
        if let Some(other) = seen.insert(answers, mistake) {
            complaints.add(mistake, format!("mistake: no case tells it from {other}"));
        }
    }
}
