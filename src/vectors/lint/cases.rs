//! Each case by itself: its id, its freedoms, what it pins.

use std::collections::HashMap;

use super::super::document::{Case, Document, Group, Verdict};
use super::super::subject::Subject;
use super::Complaints;

/// Checks every case by itself.
pub(super) fn lint(subject: &dyn Subject, document: &Document, complaints: &mut Complaints) {
    for group in &document.groups {
        rules(group, complaints);
        for case in &group.cases {
            id(subject, case, complaints);
            freedom(document, case, complaints);
            pins(document, group, case, complaints);
            superseded(document, case, complaints);
        }
    }
}

/// A rule says why a case is there, and not once more what it shows; and no two cases are there for one rule.
fn rules(group: &Group, complaints: &mut Complaints) {
    let words = |phrase: &str| -> String {
        phrase.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let mut seen = HashMap::new();
    for (case, rule) in group.cases.iter().filter_map(|case| Some((case, case.rule.as_ref()?))) {
        if words(rule) == words(&case.comment) {
            complaints
                .add(&case.id, "rule: it is the comment again: name the rule that this case alone tries");
        }
        if let Some(earlier) = seen.insert(words(rule), &case.id) {
            complaints.add(&case.id, format!("rule: it is that of {earlier}"));
        }
    }
}

fn id(subject: &dyn Subject, case: &Case, complaints: &mut Complaints) {
    let words = case.id.strip_prefix(subject.prefix());
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !words.is_some_and(|words| !words.is_empty() && words.chars().all(legal)) {
        let prefix = subject.prefix();
        complaints.add(&case.id, format!("id: not {prefix} and words of a-z, 0-9 and -"));
    }
}

/// A choice is only there where a flag says which it is.
fn freedom(document: &Document, case: &Case, complaints: &mut Complaints) {
    let flags = case.flags.iter().filter_map(|flag| document.flags.get(flag));
    let named = flags.filter(|flag| flag.freedom).count() > 0;
    let free = case.result == Verdict::Either || !case.also.is_empty();
    if free && !named {
        complaints.add(&case.id, "flags: it leaves a choice, and no flag says which freedom that is");
    }
    for flag in case.flags.iter().filter(|flag| !document.flags.contains_key(*flag)) {
        complaints.add(&case.id, format!("flags: {flag:?} is not explained under `flags`"));
    }
}

fn pins(document: &Document, group: &Group, case: &Case, complaints: &mut Complaints) {
    let mut flags = case.flags.iter().filter_map(|flag| document.flags.get(flag));
    if group.requirements.is_empty() && flags.all(|flag| flag.requirements.is_empty()) {
        complaints.add(&case.id, "requirements: neither its group nor a flag names one that it pins");
    }
}

fn superseded(document: &Document, case: &Case, complaints: &mut Complaints) {
    let Some(by) = &case.superseded_by else { return };
    match document.cases().find(|case| case.id == *by) {
        Some(other) if other.superseded_by.is_none() => {}
        Some(_) => complaints.add(&case.id, format!("superseded_by: {by} is superseded itself")),
        None => complaints.add(&case.id, format!("superseded_by: there is no {by}")),
    }
}
