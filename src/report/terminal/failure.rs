//! Failures: one broken rule at a time, with whose word it is, what was seen, and how to see it again.

use crate::engine::result::{RunResult, ScenarioResult};
use crate::outcome::Finding;
use crate::report::page::Page;
use crate::report::style::{Ink, Style};
use crate::report::text;
use crate::spec::requirement::{self, Basis, Requirement};
use crate::wire::Recorded;

/// So many broken requirements are told in full; the rest in two rows each, unless verbose.
const IN_FULL: usize = 10;
/// So many rows of further checks are shown per requirement, unless verbose.
const ALSO: usize = 12;
/// A row says what was found if it has room for so many characters of that.
const LEAST_FOUND: usize = 16;
/// The most rows of a request's body.
const REQUEST_ROWS: usize = 6;
/// The most rows of an answer's body.
const RESPONSE_ROWS: usize = 8;
/// The longest curl line that is worth a screen, in characters.
const LONGEST_CURL: usize = 2_000;
/// The answer's headers that explain something; a report in JSON has them all.
const TELLING_HEADERS: [&str; 8] = [
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "location",
    "retry-after",
    "www-authenticate",
    "server",
];

/// A broken requirement and all that was found against it.
#[derive(Debug)]
pub(crate) struct Broken<'a> {
    /// The requirement's id.
    pub(crate) id: &'a str,
    /// Whether it counts towards the verdict.
    pub(crate) gating: bool,
    /// What was found, in the order of the scenarios; never empty.
    pub(crate) hits: Vec<(&'a ScenarioResult, &'a Finding)>,
}

/// What broke, by requirement: one broken thing breaks ten scenarios. Gating ones first.
pub(crate) fn broken(result: &RunResult) -> Vec<Broken<'_>> {
    let mut groups: Vec<Broken<'_>> = Vec::new();
    for scenario in &result.scenarios {
        for finding in &scenario.findings {
            match groups.iter_mut().find(|group| group.id == finding.requirement) {
                Some(group) => group.hits.push((scenario, finding)),
                None => groups.push(Broken {
                    id: &finding.requirement,
                    gating: gates(result, &finding.requirement),
                    hits: vec![(scenario, finding)],
                }),
            }
        }
    }
    for group in &mut groups {
        // The finding that is told in full should be one that can be sent again.
        group.hits.sort_by_key(|(_, finding)| finding.exchange.is_none());
    }
    let place = |id: &str| result.requirements.iter().position(|r| r.id == id).unwrap_or(usize::MAX);
    groups.sort_by_key(|group| (!group.gating, place(group.id)));
    groups
}

/// Whether a requirement counts towards the verdict of this run.
pub(crate) fn gates(result: &RunResult, id: &str) -> bool {
    result.requirements.iter().any(|r| r.id == id && r.gating)
}

/// The section of failures.
pub(crate) fn section(page: &mut Page, result: &RunResult) {
    let groups = broken(result);
    if groups.is_empty() {
        return;
    }
    page.title(Ink::Bad, "Failures");
    page.gap();
    let in_full = if page.style.verbose { usize::MAX } else { IN_FULL };
    for group in groups.iter().take(in_full) {
        full(page, group);
        page.gap();
    }
    if groups.len() > in_full {
        page.row(&format!("and {} in short:", text::plural(groups.len() - in_full, "more requirement")));
        page.gap();
        for group in &groups[in_full..] {
            short(page, group);
        }
        page.gap();
    }
}

fn full(page: &mut Page, group: &Broken<'_>) {
    heading(page, group.id, group.gating);
    rule(page, group.id);
    let Some(((scenario, finding), rest)) = group.hits.split_first() else { return };
    evidence(page, scenario, finding);
    if page.style.verbose {
        also_in_full(page, rest);
    } else {
        also(page, rest);
    }
}

/// A scenario, and findings of it.
type Findings<'a> = (&'a ScenarioResult, Vec<&'a Finding>);

/// The findings by scenario, because a scenario is what one runs again.
fn by_scenario<'a>(hits: &[(&'a ScenarioResult, &'a Finding)]) -> Vec<Findings<'a>> {
    let mut groups: Vec<Findings<'a>> = Vec::new();
    for &(scenario, finding) in hits {
        match groups.iter_mut().find(|(known, _)| known.id == scenario.id) {
            Some((_, findings)) => findings.push(finding),
            None => groups.push((scenario, vec![finding])),
        }
    }
    groups
}

