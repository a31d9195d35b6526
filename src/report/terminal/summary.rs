//! What is not a failure: the untestable, the not applicable, the table, the verdict, and what to do next.

use crate::engine::result::{RunResult, Selection, Stopped, Suite, Tally, Verdict};
use crate::outcome::Outcome;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text::{self, plural};

use super::failure;

/// Where an outcome of scenarios has a section of its own: outcome, title, what it means.
const SECTIONS: [(Outcome, Ink, &str, &str); 3] = [
    (Outcome::Failed, Ink::Bad, "Failed without a finding", ""),
    (
        Outcome::Untestable,
        Ink::Warn,
        "Untestable",
        "A prerequisite broke, so nothing is known. This is not a pass, and not the target's non-conformance.",
    ),
    (
        Outcome::HarnessFault,
        Ink::Warn,
        "The suite's own faults",
        "capcheck itself broke here. This says nothing about the target; please report it.",
    ),
];

/// How many endpoints are told of.
const DEAREST: usize = 3;

/// So many ids are named under a reason, unless verbose.
const NAMED: usize = 5;

/// Ids under reasons of one cause.
struct Grouped<'a> {
    cause: String,
    /// The first of the reasons.
    reason: &'a str,
    /// Whether another is not to the letter the same.
    varies: bool,
    ids: Vec<&'a str>,
}

/// Groups ids by why: what differs only in names that this run made and in times has one cause.
fn by_cause<'a>(
    items: impl Iterator<Item = (Option<&'a String>, &'a str)>,
    run_id: &str,
) -> Vec<Grouped<'a>> {
    let mut groups: Vec<Grouped<'a>> = Vec::new();
    for (reason, id) in items {
        let reason = reason.map_or("no reason was given", String::as_str);
        let cause = text::cause(reason, run_id);
        match groups.iter_mut().find(|known| known.cause == cause) {
            Some(known) => {
                known.varies |= known.reason != reason;
                known.ids.push(id);
            }
            None => groups.push(Grouped { cause, reason, varies: false, ids: vec![id] }),
        }
    }
    groups
}

/// Scenarios that ended without an answer, by cause.
pub(crate) fn unanswered(page: &mut Page, result: &RunResult) {
    for (outcome, ink, title, meaning) in SECTIONS {
        let groups = by_cause(
            result
                .scenarios
                .iter()
                .filter(|s| s.outcome == outcome && s.findings.is_empty())
                .map(|s| (s.reason.as_ref(), s.id.as_str())),
            &result.run_id,
        );
        grouped(page, ink, title, meaning, &groups, "scenario");
    }
    let orphans = by_cause(
        result
            .requirements
            .iter()
            .filter(|r| r.outcome == Outcome::Untestable && !explained(result, &r.scenarios))
            .map(|r| (r.reason.as_ref(), r.id.as_str())),
        &result.run_id,
    );
    let meaning = "Their scenarios ended, and yet these rules were never put to the test.";
    grouped(page, Ink::Warn, "Never put to the test", meaning, &orphans, "requirement");
}

/// Whether one of these scenarios says already why its requirements are untestable.
fn explained(result: &RunResult, ids: &[String]) -> bool {
    let silent = |outcome| matches!(outcome, Outcome::Untestable | Outcome::HarnessFault);
    result.scenarios.iter().any(|s| silent(s.outcome) && ids.contains(&s.id))
}

