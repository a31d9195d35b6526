//! Who is tested: the words that `run` and `doctor` share.

use std::path::PathBuf;

use url::Url;

use crate::built_in::{self, Pair};
use crate::reference::Options;
use crate::target::config::Target;
use crate::target::file;
use crate::target::url::base_url;

/// Who is tested.
#[derive(Debug, clap::Args)]
pub(super) struct SubjectArgs {
    /// The client-server base URL of a homeserver; without it and without --target, the built-in one
    #[arg(value_name = "URL", value_parser = base_url)]
    url: Option<Url>,
    /// A target file (`capcheck init` writes one); a URL beside it replaces its own
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
}

/// A target, and the homeserver behind it if it is ours.
pub(super) struct Subject {
    pub(super) target: Target,
    /// Another homeserver, with which the target federates.
    pub(super) second: Option<Target>,
    /// Ends with the subject.
    built_in: Option<Pair>,
}

impl SubjectArgs {
    /// Reads the target file, or starts the built-in homeserver; an error is one line.
    pub(super) async fn subject(&self) -> Result<Subject, String> {
        match (&self.target, &self.url) {
            (Some(path), url) => {
                let mut target = file::load(path).map_err(|error| error.to_string())?;
                if let Some(url) = url {
                    target.url = url.clone();
                }
                Ok(Subject { target, second: None, built_in: None })
            }
            (None, Some(url)) => {
                Ok(Subject { target: Target::at(url.clone()), second: None, built_in: None })
            }
            (None, None) => {
                let started = built_in::start_pair(Options::default()).await;
                let pair = started.map_err(|error| error.to_string())?;
                let (target, second) = (pair.target.clone(), Some(pair.second.clone()));
                Ok(Subject { target, second, built_in: Some(pair) })
            }
        }
    }

    /// The words that name the same subject again, quoted for a shell.
    pub(super) fn again(&self) -> String {
        let quoted = |text: &str| match text
            .contains(|c: char| !(c.is_ascii_alphanumeric() || "-_./:@%".contains(c)))
        {
            true => format!("'{}'", text.replace('\'', r"'\''")),
            false => text.to_owned(),
        };
        let target =
            self.target.as_ref().map(|path| format!(" --target {}", quoted(&path.to_string_lossy())));
        let url = self.url.as_ref().map(|url| format!(" {}", quoted(url.as_str().trim_end_matches('/'))));
        target.unwrap_or_default() + &url.unwrap_or_default()
    }
}

impl Subject {
    /// Ends the built-in homeserver, if it was one.
    pub(super) async fn end(self) {
        if let Some(pair) = self.built_in {
            pair.stop().await;
        }
    }
}