/// Further checks that failed, in a row each, or one for all that would read alike.
fn also(page: &mut Page, hits: &[(&ScenarioResult, &Finding)]) {
    let mut rows = Vec::new();
    let (mut room, mut told) = (ALSO, 0);
    let mut scenarios = by_scenario(hits).into_iter();
    for (scenario, findings) in scenarios.by_ref() {
        rows.push(text::fit(&text::escape(&scenario.id), page.room()));
        let alike = alike(&findings, page.room() - 2);
        for (row, times) in alike.iter().take(room) {
            rows.push(format!("  {row}"));
            told += times;
        }
        room = room.saturating_sub(alike.len());
        if room == 0 {
            break;
        }
    }
    if told < hits.len() {
        let mut rest = format!("and {}", text::plural(hits.len() - told, "more check"));
        for (i, (scenario, _)) in scenarios.enumerate() {
            rest += if i == 0 { ", also in " } else { " " };
            rest += &text::escape(&scenario.id);
        }
        rows.extend(text::wrap(&rest, page.room()));
    }
    page.rows("also in", rows);
}

/// Findings as rows of at most `width` characters, and how many findings each row stands for.
fn alike(findings: &[&Finding], width: usize) -> Vec<(String, usize)> {
    let mut groups: Vec<(String, &Finding, usize)> = Vec::new();
    for finding in findings {
        let row = told(finding, width);
        match groups.iter_mut().find(|(known, ..)| *known == row) {
            Some((_, _, times)) => *times += 1,
            None => groups.push((row, finding, 1)),
        }
    }
    let counted = groups.into_iter().map(|(row, finding, times)| match times {
        1 => (row, 1),
        _ => {
            let count = format!(" ({times} times)");
            (told(finding, width.saturating_sub(count.len())) + &count, times)
        }
    });
    counted.collect()
}

/// A finding in a row. What was expected comes first because it tells which case it was; as a rule its end does.
fn told(finding: &Finding, width: usize) -> String {
    let expected = text::escape(&finding.expected);
    if expected.chars().count() + LEAST_FOUND > width {
        return text::fit_ends(&expected, width);
    }
    text::fit(&format!("{expected}, found {}", text::escape(&finding.actual)), width)
}

/// Further checks that failed, each with all that was expected and found.
fn also_in_full(page: &mut Page, hits: &[(&ScenarioResult, &Finding)]) {
    for (scenario, findings) in by_scenario(hits) {
        page.gap();
        which(page, "also in", scenario);
        for (i, finding) in findings.into_iter().enumerate() {
            if i > 0 {
                page.gap();
            }
            check(page, finding);
            if let Some(recorded) = &finding.exchange {
                let asked = format!("{} {}", recorded.method, path(&recorded.url));
                let place = format!("number {} of this scenario: {asked}", recorded.number);
                page.field("exchange", &text::phrase(&place));
            }
        }
    }
}

fn short(page: &mut Page, group: &Broken<'_>) {
    heading(page, group.id, group.gating);
    let Some((scenario, finding)) = group.hits.first() else { return };
    let scenario = text::escape(&scenario.id);
    let left = page.room().saturating_sub(scenario.chars().count() + 2);
    let row = format!("{scenario}  {}", told(finding, left));
    page.rows("in", vec![text::fit(&row, page.room())]);
}

/// Which requirement failed, how binding it is and whose word.
pub(crate) fn heading(page: &mut Page, id: &str, gating: bool) {
    let failed = page.style.paint(Ink::Bad, "FAILED");
    let whose = requirement::find(id).map(|r| format!("  {}, {}", r.level, r.basis));
    let id = page.style.paint(Ink::Strong, &text::escape(id));
    let apart = if gating { "" } else { "  (does not gate this run)" };
    page.row(&format!("{failed}  {id}{}{apart}", whose.unwrap_or_default()));
}

/// The rule in our words, then whose word it is.
pub(crate) fn rule(page: &mut Page, id: &str) {
    let Some(requirement) = requirement::find(id) else { return };
    page.field("rule", &requirement.text);
    if let Some(standing) = standing(requirement.basis) {
        page.field("basis", standing);
    }
    cite(page, requirement);
}

/// What must be said of a basis so that nobody takes our choice for the draft's word.
fn standing(basis: Basis) -> Option<&'static str> {
    match basis {
        Basis::Draft | Basis::Matrix => None,
        Basis::Derived => {
            Some("derived: without this rule the sentence cannot hold, or an attacker breaks it")
        }
        Basis::Profile => {
            Some("profile: implementations must agree on one choice here; the draft leaves it open")
        }
        Basis::Reading => Some("OUR READING, not the draft's word: the draft is silent here"),
    }
}

fn cite(page: &mut Page, requirement: &Requirement) {
    for number in &requirement.sentences {
        let words = requirement::sentence(number).map_or("", |sentence| sentence.text.as_str());
        // A reading stands beside a sentence, not on it.
        let place = if requirement.basis == Basis::Reading { "near" } else { "draft" };
        page.field(&format!("{place} {number}"), &format!("\"{words}\""));
    }
    if let Some(source) = &requirement.source {
        page.field(if requirement.basis == Basis::Matrix { "Matrix" } else { "because" }, source);
    }
}

