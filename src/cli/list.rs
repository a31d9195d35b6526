//! `capcheck list`: the requirements, the scenarios and the properties.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::properties;
use crate::scenarios;
use crate::spec::requirement;
use crate::vectors;

use super::output::finish;

/// List requirements, scenarios and properties
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// As JSON, with everything that is known of each
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &ListArgs) -> ExitCode {
    let page = if args.json { as_json() } else { as_text() };
    finish(page.as_bytes(), ExitCode::SUCCESS)
}

fn as_text() -> String {
    let mut page = String::from("Requirements (capcheck explain ID tells one)\n");
    for rule in requirement::all() {
        let covering =
            scenarios::written().filter(|scenario| scenario.covers.contains(&rule.id.as_str())).count();
        let line =
            format!("  {:<32} {:<6} {:<7} {:<10}", rule.id, rule.level, rule.basis, rule.sentences.join(" "));
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{line} {covering} scenario{}", if covering == 1 { "" } else { "s" });
    }
    page.push_str("\nScenarios\n");
    for scenario in scenarios::written() {
        let _ = writeln!(page, "  {:<52} {}", scenario.id, scenario.summary);
    }
    page.push_str("\nProperties (histories that are drawn: a few in a run, more with capcheck explore)\n");
    for property in properties::all() {
        let _ = writeln!(page, "  {:<52} {}", property.id, property.summary);
    }
    page
}

fn as_json() -> String {
    let rules: Vec<Value> = requirement::all()
        .iter()
        .map(|rule| {
            let covers = |covers: &[&str]| covers.contains(&rule.id.as_str());
            let covering = scenarios::written().filter(|scenario| covers(scenario.covers));
            let drawn = properties::all().iter().filter(|property| covers(property.covers));
            json!({
                "id": rule.id, "level": rule.level, "basis": rule.basis, "sentences": rule.sentences,
                "source": rule.source, "text": rule.text,
                "scenarios": covering.map(|scenario| scenario.id).collect::<Vec<_>>(),
                "properties": drawn.map(|property| property.id).collect::<Vec<_>>(),
            })
        })
        .collect();
    let stories: Vec<Value> = scenarios::written()
        .map(|scenario| {
            json!({
                "id": scenario.id, "summary": scenario.summary, "requirements": scenario.covers,
                "needs": scenario.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "users": scenario.cast.ordinary, "entitled_users": scenario.cast.entitled,
                "look_alike_users": scenario.cast.look_alikes,
            })
        })
        .collect();
    let drawn: Vec<Value> = properties::all()
        .iter()
        .map(|property| {
            json!({
                "id": property.id, "summary": property.summary, "requirements": property.covers,
                "needs": property.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "cases": property.cases, "longest": property.longest,
            })
        })
        .collect();
    let sentences: Vec<Value> = requirement::sentences()
        .iter()
        .map(|sentence| json!({ "id": sentence.id, "text": sentence.text, "excluded": sentence.excluded }))
        .collect();
    let page = json!({
        "version": env!("CARGO_PKG_VERSION"), "requirements_digest": requirement::digest(),
        "vectors_digest": vectors::manifest_digest(),
        "requirements": rules, "scenarios": stories, "properties": drawn, "sentences": sentences,
    });
    format!("{page:#}\n")
}
