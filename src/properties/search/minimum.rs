//! Makes a history that failed smaller as long as it fails, and performs the smallest again.

use std::time::{Duration, Instant};

use proptest::strategy::ValueTree as _;

use crate::outcome::Judgement;
use crate::properties::failure::{Confirmed, Failure, Seen};
use crate::properties::perform::Violation;
use crate::spec::history::{History, Step};

use super::{Case, Company, News, Shrinks, Terms};

/// How often a history with acts at once is performed before it counts as passing: a race is lost now and
/// then. It has as many performances for each time that it has to fail again.
const RACES: usize = 5;

/// The shortest time that effects are waited for.
const LEAST: Duration = Duration::from_millis(50);

/// Effects are waited for so many times as long as the slowest took where all went well: while a history is
/// made smaller, most candidates are performed that lack an effect which is waited for in vain.
const PATIENCE: u32 = 8;

/// Makes a history smaller.
pub(super) struct Minimum<'m, C> {
    company: &'m C,
    blank: &'m Failure,
    tell: &'m mut (dyn FnMut(News<'_>) + Send),
    /// Short, for a target as quick as it has shown itself.
    patience: Duration,
    /// With what names begin.
    nonce: String,
    until: Instant,
    most: u64,
    performed: u64,
    case: u64,
    found_with: usize,
    requirement: &'static str,
}

/// A history that failed, and how.
#[derive(Clone)]
struct Found {
    history: History,
    violation: Violation,
    trace: Vec<Seen>,
}

impl<'m, C: Company> Minimum<'m, C> {
    pub(super) fn new(
        company: &'m C,
        blank: &'m Failure,
        terms: &Terms,
        case: u64,
        slowest: Duration,
        tell: &'m mut (dyn FnMut(News<'_>) + Send),
    ) -> Self {
        Self {
            company,
            blank,
            tell,
            patience: (slowest * PATIENCE).max(LEAST),
            nonce: format!("{}c{case}s", terms.nonce),
            until: Instant::now() + terms.shrinking.time,
            most: terms.shrinking.cases,
            performed: 0,
            case,
            found_with: 0,
            requirement: "",
        }
    }

    /// The smallest history that fails as a case did, for certain if there is one.
    ///
    /// Short patience is what makes it quick and may be what makes it fail: what does not fail with the whole
    /// of `settle_s` is made smaller once more from the beginning, with all the time that effects have. Where
    /// nothing smaller is sure to fail the case itself may be; else it is flaky, and what failed most often
    /// is what there is.
    pub(super) async fn of(mut self, case: Case<C::Tree>) -> Option<(Failure, Judgement)> {
        let Case { tree, history, performance, .. } = case;
        let violation = performance.violation?;
        (self.found_with, self.requirement) = (history.len(), violation.requirement);
        let original = Found { history, violation, trace: performance.trace };
        self.tell_of(&original);
        let mut tried: Vec<(Confirmed, Found)> = Vec::new();
        for patience in [Some(self.patience), None] {
            let smaller = self.smaller(tree.clone(), &original, patience).await;
            tried.push(self.confirmed(smaller).await);
            if tried.iter().any(|(confirmed, _)| confirmed.failed > 0) {
                break;
            }
        }
        if tried.iter().all(|(confirmed, found)| !confirmed.is_certain() && found.history != original.history)
        {
            tried.push(self.confirmed(original).await);
        }
        // The last of equals is what max_by_key gives, and smaller ones come first.
        tried.reverse();
        let (confirmed, found) = tried.into_iter().max_by_key(|(confirmed, _)| confirmed.failed)?;
        Some((self.failure(&found, confirmed), found.violation.judgement))
    }

    /// The smallest history that the tree comes to, with so much patience for effects.
    async fn smaller(&mut self, mut tree: C::Tree, original: &Found, patience: Option<Duration>) -> Found {
        let mut best = original.clone();
        tree.cut_after(best.violation.step);
        while self.performed < self.most && Instant::now() < self.until {
            let goes_on = match self.fails(&tree.current(), patience).await {
                Some(found) => {
                    best = found;
                    self.tell_of(&best);
                    tree.simplify()
                }
                None => tree.complicate(),
            };
            if !goes_on {
                break;
            }
        }
        best
    }

    /// Performs a history again; what was seen when it last failed.
    async fn confirmed(&mut self, mut found: Found) -> (Confirmed, Found) {
        let mut confirmed = Confirmed::default();
        for _ in 0..Confirmed::CERTAIN {
            let before = self.performed;
            let again = self.fails(&found.history, None).await;
            confirmed.tried += usize::try_from(self.performed - before).unwrap_or_default();
            if let Some(again) = again {
                confirmed.failed += 1;
                found = again;
            }
        }
        (confirmed, found)
    }

    /// Whether a history fails by the same requirement. What fails by another one, or cannot be performed, is
    /// no smaller form of what was found.
    async fn fails(&mut self, history: &History, patience: Option<Duration>) -> Option<Found> {
        let races = history.steps.iter().any(|step| matches!(step, Step::AtOnce(_)));
        for _ in 0..if races { RACES } else { 1 } {
            self.performed += 1;
            let nonce = format!("{}{}", self.nonce, self.performed);
            let performance = self.company.perform(history, &nonce, patience, patience.is_none()).await;
            let same = |violation: &Violation| violation.requirement == self.requirement;
            if let Some(violation) = performance.violation.filter(same) {
                return Some(Found { history: history.clone(), violation, trace: performance.trace });
            }
        }
        None
    }

    fn tell_of(&mut self, found: &Found) {
        let failure = self.failure(found, Confirmed::default());
        (self.tell)(News::Smaller(&failure));
    }

    fn failure(&self, found: &Found, confirmed: Confirmed) -> Failure {
        let Violation { requirement, judgement, .. } = &found.violation;
        Failure {
            case: self.case,
            requirement: (*requirement).to_owned(),
            expected: judgement.expected.clone(),
            actual: judgement.actual.clone(),
            found_with: self.found_with,
            shrunk_in: usize::try_from(self.performed).unwrap_or(usize::MAX),
            confirmed,
            history: found.history.clone(),
            trace: found.trace.clone(),
            ..self.blank.clone()
        }
    }
}
