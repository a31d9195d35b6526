//! What a search has come to, for people.

use std::time::Duration;

use crate::properties::Property;
use crate::properties::failure::{Failure, Seen};
use crate::report::{Ink, Page, Style, heading, number, plain, plural, rule, shell_word};
use crate::spec::history::{History, Step};
use crate::spec::model::Answer;

use super::save::Saved;

/// What one property came to.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) property: &'static Property,
    pub(super) cases: u64,
    pub(super) acts: u64,
    pub(super) took: Duration,
    /// Why it was not searched, or no further.
    pub(super) stopped: Option<String>,
    /// Whether that is because it could not be.
    pub(super) untested: bool,
}

/// A failure, and where it was saved.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) failure: Failure,
    /// Or why it was not.
    pub(super) saved: Result<Saved, String>,
    /// Whether the search was interrupted while it was made smaller.
    pub(super) cut_short: bool,
}

impl Found {
    /// Whether it failed again as often as it takes to be certain.
    pub(super) fn is_confirmed(&self) -> bool {
        self.failure.confirmed.is_certain()
    }
}

/// The whole page; `again` are the words that name the target, beside whether somebody interrupted.
pub(super) fn page(
    style: Style,
    seed: u64,
    tallies: &[Tally],
    found: &[Found],
    (interrupted, again): (bool, &str),
) -> String {
    let mut page = Page::new(style);
    for found in found {
        page.gap();
        failure(&mut page, found, again);
    }
    page.title(Ink::Strong, "Searched");
    let width = tallies.iter().map(|tally| tally.property.id.len()).max().unwrap_or_default();
    for tally in tallies {
        page.row(&format!("  {:width$}  {}", tally.property.id, came_to(tally)));
    }
    let (cases, acts) = tallies.iter().fold((0, 0), |(c, a), tally| (c + tally.cases, a + tally.acts));
    page.gap();
    let verdict = match found {
        [] if interrupted => (Ink::Warn, "INTERRUPTED"),
        [] if cases == 0 => (Ink::Warn, "NOTHING SEARCHED"),
        [] if tallies.iter().any(|tally| tally.untested) => (Ink::Warn, "INCOMPLETE"),
        [] => (Ink::Good, "NOTHING FOUND"),
        found if found.iter().any(Found::is_confirmed) => (Ink::Bad, "FAILURE FOUND"),
        found if found.iter().any(|found| found.cut_short) => (Ink::Warn, "FAILURE FOUND, NOT CONFIRMED"),
        _ => (Ink::Warn, "FLAKY"),
    };
    let histories = if cases == 1 { "history" } else { "histories" };
    let rest = format!("  {} {histories}, {} acts, seed {seed}", number(cases), number(acts));
    let words = page.style.paint(verdict.0, verdict.1);
    page.row(&(words + &rest));
    page.finish()
}

fn came_to(tally: &Tally) -> String {
    let Tally { cases, acts, took, stopped, .. } = tally;
    let rate = u128::from(*acts) * 1_000 / took.as_millis().max(1);
    let done = format!("{} cases, {} acts", number(*cases), number(*acts));
    match stopped {
        Some(reason) if *cases == 0 => plain(reason),
        // Making it smaller took time as well.
        Some(reason) => format!("{done}; then {}", plain(reason)),
        None if *cases == 0 => "not begun".to_owned(),
        None => format!("{done}, {} acts per second", number(u64::try_from(rate).unwrap_or(u64::MAX))),
    }
}

/// One failure, and how to go on.
fn failure(page: &mut Page, found: &Found, again: &str) {
    let Failure { requirement, property, expected, actual, seed, case, found_with, shrunk_in, .. } =
        &found.failure;
    heading(page, requirement, true);
    rule(page, requirement);
    page.field("property", &plain(property));
    page.field("expected", &plain(expected));
    page.field("actual", &plain(actual));
    told(page, &found.failure.history);
    interleaving(page, &found.failure);
    page.field("certain", &certainty(found));
    let performed = plural(*shrunk_in, "performance");
    page.field(
        "found",
        &format!("seed {seed}, case {case}; of {} that it had, in {performed}", plural(*found_with, "act")),
    );
    match &found.saved {
        Ok(saved) => go_on(page, &found.failure, saved, again),
        Err(reason) => page.field("NOT SAVED", &plain(reason)),
    }
}