fn grouped(page: &mut Page, ink: Ink, title: &str, meaning: &str, groups: &[Grouped<'_>], noun: &str) {
    if groups.is_empty() {
        return;
    }
    let affected = groups.iter().map(|group| group.ids.len()).sum();
    page.title(ink, &format!("{title}: {}", plural(affected, noun)));
    if !meaning.is_empty() {
        page.paragraph(2, Ink::Dim, "", meaning);
    }
    page.gap();
    let most = if page.style.verbose { usize::MAX } else { NAMED };
    for group in groups {
        page.field("reason", &text::phrase(group.reason));
        if group.varies {
            page.field("", "(the first of several that differ in names of this run, or in times)");
        }
        page.field("where", &some(&group.ids, most));
        page.gap();
    }
}

/// So many of the ids at most, and how many there are besides.
fn some(ids: &[&str], most: usize) -> String {
    let shown = text::escape(&ids[..ids.len().min(most)].join(" "));
    match ids.len().saturating_sub(most) {
        0 => shown,
        // One more takes no more room than saying so.
        1 => text::escape(&ids.join(" ")),
        more => format!("{shown} and {} more", text::number(more as u64)),
    }
}

/// What was noticed, and is nobody's failure.
pub(crate) fn observations(page: &mut Page, result: &RunResult) {
    if result.observations.is_empty() {
        return;
    }
    page.title(Ink::Strong, "Noticed");
    let mut noticed: Vec<(&str, usize)> = Vec::new();
    for observation in &result.observations {
        match noticed.iter_mut().find(|(known, _)| known == observation) {
            Some((_, times)) => *times += 1,
            None => noticed.push((observation, 1)),
        }
    }
    for (observation, times) in noticed {
        let count = if times > 1 { format!(" ({times} times)") } else { String::new() };
        page.paragraph(2, Ink::Dim, "", &(text::phrase(observation) + &count));
    }
    page.gap();
}

/// Requirements, and scenarios apart from them, that do not apply: a row for each reason.
pub(crate) fn not_applicable(page: &mut Page, result: &RunResult) {
    let requirements = result
        .requirements
        .iter()
        .filter(|r| r.outcome == Outcome::NotApplicable)
        .map(|r| (r.reason.as_ref(), r.id.as_str()));
    let told: Vec<&str> = requirements.clone().map(|(_, id)| id).collect();
    let scenarios = result
        .scenarios
        .iter()
        .filter(|s| s.outcome == Outcome::NotApplicable)
        .filter(|s| !s.requirements.iter().all(|id| told.contains(&id.as_str())))
        .map(|s| (s.reason.as_ref(), s.id.as_str()));
    let requirements = by_cause(requirements, &result.run_id);
    let mut rows: Vec<(&str, String)> =
        requirements.iter().map(|group| (group.reason, named(&group.ids, "requirement"))).collect();
    for Grouped { reason, ids, .. } in by_cause(scenarios, &result.run_id) {
        let names = named(&ids, "scenario");
        match rows.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, row)) => *row += &format!("; {names}"),
            None => rows.push((reason, names)),
        }
    }
    if rows.is_empty() {
        return;
    }
    page.title(Ink::Strong, "Not applicable");
    for (reason, names) in rows {
        page.paragraph(2, Ink::Strong, "", &format!("{} ({names})", text::phrase(reason)));
    }
}

/// How many there are, and which, or the first of many.
fn named(ids: &[&str], noun: &str) -> String {
    let first = text::escape(ids.first().copied().unwrap_or_default());
    match ids.len() {
        0 | 1 => format!("{noun} {first}"),
        n => format!("{}: {first} and {} more", plural(n, noun), text::number(n as u64 - 1)),
    }
}

/// Requirements by area and outcome.
pub(crate) fn table(page: &mut Page, result: &RunResult) {
    let mut areas: Vec<(&str, Tally)> = Vec::new();
    for requirement in &result.requirements {
        let area = requirement.id.split('.').next().unwrap_or_default();
        let at = areas.iter().position(|(known, _)| *known == area).unwrap_or_else(|| {
            areas.push((area, Tally::default()));
            areas.len() - 1
        });
        count(&mut areas[at].1, requirement.outcome);
    }
    if areas.is_empty() {
        return;
    }
    let heading = format!(
        "{:14}{:>8}{:>8}{:>12}{:>16}",
        "Requirements", "passed", "failed", "untestable", "not applicable"
    );
    page.title(Ink::Strong, &heading);
    for (area, tally) in &areas {
        line(page, area, tally);
    }
    if areas.len() > 1 {
        line(page, "all", &result.counts.requirements);
    }
}

fn count(tally: &mut Tally, outcome: Outcome) {
    tally.total += 1;
    *match outcome {
        Outcome::Passed => &mut tally.passed,
        Outcome::Failed => &mut tally.failed,
        Outcome::Untestable => &mut tally.untestable,
        Outcome::NotApplicable => &mut tally.not_applicable,
        Outcome::HarnessFault => &mut tally.harness_fault,
    } += 1;
}

fn line(page: &mut Page, area: &str, tally: &Tally) {
    let cell = |n: usize, width: usize, ink: Ink| {
        let text = if n == 0 { "-".to_owned() } else { text::number(n as u64) };
        page.style.paint(if n == 0 { Ink::Dim } else { ink }, &format!("{text:>width$}"))
    };
    let row = [
        format!("{:14}", text::escape(area)),
        cell(tally.passed, 8, Ink::Good),
        cell(tally.failed, 8, Ink::Bad),
        cell(tally.untestable, 12, Ink::Warn),
        cell(tally.not_applicable, 16, Ink::Dim),
    ]
    .concat();
    page.row(&row);
}

/// The verdict, what it rests on, and what to do next. `again` is the command that repeats the run.
pub(crate) fn verdict(page: &mut Page, result: &RunResult, again: &str) {
    page.gap();
    let (ink, word) = match result.verdict {
        Verdict::Conformant => (Ink::Good, "CONFORMANT"),
        Verdict::NonConformant => (Ink::Bad, "NON-CONFORMANT"),
        Verdict::Incomplete => (Ink::Warn, "INCOMPLETE"),
    };
    page.paragraph(0, ink, word, &format!("  {}", grounds(result)));
    let besides = result.requirements.iter().filter(|r| !r.gating && r.outcome == Outcome::Failed).count();
    if besides > 0 {
        page.field("besides", &format!("{} failed without gating this run", plural(besides, "requirement")));
    }
    if let Some(stopped) = result.stopped {
        page.field(
            "stopped",
            match stopped {
                Stopped::Interrupted => {
                    "by Ctrl-C: the rest is untestable, and what failed until then did fail"
                }
                Stopped::FailFast => "by --fail-fast, after the first failure: the rest is untestable",
            },
        );
    }
    page.field("selected", &selected(&result.selection));
    page.field("run", &run(result));
    if page.style.verbose && !result.endpoints.is_empty() {
        page.field("dearest", &dearest(result));
    }
    if page.style.verbose {
        page.field("judged by", &judged_by(result));
    }
    next(page, result, again);
}

