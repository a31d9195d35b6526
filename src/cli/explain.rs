//! `capcheck explain`: one requirement, scenario, property or sentence of the draft.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::exit::USAGE;
use crate::properties::{self, Property};
use crate::scenarios::{self, Scenario};
use crate::spec::requirement::{self, Basis, Requirement, Sentence};
use crate::spelling::nearest;
use crate::target::features::Feature;

use super::output::{fail, finish};

/// Explain a requirement, a scenario, a property or a sentence of the draft
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
        .or_else(|| properties::find(id).map(about_property))
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
    format!("there is no requirement, scenario, property or sentence {id:?}; {hint}")
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
        scenarios::written().filter(|s| s.covers.contains(&rule.id.as_str())).collect();
    if covering.is_empty() {
        page.push_str("  none in this version: the requirement is not applicable\n");
    }
    for scenario in covering {
        let _ = writeln!(page, "  {}\n      {}", scenario.id, scenario.summary);
    }
    let drawn: Vec<&Property> =
        properties::all().iter().filter(|property| property.covers.contains(&rule.id.as_str())).collect();
    if !drawn.is_empty() {
        page.push_str("\nProperties, whose histories may come upon it\n");
    }
    for property in drawn {
        let _ = writeln!(page, "  {}\n      {}", property.id, property.summary);
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
    put_rules(&mut page, scenario.covers);
    put_needs(&mut page, scenario.needs);
    let cast = scenario.cast;
    let _ = writeln!(
        page,
        "Users   {} ordinary, {} entitled, {} that look entitled",
        cast.ordinary, cast.entitled, cast.look_alikes
    );
    let _ = writeln!(page, "\ncapcheck run URL --only '{}' runs it alone.", scenario.id);
    page
}

fn about_property(property: &'static Property) -> String {
    let Property { id, summary, draws, covers, needs, cases, longest, .. } = property;
    let mut page = format!("{id}\n{summary}\n\nDraws   {draws}\n");
    let _ = writeln!(page, "        up to {longest} acts a history, {cases} histories in a run");
    page.push_str("\nRequirements that a history may come upon\n");
    put_rules(&mut page, covers);
    put_needs(&mut page, needs);
    let _ = writeln!(
        page,
        "\ncapcheck run URL --only '{id}' runs it alone, in which nothing else is known to fail."
    );
    let _ =
        writeln!(page, "capcheck explore URL --only '{id}' performs as many histories as there is time for.");
    page
}

fn put_rules(page: &mut String, covers: &[&str]) {
    for rule in covers.iter().filter_map(|id| requirement::find(id)) {
        let _ = writeln!(page, "  {:<32} {:<6} {}", rule.id, rule.level, rule.basis);
    }
}

fn put_needs(page: &mut String, needs: &[Feature]) {
    let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
    let _ = writeln!(page, "\nNeeds   {}", needs.join(", "));
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
