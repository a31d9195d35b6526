//! `--report FORMAT=FILE`: which report goes where.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSpec {
    /// In which format.
    pub format: Format,
    /// Where it goes.
    pub to: Destination,
}

/// The formats that `--report` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The whole result as JSON.
    Json,
    /// JUnit XML.
    Junit,
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `-`
    Stdout,
    /// A file.
    File(PathBuf),
}

/// Why the value of `--report` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No `=`, or nothing behind it.
    #[error("expected FORMAT=FILE such as json=report.json, or FORMAT=- for stdout, found {0:?}")]
    Shape(String),
    /// No such format.
    #[error("no report format is called {found:?}; did you mean {nearest}? There are: {known}")]
    Format {
        /// What was asked for.
        found: String,
        /// The format whose name is nearest.
        nearest: Format,
        /// Every format, for people.
        known: String,
    },
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 2] = [Format::Json, Format::Junit];

    /// The name that `--report` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = SpecError;

    fn from_str(name: &str) -> Result<Self, SpecError> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.name() == name) {
            return Ok(format);
        }
        let near = |format: &Format| strsim::damerau_levenshtein(format.name(), &name.to_lowercase());
        let nearest = Self::ALL.into_iter().min_by_key(near).unwrap_or(Self::Json);
        let known = Self::ALL.map(Self::name).join(", ");
        Err(SpecError::Format { found: name.to_owned(), nearest, known })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl From<&str> for Destination {
    /// `-` is stdout, everything else a path.
    fn from(text: &str) -> Self {
        match text {
            "-" | "/dev/stdout" => Self::Stdout,
            path => Self::File(path.into()),
        }
    }
}

impl FromStr for ReportSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let shape = || SpecError::Shape(text.to_owned());
        let (format, to) = text.split_once('=').ok_or_else(shape)?;
        let format = format.parse()?;
        match to {
            "" => Err(shape()),
            to => Ok(Self { format, to: to.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_and_a_destination() {
        let read = |text: &str| text.parse::<ReportSpec>().unwrap();
        assert_eq!(read("json=-"), ReportSpec { format: Format::Json, to: Destination::Stdout });
        let file = Destination::File("out/a=b.xml".into());
        assert_eq!(read("junit=out/a=b.xml"), ReportSpec { format: Format::Junit, to: file });
    }

    #[test]
    fn wrong_values_say_what_is_right() {
        let refused = |text: &str| text.parse::<ReportSpec>().unwrap_err().to_string();
        assert_eq!(
            refused("report.json"),
            r#"expected FORMAT=FILE such as json=report.json, or FORMAT=- for stdout, found "report.json""#
        );
        assert_eq!(refused("json="), refused("report.json").replace("\"report.json\"", "\"json=\""));
        assert_eq!(
            refused("jsno=a"),
            r#"no report format is called "jsno"; did you mean json? There are: json, junit"#
        );
        assert!(refused("JUNITXML=a").contains("did you mean junit?"));
    }
}
