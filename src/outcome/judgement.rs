//! A predicate's answer, with what is needed to explain it.

use std::sync::Arc;

use crate::wire::Exchange;

use super::Stop;

/// Whether what was expected is what was found: made by actors, evaluated by `check!`.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether it is.
    pub holds: bool,
    /// What was expected, as a phrase.
    pub expected: String,
    /// What was found, as a phrase.
    pub actual: String,
    /// The exchange that shows it.
    pub exchange: Option<Arc<Exchange>>,
    /// Whether the end of the session is itself what is judged, and not a broken prerequisite.
    pub of_the_session: bool,
}

impl Judgement {
    /// A judgement about an exchange.
    pub fn of(
        holds: bool,
        expected: impl Into<String>,
        actual: impl Into<String>,
        exchange: &Arc<Exchange>,
    ) -> Self {
        let exchange = Some(exchange.clone());
        Self { holds, expected: expected.into(), actual: actual.into(), exchange, of_the_session: false }
    }

    /// What holds by many observations that are shown nowhere.
    pub fn held() -> Self {
        let (expected, actual) = (String::new(), String::new());
        Self { holds: true, expected, actual, exchange: None, of_the_session: false }
    }

    /// A judgement about nothing, for tests of what becomes of judgements.
    #[cfg(test)]
    pub(crate) fn bare(holds: bool) -> Self {
        let (expected, actual) = ("a hash".to_owned(), "none".to_owned());
        Self { holds, expected, actual, exchange: None, of_the_session: false }
    }

    /// Both must hold; the first that does not is the one that is shown.
    pub fn and(self, other: impl FnOnce() -> Judgement) -> Judgement {
        match self.holds {
            true => other(),
            false => self,
        }
    }

    /// The same judgement; that the session still lives is part of what is judged.
    pub fn and_the_session_lives(self) -> Judgement {
        Judgement { of_the_session: true, ..self }
    }

    /// This judgement is a prerequisite: unless it holds, the scenario ends.
    pub fn or_stop(self) -> Result<(), Stop> {
        match self.holds {
            true => Ok(()),
            false => Err(self.stop()),
        }
    }

    /// The end of a scenario for want of this prerequisite.
    pub fn stop(self) -> Stop {
        let reason = format!("prerequisite: {}, but there was {}", self.expected, self.actual);
        Stop::Untestable { reason, exchange: self.exchange }
    }

    /// The same judgement, with a word about the moment it was made.
    pub fn when(mut self, moment: &str) -> Judgement {
        self.expected = format!("{} {moment}", self.expected);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(holds: bool, word: &str) -> Judgement {
        let (expected, actual) = (format!("{word} expected"), format!("{word} found"));
        Judgement { expected, actual, ..Judgement::bare(holds) }
    }

    #[test]
    fn of_two_the_first_that_does_not_hold_is_shown() {
        let shown = |first: bool, second: bool| {
            let both = judgement(first, "first").and(|| judgement(second, "second"));
            (both.holds, both.expected)
        };
        assert!(shown(true, true).0);
        assert_eq!(shown(true, false), (false, "second expected".to_owned()));
        assert_eq!(shown(false, true), (false, "first expected".to_owned()));
        let _ = judgement(false, "first").and(|| panic!("what comes after a failure is not asked"));
    }

    #[test]
    fn a_word_about_the_session_changes_nothing_else() {
        let judged = judgement(false, "a set").and_the_session_lives();
        assert!(judged.of_the_session && !judged.holds);
        assert!(!judgement(false, "a set").of_the_session);
    }

    #[test]
    fn a_prerequisite_that_does_not_hold_ends_the_scenario_as_untestable() {
        assert!(judgement(true, "a login").or_stop().is_ok());
        let stop = judgement(false, "a login").when("at once").or_stop().unwrap_err();
        let Stop::Untestable { reason, exchange: None } = stop else { panic!("{stop:?}") };
        assert_eq!(reason, "prerequisite: a login expected at once, but there was a login found");
    }
}
