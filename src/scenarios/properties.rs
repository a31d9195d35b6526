//! The properties as scenarios of a run: few histories of each, drawn with the run's seed.
//!
//! What is recorded of histories that passed is forgotten. Where one fails, the smallest that does is performed
//! once more with the scenario's own transcript, so that reports show its exchanges and no others.

use std::time::Duration;

use crate::outcome::Judgement;
use crate::properties::failure::Failure;
use crate::properties::perform::{Theatre, Violation, perform};
use crate::properties::search::{Budget, SHRINKING, Searched, Terms, search};
use crate::properties::{self, Property};

use super::*;

/// How long a run draws histories of one property; whoever has more time explores.
const TIME: Duration = Duration::from_secs(5);

/// With which case a run begins: few histories have to be long to come upon anything.
const FIRST: u64 = 20;

/// How many histories are performed at once.
const JOBS: usize = 2;

/// How often a failure that was confirmed is performed at most until it shows itself: a race is lost now and
/// then.
const SHOWS: usize = 10;

pub(in crate::scenarios) static SCENARIOS: &[Scenario] = &{
    let [histories, races, union_laws, round_trip, spoiled_uploads, federation] = &properties::table::ALL;
    [
        scenario(histories),
        scenario(races),
        scenario(union_laws),
        scenario(round_trip),
        scenario(spoiled_uploads),
        scenario(federation),
    ]
};

/// A property as a scenario. Every history takes users of its own.
const fn scenario(property: &'static Property) -> Scenario {
    Scenario {
        id: property.id,
        summary: property.summary,
        covers: property.covers,
        needs: property.needs,
        cast: users(0),
        run: |cx| Box::pin(async move { draws_and_performs(&cx).await }),
    }
}

async fn draws_and_performs(cx: &Cx) -> Ran {
    let (property, theatre) = (cx.property()?, cx.theatre());
    let world = &theatre.world;
    // What is found has to be told before the scenario's own time is up.
    let rest = world.target.limits.scenario_timeout.saturating_sub(TIME);
    let terms = Terms {
        seed: world.seed,
        first: FIRST,
        budget: Budget { cases: property.cases, time: TIME },
        shrinking: Budget { time: SHRINKING.time.min(rest / 3), ..SHRINKING },
        jobs: JOBS,
        nonce: cx.nonce(),
    };
    let Searched { checked, failure, stop, .. } = search(&theatre, property, &terms, &mut |_| ()).await;
    let broken = failure.as_ref().map(|(failure, _)| failure.requirement.as_str());
    for requirement in checked.into_iter().filter(|id| Some(*id) != broken) {
        cx.check(requirement, Judgement::held()).await?;
    }
    if let Some((failure, judgement)) = failure {
        return tell(cx, &theatre, &failure, judgement).await;
    }
    stop.map_or(Ok(()), Err)
}

/// Fails what a history has broken; one that did not break it again as often as it takes says
/// nothing for certain.
async fn tell(cx: &Cx, theatre: &Theatre, failure: &Failure, judgement: Judgement) -> Ran {
    let Failure { confirmed, requirement, .. } = failure;
    if !confirmed.is_certain() {
        let Failure { expected, actual, seed, case, property, .. } = failure;
        let again = match confirmed.failed {
            0 => "never".to_owned(),
            some => format!("{some} of {} times", confirmed.tried),
        };
        let reason = format!(
            "flaky: a history broke {requirement} (expected {expected}, found {actual}) and did so again {again} \
             when it was performed again; capcheck explore --seed {seed} --only {property} comes to it as case {case}"
        );
        return Err(Stop::Untestable { reason, exchange: judgement.exchange });
    }
    let Violation { requirement, judgement, .. } = show(cx, theatre, failure).await.ok_or_else(|| {
        let reason = format!("a history broke {requirement}, and did not when it was to be shown");
        Stop::Untestable { reason, exchange: judgement.exchange }
    })?;
    if !cx.check(requirement, judgement).await? {
        cx.tell(story(failure, theatre));
    }
    Ok(())
}

/// Performs a history with the scenario's own transcript, until it fails as it did.
async fn show(cx: &Cx, theatre: &Theatre, failure: &Failure) -> Option<Violation> {
    for time in 0..SHOWS {
        let nonce = format!("{}z{time}", cx.nonce());
        let settle = theatre.world.target.limits.settle;
        let performance = perform(theatre, &failure.history, &nonce, settle).await;
        let shown = performance.violation.filter(|shown| shown.requirement == failure.requirement);
        if shown.is_some() {
            return shown;
        }
    }
    None
}

/// What was done, in numbered steps, and how to go on from there.
fn story(failure: &Failure, theatre: &Theatre) -> Vec<String> {
    let Failure { history, seed, case, found_with, shrunk_in, property, .. } = failure;
    let found = format!(
        "case {case} of seed {seed}; it had {found_with} acts before it was made smaller in {shrunk_in} performances"
    );
    let go_on =
        format!("go on with: capcheck explore {} --seed {seed} --only {property}", theatre.world.target.url);
    history.told_sets().chain(history.told_steps()).chain([found, go_on]).collect()
}
