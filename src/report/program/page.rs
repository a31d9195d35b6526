//! The page for people: what is wrong with the program, mistake by mistake, and what to do next.

use crate::report::page::Page;
use crate::report::style::{Ink, Style};
use crate::report::text::{self, plural};
use crate::vectors::program::{
    CaseResult, Conformance, DeviationResult, MistakeResult, Outcome, ProgramResult, SubjectResult,
};

/// So many ids are named in a row, unless verbose.
const NAMED: usize = 5;

/// So many failures are told in full that no mistake explains, unless verbose.
const TOLD: usize = 10;

/// Failures for want of an answer: outcome, and what it means.
const BREAKDOWNS: [(Outcome, &str); 3] = [
    (Outcome::Crashed, "A program that ends without an answer has not refused the input."),
    (Outcome::Hung, "A program that does not answer has not refused the input."),
    (Outcome::Garbled, "What cannot be understood is no answer."),
];

/// The page about a test.
pub fn page(result: &ProgramResult, style: Style) -> String {
    let mut page = Page::new(style);
    let program: Vec<String> = result.program.iter().map(|word| text::shell_word(word)).collect();
    page.verbatim("program", &text::phrase(&program.join(" ")));
    let digest = result.suite.manifest_sha256.get(..16).unwrap_or_default();
    page.field("vectors", &format!("capcheck {}, manifest {digest}…", result.suite.version));
    for mistake in &result.mistakes {
        put_mistake(&mut page, result, mistake);
    }
    put_unexplained(&mut page, result);
    for (outcome, meaning) in BREAKDOWNS {
        put_breakdowns(&mut page, result, outcome, meaning);
    }
    put_deviations(&mut page, result);
    if style.verbose {
        put_passed(&mut page, result);
    }
    put_subjects(&mut page, &result.subjects);
    put_verdict(&mut page, result);
    page.finish()
}

/// What failed, nothing said that it would, and this holds of.
fn unexpected<'r>(
    result: &'r ProgramResult,
    wanted: impl Fn(&CaseResult) -> bool + 'r,
) -> impl Iterator<Item = &'r CaseResult> {
    result.cases.iter().filter(move |case| case.is_unexpected() && wanted(case))
}

/// The word before a failure, and its ink: what does not gate is told and does no harm.
fn mark<'c>(mut cases: impl Iterator<Item = &'c CaseResult>) -> (Ink, &'static str) {
    match cases.any(|case| case.gates) {
        true => (Ink::Bad, "FAILED"),
        false => (Ink::Warn, "failed, does not gate"),
    }
}

fn put_mistake(page: &mut Page, result: &ProgramResult, mistake: &MistakeResult) {
    let cases: Vec<&CaseResult> = unexpected(result, |case| mistake.cases.contains(&case.id)).collect();
    let (ink, word) = mark(cases.iter().copied());
    page.gap();
    let told = format!("  {}: {}: {}", plural(cases.len(), "case"), mistake.mistake, mistake.phrase);
    page.paragraph(0, ink, word, &told);
    page.field("effect", &mistake.effect);
    page.field("reference", &mistake.reference);
    page.field("cases", &some(page, cases.iter().map(|case| case.id.as_str()).collect()));
    let Some(first) = cases.first() else { return };
    let others: Vec<&str> =
        first.mistakes.iter().map(String::as_str).filter(|name| *name != mistake.mistake).collect();
    if !others.is_empty() {
        page.field("or", &format!("{} answers {} like this, too", others.join(", "), first.id));
    }
    put_answers(page, first);
    page.verbatim("next", &explain(&first.id));
}

fn put_unexplained(page: &mut Page, result: &ProgramResult) {
    let cases: Vec<&CaseResult> =
        unexpected(result, |case| case.outcome == Outcome::Failed && case.mistakes.is_empty()).collect();
    if cases.is_empty() {
        return;
    }
    let most = if page.style.verbose { usize::MAX } else { TOLD };
    for case in cases.iter().take(most) {
        let (ink, word) = mark([*case].into_iter());
        page.gap();
        page.paragraph(0, ink, word, &format!("  {}: an answer that no known mistake gives", case.id));
        put_answers(page, case);
        page.verbatim("next", &explain(&case.id));
    }
    if cases.len() > most {
        page.gap();
        let left = cases[most..].iter().map(|case| case.id.as_str()).collect();
        let title = format!("{} more that no known mistake explains", cases.len() - most);
        page.title(Ink::Bad, &title);
        page.field("cases", &some(page, left));
    }
}

/// The right answer and the program's, and where they part.
fn put_answers(page: &mut Page, case: &CaseResult) {
    page.field("expected", &text::phrase(&case.expected));
    page.field("answered", &text::phrase(&case.actual));
    let Some(difference) = &case.difference else { return };
    match difference.at {
        Some(at) => {
            page.field(&difference.field, &format!("differs from character {at} on"));
            page.field("", &format!("right is {}", text::phrase(&format!("{:?}", difference.expected))));
            page.field("", &format!("answered {}", text::phrase(&format!("{:?}", difference.actual))));
        }
        None => page.field(&difference.field, "is right; what is made of it is not"),
    }
}

