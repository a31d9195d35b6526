//! Searches for a history that the target answers wrongly, and makes it as small as it can.
//!
//! Proptest's runner is synchronous and performs one case after the other; this one performs several at once
//! on one target, and drives the same [value trees](proptest::strategy::ValueTree). A case is drawn when its
//! turn comes and forgotten when it passed, so that a search takes no more memory the longer it lasts.
//!
//! Of all cases that failed the one with the lowest number counts: cases are drawn in their order, and those
//! under way when one fails are waited for, so that the result hangs on no order of answers.

mod live;
mod minimum;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::strategy::ValueTree;
use tokio::task::JoinSet;

use crate::outcome::{Judgement, Stop, panicked};
use crate::spec::history::History;
use crate::spec::history::tree::Tree;

use super::Property;
use super::failure::Failure;
use super::perform::{Performance, Theatre};

use live::Live;
use minimum::Minimum;

/// How long is searched: until either is used up.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// So many histories.
    pub cases: u64,
    /// So long; one history is performed at least.
    pub time: Duration,
}

/// How long a history that failed is made smaller.
pub const SHRINKING: Budget = Budget { cases: 500, time: Duration::from_secs(30) };

/// One case in so many waits until one read decides to which end a race has come, as that takes `settle_s`.
const DECISIVE: u64 = 128;

/// How a search is held.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Fixes what is drawn.
    pub seed: u64,
    /// With which case it begins. The first ones are short: what they find is soon small, and they find least.
    pub first: u64,
    /// How long is searched. Histories under way when the time is up are performed to their end, so that
    /// their users are taken back.
    pub budget: Budget,
    /// How long a history that failed is made smaller.
    pub shrinking: Budget,
    /// How many histories are performed at once.
    pub jobs: usize,
    /// With what every name begins that is made: of `a-z` and `0-9`, and of this search alone.
    pub nonce: String,
}

/// What a search tells while it goes on.
#[derive(Debug)]
pub enum News<'n> {
    /// So many histories, and so many acts of them, have been performed.
    Performed {
        /// Histories.
        cases: u64,
        /// Acts.
        acts: u64,
    },
    /// A history failed, and was made as small as this so far: what is to be saved if nothing better comes.
    Smaller(&'n Failure),
}

/// What came of a search.
#[derive(Debug, Default)]
pub struct Searched {
    /// How many histories were performed.
    pub cases: u64,
    /// How many acts of them were performed.
    pub acts: u64,
    /// The requirements of which something was checked.
    pub checked: BTreeSet<&'static str>,
    /// The smallest history that failed, and the judgement that says how. Where it is not
    /// [certain](super::failure::Confirmed::is_certain), it is flaky.
    pub failure: Option<(Failure, Judgement)>,
    /// Why it ended early, where neither a failure nor the budget ended it.
    pub stop: Option<Stop>,
}

/// Searches until a history fails or the budget is used up.
pub async fn search(
    theatre: &Theatre,
    property: &Property,
    terms: &Terms,
    tell: &mut (dyn FnMut(News<'_>) + Send),
) -> Searched {
    let live = Live::new(theatre, property, terms.seed);
    let blank = live.blank(property, terms.seed);
    search_with(&live, &blank, terms, tell).await
}

/// Draws histories and performs them.
trait Company: Clone + Send + Sync + 'static {
    /// How its histories become smaller.
    type Tree: Shrinks;

    /// The history with this number.
    fn draw(&self, case: u64) -> Self::Tree;

    /// Performs a history; effects are waited for so long at most, or for the whole of `settle_s`. Whether one
    /// read [decides](Theatre::decides) to which end a race has come.
    fn perform(
        &self,
        history: &History,
        nonce: &str,
        patience: Option<Duration>,
        decides: bool,
    ) -> impl Future<Output = Performance> + Send;
}

/// A history that becomes smaller.
trait Shrinks: ValueTree<Value = History> + Clone + Send + 'static {
    /// Nothing after this step is needed for it to fail.
    fn cut_after(&mut self, step: usize);
}

impl Shrinks for Tree {
    fn cut_after(&mut self, step: usize) {
        Self::cut_after(self, step);
    }
}

/// A case as it went.
struct Case<T> {
    number: u64,
    tree: T,
    history: History,
    performance: Performance,
}

/// What is drawn and performed by whom; `blank` is the failure without what is found.
async fn search_with<C: Company>(
    company: &C,
    blank: &Failure,
    terms: &Terms,
    tell: &mut (dyn FnMut(News<'_>) + Send),
) -> Searched {
    let (mut searched, lowest, slowest) = try_cases(company, terms, tell).await;
    if let Some(case) = lowest {
        let minimum = Minimum::new(company, blank, terms, case.number, slowest, tell);
        searched.failure = minimum.of(case).await;
        searched.stop = None;
    }
    searched
}

/// Performs one case after the other, some at once, until one fails or stops or the budget is used up: what
/// came of them, the failed one with the lowest number, and how long effects took where all went well.
async fn try_cases<C: Company>(
    company: &C,
    terms: &Terms,
    tell: &mut (dyn FnMut(News<'_>) + Send),
) -> (Searched, Option<Case<C::Tree>>, Duration) {
    let (began, mut drawn) = (Instant::now(), 0);
    let mut searched = Searched::default();
    let mut lowest: Option<Case<C::Tree>> = None;
    let mut slowest = Duration::ZERO;
    let mut running = JoinSet::new();
    loop {
        let goes_on = lowest.is_none() && searched.stop.is_none();
        while goes_on
            && running.len() < terms.jobs.max(1)
            && (drawn == 0 || drawn < terms.budget.cases && began.elapsed() < terms.budget.time)
        {
            running.spawn(try_case(company.clone(), terms.first + drawn, terms.nonce.clone()));
            drawn += 1;
        }
        let case = match running.join_next().await {
            None => return (searched, lowest, slowest),
            Some(Ok(case)) => case,
            Some(Err(error)) => {
                searched.stop.get_or_insert(panicked("a history", error));
                continue;
            }
        };
        searched.cases += 1;
        searched.acts += u64::try_from(case.performance.trace.len()).unwrap_or_default();
        searched.checked.extend(&case.performance.checked);
        tell(News::Performed { cases: searched.cases, acts: searched.acts });
        if case.performance.violation.is_some() {
            if lowest.as_ref().is_none_or(|lowest| case.number < lowest.number) {
                lowest = Some(case);
            }
        } else if let Some(stop) = case.performance.stop {
            searched.stop.get_or_insert(stop);
        } else {
            slowest = slowest.max(case.performance.slowest);
        }
    }
}

/// Draws a case and performs it; once more with other users, where a prerequisite broke.
async fn try_case<C: Company>(company: C, number: u64, nonce: String) -> Case<C::Tree> {
    let tree = company.draw(number);
    let history = tree.current();
    let decides = number % DECISIVE == DECISIVE - 1;
    let mut performance = company.perform(&history, &format!("{nonce}c{number}"), None, decides).await;
    let broke = matches!(performance.stop, Some(Stop::Untestable { .. }));
    if broke && performance.violation.is_none() {
        performance = company.perform(&history, &format!("{nonce}c{number}b"), None, decides).await;
    }
    Case { number, tree, history, performance }
}
