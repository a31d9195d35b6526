//! The base URL of a target, and how people get it wrong.

use url::Url;

/// How a text is not the base URL of a homeserver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No scheme, as in `localhost:8008`.
    #[error("{0:?} has no scheme: write http://{0} or https://{0}")]
    NoScheme(String),
    /// A scheme that is not HTTP's.
    #[error("a homeserver speaks http or https, not {0}")]
    Scheme(String),
    /// Something after the host and port, such as a path or a query.
    #[error("only scheme, host and port belong into the base URL, without {part}: write {instead}")]
    Surplus {
        /// What is too much, with its article.
        part: &'static str,
        /// The URL without it.
        instead: String,
    },
    /// Not a URL.
    #[error("{text:?} is not a URL: {reason}")]
    Malformed {
        /// The text.
        text: String,
        /// What the URL standard says.
        reason: String,
    },
}

/// Reads a base URL: scheme, host, and perhaps a port.
pub fn base_url(text: &str) -> Result<Url, UrlError> {
    let text = text.trim();
    // What stands before an @ may be a password: only what follows is ever repeated.
    let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
    if !text.contains("://") && !text.is_empty() {
        return Err(UrlError::NoScheme(shown.trim_start_matches('/').to_owned()));
    }
    let url = Url::parse(text)
        .map_err(|error| UrlError::Malformed { text: shown.to_owned(), reason: error.to_string() })?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(UrlError::Scheme(url.scheme().to_owned()));
    }
    match surplus(&url) {
        Some(part) => Err(UrlError::Surplus { part, instead: url.origin().ascii_serialization() }),
        None => Ok(url),
    }
}

fn surplus(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a user name or password");
    }
    if url.query().is_some() {
        return Some("a query");
    }
    if url.fragment().is_some() {
        return Some("a fragment");
    }
    (url.path() != "/").then_some("a path")
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn good_urls() {
        for (text, url) in [
            ("http://127.0.0.1:8008", "http://127.0.0.1:8008/"),
            (" https://example.org/ ", "https://example.org/"),
            ("HTTP://[::1]:8008", "http://[::1]:8008/"),
        ] {
            assert_eq!(base_url(text).unwrap().as_str(), url, "{text}");
        }
    }

    #[test]
    fn bad_urls_say_what_to_write() {
        for (text, message) in [
            (
                "localhost:8008",
                "\"localhost:8008\" has no scheme: write http://localhost:8008 or https://localhost:8008",
            ),
            (
                "//example.org",
                "\"example.org\" has no scheme: write http://example.org or https://example.org",
            ),
            ("ftp://example.org", "a homeserver speaks http or https, not ftp"),
            (
                "http://localhost/_matrix/client",
                "only scheme, host and port belong into the base URL, without a path: write http://localhost",
            ),
            (
                "https://bob:swordfish@example.org:8448",
                "only scheme, host and port belong into the base URL, without a user name or password: write https://example.org:8448",
            ),
            (
                "http://localhost:8008?x=1",
                "only scheme, host and port belong into the base URL, without a query: write http://localhost:8008",
            ),
            (
                "http://localhost:8008#x",
                "only scheme, host and port belong into the base URL, without a fragment: write http://localhost:8008",
            ),
            (
                "bob:swordfish@localhost",
                "\"localhost\" has no scheme: write http://localhost or https://localhost",
            ),
            ("http://bob:swordfish@:8008", "\":8008\" is not a URL: empty host"),
            ("http://", "\"http://\" is not a URL: empty host"),
            ("http://localhost:99999", "\"http://localhost:99999\" is not a URL: invalid port number"),
            ("", "\"\" is not a URL: relative URL without a base"),
        ] {
            assert_eq!(base_url(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
