//! As much of Markdown as the documents use: sections, tables, code and links.

/// A stretch under one heading.
pub(super) struct Section<'t> {
    /// The heading's anchor, as GitHub makes it.
    pub(super) anchor: String,
    pub(super) body: &'t str,
}

/// Every section; one ends where the next heading of any depth begins.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let headings: Vec<(usize, &str)> = lines(text)
        .filter(|line| !line.fenced && line.text.starts_with('#'))
        .map(|line| (line.at, line.text))
        .collect();
    let ends = headings.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    headings
        .iter()
        .zip(ends)
        .map(|((at, heading), end)| Section { anchor: anchor(heading), body: &text[*at..end] })
        .collect()
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// The cells of every table row, rules between header and body aside.
pub(super) fn rows(text: &str) -> Vec<Vec<&str>> {
    lines(text)
        .filter(|line| !line.fenced && line.text.starts_with('|') && !line.text.starts_with("|---"))
        .map(|line| line.text.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// The text of every fenced block.
pub(super) fn blocks(text: &str) -> Vec<&str> {
    text.split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').map_or("", |(_, body)| body))
        .collect()
}

/// Every span of inline code.
pub(super) fn spans(text: &str) -> Vec<&str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// The span of inline code that a cell is.
pub(super) fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}

/// The target of every link.
pub(super) fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|prose| prose.split("](").skip(1))
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .collect()
}

struct Line<'t> {
    at: usize,
    text: &'t str,
    fenced: bool,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let (mut at, mut fenced) = (0, false);
    text.split_inclusive('\n').map(move |line| {
        let fence = line.trim_start().starts_with("```");
        let line = Line { at, text: line.trim_end(), fenced: fenced || fence };
        at += line.text.len() + 1;
        fenced ^= fence;
        line
    })
}
