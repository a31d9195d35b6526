//! Whether an answer is right, and if not, which mistake gives it.

use serde_json::{Map, Value};

use super::answer::Said;
use super::result::{CaseResult, Departure, Manner, Outcome};
use super::select::Asked;
use super::talk::Reply;
use crate::vectors::subject::Answer;
use crate::vectors::{FlagLevel, Verdict};

/// How much of a text is shown before and behind the place where it departs from another, in characters.
const AROUND: usize = 24;

/// Judges what became of a case.
pub(super) fn judge(asked: &Asked<'_>, reply: Reply, strict: bool) -> CaseResult {
    let level = asked.document.level(asked.case);
    let mut result = CaseResult {
        id: asked.case.id.clone(),
        subject: asked.subject.name().to_owned(),
        level,
        gates: strict || level == FlagLevel::Must,
        outcome: Outcome::Passed,
        manner: None,
        expected: expected(asked),
        actual: String::new(),
        mistakes: Vec::new(),
        difference: None,
        stderr: None,
        deviation: None,
    };
    match reply {
        Reply::Said(Said::Unsupported) => {
            (result.outcome, result.actual) = (Outcome::Unsupported, "unsupported".to_owned());
        }
        Reply::Said(Said::Answer { answer, beside }) => {
            result.actual = phrase(asked, &answer);
            if !asked.is_right(&answer) {
                result.outcome = Outcome::Failed;
                result.manner = Some(manner(asked, &answer));
                result.mistakes = mistakes(asked, &answer);
                result.difference = difference(asked, &beside);
            }
        }
        Reply::Broken { outcome, how, stderr } => {
            (result.outcome, result.actual) = (outcome, how);
            result.manner = Some(match outcome {
                Outcome::Hung => Manner::Hung,
                Outcome::Garbled => Manner::Garbled,
                _ => Manner::Crashed,
            });
            result.stderr = (!stderr.is_empty()).then_some(stderr);
        }
    }
    result
}

fn manner(asked: &Asked<'_>, answer: &Answer) -> Manner {
    match (answer, asked.case.result) {
        (Answer::Refused, _) => Manner::Refused,
        (Answer::Taken(_), Verdict::Invalid) => Manner::Taken,
        (Answer::Taken(_), _) => Manner::Other,
    }
}

/// The mistakes that give just this answer, by name: of all that the subject knows, not only of those that the case
/// is there to show.
fn mistakes(asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
    let gives = |name: &&str| asked.mistaken(name).as_ref() == Some(answer);
    asked.subject.mistakes().into_iter().filter(gives).map(str::to_owned).collect()
}

/// What is right, in a phrase.
fn expected(asked: &Asked<'_>) -> String {
    let case = asked.case;
    let field = asked.subject.answer();
    let right = field.and_then(|field| Some((field, case.expected.as_ref()?.get(field)?)));
    let mut ways: Vec<String> = Vec::new();
    if case.result != Verdict::Invalid {
        let also = field.into_iter().flat_map(|field| case.also.iter().map(move |value| (field, value)));
        ways.extend(right.into_iter().chain(also).map(|(field, value)| format!("valid, {field} {value}")));
        if ways.is_empty() {
            ways.push("valid".to_owned());
        }
    }
    if case.result != Verdict::Valid {
        let failure = case.failure.as_deref().unwrap_or_default();
        let why = asked.document.failures.get(failure).map(|phrase| format!(": {phrase}"));
        ways.push(format!("invalid ({failure}{})", why.unwrap_or_default()));
    }
    ways.join(", or ")
}

/// An answer, in a phrase.
fn phrase(asked: &Asked<'_>, answer: &Answer) -> String {
    match (answer, asked.subject.answer()) {
        (Answer::Refused, _) => "invalid".to_owned(),
        (Answer::Taken(value), Some(field)) => format!("valid, {field} {value}"),
        (Answer::Taken(_), None) => "valid".to_owned(),
    }
}

/// Where a text that the program computed on the way to its answer, and told, departs from the right one.
fn difference(asked: &Asked<'_>, beside: &Map<String, Value>) -> Option<Departure> {
    let expected = asked.case.expected.as_ref()?.as_object()?;
    let steps = expected.iter().filter(|(field, _)| Some(field.as_str()) != asked.subject.answer());
    let told = |(field, right): (&String, &Value)| {
        let (right, told) = (right.as_str()?, beside.get(field)?.as_str()?);
        Some(Departure::between(field, right, told))
    };
    let mut told: Vec<Departure> = steps.filter_map(told).collect();
    // The earliest step that went wrong is the one to look at; one that went right says that it was a later one.
    let first = told.iter().position(|difference| difference.at.is_some()).unwrap_or(0);
    (!told.is_empty()).then(|| told.swap_remove(first))
}

