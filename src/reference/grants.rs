//! Per-user gating: which capability the server offers to whom (draft S2).

use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatch;

/// A server capability that only some users get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The capability.
    pub capability: String,
    /// Which localparts get it: `*` stands for any characters, `?` for one.
    pub users: String,
}

/// Why some text is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected CAPABILITY=LOCALPART-GLOB such as m.cap.content_repo.v1=granted-*, found {0:?}")]
pub struct GrantError(String);

impl Grant {
    /// Whether a user with this localpart gets the capability.
    pub fn covers(&self, localpart: &str) -> bool {
        WildMatch::new(&self.users).matches(localpart)
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text.split_once('=') {
            Some((capability, users)) if !capability.is_empty() && !users.is_empty() => {
                Ok(Self { capability: capability.to_owned(), users: users.to_owned() })
            }
            _ => Err(GrantError(text.to_owned())),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.capability, self.users)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_by_glob_over_the_localpart() {
        let grant: Grant = "m.cap.content_repo.v1=granted-*".parse().unwrap();
        assert!(grant.covers("granted-bob"));
        assert!(!grant.covers("bob"));
        assert!(!grant.covers("not-granted-bob"));
        assert!(!grant.covers("Granted-bob"));
    }

    #[test]
    fn half_a_grant_is_none() {
        for text in ["m.cap.x.v1", "=granted-*", "m.cap.x.v1=", ""] {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
    }
}
