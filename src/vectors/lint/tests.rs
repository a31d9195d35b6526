//! Every complaint is made by a file that deserves it, and by that alone.

use super::*;
use crate::vectors::{Case, Group, Verdict, carried, subject};

/// Lints the unions with something changed.
fn complaints(change: impl FnOnce(&mut Document)) -> Vec<String> {
    let mut document = carried("union");
    change(&mut document);
    let subject = subject::find("union").unwrap().subject;
    let linted = lint_document(subject, &document);
    linted.complaints.iter().map(|complaint| format!("{}: {}", complaint.about, complaint.message)).collect()
}

fn case<'d>(document: &'d mut Document, id: &str) -> &'d mut Case {
    document.groups.iter_mut().flat_map(|group| &mut group.cases).find(|case| case.id == id).unwrap()
}

#[test]
fn the_published_files_leave_nothing_to_complain_of() {
    let complaints: Vec<String> =
        lint().unwrap().iter().flat_map(|measured| &measured.complaints).map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn what_deserves_a_complaint_gets_it() {
    type Change = fn(&mut Document);
    let rows: [(Change, &str); 15] = [
        (|d| case(d, "union.two").id = "union.Two".into(), "union.Two: id: not union."),
        (
            |d| case(d, "union.two").rule = Some("Two sets that have nothing in common".into()),
            "union.two: rule: it is the comment again",
        ),
        (
            |d| case(d, "union.two").rule = Some("two sets, that have nothing in common.".into()),
            "union.two: rule: it is the comment again",
        ),
        (
            |d| case(d, "union.two").rule = case(d, "union.one").rule.clone(),
            "union.two: rule: it is that of union.one",
        ),
        (|d| case(d, "union.two").comment.clear(), "union.two: a phrase that says nothing"),
        (|d| case(d, "union.two").comment = "\u{e9}".into(), "is not printable ASCII"),
        (|d| case(d, "union.two").superseded_by = Some("union.never".into()), "superseded_by: there is no"),
        (
            |d| case(d, "union.two").flags = vec!["Nothing".into()],
            "union.two: flags: \"Nothing\" is not explained",
        ),
        (|d| case(d, "union.two").result = Verdict::Either, "no flag says which freedom"),
        (|d| drop(d.mistakes.insert("unmade".into(), "x".into())), "unmade: mistake: nothing here makes it"),
        (|d| drop(d.failures.insert("unseen".into(), "x".into())), "unseen: failure: no case has it"),
        (|d| d.groups[0].requirements.push("no.such".into()), "requirements: there is no \"no.such\""),
        (
            |d| {
                let mut copy = d.groups[0].cases[0].clone();
                copy.id = "union.copy".into();
                d.groups[0].cases.push(copy);
            },
            "union.copy: nothing tells it from",
        ),
        (
            |d| d.groups.push(Group { name: d.groups[0].name.clone(), ..d.groups[0].clone() }),
            "group: the name is taken",
        ),
        (
            |d| d.flags.values_mut().for_each(|flag| flag.shows.retain(|mistake| mistake != "last-only")),
            "last-only: mistake: no flag shows it",
        ),
    ];
    for (change, words) in rows {
        let told = complaints(change);
        assert!(told.iter().any(|line| line.contains(words)), "{words}: {told:#?}");
    }
    assert_eq!(complaints(|_| ()), Vec::<String>::new());
}