fn grounds(result: &RunResult) -> String {
    if let Some(reason) = &result.preflight_error {
        return format!("nothing could be tested: {}", text::phrase(reason));
    }
    let Tally { total, passed, failed, untestable, not_applicable, .. } = result.counts.gating;
    let applicable = total.saturating_sub(not_applicable);
    let mut grounds =
        format!("{passed} passed of {applicable} applicable of {}", plural(total, "gating requirement"));
    for (n, word) in [(failed, "failed"), (untestable, "untestable")] {
        if n > 0 {
            grounds += &format!("; {n} {word}");
        }
    }
    // No requirement tells of it.
    let is_open = |outcome| matches!(outcome, Outcome::Untestable | Outcome::HarnessFault);
    let drawn = result.scenarios.iter().filter(|s| s.id.starts_with("properties::"));
    match drawn.filter(|s| is_open(s.outcome)).count() {
        0 => {}
        1 => grounds += "; 1 property could not be performed to its end",
        many => grounds += &format!("; {many} properties could not be performed to their end"),
    }
    grounds
}

fn selected(selection: &Selection) -> String {
    let mut parts = Vec::new();
    let globs = |option: &str, globs: &[String]| {
        globs.iter().map(|glob| format!(" {option} {}", text::shell_word(glob))).collect::<String>()
    };
    let picked = globs("--only", &selection.only) + &globs("--skip", &selection.skip);
    parts.push(if picked.is_empty() { "every scenario".to_owned() } else { picked.trim().to_owned() });
    parts.extend(selection.level.map(|level| format!("--level {level}")));
    parts.push(if selection.strict { "--strict: musts and shoulds gate" } else { "musts gate" }.to_owned());
    text::escape(&parts.join("; "))
}

fn run(result: &RunResult) -> String {
    let counts = &result.counts;
    let obeyed = match counts.rate_limited {
        0 => String::new(),
        n => format!(", {} with 429 obeyed", plural(n as usize, "answer")),
    };
    format!(
        "{} and {} in {} ({}/s){obeyed}; seed {}, run id {}; capcheck {}",
        plural(counts.scenarios.total, "scenario"),
        plural(counts.requests as usize, "request"),
        text::duration(result.duration_ms),
        text::number(counts.requests_per_second),
        result.seed,
        text::escape(&result.run_id),
        text::escape(&result.suite.version),
    )
}

/// What reports must have in common to be compared.
fn judged_by(result: &RunResult) -> String {
    let Suite { requirements_digest, vectors_digest, .. } = &result.suite;
    format!("requirements {}, vectors {}", text::escape(requirements_digest), text::escape(vectors_digest))
}

/// Where the time went: what the target was asked that it did not have to hold.
fn dearest(result: &RunResult) -> String {
    let prompt = result.endpoints.iter().filter(|endpoint| !endpoint.held);
    let told = prompt.take(DEAREST).map(|endpoint| {
        let place = endpoint.operation.clone().unwrap_or_else(|| endpoint.path.clone());
        let (method, times) = (&endpoint.method, text::number(endpoint.requests));
        format!("{method} {place} {times} times, {} in all", text::duration(endpoint.total_ms))
    });
    text::escape(&told.collect::<Vec<_>>().join("; "))
}

fn next(page: &mut Page, result: &RunResult, again: &str) {
    let strict = if result.selection.strict { " --strict" } else { "" };
    let rerun = |id: &str| {
        format!("{again} --only {}{strict} --seed {}", text::shell_word(&text::escape(id)), result.seed)
    };
    let doctor = || again.replacen("capcheck run", "capcheck doctor", 1);
    let mut steps: Vec<String> = Vec::new();
    // Where the environment is at fault, what failed without gating is not what holds the run up.
    let broken = failure::broken(result);
    if result.preflight_error.is_some() {
        steps.push(doctor());
    } else if let Some(broken) = broken.first().filter(|_| result.verdict != Verdict::Incomplete) {
        steps.push(format!("capcheck explain {}", text::shell_word(&text::escape(broken.id))));
        steps.extend(broken.hits.first().map(|(scenario, _)| rerun(&scenario.id)));
    } else {
        let open = |outcome| matches!(outcome, Outcome::Untestable | Outcome::HarnessFault);
        let obstructed = result.scenarios.iter().find(|s| open(s.outcome));
        if obstructed.is_some() || result.verdict == Verdict::Incomplete {
            steps.push(doctor());
        }
        steps.extend(obstructed.map(|s| rerun(&s.id)));
    }
    page.rows("next", steps);
}
