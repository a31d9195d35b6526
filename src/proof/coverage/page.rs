//! Coverage as a page for people, in at most 100 columns.

use std::fmt::Write as _;

use super::{Coverage, CoveredRequirement, CoveredSentence, GapKind};

/// The widest row, in characters.
const WIDTH: usize = 100;

/// Sentence by sentence what rests on it, what rests on none, and what is missing.
pub fn page(coverage: &Coverage) -> String {
    let mut page = String::new();
    for (at, sentence) in coverage.sentences.iter().enumerate() {
        put_sentence(&mut page, coverage, sentence, &coverage.sentences[..at]);
    }
    page.push_str("Without a sentence of the draft\n");
    for rule in coverage.requirements.iter().filter(|rule| rule.sentences.is_empty()) {
        put_requirement(&mut page, rule);
    }
    page.push('\n');
    page + &gaps(coverage)
}

/// What is missing, kind by kind, and how much there is of everything.
pub fn gaps(coverage: &Coverage) -> String {
    let mut page = String::new();
    for kind in GapKind::ALL {
        let of_kind: Vec<_> = coverage.gaps.iter().filter(|gap| gap.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        put(&mut page, format_args!("GAP  {}: {}\n", kind.title(), of_kind.len()));
        for gap in of_kind {
            put_rows(&mut page, "     ", "     ", &gap.to_string());
        }
        page.push('\n');
    }
    let counts = coverage.counts;
    let missing = match coverage.gaps.len() {
        0 => "no gaps".to_owned(),
        1 => "1 gap".to_owned(),
        many => format!("{many} gaps"),
    };
    put(
        &mut page,
        format_args!(
            "{} sentences, {} requirements, {} scenarios, {} faults, {} vectors: {missing}\n",
            counts.sentences, counts.requirements, counts.scenarios, counts.faults, counts.vectors
        ),
    );
    page
}

fn put_sentence(
    page: &mut String,
    coverage: &Coverage,
    sentence: &CoveredSentence,
    before: &[CoveredSentence],
) {
    put_rows(page, &format!("{:<5}", sentence.id), "     ", &format!("\"{}\"", sentence.text));
    if let Some(reason) = &sentence.excluded {
        put_rows(page, "  no requirement: ", "    ", reason.trim());
    }
    for rule in sentence.requirements.iter().filter_map(|id| coverage.requirement(id)) {
        // Told in full once: where the first of its sentences is.
        match before.iter().find(|earlier| earlier.requirements.contains(&rule.id)) {
            Some(earlier) => put(page, format_args!("{}see {}\n", head(rule), earlier.id)),
            None => put_requirement(page, rule),
        }
    }
    page.push('\n');
}

fn put_requirement(page: &mut String, rule: &CoveredRequirement) {
    put(page, format_args!("{}\n", head(rule).trim_end()));
    let files = rule.vectors.iter().map(|cases| format!("{} ({})", cases.file, cases.cases.len()));
    let rows = [
        ("scenarios", rule.scenarios.join(", ")),
        ("faults", rule.faults.join(", ")),
        ("vectors", files.collect::<Vec<_>>().join(", ")),
    ];
    for (label, items) in rows.iter().filter(|(_, items)| !items.is_empty()) {
        put_rows(page, &format!("    {label:<11}"), &" ".repeat(15), items);
    }
}

fn head(rule: &CoveredRequirement) -> String {
    format!("  {:<33} {:<7} {:<8} ", rule.id, rule.level, rule.basis)
}

/// Text broken at spaces; the first row begins in one way, the others in another.
fn put_rows(page: &mut String, first: &str, others: &str, text: &str) {
    let mut row = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && row.chars().count() + 1 + word.chars().count() > WIDTH {
            put(page, format_args!("{}\n", row.trim_end()));
            (row, empty) = (others.to_owned(), true);
        }
        if !empty {
            row.push(' ');
        }
        row.push_str(word);
        empty = false;
    }
    put(page, format_args!("{}\n", row.trim_end()));
}

fn put(page: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(words);
}
