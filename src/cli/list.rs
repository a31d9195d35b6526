//! `capcheck list`: the requirements and the scenarios.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::scenarios;
use crate::spec::requirement;

use super::output::finish;

/// List requirements and scenarios
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
            scenarios::all().filter(|scenario| scenario.covers.contains(&rule.id.as_str())).count();
        let line =
            format!("  {:<32} {:<6} {:<7} {:<10}", rule.id, rule.level, rule.basis, rule.sentences.join(" "));
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{line} {covering} scenario{}", if covering == 1 { "" } else { "s" });
    }
    page.push_str("\nScenarios\n");
    for scenario in scenarios::all() {
        let _ = writeln!(page, "  {:<52} {}", scenario.id, scenario.summary);
    }
    page
}

fn as_json() -> String {
    let rules: Vec<Value> = requirement::all()
        .iter()
        .map(|rule| {
            let covering = scenarios::all().filter(|scenario| scenario.covers.contains(&rule.id.as_str()));
            json!({
                "id": rule.id, "level": rule.level, "basis": rule.basis, "sentences": rule.sentences,
                "source": rule.source, "text": rule.text,
                "scenarios": covering.map(|scenario| scenario.id).collect::<Vec<_>>(),
            })
        })
        .collect();
    let stories: Vec<Value> = scenarios::all()
        .map(|scenario| {
            json!({
                "id": scenario.id, "summary": scenario.summary, "requirements": scenario.covers,
                "needs": scenario.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "users": scenario.cast.ordinary, "entitled_users": scenario.cast.entitled,
                "look_alike_users": scenario.cast.look_alikes,
            })
        })
        .collect();
    let sentences: Vec<Value> = requirement::sentences()
        .iter()
        .map(|sentence| json!({ "id": sentence.id, "text": sentence.text, "excluded": sentence.excluded }))
        .collect();
    let page = json!({
        "version": env!("CARGO_PKG_VERSION"), "requirements_digest": requirement::digest(),
        "requirements": rules, "scenarios": stories, "sentences": sentences,
    });
    format!("{page:#}\n")
}
