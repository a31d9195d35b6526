use std::sync::{Arc, Mutex};

use crate::properties::failure::{Confirmed, SCHEMA_VERSION, Seen};
use crate::properties::perform::Violation;
use crate::spec::history::{Act, Step};
use crate::spec::model::Answer;

use super::*;

const RULE: &str = "union.leave";
const OTHER: &str = "union.single";

/// What is performed: its history, under which nonce, and with how much patience.
struct Call {
    case: u64,
    steps: Vec<usize>,
    nonce: String,
    patience: Option<Duration>,
}

/// What the fake target makes of a performance; the number says which one it is of this history.
type Conduct = dyn Fn(&Call, usize) -> Came + Send + Sync;

enum Came {
    Well,
    /// It broke a requirement in this step.
    Broke(&'static str, usize),
    Stopped(&'static str),
}

/// Draws for case n as many users as `lengths` says, whose numbers are what a history consists of, and
/// performs nothing.
#[derive(Clone)]
struct Fake {
    lengths: Arc<dyn Fn(u64) -> usize + Send + Sync>,
    conduct: Arc<Conduct>,
    calls: Arc<Mutex<Vec<Call>>>,
    at_once: bool,
}

impl Fake {
    fn new(
        lengths: impl Fn(u64) -> usize + Send + Sync + 'static,
        conduct: impl Fn(&Call, usize) -> Came + Send + Sync + 'static,
    ) -> Self {
        let (lengths, conduct) = (Arc::new(lengths), Arc::new(conduct));
        Self { lengths, conduct, calls: Arc::default(), at_once: false }
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

/// Leaves one step after the other out, from the first on.
#[derive(Clone, Debug)]
struct Steps {
    history: History,
    before: Option<History>,
    next: usize,
}

impl ValueTree for Steps {
    type Value = History;

    fn current(&self) -> History {
        self.history.clone()
    }

    fn simplify(&mut self) -> bool {
        let more = self.next < self.history.steps.len();
        if more {
            self.before = Some(self.history.clone());
            self.history.steps.remove(self.next);
        }
        more
    }

    fn complicate(&mut self) -> bool {
        let Some(before) = self.before.take() else { return false };
        self.history = before;
        self.next += 1;
        self.simplify()
    }
}

impl Shrinks for Steps {
    fn cut_after(&mut self, step: usize) {
        self.history.steps.truncate(step + 1);
    }
}

/// The numbers of which a history consists.
fn steps(history: &History) -> Vec<usize> {
    let number = |act: &Act| match act {
        Act::SignUp { user } => *user,
        _ => unreachable!("only these are drawn"),
    };
    history.acts().map(number).collect()
}

impl Company for Fake {
    type Tree = Steps;

    fn draw(&self, case: u64) -> Steps {
        let step = |user| match self.at_once {
            true => Step::AtOnce(vec![vec![Act::SignUp { user }]]),
            false => Step::One(Act::SignUp { user }),
        };
        let steps = (0..(self.lengths)(case)).map(step).collect();
        Steps { history: History { sets: Vec::new(), steps }, before: None, next: 0 }
    }

    async fn perform(
        &self,
        history: &History,
        nonce: &str,
        patience: Option<Duration>,
        _: bool,
    ) -> Performance {
        let case = nonce.strip_prefix("runc").unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
        let call =
            Call { case: case.parse().unwrap(), steps: steps(history), nonce: nonce.to_owned(), patience };
        // So that cases end in another order than they began, and the first ones last.
        for _ in 0..20_u64.saturating_sub(call.case) {
            tokio::task::yield_now().await;
        }
        let mut calls = self.calls.lock().unwrap();
        let before =
            calls.iter().filter(|earlier| (earlier.case, &earlier.steps) == (call.case, &call.steps));
        let came = (self.conduct)(&call, before.count());
        calls.push(call);
        let mut performance = Performance {
            violation: None,
            stop: None,
            checked: BTreeSet::from([OTHER]),
            trace: Vec::new(),
            slowest: Duration::from_millis(10),
        };
        let last = if let Came::Broke(_, step) = came { step } else { usize::MAX };
        let seen = |step| Seen { step, lane: 0, act: 0, began_us: 0, ended_us: 0, answer: Answer::Accepted };
        performance.trace = (0..history.steps.len()).take_while(|step| *step <= last).map(seen).collect();
        match came {
            Came::Well => {}
            Came::Broke(requirement, step) => {
                performance.violation =
                    Some(Violation { requirement, judgement: Judgement::bare(false), step });
            }
            Came::Stopped(reason) => {
                performance.stop = Some(Stop::Untestable { reason: reason.to_owned(), exchange: None });
            }
        }
        performance
    }
}

fn terms(cases: u64, jobs: usize) -> Terms {
    let budget = Budget { cases, time: Duration::from_secs(600) };
    Terms { seed: 7, first: 0, budget, shrinking: SHRINKING, jobs, nonce: "run".to_owned() }
}

fn blank() -> Failure {
    Failure {
        schema_version: SCHEMA_VERSION,
        suite_version: String::new(),
        property: "properties::fake".to_owned(),
        seed: 7,
        case: 0,
        requirement: String::new(),
        expected: String::new(),
        actual: String::new(),
        url: None,
        settle_s: 5.0,
        found_with: 0,
        shrunk_in: 0,
        confirmed: Confirmed::default(),
        history: History::default(),
        trace: Vec::new(),
    }
}

async fn search(fake: &Fake, terms: &Terms) -> Searched {
    search_with(fake, &blank(), terms, &mut |_| ()).await
}

/// What failed: its case, its steps, and how often it failed again of how many times.
fn found(searched: &Searched) -> (u64, Vec<usize>, usize, usize) {
    let (failure, judgement) = searched.failure.as_ref().unwrap();
    assert_eq!(failure.actual, judgement.actual);
    let Confirmed { tried, failed } = failure.confirmed;
    (failure.case, steps(&failure.history), failed, tried)
}

/// Fails where both of these are among the steps, the earlier one first.
fn needs(call: &Call, [one, other]: [usize; 2]) -> Came {
    let place = |wanted| call.steps.iter().position(|step| *step == wanted);
    match (place(one), place(other)) {
        (Some(one), Some(other)) if one < other => Came::Broke(RULE, other),
        _ => Came::Well,
    }
}

#[tokio::test]
async fn every_case_of_the_budget_is_performed_once_and_told() {
    for jobs in [0, 1, 4] {
        let fake = Fake::new(|case| case as usize, |_, _| Came::Well);
        let mut told = Vec::new();
        let mut tell = |news: News<'_>| match news {
            News::Performed { cases, acts } => told.push((cases, acts)),
            News::Smaller(_) => panic!("nothing fails"),
        };
        let searched = search_with(&fake, &blank(), &terms(10, jobs), &mut tell).await;
        assert_eq!((searched.cases, searched.acts), (10, (0..10).sum()));
        assert_eq!((told.len(), told.last()), (10, Some(&(10, 45))));
        assert!(searched.failure.is_none() && searched.stop.is_none());
        assert_eq!(searched.checked, BTreeSet::from([OTHER]));
        let mut nonces: Vec<_> = fake.calls.lock().unwrap().iter().map(|call| call.nonce.clone()).collect();
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), 10, "names of their own");
    }
}

#[tokio::test]
async fn acts_count_that_were_performed() {
    let fake = Fake::new(|_| 40, |_, _| Came::Broke(RULE, 6));
    assert_eq!(search(&fake, &terms(1, 1)).await.acts, 7);
}

#[tokio::test]
async fn a_search_may_begin_with_a_later_case() {
    let fake = Fake::new(|_| 1, |_, _| Came::Well);
    let searched = search(&fake, &Terms { first: 20, ..terms(5, 1) }).await;
    let performed: Vec<u64> = fake.calls.lock().unwrap().iter().map(|call| call.case).collect();
    assert_eq!((searched.cases, performed), (5, (20..25).collect()));
}

#[tokio::test]
async fn one_case_is_performed_whatever_the_budget() {
    for (cases, time) in [(0, Duration::from_secs(600)), (1000, Duration::ZERO), (0, Duration::ZERO)] {
        let fake = Fake::new(|_| 1, |_, _| Came::Well);
        let budget = Budget { cases, time };
        assert_eq!(search(&fake, &Terms { budget, ..terms(1, 3) }).await.cases, 1);
    }
}

#[tokio::test]
async fn of_several_that_fail_the_first_drawn_counts_whoever_ends_first() {
    for jobs in [1, 3, 8] {
        let fake = Fake::new(|_| 4, |call, _| if call.case >= 5 { needs(call, [0, 1]) } else { Came::Well });
        let searched = search(&fake, &terms(100, jobs)).await;
        assert_eq!(found(&searched), (5, vec![0, 1], 2, 2), "{jobs} at once");
        assert!(searched.cases >= 6 && searched.cases < 6 + jobs as u64, "none is drawn after a failure");
    }
}

#[tokio::test]
async fn a_failure_becomes_as_small_as_the_tree_lets_it() {
    let fake = Fake::new(|_| 40, |call, _| needs(call, [3, 17]));
    let mut sizes = Vec::new();
    let mut tell = |news: News<'_>| {
        if let News::Smaller(failure) = news {
            assert_eq!((failure.requirement.as_str(), failure.found_with), (RULE, 40));
            sizes.push(failure.history.len());
        }
    };
    let searched = search_with(&fake, &blank(), &terms(1, 1), &mut tell).await;
    assert_eq!(found(&searched), (0, vec![3, 17], 2, 2));
    assert_eq!(sizes[..2], [40, 18], "whole, and without what came after");
    assert!(sizes.is_sorted_by(|one, next| one > next) && sizes.last() == Some(&2), "{sizes:?}");
    let (failure, _) = searched.failure.unwrap();
    assert_eq!(failure.shrunk_in + 1, fake.calls());
    assert_eq!((failure.seed, failure.property.as_str()), (7, "properties::fake"));
    let calls = fake.calls.lock().unwrap();
    let short = calls.iter().filter(|call| call.patience.is_some());
    assert_eq!(short.count(), calls.len() - 3, "the first and the confirming ones have all the time");
}

