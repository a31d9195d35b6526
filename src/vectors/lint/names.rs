//! Whatever is named is explained, and whatever is explained is there.

use super::super::document::{Case, Document, Group, Verdict};
use super::super::subject::Subject;
use super::Complaints;
use crate::spec::requirement;

/// Checks flags, mistakes, failures and groups.
pub(super) fn lint(subject: &dyn Subject, document: &Document, complaints: &mut Complaints) {
    flags(document, complaints);
    mistakes(subject, document, complaints);
    failures(document, complaints);
    groups(&document.groups, complaints);
    phrases(document, complaints);
}

fn flags(document: &Document, complaints: &mut Complaints) {
    for (name, flag) in &document.flags {
        if !name.starts_with(|c: char| c.is_ascii_uppercase())
            || !name.chars().all(|c| c.is_ascii_alphanumeric())
        {
            complaints.add(name, "flag: its name is not in CamelCase");
        }
        if !document.cases().any(|case| case.flags.contains(name)) {
            complaints.add(name, "flag: no case has it");
        }
        for mistake in flag.shows.iter().filter(|mistake| !document.mistakes.contains_key(*mistake)) {
            complaints.add(name, format!("shows: {mistake:?} is not explained under `mistakes`"));
        }
        for id in flag.requirements.iter().filter(|id| requirement::find(id).is_none()) {
            complaints.add(name, format!("requirements: there is no {id:?}"));
        }
        let free = |case: &Case| case.result == Verdict::Either || !case.also.is_empty();
        if flag.freedom && !document.cases().any(|case| case.flags.contains(name) && free(case)) {
            complaints.add(name, "freedom: no case with it leaves a choice");
        }
    }
}

fn mistakes(subject: &dyn Subject, document: &Document, complaints: &mut Complaints) {
    let known = subject.mistakes();
    for name in document.mistakes.keys() {
        if !known.contains(&name.as_str()) {
            complaints.add(name, "mistake: nothing here makes it");
        }
        if !document.flags.values().any(|flag| flag.shows.contains(name)) {
            complaints.add(name, "mistake: no flag shows it");
        }
    }
}

fn failures(document: &Document, complaints: &mut Complaints) {
    for name in document.failures.keys() {
        if !document.cases().any(|case| case.failure.as_ref() == Some(name)) {
            complaints.add(name, "failure: no case has it");
        }
    }
    for case in document.cases() {
        if let Some(failure) =
            case.failure.as_ref().filter(|failure| !document.failures.contains_key(*failure))
        {
            complaints.add(&case.id, format!("failure: {failure:?} is not explained under `failures`"));
        }
    }
}

fn groups(groups: &[Group], complaints: &mut Complaints) {
    for (i, group) in groups.iter().enumerate() {
        if groups[..i].iter().any(|earlier| earlier.name == group.name) {
            complaints.add(&group.name, "group: the name is taken by an earlier group");
        }
        if group.cases.is_empty() {
            complaints.add(&group.name, "group: there are no cases");
        }
        for id in group.requirements.iter().filter(|id| requirement::find(id).is_none()) {
            complaints.add(&group.name, format!("requirements: there is no {id:?}"));
        }
    }
}

/// Whatever people read says something, in ASCII, so that no editor can change it unseen.
fn phrases(document: &Document, complaints: &mut Complaints) {
    let heads = [("algorithm", &document.algorithm)].into_iter();
    let heads = heads.chain(document.source.iter().map(|text| ("source", text)));
    let heads = heads.chain(document.notes.iter().map(|text| ("notes", text)));
    let flags = document.flags.iter().flat_map(|(name, flag)| {
        [&flag.bug_type, &flag.effect, &flag.reference].map(|text| (name.as_str(), text))
    });
    let tables = document.mistakes.iter().chain(&document.failures).map(|(name, text)| (name.as_str(), text));
    let groups = document.groups.iter().map(|group| (group.name.as_str(), &group.about));
    let cases = document.cases().map(|case| (case.id.as_str(), &case.comment));
    let rules = document.cases().filter_map(|case| Some((case.id.as_str(), case.rule.as_ref()?)));
    for (about, text) in heads.chain(flags).chain(tables).chain(groups).chain(cases).chain(rules) {
        if text.trim().is_empty() {
            complaints.add(about, "a phrase that says nothing");
        }
        if !text.chars().all(|c| matches!(c, ' '..='~')) {
            complaints.add(about, format!("{text:?} holds a character that is not printable ASCII"));
        }
    }
}
