//! The Authorization header of scheme X-Matrix, read and written (RFC 9110, section 11.4).

use std::fmt;

/// The longest header that is read, in bytes.
const LONGEST: usize = 8 << 10;

/// The parameters of an `Authorization: X-Matrix ...` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XMatrix {
    /// `origin`.
    pub origin: String,
    /// `destination`, which senders before Matrix 1.3 left out.
    pub destination: Option<String>,
    /// `key`: the key ID, such as `ed25519:1`.
    pub key: String,
    /// `sig` (or `signature`, as the specification's prose has it): unpadded Base64.
    pub sig: String,
}

/// How a header is no X-Matrix header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Another scheme.
    #[error("the scheme is not X-Matrix")]
    Scheme,
    /// Longer than any such header is.
    #[error("it has {0} bytes")]
    TooLong(usize),
    /// Not a list of parameters.
    #[error("{what} at byte {at}")]
    Syntax {
        /// What is wrong there.
        what: &'static str,
        /// Where, from 0.
        at: usize,
    },
    /// A parameter twice, so that nobody can tell which holds.
    #[error("the parameter {0} is there twice")]
    Twice(&'static str),
    /// A parameter that must be there is not.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
}

impl XMatrix {
    /// Reads the value of an Authorization header, in every spelling that RFC 9110 allows, unquoted values
    /// with `:` and `/` (which occur in keys and signatures) among them.
    pub fn parse(value: &str) -> Result<Self, HeaderFault> {
        if value.len() > LONGEST {
            return Err(HeaderFault::TooLong(value.len()));
        }
        let mut reader = Reader { text: value.trim_matches(SPACE), at: 0 };
        let scheme = reader.take(|c| !SPACE.contains(&c));
        if !scheme.eq_ignore_ascii_case("X-Matrix") {
            return Err(HeaderFault::Scheme);
        }
        let mut found: [Option<String>; 4] = Default::default();
        while let Some((name, value)) = reader.parameter()? {
            let Some(index) = index_of(name) else { continue };
            if found[index].replace(value).is_some() {
                return Err(HeaderFault::Twice(NAMES[index]));
            }
        }
        let [origin, destination, key, sig] = found;
        let missing = |index: usize| HeaderFault::Missing(NAMES[index]);
        Ok(Self {
            origin: origin.ok_or(missing(0))?,
            destination,
            key: key.ok_or(missing(2))?,
            sig: sig.ok_or(missing(3))?,
        })
    }

    /// The parameters that are there, in the order in which an honest homeserver sends them.
    pub(super) fn parameters(&self) -> impl DoubleEndedIterator<Item = (&'static str, &str)> {
        let values = [Some(&self.origin), self.destination.as_ref(), Some(&self.key), Some(&self.sig)];
        NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?.as_str())))
    }
}

impl fmt::Display for XMatrix {
    /// The spelling of the honest side: one space, lower-case names, every value quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> =
            self.parameters().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        write!(f, "X-Matrix {}", parameters.join(","))
    }
}

/// The parameters that mean something.
const NAMES: [&str; 4] = ["origin", "destination", "key", "sig"];

/// Which of [`NAMES`] this is, in whatever case.
fn index_of(name: &str) -> Option<usize> {
    let name = if name.eq_ignore_ascii_case("signature") { "sig" } else { name };
    NAMES.iter().position(|known| name.eq_ignore_ascii_case(known))
}

/// A quoted-string (RFC 9110, section 5.6.4) with the escapes that it needs and no others.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a character may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Optional white space (RFC 9110, section 5.6.3).
const SPACE: [char; 2] = [' ', '\t'];

/// What is read of a header, piece by piece.
struct Reader<'h> {
    text: &'h str,
    at: usize,
}

impl<'h> Reader<'h> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'h str {
        let rest = &self.text[self.at..];
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, HeaderFault> {
        Err(HeaderFault::Syntax { what, at: self.at })
    }

    /// The next `name=value`; list elements that are empty are passed over (RFC 9110, section 5.6.1).
    fn parameter(&mut self) -> Result<Option<(&'h str, String)>, HeaderFault> {
        self.take(|c| c == ',' || SPACE.contains(&c));
        if self.peek().is_none() {
            return Ok(None);
        }
        let name = self.take(is_token);
        if name.is_empty() {
            return self.fault("no parameter name");
        }
        self.take(|c| SPACE.contains(&c));
        if self.peek() != Some('=') {
            return self.fault("no = after a parameter name");
        }
        self.at += 1;
        self.take(|c| SPACE.contains(&c));
        let value = match self.peek() {
            Some('"') => self.quoted()?,
            _ => self.unquoted()?,
        };
        self.take(|c| SPACE.contains(&c));
        match self.peek() {
            None | Some(',') => Ok(Some((name, value))),
            _ => self.fault("no comma after a parameter"),
        }
    }

    fn unquoted(&mut self) -> Result<String, HeaderFault> {
        // More than a token, for the sake of colons and Base64; `=` is the padding of the latter.
        let value = self.take(|c| is_token(c) || ":/[]=".contains(c));
        if value.is_empty() { self.fault("no parameter value") } else { Ok(value.to_owned()) }
    }

    fn quoted(&mut self) -> Result<String, HeaderFault> {
        self.at += 1;
        let mut value = String::new();
        loop {
            value.push_str(self.take(|c| c != '"' && c != '\\' && !is_control(c)));
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(escaped) if !is_control(escaped) => {
                            value.push(escaped);
                            self.at += escaped.len_utf8();
                        }
                        _ => return self.fault("nothing after a backslash"),
                    }
                }
                Some(_) => return self.fault("a control character"),
                None => return self.fault("no closing quote"),
            }
        }
    }
}

/// Whether a character may stand in no header value; tabs may.
fn is_control(c: char) -> bool {
    c.is_ascii_control() && c != '\t'
}