#[tokio::test]
async fn patience_is_learned_from_those_that_passed() {
    for (failing, patience) in [(0, 50), (1, 80)] {
        let fake = Fake::new(
            |_| 3,
            move |call, _| if call.case == failing { needs(call, [0, 1]) } else { Came::Well },
        );
        search(&fake, &terms(2, 1)).await;
        let calls = fake.calls.lock().unwrap();
        let learned = calls.iter().find_map(|call| call.patience).unwrap();
        assert_eq!(learned, Duration::from_millis(patience));
    }
}

#[tokio::test]
async fn what_fails_otherwise_is_no_smaller_form_of_it() {
    let conduct = |call: &Call, _: usize| match call.steps.len() {
        5.. => Came::Broke(RULE, call.steps.len() - 1),
        3..5 => Came::Broke(OTHER, 0),
        _ => Came::Stopped("gone"),
    };
    let searched = search(&Fake::new(|_| 9, conduct), &terms(1, 1)).await;
    let (_, steps, ..) = found(&searched);
    assert_eq!(steps.len(), 5);
    assert_eq!(searched.failure.unwrap().0.requirement, RULE);
}

/// The fault shows itself only where nobody waits; with patience it takes step 5 besides.
#[tokio::test]
async fn what_fails_for_want_of_patience_alone_is_made_smaller_with_patience() {
    let conduct = |call: &Call, _: usize| match call.patience {
        Some(_) => Came::Broke(RULE, call.steps.len().saturating_sub(1)),
        None if call.steps.contains(&5) => needs(call, [3, 5]),
        None => Came::Well,
    };
    let searched = search(&Fake::new(|_| 9, conduct), &terms(1, 1)).await;
    assert_eq!(found(&searched), (0, vec![3, 5], 2, 2));
}