fn put_breakdowns(page: &mut Page, result: &ProgramResult, outcome: Outcome, meaning: &str) {
    let mut left: Vec<&CaseResult> = unexpected(result, |case| case.outcome == outcome).collect();
    if left.is_empty() {
        return;
    }
    let (ink, word) = mark(left.iter().copied());
    let title = format!("{word}  {}: {}", plural(left.len(), "case"), outcome.word());
    page.title(ink, &title);
    page.paragraph(2, Ink::Dim, "", meaning);
    while let Some(first) = left.first().copied() {
        let (same, others) = left.into_iter().partition(|case| kind(case) == kind(first));
        left = others;
        let same: Vec<&CaseResult> = same;
        page.gap();
        page.field("what", &text::phrase(&first.actual));
        page.field("cases", &some(page, same.iter().map(|case| case.id.as_str()).collect()));
        if let Some(stderr) = &first.stderr {
            page.field("stderr", &format!("at {}:", text::escape(&first.id)));
            page.quote('|', stderr, 8);
        }
        page.verbatim("next", &explain(&first.id));
    }
}

/// What breakdowns of one kind have in common: all words but those that the program said itself.
fn kind(case: &CaseResult) -> &str {
    case.actual.split('"').next().unwrap_or_default()
}

fn put_deviations(page: &mut Page, result: &ProgramResult) {
    let occurred = |deviation: &&DeviationResult| !deviation.occurred.is_empty();
    let expected: Vec<&DeviationResult> = result.deviations.iter().filter(occurred).collect();
    if !expected.is_empty() {
        let title = format!("Expected deviations: {}", plural(result.counts.expected, "case"));
        page.title(Ink::Strong, &title);
        page.gap();
    }
    for deviation in expected {
        page.field("deviates", &text::phrase(&deviation.deviates));
        page.field("reason", &text::phrase(&deviation.reason));
        page.field("cases", &some(page, deviation.occurred.iter().map(String::as_str).collect()));
        page.gap();
    }
    for deviation in &result.deviations {
        for glob in &deviation.stale {
            page.gap();
            let told = format!(
                "  the deviation {:?} of {glob:?} no longer occurs: take it out of the list",
                deviation.deviates
            );
            page.paragraph(0, Ink::Bad, "STALE", &text::phrase(&told));
            page.field("reason", &text::phrase(&deviation.reason));
        }
    }
}

fn put_passed(page: &mut Page, result: &ProgramResult) {
    for outcome in [Outcome::Passed, Outcome::Unsupported] {
        let ids: Vec<&str> =
            result.cases.iter().filter(|case| case.outcome == outcome).map(|case| case.id.as_str()).collect();
        if !ids.is_empty() {
            page.title(Ink::Strong, &format!("{}: {}", capital(outcome.word()), plural(ids.len(), "case")));
            page.field("cases", &ids.join(" "));
        }
    }
}

fn put_subjects(page: &mut Page, subjects: &[SubjectResult]) {
    page.title(Ink::Strong, "Subjects");
    page.row(&format!("  {:<20}{:>8}{:>8}{:>10}{:>13}", "", "passed", "failed", "expected", "unsupported"));
    for SubjectResult { subject, counts } in subjects {
        let failed = counts.failures() - counts.expected;
        let row = format!(
            "  {subject:<20}{:>8}{failed:>8}{:>10}{:>13}",
            counts.passed, counts.expected, counts.unsupported
        );
        page.row(&row);
    }
}

fn put_verdict(page: &mut Page, result: &ProgramResult) {
    let counts = &result.counts;
    let failed = counts.failures() - counts.expected;
    let passed = format!("{} of {} passed", counts.passed, plural(counts.selected, "case"));
    let (ink, word) = match result.verdict {
        Conformance::Conformant => (Ink::Good, "CONFORMANT"),
        Conformance::AsExpected => (Ink::Good, "AS EXPECTED"),
        Conformance::NonConformant => (Ink::Bad, "NON-CONFORMANT"),
        Conformance::Incomplete => (Ink::Warn, "INCOMPLETE"),
    };
    let some = |n: usize, words: &str| (n > 0).then(|| format!("{n} {words}"));
    let told: Vec<String> = [
        Some(passed),
        some(failed - counts.not_gating, "failed"),
        some(counts.not_gating, "failed that do not gate"),
        some(counts.expected, "deviate as expected"),
        some(result.deviations.iter().map(|deviation| deviation.stale.len()).sum(), "expected and not found"),
        some(counts.unsupported, "unsupported"),
        some(counts.untried(), "not tried"),
    ]
    .into_iter()
    .flatten()
    .collect();
    page.gap();
    let took = text::duration(result.duration_ms);
    page.paragraph(0, ink, word, &format!("  {}, in {took}", told.join(", ")));
    for why in why_incomplete(result) {
        page.paragraph(2, Ink::Warn, "", &why);
    }
}

/// What keeps the test from telling more, a sentence each.
pub(super) fn why_incomplete(result: &ProgramResult) -> Vec<String> {
    let mut why = Vec::new();
    if result.interrupted {
        why.push("It was interrupted.".to_owned());
    }
    if result.gave_up {
        let untried = plural(result.counts.untried(), "case");
        why.push(format!("It hung at several cases in a row and was given up: {untried} not tried."));
    }
    if result.counts.passed == 0 {
        why.push("No case passed, so nothing is shown.".to_owned());
    }
    for subject in result.subjects.iter().filter(|subject| subject.is_partial()) {
        why.push(format!(
            "{}: some cases are answered and {} are called unsupported, which is said of subjects; leave out \
             cases with --skip or --without.",
            subject.subject, subject.counts.unsupported
        ));
    }
    why
}

fn explain(id: &str) -> String {
    format!("capcheck vectors explain {}", text::shell_word(id))
}

/// The ids, or the first of them, and how many there are besides.
fn some(page: &Page, ids: Vec<&str>) -> String {
    let most = if page.style.verbose { ids.len() } else { NAMED.min(ids.len()) };
    let shown = text::escape(&ids[..most].join(" "));
    match ids.len() - most {
        0 => shown,
        more => format!("{shown} … and {more} more (--verbose)"),
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}
