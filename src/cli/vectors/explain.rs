//! `capcheck vectors explain`: a case, an exchange, a subject, a mistake, a flag or a class of failure.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::output::{fail, finish};
use crate::engine::exit::USAGE;
use crate::exchanges::{self, Exchange};
use crate::report::escape;
use crate::spelling::nearest;
use crate::vectors::subject::SUBJECTS;
use crate::vectors::{Case, Document, FlagLevel, carried, to_line, to_text};

/// The word for all exchanges, as if they were a subject.
const EXCHANGES: &str = "exchanges";

/// So many characters of a name are told that nothing has.
const LONGEST: usize = 80;

/// Runs the command.
pub(super) fn run(id: &str) -> ExitCode {
    let documents: Vec<Document> = SUBJECTS.iter().map(|row| carried(row.subject.name())).collect();
    let page = case(&documents, id)
        .or_else(|| exchange(id))
        .or_else(|| documents.iter().find(|document| document.subject == id).map(about_subject))
        .or_else(|| (id == EXCHANGES).then(about_exchanges))
        .or_else(|| about_name(&documents, id));
    match page {
        Some(page) => finish(page.as_bytes(), ExitCode::SUCCESS),
        None => fail(USAGE, unknown(&documents, id)),
    }
}

fn unknown(documents: &[Document], id: &str) -> String {
    let of_document = |document: &'_ Document| -> Vec<String> {
        let cases = document.cases().map(|case| &case.id);
        let names = document.mistakes.keys().chain(document.failures.keys()).chain(document.flags.keys());
        cases.chain(names).chain([&document.subject]).cloned().collect()
    };
    let mut names: Vec<String> = documents.iter().flat_map(of_document).collect();
    names.extend(exchanges::published().exchanges.into_iter().map(|exchange| exchange.id));
    names.push(EXCHANGES.to_owned());
    let hint = match nearest(id, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "`capcheck vectors explain canonical-json` lists the cases of a subject".to_owned(),
    };
    // No name is nearly as long.
    let rest = if id.chars().nth(LONGEST).is_some() { "…" } else { "" };
    let id: String = id.chars().take(LONGEST).collect();
    format!("there is no case, exchange, subject, mistake, flag or failure \"{}{rest}\"; {hint}", escape(&id))
}

fn case(documents: &[Document], id: &str) -> Option<String> {
    documents.iter().find_map(|document| {
        let case = document.cases().find(|case| case.id == id)?;
        Some(about_case(document, case))
    })
}

fn about_case(document: &Document, case: &Case) -> String {
    let mut page =
        format!("{}\n{}\n\n{}: {}\n\n", case.id, case.comment, document.subject, document.algorithm);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "Input");
    put_value(&mut page, &case.input);
    put_right(&mut page, document, case);
    if !case.wrong.is_empty() {
        let _ = writeln!(page, "\nWrong answers, and who gives them");
    }
    for (mistake, answer) in &case.wrong {
        let phrase = document.mistakes.get(mistake).map(String::as_str).unwrap_or_default();
        let _ = writeln!(page, "  {mistake}: {phrase}\n      {answer}");
    }
    put_flags(&mut page, document, case);
    if let Some(by) = &case.superseded_by {
        let _ = writeln!(page, "\nSuperseded by {by}.");
    }
    let line = to_line(&json!({ "id": case.id, "subject": document.subject, "input": case.input }));
    let _ = writeln!(
        page,
        "\nAsk your implementation alone:\n  capcheck vectors test --only '{}' -- PROGRAM",
        case.id
    );
    let _ = writeln!(page, "which sends it the line\n  {line}");
    page
}

fn put_value(page: &mut String, value: &Value) {
    let text = to_text(value);
    for line in text.lines() {
        let _ = writeln!(page, "  {line}");
    }
}

fn put_right(page: &mut String, document: &Document, case: &Case) {
    let _ = writeln!(page, "\nResult: {}", case.result.word());
    if let Some(failure) = &case.failure {
        let phrase = document.failures.get(failure).map(String::as_str).unwrap_or_default();
        let _ = writeln!(page, "  {failure}: {phrase}");
    }
    if let Some(expected) = &case.expected {
        put_value(page, expected);
    }
    for also in &case.also {
        let _ = writeln!(page, "  or {also}");
    }
    if let Some(rule) = &case.rule {
        let _ = writeln!(page, "\nRule: {rule}");
    }
}

