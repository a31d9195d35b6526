//! The progress bar on stderr, which steps aside while something is printed.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::outcome::Outcome;
use crate::report::text;

/// A bar, or nothing at all.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    failed: usize,
}

impl Progress {
    /// A bar over so many scenarios.
    pub(crate) fn over(scenarios: usize, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(Some(scenarios as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {prefix}{wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar: Some(bar), failed: 0 }
    }

    /// A scenario began.
    pub(crate) fn started(&self, id: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text::escape(id));
        }
    }

    /// A scenario ended.
    pub(crate) fn finished(&mut self, outcome: Outcome) {
        self.failed += usize::from(outcome == Outcome::Failed);
        if let Some(bar) = &self.bar {
            if self.failed > 0 {
                bar.set_prefix(format!("{} failed  ", self.failed));
            }
            bar.inc(1);
        }
    }

    /// Prints something where the bar was; it comes back below.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// The run is over.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_ended_and_what_failed() {
        let mut progress = Progress::over(3, ProgressDrawTarget::hidden());
        progress.started("union::of_two\u{1b}");
        progress.finished(Outcome::Passed);
        progress.finished(Outcome::Failed);
        let bar = progress.bar.clone().unwrap();
        assert_eq!((bar.position(), bar.length()), (2, Some(3)));
        assert_eq!((bar.prefix(), bar.message()), ("1 failed  ".into(), "union::of_two\\u{1b}".into()));
        progress.clear();
        assert!(bar.is_finished() && progress.bar.is_none());
    }

    #[test]
    fn without_a_bar_everything_still_prints() {
        assert_eq!(Progress::default().aside(|| 7), 7);
    }
}
