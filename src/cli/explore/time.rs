//! Lengths of time, as options spell them.

use std::time::Duration;

/// The units, and how many milliseconds each has.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a number with its unit, such as `90s`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(known, _)| *known == unit).map(|(_, ms)| *ms);
    let time = number.parse::<u64>().ok().zip(unit).and_then(|(number, ms)| number.checked_mul(ms));
    match time {
        Some(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err("a number above 0 and a unit such as 60s, 5m or 1h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_unit() {
        for (text, seconds) in [("60s", 60.0), ("5m", 300.0), ("1h", 3600.0), ("250ms", 0.25), ("007s", 7.0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "60", "s", "0s", "-1s", "1.5s", "60 s", "60S", "1d", "1h30m", "99999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
