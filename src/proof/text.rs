//! A proof as a page for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::attribution::Attribution;
use super::freedom::Tolerance;
use super::null::Attempt;
use super::pairs::Couple;
use super::run::{Done, Proof};

/// One trial in a line, and beneath it what is wrong; in full also what failed along with what had to.
pub fn line(done: &Done, full: bool) -> String {
    let mut page = String::new();
    let findings = match done {
        Done::Fault(attribution) => fault(&mut page, attribution, full),
        Done::Variant(tolerance) | Done::Combination(tolerance) => freedom(&mut page, tolerance, full),
        Done::Null(attempt) => null(&mut page, attempt),
        Done::Pair(couple) => pair(&mut page, couple),
    };
    for finding in findings {
        put(&mut page, format_args!("    FINDING  {finding}\n"));
    }
    page
}

fn fault(page: &mut String, attribution: &Attribution, full: bool) -> Vec<String> {
    let word = if attribution.survived() { "SURVIVED" } else { "killed" };
    let along = match attribution.collateral.len() {
        0 => String::new(),
        count => format!("  +{count}"),
    };
    let killed = attribution.killed.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    put(page, format_args!("{word:<9} {:<34} {killed}{along}\n", attribution.fault));
    for (id, because) in attribution.collateral.iter().filter(|_| full) {
        put(page, format_args!("    along    {id}: {because}\n"));
    }
    for (id, because) in attribution.at_times.iter().filter(|_| full) {
        put(page, format_args!("    at times {id}: {because}\n"));
    }
    attribution.findings()
}

fn freedom(page: &mut String, tolerance: &Tolerance, full: bool) -> Vec<String> {
    let word = if tolerance.findings.is_empty() { "tolerated" } else { "FAILED" };
    let let_go = match tolerance.let_go.as_slice() {
        [] => String::new(),
        ids => format!(", less {}", ids.join(" ")),
    };
    let (name, passed) = (tolerance.name(), tolerance.passed);
    put(page, format_args!("{word:<9} {name:<34} {passed} passed{let_go}\n"));
    if tolerance.seed.is_some() && (full || !tolerance.findings.is_empty()) {
        put(page, format_args!("    takes    {}\n", tolerance.taken.join(" ")));
    }
    tolerance.findings.clone()
}

fn null(page: &mut String, attempt: &Attempt) -> Vec<String> {
    let word = if attempt.findings.is_empty() { "refused" } else { "BELIEVED" };
    let holds = match attempt.passed.len() {
        0 => String::new(),
        count => format!(", {count} hold"),
    };
    put(page, format_args!("{word:<9} {:<34} exit code {}{holds}\n", attempt.id, attempt.exit));
    attempt.findings.clone()
}

fn pair(page: &mut String, couple: &Couple) -> Vec<String> {
    let word = if couple.findings.is_empty() { "found" } else { "MISSED" };
    let masked = match couple.masked.as_slice() {
        [] => String::new(),
        masked => format!("  masks {}", masked.join(" ")),
    };
    put(page, format_args!("{word:<9} {}{masked}\n", couple.faults.join(" + ")));
    couple.findings.clone()
}

/// What all of it comes to, and where to look.
pub fn summary(proof: &Proof) -> String {
    let mut page = String::new();
    for row in rows(proof) {
        put(&mut page, format_args!("{:<14}{}\n", row.0, row.1));
    }
    let mut findings: BTreeMap<String, usize> = BTreeMap::new();
    for (what, _) in proof.findings() {
        *findings.entry(what).or_default() += 1;
    }
    if proof.interrupted {
        page.push_str("\nInterrupted: the rest was not tried.\n");
    }
    page.push_str(match findings.is_empty() {
        true => "\nNothing was found against the suite.\n",
        false => "\nFindings against the suite, or against its tables:\n",
    });
    for (what, count) in findings {
        put(&mut page, format_args!("  {what}  {count}\n"));
    }
    page
}

/// The figures, one row a kind of trial that was made.
pub(super) fn rows(proof: &Proof) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if !proof.faults.is_empty() {
        let survived = proof.faults.iter().filter(|it| it.survived()).count();
        let count = |of: fn(&Attribution) -> usize| proof.faults.iter().map(of).sum::<usize>();
        let killed = proof.faults.len() - survived;
        let (along, unexplained) = (count(|it| it.collateral.len()), count(|it| it.unexplained.len()));
        let of = proof.faults.len();
        let text = format!(
            "{killed} of {of} killed as named; {along} failures along with them explained, {unexplained} not"
        );
        rows.push(("faults", text));
    }
    for (name, tolerances) in [("variants", &proof.variants), ("combinations", &proof.combinations)] {
        let fine = tolerances.iter().filter(|it| it.findings.is_empty()).count();
        if !tolerances.is_empty() {
            rows.push((name, format!("{fine} of {} without a false failure", tolerances.len())));
        }
    }
    if !proof.nulls.is_empty() {
        let fine = proof.nulls.iter().filter(|it| it.findings.is_empty()).count();
        rows.push((
            "null targets",
            format!("{fine} of {} passed nothing that does not hold", proof.nulls.len()),
        ));
    }
    if !proof.pairs.is_empty() {
        let found = proof.pairs.iter().filter(|it| it.findings.is_empty()).count();
        let masked = proof.pairs.iter().filter(|it| !it.masked.is_empty()).count();
        let of = proof.pairs.len();
        rows.push(("pairs", format!("{found} of {of} found; in {masked} one fault hides the other")));
    }
    rows
}

fn put(page: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(words);
}
