//! `capcheck doctor`: preflight alone, and what it means for a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::exit::{FAULT, PREFLIGHT, USAGE};
use crate::engine::{PrepareError, Prepared, run_id};
use crate::report;
use crate::scenarios::{self, Scenario};
use crate::spec::binding::Operation;
use crate::target::config::{Target, Users};
use crate::target::features::{Feature, Features, Standing};
use crate::target::provision::{Cast, Provisioner};

use super::output::{fail, finish};
use super::runtime;
use super::subject::SubjectArgs;

/// Preflight alone: what it offers, what would be untestable, and why
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    subject: SubjectArgs,
}

/// Runs the command.
pub(super) fn run(args: &DoctorArgs) -> ExitCode {
    runtime::block_on(examine(args))
}

async fn examine(args: &DoctorArgs) -> Result<ExitCode, ExitCode> {
    let subject = args.subject.subject().await.map_err(|error| fail(USAGE, error))?;
    let run_id = run_id::fresh().map_err(|error| fail(FAULT, error))?;
    let (target, second) = (subject.target.clone(), subject.second.clone());
    // Without a seed of its own: it is for scenarios, and none plays.
    let answer = match Prepared::new(target.clone(), second.clone(), 0, &run_id).await {
        Ok(prepared) => {
            let mut text = page(&target, prepared.features());
            if let Some((second, features)) = second.as_ref().zip(prepared.second()) {
                text += &page_of_second(second, features);
            }
            prepared.end().await;
            Ok(finish(text.as_bytes(), ExitCode::SUCCESS))
        }
        Err(PrepareError::Client(error)) => Err(fail(USAGE, error)),
        Err(PrepareError::Preflight(error)) => Err(fail(PREFLIGHT, plain(&error.to_string()))),
    };
    subject.end().await;
    answer
}

/// All that is known of the target, and what it means for a run.
fn page(target: &Target, features: &Features) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_homeserver(&mut page, target, features, |_| true)
        .and_then(|()| write_plan(&mut page, target, features));
    page
}

/// What is known of the homeserver that the target federates with.
fn page_of_second(target: &Target, features: &Features) -> String {
    let mut page = "\nThe second homeserver\n".to_owned();
    // The harness's own homeservers never meet it.
    let met = |feature| match feature {
        Feature::Federation => false,
        Feature::Operation(operation) => Operation::CLIENT.contains(&operation),
        _ => true,
    };
    let _ = write_homeserver(&mut page, target, features, met);
    page
}

fn write_homeserver(
    page: &mut String,
    target: &Target,
    features: &Features,
    told: impl Fn(Feature) -> bool,
) -> std::fmt::Result {
    writeln!(page, "{} is a homeserver", target.url)?;
    if let Some(name) = &features.server_name {
        writeln!(page, "  server name      {name}")?;
    }
    for note in &features.notes {
        writeln!(page, "  note             {}", plain(note))?;
    }
    writeln!(page, "\nFeatures")?;
    let mut said = String::new();
    for (feature, standing) in features.iter().filter(|(feature, _)| told(*feature)) {
        let (word, why) = match standing {
            Standing::Available => ("yes", String::new()),
            Standing::NotApplicable(reason) => ("no", plain(reason)),
            Standing::Broken(reason) => ("BROKEN", plain(reason)),
        };
        // One obstacle may be in the way of several.
        let shown = if !why.is_empty() && why == said { "the same" } else { &why };
        writeln!(page, "{}", format!("  {feature:<17}{word:<8}{shown}").trim_end())?;
        said = why;
    }
    Ok(())
}

/// Which scenarios can run, and what they need.
fn write_plan(page: &mut String, target: &Target, features: &Features) -> std::fmt::Result {
    let (mut runnable, mut others) = (0, BTreeMap::<(u8, &str, String), Vec<&str>>::new());
    for scenario in scenarios::all() {
        match obstacle(features, scenario) {
            None => runnable += 1,
            Some((rank, word, reason)) => others.entry((rank, word, reason)).or_default().push(scenario.id),
        }
    }
    writeln!(page, "\nScenarios\n  {runnable} of {} can run", scenarios::all().count())?;
    for ((_, word, reason), ids) in others {
        writeln!(page, "  {} {word}: {}", ids.len(), plain(&reason))?;
        for id in ids {
            writeln!(page, "    {id}")?;
        }
    }
    write_accounts(page, target)
}

/// How many accounts a plan of everything needs, where they are finite.
fn write_accounts(page: &mut String, target: &Target) -> std::fmt::Result {
    if !matches!(target.users, Users::Accounts(_) | Users::Tokens(_)) {
        return Ok(());
    }
    let casts: Vec<Cast> = scenarios::all().map(|scenario| scenario.cast).collect();
    let least = Provisioner::needed(&casts, 1);
    let most = Provisioner::needed(&casts, target.limits.in_flight);
    writeln!(
        page,
        "\nAccounts\n  at least {} (and {} entitled to the gated capability)",
        least.ordinary, least.entitled
    )?;
    writeln!(page, "  nobody waits with {} (and {} entitled)", most.ordinary, most.entitled)
}

/// What keeps a scenario from running.
fn obstacle<'f>(features: &Features, scenario: &Scenario) -> Option<(u8, &'f str, String)> {
    let of = |standing| match standing {
        Standing::Available => None,
        Standing::NotApplicable(reason) => Some((1, "not applicable", reason)),
        Standing::Broken(reason) => Some((0, "untestable", reason)),
    };
    // What does not apply need not work.
    scenario.needs.iter().filter_map(|need| of(features.standing(*need))).max_by_key(|(rank, ..)| *rank)
}

/// What a target said, fit for a terminal.
fn plain(text: &str) -> String {
    report::plain(text)
}
