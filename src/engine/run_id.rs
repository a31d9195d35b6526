//! The nonce in every name that a run makes, so that no run meets the users of another.

/// The longest that names have room for.
const LONGEST: usize = 32;

/// Why a text is no run id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run id is 1 to {LONGEST} of a-z and 0-9")]
pub struct RunIdError;

/// A run id that no other run has: 64 bits from the operating system.
pub fn fresh() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}", getrandom::u64()?))
}

/// The run id that somebody chose: letters and digits that every name may hold, lower-case because user
/// names know no other.
pub fn parse(text: &str) -> Result<String, RunIdError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match (1..=LONGEST).contains(&text.len()) && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(RunIdError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_one_could_have_been_chosen_and_is_another_each_time() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_eq!((parse(&one), parse(&other)), (Ok(one.clone()), Ok(other.clone())));
        assert_ne!(one, other);
    }

    #[test]
    fn what_a_user_name_cannot_hold_is_refused() {
        assert_eq!(parse(&"a9".repeat(16)), Ok("a9".repeat(16)));
        for text in ["", "A", "a-b", "ä", &"a".repeat(33)] {
            assert_eq!(parse(text), Err(RunIdError), "{text:?}");
        }
    }
}