impl Departure {
    fn between(field: &str, expected: &str, actual: &str) -> Self {
        let (right, told): (Vec<char>, Vec<char>) = (expected.chars().collect(), actual.chars().collect());
        let common = right.iter().zip(&told).take_while(|(one, other)| one == other).count();
        let at = (right != told).then_some(common);
        let around = |text: &[char]| {
            let start = at.unwrap_or(0).saturating_sub(AROUND);
            let end = text.len().min(at.unwrap_or(0) + AROUND);
            let piece: String = text[start.min(end)..end].iter().collect();
            let before = if start > 0 { "…" } else { "" };
            let behind = if end < text.len() { "…" } else { "" };
            format!("{before}{piece}{behind}")
        };
        Self {
            field: field.to_owned(),
            at: at.map(|at| at + 1),
            expected: around(&right),
            actual: around(&told),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::program::select::Library;

    fn with<T>(id: &str, test: impl FnOnce(&Asked<'_>) -> T) -> T {
        let library = Library::load();
        let asked = library.cases().find(|asked| asked.case.id == id).unwrap();
        test(&asked)
    }

    fn answer(answer: Answer) -> Reply {
        Reply::Said(Said::Answer { answer, beside: Map::new() })
    }

    /// Every mistake that a case lists is found by the answer that it gives.
    #[test]
    fn a_wrong_answer_is_known_by_its_mistakes() {
        let library = Library::load();
        for asked in library.cases() {
            for (name, value) in &asked.case.wrong {
                let given = match value.as_str() {
                    Some("invalid") => Answer::Refused,
                    _ => Answer::Taken(value.clone()),
                };
                let result = judge(&asked, answer(given), false);
                assert_eq!(result.outcome, Outcome::Failed, "{}: {name}", result.id);
                assert!(result.mistakes.contains(name), "{}: {name}", result.id);
            }
        }
    }

    #[test]
    fn every_right_answer_passes() {
        let library = Library::load();
        for asked in library.cases() {
            let case = asked.case;
            let mut right = Vec::new();
            if case.result != Verdict::Valid {
                right.push(Answer::Refused);
            }
            if case.result != Verdict::Invalid {
                let expected =
                    asked.subject.answer().map(|field| case.expected.as_ref().unwrap()[field].clone());
                right.push(expected.map_or(Answer::taken(), Answer::Taken));
                right.extend(case.also.iter().cloned().map(Answer::Taken));
            }
            for right in right {
                let result = judge(&asked, answer(right), true);
                assert_eq!((result.outcome, result.manner), (Outcome::Passed, None), "{}", result.id);
            }
        }
    }

    #[test]
    fn an_answer_that_nobody_foresaw_is_shown_beside_the_right_one() {
        let reply = || {
            let beside = [("canonical".to_owned(), Value::from("{\"a\": 1}"))].into_iter().collect();
            Reply::Said(Said::Answer { answer: Answer::Taken("x".into()), beside })
        };
        with("canonical.empty-object", |asked| {
            let result = judge(asked, reply(), false);
            assert_eq!(result.manner, Some(Manner::Other));
            assert_eq!(result.actual, "valid, sha256 \"x\"");
            assert!(result.expected.starts_with("valid, sha256 \"RBNvo1"), "{}", result.expected);
            let difference = result.difference.unwrap();
            assert_eq!((difference.field.as_str(), difference.at), ("canonical", Some(2)));
            assert_eq!((difference.expected.as_str(), difference.actual.as_str()), ("{}", "{\"a\": 1}"));
        });
    }

    #[test]
    fn a_difference_is_cut_to_its_surroundings() {
        let (one, other) = (format!("{}X{}", "é".repeat(100), "b".repeat(100)), "é".repeat(100));
        let difference = Departure::between("signed", &one, &other);
        assert_eq!(difference.at, Some(101));
        assert_eq!(difference.expected, format!("…{}X{}…", "é".repeat(24), "b".repeat(23)));
        assert_eq!(difference.actual, format!("…{}", "é".repeat(24)));
        assert_eq!(Departure::between("signed", &one, &one).at, None);
    }
}