/// The sets and the steps, numbered from 1.
fn told(page: &mut Page, history: &History) {
    for (at, set) in history.told_sets().enumerate() {
        page.field(if at == 0 { "sets" } else { "" }, &plain(&set));
    }
    for (at, step) in history.told_steps().enumerate() {
        page.field(if at == 0 { "history" } else { "" }, &step);
    }
}

/// Who did what when, where acts overlapped.
fn interleaving(page: &mut Page, failure: &Failure) {
    let overlapping = failure.trace.iter().filter_map(|seen| {
        let Step::AtOnce(lanes) = failure.history.steps.get(seen.step)? else { return None };
        Some((seen, lanes.get(seen.lane)?.get(seen.act)?))
    });
    let mut rows: Vec<(&Seen, String)> = overlapping
        .map(|(seen, act)| {
            let ms = |us: u64| format!("{}.{:01}", us / 1_000, us % 1_000 / 100);
            let Seen { step, lane, began_us, ended_us, answer, .. } = seen;
            let (began, ended) = (ms(*began_us), ms(*ended_us));
            let row = format!(
                "{:>8} to {:>8} ms  step {} lane {}  {act}: {}",
                began,
                ended,
                step + 1,
                lane + 1,
                said(answer)
            );
            (seen, row)
        })
        .collect();
    rows.sort_by_key(|(seen, _)| (seen.step, seen.began_us));
    page.rows("overlap", rows.into_iter().map(|(_, row)| row).collect());
}

/// An answer in words.
fn said(answer: &Answer) -> String {
    let words = match answer {
        Answer::Accepted => "accepted".to_owned(),
        Answer::Refused => "refused as unknown".to_owned(),
        Answer::Rejected(status, code) => format!("{status} {}", code.as_deref().unwrap_or_default()),
        Answer::DeadToken => "401 M_UNKNOWN_TOKEN".to_owned(),
        Answer::Hash(hash) => format!("hash {hash}"),
        Answer::NoHash => "no hash".to_owned(),
        Answer::Unseen => "nothing shown".to_owned(),
        Answer::Set(hash) => format!("the set of {hash}"),
        Answer::Odd(words) | Answer::Broken(words) => words.clone(),
    };
    plain(&words)
}

fn certainty(found: &Found) -> String {
    let confirmed = found.failure.confirmed;
    match (confirmed.tried, confirmed.failed) {
        (tried, failed) if found.is_confirmed() && tried == failed => {
            format!("performed again {}, and failed each time", times(tried))
        }
        (tried, failed) if found.is_confirmed() => {
            format!("performed again {}, and failed {}", times(tried), times(failed))
        }
        (0, _) => "not confirmed: the search was interrupted before".to_owned(),
        (tried, 0) => format!("FLAKY: performed again {}, and never failed", times(tried)),
        (tried, failed) => format!("FLAKY: performed again {}, and failed {}", times(tried), times(failed)),
    }
}

/// `once`, or so many times.
fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        count => plural(count, "time"),
    }
}

/// The files, and what to do with them.
fn go_on(page: &mut Page, failure: &Failure, saved: &Saved, again: &str) {
    let json = saved.json.to_string_lossy();
    let races = failure.history.steps.iter().any(|step| matches!(step, Step::AtOnce(_)));
    let repeat =
        if races || failure.confirmed.failed < failure.confirmed.tried { " --repeat 20" } else { "" };
    let replay = format!("capcheck replay {}{again}{repeat}", shell_word(&json));
    let mut next = vec![replay];
    let mut files = json.clone().into_owned();
    match &saved.script {
        Some(script) => {
            let script = script.to_string_lossy();
            files += &format!(", {script}");
            let url = failure.url.as_deref().map_or_else(String::new, |url| format!(" {}", shell_word(url)));
            next.push(format!("sh {}{url}", shell_word(&script)));
        }
        None => files += "; no script, which has no acts at once and no other homeservers",
    }
    next.push(format!("capcheck explain {}", failure.requirement));
    page.field("saved", &plain(&files));
    page.rows("next", next);
}