/// Every finding of a scenario, by requirement, without colour.
pub(crate) fn every(scenario: &ScenarioResult, gating: impl Fn(&str) -> bool) -> String {
    let mut page = Page::new(Style::PLAIN);
    let mut told: Vec<&str> = Vec::new();
    for Finding { requirement, .. } in &scenario.findings {
        if told.contains(&requirement.as_str()) {
            continue;
        }
        told.push(requirement);
        page.gap();
        heading(&mut page, requirement, gating(requirement));
        rule(&mut page, requirement);
        which(&mut page, "scenario", scenario);
        let findings = scenario.findings.iter().filter(|finding| finding.requirement == *requirement);
        for (i, finding) in findings.enumerate() {
            if i > 0 {
                page.gap();
            }
            check(&mut page, finding);
            finding.exchange.iter().for_each(|recorded| exchange(&mut page, recorded));
        }
    }
    page.finish()
}

/// What one scenario saw: expected against actual, the exchange, and how to repeat it.
pub(crate) fn evidence(page: &mut Page, scenario: &ScenarioResult, finding: &Finding) {
    which(page, "scenario", scenario);
    check(page, finding);
    if let Some(recorded) = &finding.exchange {
        exchange(page, recorded);
    }
}

/// What to run to see it again, and what that tries.
fn which(page: &mut Page, label: &str, scenario: &ScenarioResult) {
    page.field(label, &format!("{}: {}", text::escape(&scenario.id), text::escape(&scenario.summary)));
}

/// Expected against actual.
fn check(page: &mut Page, finding: &Finding) {
    page.field("expected", &text::phrase(&finding.expected));
    let actual = text::wrap(&text::phrase(&finding.actual), page.room());
    let actual = actual.iter().map(|row| page.style.paint(Ink::Strong, row)).collect();
    page.rows("actual", actual);
    let history = finding.history.iter().flat_map(|row| text::wrap(&text::phrase(row), page.room()));
    page.rows("history", history.collect());
}

/// The deciding exchange, cut to a screen.
fn exchange(page: &mut Page, recorded: &Recorded) {
    let by = recorded.received_by.as_deref();
    let how = by.map_or_else(
        || text::duration(recorded.took_ms),
        |by| format!("sent by the target to {}", text::escape(by)),
    );
    page.field("exchange", &format!("number {} of this scenario, {how}", recorded.number));
    page.quote('>', &format!("{} {}", recorded.method, path(&recorded.url)), 4);
    // Of what the target sent, the rest says nothing.
    let telling = |name: &str| by.is_none() || ["authorization", "content-type"].contains(&name);
    for (name, value) in recorded.request_headers.iter().filter(|(name, _)| telling(name)) {
        page.quote('>', &format!("{name}: {value}"), 1);
    }
    if let Some(body) = recorded.request_body.as_deref().filter(|body| !body.is_empty()) {
        page.quoted('>', "");
        page.quote('>', body, REQUEST_ROWS);
    }
    answer(page, recorded);
    if let Some(line) = &recorded.curl {
        curl(page, line);
    }
}

/// Path and query, as they stand in a request line; the curl line has the whole URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or(url, |start| &rest[start..])
}

fn answer(page: &mut Page, recorded: &Recorded) {
    if let Some(status) = recorded.status {
        page.quoted('<', &status.to_string());
        let telling = |name: &str| TELLING_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known));
        for (name, value) in recorded.response_headers.iter().filter(|(name, _)| telling(name)) {
            page.quote('<', &format!("{name}: {value}"), 1);
        }
    }
    if let Some(body) = &recorded.response_body {
        page.quoted('<', "");
        match body.as_str() {
            "" => page.quoted('<', "(no body)"),
            body => page.quote('<', body, RESPONSE_ROWS),
        }
    }
    if let Some(fault) = &recorded.fault {
        page.quote('<', &format!("(no whole answer: {fault})"), 4);
    }
}

/// Never wrapped and never cut, since it is there to be pasted; so it is whole, or only pointed at.
fn curl(page: &mut Page, curl: &str) {
    let safe = text::escape(curl);
    if safe.chars().count() > LONGEST_CURL {
        page.field("curl", "too long for a screen: see the exchange's `curl` in `--report json=FILE`");
    } else {
        page.verbatim("curl", &safe);
        if safe != curl {
            page.field(
                "",
                "(control characters are escaped here; `--report json=FILE` has it to the letter)",
            );
        }
    }
}
