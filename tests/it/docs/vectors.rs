//! The cases in the page about the vectors: each is one that is published.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use capcheck::vectors::subject::SUBJECTS;
use capcheck::vectors::{Case, Verdict, carried};
use serde_json::Value;

use super::markdown;

/// Every published case with its subject, by id.
type Cases = BTreeMap<String, (&'static str, Case)>;

/// What is wrong with the cases that the page shows.
pub(super) fn faults(page: &str) -> Vec<String> {
    let of = |subject: &'static str| {
        carried(subject).cases().map(|case| (case.id.clone(), (subject, case.clone()))).collect::<Vec<_>>()
    };
    let cases: Cases = SUBJECTS.iter().flat_map(|row| of(row.subject.name())).collect();
    let blocks = markdown::blocks(page);
    let whole: Vec<Value> = blocks.iter().filter_map(|block| serde_json::from_str(block).ok()).collect();
    let lines: Vec<&str> = blocks.iter().flat_map(|block| block.lines()).collect();
    let shown = shown(&whole, &cases).into_iter();
    shown.chain(asked(&lines, &cases)).chain(answered(&lines, &cases)).chain(named(page, &cases)).collect()
}

/// What the loop of the page prints about a program whose answers are these lines of Python, line by line.
pub(super) fn printed(page: &str, program: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let is_loop = |block: &&str| block.starts_with("import json");
    fs::write(path("loop.py"), markdown::blocks(page).into_iter().find(is_loop).unwrap()).unwrap();
    fs::write(path("mine.py"), program).unwrap();
    let output =
        Command::new("python3").arg(path("loop.py")).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A case that is shown whole is the published one.
fn shown(whole: &[Value], cases: &Cases) -> Vec<String> {
    if whole.is_empty() {
        return vec!["no case is shown".to_owned()];
    }
    let published = |case: &Value| {
        let (_, published) = cases.get(case["id"].as_str()?)?;
        serde_json::to_value(published).ok()
    };
    let differ = whole.iter().filter(|case| published(case).as_ref() != Some(case));
    differ.map(|case| format!("{case} is not published so")).collect()
}

/// The JSON of the lines that begin so.
fn after<'l>(lines: &'l [&str], mark: &'l str) -> impl Iterator<Item = Value> + 'l {
    lines.iter().filter_map(move |line| serde_json::from_str(line.strip_prefix(mark)?).ok())
}

/// What a program is asked is a case.
fn asked(lines: &[&str], cases: &Cases) -> Vec<String> {
    let is_case = |line: &Value| {
        let case = line["id"].as_str().and_then(|id| cases.get(id));
        case.is_some_and(|(subject, case)| line["subject"] == *subject && line["input"] == case.input)
    };
    after(lines, "> ").filter(|line| !is_case(line)).map(|line| format!("{line} is no case")).collect()
}

/// What a program answers is right, or that it does not do this subject.
fn answered(lines: &[&str], cases: &Cases) -> Vec<String> {
    let is_right = |line: &Value| {
        let Some((subject, case)) = line["id"].as_str().and_then(|id| cases.get(id)) else { return false };
        let answer = carried(subject).answer.unwrap_or_default();
        match line["result"].as_str() {
            Some("valid") => case.expected.as_ref().is_some_and(|right| right[&answer] == line[&answer]),
            Some("invalid") => case.result != Verdict::Valid,
            other => other == Some("unsupported"),
        }
    };
    after(lines, "< ").filter(|line| !is_right(line)).map(|line| format!("{line} is wrong")).collect()
}

/// The answer in the introduction is that of one mistake in the case that stands behind it, and the mistake in the
/// file of deviations is that of a case.
fn named(page: &str, cases: &Cases) -> Vec<String> {
    let spans = markdown::spans(page);
    let case = spans.iter().skip(1).find_map(|id| cases.get(*id));
    let mistakes = |answer: &str| {
        case.map_or(0, |(_, case)| case.wrong.values().filter(|wrong| *wrong == answer).count())
    };
    let answer = spans.first().copied().unwrap_or_default();
    let one = (mistakes(answer) != 1).then(|| format!("{answer} is not the answer of one mistake"));
    let mistake =
        page.split("\nmistake = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let is_made = cases.values().any(|(_, case)| case.wrong.contains_key(mistake));
    one.into_iter().chain((!is_made).then(|| format!("no case shows {mistake:?}"))).collect()
}