fn put_flags(page: &mut String, document: &Document, case: &Case) {
    for name in &case.flags {
        let Some(flag) = document.flags.get(name) else { continue };
        let _ = writeln!(page, "\n{name}: {}", flag.bug_type);
        let _ = writeln!(page, "  effect     {}\n  reference  {}", flag.effect, flag.reference);
    }
    let groups = document.groups.iter().filter(|group| group.cases.iter().any(|other| other.id == case.id));
    let flags = case.flags.iter().filter_map(|flag| document.flags.get(flag));
    let mut pinned: Vec<&str> = groups.flat_map(|group| &group.requirements).map(String::as_str).collect();
    pinned.extend(flags.flat_map(|flag| &flag.requirements).map(String::as_str));
    pinned.sort_unstable();
    pinned.dedup();
    let _ = writeln!(page, "\nRequirements that it pins: {}", pinned.join(", "));
}

fn exchange(id: &str) -> Option<String> {
    let published = exchanges::published();
    published.exchanges.iter().find(|exchange| exchange.id == id).map(about_exchange)
}

fn about_exchange(exchange: &Exchange) -> String {
    let Exchange { id, comment, operation, request, response } = exchange;
    let lines = |message: &str| message.trim_end().replace("\r\n", "\n");
    format!("{id}\n{comment}\n\nOperation: {operation}\n\n{}\n\n{}\n", lines(request), lines(response))
}

fn about_subject(document: &Document) -> String {
    let mut page = format!("{}\n{}\n\n", document.subject, document.algorithm);
    for text in &document.source {
        let _ = writeln!(page, "Source: {text}");
    }
    for note in &document.notes {
        let _ = writeln!(page, "\n{note}");
    }
    for group in &document.groups {
        let _ = writeln!(page, "\n{}: {}", group.name, group.about);
        for case in &group.cases {
            let _ = writeln!(page, "  {:<8} {:<40} {}", case.result.word(), case.id, case.comment);
        }
    }
    page
}

/// The exchanges, in the order in which they took place.
fn about_exchanges() -> String {
    let exchanges::Exchanges { subject, source, notes, exchanges, .. } = exchanges::published();
    let mut page = format!("{subject}\nEvery operation as it goes over the wire, as HTTP bytes\n\n");
    // Writing to a string cannot fail.
    for text in &source {
        let _ = writeln!(page, "Source: {text}");
    }
    for note in &notes {
        let _ = writeln!(page, "\n{note}");
    }
    page.push('\n');
    for Exchange { id, comment, .. } in &exchanges {
        let _ = writeln!(page, "  {id:<40} {comment}");
    }
    page
}

/// Tells what a name means in a file, and how its cases have to do with it.
type About = fn(&Document, &str) -> Option<(String, &'static str)>;

/// Whether a case has to do with a name.
type Concerns = fn(&Case, &str) -> bool;

/// What a name may be that cases have in common.
const NAMES: [(About, Concerns); 3] = [
    (
        |document, name| Some((format!("{name}: {}", document.mistakes.get(name)?), "shown by")),
        |case, name| case.wrong.contains_key(name),
    ),
    (
        |document, name| Some((format!("{name}: {}", document.failures.get(name)?), "why these are refused")),
        |case, name| case.failure.as_deref() == Some(name),
    ),
    (flag, |case, name| case.flags.iter().any(|flag| flag == name)),
];

fn flag(document: &Document, name: &str) -> Option<(String, &'static str)> {
    let flag = document.flags.get(name)?;
    let mut title = format!("{name}: {}\n", flag.bug_type);
    // Writing to a string cannot fail.
    let _ = write!(title, "  effect     {}\n  reference  {}", flag.effect, flag.reference);
    for (label, names) in [("shows", &flag.shows), ("pins", &flag.requirements)] {
        if !names.is_empty() {
            let _ = write!(title, "\n  {label:<10} {}", names.join(", "));
        }
    }
    if flag.level == FlagLevel::Should {
        title.push_str("\n  level      should: a failure is told and does not gate");
    }
    if flag.freedom {
        title.push_str("\n  freedom    either answer is right");
    }
    Some((title, "cases with this flag"))
}

/// A mistake, a class of failure or a flag, and in which files which cases have to do with it.
fn about_name(documents: &[Document], name: &str) -> Option<String> {
    let mut page = String::new();
    for (about, concerns) in NAMES {
        for document in documents {
            let Some((title, cases)) = about(document, name) else { continue };
            if !page.contains(&format!("{title}\n\n")) {
                let _ = write!(page, "{title}\n\n");
            }
            let _ = writeln!(page, "{}: {cases}", document.subject);
            for case in document.cases().filter(|case| concerns(case, name)) {
                let _ = writeln!(page, "  {:<40} {}", case.id, case.comment);
            }
            page.push('\n');
        }
    }
    let shown = page.trim_end().len();
    page.truncate(shown);
    (!page.is_empty()).then(|| page + "\n")
}