#[tokio::test]
async fn what_never_fails_again_is_flaky_and_told_as_it_was() {
    let fake = Fake::new(
        |_| 6,
        |call, _| match call.nonce.contains('s') {
            true => Came::Well,
            false => Came::Broke(RULE, 5),
        },
    );
    let searched = search(&fake, &terms(1, 1)).await;
    assert_eq!(found(&searched), (0, (0..6).collect(), 0, 2));
    assert!(searched.stop.is_none());
}

/// What is smaller fails every other time; the case itself fails always.
#[tokio::test]
async fn the_case_itself_is_what_is_told_where_only_it_is_sure_to_fail() {
    let conduct = |call: &Call, time: usize| match call.steps.len() {
        6 => Came::Broke(RULE, 5),
        _ if time.is_multiple_of(2) => Came::Broke(RULE, call.steps.len().saturating_sub(1)),
        _ => Came::Well,
    };
    let searched = search(&Fake::new(|_| 6, conduct), &terms(1, 1)).await;
    assert_eq!(found(&searched), (0, (0..6).collect(), 2, 2));
}

/// Every fifth time: so one of five performances in a row loses it, and it takes ten to lose it twice. What came
/// of each of them is told.
#[tokio::test]
async fn a_race_that_is_lost_now_and_then_is_found_again() {
    let conduct = |call: &Call, time: usize| match call.nonce.contains('s') && time % 5 != 4 {
        true => Came::Well,
        false => needs(call, [2, 4]),
    };
    let fake = Fake { at_once: true, ..Fake::new(|_| 6, conduct) };
    let (case, steps, failed, tried) = found(&search(&fake, &terms(1, 1)).await);
    assert_eq!((case, steps, failed, tried), (0, vec![2, 4], 2, 10));
    assert!(Confirmed { tried, failed }.is_certain());
    let fake = Fake { at_once: false, ..fake };
    assert_ne!(found(&search(&fake, &terms(1, 1)).await).2, 2, "what is no race is tried once");
}

