//! Who is tested: the words that `run` and `doctor` share.

use std::path::{Path, PathBuf};

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
    /// The target file of a second homeserver, which federates with the first
    #[arg(long, value_name = "FILE")]
    second: Option<PathBuf>,
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
    /// Reads the target files, or starts the built-in homeserver; an error is one line, or one for each
    /// mistake in a file.
    pub(super) async fn subject(&self) -> Result<Subject, String> {
        let Some(target) = self.first()? else {
            if let Some(second) = &self.second {
                return Err(format!(
                    "--second {} needs a first homeserver beside it: --target FILE, or a URL",
                    second.display()
                ));
            }
            let started = built_in::start_pair(Options::default()).await;
            let pair = started.map_err(|error| error.to_string())?;
            let (target, second) = (pair.target.clone(), Some(pair.second.clone()));
            return Ok(Subject { target, second, built_in: Some(pair) });
        };
        let second = self.second.as_deref().map(|path| another(path, &target)).transpose()?;
        Ok(Subject { target, second, built_in: None })
    }

    /// The target that the arguments name, if they name one.
    fn first(&self) -> Result<Option<Target>, String> {
        let Some(path) = &self.target else {
            return Ok(self.url.clone().map(Target::at));
        };
        let mut target = file::load(path).map_err(|error| error.to_string())?;
        if let Some(url) = &self.url {
            target.url = url.clone();
        }
        Ok(Some(target))
    }

    /// The same, or this URL where nobody is named.
    pub(super) fn or(self, url: Option<Url>) -> Self {
        let named = self.url.is_some() || self.target.is_some();
        Self { url: if named { self.url } else { url }, ..self }
    }

    /// Whether a target file says what the target is like.
    pub(super) fn has_target_file(&self) -> bool {
        self.target.is_some()
    }

    /// The words that name the same subject again, quoted for a shell.
    pub(super) fn again(&self) -> String {
        let quoted = |text: &str| match text
            .contains(|c: char| !(c.is_ascii_alphanumeric() || "-_./:@%".contains(c)))
        {
            true => format!("'{}'", text.replace('\'', r"'\''")),
            false => text.to_owned(),
        };
        let file = |option: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" {option} {}", quoted(&path.to_string_lossy())))
        };
        let url = self.url.as_ref().map(|url| format!(" {}", quoted(url.as_str().trim_end_matches('/'))));
        [file("--target", &self.target), url, file("--second", &self.second)].into_iter().flatten().collect()
    }
}

/// Reads the second target file, which must be of another homeserver.
fn another(path: &Path, first: &Target) -> Result<Target, String> {
    let second = file::load(path).map_err(|error| error.to_string())?;
    let same = match (&first.server_name, &second.server_name) {
        _ if first.url == second.url => first.url.as_str().trim_end_matches('/'),
        (Some(one), Some(other)) if one == other => one,
        _ => return Ok(second),
    };
    Err(format!("--second {} is the homeserver under test itself: both are {same}", path.display()))
}

impl Subject {
    /// Its URL, unless it is the built-in homeserver, which has another each time.
    pub(super) fn url(&self) -> Option<String> {
        self.built_in.is_none().then(|| self.target.url.as_str().trim_end_matches('/').to_owned())
    }

    /// Ends the built-in homeserver, if it was one.
    pub(super) async fn end(self) {
        if let Some(pair) = self.built_in {
            pair.stop().await;
        }
    }
}
