//! How a page looks: colour, width, and whether a progress bar moves below it.

use anstyle::{AnsiColor, Effects};

/// The width of a page that goes to no terminal, in characters.
const DEFAULT_WIDTH: usize = 100;

/// How the terminal report looks. The CLI resolves it once; nothing below looks at the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are written.
    pub colour: bool,
    /// The width of a row in characters, from 60 to 140.
    pub width: usize,
    /// Whether a progress bar is drawn on stderr while scenarios run.
    pub progress: bool,
    /// Whether scenarios that passed are told too, and every failure in full.
    pub verbose: bool,
}

impl Style {
    /// No colour, no progress bar, a hundred characters wide: for files.
    pub const PLAIN: Self = Self { colour: false, width: DEFAULT_WIDTH, progress: false, verbose: false };

    /// What a stream gets that is (or is not) a terminal, under these environment variables.
    ///
    /// `NO_COLOR` (not empty) beats `CLICOLOR_FORCE` (not empty, not `0`), which beats `CLICOLOR=0`;
    /// `TERM=dumb` has neither colour nor progress, unless `CLICOLOR` asks. That is the order of
    /// <https://no-color.org>, <https://bixense.com/clicolors> and the `anstream` crate. `COLUMNS`
    /// gives the width.
    pub fn resolve(is_tty: bool, env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        let on = |name: &str| env(name).is_some_and(|value| !value.is_empty() && value != "0");
        let smart = env("TERM").is_none_or(|term| term != "dumb");
        let colour = if set("NO_COLOR") {
            false
        } else if on("CLICOLOR_FORCE") {
            true
        } else if env("CLICOLOR").is_some_and(|value| value == "0") {
            false
        } else {
            is_tty && (smart || on("CLICOLOR"))
        };
        let width = env("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(DEFAULT_WIDTH);
        Self { colour, progress: is_tty && smart, verbose: false, width: DEFAULT_WIDTH }.columns(width)
    }

    /// The same style for a terminal of so many columns, within what is readable.
    pub fn columns(self, columns: usize) -> Self {
        Self { width: columns.clamp(60, 140), ..self }
    }

    /// The same style, telling more.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Text in this ink, where there is colour.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let ansi = ink.ansi();
        format!("{ansi}{text}{ansi:#}")
    }
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Passed, conformant.
    Good,
    /// Failed, non-conformant.
    Bad,
    /// Untestable, incomplete, a loud note.
    Warn,
    /// What the eye may skip.
    Dim,
    /// What the eye should find.
    Strong,
}

impl Ink {
    fn ansi(self) -> anstyle::Style {
        match self {
            Self::Good => AnsiColor::Green.on_default() | Effects::BOLD,
            Self::Bad => AnsiColor::Red.on_default() | Effects::BOLD,
            Self::Warn => AnsiColor::Yellow.on_default() | Effects::BOLD,
            Self::Dim => Effects::DIMMED.into(),
            Self::Strong => Effects::BOLD.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(is_tty: bool, env: &[(&str, &str)]) -> Style {
        Style::resolve(is_tty, |name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn colour_follows_the_conventions() {
        type Case<'a> = (bool, &'a [(&'a str, &'a str)], bool);
        let cases: [Case<'_>; 14] = [
            (true, &[], true),
            (false, &[], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (false, &[("CLICOLOR_FORCE", "")], false),
            (false, &[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], true),
            (true, &[("CLICOLOR", "0")], false),
            (false, &[("CLICOLOR", "1")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("TERM", "dumb"), ("CLICOLOR", "1")], true),
            (true, &[("TERM", "xterm-256color")], true),
        ];
        for (is_tty, env, colour) in cases {
            assert_eq!(resolved(is_tty, env).colour, colour, "tty {is_tty}, {env:?}");
        }
    }

    #[test]
    fn progress_needs_a_terminal_that_can_move_its_cursor() {
        assert!(resolved(true, &[]).progress);
        assert!(resolved(true, &[("NO_COLOR", "1")]).progress);
        assert!(!resolved(true, &[("TERM", "dumb")]).progress);
        assert!(!resolved(false, &[("CLICOLOR_FORCE", "1")]).progress);
    }

    #[test]
    fn width_stays_readable() {
        let widths = ["20", "80", "400", "wide"].map(|columns| resolved(true, &[("COLUMNS", columns)]).width);
        assert_eq!(widths, [60, 80, 140, DEFAULT_WIDTH]);
    }

    #[test]
    fn paint_adds_colour_and_nothing_else() {
        let colour = Style { colour: true, ..Style::PLAIN };
        for ink in [Ink::Good, Ink::Bad, Ink::Warn, Ink::Dim, Ink::Strong] {
            let painted = colour.paint(ink, "text");
            assert!(painted.starts_with('\u{1b}') && painted.ends_with("\u{1b}[0m"), "{painted:?}");
            assert_eq!(anstream::adapter::strip_str(&painted).to_string(), "text");
            assert_eq!(Style::PLAIN.paint(ink, "text"), "text");
        }
    }
}
