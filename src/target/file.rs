//! The target file: TOML in, a [`Target`] out, or every mistake with its line and column.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::config::{Cleanup, Limits, Target, Users};
use super::url::{UrlError, base_url};
use url::Url;

use crate::spec::binding::Binding;
use crate::wire::TlsTrust;

mod build;
mod document;
mod federation;
mod value;

/// A mistake in a target file, and where: `capcheck.toml:12:3: unknown key …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// What is wrong, and what is right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// Why a target file gives no target.
#[derive(Debug, thiserror::Error)]
pub enum TargetFileError {
    /// The file cannot be read.
    #[error("cannot read the target file {file}: {error}")]
    Unreadable {
        /// The file, as it was named.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// What it says is wrong; one line per mistake, in the order of the file.
    #[error("{}", lines(.0))]
    Wrong(Vec<Mistake>),
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads a target file; secrets that it leaves to the environment are taken from there.
pub fn load(path: &Path) -> Result<Target, TargetFileError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| TargetFileError::Unreadable { file: file.clone(), error })?;
    let dir = path.parent().unwrap_or(Path::new(""));
    parse(&text, dir, &file, &|name| std::env::var(name).ok())
}

/// Reads the text of a target file. `dir` is where relative paths start, `name` what errors call the
/// file, and `env` the environment.
pub fn parse(
    text: &str,
    dir: &Path,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Target, TargetFileError> {
    let mistake = |at: Range<usize>, message: String| {
        let (line, column) = position(text, at.start);
        Mistake { file: name.to_owned(), line, column, message }
    };
    let top = DeTable::parse(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        TargetFileError::Wrong(vec![mistake(error.span().unwrap_or(0..0), message)])
    })?;
    let (sheet, mut wrong) = document::Sheet::document(top.get_ref());
    let target = build::target(&sheet, dir, env, &mut wrong);
    wrong.sort_by_key(|w| w.at.start);
    match target {
        Some(target) if wrong.is_empty() => Ok(target),
        _ => Err(TargetFileError::Wrong(wrong.into_iter().map(|w| mistake(w.at, w.message)).collect())),
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl Target {
    /// The target that a URL alone describes: registration open, nothing gated, defaults for the rest.
    pub fn at(url: Url) -> Self {
        Self {
            url,
            server_name: None,
            users: Users::Register { token: None },
            gating: None,
            tls: TlsTrust::System,
            limits: Limits::default(),
            binding: Binding::default(),
            unsupported: Default::default(),
            room_version: None,
            cleanup: Cleanup::Logout,
            federation: None,
        }
    }

    /// The same for a URL as people write it.
    pub fn from_url(url: &str) -> Result<Self, UrlError> {
        base_url(url).map(Self::at)
    }
}
