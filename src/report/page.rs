//! A page of text under construction: labelled fields, wrapped rows, cut blocks.

use super::style::{Ink, Style};
use super::text;

/// The width of the column that holds labels.
const LABEL: usize = 11;

/// A page. What is pushed must be escaped already, except where a method says that it escapes.
#[derive(Debug)]
pub(crate) struct Page {
    /// How it looks.
    pub(crate) style: Style,
    text: String,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// A row as it is.
    pub(crate) fn row(&mut self, row: &str) {
        self.text.push_str(row.trim_end());
        self.text.push('\n');
    }

    /// An empty row, unless one is there already.
    pub(crate) fn gap(&mut self) {
        if !matches!(self.text.as_str(), "" | "\n") && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A section's title.
    pub(crate) fn title(&mut self, ink: Ink, title: &str) {
        self.gap();
        let painted = self.style.paint(ink, title);
        self.row(&painted);
    }

    /// A paragraph, wrapped, that begins with a word in ink.
    pub(crate) fn paragraph(&mut self, indent: usize, ink: Ink, word: &str, text: &str) {
        let whole = format!("{word}{text}");
        for (i, row) in text::wrap(&whole, self.style.width.saturating_sub(indent)).iter().enumerate() {
            let row = match row.strip_prefix(word).filter(|_| i == 0) {
                Some(rest) => self.style.paint(ink, word) + rest,
                None => row.clone(),
            };
            self.row(&format!("{:indent$}{row}", ""));
        }
    }

    /// How many characters a field has per row.
    pub(crate) fn room(&self) -> usize {
        self.style.width.saturating_sub(LABEL + 2)
    }

    /// A label and a text, wrapped at spaces.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        let rows = text::wrap(text, self.room());
        self.rows(label, rows);
    }

    /// A label and a text that must stay in one piece, to be copied.
    pub(crate) fn verbatim(&mut self, label: &str, text: &str) {
        self.rows(label, vec![text.to_owned()]);
    }

    /// A label and rows below one another.
    pub(crate) fn rows(&mut self, label: &str, rows: Vec<String>) {
        for (i, row) in rows.iter().enumerate() {
            let label = self.style.paint(Ink::Dim, &format!("{:LABEL$}", if i == 0 { label } else { "" }));
            self.row(&format!("  {label}{row}"));
        }
    }

    /// What somebody sent, escaped and cut to `longest` rows, each behind a mark so that no
    /// content can pass for the report's own words.
    pub(crate) fn quote(&mut self, mark: char, text: &str, longest: usize) {
        let (rows, left_out) = text::block(text, self.room().saturating_sub(2), longest);
        for row in rows {
            self.quoted(mark, &row);
        }
        if left_out > 0 {
            let note = format!("… {} more", text::plural(left_out, "character"));
            let note = self.style.paint(Ink::Dim, &note);
            self.quoted(mark, &note);
        }
    }

    /// One row behind a mark.
    pub(crate) fn quoted(&mut self, mark: char, row: &str) {
        let mark = self.style.paint(Ink::Dim, &mark.to_string());
        self.row(&format!("  {:LABEL$}{mark} {row}", ""));
    }
}
