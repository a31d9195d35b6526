//! Other spellings of the header that mean the same, and that every receiver should accept.

use super::header::{XMatrix, is_token, quoted};

/// A legal spelling of the header, unlike that of the honest side in one respect (`federation.header-forms`).
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    says: &'static str,
    write: fn(&XMatrix) -> String,
}

impl Spelling {
    /// All of them: those that section 13.2 of the protocol calls legal.
    pub const ALL: [Spelling; 9] = [
        spelling("with its parameters in another order", |header| {
            listed("X-Matrix ", ",", header.parameters().rev().map(|(name, value)| (name, quoted(value))))
        }),
        spelling("with its scheme in lower case", |header| {
            header.to_string().replacen("X-Matrix", "x-matrix", 1)
        }),
        spelling("with its scheme in upper case", |header| {
            header.to_string().replacen("X-Matrix", "X-MATRIX", 1)
        }),
        spelling("with its parameter names in upper case", |header| {
            let names = header.parameters().map(|(name, value)| (name.to_uppercase(), quoted(value)));
            listed("X-Matrix ", ",", names)
        }),
        spelling("with several spaces after the scheme", |header| listed("X-Matrix   ", ",", honest(header))),
        spelling("with spaces and tabs around its commas", |header| {
            listed("X-Matrix ", " \t, \t", honest(header))
        }),
        spelling("without quotes around values of token characters and colons", |header| {
            listed("X-Matrix ", ",", header.parameters().map(|(name, value)| (name, unquoted(value))))
        }),
        spelling("with backslash escapes within quotes", |header| {
            listed("X-Matrix ", ",", header.parameters().map(|(name, value)| (name, escaped(value))))
        }),
        spelling("with parameters that nobody knows", |header| {
            // Commas and quotes in a value end it for whoever cuts the header up before reading it.
            let trap = || quoted("a, sig=\"b\"");
            let before = [("org.example.flag", "1".to_owned()), ("realm", trap())].into_iter();
            let after = [("x", "y".to_owned()), ("note", trap())];
            listed("X-Matrix ", ",", before.chain(honest(header)).chain(after))
        }),
    ];

    /// How it is written, after "a header": `with its parameters in another order`.
    pub const fn says(self) -> &'static str {
        self.says
    }
}

impl XMatrix {
    /// The header in this spelling.
    pub fn spelled(&self, spelling: Spelling) -> String {
        (spelling.write)(self)
    }
}

const fn spelling(says: &'static str, write: fn(&XMatrix) -> String) -> Spelling {
    Spelling { says, write }
}

fn honest(header: &XMatrix) -> impl Iterator<Item = (&'static str, String)> {
    header.parameters().map(|(name, value)| (name, quoted(value)))
}

fn listed<N: AsRef<str>>(scheme: &str, comma: &str, parameters: impl Iterator<Item = (N, String)>) -> String {
    let parameters: Vec<_> = parameters.map(|(name, value)| format!("{}={value}", name.as_ref())).collect();
    format!("{scheme}{}", parameters.join(comma))
}

/// The value as it is, where it may stand so: slashes and brackets may not.
fn unquoted(value: &str) -> String {
    let bare = !value.is_empty() && value.chars().all(|c| is_token(c) || c == ':');
    if bare { value.to_owned() } else { quoted(value) }
}

/// Every other character behind a backslash (`quoted-pair`), needed or not.
fn escaped(value: &str) -> String {
    let escape = |(index, c): (usize, char)| match c {
        '"' | '\\' => format!("\\{c}"),
        _ if index % 2 == 0 => format!("\\{c}"),
        _ => c.to_string(),
    };
    format!("\"{}\"", value.chars().enumerate().map(escape).collect::<String>())
}
