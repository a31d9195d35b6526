//! A header as it is spelled, for implementations that read it otherwise than they should.

/// White space within a header.
const SPACE: [char; 2] = [' ', '\t'];

/// What a reader takes beyond the grammar.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// White space between two parameters does for a comma.
    pub(super) commas_optional: bool,
    /// A quote that is not closed ends with the header.
    pub(super) quotes_may_stay_open: bool,
}

/// A header, cut up.
#[derive(Clone, Debug)]
pub(super) struct Reading<'h> {
    /// The scheme.
    pub(super) scheme: &'h str,
    /// Commas and white space: after the scheme, between parameters and at the end.
    pub(super) gaps: Vec<&'h str>,
    /// The parameters.
    pub(super) parameters: Vec<Parameter<'h>>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'h> {
    /// Its name.
    pub(super) name: &'h str,
    /// Its value as it stands, without quotes but with backslashes.
    pub(super) raw: &'h str,
    /// Whether it stands in quotes.
    pub(super) quoted: bool,
    /// Whether white space stands beside its `=`.
    pub(super) spaced: bool,
}

impl Parameter<'_> {
    /// The value with each escaped character for its escape.
    pub(super) fn value(&self) -> String {
        let mut value = String::new();
        let mut rest = self.raw.chars();
        while let Some(c) = rest.next() {
            value.extend(if self.quoted && c == '\\' { rest.next() } else { Some(c) });
        }
        value
    }

    /// Whether it is quoted, or a token but for colons, which receivers must take.
    pub(super) fn is_plain(&self) -> bool {
        self.quoted || self.raw.chars().all(|c| is_token(c) || c == ':')
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

impl<'h> Reading<'h> {
    /// Cuts a header up; none where it is no list of parameters.
    pub(super) fn of(header: &'h str, rules: Rules) -> Option<Self> {
        let mut rest = header.trim_matches(SPACE);
        let scheme = take(&mut rest, |c| !SPACE.contains(&c));
        let (mut gaps, mut parameters) = (Vec::new(), Vec::new());
        loop {
            let gap = take(&mut rest, |c| c == ',' || SPACE.contains(&c));
            gaps.push(gap);
            if rest.is_empty() {
                return Some(Self { scheme, gaps, parameters });
            }
            let separated = gap.contains(',') || (rules.commas_optional && !gap.is_empty());
            if !parameters.is_empty() && !separated {
                return None;
            }
            parameters.push(parameter(&mut rest, rules)?);
        }
    }
}

fn parameter<'h>(rest: &mut &'h str, rules: Rules) -> Option<Parameter<'h>> {
    let name = Some(take(rest, is_token)).filter(|name| !name.is_empty())?;
    let before = take(rest, |c| SPACE.contains(&c));
    *rest = rest.strip_prefix('=')?;
    let spaced = !before.is_empty() || rest.starts_with(SPACE);
    take(rest, |c| SPACE.contains(&c));
    let quoted = rest.starts_with('"');
    let raw = if quoted {
        between_quotes(rest, rules)?
    } else {
        Some(take(rest, |c| is_token(c) || ":/[]=".contains(c))).filter(|raw| !raw.is_empty())?
    };
    Some(Parameter { name, raw, quoted, spaced })
}

/// Takes a quoted value, of which the first quote is next.
fn between_quotes<'h>(rest: &mut &'h str, rules: Rules) -> Option<&'h str> {
    let text = &rest[1..];
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c.is_ascii_control() && c != '\t' {
            return None;
        }
        if c == '"' && !escaped {
            *rest = &text[at + 1..];
            return Some(&text[..at]);
        }
        escaped = c == '\\' && !escaped;
    }
    *rest = "";
    (rules.quotes_may_stay_open && !escaped).then_some(text)
}

/// Takes characters from the beginning.
fn take<'h>(rest: &mut &'h str, wanted: impl Fn(char) -> bool) -> &'h str {
    let (taken, left) = rest.split_at(rest.find(|c| !wanted(c)).unwrap_or(rest.len()));
    *rest = left;
    taken
}
