//! A proof as Markdown: the kill matrix of `docs/kill-matrix.md`.
//!
//! Where nothing was found against the suite, the page follows from the tables alone: whoever reads it
//! reads what was tried, and a page that is not what the tables say is stale.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Write as _};

use crate::reference::{Fault, Named as _, Variant};
use crate::spec::requirement::{self, Requirement};

use super::freedom::Tolerance;
use super::null::NullTarget;
use super::run::Proof;

/// The page.
pub fn page(proof: &Proof) -> String {
    let mut page = String::from(INTRODUCTION);
    findings(&mut page, proof);
    by_requirement(&mut page, proof);
    by_properties_alone(&mut page, proof);
    faults(&mut page, proof);
    variants(&mut page, proof);
    nulls(&mut page, proof);
    page
}

const INTRODUCTION: &str = "\
# The kill matrix

Who tests the tests? `capcheck prove` does: it runs the suite on homeservers of which is known what has
to come of it. This page is what came of it, written by

```sh
capcheck prove --markdown docs/kill-matrix.md
```

- A **fault** is one realistic mistake, made by the built-in homeserver. It is *killed* when the
  requirements that it names fail. What else fails with it is *collateral*, and stands here with the
  reason; what failed without one would be a defect of the suite, and so would a fault that *survived*.
- Some faults no scenario finds, because each act by itself is answered rightly. The
  [properties](properties.md) find them: histories that are generated, and judged by a model of the
  protocol.
- A **variant** is a freedom that [the protocol](protocol.md#14-freedoms) leaves to homeservers. Under
  none of them, and under no combination of them, may anything fail.
- A **null target** is no homeserver, or only pretends to be one. Nothing passes there but what truly
  holds.

`capcheck serve --fault ID` and `capcheck serve --variant ID` run any of these homeservers on their own,
to try a client or another suite on.
";

fn findings(page: &mut String, proof: &Proof) {
    let found = proof.findings();
    if found.is_empty() {
        return;
    }
    page.push_str("\n## Found against the suite\n\n");
    for (what, finding) in found {
        put(page, format_args!("- `{what}`: {}\n", cell(&finding)));
    }
}

/// Which faults each requirement kills.
fn by_requirement(page: &mut String, proof: &Proof) {
    let mut killers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for attribution in &proof.faults {
        for id in &attribution.killed {
            killers.entry(id).or_default().push(attribution.fault);
        }
    }
    page.push_str("\n## Requirements\n\n| requirement | level | killed as named |\n|---|---|---|\n");
    let is_killed = |rule: &&Requirement| killers.contains_key(rule.id.as_str());
    for rule in requirement::all().iter().filter(is_killed) {
        let faults = list(killers.get(rule.id.as_str()).into_iter().flatten().copied());
        put(page, format_args!("| `{}` | {} | {faults} |\n", rule.id, rule.level));
    }
}

/// The faults that no scenario finds, and generated histories do.
fn by_properties_alone(page: &mut String, proof: &Proof) {
    page.push_str(
        "\n## Found by the properties alone\n\n| fault | what the homeserver does | found as |\n|---|---|---|\n",
    );
    let found = proof.faults.iter().filter_map(|it| Some((it, it.fault.parse::<Fault>().ok()?)));
    for (attribution, fault) in found.filter(|(_, fault)| fault.takes_a_history()) {
        let killed = list(attribution.killed.iter().map(String::as_str));
        put(page, format_args!("| `{fault}` | {} | {killed} |\n", cell(&capital(fault.summary()))));
    }
}

fn faults(page: &mut String, proof: &Proof) {
    page.push_str("\n## Faults\n");
    for attribution in &proof.faults {
        put(page, format_args!("\n### `{}`\n\n", attribution.fault));
        if let Ok(fault) = attribution.fault.parse::<Fault>() {
            put(page, format_args!("{}. ({})\n\n", capital(fault.summary()), fault.sentence()));
        }
        put(page, format_args!("Killed by {}.\n", list(attribution.killed.iter().map(String::as_str))));
        for (because, ids) in by_reason(&attribution.collateral) {
            put(page, format_args!("\nWith it {}: {because}.\n", list(ids.into_iter())));
        }
        for (because, ids) in by_reason(&attribution.at_times) {
            put(page, format_args!("\nAt times {}: {because}.\n", list(ids.into_iter())));
        }
    }
}

/// What fails along with a fault, by reason.
fn by_reason<'a>(collateral: &'a BTreeMap<String, &'static str>) -> Vec<(&'static str, Vec<&'a str>)> {
    let mut reasons: Vec<(&'static str, Vec<&str>)> = Vec::new();
    for (id, because) in collateral {
        match reasons.iter_mut().find(|(known, _)| known == because) {
            Some((_, ids)) => ids.push(id),
            None => reasons.push((because, vec![id])),
        }
    }
    reasons
}

fn variants(page: &mut String, proof: &Proof) {
    page.push_str(
        "\n## Variants\n\n| variant | what the homeserver does | the protocol's words | shoulds it lets go |\n\
         |---|---|---|---|\n",
    );
    for tolerance in &proof.variants {
        variant(page, tolerance);
    }
}

fn variant(page: &mut String, tolerance: &Tolerance) {
    for variant in tolerance.taken.iter().filter_map(|id| id.parse::<Variant>().ok()) {
        let let_go = list(tolerance.let_go.iter().map(String::as_str));
        let (summary, freedom) = (cell(&capital(variant.summary())), cell(&unlinked(variant.freedom())));
        put(page, format_args!("| `{variant}` | {summary} | {freedom} | {let_go} |\n"));
    }
}

fn nulls(page: &mut String, proof: &Proof) {
    page.push_str(
        "\n## Null targets\n\n| target | what it does | exit code | what truly holds |\n|---|---|---|---|\n",
    );
    let rows =
        proof.nulls.iter().filter_map(|attempt| Some((attempt, <&NullTarget>::find(attempt.id).ok()?)));
    for (attempt, null) in rows {
        let holds = null.holds.iter().map(|holding| {
            format!("{} ({})", list(holding.requirements.iter().copied()), cell(holding.because))
        });
        let holds: Vec<String> = holds.collect();
        let (summary, exit) = (cell(&capital(null.summary)), attempt.exit);
        put(page, format_args!("| `{}` | {summary} | {exit} | {} |\n", null.id, holds.join("; ")));
    }
}

fn list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" ")
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A link's words without where it leads: the anchors are another page's.
fn unlinked(words: &str) -> String {
    let mut plain = String::new();
    let mut rest = words;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((shown, after)) = link.split_once("](") else { break };
        let Some((_, after)) = after.split_once(')') else { break };
        plain.push_str(before);
        plain.push_str(shown);
        rest = after;
    }
    plain + rest
}

/// What can stand between the bars of a table.
fn cell(words: &str) -> String {
    words.replace('|', "\\|").replace('\n', " ")
}

fn put(page: &mut String, words: Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(words);
}