#[tokio::test]
async fn making_smaller_is_bounded_and_what_was_reached_is_told() {
    let fake = Fake::new(|_| 40, |call, _| needs(call, [3, 39]));
    let shrinking = Budget { cases: 10, time: Duration::from_secs(600) };
    let (_, steps, failed, _) = found(&search(&fake, &Terms { shrinking, ..terms(1, 1) }).await);
    assert_eq!((fake.calls(), failed), (1 + 10 + 2, 2));
    assert!(steps.len() > 2 && steps.len() < 40, "{steps:?}");
    let shrinking = Budget { cases: 1000, time: Duration::ZERO };
    let (_, steps, failed, _) = found(&search(&fake, &Terms { shrinking, ..terms(1, 1) }).await);
    assert_eq!((steps.len(), failed), (40, 2));
}

#[tokio::test]
async fn a_prerequisite_that_broke_once_is_tried_once_more_with_other_users() {
    let stops = |times: usize| {
        Fake::new(
            |_| 2,
            move |call: &Call, time: usize| match call.case {
                3 if time < times => Came::Stopped("no users"),
                _ => Came::Well,
            },
        )
    };
    let once = search(&stops(1), &terms(10, 1)).await;
    assert!(once.cases == 10 && once.stop.is_none());
    let twice = search(&stops(2), &terms(10, 1)).await;
    assert_eq!(twice.cases, 4);
    let Some(Stop::Untestable { reason, .. }) = twice.stop else { panic!("{:?}", twice.stop) };
    assert_eq!(reason, "no users");
}

#[tokio::test]
async fn a_failure_is_told_though_another_case_stopped() {
    let conduct = |call: &Call, _: usize| match call.case {
        0 => needs(call, [0, 1]),
        _ => Came::Stopped("no users"),
    };
    let searched = search(&Fake::new(|_| 2, conduct), &terms(10, 4)).await;
    assert!(searched.stop.is_none() && searched.failure.is_some());
}

#[tokio::test]
async fn a_panic_is_our_fault_and_ends_the_search() {
    let fake = Fake::new(|_| 2, |call, _| if call.case == 1 { panic!("on purpose") } else { Came::Well });
    let searched = search(&fake, &terms(10, 1)).await;
    let Some(Stop::HarnessFault { reason }) = searched.stop else { panic!("{:?}", searched.stop) };
    assert_eq!((reason.as_str(), searched.cases), ("a history panicked: on purpose", 1));
}
