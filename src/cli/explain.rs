//! `capcheck explain`: one requirement, scenario or sentence of the draft.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::exit::USAGE;
use crate::engine::plan::nearest;
use crate::scenarios::{self, Scenario};
use crate::spec::requirement::{self, Basis, Requirement, Sentence};

use super::output::{fail, finish};

/// Explain a requirement, a scenario or a sentence of the draft
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// upload.refuse-unknown, upload::is_asked_for_on_first_sign_up, C6, ...
    id: String,
}

/// Runs the command.
pub(super) fn run(args: &ExplainArgs) -> ExitCode {
    let id = args.id.as_str();
    let page = requirement::find(id)
        .map(about_requirement)
        .or_else(|| scenarios::find(id).map(about_scenario))
        .or_else(|| requirement::sentence(&id.to_uppercase()).map(about_sentence));
    match page {
        Some(page) => finish(page.as_bytes(), ExitCode::SUCCESS),
        None => fail(USAGE, unknown(id)),
    }
}

fn unknown(id: &str) -> String {
    let ids = requirement::all().iter().map(|rule| rule.id.as_str()).chain(scenarios::all().map(|s| s.id));
    let hint = match nearest(id, ids) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "capcheck list shows them all".to_owned(),
    };
    format!("there is no requirement, scenario or sentence {id:?}; {hint}")
}

fn about_requirement(rule: &'static Requirement) -> String {
    let mut page =
        format!("{}\n{}, {}\n\n{}\n\n", rule.id, rule.level, meaning(rule.basis), rule.text.trim());
    for sentence in rule.sentences.iter().filter_map(|id| requirement::sentence(id)) {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "Draft, {}: \"{}\"", sentence.id, sentence.text.trim());
    }
    if let Some(source) = &rule.source {
        let label = if rule.basis == Basis::Matrix { "Matrix specification" } else { "Rationale" };
        let _ = writeln!(page, "{label}: {}", source.trim());
    }
    page.push_str("\nScenarios\n");
    let covering: Vec<&Scenario> =
        scenarios::all().filter(|s| s.covers.contains(&rule.id.as_str())).collect();
    if covering.is_empty() {
        page.push_str("  none in this version: the requirement is not applicable\n");
    }
    for scenario in covering {
        let _ = writeln!(page, "  {}\n      {}", scenario.id, scenario.summary);
    }
    page
}

/// Whose word a rule is, in words.
const fn meaning(basis: Basis) -> &'static str {
    match basis {
        Basis::Draft => "the draft says it",
        Basis::Matrix => "the Matrix specification says it of every API",
        Basis::Derived => "without it the draft cannot hold",
        Basis::Profile => "one choice that interoperating needs, fixed by this suite's profile",
        Basis::Reading => "our reading where the draft is silent",
    }
}

fn about_scenario(scenario: &'static Scenario) -> String {
    let mut page = format!("{}\n{}\n\nRequirements\n", scenario.id, scenario.summary);
    for rule in scenario.covers.iter().filter_map(|id| requirement::find(id)) {
        let _ = writeln!(page, "  {:<32} {:<6} {}", rule.id, rule.level, rule.basis);
    }
    let needs: Vec<String> = scenario.needs.iter().map(ToString::to_string).collect();
    let _ = writeln!(page, "\nNeeds   {}", needs.join(", "));
    let cast = scenario.cast;
    let _ = writeln!(
        page,
        "Users   {} ordinary, {} entitled, {} that look entitled",
        cast.ordinary, cast.entitled, cast.look_alikes
    );
    let _ = writeln!(page, "\ncapcheck run URL --only '{}' runs it alone.", scenario.id);
    page
}

fn about_sentence(sentence: &'static Sentence) -> String {
    let mut page = format!("Draft, {}: \"{}\"\n\n", sentence.id, sentence.text.trim());
    if let Some(reason) = &sentence.excluded {
        let _ = writeln!(page, "No requirement rests on it: {}", reason.trim());
    }
    for rule in requirement::all().iter().filter(|rule| rule.sentences.contains(&sentence.id)) {
        let _ = writeln!(page, "  {:<32} {:<6} {}", rule.id, rule.level, rule.basis);
    }
    page
}
